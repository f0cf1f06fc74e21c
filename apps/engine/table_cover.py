"""Finds what a decision table forgets, and what it says twice.

Each column is cut at the values that its cells name, into pieces in which every cell of the
column answers the same: for numbers and dates the values themselves and the gaps between
them, for texts and truth values the values and "another text". One value stands for each
piece. A table over such pieces is finite, so a piece of every column that no rule matches is
a proof, with an example, and so are two rules that share one.

A cell that looks at anything else (a path, a function, the order of texts) is not cut up:
it may match everything, so no gap is claimed beneath it, and nothing, so no overlap is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, TypeAlias

from apps.engine.feel import FeelError, Months
from apps.engine.feel.ast import Call, Constant, Name, Negation, Node, RangeLiteral, Test
from apps.engine.feel.builtins.conversion import string
from apps.engine.feel.errors import Fault
from apps.engine.feel.operators import compare, negate
from apps.engine.feel.parser import parse_unary_tests
from apps.engine.feel.temporal import (
    parse_date,
    parse_date_and_time,
    parse_duration,
    parse_time,
)
from apps.engine.feel.types import NUMBERS, Budget, Meter

__all__ = ["Example", "Overlap", "find_gap", "find_overlaps", "said"]

_NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
_MOST_STATES: Final = 20_000
_CALLS: Final[dict[str, Callable[[str], Any]]] = {
    "date": parse_date,
    "time": parse_time,
    "date and time": parse_date_and_time,
    "duration": parse_duration,
}
# What a column holds, by the type of the values in its cells.
_KINDS: Final[dict[type, str]] = {
    int: "number",
    Decimal: "number",
    str: "text",
    bool: "boolean",
    date: "date",
    datetime: "moment",
    time: "time",
    timedelta: "duration",
    Months: "months",
}


@dataclass(frozen=True, slots=True)
class Example:
    """A value for one input; ``is_any`` where every value does."""

    value: Any = None
    is_any: bool = True


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two rules, from 0, that match the same input.

    ``is_fallback``: the later one matches wherever the earlier does, as a last "else" row.
    """

    first: int
    second: int
    example: tuple[Example, ...]
    is_fallback: bool


@dataclass(frozen=True, slots=True)
class _Column:
    """A column cut up: a value for each piece, and for each row the pieces it matches, as bits.

    A row whose cell is not understood has None.
    """

    values: tuple[Example, ...]
    rows: tuple[int | None, ...]

    @property
    def everything(self) -> int:
        return (1 << len(self.values)) - 1


def find_gap(rules: Sequence[Sequence[str]]) -> tuple[Example, ...] | None:
    """An input that no rule matches, or None where there is none, or none that is certain.

    Args:
        rules: The unary tests of each rule, one for each input.
    """
    columns = _columns(rules)
    masks = [_by_piece(column) for column in columns]
    seen: set[tuple[int, int]] = set()

    def search(depth: int, alive: int) -> list[int] | None:
        if not alive:
            return []
        if depth == len(columns) or (depth, alive) in seen or len(seen) > _MOST_STATES:
            return None
        seen.add((depth, alive))
        for piece, matching in enumerate(masks[depth]):
            found = search(depth + 1, alive & matching)
            if found is not None:
                return [piece, *found]
        return None

    pieces = search(0, (1 << len(rules)) - 1)
    if pieces is None:
        return None
    fixed = [column.values[piece] for column, piece in zip(columns, pieces, strict=False)]
    return (*fixed, *(Example() for _ in columns[len(fixed) :]))


def _by_piece(column: _Column) -> list[int]:
    """For each piece of a column the rules that may match it, as bits."""
    always = 0
    found = [0] * len(column.values)
    for number, row in enumerate(column.rows):
        if row is None or row == column.everything:
            always |= 1 << number
        else:
            for piece in _places(row):
                found[piece] |= 1 << number
    return [always | mask for mask in found]


def find_overlaps(rules: Sequence[Sequence[str]]) -> Iterator[Overlap]:
    """Pairs of rules that surely match one and the same input."""
    columns = _columns(rules)
    sure = sum(
        1 << number
        for number in range(len(rules))
        if all(column.rows[number] is not None for column in columns)
    )
    meetings = [_Meetings(column, sure) for column in columns]
    for first in _places(sure):
        others = sure & ~((1 << first + 1) - 1)  # those that come later
        for column, meets in zip(columns, meetings, strict=True):
            others &= meets.of(column.rows[first] or 0)
        for second in _places(others):
            yield _overlap(columns, first, second)


