"""The judge of flow documents: each finding, and that nothing makes it stumble.

Engine rules 28 and 30.
"""

from copy import deepcopy
from cProfile import Profile
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.steps.check import CheckContext, check_document
from apps.steps.document import compile_flow
from apps.steps.findings import errors_in
from apps.steps.format import document_hash
from tools.bench_check import large_document


def step(kind, shown="", /, **config):
    return {"type": kind, "version": 1, "title": shown or kind, "config": config}


def link(text):
    """``a -> b`` or ``a:port -> b``."""
    left, right = text.split(" -> ")
    source, _, port = left.partition(":")
    return {"from": source, **({"port": port} if port else {}), "to": right}


def document(steps, links, **more):
    return {
        "format": "signalbox.flow/1",
        "name": "Orders",
        "trigger": {
            "type": "webhook",
            "config": {
                "path": "orders",
                "signature": {"scheme": "hmac-sha256", "secret": "shop"},
            },
        },
        "steps": deepcopy(steps),
        "links": [link(one) for one in links],
        **more,
    }


DECIDE = step("decide", branches=[{"port": "yes", "when": "trigger.body.ok"}], otherwise="no")
CALL = step("http.request", url="https://api.example.com/orders")
STOP = step("stop")


def approve(**config):
    return step("approval", **{"title": "Approve?", "assignees": {"groups": ["finance"]}, **config})


@pytest.fixture
def good():
    return document(
        {
            "size": step(
                "decide",
                "Large?",
                branches=[{"port": "large", "when": "trigger.body.amount > 10000"}],
                otherwise="small",
            ),
            "approve": approve(due="P2D"),
            "end": STOP,
        },
        [
            "trigger -> size",
            "size:large -> approve",
            "size:small -> end",
            "approve:approved -> end",
            "approve:rejected -> end",
            "approve:timeout -> end",
        ],
        settings={"owner": "ops@example.com", "risk": "medium", "concurrency": {"max": 50}},
        layout={"size": [240, 80]},
    )


def codes(checked, **known):
    context = CheckContext(**known) if known else None
    return [one.code for one in check_document(checked, known=context)]


def only(checked, code):
    """The one finding of that code, which says everything a finding must say."""
    found = [one for one in check_document(checked) if one.code == code]
    assert len(found) == 1, [one.as_json() for one in check_document(checked)]
    assert found[0].message
    assert found[0].fix
    return found[0]


def one_step(kind, *, ports=("done",), **config):
    """A flow of one step whose ways out all lead to a stop."""
    return document(
        {"it": step(kind, **config), "end": STOP},
        ["trigger -> it", *(f"it:{port} -> end" for port in ports)],
    )


def mapped(**fields):
    return one_step("map", fields=fields)


def test_a_good_document_has_no_findings(good):
    assert check_document(good) == []


def test_unknown_fields_are_no_finding(good):
    good["x-team"] = {"a": 1}
    good["steps"]["size"]["comment"] = "ours"
    good["links"][0]["label"] = "always"
    good["settings"]["colour"] = "blue"

    assert check_document(good) == []


