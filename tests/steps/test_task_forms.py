"""Forms at a task: what an author may ask, and what is told where that cannot be answered."""

from datetime import date
from typing import Any

import pytest

from apps.steps import forms
from apps.steps.check import check_document
from apps.steps.explain.tell import explain
from apps.steps.fit import world_of
from apps.steps.registry import find
from tests.steps.documents import codes, document, one_step, only, step

FORM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "centre": {"type": "string", "title": "Cost centre"},
        "note": {"type": "string", "title": "Note"},
    },
    "required": ["centre"],
}
ASKED = {"title": "May we?", "assignees": {"groups": ["approver"]}, "due": "P2D"}
DETAILS = {"title": "Correct it", "form": FORM, "due": "P2D", "fallback": ["approver"]}


def made(kind, **config):
    return one_step(kind, ports=find(kind, 1).ports_of(config), **config)


def of(**properties):
    return {"type": "object", "properties": properties}


@pytest.mark.parametrize(
    "good",
    [
        made("approval", **ASKED, form=FORM, initial={"centre": "= trigger.body.centre"}),
        made("approval", **ASKED, form=FORM, form_for=["approved", "rejected"]),
        made("fill_in", **DETAILS, initial={"note": "= trigger.body.note"}),
        made("fill_in", **DETAILS, assignees={"users": ["ada@acme.test"]}),
        made(
            "fill_in", **DETAILS, escalation=[{"when": {"after": "P1D"}, "what": {"urgent": True}}]
        ),
    ],
)
def test_nothing_is_wrong_with_what_can_be_filled_in(good):
    assert [one for one in check_document(good) if one.severity == "error"] == []


@pytest.mark.parametrize(
    ("kind", "config", "code"),
    [
        ("approval", {"form": of(bill={"type": "array", "x-widget": "files", "items": {}})},
         "not_at_a_task"),
        ("approval", {"form": of(odd={"type": ["string", "null"]})}, "not_at_a_task"),
        ("approval", {"form": FORM, "initial": {"center": "A"}}, "unknown_question"),
        ("approval", {"form": FORM, "form_for": ["maybe"]}, "bad_config"),
        ("approval", {"form": {"type": 7}}, "bad_config"),
        ("approval", {"form": FORM, "bulk": {"max": 5, "amount_label": "A", "amount_limit": 9},
                      "fields": [{"label": "A", "value": 1}]}, "form_in_bulk"),
        ("fill_in", {"form": of()}, "bad_config"),
        ("fill_in", {"form": of(bill={"type": "array", "x-widget": "files", "items": {}})},
         "not_at_a_task"),
        ("fill_in", {"fallback": []}, "nobody_if_unknown"),
        ("fill_in", {"due": "soon"}, "bad_duration"),
        ("fill_in", {"escalation": [{"when": {"after": "P1D"}, "what": {"outcome": "submitted"}}]},
         "bad_config"),
    ],
)  # fmt: skip
def test_what_could_not_be_answered_is_told(kind, config, code):
    base = ASKED if kind == "approval" else DETAILS
    assert code in codes(made(kind, **{**base, **config}))


def test_silence_must_lead_somewhere():
    assert "unlinked_port" in codes(one_step("fill_in", ports=("submitted",), **DETAILS))


@pytest.mark.parametrize("kind", ["approval", "fill_in"])
def test_what_is_filled_in_is_known_to_who_reads_it(kind):
    port = "approved" if kind == "approval" else "submitted"
    config = {**ASKED, "form": FORM} if kind == "approval" else DETAILS

    def reading(source):
        others = [one for one in find(kind, 1).ports_of(config) if one != port]
        return document(
            {
                "ask": step(kind, **config),
                "read": step("map", fields={"got": f"= {source}"}),
                "end": step("stop"),
            },
            [
                "trigger -> ask",
                f"ask:{port} -> read",
                "read -> end",
                *(f"ask:{one} -> end" for one in others),
            ],
        )

    output = "steps.ask.output.answers"
    assert codes(reading(f"{output}.centre")) == []
    assert codes(reading(f'get or else({output}.note, "")')) == []
    assert f"{output}.centre" in only(reading(f"{output}.center"), "missing_path").fix
    assert only(reading(f"{output}.note"), "may_be_missing").severity == "warning"
    known = world_of(reading(f"{output}.centre")).at(
        ("steps", "ask", "output", "answers", "centre")
    )
    assert known == FORM["properties"]["centre"]


def test_a_trial_fills_in_what_needs_an_answer():
    form = {
        "type": "object",
        "properties": {
            "what": {"type": "string"},
            "day": {"type": "string", "format": "date"},
            "size": {"type": "string", "enum": ["S", "M"]},
            "count": {"type": "integer", "minimum": 2},
            "lines": {"type": "array", "items": of(n={"type": "number"}) | {"required": ["n"]}},
            "more": {"type": "string"},
        },
        "required": ["what", "day", "size", "count", "lines"],
    }
    assert forms.smallest(form, date(2026, 3, 1)) == {
        "what": "", "day": "2026-03-01", "size": "S", "count": 2, "lines": [{"n": 0}],
    }  # fmt: skip


def test_it_is_told_in_plain_words():
    told = explain(made("fill_in", **DETAILS), "en").steps[0].does
    assert told.startswith("Asks who asked for it to fill in Cost centre and Note: ")
    assert "wer angefragt hat" in explain(made("fill_in", **DETAILS), "de").steps[0].does
    told = explain(made("approval", **ASKED, form=FORM), "en").steps[0].does
    assert "With the answer is filled in: Cost centre and Note." in told
