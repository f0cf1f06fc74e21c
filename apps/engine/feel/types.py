"""The values of FEEL, what they are called, and what an evaluation may spend.

A number is an ``int`` or a ``Decimal``, text a ``str``, a days-and-time duration
a ``timedelta``, a context any ``Mapping``; dates and times are those of the
standard library, or those of ``wide``. Only what Python lacks has a class here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)
from typing import Any, Final, TypeAlias

from apps.engine.feel.errors import Fault
from apps.engine.feel.wide import WideDate, WideDateTime, WideTime
from apps.engine.values import MAX_DIGITS, MAX_EXPONENT

__all__ = [
    "CONTEXT",
    "NUMBERS",
    "Budget",
    "FeelValue",
    "Function",
    "Meter",
    "Months",
    "Number",
    "Range",
    "described",
    "is_context",
    "is_number",
    "is_whole",
    "phrase",
    "type_name",
    "whole",
]

Number: TypeAlias = int | Decimal

# Decimal128: 34 digits, rounded half to even; too great is an error, not Infinity.
CONTEXT: Final = Context(
    prec=MAX_DIGITS,
    rounding=ROUND_HALF_EVEN,
    Emin=-MAX_EXPONENT + 1,
    Emax=MAX_EXPONENT,
    capitals=1,
    clamp=0,
    flags=[],
    traps=[InvalidOperation, DivisionByZero, Overflow],
)
_COUNTABLE: Final = 10**9
NUMBERS: Final = frozenset({int, Decimal})


@dataclass(frozen=True, slots=True, order=True)
class Months:
    """A years-and-months duration, counted in months."""

    count: int


@dataclass(frozen=True, slots=True)
class Range:
    """An interval such as ``[1..10)``; an end that is None is open."""

    start: Any
    end: Any
    start_included: bool
    end_included: bool


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function that an expression made; ``call`` takes the arguments in order."""

    parameters: tuple[str, ...]
    call: Callable[[Sequence[Any]], Any]
    accepts: Callable[[int], bool] | None = None
    """Whether it takes so many arguments, where it is built in and has several ways."""
    types: tuple[str, ...] = ()
    """The types of its parameters as FEEL writes them, where they are said; ``Any`` else."""
    result: str = "Any"

    def takes(self, count: int) -> bool:
        """Whether it can be called with so many arguments."""
        return self.accepts(count) if self.accepts else count == len(self.parameters)


FeelValue: TypeAlias = (
    "bool | int | Decimal | str | date | time | datetime | WideDate | WideTime | WideDateTime"
    " | timedelta | Months | Range | Function | list[FeelValue] | Mapping[str, FeelValue] | None"
)


@dataclass(frozen=True, slots=True)
class Budget:
    """What one evaluation may spend.

    Attributes:
        operations: Iterations, calls and list elements, weighted by their cost.
        size: Bytes of the result as JSON text; also the longest text on the way.
        depth: Levels of nested calls, and of lists and contexts in the result.
    """

    operations: int = 100_000
    size: int = 1_000_000
    depth: int = 64


class Meter:
    """The running account of one evaluation, with its time and zone."""

    __slots__ = ("budget", "calls", "left", "now", "zone")

    def __init__(self, budget: Budget, now: datetime, zone: str) -> None:
        self.budget = budget
        self.left = budget.operations
        self.calls = 0
        self.now = now
        self.zone = zone

    def spend(self, operations: int) -> None:
        """Take operations from the account.

        Raises:
            Fault: ``budget``: nothing is left.
        """
        self.left -= operations
        if self.left < 0:
            raise Fault(
                "budget",
                f"The expression needs more than {self.budget.operations:,} operations. "
                "Use a shorter list or range, or split the work over several steps.",
            )

    def grow(self, size: int) -> None:
        """Pay for a text of ``size`` characters, and refuse one that is too long."""
        if size > self.budget.size:
            raise Fault(
                "budget",
                f"The expression makes a text longer than {self.budget.size:,} characters. "
                "Make it shorter.",
            )
        self.spend(1 + size // 256)


_NAMES: Final[dict[type, str]] = {
    type(None): "null",
    bool: "boolean",
    int: "number",
    Decimal: "number",
    str: "string",
    date: "date",
    time: "time",
    datetime: "date and time",
    WideDate: "date",
    WideTime: "time",
    WideDateTime: "date and time",
    timedelta: "days and time duration",
    Months: "years and months duration",
    list: "list",
    dict: "context",
    Range: "range",
    Function: "function",
}
_PHRASES: Final = {
    "null": "null (nothing)",
    "boolean": "true or false",
    "number": "a number",
    "string": "text",
    "date": "a date",
    "time": "a time",
    "date and time": "a date and time",
    "days and time duration": "a duration of days and time",
    "years and months duration": "a duration of years and months",
    "list": "a list",
    "context": "a context",
    "range": "a range",
    "function": "a function",
}


def type_name(value: object) -> str:
    """The FEEL name of a value's type, such as ``days and time duration``.

    Raises:
        TypeError: The value is not one that FEEL has: a fault of the program.
    """
    name = _NAMES.get(type(value))
    if name is not None:
        return name
    if isinstance(value, Mapping):
        return "context"
    message = f"FEEL has no values of type {type(value).__name__}"
    raise TypeError(message)


def phrase(type_: str) -> str:
    """A type as people say it: ``a number``, ``text``."""
    return _PHRASES[type_]


def described(value: object) -> str:
    """A value as a message names it: its type, and itself where it is short."""
    said = phrase(type_name(value))
    match value:
        case None:
            return said
        case bool():
            return "true" if value else "false"
        case str():
            return f'the text "{value}"' if len(value) <= 30 else f'a text ("{value[:27]}…")'
        case int() | Decimal():
            return f"the number {value}"
        case _:
            return said


def is_number(value: object) -> bool:
    """Whether FEEL calls the value a number; true and false are not."""
    return type(value) in NUMBERS


def is_context(value: object) -> bool:
    """Whether the value has named parts."""
    return type(value) is dict or isinstance(value, Mapping)


def is_whole(value: Number) -> bool:
    """Whether a number has no fraction; unlike ``% 1``, right for Decimals of any size."""
    return isinstance(value, int) or value == value.to_integral_value()


def whole(value: Number, name: str) -> int:
    """A number that must be whole, and small enough to count with, as ``int``.

    Raises:
        Fault: ``bad_arguments``: it is neither.
    """
    if not is_whole(value) or not -_COUNTABLE <= value <= _COUNTABLE:
        raise Fault("bad_arguments", f"Expected a whole number as {name}, found {value}.")
    return int(value)
