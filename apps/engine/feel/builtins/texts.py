"""Functions over text. Places count characters (code points) from 1."""

from typing import Any

from apps.engine.feel import regex
from apps.engine.feel.builtins.registry import builtin
from apps.engine.feel.errors import Fault
from apps.engine.feel.types import Meter, Number, described, whole


@builtin("substring", "string: text", "start position: number", "length: number?")
def substring(text: str, start: Number, length: Number | None = None) -> str:
    """So many characters from a place on, or all; a negative place counts from the end."""
    first = whole(start, "start position")
    if first == 0 or abs(first) > max(len(text), 1):
        message = f"There is no character {first}: the text has {len(text)}."
        raise Fault("index_out_of_range", message)
    index = first - 1 if first > 0 else len(text) + first
    if length is None:
        return text[max(index, 0) :]
    size = whole(length, "length")
    if size < 0:
        raise Fault("bad_arguments", f"Expected a length of 0 or more, found {size}.")
    return text[max(index, 0) : max(index, 0) + size]


@builtin("string length", "string: text")
def string_length(text: str) -> int:
    """How many characters a text has."""
    return len(text)


@builtin("upper case", "string: text")
def upper_case(text: str) -> str:
    """The text in capitals."""
    return text.upper()


@builtin("lower case", "string: text")
def lower_case(text: str) -> str:
    """The text in small letters."""
    return text.lower()


@builtin("trim", "string: text")
def trim(text: str) -> str:
    """The text without blanks at its ends."""
    return text.strip()


@builtin("substring before", "string: text", "match: text")
def substring_before(text: str, match: str) -> str:
    """What stands before the first match; empty where there is none."""
    return text.partition(match)[0] if match and match in text else ""


@builtin("substring after", "string: text", "match: text")
def substring_after(text: str, match: str) -> str:
    """What stands after the first match; empty where there is none."""
    return text.partition(match)[2] if match else text


@builtin("contains", "string: text", "match: text")
def contains(text: str, match: str) -> bool:
    """Whether a text occurs in another."""
    return match in text


@builtin("starts with", "string: text", "match: text")
def starts_with(text: str, match: str) -> bool:
    """Whether a text begins with another."""
    return text.startswith(match)


@builtin("ends with", "string: text", "match: text")
def ends_with(text: str, match: str) -> bool:
    """Whether a text ends with another."""
    return text.endswith(match)


@builtin("string join", "list: list", "delimiter: text|null?")
def string_join(meter: Meter, parts: list[Any], delimiter: str | None = None) -> str:
    """The texts of a list, one after the other; null is left out."""
    parts = [part for part in parts if part is not None]
    wrong = [part for part in parts if type(part) is not str]
    if wrong:
        message = f"string join expects a list of texts, found {described(wrong[0])} in it."
        raise Fault("wrong_type", f"{message} Use string(…).")
    glue = delimiter or ""
    meter.grow(sum(map(len, parts)) + len(glue) * len(parts))
    return glue.join(parts)


@builtin("matches", "input: text", "pattern: text", "flags: text|null?")
def matches(meter: Meter, text: str, pattern: str, flags: str | None = None) -> bool:
    """Whether a regular expression matches somewhere in a text."""
    return regex.search(meter, regex.compiled(pattern, flags or ""), text)


@builtin("replace", "input: text", "pattern: text", "replacement: text", "flags: text|null?")
def replace(
    meter: Meter, text: str, pattern: str, replacement: str, flags: str | None = None
) -> str:
    """The text with every match replaced; ``$1`` stands for the first group."""
    return regex.replace(meter, regex.compiled(pattern, flags or ""), text, replacement)


@builtin("split", "string: text", "delimiter: text")
def split(meter: Meter, text: str, delimiter: str) -> list[str]:
    """The parts of a text between the matches of a regular expression."""
    return regex.split(meter, regex.compiled(delimiter, ""), text)
