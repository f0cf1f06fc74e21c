"""What an approval's author may ask for, and what is told where that cannot be."""

from typing import Any

import pytest

from apps.steps.check import check_document
from apps.steps.registry import find
from tests.steps.documents import one_step

YES_NO = [
    {"port": "go", "label": "Go", "side": "for"},
    {"port": "stop", "label": "Stop", "side": "against"},
]


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
    ],
    ids=str,
)
def test_every_way_to_decide_can_be_written(config: dict[str, Any]) -> None:
    assert told(**config) == []


@pytest.mark.parametrize(
    "config",
    [
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