class TestTheDocument:
    @pytest.mark.parametrize("value", [None, True, 3, "text", [], [1]])
    def test_must_be_an_object(self, value):
        assert codes(value) == ["bad_document"]

    def test_must_name_its_format(self, good):
        del good["format"]
        assert codes(good) == ["no_format"]

    def test_of_an_unknown_format_is_not_read_further(self, good):
        good["format"] = "signalbox.flow/2"
        good["steps"] = 3
        assert codes(good) == ["unknown_format"]

    @pytest.mark.parametrize(
        "field, value, code",
        [
            ("steps", [], "bad_document"),
            ("links", {}, "bad_document"),
            ("trigger", None, "no_trigger"),
            ("trigger", {"type": "webhok"}, "unknown_trigger_type"),
            ("trigger", {"type": ["webhook"]}, "unknown_trigger_type"),
            ("name", 3, "bad_name"),
            ("name", "Two\nlines", "bad_name"),
            ("name", "\u202egnp.exe", "bad_name"),
            ("name", "n" * 151, "bad_name"),
            ("name", "", "no_name"),
            ("layout", [], "bad_layout"),
            ("layout", {"size": ["a", 2]}, "bad_layout"),
            ("settings", {"concurrency": {"max": 0}}, "bad_settings"),
            ("settings", {"risk": "huge"}, "bad_settings"),
            ("settings", 3, "bad_settings"),
            ("more", 1.5, "not_json"),
            ("more", "\0", "not_json"),
            ("more", "x" * 1_000_001, "too_large"),
        ],
    )
    def test_fields_of_a_wrong_shape(self, good, field, value, code):
        good[field] = value
        assert code in codes(good)

    def test_markup_in_names_is_text(self, good):
        good["name"] = "<script>alert(1)</script>"
        good["steps"]["size"]["title"] = "<b>Large?</b> [x](javascript:y)"
        assert check_document(good) == []

    def test_without_steps(self):
        assert "no_steps" in codes(document({}, []))

    def test_with_too_many_steps(self):
        steps = {f"s{index}": STOP for index in range(2_001)}
        assert "too_many_steps" in codes(document(steps, ["trigger -> s0"]))

    @pytest.mark.parametrize(
        "number", [Decimal("0.1234567890123456789"), 2**53 + 1, Decimal("1E+400")]
    )
    def test_a_number_that_is_not_a_double_is_refused(self, number):
        checked = mapped(n={"deep": [number]})
        assert only(checked, "bad_number").path == "/steps/it/config/fields/n/deep/0"
        assert only(checked, "bad_number").step == "it"

    @pytest.mark.parametrize("number", [Decimal("0.1"), Decimal("1.50"), 2**53, -3, 10**20])
    def test_a_number_that_names_a_double_is_kept(self, number):
        assert check_document(mapped(n=number)) == []

    def test_the_layout_may_hold_any_number(self, good):
        good["layout"]["size"] = [Decimal("0.1234567890123456789"), 1]
        assert check_document(good) == []


class TestSteps:
    @pytest.mark.parametrize("step_id", ["Size", "1st", "a-b", "", "ä", "a" * 64, "x y", "a\nb"])
    def test_an_id_of_odd_characters(self, good, step_id):
        good["steps"][step_id] = step("stop")
        good["links"].append({"from": "size", "port": "large", "to": step_id})
        assert codes(good) == ["bad_step_id"]

    @pytest.mark.parametrize("step_id", ["steps", "run", "item", "index"])
    def test_a_reserved_id(self, good, step_id):
        good["steps"][step_id] = step("stop")
        good["links"].append({"from": "size", "port": "large", "to": step_id})
        assert codes(good) == ["reserved_step_id"]

    @pytest.mark.parametrize(
        "changes, code",
        [
            ({"type": "decde"}, "unknown_type"),
            ({"type": None}, "unknown_type"),
            ({"type": 3}, "unknown_type"),
            ({"version": 99}, "unknown_version"),
            ({"version": "1"}, "unknown_version"),
            ({"version": True}, "unknown_version"),
            ({"title": ["x"]}, "bad_name"),
            ({"title": "a\r\nb"}, "bad_name"),
        ],
    )
    def test_unknown_types_and_bad_titles(self, good, changes, code):
        good["steps"]["size"].update(changes)
        assert code in codes(good)

    def test_an_unknown_type_suggests_the_nearest(self, good):
        good["steps"]["size"]["type"] = "decde"
        assert only(good, "unknown_type").fix == "Did you mean “decide”?"

    def test_a_step_that_is_no_object(self, good):
        good["steps"]["size"] = "decide"
        assert "bad_step" in codes(good)


