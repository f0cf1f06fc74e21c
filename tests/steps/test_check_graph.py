"""The judge of flow documents: loops, ways that end, joins that would starve (engine rules 28 and 30)."""

import pytest

from apps.steps.check import check_document
from tests.steps.documents import CALL, DECIDE, STOP, approve, codes, document, only, step


class TestTheGraph:
    def test_a_loop_without_a_way_out(self):
        a, b = step("map", "A", fields={}), step("delay", "B", **{"for": "PT1H"})
        checked = document({"a": a, "b": b}, ["trigger -> a", "a -> b", "b -> a"])
        finding = only(checked, "no_way_out")
        assert "“A” → “B” → “A”" in finding.message

    def test_a_failing_way_out_of_a_loop_is_none(self):
        checked = document({"call": CALL}, ["trigger -> call", "call:done -> call"])
        assert "no_way_out" in codes(checked)

    def test_a_loop_with_a_way_out_is_fine(self):
        checked = document(
            {"wait": step("delay", **{"for": "PT1H"}), "again": DECIDE, "end": STOP},
            ["trigger -> wait", "wait -> again", "again:no -> wait", "again:yes -> end"],
        )
        assert check_document(checked) == []

    def test_exclusive_branches_that_meet_in_a_join_of_all(self):
        checked = document(
            {"d": DECIDE, "a": step("map", "A"), "j": step("join", mode="all"), "end": STOP},
            ["trigger -> d", "d:yes -> a", "a -> j", "d:no -> j", "j -> end"],
        )
        finding = only(checked, "starving_join")
        assert (finding.step, finding.severity) == ("j", "error")

    @pytest.mark.parametrize("mode", ["any", {"n": 1}])
    def test_exclusive_branches_may_meet_where_one_is_enough(self, mode):
        checked = document(
            {"d": DECIDE, "j": step("join", mode=mode), "a": step("map"), "end": STOP},
            ["trigger -> d", "d:yes -> a", "a -> j", "d:no -> j", "j -> end"],
        )
        assert check_document(checked) == []

    def test_a_join_that_waits_for_more_than_lead_to_it(self):
        checked = document(
            {"a": step("map"), "b": step("map"), "j": step("join", mode={"n": 3}), "end": STOP},
            ["trigger -> a", "trigger -> b", "a -> j", "b -> j", "j -> end"],
        )
        assert only(checked, "starving_join").severity == "error"

    def test_a_join_whose_other_way_may_end_before_it(self):
        checked = document(
            {"a": step("map"), "d": DECIDE, "j": step("join", mode="all"), "end": STOP},
            ["trigger -> a", "trigger -> d", "a -> j", "d:yes -> j", "j -> end"],
        )
        finding = only(checked, "join_may_starve")
        assert finding.severity == "warning"
        assert "“no”" in finding.message

    def test_a_join_whose_other_way_may_stop_the_run_is_fine(self):
        checked = document(
            {"a": step("map"), "d": DECIDE, "j": step("join", mode="all"), "end": STOP},
            ["trigger -> a", "trigger -> d", "a -> j", "d:yes -> j", "d:no -> end", "j -> end"],
        )
        assert check_document(checked) == []

    def test_parallel_ways_and_a_join_of_all_are_fine(self):
        checked = document(
            {
                "a": step("map", fields={"x": 1}),
                "b": CALL,
                "j": step("join", mode="all"),
                "sum": step("map", fields={"y": "=steps.a.output.x", "s": "=steps.b.output.status"}),
                "end": STOP,
            },
            ["trigger -> a", "trigger -> b", "a -> j", "b:done -> j", "b:error -> end",
             "j -> sum", "sum -> end"],
        )  # fmt: skip
        assert check_document(checked) == []

    def test_a_choice_that_runs_twice_may_feed_a_join_of_all(self):
        checked = document(
            {
                "a": step("map"), "b": step("map"), "d": DECIDE,
                "j": step("join", mode="all"), "k": step("map"), "end": STOP,
            },
            ["trigger -> a", "trigger -> b", "a -> d", "b -> d", "d:yes -> j", "d:no -> k",
             "k -> j", "j -> end"],
        )  # fmt: skip
        assert "starving_join" not in codes(checked)


