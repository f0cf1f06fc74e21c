"""The syntax of regular expressions, parsed into trees that know their meaning.

Source: W3C XPath and XQuery Functions and Operators 3.1, section 5.6.1.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NoReturn, TypeAlias

from apps.engine.feel.errors import Fault

__all__ = [
    "Alternatives",
    "Boundary",
    "Characters",
    "Group",
    "Line",
    "Pattern",
    "Repeat",
    "Sequence",
    "parse",
]

_MAX_LENGTH: Final = 1_000
_MAX_REPEAT: Final = 1_000
_MAX_NESTING: Final = 20
_FLAGS: Final = frozenset("smix")

Test: TypeAlias = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Characters:
    """One character that passes a test; ``source`` says it to Python, if it can."""

    test: Test
    source: str | None

    def python(self) -> str | None:
        return self.source


@dataclass(frozen=True, slots=True)
class Line:
    """``^`` or ``$``: the beginning or end of the text, or of a line."""

    is_start: bool
    of_lines: bool

    def python(self) -> str:
        if self.of_lines:
            return "(?m:^)" if self.is_start else "(?m:$)"
        return r"\A" if self.is_start else r"\Z"

    def holds(self, text: str, place: int) -> bool:
        if self.is_start:
            return place == 0 or (self.of_lines and text[place - 1] == "\n")
        return place == len(text) or (self.of_lines and text[place] == "\n")


@dataclass(frozen=True, slots=True)
class Boundary:
    r"""``\b``: a word begins or ends here; ``\B``: neither."""

    wanted: bool

    def python(self) -> str:
        return r"\b" if self.wanted else r"(?!\b)"

    def holds(self, text: str, place: int) -> bool:
        before = place > 0 and _is_word(text[place - 1])
        after = place < len(text) and _is_word(text[place])
        return (before != after) is self.wanted


@dataclass(frozen=True, slots=True)
class Sequence:
    """Parts one after the other."""

    parts: "tuple[Pattern, ...]"

    def python(self) -> str | None:
        return _joined(self.parts, "")


@dataclass(frozen=True, slots=True)
class Alternatives:
    """Parts of which the first that fits is taken."""

    parts: "tuple[Pattern, ...]"

    def python(self) -> str | None:
        inner = _joined(self.parts, "|")
        return None if inner is None else f"(?:{inner})"


@dataclass(frozen=True, slots=True)
class Group:
    """A part in brackets; with a number, what it matched can be used."""

    body: "Pattern"
    number: int | None

    def python(self) -> str | None:
        inner = self.body.python()
        return None if inner is None else f"({'?:' if self.number is None else ''}{inner})"


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part so many times; ``most`` is None for no limit."""

    body: "Pattern"
    least: int
    most: int | None
    greedy: bool

    def python(self) -> str | None:
        inner = self.body.python()
        if inner is None:
            return None
        most = "" if self.most is None else self.most
        return f"(?:{inner}){{{self.least},{most}}}{'' if self.greedy else '?'}"


Pattern: TypeAlias = Characters | Line | Boundary | Sequence | Alternatives | Group | Repeat


def _joined(parts: "tuple[Pattern, ...]", glue: str) -> str | None:
    sources = [part.python() for part in parts]
    return None if None in sources else glue.join(source or "" for source in sources)


def parse(pattern: str, flags: str) -> tuple[Pattern, int]:
    """Parse a pattern; returns its tree and how many groups it has.

    Raises:
        Fault: ``bad_arguments``: it cannot be read, or is not supported.
    """
    unknown = set(flags) - _FLAGS
    if unknown:
        raise Fault("bad_arguments", f"The flags may be s, m, i and x, not {min(unknown)}.")
    if len(pattern) > _MAX_LENGTH:
        message = f"A pattern may have {_MAX_LENGTH:,} characters, this one has {len(pattern):,}."
        raise Fault("bad_arguments", message)
    parser = _Parser(pattern, flags)
    tree = parser.alternatives()
    if parser.at < len(pattern):
        parser.fail('a bracket ")" without its "("')
    return tree, parser.groups