class TestLinks:
    @pytest.mark.parametrize(
        "one, code",
        [
            ({"from": "size", "port": "large", "to": "gone"}, "unknown_step"),
            ({"from": "gone", "to": "end"}, "unknown_step"),
            ({"from": None, "to": "end"}, "unknown_step"),
            ({"from": "size", "port": "large"}, "unknown_step"),
            ({"from": "size", "port": "huge", "to": "end"}, "unknown_port"),
            ({"from": "trigger", "port": "done", "to": "end"}, "unknown_port"),
            ({"from": "size", "to": "end"}, "port_missing"),
            ({"from": "size", "port": 3, "to": "end"}, "bad_link"),
            ({"from": "end", "to": "size"}, "no_ports"),
            ({"from": "size", "port": "large", "to": "approve"}, "duplicate_link"),
            ({"from": "size", "port": "large", "to": "trigger"}, "link_into_trigger"),
            ("size -> end", "bad_link"),
        ],
    )
    def test_a_link_that_cannot_be(self, good, one, code):
        good["links"].append(one)
        finding = only(good, code)
        assert finding.severity == "error"
        assert finding.path.startswith("/links/6")

    def test_a_missing_target_suggests_the_nearest(self, good):
        good["links"].append(link("size:large -> aprove"))
        assert only(good, "unknown_step").fix == "Did you mean “approve”?"

    def test_the_same_link_twice_by_its_only_port_and_without(self):
        checked = document(
            {"it": step("map", fields={}), "end": STOP},
            ["trigger -> it", "it -> end", "it:done -> end"],
        )
        assert codes(checked) == ["duplicate_link"]

    def test_nothing_is_linked_to_the_trigger(self, good):
        del good["links"][0]
        assert codes(good) == ["no_trigger_link"]

    def test_a_step_that_is_not_reached(self, good):
        good["steps"]["lost"] = CALL
        good["links"] += [link("lost:done -> end"), link("lost:error -> end")]
        assert only(good, "unreachable").step == "lost"

    def test_a_port_without_a_link_is_a_warning(self, good):
        good["links"].remove(link("size:small -> end"))
        assert only(good, "unlinked_port").severity == "warning"

    @pytest.mark.parametrize("port", ["rejected", "timeout"])
    def test_an_approval_must_say_what_happens_without_a_yes(self, good, port):
        good["links"].remove(link(f"approve:{port} -> end"))
        assert only(good, "unlinked_port").severity == "error"


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


