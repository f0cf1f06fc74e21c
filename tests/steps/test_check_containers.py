"""What the check finds about steps inside others, undoing, locks and fields beside the config."""

import pytest

from apps.steps.check import check_document
from tests.steps.documents import document

MAP = {"type": "map", "config": {"fields": {}}}
EACH = {"type": "for_each", "config": {"items": "trigger.body.list"}}
BLOCK = {"type": "block", "config": {}}
ROUND = {"type": "repeat", "config": {"until": "steps.m.output.n > 3"}}


def reading(expression):
    return {"type": "map", "config": {"fields": {"n": f"={expression}"}}}


def inside(step, holder="each", **fields):
    return {**step, "in": holder, **fields}


def found(steps, *links):
    return {one.code for one in check_document(document(steps, list(links)))}


def errors(steps, *links):
    drawn = check_document(document(steps, list(links)))
    return {one.code for one in drawn if one.severity == "error"}


def codes(steps, *links):
    return {one.code for one in check_document(document(steps, list(links)))}


class TestContainers:
    def test_a_loop_over_a_list_is_sound(self):
        steps = {"each": EACH, "m": inside(reading("item + index")), "z": MAP}
        assert not errors(steps, "trigger -> each", "each:body -> m", "each -> z")

    def test_a_step_inside_may_end_there(self):
        steps = {"each": EACH, "m": inside(MAP)}
        drawn = check_document(document(steps, ["trigger -> each", "each:body -> m"]))
        assert {(one.code, one.step) for one in drawn} == {("unlinked_port", "each")}

    @pytest.mark.parametrize(
        "holder", ["nowhere", "m", "flat"], ids=["unknown", "itself", "no container"]
    )
    def test_inside_what_is_none(self, holder):
        steps = {"flat": MAP, "m": inside(MAP, holder)}
        assert "unknown_container" in errors(steps, "trigger -> flat", "flat -> m")

    def test_a_ring_of_containers(self):
        steps = {"a": inside(BLOCK, "b"), "b": inside(BLOCK, "a")}
        assert "unknown_container" in errors(steps, "trigger -> a", "a:body -> b", "b:body -> a")

    @pytest.mark.parametrize(
        "link",
        ["trigger -> m", "each -> m", "m -> z", "each:body -> z"],
    )
    def test_a_link_across_the_edge(self, link):
        steps = {"each": EACH, "m": inside(MAP), "z": MAP}
        assert "link_across" in errors(
            steps, "trigger -> each", "each:body -> m", "each -> z", link
        )

    def test_a_container_with_nothing_inside_it_leads_to(self):
        assert "unlinked_port" in errors({"each": EACH}, "trigger -> each")


class TestReading:
    def test_an_item_is_there_inside_alone(self):
        steps = {"each": EACH, "m": inside(MAP), "z": reading("item")}
        assert "unknown_name" in errors(steps, "trigger -> each", "each:body -> m", "each -> z")

    def test_a_repeat_has_an_index_but_no_item(self):
        links = ["trigger -> r", "r:body -> m"]
        assert not errors({"r": ROUND, "m": inside(reading("index"), "r")}, *links)
        assert "unknown_name" in errors({"r": ROUND, "m": inside(reading("item"), "r")}, *links)

    def test_what_runs_for_each_item_is_not_read_outside(self):
        steps = {"each": EACH, "m": inside(MAP), "z": reading("steps.m.output")}
        assert "missing_path" in errors(steps, "trigger -> each", "each:body -> m", "each -> z")

    def test_what_ran_in_a_block_is(self):
        steps = {"b": BLOCK, "m": inside(reading("1"), "b"), "z": reading("steps.m.output.n")}
        assert not errors(steps, "trigger -> b", "b:body -> m", "b -> z")

    def test_the_result_of_an_item_is_read_from_inside(self):
        each = {"type": "for_each", "config": {"items": "[1]", "result": "steps.m.output.n + item"}}
        steps = {"each": each, "m": inside(reading("item"))}
        assert not errors(steps, "trigger -> each", "each:body -> m")

    def test_a_condition_to_go_on_reads_the_result(self):
        until = {"when": "result > 3 and succeeded > 2"}
        each = {"type": "for_each", "config": {"items": "[1]", "until": until}}
        steps = {"each": each, "m": inside(reading("item"))}
        assert not errors(steps, "trigger -> each", "each:body -> m")

    def test_a_container_has_no_output_inside_itself(self):
        steps = {"each": EACH, "m": inside(reading("steps.each.output.count"))}
        assert found(steps, "trigger -> each", "each:body -> m") & {
            "missing_path",
            "may_be_missing",
        }


class TestUndo:
    LINKS = ("trigger -> b", "b:body -> m")

    def test_a_step_that_undoes_needs_no_link_and_reads_what_was_done(self):
        steps = {
            "b": BLOCK,
            "m": inside(reading("1"), "b", undo="u"),
            "u": inside(reading("steps.m.output.n"), "b"),
        }
        drawn = check_document(document(steps, list(self.LINKS)))
        assert {(one.code, one.step) for one in drawn} == {("unlinked_port", "b")}

    @pytest.mark.parametrize(
        ("undoing", "more"),
        [
            (None, ()),
            (MAP, ()),
            (inside(MAP, "b"), ("m -> u",)),
            (inside({"type": "stop", "config": {}}, "b"), ()),
        ],
        ids=["unknown", "elsewhere", "linked", "gives nothing"],
    )
    def test_a_step_that_cannot_undo(self, undoing, more):
        steps = {"b": BLOCK, "m": inside(MAP, "b", undo="u")}
        if undoing is not None:
            steps["u"] = undoing
        assert "bad_undo" in errors(steps, *self.LINKS, *more)


