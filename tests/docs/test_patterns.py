"""The page of the control-flow patterns shows the golden graphs as they are, all of them."""

from tests.patterns.goldens import goldens
from tools.patterns import PAGE, page


def test_the_page_shows_the_golden_graphs_as_they_are():
    assert PAGE.read_text() == page(), "run: python -m tools.patterns"


def test_a_title_cannot_draw_anything_of_its_own():
    from tools.patterns import _in_cell, _said

    assert _said('a"b<i>#') == "a#quot;b#lt;i#gt;#35;"
    assert _in_cell("a|b*c") == r"a\|b\*c"


def test_every_pattern_stands_on_the_page():
    text = PAGE.read_text()
    assert all(f"\n## {one['pattern']} {one['name']}\n" in text for one in goldens())