class TestConfigs:
    @pytest.mark.parametrize(
        "checked, message, fix, path",
        [
            (
                one_step("stop", ports=(), outcome="complete"),
                "“The run is then” must be one of “completed”, “failed”; it is the text “complete”.",
                "Did you mean “completed”?",
                "/outcome",
            ),
            (
                one_step("http.request", ports=("done", "error")),
                "“Address” is missing.",
                "Fill it in.",
                "/url",
            ),
            (
                one_step(
                    "http.request", ports=("done", "error"), url="https://a.example", method=1
                ),
                "“Method” must be one of “GET”, “POST”, “PUT”, “PATCH”, “DELETE”, “HEAD”; it is 1.",
                "Choose one of them.",
                "/method",
            ),
            (
                one_step(
                    "http.request", ports=("done", "error"), url="https://a.example", heders={}
                ),
                "There is no field “heders” here.",
                "Did you mean “headers”?",
                "/heders",
            ),
            (
                one_step(
                    "http.request",
                    ports=("done", "error"),
                    url="https://a.example",
                    headers={"A": 5},
                ),
                "“Headers → A” must be text; it is 5.",
                "Write text.",
                "/headers/A",
            ),
            (
                one_step("respond", status=99),
                "“Status” must be at least 200; it is 99.",
                "Give a number at least 200.",
                "/status",
            ),
            (
                one_step("delay"),
                "The form: Say either how long or until when.",
                "Change it so that it fits.",
                "",
            ),
            (
                one_step("join", mode={"n": "many"}),
                "“Go on when → How many” must be a whole number; it is the text “many”.",
                "Give a whole number, such as 3.",
                "/mode/n",
            ),
            (
                one_step("map", fields=[]),
                "“Fields” must be a set of named fields; it is a list.",
                'Give named fields, such as {"name": "value"}.',
                "/fields",
            ),
        ],
    )
    def test_are_judged_in_sentences(self, checked, message, fix, path):
        finding = only(checked, "bad_config")
        assert finding.message == message
        assert finding.fix == fix
        assert finding.path == f"/steps/it/config{path}"
        assert finding.step == "it"

    @pytest.mark.parametrize("config", [3, "x", [], True])
    def test_must_be_objects(self, good, config):
        good["steps"]["end"]["config"] = config
        assert codes(good) == ["bad_config"]

    def test_a_template_may_stand_for_any_value(self):
        checked = one_step("respond", status="= 200 + 4", body="=trigger.body")
        assert check_document(checked) == []

    def test_a_template_may_stand_inside_a_choice_of_shapes(self, good):
        good["steps"]["approve"]["config"]["rule"] = {"n": "= 1 + 1"}
        assert check_document(good) == []

    def test_a_template_may_not_stand_where_nothing_is_evaluated(self, good):
        assert codes(one_step("join", mode={"n": "= 1"})) == ["bad_config"]
        assert "bad_settings" in codes({**good, "settings": {"max_steps": "= 5"}})
        good["trigger"]["config"]["path"] = "=trigger.body.path"
        assert codes(good) == ["bad_config"]

    def test_a_way_out_is_no_expression(self, good):
        good["steps"]["size"]["config"]["otherwise"] = "= 1"
        good["links"][2]["port"] = "= 1"
        assert codes(good) == ["bad_name"]

    def test_of_the_shapes_of_a_rule_only_the_nearest_is_spoken_of(self, good):
        good["steps"]["approve"]["config"]["rule"] = {"n": 0}
        assert only(good, "bad_config").path == "/steps/approve/config/rule/n"

    def test_no_one_to_decide(self, good):
        good["steps"]["approve"]["config"]["assignees"] = {}
        assert "Name at least one person" in only(good, "bad_config").message

    def test_decide_without_otherwise(self, good):
        del good["steps"]["size"]["config"]["otherwise"]
        good["links"].remove(link("size:small -> end"))
        assert only(good, "no_otherwise").path == "/steps/size/config/otherwise"

    def test_two_branches_of_one_name(self, good):
        branches = good["steps"]["size"]["config"]["branches"]
        branches.append({"port": "large", "when": "true"})
        assert only(good, "duplicate_port").path == "/steps/size/config/branches/1/port"

    def test_a_line_break_in_the_name_of_a_port(self, good):
        good["steps"]["size"]["config"]["otherwise"] = "sm\nall"
        good["links"][2]["port"] = "sm\nall"
        assert codes(good) == ["bad_name"]

    @pytest.mark.parametrize("due", ["2 days", "P", "PT", "P999999999Y"])
    def test_a_duration_that_is_none(self, good, due):
        good["steps"]["approve"]["config"]["due"] = due
        assert only(good, "bad_duration").path == "/steps/approve/config/due"

    @pytest.mark.parametrize(
        "url", ["example.com", "ftp://example.com", "https://", "http://[", "javascript:alert(1)"]
    )
    def test_an_address_that_is_none(self, url):
        checked = one_step("http.request", ports=("done", "error"), url=url)
        assert codes(checked) == ["bad_address"]

    def test_a_line_break_in_a_header(self):
        checked = one_step(
            "http.request",
            ports=("done", "error"),
            url="https://a.example",
            headers={"X": "a\r\nB: c"},
        )
        assert codes(checked) == ["bad_header"]

    @pytest.mark.parametrize("to", ["", "ann", ["a@example.org", "no"], [], 3])
    def test_mail_to_nobody(self, to):
        checked = one_step("mail.send", ports=("done", "error"), to=to, subject="Hi", text="Hello")
        assert codes(checked) == ["bad_address"]

    def test_people_and_groups_that_are_not_there(self, good):
        good["steps"]["approve"]["config"]["assignees"] = {
            "groups": ["finanse", "=trigger.body.team"],
            "users": ["Ann@example.org"],
        }
        known = {"groups": frozenset({"finance"}), "people": frozenset({"ann@example.org"})}
        assert codes(good, **known) == ["unknown_group"]

    def test_an_unsigned_webhook_is_a_warning(self, good):
        good["trigger"]["config"]["signature"] = {"scheme": "none"}
        assert only(good, "unsigned").severity == "warning"

    @pytest.mark.parametrize(
        "trigger",
        [
            {"type": "webhook", "config": {"path": ""}},
            {"type": "webhook", "config": {"path": "a b"}},
            {"type": "webhook", "config": {"path": "a", "signature": {"scheme": "github"}}},
            {"type": "schedule", "config": {"cron": "every day"}},
            {"type": "schedule", "config": {"cron": "0 9 * * *", "zone": "Mars/Base"}},
            {"type": "manual", "config": {"form": {"type": "strange"}}},
        ],
    )
    def test_a_trigger_that_does_not_fit(self, good, trigger):
        good["trigger"] = trigger
        found = [one for one in check_document(good) if one.code == "bad_config"]
        assert [one.step for one in found] == ["trigger"]