class _Meetings:
    """Which rules share a piece of a column; each question is answered once."""

    def __init__(self, column: _Column, sure: int) -> None:
        self.known: dict[int, int] = {}
        self.by_piece = [0] * len(column.values)
        for number in _places(sure):
            for piece in _places(column.rows[number] or 0):
                self.by_piece[piece] |= 1 << number

    def of(self, pieces: int) -> int:
        """The rules that match one of these pieces, as bits."""
        if pieces not in self.known:
            found = 0
            for piece in _places(pieces):
                found |= self.by_piece[piece]
            self.known[pieces] = found
        return self.known[pieces]


def _overlap(columns: Sequence[_Column], first: int, second: int) -> Overlap:
    cells = [column.rows[first] or 0 for column in columns]
    common = [
        cell & (column.rows[second] or 0) for cell, column in zip(cells, columns, strict=True)
    ]
    example = tuple(
        Example() if bits == column.everything else column.values[_lowest(bits)]
        for bits, column in zip(common, columns, strict=True)
    )
    return Overlap(first, second, example, is_fallback=common == cells)


def _places(bits: int) -> Iterator[int]:
    """Where the bits are set; through a text, which is quicker than shifting long numbers."""
    text = bin(bits)[:1:-1]
    place = text.find("1")
    while place >= 0:
        yield place
        place = text.find("1", place + 1)


def _lowest(bits: int) -> int:
    return (bits & -bits).bit_length() - 1


def said(example: Example) -> str:
    """An example as FEEL writes it."""
    if example.is_any:
        return "any value"
    value = example.value
    if isinstance(value, str):
        return f'"{value}"'
    return string(Meter(Budget(), _NOW, "UTC"), value)


def _columns(rules: Sequence[Sequence[str]]) -> list[_Column]:
    return [_column(tuple(cells)) for cells in zip(*rules, strict=True)]


@lru_cache(maxsize=128)
def _column(cells: tuple[str, ...]) -> _Column:
    """Cut up a column; every cell that is not understood stands out."""
    read = {cell: _read(cell) for cell in set(cells)}
    values = [value for tests, _ in read.values() for test in tests for value in test.values]
    kinds = {_kind(value) for value in values}
    if len(kinds) > 1 or "other" in kinds:
        return _Column((Example(),), tuple(1 if _is_any(cell) else None for cell in cells))
    pieces = _pieces(kinds.pop(), values) if kinds else [Example()]
    places = {example.value: place for place, example in enumerate(pieces)}
    everything = (1 << len(pieces)) - 1
    answers = {
        cell: _answer(found, places, everything) if found is not _ODD else None
        for cell, found in read.items()
    }
    return _Column(tuple(pieces), tuple(answers[cell] for cell in cells))


def _is_any(cell: str) -> bool:
    return cell.strip() in {"", "-"}


@dataclass(frozen=True, slots=True)
class _Test:
    """A test that compares with values: ``sign`` is ``..`` for a range with two ends."""

    sign: str
    values: tuple[Any, ...]
    low: Any = None
    high: Any = None
    includes: tuple[bool, bool] = (True, True)


_Cell: TypeAlias = tuple[Sequence[_Test], bool]
_ODD: Final[_Cell] = ((), False)


def _answer(cell: _Cell, places: Mapping[Any, int], everything: int) -> int:
    """The pieces that a cell matches, as bits."""
    tests, negated = cell
    found = 0
    for test in tests:
        if test.sign == "..":
            first = 0 if test.low is None else places[test.low] + (not test.includes[0])
            last = places[test.high] + test.includes[1] if test.high is not None else len(places)
            found |= ((1 << max(last, first)) - 1) & ~((1 << first) - 1)
        else:
            same = 1 << places[test.values[0]] if test.values else 0
            found |= everything & ~same if test.sign == "!=" else same
    return everything & (~found if negated else found)


def _read(cell: str) -> _Cell:
    """The tests of a cell and whether they are negated; ``_ODD`` where it looks at more."""
    if _is_any(cell):
        return [], True
    try:
        tests = parse_unary_tests(cell, (), _CALLS)
        return [_test(test) for test in tests.tests], tests.negated
    except (FeelError, Fault, _NotPlain, RecursionError):
        return _ODD


