"""Makes the closures that an expression runs as; each takes the ``Env``.

The pieces answer the common types themselves and leave the rest to
``operators``. They know their place in the source and give it to every error.
"""

import operator
from collections.abc import Callable, Sequence
from decimal import DecimalException
from typing import Any, Final, TypeAlias

from apps.engine.feel import operators
from apps.engine.feel.errors import (
    Fault,
    FeelError,
    IndexOutOfRange,
    MissingPath,
    Position,
)
from apps.engine.feel.paths import Closure, Env
from apps.engine.feel.types import CONTEXT, NUMBERS, Meter, Range, described

__all__ = [
    "arithmetic",
    "between",
    "boolean",
    "chain",
    "compared",
    "comparison",
    "conditional",
    "conjunction",
    "defined",
    "included",
    "interval",
    "kept",
    "matches",
    "negation",
    "not_boolean",
    "or_else",
]

Operation: TypeAlias = Callable[[Meter, Any, Any], Any]

_LIMIT: Final = operators.INT_LIMIT
_WHOLE: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}
_EXACT: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": CONTEXT.add,
    "-": CONTEXT.subtract,
    "*": CONTEXT.multiply,
    "/": CONTEXT.divide,
}
_ORDERS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def operation(sign: str) -> Operation:
    """An arithmetic operator, quick for numbers."""
    general = operators.ARITHMETIC[sign]
    whole = _WHOLE.get(sign)
    exact = _EXACT.get(sign)
    if exact is None:
        return general

    def run(meter: Meter, a: Any, b: Any) -> Any:
        if type(a) is int and type(b) is int and whole is not None:
            result = whole(a, b)
            return result if -_LIMIT < result < _LIMIT else operators.number_result(result)
        if type(a) in NUMBERS and type(b) in NUMBERS:
            try:
                return exact(a, b)
            except DecimalException:
                pass  # the general form says what went wrong
        return general(meter, a, b)

    return run


def arithmetic(left: Closure, right: Closure, sign: str, span: Position) -> Closure:
    """``left sign right``."""
    operate = operation(sign)

    def run(env: Env) -> Any:
        try:
            return operate(env[1], left(env), right(env))
        except Fault as fault:
            raise fault.at(span) from None

    return run


def chain(first: Closure, rest: Sequence[tuple[str, Closure, Position]]) -> Closure:
    """Several operators of one precedence, from left to right, in one frame."""
    steps = [(operation(sign), operand, span) for sign, operand, span in rest]

    def run(env: Env) -> Any:
        value = first(env)
        meter = env[1]
        for operate, operand, span in steps:
            try:
                value = operate(meter, value, operand(env))
            except Fault as fault:
                raise fault.at(span) from None
        return value

    return run


def negation(operand: Closure, span: Position) -> Closure:
    """``-operand``."""

    def run(env: Env) -> Any:
        value = operand(env)
        if type(value) is int:
            return -value
        try:
            return operators.negate(value)
        except Fault as fault:
            raise fault.at(span) from None

    return run


def comparison(left: Closure, right: Closure, sign: str, span: Position) -> Closure:
    """``left sign right`` for ``= != < <= > >=``."""
    if sign in _ORDERS:
        return _ordering(left, right, _ORDERS[sign], operators.ORDER[sign], span)
    return _equality(left, right, span, wanted=sign == "=")


def _ordering(
    left: Closure,
    right: Closure,
    quick: Callable[[Any, Any], bool],
    holds: Callable[[int], bool],
    span: Position,
) -> Closure:
    def run(env: Env) -> bool:
        a = left(env)
        b = right(env)
        if type(a) in NUMBERS and type(b) in NUMBERS:
            return quick(a, b)
        try:
            return holds(operators.compare(a, b))
        except Fault as fault:
            raise fault.at(span) from None

    return run


def _equality(left: Closure, right: Closure, span: Position, *, wanted: bool) -> Closure:
    equal = operators.equal

    def run(env: Env) -> bool:
        a = left(env)
        b = right(env)
        if type(a) is str and type(b) is str:
            return (a == b) is wanted
        try:
            return equal(env[1], a, b) is wanted
        except Fault as fault:
            raise fault.at(span) from None

    return run


def between(operand: Closure, low: Closure, high: Closure, span: Position) -> Closure:
    """``operand between low and high``."""

    def run(env: Env) -> bool:
        value, least, most = operand(env), low(env), high(env)
        try:
            return operators.compare(value, least) >= 0 >= operators.compare(value, most)
        except Fault as fault:
            raise fault.at(span) from None

    return run