class TestFields:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("in", 3),
            ("undo", ""),
            ("lock", ["a"]),
            ("time_limit", "soon"),
            ("on_error", "path"),
            ("on_error", {"then": "pray"}),
            ("retry", 3),
            ("retry", {"transient": {"max_attempts": 0}}),
            ("retry", {"transient": {"max_attempts": 21}}),
            ("retry", {"always": {"max_attempts": 2}}),
            ("concurrency", 3),
            ("concurrency", {"max": 0}),
            ("concurrency", {"key": "trigger.body.customer"}),
        ],
    )
    def test_that_do_not_fit(self, name, value):
        assert "bad_field" in errors({"m": {**MAP, name: value}}, "trigger -> m")

    @pytest.mark.parametrize(
        ("name", "value"),
        [("retry", {"permanent": {"max_attempts": 2}}), ("concurrency", {"max": 2})],
    )
    def test_that_only_effects_have(self, name, value):
        call = {"type": "http.request", "config": {"url": "https://a.example"}}
        assert "only_for_effects" in errors({"m": {**MAP, name: value}}, "trigger -> m")
        assert not errors({"m": {**call, name: value}}, "trigger -> m")

    @pytest.mark.parametrize(
        "fields",
        [
            {"concurrency": {"max": 1, "key": "trigger.bdy.customer"}},
            {"concurrency": {"max": 1, "key": "steps.nobody.output"}},
            {"on_error": {"then": "default", "output": {"x": "= steps.nobody.output"}}},
            {"on_error": {"then": "ask", "output": "= 1 +"}},
        ],
    )
    def test_whose_expressions_read_what_is_not_there(self, fields):
        call = {"type": "http.request", "config": {"url": "https://a.example"}}
        found = errors({"m": {**call, **fields}}, "trigger -> m")
        assert found & {"unknown_name", "missing_path", "bad_expression"}

    def test_add_ways_out(self):
        step = {**MAP, "time_limit": "PT5M", "on_error": {"then": "path"}}
        links = ["trigger -> m", "m:error -> z", "m:timeout -> z", "m:done -> z"]
        assert not errors({"m": step, "z": MAP}, *links)
        assert "unknown_port" in errors({"m": MAP, "z": MAP}, *links)

    def test_one_lock_inside_the_same_is_shared(self):
        steps = {"b": {**BLOCK, "lock": "desk"}, "m": inside(MAP, "b", lock="desk")}
        assert "crossed_locks" not in codes(steps, "trigger -> b", "b:body -> m")

    def test_two_locks_in_one_order_here_and_in_another_there(self):
        steps = {
            "b": {**BLOCK, "lock": "desk"},
            "m": inside(MAP, "b", lock="chair"),
            "c": {**BLOCK, "lock": "chair"},
            "n": inside(MAP, "c", lock="desk"),
        }
        links = ["trigger -> b", "trigger -> c", "b:body -> m", "c:body -> n"]
        assert "crossed_locks" in codes(steps, *links)
        steps["n"] = inside(MAP, "c", lock="lamp")
        assert "crossed_locks" not in codes(steps, *links)

    def test_a_loop_that_something_else_withdraws_has_a_way_out(self):
        stop = {"type": "cancel", "config": {"steps": ["m"]}}
        links = ["trigger -> m", "m -> m", "trigger -> w", "w -> s"]
        assert "no_way_out" not in codes({"m": MAP, "w": MAP, "s": stop}, *links)
        assert "no_way_out" in codes({"m": MAP, "w": MAP, "s": MAP}, *links)

    def test_a_loop_in_a_container_with_a_time_limit_has_a_way_out(self):
        links = ["trigger -> b", "b:body -> m", "m -> m"]
        late = {**BLOCK, "time_limit": "PT1H"}
        assert "no_way_out" not in codes({"b": late, "m": inside(MAP, "b")}, *links)
        assert "no_way_out" in codes({"b": BLOCK, "m": inside(MAP, "b")}, *links)


class TestContainersThatAreNotReached:
    def unreached(self, steps, *links):
        drawn = check_document(document(steps, list(links)))
        return sorted(one.step for one in drawn if one.code == "unreachable")

    def test_are_said_once_whatever_stands_in_them(self):
        steps = {
            "a": MAP,
            "outer": BLOCK,
            "inner": {**BLOCK, "in": "outer"},
            "deep": inside(MAP, "inner"),
            "beside": inside(MAP, "outer"),
        }
        links = ("trigger -> a", "outer:body -> inner", "inner:body -> deep")
        assert self.unreached(steps, *links) == ["outer"]

    def test_a_step_that_nothing_leads_to_in_one_that_is_reached_is_said(self):
        steps = {"box": BLOCK, "m": inside(MAP, "box"), "lost": inside(MAP, "box")}
        assert self.unreached(steps, "trigger -> box", "box:body -> m") == ["lost"]

    def test_a_ring_of_containers_is_no_endless_look(self):
        steps = {"z": MAP, "a": {**BLOCK, "in": "b"}, "b": {**BLOCK, "in": "a"}}
        assert self.unreached(steps, "trigger -> z") == []
