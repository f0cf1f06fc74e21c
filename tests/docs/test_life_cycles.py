"""The pictures in the documents are drawn from the tables."""

from tools.life_cycles import PAGE, page


def test_the_pictures_show_the_tables_as_they_are():
    assert PAGE.read_text() == page(), "run: python -m tools.life_cycles"
