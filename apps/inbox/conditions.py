"""A form's condition in words, for a page that cannot judge it while somebody types."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext

from apps.engine import values
from apps.steps.texts import one_line


def said_condition(condition: Any, titles: Mapping[str, str]) -> str:
    """When a question is asked; in general words where the condition says more than we can."""
    parts = list(_parts(condition, titles))
    if not parts or None in parts:
        return gettext("Only where it applies.")
    return gettext("Only if %(condition)s.") % {"condition": " ".join(map(str, parts))}


def _parts(condition: Any, titles: Mapping[str, str]) -> Iterator[str | None]:
    if not isinstance(condition, Mapping):
        yield None
        return
    for word, between in (("allOf", gettext("and")), ("anyOf", gettext("or"))):
        for at, one in enumerate(condition.get(word) or ()):
            if at:
                yield between
            yield from _parts(one, titles)
    if "not" in condition:
        yield None
    properties = condition.get("properties")
    for at, (name, asked) in enumerate((properties or {}).items()):
        if at:
            yield gettext("and")
        yield _compared(titles.get(name, name), asked)


def _compared(title: str, asked: Any) -> str | None:
    if not isinstance(asked, Mapping):
        return None
    words = {
        "const": gettext("“%(title)s” is %(value)s"),
        "minimum": gettext("“%(title)s” is %(value)s or more"),
        "exclusiveMinimum": gettext("“%(title)s” is more than %(value)s"),
        "maximum": gettext("“%(title)s” is %(value)s or less"),
        "exclusiveMaximum": gettext("“%(title)s” is less than %(value)s"),
    }
    found = [word for word in asked if word != "type"]
    if len(found) != 1 or found[0] not in {*words, "enum"}:
        return None
    if found[0] == "enum":
        given = ", ".join(_value(one) for one in asked["enum"])
        return gettext("“%(title)s” is one of %(value)s") % {"title": title, "value": given}
    return words[found[0]] % {"title": title, "value": _value(asked[found[0]])}


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    return f"“{one_line(value)}”" if isinstance(value, str) else values.dumps(value)
