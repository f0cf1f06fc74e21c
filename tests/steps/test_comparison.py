"""What differs, in words and with notes on risk: golden pairs."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from apps.steps.changes import ABSENT, differences
from apps.steps.comparison import words
from apps.steps.comparison.risks import SENTENCES, risks
from apps.steps.comparison.tell import tell
from tests.steps.test_changes import GOLDEN, put

TOLD = json.loads((Path(__file__).parents[1] / "golden/changes/told.json").read_text())
CASES = {case["name"]: case for case in TOLD["cases"]}


def pair(case):
    before = deepcopy(GOLDEN["base"])
    for pointer, value in case.get("base", {}).items():
        put(before, pointer, value)
    after = deepcopy(before)
    for pointer, value in case["set"].items():
        put(after, pointer, ABSENT if value is None else value)
    return before, after


@pytest.mark.parametrize("name", CASES)
class TestAComparison:
    @pytest.mark.parametrize("language", ["en", "de"])
    def test_is_told_in_words(self, name, language):
        before, after = pair(CASES[name])
        told = [tell(one, before, after, language) for one in differences(before, after)]
        if CASES[name][language] is not None:
            assert told == CASES[name][language]

    def test_notes_what_is_risky(self, name):
        before, after = pair(CASES[name])
        found = [[one.code, one.sentence] for one in risks(before, after, "en")]
        assert found == CASES[name]["risks"]
        german = [one.code for one in risks(before, after, "de")]
        assert german == [code for code, _ in found]

    def test_says_nothing_where_nothing_changed(self, name):
        _, after = pair(CASES[name])
        moved = {**after, "layout": {"trigger": [8, 8]}}
        assert risks(after, moved, "en") == []


class TestDocumentsOfAnyShape:
    SHAPES: tuple[dict[str, Any], ...] = (
        {},
        {"steps": [], "links": {}, "trigger": 3, "settings": None, "layout": "x"},
        {"steps": {"a": None, "b": {"type": 3, "config": []}}, "links": [None, {"from": 1}]},
        {"steps": {"a": {"type": "approval", "config": {"rule": 4, "assignees": 1}}}, "links": []},
        {"steps": {"a": {"type": "http.request", "config": {"url": "http://[", "body": None}}}},
        {"trigger": {"type": "webhook", "config": {"masked": 3, "signature": "none"}}},
    )

    def test_are_compared_all_the_same(self):
        for before in self.SHAPES:
            for after in self.SHAPES:
                for language in words.LANGUAGES:
                    for change in differences(before, after):
                        assert tell(change, before, after, language)
                    risks(before, after, language)


def test_every_risk_is_shown_by_a_case():
    shown = {code for case in CASES.values() for code, _ in case["risks"]}
    assert set(SENTENCES) == shown


def test_durations_are_words():
    assert words.duration("P1DT2H", "en") == "1 day 2 hours"
    assert words.duration("P1DT2H", "de") == "1 Tag 2 Stunden"
    assert words.duration("P3M", "de", dative=True) == "3 Monaten"
    assert words.duration("PT5M", "en") == "5 minutes"
    assert words.duration("P", "en") is None
    assert words.duration("Peter", "en") is None
