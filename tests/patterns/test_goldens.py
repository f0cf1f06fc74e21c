"""Each control-flow pattern is a document that passes the check and gives its golden traces."""

import json

import pytest

from apps.steps.check import check_document
from tests.patterns.goldens import FILES, goldens
from tests.patterns.playing import Play


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_document_can_be_published_and_gives_the_traces(path):
    golden = json.loads(path.read_text())

    assert [one for one in check_document(golden["document"]) if one.severity == "error"] == []
    for told in golden["plays"]:
        played = Play(golden["document"], told["input"]).script(told["script"])
        assert played.trace == told["trace"], told["said"]
        assert played.status == told["status"], told["said"]
        assert played.state.is_final, told["said"]


def test_every_pattern_is_shown_once():
    assert [one["pattern"] for one in goldens()] == list(range(1, 44))
