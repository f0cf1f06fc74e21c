"""What a field is given fits what it takes, as far as both are known."""

from typing import Any

import pytest

from apps.engine import values
from apps.steps.check import check_document
from tests.steps.documents import STOP, document, mapped, one_step, only, step

CONTRACT: dict[str, Any] = {
    "input": {
        "type": "object",
        "properties": {
            "name": {"type": "string", "maxLength": 255},
            "short": {"type": "string", "maxLength": 40},
            "code": {"enum": ["A1", "B22"]},
            "amount": {"type": "number"},
            "count": {"type": ["integer", "null"]},
            "ok": {"type": "boolean"},
            "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}},
            "who": {"type": "object", "properties": {"mail": {"type": "string"}}},
            "any": {},
        },
        "$defs": {"line": {"type": "object", "properties": {"sku": {"type": "string"}}}},
    }
}


def with_contract(made, **more):
    return {**made, "settings": {"contract": {**CONTRACT, **more}}}


def mail(subject):
    made = one_step(
        "mail.send", ports=("done", "error"), to="a@example.org", subject=subject, text="x"
    )
    return with_contract(made)


def found(made):
    return [
        one.code for one in check_document(made) if one.code in {"type_mismatch", "may_be_too_long"}
    ]


@pytest.mark.parametrize(
    "subject",
    [
        "= trigger.body.amount",
        "= trigger.body.count",
        "= trigger.body.ok",
        "= trigger.body.lines",
        "= trigger.body.who",
        "= trigger.body.amount + 1",
        "= trigger.body.amount > 3",
        "= get or else(trigger.body.amount, 0)",
        "= count(trigger.body.lines)",
        "= if trigger.body.ok then 1 else 2",
        "= [trigger.body.name]",
        "= 5",
    ],
)
def test_another_type_than_the_field_takes_is_an_error(subject):
    one = only(mail(subject), "type_mismatch")
    assert one.severity == "error"
    assert (one.step, one.path) == ("it", "/steps/it/config/subject")
    assert "“Subject” takes text" in one.message


@pytest.mark.parametrize(
    "subject",
    [
        "= trigger.body.name",
        "= trigger.body.any",
        "= trigger.body.unknown",
        "= trigger.headers.x",
        "= string(trigger.body.amount)",
        '= "For " + trigger.body.name',
        "= trigger.body.lines[1].sku",
        "= trigger.body.who.mail",
        '= if trigger.body.ok then "a" else trigger.body.any',
        '= get or else(trigger.body.code, "none")',
        "= steps.it.output.message_id",
        "= )",
        "plain",
    ],
)
def test_nothing_is_claimed_where_it_fits_or_is_not_known(subject):
    assert found(mail(subject)) == []


def test_a_text_that_may_be_longer_than_the_field_is_said_with_both_lengths():
    made = with_contract(
        one_step(
            "approval",
            ports=("approved", "rejected", "timeout"),
            title="= trigger.body.name",
            assignees={"groups": ["finance"]},
            fields=[{"label": "Who", "value": "= trigger.body.name"}],
        )
    )
    assert found(made) == []
    long = {**CONTRACT["input"]["properties"], "name": {"type": "string", "maxLength": 900}}
    made["settings"]["contract"] = {"input": {**CONTRACT["input"], "properties": long}}
    one = only(made, "may_be_too_long")
    assert one.severity == "warning"
    assert "900" in one.message
    assert "300" in one.message
    made["steps"]["it"]["config"]["title"] = (
        '= "' + "x" * 250 + '" + trigger.body.short + trigger.body.short'
    )
    assert "330" in only(made, "may_be_too_long").message
    made["steps"]["it"]["config"]["title"] = "= substring(trigger.body.name, 1, 300)"
    assert found(made) == []


def test_a_condition_says_yes_or_no_and_a_list_is_a_list():
    def made(kind, config):
        return with_contract(document({"it": step(kind, **config), "end": STOP}, ["trigger -> it"]))

    branches = [{"port": "yes", "when": "trigger.body.amount"}]
    assert found(made("decide", {"branches": branches, "otherwise": "no"})) == ["type_mismatch"]
    branches = [{"port": "yes", "when": "trigger.body.ok and trigger.body.amount > 3"}]
    assert found(made("decide", {"branches": branches, "otherwise": "no"})) == []
    assert found(made("for_each", {"items": "trigger.body.name"})) == ["type_mismatch"]
    assert found(made("for_each", {"items": "= trigger.body.lines"})) == []


def test_what_a_run_gives_is_held_against_the_contract():
    gives = {
        "type": "object",
        "properties": {
            "id": {"type": "string", "maxLength": 60},
            "total": {"type": "number"},
            "deep": {"type": "object", "properties": {"ok": {"type": "boolean"}}},
        },
    }

    def made(output):
        steps = {"end": step("stop", output=output)}
        return with_contract(document(steps, ["trigger -> end"]), output=gives)

    assert found(made({"id": "= trigger.body.name", "total": "= trigger.body.amount"})) == [
        "may_be_too_long"
    ]
    assert (
        found(made({"id": "= trigger.body.amount", "deep": {"ok": "= trigger.body.name"}}))
        == ["type_mismatch"] * 2
    )
    assert found(made({"total": "three"})) == ["type_mismatch"]
    assert found(made({"total": 3, "deep": {"ok": True}, "more": 1})) == []
    assert found(made("= trigger.body.name")) == ["type_mismatch"]
    assert found({**made({"total": "three"}), "settings": {"contract": {"output": 3}}}) == []


def test_what_a_step_makes_is_known_through_maps_and_tables_and_loops_end():
    steps = {
        "make": step(
            "map",
            fields={"n": "= trigger.body.amount", "t": "fixed", "self": "= steps.make.output.self"},
        ),
        "look": step(
            "table",
            inputs=[{"expression": "trigger.body.amount"}],
            outputs=[{"name": "fee", "type": "number"}, {"name": "free"}],
            rules=[{"when": ["-"], "then": ["1", "2"]}],
        ),
        "send": step(
            "mail.send",
            to="a@example.org",
            subject="= steps.make.output.n",
            text="= steps.look.output.fee",
        ),
    }
    made = with_contract(document(steps, ["trigger -> make", "make -> look", "look -> send"]))
    assert found(made) == ["type_mismatch"] * 2
    steps["send"]["config"] |= {
        "subject": "= steps.make.output.t",
        "text": "= steps.look.output.free",
    }
    assert (
        found(with_contract(document(steps, ["trigger -> make", "make -> look", "look -> send"])))
        == []
    )


def test_the_form_of_a_start_by_hand_is_known():
    form = {"type": "object", "properties": {"n": {"type": "integer"}}}
    made = {**mapped(), "trigger": {"type": "manual", "config": {"form": form}}}
    made["steps"]["it"] = step("respond", status=200, body="x")
    assert found(made) == []
    made["steps"]["it"] = step(
        "mail.send", to="a@example.org", subject="= trigger.body.n", text="x"
    )
    assert found(made) == ["type_mismatch"]


@pytest.mark.parametrize(
    "contract",
    [
        3,
        {"input": 3},
        {"input": {"properties": 3}},
        {"input": {"properties": {"name": 3}}},
        {"input": {"properties": {"name": {"$ref": "#/nowhere"}}}},
        {"input": {"type": 7}},
    ],
)
def test_a_contract_of_any_shape_is_borne(contract):
    made = {**mail("= trigger.body.name"), "settings": {"contract": contract}}
    assert "type_mismatch" not in found(made)
    assert values.dumps([one.as_json() for one in check_document(made)])
