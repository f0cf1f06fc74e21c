"""Sentences of the check, the steps and the API in the reader's language."""

import pytest
from django.test import Client
from django.utils import translation

from apps.core.errors import Invalid
from apps.core.http import problem_body
from apps.core.sentences import error_said, findings_said, said, schema_said
from tests.support import people


@pytest.fixture
def german():
    with translation.override("de"):
        yield


@pytest.mark.usefixtures("german")
class TestInGerman:
    def test_a_sentence_keeps_the_names_in_it(self):
        assert said("“Approve” has no way out “late”.") == "„Approve“ hat keinen Ausgang „late“."

    def test_a_name_that_is_also_a_word_of_ours_stays_a_name(self):
        assert said("No way leads from the trigger to “Approval”.") == (
            "Kein Weg führt vom Auslöser zu „Approval“."
        )

    def test_words_inside_a_sentence_are_translated(self):
        assert said("“links” must be a list; it is the text “a list”.") == (
            "„links“ muss eine Liste sein; es ist der Text „a list“."
        )

    def test_what_an_expression_has_found_is_said_too(self):
        assert said('Expected a whole number, found the text "a list".') == (
            'Erwartet wird eine ganze Zahl, gefunden: der Text "a list".'
        )

    @pytest.mark.parametrize(
        "text", ["", "Nobody ever wrote this sentence.", "“", "{0}", "%s %(name)s", "x" * 10_000]
    )
    def test_what_is_not_ours_stays_as_it_is(self, text):
        assert said(text) == text

    def test_a_name_with_line_breaks_quotes_and_holes_is_carried_over(self):
        name = "a\nb ” {1} <b>\\1"
        assert said(f"No way leads from the trigger to “{name}”.") == (
            f"Kein Weg führt vom Auslöser zu „{name}“."
        )

    def test_what_was_written_down_by_somebody_else_reads_in_ones_own_language(self):
        assert said("“Vendor onboarding” failed at “Approve”") == (
            "„Vendor onboarding“ ist bei „Approve“ fehlgeschlagen"
        )
        assert said("The draft cannot be published yet: 2 errors stand against it.") == (
            "Der Entwurf kann noch nicht veröffentlicht werden: 2 Fehler sprechen dagegen."
        )

    def test_a_finding_with_its_button(self):
        row = {
            "code": "x",
            "message": "The flow has no name.",
            "fix": "Give it one.",
            "repair": {"does": "Take it out", "patch": []},
            "position": None,
        }
        [shown] = findings_said([row])
        assert (shown["message"], shown["fix"]) == (
            "Der Ablauf hat keinen Namen.",
            "Geben Sie ihm einen.",
        )
        assert shown["repair"] == {"does": "Herausnehmen", "patch": []}

    def test_what_went_wrong_in_a_run_that_was_written_down_in_english(self):
        error = {"code": "for_each.not_list", "message": "What is added must be a list."}
        assert error_said(error)["message"] == "Was hinzugefügt wird, muss eine Liste sein."
        assert error_said(None) is None

    def test_a_form_keeps_names_and_values_and_turns_its_words(self):
        schema = {
            "title": "Approval",
            "properties": {"title": {"title": "What is asked", "default": "Approval"}},
            "x-labels": {"first": "The first answer decides"},
            "enum": ["Approval"],
        }
        assert schema_said(schema) == {
            "title": "Genehmigung",
            "properties": {"title": {"title": "Was gefragt wird", "default": "Approval"}},
            "x-labels": {"first": "Die erste Antwort entscheidet"},
            "enum": ["Approval"],
        }

    def test_a_problem_says_its_detail_and_its_errors(self):
        body = problem_body(
            Invalid("The flow has no steps.", errors=[{"path": "/a", "message": "Write text."}])
        )
        assert body["detail"] == "Der Ablauf hat keine Schritte."
        assert body["errors"] == [{"path": "/a", "message": "Schreiben Sie Text."}]


def test_in_english_everything_is_as_it_was_said():
    assert said("The flow has no name.") == "The flow has no name."


@pytest.mark.django_db
class TestTheReader:
    def answers(self, address, **headers):
        workspace = people.make_workspace("acme")
        client = people.browser(people.person(workspace, "builder"))
        return client.get(address, headers=headers).json()

    def test_finds_the_catalogue_of_steps_in_their_language(self):
        answer = self.answers("/api/v1/step-types/", accept_language="de")
        titles = {one["kind"]: one["title"] for one in answer["results"]}
        assert (titles["approval"], titles["table"]) == ("Genehmigung", "Entscheidungstabelle")
        manual = next(one for one in answer["triggers"] if one["kind"] == "manual")
        assert manual["title"] == "Von Hand"

    def test_finds_it_in_english_after_somebody_read_it_in_german(self):
        self.answers("/api/v1/step-types/", accept_language="de")
        answer = (
            people.browser(people.person(people.make_workspace("other"), "builder"))
            .get("/api/v1/step-types/", headers={"accept-language": "en"})
            .json()
        )
        assert "Approval" in {one["title"] for one in answer["results"]}

    def test_is_refused_in_their_language(self):
        answer = Client().get("/api/v1/me/", headers={"accept-language": "de"})
        assert answer.status_code == 401
        assert answer.json()["detail"].startswith("Melden Sie sich an")

    def test_is_told_in_their_language_what_they_may_not(self):
        workspace = people.make_workspace("acme")
        client = people.browser(people.person(workspace, "viewer"))
        answer = people.send(
            client, "POST", "/api/v1/flows/", {"name": "Mine"}, **{"Accept-Language": "de"}
        )
        assert answer.status_code == 403
        assert answer.json()["detail"].startswith("Ihre Rolle erlaubt dies nicht")
