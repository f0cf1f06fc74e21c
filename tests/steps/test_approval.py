"""What an approval's author may ask for, and what is told where that cannot be."""

from typing import Any

import pytest

from apps.steps.check import CheckContext, check_document
from apps.steps.registry import find
from apps.steps.watching import POLICIES
from tests.steps.documents import one_step

YES_NO = [
    {"port": "go", "label": "Go", "side": "for"},
    {"port": "stop", "label": "Stop", "side": "against"},
]


FACTS = [{"label": "Amount", "value": "= trigger.body.amount"}, {"label": "Note", "value": ""}]
WATCH = {"type": "order.changed", "set": [{"label": "Amount", "value": "event.data.amount"}]}


def asked(**config: Any) -> dict[str, Any]:
    base = {"title": "May we?", "assignees": {"groups": ["approver"]}, "due": "P2D"}
    ports = find("approval", 1).ports_of(config)
    checked: dict[str, Any] = one_step("approval", ports=ports, **base, **config)
    return checked


def told(**config: Any) -> list[str]:
    return [one.message for one in check_document(asked(**config)) if one.severity == "error"]


@pytest.mark.parametrize(
    "config",
    [
        {},
        *({"rule": rule} for rule in ({"percent": 60}, {"weight": 3}, {"majority": True})),
        *(
            {"rejection": rule}
            for rule in ({"any": 1}, {"all": True}, {"n": 2}, {"percent": 50}, {"weight": 2})
        ),
        {"rejection": None},
        {"outcomes": []},
        {"outcomes": YES_NO},
        {"stages": []},
        {"stages": [{"assignees": {"groups": ["board"]}}]},
        {
            "stages": [
                {
                    "title": "Finance",
                    "assignees": {"manager_of": "trigger.body.boss", "pick": "least_loaded"},
                    "fallback": ["board"],
                    "rule": {"n": 2},
                    "rejection": {"any": 1},
                    "weights": [{"who": "board", "weight": 2}],
                    "veto": {"users": ["a@b.test"]},
                    "due": "PT4H",
                }
            ]
        },
        {"weights": [{"who": "= trigger.body.boss", "weight": 2}], "veto": {"users": ["a@b.test"]}},
        *({"watch": WATCH | {"on_change": one}, "fields": FACTS} for one in POLICIES),
        {
            "watch": WATCH | {"key": "trigger.body.order", "key_of": "event.data.order"},
            "fields": FACTS,
        },
        {"watch": WATCH | {"where": "event.data.amount > trigger.body.amount"}, "fields": FACTS},
    ],
    ids=str,
)
def test_every_way_to_decide_can_be_written(config: dict[str, Any]) -> None:
    assert told(**config) == []


