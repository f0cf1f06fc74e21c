r"""Regular expressions that cannot bomb.

The standard library's engine backtracks, and a pattern such as ``(a+)+$`` keeps it
busy for years. So a pattern is parsed here, and then

* is run by the standard library where even the worst case is small: no repetition
  inside a repetition, and ``length ** (1 + repetitions)`` below a fixed number;
* is run by ``backtrack`` below otherwise, which never tries a place of the pattern
  twice at one place of the text, so that its work is at most their product, and
  which pays for each step from the budget.

Both find the same matches: the leftmost, alternatives in their order. The syntax
is that of XPath and XQuery functions, with ``\b`` besides; look-around and
references back to a group are refused.

Source: Russ Cox, Regular Expression Matching: the Virtual Machine Approach (2009),
and the bit-state matcher of RE2.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from apps.engine.feel.errors import Fault
from apps.engine.feel.regex_syntax import (
    Alternatives,
    Boundary,
    Characters,
    Group,
    Line,
    Pattern,
    Repeat,
    Sequence,
    parse,
)
from apps.engine.feel.types import Meter

__all__ = ["Regex", "compiled", "replace", "search", "split"]

_MAX_PROGRAM: Final = 2_000
_SMALL_WORK: Final = 20_000_000

# Instructions: what to do, and one or two numbers.
_CHARACTER, _SPLIT, _JUMP, _SAVE, _ASSERT, _MATCH = range(6)

_TOO_MUCH: Final = "The regular expression needs too much work on a text of this length."

Match = list[int]


@dataclass(frozen=True, slots=True)
class Regex:
    """A pattern, ready to run both ways.

    Attributes:
        program: The instructions of the careful matcher.
        quick: The same for the standard library, where it can be said.
        repetitions: How many repetitions have no fixed length; None where one
            stands inside another.
        groups: How many groups the pattern has.
    """

    program: tuple[tuple[int, object, int], ...]
    quick: re.Pattern[str] | None
    repetitions: int | None
    groups: int

    def is_small(self, length: int) -> bool:
        """Whether the standard library surely finishes soon on such a text."""
        if self.quick is None or self.repetitions is None:
            return False
        work: int = len(self.program) * (length + 1) ** (1 + self.repetitions)
        return work <= _SMALL_WORK


@lru_cache(maxsize=512)
def compiled(pattern: str, flags: str) -> Regex:
    """Parse a pattern.

    Raises:
        Fault: ``bad_arguments``: its syntax is wrong, not supported or too large.
    """
    tree, groups = parse(pattern, flags)
    program: list[tuple[int, object, int]] = []
    _emit(tree, program)
    program.append((_MATCH, 0, 0))
    quick = None
    source = tree.python()
    if source is not None:
        quick = re.compile(source, _python_flags(flags))
    return Regex(tuple(program), quick, _repetitions(tree), groups)


def search(meter: Meter, regex: Regex, text: str) -> bool:
    """Whether the pattern matches somewhere in the text."""
    if regex.quick is not None and regex.is_small(len(text)):
        return regex.quick.search(text) is not None
    return backtrack(meter, regex, text, 0) is not None


def replace(meter: Meter, regex: Regex, text: str, replacement: str) -> str:
    """The text with each match replaced."""
    pieces = _template(replacement, regex.groups)
    parts: list[str] = []
    end = 0
    for match in _matches(meter, regex, text):
        parts.append(text[end : match[0]])
        for piece in pieces:
            if isinstance(piece, str):
                parts.append(piece)
            elif match[2 * piece] >= 0:
                parts.append(text[match[2 * piece] : match[2 * piece + 1]])
        end = match[1]
        meter.spend(2 + sum(map(len, parts[-len(pieces) :])) // 256 if pieces else 2)
    parts.append(text[end:])
    meter.grow(sum(map(len, parts)))
    return "".join(parts)


def split(meter: Meter, regex: Regex, text: str) -> list[str]:
    """The parts of the text between the matches."""
    parts: list[str] = []
    end = 0
    for match in _matches(meter, regex, text):
        parts.append(text[end : match[0]])
        end = match[1]
        meter.spend(2)
    parts.append(text[end:])
    return parts


def _matches(meter: Meter, regex: Regex, text: str) -> Iterator[Match]:
    """All matches from left to right, each as the starts and ends of its groups."""
    if regex.quick is not None and regex.is_small(len(text)):
        for found in regex.quick.finditer(text):
            _not_empty(found.end() - found.start())
            yield [place for group in range(regex.groups + 1) for place in found.span(group)]
        return
    at = 0
    while match := backtrack(meter, regex, text, at):
        _not_empty(match[1] - match[0])
        yield match
        at = match[1]


def _not_empty(length: int) -> None:
    if length == 0:
        raise Fault(
            "bad_arguments",
            "The pattern matches nothing at all between two characters. "
            'Use "+" instead of "*", for one or more.',
        )


def _template(replacement: str, groups: int) -> list[str | int]:
    """Cut a replacement into texts and numbers of groups."""
    pieces: list[str | int] = []
    for part in re.findall(r"\\.|\$\d|[^\\$]+|.", replacement, re.DOTALL):
        if part[0] == "$" and len(part) == 2:
            if int(part[1]) > groups:
                raise Fault("bad_arguments", f"The pattern has no group {part}.")
            pieces.append(int(part[1]))
        elif part in {"\\\\", "\\$"}:
            pieces.append(part[1])
        elif part[0] in "\\$":
            raise Fault(
                "bad_arguments",
                f'In a replacement "{part[0]}" needs a backslash before it: "\\\\{part[0]}".',
            )
        else:
            pieces.append(part)
    return pieces


def _python_flags(flags: str) -> int:
    found = 0
    if "i" in flags:
        found |= re.IGNORECASE
    return found


def _repetitions(tree: Pattern) -> int | None:
    """Count repetitions without fixed length; None where one lies inside another."""
    match tree:
        case Repeat(body=body, least=least, most=most):
            inner = _repetitions(body)
            if inner is None or (inner and most != 1):
                return None
            if isinstance(body, Characters):
                return 0 if least == most else 1
            if most != 1 and _has_choice(body):
                return None
            return inner + (least != most)
        case Sequence(parts=parts) | Alternatives(parts=parts):
            counts = [_repetitions(part) for part in parts]
            return None if None in counts else sum(count or 0 for count in counts)
        case Group(body=body):
            return _repetitions(body)
        case _:
            return 0


def _has_choice(tree: Pattern) -> bool:
    match tree:
        case Alternatives():
            return True
        case Sequence(parts=parts):
            return any(map(_has_choice, parts))
        case Group(body=body) | Repeat(body=body):
            return _has_choice(body)
        case _:
            return False


def _emit(tree: Pattern, program: list[tuple[int, object, int]]) -> None:
    """Append the instructions of a tree."""
    if len(program) > _MAX_PROGRAM:
        raise Fault("bad_arguments", "The pattern is too large. Use smaller repetitions.")
    match tree:
        case Characters(test=test):
            program.append((_CHARACTER, test, 0))
        case Line() | Boundary():
            program.append((_ASSERT, tree, 0))
        case Sequence(parts=parts):
            for part in parts:
                _emit(part, program)
        case Group(body=body, number=None):
            _emit(body, program)
        case Group(body=body, number=int(number)):
            program.append((_SAVE, None, 2 * number))
            _emit(body, program)
            program.append((_SAVE, None, 2 * number + 1))
        case Alternatives(parts=parts):
            _emit_alternatives(parts, program)
        case Repeat():
            _emit_repeat(tree, program)


def _emit_alternatives(parts: tuple[Pattern, ...], program: list[tuple[int, object, int]]) -> None:
    jumps: list[int] = []
    for part in parts[:-1]:
        fork = len(program)
        program.append((_SPLIT, 0, 0))
        _emit(part, program)
        jumps.append(len(program))
        program.append((_JUMP, 0, 0))
        program[fork] = (_SPLIT, fork + 1, len(program))
    _emit(parts[-1], program)
    for jump in jumps:
        program[jump] = (_JUMP, len(program), 0)


def _emit_repeat(tree: Repeat, program: list[tuple[int, object, int]]) -> None:
    for _ in range(tree.least):
        _emit(tree.body, program)
    if tree.most is None:
        fork = len(program)
        program.append((_SPLIT, 0, 0))
        _emit(tree.body, program)
        # x* as (x+)?: after a turn that took nothing the way out is still untried.
        end = len(program) + 1
        program.append(_fork(fork + 1, end, greedy=tree.greedy))
        program[fork] = _fork(fork + 1, end, greedy=tree.greedy)
        return
    forks: list[int] = []
    for _ in range(tree.most - tree.least):
        forks.append(len(program))
        program.append((_SPLIT, 0, 0))
        _emit(tree.body, program)
    for fork in forks:
        program[fork] = _fork(fork + 1, len(program), greedy=tree.greedy)


def _fork(on: int, out: int, *, greedy: bool) -> tuple[int, object, int]:
    return (_SPLIT, on, out) if greedy else (_SPLIT, out, on)


def backtrack(meter: Meter, regex: Regex, text: str, start: int) -> Match | None:
    """The leftmost match at or after ``start``, in time linear in the text.

    Raises:
        Fault: ``budget``: text and pattern are too long for what is left.
    """
    limit = meter.left
    seen: set[int] = set()
    try:
        for begin in range(start, len(text) + 1):
            match = _try_at(regex, text, begin, seen, limit)
            if match is not None:
                return match
    finally:
        meter.left -= len(seen)
    return None


def _try_at(regex: Regex, text: str, begin: int, seen: set[int], limit: int) -> Match | None:
    """A match that begins here; ``seen`` holds what has already failed."""
    program, length = regex.program, len(text)
    saved = [-1] * (2 * regex.groups + 2)
    # Either a place to go on from, or (below zero) a saved value to put back.
    stack: list[tuple[int, int]] = [(0, begin)]
    while stack:
        at, place = stack.pop()
        if at < 0:
            saved[-at - 1] = place
            continue
        while True:
            key = at * (length + 1) + place
            if key in seen:
                break
            if len(seen) >= limit:
                raise Fault("budget", _TOO_MUCH)
            seen.add(key)
            kind, first, second = program[at]
            if kind == _CHARACTER:
                if place == length or not first(text[place]):  # type: ignore[operator]
                    break
                place += 1
                at += 1
            elif kind == _SPLIT:
                stack.append((second, place))
                at = first  # type: ignore[assignment]
            elif kind == _JUMP:
                at = first  # type: ignore[assignment]
            elif kind == _SAVE:
                stack.append((-second - 1, saved[second]))
                saved[second] = place
                at += 1
            elif kind == _ASSERT:
                if not first.holds(text, place):  # type: ignore[attr-defined]
                    break
                at += 1
            else:
                saved[0], saved[1] = begin, place
                return saved
    return None
