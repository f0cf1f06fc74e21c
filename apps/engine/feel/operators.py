"""What the operators of FEEL mean, strictly.

These are the full meanings, for any two values. The compiler answers the common
cases (two numbers, two texts) itself and comes here for the rest. A ``Fault``
gets its position from the operator that called.

Source: OMG DMN 1.5, section 10.3.2.4 to 10.3.2.7, without its null results.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, DecimalException, DivisionByZero, InvalidOperation, Overflow
from typing import Any, Final

from apps.engine.feel import temporal
from apps.engine.feel.errors import Fault
from apps.engine.feel.types import (
    CONTEXT,
    NUMBERS,
    Function,
    Meter,
    Months,
    Number,
    Range,
    described,
    is_context,
    phrase,
    type_name,
)
from apps.engine.feel.wide import KINDS, WideDate, WideDateTime, combine
from apps.engine.values import MAX_DIGITS, MAX_EXPONENT

__all__ = [
    "ARITHMETIC",
    "INT_LIMIT",
    "ORDER",
    "add",
    "compare",
    "divide",
    "equal",
    "in_range",
    "negate",
    "number_result",
    "same",
]

INT_LIMIT: Final = 10**MAX_DIGITS
_ORDERED: Final = frozenset({str, timedelta, Months})
_TEMPORAL: Final = frozenset({date, time, datetime})
_DAYS: Final = frozenset({date, WideDate, datetime, WideDateTime})
_MOMENTS: Final = frozenset({*KINDS, *KINDS.values()})


def number_result(value: int) -> Number:
    """A whole number that fits 34 digits, or the nearest Decimal that does."""
    if -INT_LIMIT < value < INT_LIMIT:
        return value
    return CONTEXT.create_decimal(value)


def _guarded(operate: Callable[[Any, Any], Number]) -> Callable[[Any, Any], Number]:
    """Turn what the decimal library signals into a ``Fault``."""

    def guarded(left: Any, right: Any) -> Number:
        try:
            return operate(left, right)
        except DivisionByZero:
            raise _by_zero() from None
        except Overflow:
            raise _too_great() from None
        except InvalidOperation:
            if not right:
                raise _by_zero() from None
            raise _too_great() from None
        except DecimalException:
            raise _too_great() from None

    return guarded


def _by_zero() -> Fault:
    return Fault(
        "division_by_zero", "A number is divided by zero. Check the divisor first, with if."
    )


def _too_great() -> Fault:
    return Fault("overflow", f"The result is too great: its exponent is beyond {MAX_EXPONENT}.")


def _wrong(verb: str, left: object, right: object, hint: str = "") -> Fault:
    if left is None or right is None:
        return Fault(
            "wrong_type",
            f"Cannot {verb} {described(left)} and {described(right)}. "
            "Use get or else(value, default) where a value may be null.",
        )
    hint = f" {hint}" if hint else ""
    return Fault("wrong_type", f"Cannot {verb} {described(left)} and {described(right)}.{hint}")


def _add_numbers(left: Any, right: Any) -> Number:
    if type(left) is int and type(right) is int:
        return number_result(left + right)
    return CONTEXT.add(left, right)


def add(meter: Meter, left: Any, right: Any) -> Any:
    """``left + right``."""
    match left, right:
        case (str(), str()):
            meter.grow(len(left) + len(right))
            return left + right
        case (_, timedelta()) if type(left) in _MOMENTS:
            return temporal.add_days_and_time(left, right)
        case (timedelta(), _) if type(right) in _MOMENTS:
            return temporal.add_days_and_time(right, left)
        case (_, Months()) if type(left) in _DAYS:
            return temporal.add_months(left, right.count)
        case (Months(), _) if type(right) in _DAYS:
            return temporal.add_months(right, left.count)
        case (timedelta(), timedelta()):
            return _within(lambda: left + right)
        case (Months(), Months()):
            return Months(left.count + right.count)
    if type(left) in NUMBERS and type(right) in NUMBERS:
        return _add(left, right)
    hint = "Use string(…) to make text of a value." if str in {type(left), type(right)} else ""
    raise _wrong("add", left, right, hint)


def subtract(_meter: Meter, left: Any, right: Any) -> Any:
    """``left - right``."""
    if type(left) in NUMBERS and type(right) in NUMBERS:
        return _subtract(left, right)
    match left, right:
        case (timedelta(), timedelta()):
            return _within(lambda: left - right)
        case (Months(), Months()):
            return Months(left.count - right.count)
        case (_, timedelta()) if type(left) in _MOMENTS:
            return temporal.add_days_and_time(left, _within(lambda: -right))
        case (_, Months()) if type(left) in _DAYS:
            return temporal.add_months(left, -right.count)
    if type(left) in _MOMENTS and type(right) in _MOMENTS:
        if type_name(left) == type_name(right):
            return temporal.elapsed(left, right)
        if type(left) in _DAYS and type(right) in _DAYS:
            return temporal.elapsed(_midnight(left), _midnight(right))
        hint = "Make both the same with date(…) or date and time(…)."
        raise _wrong("subtract", left, right, hint)
    raise _wrong("subtract", left, right)


def _midnight(value: Any) -> Any:
    """A date as the moment in UTC at which it begins, as FEEL subtracts it."""
    if isinstance(value, datetime | WideDateTime):
        return value
    return combine(value, time(tzinfo=UTC))


def multiply(_meter: Meter, left: Any, right: Any) -> Any:
    """``left * right``."""
    if type(left) in NUMBERS and type(right) in NUMBERS:
        return _multiply(left, right)
    if type(left) in _DURATIONS and type(right) in NUMBERS:
        return temporal.scale(left, right)
    if type(right) in _DURATIONS and type(left) in NUMBERS:
        return temporal.scale(right, left)
    raise _wrong("multiply", left, right)


def divide(_meter: Meter, left: Any, right: Any) -> Any:
    """``left / right``."""
    if type(left) in NUMBERS and type(right) in NUMBERS:
        return _divide(left, right)
    if type(left) in _DURATIONS and type(right) in NUMBERS:
        if not right:
            raise _by_zero()
        return temporal.scale(left, right, divide=True)
    if type(left) is timedelta and type(right) is timedelta:
        return _divide(temporal.to_microseconds(left), temporal.to_microseconds(right))
    if type(left) is Months and type(right) is Months:
        return _divide(left.count, right.count)
    raise _wrong("divide", left, right)


def power(_meter: Meter, left: Any, right: Any) -> Any:
    """``left ** right``."""
    if type(left) in NUMBERS and type(right) in NUMBERS:
        return _power(left, right)
    raise _wrong("raise to a power", left, right)


def negate(value: Any) -> Any:
    """``-value``."""
    if type(value) in NUMBERS:
        return -value if type(value) is int else value.copy_negate() if value else value
    if type(value) is timedelta:
        return _within(lambda: -value)
    if type(value) is Months:
        return Months(-value.count)
    raise Fault("wrong_type", f"Expected a number after the minus sign, found {described(value)}.")


def _power_of(left: Any, right: Any) -> Number:
    if not left and right < 0:
        raise _by_zero()
    if not left and not right:
        return 1
    if left < 0 and right != CONTEXT.to_integral_value(Decimal(right)):
        raise Fault("wrong_type", "A negative number has no such power; use a whole exponent.")
    result = CONTEXT.power(left, right)
    if type(left) is int and type(right) is int:  # the library pads such results with zeros
        plain = CONTEXT.normalize(result)
        return int(plain) if plain.as_tuple().exponent == 0 else plain
    return result


_DURATIONS: Final = frozenset({timedelta, Months})
_add: Final = _guarded(_add_numbers)
_subtract: Final = _guarded(
    lambda a, b: (
        number_result(a - b) if type(a) is int and type(b) is int else CONTEXT.subtract(a, b)
    )
)
_multiply: Final = _guarded(
    lambda a, b: (
        number_result(a * b) if type(a) is int and type(b) is int else CONTEXT.multiply(a, b)
    )
)
_divide: Final = _guarded(CONTEXT.divide)
_power: Final = _guarded(_power_of)

ARITHMETIC: Final[dict[str, Callable[[Meter, Any, Any], Any]]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "**": power,
}


def _within(operate: Callable[[], timedelta]) -> timedelta:
    try:
        return operate()
    except OverflowError:
        raise Fault("overflow", "The duration is too long.") from None


def compare(left: Any, right: Any) -> int:
    """Order two values of one type: negative, zero or positive.

    Raises:
        Fault: ``wrong_type``: they differ in type, or have no order.
    """
    a, b = type(left), type(right)
    if a in NUMBERS and b in NUMBERS:
        return int(left > right) - int(left < right)
    if a is b and a in _ORDERED:
        return int(left > right) - int(left < right)
    a, b = KINDS.get(a, a), KINDS.get(b, b)
    if a is not b or a not in _TEMPORAL:
        raise _not_comparable(left, right)
    gap = temporal.gap(left, right)
    return int(gap > 0) - int(gap < 0)


def _not_comparable(left: object, right: object) -> Fault:
    hint = ""
    names = {type_name(left), type_name(right)}
    if names == {"string", "number"}:
        hint = "Use number(…) to read a number from text."
    elif "string" in names and names & {"date", "date and time", "time"}:
        hint = "Use date(…), time(…) or date and time(…) to read it from text."
    elif len(names) == 1 and None not in (left, right):
        return Fault(
            "wrong_type", f"{phrase(names.pop())} has no order to compare by.".capitalize()
        )
    return _wrong("compare", left, right, hint)


ORDER: Final[dict[str, Callable[[int], bool]]] = {
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
}


def equal(meter: Meter, left: Any, right: Any) -> bool:
    """``left = right``, where null may stand beside any type.

    Raises:
        Fault: ``wrong_type``: they are of two types, here or inside.
    """
    a, b = type(left), type(right)
    if left is None or right is None:
        return left is right
    if a in NUMBERS and b in NUMBERS:
        return bool(left == right)
    if a is list and b is list:
        meter.spend(1 + min(len(left), len(right)) // 2)
        return len(left) == len(right) and all(
            equal(meter, x, y) for x, y in zip(left, right, strict=True)
        )
    if is_context(left) and is_context(right):
        meter.spend(1 + min(len(left), len(right)) // 2)
        return left.keys() == right.keys() and all(equal(meter, left[k], right[k]) for k in left)
    a, b = KINDS.get(a, a), KINDS.get(b, b)
    if a is not b:
        raise _not_comparable(left, right)
    if a in _TEMPORAL:
        return not temporal.gap(left, right)
    if a is Function:
        raise Fault("wrong_type", "Functions cannot be compared.")
    return bool(left == right)


def same(meter: Meter, left: Any, right: Any) -> bool:
    """Whether two values are equal, where values of two types simply are not."""
    try:
        return equal(meter, left, right)
    except Fault as fault:
        if fault.code == "wrong_type":
            return False
        raise


def in_range(value: Any, interval: Range) -> bool:
    """Whether a value lies within an interval."""
    if interval.start is not None:
        order = compare(value, interval.start)
        if order < 0 or (order == 0 and not interval.start_included):
            return False
    if interval.end is not None:
        order = compare(value, interval.end)
        if order > 0 or (order == 0 and not interval.end_included):
            return False
    return True