class TestSendingBack:
    ANSWERS = (
        {"port": "yes", "label": "Yes", "side": "for"},
        {"port": "no", "label": "No", "side": "against"},
        {"port": "back", "label": "Put it right", "side": "back"},
    )

    def checked(self, *links, **config):
        steps = {
            "first": step("map", "Collect", fields={}),
            "ask": approve(outcomes=list(self.ANSWERS), **config),
            "right": step("map", "Put right", fields={}),
            "end": STOP,
        }
        ends = ["trigger -> first", "first -> ask", "ask:yes -> end", "ask:no -> end"]
        return document(steps, [*ends, *links])

    @pytest.mark.parametrize(
        "links",
        [
            ("ask:back -> first",),
            ("ask:back -> right", "right -> first"),
            ("ask:back -> right", "right -> ask"),
            ("ask:back -> end", "ask:back -> first"),
        ],
    )
    def test_to_a_step_from_which_it_comes_here_again_is_fine(self, links):
        assert "back_not_before" not in codes(self.checked(*links))

    @pytest.mark.parametrize(
        "links",
        [
            ("ask:back -> end",),
            ("ask:back -> right", "right -> end"),
            # Nothing could be put right on such a way.
            ("ask:back -> ask",),
        ],
    )
    def test_to_anywhere_else_is_refused_with_a_step_that_would_do(self, links):
        finding = only(self.checked(*links), "back_not_before")
        assert (finding.step, finding.severity) == ("ask", "error")
        assert "“back”" in finding.message
        assert "“Collect”" in finding.fix

    def test_without_a_step_before_it_says_so_without_one(self):
        answers = list(self.ANSWERS)
        checked = document(
            {"ask": approve(outcomes=answers), "end": STOP},
            ["trigger -> ask", *(f"ask:{one} -> end" for one in ("yes", "no", "back"))],
        )
        assert only(checked, "back_not_before").fix.endswith("here again.")

    def test_inside_a_step_that_contains_it_counts_what_is_inside(self):
        checked = self.checked("ask:back -> first")
        checked["steps"]["each"] = step("for_each", items="trigger.body.items")
        for one in ("first", "ask"):
            checked["steps"][one]["scope"] = "each"
        checked["links"] = [
            one for one in checked["links"] if one["to"] != "end" and one["from"] != "trigger"
        ]
        checked["links"] += [
            {"from": "trigger", "to": "each"},
            {"from": "each", "port": "body", "to": "first"},
        ]
        assert "back_not_before" not in codes(checked)


class TestPlayedThrough:
    """Findings that come from playing the flow through; each shows the way there."""

    def test_a_stop_beside_other_work(self):
        steps = {"a": CALL, "b": CALL, "end": STOP}
        one = only(
            document(steps, ["trigger -> a", "trigger -> b", "a:done -> end"]), "leftover_token"
        )
        assert (one.step, one.severity, one.way) == ("end", "warning", (("a", "done"),))

    def test_a_loop_that_starts_more_each_time(self):
        steps = {"a": step("map", fields={}), "b": DECIDE}
        links = ["trigger -> a", "a -> b", "b:yes -> a", "b:no -> a", "b:yes -> c"]
        steps["c"] = step("map", fields={})
        links.append("c -> a")
        assert only(document(steps, links), "unbounded_loop").severity == "error"

    def test_the_way_to_a_join_that_starves_is_told(self):
        steps = {"which": DECIDE, "a": step("map", fields={}), "j": step("join", mode="all")}
        links = ["trigger -> which", "trigger -> a", "a -> j", "which:yes -> j"]
        one = only(document(steps, links), "join_may_starve")
        assert one.as_json()["way"] == [{"step": "which", "port": "no"}]