@pytest.mark.parametrize(
    "config",
    [
        {"watch": WATCH},
        {"watch": {"type": "order.changed", "set": []}, "fields": FACTS},
        {"watch": {"set": WATCH["set"]}, "fields": FACTS},
        {"watch": WATCH | {"on_change": "forget"}, "fields": FACTS},
        {"watch": WATCH | {"key": "trigger.body.order"}, "fields": FACTS},
        {"watch": WATCH | {"set": [*WATCH["set"], *WATCH["set"]]}, "fields": FACTS},
        {"watch": WATCH, "fields": [*FACTS, *FACTS]},
        {
            "watch": WATCH | {"set": [{"label": "Amount", "value": "trigger.body.amount"}]},
            "fields": FACTS,
        },
        {"rule": {"percent": 0}},
        {"rule": {"percent": 101}},
        {"rule": {"weight": 0}},
        {"rule": {"majority": False}},
        {"rule": {"any": 1, "n": 2}},
        {"rule": {"most": True}},
        {"rejection": {"majority": True}},
        {"rejection": {"n": 0}},
        {"stages": [{}]},
        {"stages": [{"assignees": {}}]},
        {"stages": [{"assignees": {"groups": ["board"]}, "rule": {"most": True}}]},
        {"stages": [{"assignees": {"groups": ["board"]}, "due": "soon"}]},
        {"stages": [{"assignees": {"groups": ["board"]}, "outcomes": YES_NO}]},
        {"stages": [{"assignees": {"groups": ["board"]}}] * 10},
        {"weights": [{"who": "", "weight": 2}]},
        {"weights": [{"who": "board", "weight": 0}]},
        {"weights": [{"who": "board", "weight": 1001}]},
        {"outcomes": [{"port": "Go", "label": "Go", "side": "for"}, YES_NO[1]]},
        {"outcomes": [{"port": "go", "label": "", "side": "for"}, YES_NO[1]]},
        {"outcomes": [{"port": "go", "label": "Go", "side": "maybe"}, YES_NO[1]]},
        {"outcomes": [{"port": f"p{n}", "label": "P", "side": "for"} for n in range(9)]},
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused(config: dict[str, Any]) -> None:
    assert told(**config)


@pytest.mark.parametrize(
    ("outcomes", "message"),
    [
        ([YES_NO[0]], "Name at least one answer for it and one against it."),
        ([YES_NO[1]], "Name at least one answer for it and one against it."),
        ([*YES_NO, YES_NO[0]], "Two answers have the same way out"),
        ([{**YES_NO[0], "port": "timeout"}, YES_NO[1]], "“timeout” is not an answer"),
        ([{**YES_NO[0], "port": "error"}, YES_NO[1]], "“error” is not an answer"),
    ],
)
def test_answers_that_lead_nowhere_are_named(outcomes: list[Any], message: str) -> None:
    assert any(message in one for one in told(outcomes=outcomes))


def test_ways_out_are_the_answers_and_the_time_out() -> None:
    type_ = find("approval", 1)

    assert type_.ports_of({}) == ("approved", "rejected", "timeout")
    assert type_.ports_of({"outcomes": YES_NO}) == ("go", "stop", "timeout")
    assert type_.ports_of({"outcomes": "odd"}) == ("approved", "rejected", "timeout")


def rung(after=None, what=None, **when):
    return {"when": {"after": after, **when} if after else when, "what": what or {"remind": True}}


END = {"outcome": "rejected"}


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"escalation": [rung("PT4H"), rung("P1D", END)]}, None),
        ({"escalation": [rung(percent=50), rung(percent=80, what={"urgent": True})]}, None),
        ({"escalation": [rung("= trigger.body.wait")], "due": None}, None),
        ({"escalation": [rung("P1D"), rung("PT4H")]}, "rungs_out_of_order"),
        ({"escalation": [rung(percent=80), rung("PT4H")]}, "rungs_out_of_order"),
        ({"escalation": [rung("PT30H", business=True), rung("PT4H")]}, None),
        ({"escalation": [rung("P2D")]}, "rung_after_limit"),
        ({"escalation": [rung(percent=100)]}, "rung_after_limit"),
        ({"escalation": [rung(percent=100, of="respond")], "respond": "PT1H"}, None),
        ({"escalation": [rung(percent=80, of="respond")]}, "rung_without_limit"),
        ({"escalation": [rung(percent=80)], "due": None}, "rung_without_limit"),
        ({"escalation": [rung("soon")]}, "bad_duration"),
        ({"escalation": [rung("P1M", business=True)]}, "bad_duration"),
        ({"escalation": [rung("PT1H", {"outcome": "approved"})]}, "silence_approves"),
        ({"escalation": [rung("PT1H", {"outcome": "go"})], "outcomes": YES_NO}, "silence_approves"),
        ({"escalation": [rung("PT1H", {"outcome": "stop"})], "outcomes": YES_NO}, None),
        ({"escalation": [rung("PT1H", {"outcome": "maybe"})]}, "unknown_outcome"),
        ({"escalation": [rung("PT1H", {"outcome": ""})]}, "bad_config"),
        ({"escalation": [rung("PT1H", END), rung("PT2H")]}, "rung_after_end"),
        ({"escalation": [rung("PT1H", {"add": {}})]}, "bad_config"),
        ({"escalation": [rung(percent=0)]}, "bad_config"),
        ({"escalation": [rung(percent=101)]}, "bad_config"),
        ({"escalation": [rung("PT1H", percent=5)]}, "bad_config"),
        ({"escalation": [rung("PT1H")] * 11}, "bad_config"),
        (
            {
                "escalation": [rung("PT1H", {"add": {"groups": ["board"]}})],
                "rule": {"all": True},
            },
            "all_and_more",
        ),
        ({"undo_for": "PT1H"}, None),
        ({"undo_for": "P1D"}, None),
        ({"undo_for": "= trigger.body.wait"}, None),
        ({"undo_for": "PT24H1S"}, "bad_undo_for"),
        ({"undo_for": "PT0S"}, "bad_undo_for"),
        ({"undo_for": "soon"}, "bad_duration"),
        ({"undo_for": 3600}, "bad_config"),
        ({"respond": "soon"}, "bad_duration"),
        ({"respond": "P3D"}, "respond_after_due"),
        ({"respond": "P3D", "respond_business": True}, None),
        ({"warnings": [50, 50]}, "bad_config"),
        ({"warnings": [0]}, "bad_config"),
        ({"warnings": [101]}, "bad_config"),
        ({"warnings": []}, None),
    ],
    ids=str,
)
def test_limits_and_ladders_are_judged(config: dict[str, Any], code: str | None) -> None:
    base = {"title": "May we?", "assignees": {"groups": ["approver"]}, "due": "P2D"}
    ports = find("approval", 1).ports_of(config)
    found = check_document(one_step("approval", ports=ports, **{**base, **config}))
    assert {one.code for one in found} - {"unlinked_port"} == ({code} if code else set())


def test_people_and_groups_of_a_ladder_must_be_there() -> None:
    whom = {"users": ["no@acme.test"], "groups": ["board", "nowhere"]}
    ladder = [rung("PT1H", {"add": whom}), rung("PT2H", {"reassign": whom})]
    known = CheckContext(groups=frozenset({"approver", "board"}), people=frozenset({"a@b.test"}))
    found = check_document(asked(escalation=ladder), known=known)
    assert sorted((one.code, one.path.split("/escalation/")[1]) for one in found) == [
        ("unknown_group", "0/what/add/groups/1"),
        ("unknown_group", "1/what/reassign/groups/1"),
        ("unknown_person", "0/what/add/users/0"),
        ("unknown_person", "1/what/reassign/users/0"),
    ]
