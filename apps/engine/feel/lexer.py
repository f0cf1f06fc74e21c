"""Cuts a FEEL source into tokens."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, Literal, NamedTuple, TypeAlias

from apps.engine.feel.errors import FeelSyntaxError

__all__ = ["KEYWORDS", "MAX_SOURCE", "Token", "tokens"]

MAX_SOURCE: Final = 32_000

Kind: TypeAlias = Literal["number", "text", "name", "keyword", "mark", "at", "end"]

KEYWORDS: Final = frozenset(
    {
        "and", "between", "else", "every", "external", "false", "for", "function", "if", "in",
        "instance", "null", "of", "or", "return", "satisfies", "some", "then", "true",
    }
)  # fmt: skip

_TOKEN: Final = re.compile(
    r"""
      (?P<blank>    (?: \s+ | //[^\n]* | /\*.*?\*/ )+ )
    | (?P<number>   (?: \d+ (?:\.\d+)? | \.\d+ ) )
    | (?P<name>     (?: [^\W\d] | [\U00010000-\U000EFFFF] )
                    (?: \w | [\u00B7\u0300-\u036F\u203F\u2040\U00010000-\U000EFFFF] )* )
    | (?P<at>       @" [^"\n]* " )
    | (?P<text>     " (?: [^"\\] | \\. )* " )
    | (?P<mark>     \*\* | \.\. | <= | >= | != | -> | [-+*/=<>()\[\]{},:.?] )
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE: Final = re.compile(
    r"\\(?:u(?P<short>[0-9a-fA-F]{4})|U(?P<long>[0-9a-fA-F]{6})|(?P<plain>[nrt\"'\\]))", re.DOTALL
)
# A function of several words is one name before a bracket; elsewhere, as a value, where
# nothing but a name may stand. "date and time" alone is a condition on two names.
_CALLED: Final = r"(?=\s*\()"
_FUNCTION_ENDS: Final = r"(?=\s*(?:[(),\]}]|$|instance\b))"
_NAME_MARKS: Final = frozenset({"+", "-", "*", "/", "**", "."})
_OPENING: Final = frozenset({"(", "[", "{"})
_CLOSING: Final = frozenset({")", "]", "}"})
_LONGEST_NAME: Final = 12  # words and marks
_MOST_NAMES: Final = 100
_NAME: Final = re.compile(r"[^\W\d][^\n\"{}()\[\],:]{0,199}")
_PLAIN: Final = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\"}
_HINTS: Final = {
    "'": 'Put text in double quotes: "like this".',
    "“": 'Use straight double quotes: "like this".',
    "”": 'Use straight double quotes: "like this".',
    "„": 'Use straight double quotes: "like this".',
    "&": 'Write "and".',
    "|": 'Write "or".',
    "!": 'Write not(…), or "!=" for "is different from".',
    "%": "Write modulo(a, b) for the remainder.",
    "^": 'Write "**" for a power.',
    "≤": 'Write "<=".',
    "≥": 'Write ">=".',
    "≠": 'Write "!=".',
    "\u00d7": 'Write "*".',
    "÷": 'Write "/".',
}


class Token(NamedTuple):
    """One word or mark of the source.

    ``value`` is what it means: the text without quotes and escapes, a name with
    single spaces.
    """

    kind: Kind
    value: str
    start: int
    end: int


def tokens(source: str, names: Iterable[str], functions: Iterable[str]) -> list[Token]:
    """Cut a source into tokens; the last is of kind ``end``.

    Args:
        source: The expression.
        names: Names with spaces or marks that are to be read as one word.
        functions: The same, where an opening bracket follows.

    Raises:
        FeelSyntaxError: A character that FEEL does not know, a text that is not
            closed, or a source that is too long.
    """
    if len(source) > MAX_SOURCE:
        raise FeelSyntaxError(
            "syntax",
            f"An expression may have {MAX_SOURCE:,} characters, this one has {len(source):,}. "
            "Split it over several fields or steps.",
            (MAX_SOURCE, len(source)),
        )
    found = _cut(source, frozenset(names), frozenset(functions))
    declared = _declared(source, found)
    return _cut(source, declared.union(names), frozenset(functions)) if declared else found


def _cut(source: str, names: frozenset[str], functions: frozenset[str]) -> list[Token]:
    long_name = _long_names(names, functions)
    long_part = _long_names(names, frozenset())
    found: list[Token] = []
    at = 0
    while at < len(source):
        match = _TOKEN.match(source, at)
        if match is None:
            raise _unknown(source, at)
        kind = match.lastgroup
        if kind == "name":
            after_dot = bool(found) and found[-1].value == "."
            match = (long_part if after_dot else long_name).match(source, at) or match
            found.append(_word(match[0], at, match.end()))
        elif kind == "text":
            found.append(Token("text", _unescape(match[0][1:-1], at), at, match.end()))
        elif kind == "at":
            found.append(Token("at", match[0][2:-1], at, match.end()))
        elif kind != "blank":
            found.append(Token(kind, match[0], at, match.end()))  # type: ignore[arg-type]
        at = match.end()
    found.append(Token("end", "", at, at))
    return found


def _declared(source: str, found: list[Token]) -> frozenset[str]:
    """Names of more than a word that the source gives itself: entries, parameters, loops.

    Raises:
        FeelSyntaxError: There are too many of them.
    """
    names: set[str] = set()
    in_parameters = [False]
    for index, token in enumerate(found[:-1]):
        if token.kind == "mark":
            if token.value in _OPENING:
                before = found[index - 1] if index else token
                in_parameters.append(token.value == "(" and before.value == "function")
            elif token.value in _CLOSING and len(in_parameters) > 1:
                in_parameters.pop()
        ends = _ends_of_name(token, in_parameters=in_parameters[-1])
        if not ends:
            continue
        last = _run(found, index + 1)
        # Before "in" only words: "[a, b and c in d]" names nothing.
        is_plain = found[last].value != "in" or all(
            one.kind == "name" for one in found[index + 1 : last]
        )
        if last - index > 2 and found[last].value in ends and is_plain:
            text = source[found[index + 1].start : found[last - 1].end]
            names.add(" ".join(text.split()))
        elif ":" in ends and found[index + 1].kind == "text" and found[index + 2].value == ":":
            names.add(" ".join(found[index + 1].value.split()))
    names = {name for name in names if not name.isidentifier() and _NAME.fullmatch(name)}
    if len(names) > _MOST_NAMES:
        raise FeelSyntaxError(
            "budget",
            f"Expected at most {_MOST_NAMES} names of several words, found {len(names)}.",
            (0, len(source)),
        )
    return frozenset(names)


def _ends_of_name(token: Token, *, in_parameters: bool) -> frozenset[str]:
    """What may follow a name that begins after this token; empty where none begins."""
    if token.kind == "keyword" and token.value in {"for", "some", "every"}:
        return frozenset({"in"})
    if token.kind != "mark" or token.value not in {"{", ",", "("}:
        return frozenset()
    if in_parameters:
        return frozenset({":", ",", ")"})
    return frozenset({":", "in"} if token.value == "," else {":"})


def _run(found: list[Token], start: int) -> int:
    """The index of the first token that cannot be part of a name that starts here."""
    index = start
    while index - start < _LONGEST_NAME and (
        found[index].kind == "name"
        or (
            index > start
            and (
                found[index].kind == "number"
                or (found[index].kind == "keyword" and found[index].value != "in")
                or (found[index].kind == "mark" and found[index].value in _NAME_MARKS)
            )
        )
    ):
        index += 1
    return index


def _word(text: str, start: int, end: int) -> Token:
    if text in KEYWORDS:
        return Token("keyword", text, start, end)
    return Token("name", " ".join(text.split()), start, end)


@lru_cache(maxsize=64)
def _long_names(names: frozenset[str], functions: frozenset[str]) -> re.Pattern[str]:
    """One pattern for all names of several words, the longest first."""
    choices = [
        r"\s+".join(re.escape(word) for word in name.split())
        + (r"(?!\w)" if name in names else _CALLED if " and " in name else _FUNCTION_ENDS)
        for name in sorted(names | functions, key=len, reverse=True)
        if not name.isidentifier()
    ]
    return re.compile("|".join(choices) or r"(?!)")


def _unescape(text: str, start: int) -> str:
    if "\\" not in text:
        return text

    def meaning(match: re.Match[str]) -> str:
        code = match["short"] or match["long"]
        if code is None:
            return _PLAIN[match["plain"]]
        if int(code, 16) > 0x10FFFF or code in {"0000", "000000"}:
            place = (start + 1 + match.start(), start + 1 + match.end())
            raise FeelSyntaxError("syntax", f"There is no character {match[0]}.", place)
        return chr(int(code, 16))

    plain = _ESCAPE.sub(meaning, text)
    if plain.isascii():
        return plain
    try:  # two \u escapes may make one character
        return plain.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        place = (start, start + len(text) + 2)
        raise FeelSyntaxError("syntax", "The text holds half a character.", place) from None


def _unknown(source: str, at: int) -> FeelSyntaxError:
    mark = source[at]
    if mark in {'"', "@"} and '"' in source[at : at + 2]:
        return FeelSyntaxError(
            "syntax", 'A text begins here and does not end. Add the closing ".', (at, len(source))
        )
    if source.startswith("/*", at):
        return FeelSyntaxError(
            "syntax", "A comment begins here and does not end. Add */.", (at, len(source))
        )
    hint = _HINTS.get(mark, "Take it out, or put it inside a text in double quotes.")
    return FeelSyntaxError(
        "syntax", f"The character {mark} has no meaning here. {hint}", (at, at + 1)
    )