def interval(low: Closure, high: Closure, span: Position, included: tuple[bool, bool]) -> Closure:
    """``[low..high]``."""

    def run(env: Env) -> Range:
        start, end = low(env), high(env)
        try:
            if start is not None and end is not None:
                operators.compare(start, end)
        except Fault as fault:
            raise fault.at(span) from None
        return Range(start, end, *included)

    return run


def not_boolean(value: object, span: Position, role: str) -> FeelError:
    """The error for a condition that is neither true nor false."""
    return FeelError(
        "not_boolean", f"Expected true or false {role}, found {described(value)}.", span
    )


def boolean(operand: Closure, span: Position, role: str) -> Closure:
    """``operand``, which must be true or false."""

    def run(env: Env) -> bool:
        value = operand(env)
        if value is True or value is False:
            return value
        raise not_boolean(value, span, role)

    return run


def conjunction(operands: Sequence[tuple[Closure, Position]], *, every: bool) -> Closure:
    """``and`` where ``every``, else ``or``; stops at the first operand that decides."""
    role = 'on both sides of "and"' if every else 'on both sides of "or"'
    if len(operands) == 2:
        (left, left_span), (right, right_span) = operands

        def run_two(env: Env) -> bool:
            value = left(env)
            if value is every:
                value = right(env)
                if value is True or value is False:
                    return value
                raise not_boolean(value, right_span, role)
            if value is (not every):
                return value
            raise not_boolean(value, left_span, role)

        return run_two

    def run(env: Env) -> bool:
        for operand, span in operands:
            value = operand(env)
            if value is not every:
                if value is (not every):
                    return value
                raise not_boolean(value, span, role)
        return every

    return run


def conditional(
    branches: Sequence[tuple[Closure, Closure, Position]], otherwise: Closure
) -> Closure:
    """``if … then … else …``."""

    def run(env: Env) -> Any:
        for condition, result, span in branches:
            value = condition(env)
            if value is True:
                return result(env)
            if value is not False:
                raise not_boolean(value, span, 'after "if"')
        return otherwise(env)

    return run


def matches(value: Closure, tests: Sequence[Callable[[Env, Any], bool]]) -> Closure:
    """``value in tests``."""

    def run(env: Env) -> bool:
        found = value(env)
        return any(test(env, found) for test in tests)

    return run


def compared(sign: str, operand: Closure, span: Position) -> Callable[[Env, Any], bool]:
    """The unary test ``sign operand``."""

    def test(env: Env, value: Any) -> bool:
        other = operand(env)
        try:
            if sign in operators.ORDER:
                return operators.ORDER[sign](operators.compare(value, other))
            return operators.equal(env[1], value, other) is (sign == "=")
        except Fault as fault:
            raise fault.at(span) from None

    return test


def included(
    operand: Closure, span: Position, *, is_condition: bool = False
) -> Callable[[Env, Any], bool]:
    """The unary test ``operand``: equal to it, or in it where it is a list or a range.

    Where it is a condition and the input is neither true nor false, it says so itself.
    """

    def test(env: Env, value: Any) -> bool:
        wanted = operand(env)
        if is_condition and type(wanted) is bool and type(value) is not bool:
            return wanted
        try:
            return _holds(env[1], value, wanted)
        except Fault as fault:
            raise fault.at(span) from None

    return test


def _holds(meter: Meter, value: Any, wanted: Any) -> bool:
    if type(wanted) is Range:
        return (type(value) is Range and value == wanted) or (
            type(value) is not Range and operators.in_range(value, wanted)
        )
    if type(wanted) is list and type(value) is not list:
        meter.spend(1 + len(wanted) // 8)
        return any(_holds(meter, value, item) for item in wanted)
    if type(wanted) is list:
        return operators.same(meter, value, wanted) or any(
            operators.same(meter, value, item) for item in wanted
        )
    return operators.equal(meter, value, wanted)


def defined(operand: Closure) -> Closure:
    """For ``is defined``: whether the path is there, be it null."""

    def run(env: Env) -> bool:
        try:
            operand(env)
        except (MissingPath, IndexOutOfRange):
            return False
        return True

    return run


def or_else(operand: Closure, default: Closure) -> Closure:
    """For ``get or else``: the default where the path is missing or null."""

    def run(env: Env) -> Any:
        try:
            value = operand(env)
        except (MissingPath, IndexOutOfRange):
            return default(env)
        return default(env) if value is None else value

    return run


def kept(operand: Closure, slot: int) -> Closure:
    """``operand``, whose value stays in a slot for the tests to read."""

    def run(env: Env) -> Any:
        value = env[slot] = operand(env)
        return value

    return run
