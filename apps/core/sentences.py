"""Sentences made where there is no Django, said in the reader's language.

Step types, the check and the expressions know nothing of languages: they say what is the matter in
one English sentence, with names and values in it, and that sentence is what is stored. Here it is
translated where it is shown, so that an old run reads in the language of whoever looks at it. The
catalogue (``locale/<language>/LC_MESSAGES/sentences.po``) names each sentence with holes:
``“{0}” has no way out “{1}”.``; what stands in the holes is carried over.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from django.conf import settings
from django.utils.translation import get_language

HOLE = re.compile(r"\{(\d+)\}")
#: The same as gettext's texts have it.
NAMED = re.compile(r"%\((\w+)\)[sd]")
#: A sentence longer than any of ours with a name in each hole: somebody else's text.
LONGEST = 4000
#: How deep a sentence stands in the hole of another.
DEEPEST = 3
#: How many sentences that stand one after the other are looked at.
MOST_IN_A_ROW = 6
#: Words in a schema that people read; values and names of fields are left alone.
READ = ("title", "description")


def said(text: str) -> str:
    """A sentence in the language of this request; as it is where it has no translation."""
    language = (get_language() or settings.LANGUAGE_CODE).split("-")[0]
    if language == settings.LANGUAGE_CODE or not text or len(text) > LONGEST:
        return text
    return _said(language, text, 0)


def said_in(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The row with the sentences under these names translated, where it has them."""
    return {
        name: said(value) if name in names and isinstance(value, str) else value
        for name, value in row.items()
    }


def findings_said(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What a check has found, with its sentences and what its buttons say translated."""
    found = []
    for row in rows:
        shown = said_in(row, "message", "fix")
        if isinstance(shown.get("repair"), Mapping):
            shown["repair"] = said_in(shown["repair"], "does")
        found.append(shown)
    return found


def error_said(error: Any) -> Any:
    """What went wrong in a run, as it was written down, with its sentence translated."""
    return said_in(error, "message") if isinstance(error, Mapping) else error


def schema_said(schema: Any) -> Any:
    """A JSON Schema with its titles, descriptions and labels translated."""
    language = (get_language() or settings.LANGUAGE_CODE).split("-")[0]
    return schema if language == settings.LANGUAGE_CODE else _schema_said(schema)


def _schema_said(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_schema_said(one) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    found: dict[str, Any] = {}
    for name, value in schema.items():
        if name in READ and isinstance(value, str):
            found[name] = said(value)
        elif name == "x-labels" and isinstance(value, Mapping):
            found[name] = {key: said(words) for key, words in value.items()}
        elif name in {"properties", "$defs"} and isinstance(value, Mapping):
            found[name] = {key: _schema_said(inner) for key, inner in value.items()}
        elif name in {"examples", "default", "enum", "const"}:
            found[name] = value
        else:
            found[name] = _schema_said(value)
    return found


class _Pattern:
    """One sentence with holes; ``weight`` is how much of it is its own words."""

    def __init__(self, source: str, target: str) -> None:
        parts = HOLE.split(source)
        self.head, self.tail = parts[0], parts[-1]
        self.weight = sum(len(part) for part in parts[::2])
        self.target = target
        seen: set[str] = set()
        pattern = ""
        for at, part in enumerate(parts):
            if at % 2 == 0:
                pattern += re.escape(part)
            elif part in seen:
                pattern += f"(?P=h{part})"
            else:
                seen.add(part)
                pattern += f"(?P<h{part}>.+?)"
        self.matches = re.compile(pattern, re.DOTALL).fullmatch
        #: What stands in quotes is somebody's own name for something, never ours.
        self.names = {
            parts[at]
            for at in range(1, len(parts), 2)
            if parts[at - 1].endswith(("“", '"', "(", "."))
        }


@cache
def _catalogue(language: str) -> tuple[dict[str, str], list[_Pattern]]:
    whole: dict[str, str] = {}
    patterns: list[_Pattern] = []
    for folder in settings.LOCALE_PATHS:
        path = gettext.find("sentences", str(folder), [language])
        if path is None:
            continue
        with open(path, "rb") as file:  # noqa: PTH123 - gettext reads a file
            texts = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined] # noqa: SLF001
        for source, target in texts.items():
            if not source or not target:
                continue
            if HOLE.search(source):
                patterns.append(_Pattern(source, target))
            else:
                whole[source] = target
        _add_marked(language, str(folder), whole, patterns)
    patterns.sort(key=lambda one: -one.weight)
    return whole, patterns


def _add_marked(
    language: str, folder: str, whole: dict[str, str], patterns: list[_Pattern]
) -> None:
    """What gettext says, too: some of it is written down, such as why a run was held."""
    path = gettext.find("django", folder, [language])
    if path is None:
        return
    with open(path, "rb") as file:  # noqa: PTH123 - as above
        texts = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined] # noqa: SLF001
    for source, target in texts.items():
        if not isinstance(source, str) or " " not in source or not target:
            continue
        names = list(dict.fromkeys(NAMED.findall(source)))
        if names:
            patterns.append(_Pattern(_numbered(source, names), _numbered(target, names)))
        else:
            whole.setdefault(source, target)


def _numbered(text: str, names: list[str]) -> str:
    return NAMED.sub(lambda hole: f"{{{names.index(hole[1])}}}", text)


@lru_cache(maxsize=4096)
def _said(language: str, text: str, depth: int) -> str:
    whole, patterns = _catalogue(language)
    if text in whole:
        return whole[text]
    for pattern in patterns:
        if not (text.startswith(pattern.head) and text.endswith(pattern.tail)):
            continue
        if found := pattern.matches(text):
            return _filled(language, pattern, found, depth)
    return _in_a_row(language, text, depth)


def _in_a_row(language: str, text: str, depth: int) -> str:
    """What went wrong inside often stands behind what came of it: each sentence by itself."""
    end = -1
    for _ in range(MOST_IN_A_ROW):
        end = text.find(". ", end + 1)
        if end < 0 or depth >= DEEPEST:
            break
        first, rest = text[: end + 1], text[end + 2 :]
        shown = _said(language, first, DEEPEST)
        if shown != first:
            return f"{shown} {_said(language, rest, depth + 1)}"
    return text


def _filled(language: str, pattern: _Pattern, found: re.Match[str], depth: int) -> str:
    def fill(hole: re.Match[str]) -> str:
        value = found[f"h{hole[1]}"]
        if hole[1] in pattern.names or depth >= DEEPEST:
            return value
        bare = value.lstrip()
        return value[: len(value) - len(bare)] + _said(language, bare, depth + 1)

    return HOLE.sub(fill, pattern.target)
