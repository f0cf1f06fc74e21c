"""Pages and answers are written in the reader's language."""

import pytest

from tests.support import people

pytestmark = pytest.mark.django_db


def language_of(client, **headers):
    return client.get("/sign-in/", headers=headers).headers["Content-Language"]


class TestLanguage:
    def test_a_stranger_reads_what_the_browser_asks_for(self, client):
        assert language_of(client, accept_language="fr;q=0.9, de-AT;q=0.8, en;q=0.1") == "de"
        assert language_of(client, accept_language="en-US,de") == "en"

    @pytest.mark.parametrize("header", ["", "fr", "xx-YY", "*", "de;q=banana,,;", "d" * 3000])
    def test_what_no_browser_means_is_answered_in_english(self, client, header):
        assert language_of(client, accept_language=header) == "en"

    def test_what_a_person_has_chosen_goes_before_their_browser(self, builder):
        client = people.browser(builder)
        people.send(client, "PATCH", "/api/v1/me/", {"language": "de"})

        page = client.get("/account/", headers={"accept-language": "en-GB"})

        assert page.headers["Content-Language"] == "de"
        assert '<html lang="de">' in page.content.decode()

    def test_the_browser_decides_again_once_the_choice_is_taken_back(self, builder):
        client = people.browser(builder)
        people.send(client, "PATCH", "/api/v1/me/", {"language": "de"})
        answer = people.send(client, "PATCH", "/api/v1/me/", {"language": ""})

        assert answer.json()["language"] == ""
        assert language_of(client, accept_language="en") == "en"

    def test_an_answer_says_what_it_depends_on(self, client):
        assert "Accept-Language" in client.get("/sign-in/").headers["Vary"]

    def test_no_cookie_chooses_a_language(self, client):
        client.cookies["django_language"] = "de"
        assert language_of(client) == "en"
