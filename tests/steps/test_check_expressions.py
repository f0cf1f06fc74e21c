"""The judge of flow documents: each expression, and whether what it reads is there."""

import pytest

from apps.steps.check import check_document
from tests.steps.documents import CALL, STOP, codes, document, mapped, only, step


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
