"""What the browser's builder of conditions writes means here what it says there."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from apps.engine import feel

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CASES = json.loads(
    (Path(__file__).resolve().parents[1] / "golden/editor/conditions.json").read_text()
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["feel"])
def test_a_condition_put_together_by_choosing_holds_as_it_says(case):
    found = feel.compile_expression(case["feel"]).holds(case["context"], now=NOW)
    assert found is case["holds"]