class TestSecrets:
    def test_are_used_in_requests(self):
        auth = {"secret": "crm", "prefix": "Bearer "}
        checked = one_step(
            "http.request",
            ports=("done", "error"),
            url="https://a.example",
            headers={"Authorization": auth},
            query={"key": {"secret": "crm"}},
            body={"deep": [{"password": {"secret": "crm"}}]},
        )
        assert check_document(checked) == []

    def test_are_not_filled_in_elsewhere(self):
        finding = only(mapped(a={"secret": "crm"}), "secret_not_allowed")
        assert finding.path == "/steps/it/config/fields/a"

    @pytest.mark.parametrize("source", ["=secrets.crm", "= secret.crm"])
    def test_cannot_be_read_by_expressions(self, source):
        assert codes(mapped(a=source)) == ["secret_in_expression"]

    def test_in_the_clear_are_a_warning(self):
        checked = one_step(
            "http.request",
            ports=("done", "error"),
            url="https://a.example",
            headers={"Authorization": "Bearer abc"},
        )
        assert only(checked, "secret_in_clear").severity == "warning"


class TestExpressions:
    @pytest.mark.parametrize("source", ["= 1 +", "=foo(", "= nosuch(1)", "='x'"])
    def test_a_broken_one_shows_where(self, source):
        finding = only(mapped(a=source), "bad_expression")
        assert finding.position is not None
        assert finding.as_json()["position"].keys() == {"start", "end"}

    @pytest.mark.parametrize("source", ["=", "=  "])
    def test_an_empty_one(self, source):
        assert codes(mapped(a=source)) == ["bad_expression"]

    def test_two_equals_signs_are_text(self):
        assert check_document(mapped(a="== not FEEL")) == []

    def test_with_and_without_equals_sign_in_a_condition(self, good):
        good["steps"]["size"]["config"]["branches"][0]["when"] = "= trigger.body.amount > 10000"
        assert check_document(good) == []

    @pytest.mark.parametrize(
        "source, fix",
        [
            ("=steps.sise.output.port", "Did you mean “steps.size”?"),
            ("=steps.size.outptu.port", "Did you mean “steps.size.output”?"),
            ("=steps.size.output.prot", "Did you mean “steps.size.output.port”?"),
            ("=trigger.bdy.x", "Did you mean “trigger.body”?"),
            ("=trigger.headers.Authorization", "Write trigger.headers.authorization."),
            ("=run.started", "Did you mean “run.started_at”?"),
            ("=steps.size.error.code", "Read its output, or another step's error."),
        ],
    )
    def test_a_missing_path_names_the_nearest(self, good, source, fix):
        good["steps"]["end"]["config"] = {"message": source}
        finding = only(good, "missing_path")
        assert (finding.severity, finding.fix) == ("error", fix)
        assert finding.path == "/steps/end/config/message"
        assert finding.position is not None

    @pytest.mark.parametrize(
        "source", ["=trigger.body.any.thing", "=trigger.query.x", "=run.id", "=run.started_at"]
    )
    def test_nothing_is_claimed_where_nothing_is_known(self, good, source):
        good["steps"]["end"]["config"] = {"message": source}
        assert check_document(good) == []

    def test_nothing_is_claimed_below_the_body_of_an_answer(self):
        checked = document(
            {
                "call": CALL,
                "after": step("map", fields={"x": "=steps.call.output.body.a.b"}),
                "typo": step("map", fields={"x": "=steps.call.output.staus"}),
                "end": STOP,
            },
            ["trigger -> call", "call:done -> after", "after -> typo", "typo -> end",
             "call:error -> end"],
        )  # fmt: skip
        assert [(one.code, one.step) for one in check_document(checked)] == [
            ("missing_path", "typo")
        ]

    def test_a_map_gives_what_its_fields_name(self):
        checked = document(
            {
                "m": step("map", fields={"total": 1}),
                "n": step(
                    "map", fields={"a": "=steps.m.output.total", "b": "=steps.m.output.totl"}
                ),
                "end": STOP,
            },
            ["trigger -> m", "m -> n", "n -> end"],
        )
        assert only(checked, "missing_path").path == "/steps/n/config/fields/b"

    def test_an_unknown_name_says_where_it_may_come_from(self):
        finding = only(mapped(a="=amount > 3"), "unknown_name")
        assert "trigger.body.amount" in finding.fix

    def test_a_name_of_a_step_says_how_to_read_it(self):
        assert "steps.it.output" in only(mapped(a="=it.x"), "unknown_name").fix

    def test_names_of_loops_are_no_paths(self):
        assert check_document(mapped(a="=for l in trigger.body.lines return l.qty * l.price")) == []

    def test_a_step_that_may_not_have_run_is_a_warning(self, good):
        good["steps"]["end"]["config"] = {"message": "=steps.approve.output.by"}
        finding = only(good, "may_be_missing")
        assert finding.severity == "warning"

    @pytest.mark.parametrize(
        "source",
        [
            '=get or else(steps.approve.output.by, "nobody")',
            '=if is defined(steps.approve.output) then steps.approve.output.by else "nobody"',
        ],
    )
    def test_unless_the_expression_says_what_then(self, good, source):
        good["steps"]["end"]["config"] = {"message": source}
        assert check_document(good) == []

    def test_an_output_may_be_missing_after_an_error(self):
        checked = document(
            {
                "call": CALL,
                "m": step("map", fields={"x": "=steps.call.output.status"}),
                "end": STOP,
            },
            ["trigger -> call", "call:done -> end", "call:error -> m", "m -> end"],
        )
        assert only(checked, "may_be_missing").step == "m"

    def test_an_error_is_there_after_the_error_port(self):
        checked = document(
            {"call": CALL, "m": step("map", fields={"x": "=steps.call.error.code"}), "end": STOP},
            ["trigger -> call", "call:done -> end", "call:error -> m", "m -> end"],
        )
        assert check_document(checked) == []

    def test_an_error_may_be_missing_where_ways_meet(self):
        checked = document(
            {"call": CALL, "m": step("map", fields={"x": "=steps.call.error.code"}), "end": STOP},
            ["trigger -> call", "call:done -> m", "call:error -> m", "m -> end"],
        )
        assert only(checked, "may_be_missing").severity == "warning"

    def test_a_step_cannot_read_what_only_comes_later(self):
        checked = document(
            {
                "a": step("map", fields={"x": "=steps.b.output.y"}),
                "b": step("map", fields={"y": 1}),
                "end": STOP,
            },
            ["trigger -> a", "a -> b", "b -> end"],
        )
        assert only(checked, "missing_path").severity == "error"

    def test_a_step_in_a_loop_may_read_its_last_visit(self):
        checked = document(
            {
                "count": step("map", fields={"n": "=get or else(steps.count.output.n, 0) + 1"}),
                "more": step(
                    "decide",
                    branches=[{"port": "again", "when": "steps.count.output.n < 3"}],
                    otherwise="done",
                ),
                "end": STOP,
            },
            ["trigger -> count", "count -> more", "more:again -> count", "more:done -> end"],
        )
        assert check_document(checked) == []

    def test_dedupe_reads_only_the_call(self, good):
        good["trigger"]["config"]["dedupe"] = "trigger.body.id"
        assert check_document(good) == []
        good["trigger"]["config"]["dedupe"] = "steps.size.output.port"
        assert only(good, "missing_path").step == "trigger"

    @pytest.mark.parametrize(
        "source, expected",
        [
            ("=trigger.body.scheduled_for", set()),
            ("=trigger.scheduled_for", {("missing_path", "error")}),
            ("=trigger.body.name", {("may_be_missing", "warning")}),
            ("=trigger.headers.host", {("may_be_missing", "warning")}),
            ('=get or else(trigger.body.name, "x")', set()),
        ],
    )
    def test_a_schedule_gives_only_its_time(self, source, expected):
        checked = mapped(a=source)
        checked["trigger"] = {"type": "schedule", "config": {"cron": "0 9 * * *", "zone": "UTC"}}
        assert {(one.code, one.severity) for one in check_document(checked)} == expected

    FORM = {
        "type": "object",
        "properties": {
            "amount": {"type": "number"},
            "note": {"type": "string"},
            "address": {
                "type": "object",
                "properties": {"city": {"type": "string"}, "zip": {"type": "string"}},
                "required": ["city"],
            },
            "lines": {"type": "array", "items": {"type": "object", "properties": {}}},
        },
        "required": ["amount", "address", "lines"],
    }

    @pytest.mark.parametrize(
        "source, expected",
        [
            ("=trigger.body", set()),
            ("=trigger.body.amount", set()),
            ("=trigger.body.address.city", set()),
            ("=trigger.body.lines.sku", set()),
            ("=trigger.body.note", {("may_be_missing", "warning")}),
            ("=trigger.body.address.zip", {("may_be_missing", "warning")}),
            ("=trigger.body.amont", {("missing_path", "error")}),
            ("=trigger.body.address.street", {("missing_path", "error")}),
            ("=trigger.headers.host", {("may_be_missing", "warning")}),
            ('=get or else(trigger.body.note, "none")', set()),
            ('=if is defined(trigger.body.note) then trigger.body.note else "none"', set()),
        ],
    )
    def test_a_form_says_what_a_start_by_hand_brings(self, source, expected):
        checked = mapped(a=source)
        checked["trigger"] = {"type": "manual", "config": {"form": self.FORM}}
        assert {(one.code, one.severity) for one in check_document(checked)} == expected

    def test_an_optional_answer_names_itself_and_the_way_out(self):
        checked = mapped(a="=trigger.body.note")
        checked["trigger"] = {"type": "manual", "config": {"form": self.FORM}}
        finding = only(checked, "may_be_missing")
        assert "“note” may be left out" in finding.message
        assert "get or else(trigger.body.note, …)" in finding.fix
        assert finding.position == (0, 17)

    @pytest.mark.parametrize(
        "form, expected",
        [
            ({}, set()),
            (True, {"bad_config"}),
            ({"type": "object", "properties": {}}, {"missing_path"}),
            ({"properties": {"a": {}}, "additionalProperties": True}, set()),
            ({"properties": {"a": {}}, "additionalProperties": False}, {"missing_path"}),
            ({"properties": {"a": {}}, "anyOf": [{"required": ["b"]}]}, set()),
            ({"properties": [], "required": 3}, {"bad_config"}),
            ({"properties": {"b": True}, "required": ["b"]}, set()),
        ],
    )
    def test_a_form_that_is_open_or_broken_claims_no_more_than_it_knows(self, form, expected):
        checked = mapped(a="=trigger.body.b.c")
        checked["trigger"] = {"type": "manual", "config": {"form": form}}
        assert {one.code for one in check_document(checked)} == expected

    def test_a_form_that_asks_nothing_is_only_a_warning(self):
        checked = mapped(a="=trigger.body.b")
        checked["trigger"] = {
            "type": "manual",
            "config": {"form": {"type": "object", "properties": {}}},
        }
        assert only(checked, "missing_path").severity == "warning"


