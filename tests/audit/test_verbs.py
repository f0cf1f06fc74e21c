"""Every verb of the trail has words, and the pages of the app and what leaves it have the same."""

import json
import re
from pathlib import Path

import pytest
from django.utils import translation

from apps.audit.verbs import VERBS, verb_words

ROOT = Path(__file__).parents[2]
MESSAGES = ROOT / "frontend/src/app/messages"


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_app_and_the_server_say_the_same(language):
    messages = json.loads((MESSAGES / language / "audit.json").read_text())
    app = {
        name.removeprefix("audit.verb."): words
        for name, words in messages.items()
        if name.startswith("audit.verb.")
    }
    assert app.keys() - VERBS.keys() == set(), "words for them belong into apps/audit/verbs.py"
    with translation.override(language):
        assert {verb: verb_words(verb) for verb in app} == app


def test_every_verb_that_is_written_has_words():
    written = {
        verb
        for path in (ROOT / "apps").rglob("*.py")
        for verb in re.findall(r'\bverb="([a-z_.]+)"', path.read_text())
    }
    assert len(written) > 40
    assert written - VERBS.keys() == set()


def test_one_without_words_reads_as_it_stands():
    assert verb_words("new_thing.was_done") == "New thing was done"