class _Parser:
    def __init__(self, pattern: str, flags: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.groups = 0
        self.depth = 0
        self.ignore_case = "i" in flags
        self.dot_all = "s" in flags
        self.lines = "m" in flags
        self.spaced = "x" in flags

    def fail(self, found: str) -> NoReturn:
        shown = self.pattern if len(self.pattern) <= 60 else f"{self.pattern[:60]}…"
        raise Fault(
            "bad_arguments", f'The pattern "{shown}" has {found}, at character {self.at + 1}.'
        )

    def peek(self) -> str:
        while self.spaced and self.pattern[self.at : self.at + 1].isspace():
            self.at += 1
        return self.pattern[self.at : self.at + 1]

    def take(self, mark: str) -> bool:
        if self.peek() == mark and mark:
            self.at += 1
            return True
        return False

    def alternatives(self) -> Pattern:
        self.depth += 1
        if self.depth > _MAX_NESTING:
            self.fail("too many brackets inside each other")
        parts = [self.sequence()]
        while self.take("|"):
            parts.append(self.sequence())
        self.depth -= 1
        return parts[0] if len(parts) == 1 else Alternatives(tuple(parts))

    def sequence(self) -> Pattern:
        parts: list[Pattern] = []
        while self.peek() not in {"", "|", ")"}:
            parts.append(self.repeated())
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def repeated(self) -> Pattern:
        body = self.atom()
        mark = self.peek()
        if mark not in {"*", "+", "?", "{"}:
            return body
        if isinstance(body, (Line, Boundary)):
            self.fail(f'a "{mark}" after what has no length')
        self.at += 1
        least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(mark) or self.counts()
        repeat = Repeat(body, least, most, greedy=not self.take("?"))
        if self.peek() in {"*", "+", "{"}:
            self.fail("two repetitions of one part")
        return repeat

    def counts(self) -> tuple[int, int | None]:
        end = self.pattern.find("}", self.at)
        low, comma, high = self.pattern[self.at : max(end, self.at)].partition(",")
        if end < 0 or not _is_count(low) or (high and not _is_count(high)):
            self.fail('a "{" without numbers and "}" after it (write \\{ for the character)')
        self.at = end + 1
        least = int(low)
        most = int(high) if high else None if comma else least
        if most is not None and most < least:
            self.fail("a repetition whose second number is smaller")
        return least, most

    def atom(self) -> Pattern:
        mark = self.peek()
        match mark:
            case "(":
                return self.group()
            case "[":
                self.at += 1
                return self.set()
            case "\\":
                return self.escape()
            case "*" | "+" | "?" | "{":
                self.fail(f'a "{mark}" with nothing before it (write \\{mark} for the character)')
            case "}" | "]":
                self.fail(f'a "{mark}" alone (write \\{mark} for the character)')
        self.at += 1
        if mark == "^":
            return Line(is_start=True, of_lines=self.lines)
        if mark == "$":
            return Line(is_start=False, of_lines=self.lines)
        if mark == ".":
            if self.dot_all:
                return Characters(lambda _: True, "(?s:.)")
            return Characters(lambda c: c != "\n", ".")
        return self.single(mark)

    def group(self) -> Pattern:
        self.at += 1
        number: int | None = None
        if self.take("?"):
            if not self.take(":"):
                self.fail('a "(?" that is not "(?:" (looking ahead or behind is not supported)')
        else:
            self.groups += 1
            number = self.groups
        body = self.alternatives()
        if not self.take(")"):
            self.fail('a bracket "(" that is not closed')
        return Group(body, number)

    def single(self, character: str) -> Characters:
        source = f"\\U{ord(character):08x}"
        if self.ignore_case:
            either = {character, *_cases(character)}
            return Characters(lambda c: c in either or character in _cases(c), source)
        return Characters(lambda c: c == character, source)

    def escape(self) -> Pattern:
        self.at += 1
        mark = self.pattern[self.at : self.at + 1]
        if mark in {"b", "B"}:
            self.at += 1
            return Boundary(mark == "b")
        if mark.isdecimal():
            self.fail("a reference back to a group, which is not supported")
        found = self.class_escape()
        return self.single(found) if isinstance(found, str) else found

    def class_escape(self) -> str | Characters:
        """What stands after a backslash: one character, or a class of them."""
        mark = self.pattern[self.at : self.at + 1]
        self.at += 1
        if mark in _PLAIN_ESCAPES:
            return _PLAIN_ESCAPES[mark]
        if mark in _CLASSES:
            return _CLASSES[mark]
        if mark in {"p", "P"}:
            return self.category(wanted=mark == "p")
        if mark and not mark.isalnum():
            return mark
        self.at -= 1
        return self.fail(f'an escape "\\{mark}" that is not known')

    def category(self, *, wanted: bool) -> Characters:
        end = self.pattern.find("}", self.at)
        name = self.pattern[self.at + 1 : max(end, self.at)]
        block = _BLOCKS.get(name.removeprefix("Is")) if name.startswith("Is") else None
        if self.pattern[self.at : self.at + 1] != "{" or not (block or name in _CATEGORIES):
            self.fail("a \\p without a category such as {L} or {Lu} after it")
        self.at = end + 1
        if block:
            low, high = block
            return Characters(lambda c: (low <= ord(c) <= high) is wanted, None)
        return Characters(lambda c: unicodedata.category(c).startswith(name) is wanted, None)

    def set(self) -> Characters:
        """The rest of ``[…]``, with ``-[…]`` for what is taken out."""
        negated = self.pattern[self.at : self.at + 1] == "^"
        self.at += negated
        parts: list[Characters] = []
        without: Characters | None = None
        first = True
        while first or self.pattern[self.at : self.at + 1] != "]":
            if self.at >= len(self.pattern):
                self.fail('a "[" that is not closed')
            if self.pattern.startswith("-[", self.at) and not first:
                self.at += 2
                without = self.set()
                break
            parts.append(self.member())
            first = False
        if self.pattern[self.at : self.at + 1] != "]":
            self.fail('a "[" that is not closed')
        self.at += 1
        return _set(parts, without, negated=negated)

    def member(self) -> Characters:
        """One character, range or class of a set."""
        low = self.set_character()
        if isinstance(low, Characters):
            return low
        ranged = self.pattern[self.at : self.at + 1] == "-"
        if not ranged or self.pattern[self.at + 1 : self.at + 2] in {"]", "[", ""}:
            return self.single(low)
        self.at += 1
        high = self.set_character()
        if isinstance(high, Characters) or high < low:
            self.fail("a range of characters whose end does not come after its start")
        source = f"\\U{ord(low):08x}-\\U{ord(high):08x}"
        if self.ignore_case:
            return Characters(lambda c: any(low <= v <= high for v in (c, *_cases(c))), source)
        return Characters(lambda c: low <= c <= high, source)

    def set_character(self) -> str | Characters:
        mark = self.pattern[self.at : self.at + 1]
        self.at += 1
        if mark == "\\":
            return self.class_escape()
        if mark == "[":
            self.fail('a "[" inside a set (write \\[ for the character)')
        return mark


def _set(parts: list[Characters], without: Characters | None, *, negated: bool) -> Characters:
    tests = [part.test for part in parts]
    source: str | None = None
    if without is None and all(part.source is not None for part in parts):
        inner = "".join(part.source or "" for part in parts)
        source = f"[{'^' if negated else ''}{inner}]"
    known: dict[str, bool] = {}  # classes are asked about the same few characters

    def test(character: str) -> bool:
        answer = known.get(character)
        if answer is None:
            answer = any(part(character) for part in tests) is not negated
            answer = answer and not (without is not None and without.test(character))
            if len(known) < 1_000:
                known[character] = answer
        return answer

    return Characters(test, source)


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _cases(character: str) -> tuple[str, str]:
    return character.lower(), character.upper()


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 4 and int(text) <= _MAX_REPEAT


def _begins_name(character: str) -> bool:
    return character in {"_", ":"} or unicodedata.category(character) in _LETTERS


def _goes_on_name(character: str) -> bool:
    return _begins_name(character) or (
        character in "-.·" or unicodedata.category(character) in {"Nd", "Mn", "Mc", "Me", "Lm"}
    )


_LETTERS: Final = frozenset({"Lu", "Ll", "Lt", "Lo", "Nl"})
# Blocks of Unicode that people name, as ``\p{IsBasicLatin}``.
_BLOCKS: Final = {
    "BasicLatin": (0x00, 0x7F),
    "Latin-1Supplement": (0x80, 0xFF),
    "LatinExtended-A": (0x100, 0x17F),
    "LatinExtended-B": (0x180, 0x24F),
    "IPAExtensions": (0x250, 0x2AF),
    "SpacingModifierLetters": (0x2B0, 0x2FF),
    "CombiningDiacriticalMarks": (0x300, 0x36F),
    "Greek": (0x370, 0x3FF),
    "GreekandCoptic": (0x370, 0x3FF),
    "Cyrillic": (0x400, 0x4FF),
    "Armenian": (0x530, 0x58F),
    "Hebrew": (0x590, 0x5FF),
    "Arabic": (0x600, 0x6FF),
    "Devanagari": (0x900, 0x97F),
    "Bengali": (0x980, 0x9FF),
    "Thai": (0xE00, 0xE7F),
    "HangulJamo": (0x1100, 0x11FF),
    "LatinExtendedAdditional": (0x1E00, 0x1EFF),
    "GeneralPunctuation": (0x2000, 0x206F),
    "SuperscriptsandSubscripts": (0x2070, 0x209F),
    "CurrencySymbols": (0x20A0, 0x20CF),
    "Arrows": (0x2190, 0x21FF),
    "MathematicalOperators": (0x2200, 0x22FF),
    "BoxDrawing": (0x2500, 0x257F),
    "Hiragana": (0x3040, 0x309F),
    "Katakana": (0x30A0, 0x30FF),
    "CJKUnifiedIdeographs": (0x4E00, 0x9FFF),
    "HangulSyllables": (0xAC00, 0xD7AF),
    "PrivateUse": (0xE000, 0xF8FF),
}
_PLAIN_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t"}
_CLASSES: Final = {
    "d": Characters(str.isdecimal, r"\d"),
    "D": Characters(lambda c: not c.isdecimal(), r"\D"),
    "s": Characters(str.isspace, r"\s"),
    "S": Characters(lambda c: not c.isspace(), r"\S"),
    "w": Characters(_is_word, r"\w"),
    "W": Characters(lambda c: not _is_word(c), r"\W"),
    "i": Characters(_begins_name, None),
    "I": Characters(lambda c: not _begins_name(c), None),
    "c": Characters(_goes_on_name, None),
    "C": Characters(lambda c: not _goes_on_name(c), None),
}
_CATEGORIES: Final = frozenset(
    {
        "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No",
        "P", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Z", "Zs", "Zl", "Zp",
        "S", "Sm", "Sc", "Sk", "So", "C", "Cc", "Cf", "Co", "Cn",
    }
)  # fmt: skip
