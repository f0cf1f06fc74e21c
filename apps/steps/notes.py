"""Notes on a flow: remarks beside the steps, which do nothing on a run.

A note is text, whatever stands in it: markup is shown as it was written and is no finding.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

from apps.steps.findings import Finding, pointer
from apps.steps.texts import one_line

PREFIX: Final = "note:"
MOST_NOTES: Final = 500
MOST_CHARACTERS: Final = 10_000
NARROWEST: Final = 120
WIDEST: Final = 1_200


def check_notes(notes: object) -> Iterator[Finding]:
    """What is wrong with a document's ``notes``; what cannot be drawn is kept all the same."""
    if notes is None:
        return
    if not isinstance(notes, Mapping):
        message = "“notes” must be an object with a note for each id, such as note:1."
        yield Finding("bad_note", "warning", message, "Leave it out.", path="/notes")
        return
    if len(notes) > MOST_NOTES:
        message = f"The flow has {len(notes):,} notes; at most {MOST_NOTES} are allowed."
        yield Finding("bad_note", "error", message, "Take some out.", path="/notes")
    for id_, note in notes.items():
        if found := _flaw(str(id_), note):
            yield found


def _flaw(id_: str, note: object) -> Finding | None:
    path = pointer(("notes", id_))
    given: Mapping[str, object] = note if isinstance(note, Mapping) else {}
    text = given.get("text")
    if not id_.startswith(PREFIX) or not isinstance(text, str):
        message = f"“{one_line(id_)}” is no note: its id begins with note: and it has a text."
        return Finding("bad_note", "warning", message, "Put it right, or leave it out.", path=path)
    if len(text) > MOST_CHARACTERS:
        message = f"A note has {len(text):,} characters; at most {MOST_CHARACTERS:,} are allowed."
        return Finding("bad_note", "error", message, "Make it shorter.", path=path)
    width = given.get("width", NARROWEST)
    if isinstance(width, bool) or not (
        isinstance(width, int | float | Decimal) and NARROWEST <= width <= WIDEST
    ):
        message = f"The width of a note is a number from {NARROWEST} to {WIDEST:,}."
        return Finding("bad_note", "warning", message, "Choose one of the widths.", path=path)
    return None