class _NotPlain(Exception):
    """A cell holds more than values."""


def _test(test: Test) -> _Test:
    if isinstance(test.operand, RangeLiteral) and not test.operator:
        low, high = _value(test.operand.start), _value(test.operand.end)
        return _interval(low, high, (test.operand.start_included, test.operand.end_included))
    value = _value(test.operand)
    match test.operator:
        case "" | "=" | "!=":
            return _Test(test.operator, () if value is None else (value,))
        case "<" | "<=":
            return _interval(None, value, (False, test.operator == "<="))
        case _:
            return _interval(value, None, (test.operator == ">=", False))


def _interval(low: Any, high: Any, includes: tuple[bool, bool]) -> _Test:
    ends = tuple(value for value in (low, high) if value is not None)
    # Between two texts there are too many others to name one.
    if not ends or any(type(value) in {str, bool} for value in ends):
        raise _NotPlain
    return _Test("..", ends, low, high, includes)


def _value(node: Node) -> Any:
    match node:
        case Constant(value=value):
            return value
        case Negation(operand=Constant(value=value)):
            return negate(value)
        case Call(callee=Name(name=name), arguments=(Constant(value=str() as text),)) if (
            name in _CALLS
        ):
            return _CALLS[name](text)
    raise _NotPlain


def _kind(value: Any) -> str:
    kind = _KINDS.get(type(value), "other")
    if kind in {"moment", "time"} and value.tzinfo is not None:
        return f"{kind} with zone" if value.utcoffset() is not None else "other"
    return kind


def _pieces(kind: str, values: list[Any]) -> list[Example]:
    """A value for each piece: what is named, and what lies between."""
    if kind == "boolean":
        return [Example(True, is_any=False), Example(False, is_any=False)]
    if kind == "text":
        texts = dict.fromkeys(values)
        other = "another text"
        while other in texts:
            other += "…"
        return [Example(text, is_any=False) for text in (*texts, other)]
    ordered = sorted(values, key=_Order)
    points = [
        value for at, value in enumerate(ordered) if not at or compare(ordered[at - 1], value)
    ]
    found: list[Any] = [_beyond(points[0], -1)]
    for place, point in enumerate(points):
        found.append(point)
        after = points[place + 1] if place + 1 < len(points) else None
        found.append(_beyond(point, 1) if after is None else _between(point, after))
    return [Example(value, is_any=False) for value in found if value is not None]


class _Order:
    """Sorts values as FEEL orders them."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __lt__(self, other: "_Order") -> bool:
        return compare(self.value, other.value) < 0


def _beyond(value: Any, sign: int) -> Any:
    """A value of the same kind below or above all others, if there is one."""
    try:
        match value:
            case int() | Decimal():
                return int(value) + sign
            case Months():
                return Months(value.count + sign)
            case time():
                return _clock(value, sign)
            case _:
                return value + sign * timedelta(days=1)
    except OverflowError:
        return None


def _clock(value: time, sign: int) -> time | None:
    last = time.max if sign > 0 else time.min
    beyond = last.replace(tzinfo=value.tzinfo)
    return beyond if compare(beyond, value) * sign > 0 else None


def _between(low: Any, high: Any) -> Any:
    """A round value between two, or None where there is none that can be said."""
    if type(low) in NUMBERS:
        return _number_between(Decimal(low), Decimal(high))
    try:
        return _moment_between(low, high)
    except OverflowError:
        return None


def _moment_between(low: Any, high: Any) -> Any:
    match low:
        case Months():
            middle = (low.count + high.count) // 2
            return Months(middle) if middle > low.count else None
        case datetime() | timedelta():
            half = low + (high - low) / 2
            return half if low < half < high else None
        case date():
            found = low + (high - low) // 2
            return found if found > low else None
        case time():
            day = date(2000, 6, 15)
            start, end = datetime.combine(day, low), datetime.combine(day, high)
            half = (start + (end - start) / 2).timetz()
            return half if compare(low, half) < 0 < compare(high, half) else None
    return None


def _number_between(low: Decimal, high: Decimal) -> Any:
    middle = (low + high) / 2
    for whole in (int(middle), int(low) + 1, int(high) - 1):
        if low < whole < high:
            return whole
    return middle.normalize() if low < middle < high else None
