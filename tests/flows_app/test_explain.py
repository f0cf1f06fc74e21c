"""The explanation by the API, and the page to be printed."""

import pytest
from django.test import Client

from tests.support import people
from tests.support.people import send

pytestmark = pytest.mark.django_db


@pytest.fixture
def web(builder):
    return people.browser(builder)


@pytest.fixture
def url(flow):
    return f"/api/v1/flows/{flow.pk}/"


class TestExplain:
    def test_tells_the_draft_in_the_language_that_is_asked_for(self, web, url):
        english = send(web, "GET", f"{url}explain/?language=en").json()
        german = send(web, "GET", f"{url}explain/?language=de").json()
        assert english["hash"] == german["hash"]
        assert "starts" in english["summary"][0]
        assert "beginnt" in german["summary"][0]

    @pytest.mark.parametrize(
        "query", ["version=x", "version=99999999999", "language=fr", "version=²"]
    )
    def test_refuses_what_it_cannot_tell(self, web, url, query):
        assert send(web, "GET", f"{url}explain/?{query}").status_code == 422

    def test_knows_no_version_that_is_not_there(self, web, url):
        assert send(web, "GET", f"{url}explain/?version=7").status_code == 404


class TestPrint:
    @pytest.fixture
    def browser(self, builder):
        return people.browser(builder)

    def test_shows_picture_steps_and_what_leaves(self, browser, flow):
        answer = browser.get(f"/flows/{flow.pk}/print/?language=de")
        page = answer.content.decode()
        assert answer.status_code == 200
        assert '<svg class="flow"' in page
        assert "Daten, die hinausgehen" in page
        assert "style=" not in page

    def test_writes_names_as_text(self, browser, flow):
        draft = flow.draft
        draft.document = {
            **draft.document,
            "name": "<b>x</b>",
            "steps": {"a": {"type": "map", "title": "<i>y</i>"}},
        }
        draft.save(update_fields=["document"])
        page = browser.get(f"/flows/{flow.pk}/print/").content.decode()
        assert "&lt;b&gt;x" in page
        assert "<b>x" not in page
        assert "<i>y" not in page

    def test_is_for_those_who_may_view_and_changes_nothing(self, browser, flow):
        assert Client().get(f"/flows/{flow.pk}/print/").status_code == 302
        assert browser.get(f"/flows/{flow.pk}/print/?version=x").status_code == 422
        answer = browser.get("/flows/01890000-0000-7000-8000-000000000000/print/")
        assert answer.status_code == 404
        assert "<h1>" in answer.content.decode()
