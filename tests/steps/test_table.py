"""The step that looks an answer up in a table of rules."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from apps.engine import feel
from apps.steps.check import check_document
from apps.steps.document import cell_source, compile_flow, expression_source
from apps.steps.outcomes import StepError
from apps.steps.types.table import output_names
from tests.patterns.playing import Play

TABLE = {
    "inputs": [
        {"label": "Amount", "expression": "trigger.body.amount"},
        {"label": "Tier", "expression": "= trigger.body.tier"},
    ],
    "outputs": [{"name": "discount", "type": "number"}, {"name": "by"}],
    "hit": "unique",
    "rules": [
        {"when": ["< 1000", "-"], "then": ["0", '"rule"']},
        {"when": [">= 1000", '"gold"'], "then": ["trigger.body.amount / 10", '"rule"']},
        {"when": [">= 1000", '= "silver"'], "then": ["5", '"rule"']},
        {"when": [">= 1000", 'not("gold", "silver")'], "then": ["0", '"rule"'], "note": "others"},
    ],
}


def flow(config, **fields):
    return {
        "format": "signalbox.flow/1",
        "name": "Table",
        "trigger": {"type": "manual", "config": {}},
        "steps": {
            "look": {"type": "table", "version": 1, "title": "Look up", "config": config},
            "use": {"type": "map", "version": 1, "title": "Use", "config": {"fields": fields}},
        },
        "links": [{"from": "trigger", "to": "look"}, {"from": "look", "to": "use"}],
        "settings": {},
        "layout": {},
    }


class Context:
    now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    zone = "Europe/Berlin"

    def __init__(self, body):
        self.data = {"trigger": {"body": body}, "steps": {}, "run": {}}

    def evaluate(self, expression):
        compiled = feel.compile_expression(expression_source(expression))
        return compiled.evaluate(self.data, now=self.now, zone=self.zone)

    def matches(self, tests, value):
        compiled = feel.compile_unary_tests(cell_source(tests))
        return compiled.hold(value, self.data, now=self.now, zone=self.zone)


def look_up(config, **body):
    step = compile_flow(flow({**TABLE, **config})).steps["look"]
    return step.type.run(step.config(lambda _: pytest.fail("a cell is no template")), Context(body))


def findings(config, **fields):
    found = check_document(flow({**TABLE, **config}, **fields))
    return [one for one in found if one.step != "use" or one.code == "missing_path"]


def coded(config):
    return {one.code: one for one in findings(config)}


def test_gives_the_results_of_the_rule_that_matches():
    done = look_up({}, amount=2500, tier="gold")
    assert done.port == "done"
    assert done.output == {"discount": Decimal(250), "by": "rule"}
    assert look_up({}, amount=1000, tier="silver").output["discount"] == 5
    assert look_up({}, amount=1000, tier="tin").output["discount"] == 0


def test_no_rule_is_an_error_unless_a_default_stands():
    rules = {"rules": TABLE["rules"][:1]}
    with pytest.raises(StepError) as error:
        look_up(rules, amount=1000, tier="x")
    assert error.value.code == "no_rule"
    kept = look_up({**rules, "default": ["7", '"default"']}, amount=1000, tier="x")
    assert kept.output == {"discount": 7, "by": "default"}


def test_two_rules_of_a_unique_table_are_an_error_that_names_them():
    rules = [{"when": ["> 1", ""], "then": ["1", "2"]}, {"when": ["> 2", ""], "then": ["1", "2"]}]
    with pytest.raises(StepError) as error:
        look_up({"rules": rules}, amount=5, tier="x")
    assert error.value.code == "many_rules"
    assert "1 and 2" in error.value.message
    assert look_up({"rules": rules, "hit": "any"}, amount=5, tier="x").output == {
        "discount": 1,
        "by": 2,
    }


COLLECT = {
    "hit": "collect",
    "outputs": [{"name": "fee"}],
    "rules": [{"when": [f"> {n}", "-"], "then": [str(n)]} for n in (1, 2, 3)],
}


@pytest.mark.parametrize(
    "aggregate, result", [(None, [1, 2]), ("sum", 3), ("min", 1), ("max", 2), ("count", 2)]
)
def test_collect_gives_a_list_or_one_value_of_all(aggregate, result):
    done = look_up({**COLLECT, "aggregate": aggregate}, amount=3, tier="x")
    assert done.output == {"fee": result}


def test_collect_of_several_results_gives_rows():
    rules = [{"when": ["-", "-"], "then": [n, f'"{n}"']} for n in "12"]
    done = look_up({"hit": "collect", "rules": rules}, amount=3, tier="x")
    assert done.output == {"results": [{"discount": 1, "by": "1"}, {"discount": 2, "by": "2"}]}
    assert look_up({"hit": "collect", "rules": []}, amount=3, tier="x").output == {"results": []}


def test_what_json_has_not_leaves_as_text():
    rules = [{"when": ["-", "-"], "then": ['@"2026-03-01"', '@"P1D"']}]
    outputs = [{"name": "on", "type": "date"}, {"name": "for"}]
    done = look_up({"rules": rules, "outputs": outputs}, amount=3, tier="x")
    assert done.output == {"on": "2026-03-01", "for": "P1D"}


@pytest.mark.parametrize(
    "config, body, code",
    [
        ({}, {"amount": "12", "tier": "gold"}, "expression.wrong_type"),
        ({}, {"amount": None, "tier": "gold"}, "expression.wrong_type"),
        (
            {"rules": [{"when": ["-", "-"], "then": ['"1"', "1"]}]},
            {"amount": 1, "tier": "x"},
            "wrong_type",
        ),
        (
            {
                **COLLECT,
                "aggregate": "sum",
                "rules": [{"when": ["-", "-"], "then": [c]} for c in ("1", '"a"')],
            },
            {"amount": 1, "tier": "x"},
            "expression.wrong_type",
        ),
    ],
)
def test_refuses_what_does_not_fit(config, body, code):
    with pytest.raises(StepError) as error:
        look_up(config, **body)
    assert error.value.code == code


def test_a_missing_input_is_an_error():
    with pytest.raises(feel.FeelError) as error:
        look_up({}, amount=1)
    assert error.value.code == "missing_path"


def test_a_complete_table_has_no_findings_of_its_own():
    assert [one for one in findings({}) if one.step == "look"] == []


def test_a_gap_is_a_warning_with_an_input_that_no_rule_matches():
    found = coded({"rules": TABLE["rules"][:3]})["table_gap"]
    assert found.severity == "warning"
    assert 'Amount = 1000, Tier = "another text"' in found.message
    assert "table_gap" not in coded({"rules": TABLE["rules"][:3], "default": ["0", "0"]})
    assert "table_gap" not in coded({"rules": TABLE["rules"][:3], "hit": "collect"})


@pytest.mark.parametrize(
    "hit, severity",
    [("unique", "error"), ("first", "warning"), ("any", "warning"), ("collect", None)],
)
def test_an_overlap_is_found_with_an_input_that_both_rules_match(hit, severity):
    rules = [*TABLE["rules"], {"when": ["(900..1100)", "-"], "then": ["1", "1"]}]
    found = coded({"rules": rules, "hit": hit}).get("table_overlap")
    assert (found and found.severity) == severity
    if found:
        assert found.path == "/steps/look/config/rules/4"


def test_a_last_rule_for_the_rest_is_how_first_is_meant():
    rules = [*TABLE["rules"][:2], {"when": ["-", "-"], "then": ["1", "1"]}]
    assert "table_overlap" not in coded({"rules": rules, "hit": "first"})
    assert coded({"rules": rules})["table_overlap"].severity == "error"


def test_rules_of_an_any_table_that_say_the_same_may_overlap():
    rules = [{"when": ["-", "-"], "then": ["1", "1"]}] * 2
    assert "table_overlap" not in coded({"rules": rules, "hit": "any"})


@pytest.mark.parametrize(
    "config, code, path",
    [
        ({"rules": [{"when": ["-"], "then": ["1", "1"]}]}, "table_shape", "/rules/0/when"),
        ({"rules": [{"when": ["-", "-"], "then": []}]}, "table_shape", "/rules/0/then"),
        ({"default": ["1"]}, "table_shape", "/default"),
        ({"outputs": [{"name": "a"}, {"name": "a"}]}, "duplicate_name", "/outputs/1/name"),
        ({"aggregate": "sum"}, "aggregate_without_collect", "/aggregate"),
        ({"aggregate": "sum", "hit": "collect"}, "aggregate_of_many", "/aggregate"),
        (
            {"rules": [{"when": ["-", "> "], "then": ["1", "1"]}]},
            "bad_expression",
            "/rules/0/when/1",
        ),
        ({"rules": [{"when": ["-", "-"], "then": ["1", ""]}]}, "bad_expression", "/rules/0/then/1"),
        (
            {"rules": [{"when": ["-", "foo"], "then": ["1", "1"]}]},
            "unknown_name",
            "/rules/0/when/1",
        ),
        (
            {"rules": [{"when": ["-", "steps.gone.output"], "then": ["1", "1"]}]},
            "missing_path",
            "/rules/0/when/1",
        ),
        ({"outputs": [{"name": "odd key"}, {"name": "b"}]}, None, "/outputs/0/name"),
        ({"inputs": []}, None, "/inputs"),
        ({"rules": [3]}, None, "/rules/0"),
        ({"rules": [{"when": [3, "-"], "then": ["1", "1"]}]}, None, "/rules/0/when/0"),
        ({"rules": 3, "outputs": 3, "inputs": "x", "default": 3}, None, "/rules"),
    ],
)
def test_a_table_that_cannot_be_is_an_error_at_its_place(config, code, path):
    found = [one for one in findings(config) if one.severity == "error" and one.step == "look"]
    assert any(
        one.path == f"/steps/look/config{path}" and (code is None or one.code == code)
        for one in found
    ), found


def test_later_steps_read_the_results_by_their_names():
    assert output_names(TABLE) == ["discount", "by"]
    assert output_names({**TABLE, "hit": "collect"}) == ["results"]
    assert output_names({**COLLECT, "aggregate": "sum"}) == ["fee"]
    wrong = [one for one in findings({}, a="= steps.look.output.nothing") if one.step == "use"]
    assert [one.code for one in wrong] == ["missing_path"]
    assert not [one for one in findings({}, a="= steps.look.output.by") if one.step == "use"]


def test_a_cell_may_read_steps_and_they_are_loaded():
    rules = [{"when": ["< steps.use.output.limit", "-"], "then": ["1", "1"]}]
    compiled = compile_flow(flow({**TABLE, "rules": rules}))
    assert compiled.steps["look"].reads == {"use"}


def test_in_a_run_the_next_step_reads_what_was_looked_up():
    document = flow(TABLE, rebate="= steps.look.output.discount")
    play = Play(document, {"amount": 2500, "tier": "gold"})
    assert play.output("use") == {"rebate": Decimal(250)}


def test_in_a_run_a_table_without_an_answer_fails_the_run_by_name():
    play = Play(flow({**TABLE, "rules": []}), {"amount": 2500, "tier": "gold"})
    assert play.status == "failed"
    assert play.error()["code"] == "no_rule"
    play = Play(flow(TABLE), {"amount": "much", "tier": "gold"})
    assert play.error()["code"] == "expression.wrong_type"
    assert "Rule 1" in play.error()["message"]


def test_rules_that_an_expression_gives_are_asked_like_others():
    given = '= [{when: ["> 5", "-"], then: ["1", "2"]}]'
    body = {"amount": 7, "tier": "x"}
    document = flow({**TABLE, "rules": given}, got="= steps.look.output.discount")
    assert Play(document, body).output("use") == {"got": 1}
    ragged = '= [{when: ["> 5"], then: ["1", "2"]}]'
    assert Play(flow({**TABLE, "rules": ragged}), body).error()["code"] == "table_shape"


class TestTrials:
    """Test rows beside the rules."""

    def said(self, tests, **config):
        return [
            (one.path.removeprefix("/steps/look/config/"), one.message, one.severity)
            for one in findings({"tests": tests, **config})
            if one.code == "table_test_failed"
        ]

    def trial(self, given, expect):
        return {"given": given, "expect": expect}

    def test_each_failure_names_its_row_and_what_came_out(self):
        plain = {
            "inputs": [{"label": "Amount", "expression": "trigger.body.amount"}],
            "outputs": [{"name": "size", "type": "string"}],
            "hit": "unique",
            "rules": [
                {"when": ["< 10"], "then": ['"small"']},
                {"when": [">= 10"], "then": ['"large"']},
            ],
        }
        rows = [
            self.trial(["3"], ['"small"']),
            self.trial(["10"], ['"small"']),
            self.trial(['"x"'], ['"small"']),
            self.trial(["1", "2"], ['"small"']),
            self.trial(["3 +"], ['"small"']),
            self.trial(["3"], ["trigger.body.x"]),
            self.trial(["3"], [""]),
        ]
        said = self.said(rows, **plain)
        assert [one[0] for one in said] == ["tests/1", "tests/2", "tests/3", "tests/4", "tests/5"]
        assert 'size = "small" and gets "large"' in said[0][1]
        assert all(severity == "warning" for _, _, severity in said)

    def test_no_match_and_numbers_and_collected_rows(self):
        plain = {
            "inputs": [{"expression": "trigger.body.amount"}],
            "outputs": [{"name": "fee"}, {"name": "tag"}],
            "hit": "collect",
            "rules": [
                {"when": ["> 1"], "then": ["1.50", '"a"']},
                {"when": ["> 2"], "then": ["2", '"b"']},
            ],
        }
        good = self.trial(["3"], ["[1.5, 2.0]", '["a", "b"]'])
        assert self.said([good, self.trial(["0"], ["[]", "[]"])], **plain) == []
        first = {**plain, "hit": "first"}
        assert "cannot be tried" in self.said([self.trial(["0"], ["1", "1"])], **first)[0][1]
        truth = {**first, "rules": [{"when": ["-"], "then": ["true", "1"]}]}
        assert len(self.said([self.trial(["0"], ["1", "true"])], **truth)) == 1
