"""The public compatibility kit of DMN, and the page that says how it went."""

import pytest

from tools.dmn.kit import KIT, counted, run_kit
from tools.feel_report import PAGE, page

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not KIT.is_dir(), reason=f"the compatibility kit is not at {KIT}"),
]


@pytest.fixture(scope="module")
def outcomes():
    return list(run_kit())


def test_the_page_says_how_the_kit_went(outcomes):
    assert PAGE.read_text() == page(outcomes), "run: python -m tools.feel_report"


def test_no_case_gives_another_value_than_the_standard(outcomes):
    assert [(one.name, one.reason) for one in outcomes if one.verdict == "failed"] == []


def test_level_2_passes_but_for_and_and_or_with_null(outcomes):
    rest = [
        one for one in outcomes if one.level == "2" and one.verdict not in {"passed", "differs"}
    ]
    assert {one.rules for one in rest} <= {("not boolean",)}


def test_nine_of_ten_cases_of_level_3_pass_or_give_an_error_for_null(outcomes):
    counts = counted(one for one in outcomes if one.level == "3")
    assert counts["passed"] + counts["differs"] >= 0.9 * sum(counts.values())
