"""Notes beside the steps: text that nobody runs, held to a length."""

from decimal import Decimal

import pytest

from apps.steps.check import check_document
from apps.steps.notes import MOST_CHARACTERS, MOST_NOTES


def found(good, notes):
    return [(one.code, one.severity, one.path) for one in check_document({**good, "notes": notes})]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Ask Ada.",
        "<img src=x onerror=alert(1)> **b**",
        "株式会社 شركة\n\u202e",
        "x" * MOST_CHARACTERS,
    ],
)
def test_a_note_is_text_whatever_it_says(good, text):
    assert found(good, {"note:1": {"text": text, "width": 256}}) == []


def test_no_notes_are_no_finding(good):
    assert found(good, None) == []
    assert found(good, {}) == []


def test_a_note_that_is_too_long_stands_against_publishing(good):
    assert found(good, {"note:1": {"text": "x" * (MOST_CHARACTERS + 1)}}) == [
        ("bad_note", "error", "/notes/note:1")
    ]


def test_too_many_notes_stand_against_publishing(good):
    notes = {f"note:{at}": {"text": "x"} for at in range(MOST_NOTES + 1)}
    assert found(good, notes) == [("bad_note", "error", "/notes")]


@pytest.mark.parametrize(
    "notes",
    [
        {"memo": {"text": "x"}},
        {"note:1": "x"},
        {"note:1": {"text": 3}},
        {"note:1": None},
        {"note:1": {"text": "x", "width": 4}},
        {"note:1": {"text": "x", "width": "wide"}},
        {"note:1": {"text": "x", "width": True}},
        {"note:1": {"text": "x", "width": Decimal("1e9")}},
    ],
)
def test_what_cannot_be_drawn_is_a_warning_and_kept(good, notes):
    [(code, severity, path)] = found(good, notes)
    assert (code, severity) == ("bad_note", "warning")
    assert path.startswith("/notes/")


@pytest.mark.parametrize("notes", [[], "x", 3, True])
def test_notes_are_an_object(good, notes):
    assert found(good, notes) == [("bad_note", "warning", "/notes")]