class TestNothingMakesItStumble:
    anything = st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.decimals(allow_nan=False, allow_infinity=False)
        | st.text(max_size=12)
        | st.sampled_from(["trigger", "map", "decide", "=steps.a.output", "= 1 +", "webhook", "a"]),
        lambda inner: st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["steps", "links", "trigger", "type", "version", "config", "from", "to", "port", "a",
                 "branches", "when", "otherwise", "fields", "mode", "n", "assignees", "groups",
                 "headers", "secret", "layout", "settings", "name", "title", "url"]
            )
            | st.text(max_size=5),
            inner,
            max_size=5,
        ),
        max_leaves=25,
    )  # fmt: skip

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(anything)
    def test_whatever_it_is_given(self, value):
        for one in check_document(value):
            assert one.message
            assert one.fix

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def test_a_good_document_with_one_part_replaced_can_run_or_has_errors(self, data):
        changed = large_document(8)
        here: Any = changed
        for _ in range(data.draw(st.integers(0, 5))):
            keys = list(here) if isinstance(here, dict) else list(range(len(here)))
            if not keys:
                break
            key = data.draw(st.sampled_from(keys))
            if not isinstance(here[key], dict | list):
                break
            here = here[key]
        keys = list(here) if isinstance(here, dict) else list(range(len(here)))
        if keys:
            here[data.draw(st.sampled_from(keys))] = data.draw(self.anything)
        findings = check_document(changed)
        for one in findings:
            assert one.as_json()["code"]
        if not errors_in(findings):
            compile_flow(changed)
            document_hash(changed)

    def test_a_document_deeper_than_json_may_be(self, good):
        deep: list[Any] = []
        for _ in range(2_000):
            deep = [deep]
        good["more"] = deep
        assert codes(good) == ["not_json"]

    def test_the_document_is_not_changed(self, good):
        before = deepcopy(good)
        check_document(good)
        assert good == before


