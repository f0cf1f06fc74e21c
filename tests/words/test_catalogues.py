"""What the server says is there in every language, and is compiled as it is written."""

import ast
import gettext
import io

import pytest

from tools import texts


@pytest.mark.parametrize("domain", ["django", "sentences"])
def test_every_text_is_there_in_every_language(domain):
    found = texts.marked() if domain == "django" else texts.sentences()
    for language in texts.LANGUAGES:
        path = texts.LOCALE / language / "LC_MESSAGES" / f"{domain}.po"
        assert list(texts.problems_of(path, found, texts.read(path.read_text()))) == []


def entry(source, *said, plural=""):
    return {source: texts.Text(source, plural, {"apps/a.py"}, list(said))}


class TestACatalogue:
    def place(self, tmp_path, texts_, compiled=None):
        path = tmp_path / "de" / "LC_MESSAGES" / "django.po"
        path.parent.mkdir(parents=True)
        path.write_text(texts.written("de", texts_))
        path.with_suffix(".mo").write_bytes(
            texts.compiled("de", texts_) if compiled is None else compiled
        )
        return path

    def test_is_refused_where_a_text_is_missing(self, tmp_path):
        path = self.place(tmp_path, entry("Save", "Sichern"))
        found = {**entry("Save"), **entry("Open")}
        [problem] = texts.problems_of(path, found, texts.read(path.read_text()))
        assert "Open" in problem

    def test_is_refused_where_a_text_has_no_words(self, tmp_path):
        path = self.place(tmp_path, entry("Save", ""))
        [problem] = texts.problems_of(path, entry("Save"), texts.read(path.read_text()))
        assert "no words for “Save”" in problem

    def test_is_refused_where_a_text_is_said_nowhere(self, tmp_path):
        path = self.place(tmp_path, entry("Save", "Sichern"))
        [problem] = texts.problems_of(path, {}, texts.read(path.read_text()))
        assert "said nowhere" in problem

    @pytest.mark.parametrize(
        ("source", "said"),
        [("Hello %(name)s", "Hallo"), ("No {0}", "Kein {1}"), ("One", "%(n)d")],
    )
    def test_is_refused_where_a_text_is_given_other_values(self, tmp_path, source, said):
        path = self.place(tmp_path, entry(source, said))
        [problem] = texts.problems_of(path, entry(source), texts.read(path.read_text()))
        assert "other values" in problem

    def test_is_refused_where_only_one_form_of_a_plural_is_there(self, tmp_path):
        path = self.place(tmp_path, entry("%(n)d day", "%(n)d Tag", plural="%(n)d days"))
        found = entry("%(n)d day", plural="%(n)d days")
        [problem] = texts.problems_of(path, found, texts.read(path.read_text()))
        assert "no words" in problem

    def test_is_refused_where_it_is_not_compiled(self, tmp_path):
        path = self.place(tmp_path, entry("Save", "Sichern"), compiled=b"")
        [problem] = texts.problems_of(path, entry("Save"), texts.read(path.read_text()))
        assert "run `python -m tools.texts`" in problem

    def test_reads_back_as_it_was_written_and_as_gettext_reads_it(self):
        made = {
            **entry('Say "{0}"\nand \\ go', 'Sage "{0}"\nund \\ geh'),
            **entry("%(n)d day", "%(n)d Tag", "%(n)d Tage", plural="%(n)d days"),
        }
        again = texts.read(texts.written("de", made))
        assert {key: text.said for key, text in again.items()} == {
            key: text.said for key, text in made.items()
        }
        catalogue = gettext.GNUTranslations(io.BytesIO(texts.compiled("de", made)))
        assert catalogue.gettext('Say "{0}"\nand \\ go') == 'Sage "{0}"\nund \\ geh'
        assert catalogue.ngettext("%(n)d day", "%(n)d days", 3) == "%(n)d Tage"


def test_only_what_people_read_is_looked_for():
    source = '''
"""A docstring is read by nobody but us."""
def a(name):
    """Nor is this one."""
    log("quiet words")
    raise Wrong(f"There is no {name!r} in “{name}”.", "Name another one.")
'''
    assert set(texts._said_in(ast.parse(source))) == {
        "There is no {0} in “{1}”.",
        "Name another one.",
    }
