"""Functions over numbers."""

from collections.abc import Callable
from datetime import timedelta
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Decimal,
    DecimalException,
)
from typing import Any, Final

from apps.engine.feel.builtins.registry import builtin
from apps.engine.feel.errors import Fault
from apps.engine.feel.types import CONTEXT, Months, Number, described, is_whole
from apps.engine.values import MAX_DIGITS, MAX_EXPONENT

_LEAST_SCALE: Final = -6111
_MOST_SCALE: Final = 6176


def _exactly(operate: Callable[..., Decimal], *values: Any) -> Decimal:
    try:
        return operate(*values)
    except DecimalException:
        raise Fault(
            "overflow", f"The result has an exponent beyond {MAX_EXPONENT}, or no value."
        ) from None


def _rounded(value: Number, scale: Number, rounding: str) -> Number:
    """``value`` with ``scale`` digits after the point, negative for tens and hundreds.

    A fraction of ``scale`` is left away, as the standard's cases have it.
    """
    if not _LEAST_SCALE <= scale <= _MOST_SCALE:
        message = f"Expected a number of digits, {_LEAST_SCALE} to {_MOST_SCALE}, found {scale}."
        raise Fault("bad_arguments", message)
    scale = int(scale)
    exact = Decimal(value)
    if exact.adjusted() + int(scale) >= MAX_DIGITS:
        return value  # it has no digits that far out
    unit = Decimal((0, (1,), -int(scale)))
    found = _exactly(lambda: exact.quantize(unit, rounding=rounding, context=CONTEXT))
    return int(found) if scale == 0 else found if scale > 0 else CONTEXT.plus(found)


@builtin("decimal", "n: number", "scale: number")
def decimal(value: Number, scale: Number) -> Number:
    """Round to so many digits after the point, half to even."""
    return _rounded(value, scale, ROUND_HALF_EVEN)


@builtin("floor", "n: number", "scale: number?")
def floor(value: Number, scale: Number | None = None) -> Number:
    """The next number below, whole or with ``scale`` digits."""
    return _rounded(value, scale or 0, ROUND_FLOOR)


@builtin("ceiling", "n: number", "scale: number?")
def ceiling(value: Number, scale: Number | None = None) -> Number:
    """The next number above, whole or with ``scale`` digits."""
    return _rounded(value, scale or 0, ROUND_CEILING)


@builtin("round up", "n: number", "scale: number?")
def round_up(value: Number, scale: Number | None = None) -> Number:
    """Round away from zero."""
    return _rounded(value, scale or 0, ROUND_UP)


@builtin("round down", "n: number", "scale: number?")
def round_down(value: Number, scale: Number | None = None) -> Number:
    """Round towards zero."""
    return _rounded(value, scale or 0, ROUND_DOWN)


@builtin("round half up", "n: number", "scale: number?")
def round_half_up(value: Number, scale: Number | None = None) -> Number:
    """Round to the nearest, a half away from zero."""
    return _rounded(value, scale or 0, ROUND_HALF_UP)


@builtin("round half down", "n: number", "scale: number?")
def round_half_down(value: Number, scale: Number | None = None) -> Number:
    """Round to the nearest, a half towards zero."""
    return _rounded(value, scale or 0, ROUND_HALF_DOWN)


@builtin("abs", "n: number|days|months")
def abs_(value: Any) -> Any:
    """A number or duration without its sign."""
    if type(value) is Months:
        return Months(abs(value.count))
    if type(value) is timedelta:
        try:
            return abs(value)
        except OverflowError:
            raise Fault("overflow", "The duration is too long.") from None
    return abs(value) if type(value) is int else value.copy_abs()


@builtin("modulo", "dividend: number", "divisor: number")
def modulo(dividend: Number, divisor: Number) -> Number:
    """The remainder of a division, with the sign of the divisor."""
    if divisor == 0:
        raise Fault("division_by_zero", "A number is divided by zero. Check the divisor first.")
    if type(dividend) is int and type(divisor) is int:
        return dividend % divisor
    try:
        rest = CONTEXT.remainder(dividend, divisor)
    except DecimalException:
        message = "The numbers are too far apart for an exact remainder."
        raise Fault("overflow", message) from None
    return CONTEXT.add(rest, divisor) if rest and (rest < 0) != (divisor < 0) else rest


@builtin("sqrt", "number: number")
def sqrt(value: Number) -> Number:
    """The square root."""
    if value < 0:
        raise Fault("bad_arguments", f"A negative number has no square root: {described(value)}.")
    return CONTEXT.sqrt(value)


@builtin("log", "number: number")
def log(value: Number) -> Number:
    """The natural logarithm."""
    if value <= 0:
        raise Fault("bad_arguments", f"Only a number above zero has a logarithm, not {value}.")
    return _exactly(CONTEXT.ln, value)


@builtin("exp", "number: number")
def exp(value: Number) -> Number:
    """The number e to that power."""
    return _exactly(CONTEXT.exp, value)


@builtin("odd", "number: number")
def odd(value: Number) -> bool:
    """Whether a whole number is odd."""
    return _remainder(value) == 1


@builtin("even", "number: number")
def even(value: Number) -> bool:
    """Whether a whole number is even."""
    return _remainder(value) == 0


def _remainder(value: Number) -> Number:
    if not is_whole(value):
        raise Fault("bad_arguments", f"Expected a whole number, found {value}.")
    if type(value) is int:
        return value % 2
    exact = Decimal(value)
    exponent = int(exact.as_tuple().exponent)
    return 0 if exponent > 0 else int(exact) % 2