def calls_of(steps):
    """How many Python functions one check calls: the same on a slow machine and a fast one."""
    checked = large_document(steps)
    check_document(checked)
    profile = Profile()
    profile.runcall(check_document, checked)
    return sum(entry.callcount for entry in profile.getstats())


def test_the_work_grows_as_the_document_does():
    assert errors_in(check_document(large_document(200))) == []
    assert calls_of(400) < 2.2 * calls_of(200)


@pytest.mark.parametrize("kind", ["mail.send", "http.request"])
def test_a_link_that_names_no_way_out_leaves_by_done_where_there_is_one(kind):
    config = {
        "mail.send": {"to": "a@example.org", "subject": "Hello", "text": "Hello"},
        "http.request": {"url": "https://example.org/"},
    }[kind]
    doc = {
        "format": "signalbox.flow/1",
        "name": "Told",
        "trigger": {"type": "manual", "config": {}},
        "steps": {
            "tell": {"type": kind, "version": 1, "title": "Tell", "config": config},
            "end": {"type": "stop", "version": 1, "title": "End", "config": {}},
        },
        "links": [{"from": "trigger", "to": "tell"}, {"from": "tell", "to": "end"}],
    }
    assert [one.code for one in check_document(doc) if one.severity == "error"] == []
    assert compile_flow(doc).graph.from_port("tell", "done")[0].target == "end"
