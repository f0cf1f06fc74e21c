"""How a mail looks: one system of colours, nothing from elsewhere, words beside it."""

import re
from pathlib import Path

import pytest
from django.core import mail

from tests.notices.support import ask, relay

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "apps/notices/templates/notices/mail/notice.html"


@pytest.fixture
def sent(desk):
    ask(desk, "ada")
    relay()
    return mail.outbox[0]


def page_of(one):
    return one.alternatives[0].content


def test_its_colours_are_those_of_the_product():
    tokens = (ROOT / "frontend/src/ui/tokens.ts").read_text().lower()
    used = set(re.findall(r"#[0-9a-f]{6}\b", PAGE.read_text().lower()))
    assert len(used) > 8
    assert {one for one in used if one not in tokens} == set()


def test_it_asks_nobody_for_anything(sent):
    page = page_of(sent)
    assert not re.search(r"<(img|link|script|iframe|object|form|video)\b|url\(|@import", page)
    found = set(re.findall(r'(?:href|src)="(https?://[^/"]+)', page))
    assert len(found) == 1


def test_it_wears_dark_where_the_reader_does(sent):
    page = page_of(sent)
    assert '<meta name="color-scheme" content="light dark">' in page
    assert "prefers-color-scheme: dark" in page


def test_words_and_page_say_the_same(sent):
    said = re.sub(r"<style>.*?</style>|<[^>]+>", " ", page_of(sent), flags=re.DOTALL)
    text = " ".join(said.split())
    for line in ("A decision is put to you.", "Approve the order", "There is time until"):
        assert line in text
        assert line in sent.body
    link = re.search(r"https?://\S+/decide/\S+/", sent.body)
    assert link is not None
    assert page_of(sent).count(link[0]) == 3


def test_it_is_in_the_readers_language_from_its_first_line(desk):
    ada = desk.someone("ada")
    ada.language = "de"
    ada.save()
    ask(desk, "ada")
    relay()
    [one] = mail.outbox
    assert one.extra_headers["Content-Language"] == "de"
    assert '<html lang="de">' in page_of(one)
    assert "Guten Tag Ada," in page_of(one)
    assert "Ansehen und entscheiden" in page_of(one)
    assert "Ansehen und entscheiden:" in one.body
    for english in ("Hello", "There is", "Look at", "Choose what"):
        assert english not in one.body + page_of(one)
