"""What names and ids may hold, and how a finding speaks of what came from outside."""

import re
from collections.abc import Iterable, Mapping

from apps.engine.feel.errors import nearest

#: The id of a step (engine rule 28).
STEP_ID = re.compile(r"[a-z][a-z0-9_]{0,62}")
#: Line breaks, control characters, and signs that turn the direction of the text around them.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
#: Names of fields whose value is a credential.
CREDENTIAL = re.compile(
    r"authorization|cookie|token|secret|password|passwd|api[-_]?key|signature", re.IGNORECASE
)


def found(value: object) -> str:
    """What was found, in words that fit after "it is"."""
    match value:
        case None:
            return "empty"
        case bool():
            return "true" if value else "false"
        case str():
            return f"the text “{one_line(value, 40)}”" if value else "empty"
        case list():
            return "a list"
        case Mapping():
            return "a set of named fields"
        case _:
            return one_line(str(value), 40)


def one_line(text: str, most: int = 60) -> str:
    """A text that came from outside, fit to stand inside a sentence."""
    plain = "".join(sign if sign.isprintable() else " " for sign in text[:most])
    return f"{plain}…" if len(text) > most else plain


def shown(value: object) -> str:
    """Anything that came from outside, fit to stand inside quotes."""
    return one_line("" if value is None else str(value))


def did_you_mean(given: object, known: Iterable[str]) -> str | None:
    """A fix that names the nearest of what there is."""
    near = nearest(given, known) if isinstance(given, str) and given else None
    return f"Did you mean “{near}”?" if near else None
