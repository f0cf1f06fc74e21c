"""Texts that look like expressions but lack the “=” that makes them one.

Such a text is taken word for word, so a mail would say “trigger.body.name”. It is allowed, since
only its author knows; the check says so and shows how it would be written.
"""

import re
from collections.abc import Iterator

from apps.engine import feel
from apps.steps.texts import one_line

LONGEST_FIX = 200
# What expressions read, as a person would name it in a sentence or an address.
_PATH = (
    r"(?<![\w.])(?:"
    r"trigger\.(?:body|headers|query|id|type|received_at|event)"
    r"|steps\.[a-z][a-z0-9_]{0,62}\.(?:output|error)"
    r"|run\.(?:id|started_at)"
    r")(?:\.[A-Za-z_]\w*)*(?!\w)"
)
_BRACED = r"\{\{(?P<braced>[^{}]{1,500})\}\}"
_DOLLAR = rf"\$\{{(?P<dollar>[^{{}}]{{0,200}}?{_PATH}[^{{}}]{{0,200}})\}}"
_LOOKS = re.compile(f"{_BRACED}|{_DOLLAR}|(?P<path>{_PATH})")
_SIGNS = ("{{", "trigger.", "steps.", "run.")


def unmarked(text: str) -> tuple[str, str, str] | None:
    """What in a text looks like one, how to write it, and the whole as an expression or empty."""
    if not any(sign in text for sign in _SIGNS):
        return None
    first = _LOOKS.search(text)
    if first is None:
        return None
    written = " + ".join(_pieces(text.strip()))
    if len(written) <= LONGEST_FIX and _compiles(written):
        return one_line(first[0]), f"Write = {written} if its value is meant.", f"= {written}"
    fix = 'Begin with “=” and join texts with “+”: = "Order of " + string(trigger.body.name).'
    return one_line(first[0]), fix, ""


def _pieces(text: str) -> Iterator[str]:
    """The text as one expression: what looks like one, and the texts between in quotes."""
    end = 0
    for one in _LOOKS.finditer(text):
        if between := text[end : one.start()]:
            yield _quoted(between)
        inner = (one["braced"] or one["dollar"] or one["path"]).strip().removeprefix("=").strip()
        yield inner if one[0] == text else f"string({inner})"
        end = one.end()
    if rest := text[end:]:
        yield _quoted(rest)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\n").replace("\r", "").replace("\t", "\\t") + '"'


def _compiles(source: str) -> bool:
    try:
        feel.compile_expression(source)
    except feel.FeelError:
        return False
    return True
