"""What each package refuses, and what it writes down, in German."""

from pathlib import Path

import pytest
from django.utils import translation

from apps.core.errors import Invalid
from apps.core.http import SaidField, problem_body
from apps.core.sentences import said
from tools import texts

ROOT = Path(__file__).parents[2]
#: These say everything through the catalogue of sentences, whole.
BELOW = {"core", "engine", "steps"}


@pytest.fixture(autouse=True)
def german():
    with translation.override("de"):
        yield


def test_every_package_whose_errors_people_read_is_read_for_the_catalogue():
    packages = {one.parent.name for one in (ROOT / "apps").glob("*/__init__.py")}
    assert packages - BELOW == {Path(one).name for one in texts.REFUSALS}


@pytest.mark.parametrize(
    ("package", "english", "expected"),
    [
        (
            "accounts",
            "An invitation is sent in somebody's name.",
            "Eine Einladung wird im Namen einer Person gesendet.",
        ),
        (
            "audit",
            "Nothing is sealed yet; try again in a few seconds.",
            "Noch ist nichts versiegelt; versuchen Sie es in ein paar Sekunden noch einmal.",
        ),
        (
            "audit",
            "Row 17 of seal 3 was changed.",
            "Eintrag 17 von Siegel 3 wurde geändert.",
        ),
        (
            "connections",
            "An address with a user name in it cannot be called.",
            "Eine Adresse mit einem Benutzernamen darin kann nicht aufgerufen werden.",
        ),
        (
            "engine",
            "“Fetch” was not done within its time limit.",
            "„Fetch“ war innerhalb der Zeitgrenze nicht fertig.",
        ),
        (
            "engine",
            "No rule of the table matches. Add a rule for this case, or a default.",
            (
                "Keine Regel der Tabelle trifft zu."
                " Ergänzen Sie eine Regel für diesen Fall oder eine Vorgabe."
            ),
        ),
        (
            "flows",
            "There is no flow “Nightly” in this workspace.",
            "In diesem Arbeitsbereich gibt es keinen Ablauf „Nightly“.",
        ),
        (
            "inbox",
            "Answer with one of: approved, rejected.",
            "Antworten Sie mit einem von: approved, rejected.",
        ),
        (
            "operations",
            "There is a destination “Archive” already.",
            "Es gibt schon ein Ziel „Archive“.",
        ),
        (
            "runs",
            "The run has ended; there is nothing to cancel.",
            "Der Lauf ist zu Ende; es gibt nichts abzubrechen.",
        ),
        (
            "runs",
            "There is no priority “urgent”; it is one of high, normal, low, bulk.",
            "Einen Vorrang „urgent“ gibt es nicht; es gibt high, normal, low, bulk.",
        ),
        (
            "triggers",
            "The call is not signed: it has no X-Signature header.",
            "Der Aufruf ist nicht unterschrieben: Die Kopfzeile X-Signature fehlt.",
        ),
    ],
)
def test_a_refusal_is_german(package, english, expected):
    shown = problem_body(Invalid(english))["detail"]
    assert shown == expected, package


def test_what_was_written_down_reads_german_where_it_is_shown():
    assert SaidField().to_representation("The filter failed on this event: null") == (
        "Der Filter scheiterte an diesem Ereignis: null"
    )


class TestSentencesInARow:
    def test_what_went_wrong_inside_is_said_behind_what_came_of_it(self):
        assert said(
            "2 items of “Each line” failed (number 1, 4)."
            " No rule of the table matches. Add a rule for this case, or a default."
        ) == (
            "2 Einträge von „Each line“ sind fehlgeschlagen (Nummern 1, 4)."
            " Keine Regel der Tabelle trifft zu. Ergänzen Sie eine Regel für diesen Fall oder eine"
            " Vorgabe."
        )

    def test_a_sentence_of_somebody_else_behind_ours_is_kept(self):
        assert said("The flow has no name. Grüße. Ada. No. 7") == (
            "Der Ablauf hat keinen Namen. Grüße. Ada. No. 7"
        )

    def test_a_part_that_may_be_empty_is(self):
        assert said("This cannot be tried out yet.") == "Das kann noch nicht ausprobiert werden."
        assert said("This cannot be tried out yet. The flow has no name.") == (
            "Das kann noch nicht ausprobiert werden. Der Ablauf hat keinen Namen."
        )

    def test_a_long_text_of_many_sentences_is_left_alone(self):
        text = "One. " * 700
        assert said(text) == text
