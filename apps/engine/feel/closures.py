"""Makes the closures that an expression runs as; each takes the ``Env``.

The pieces answer the common types themselves and leave the rest to
``operators``. They know their place in the source and give it to every error.
"""

import operator
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal, DecimalException
from typing import Any, Final, TypeAlias

from apps.engine.feel import operators
from apps.engine.feel.errors import (
    BudgetExceeded,
    Fault,
    FeelError,
    IndexOutOfRange,
    MissingPath,
    Position,
)
from apps.engine.feel.paths import Closure, Env
from apps.engine.feel.types import CONTEXT, NUMBERS, Function, Meter, Range, described

__all__ = [
    "Operation",
    "arithmetic",
    "between",
    "boolean",
    "call_function",
    "chain",
    "comparison",
    "conjunction",
    "defined",
    "filtered",
    "for_each",
    "function",
    "interval",
    "matches",
    "operation",
    "or_else",
    "quantified",
]

Operation: TypeAlias = Callable[[Meter, Any, Any], Any]
# An element's slot and the lists it runs over, from the outermost.
Loops: TypeAlias = Sequence[tuple[int, Closure]]

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
        value = operand(env)
        try:
            return operators.in_range(value, Range(low(env), high(env), True, True))  # noqa: FBT003
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


def conditional(branches: Sequence[tuple[Closure, Closure, Position]], otherwise: Closure) -> Closure:
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


def over_budget(meter: Meter, span: Position) -> BudgetExceeded:
    """The error for a loop that has spent everything."""
    try:
        meter.spend(meter.left + 1)
    except Fault as fault:
        return BudgetExceeded(fault.message, span)
    raise AssertionError  # spending more than is left always fails


def listed(domain: Closure, span: Position) -> Closure:
    """The elements to go through: a list, or a range of whole numbers or dates."""

    def run(env: Env) -> Any:
        value = domain(env)
        if type(value) is list:
            return value
        if type(value) is Range:
            return steps_between(value.start, value.end, span, value)
        raise FeelError(
            "wrong_type",
            f"Expected a list or a range to go through, found {described(value)}.",
            span,
        )

    return run


def stepped(low: Closure, high: Closure, span: Position) -> Closure:
    """``low..high`` in a loop, downwards where ``high`` is the smaller."""

    def run(env: Env) -> Any:
        return steps_between(low(env), high(env), span, None)

    return run


def steps_between(start: Any, end: Any, span: Position, ends: Range | None) -> Any:
    """Whole numbers or days from ``start`` to ``end``, made one by one as they are needed."""
    first = 0 if ends is None or ends.start_included else 1
    last = 0 if ends is None or ends.end_included else 1
    if type(start) is date and type(end) is date:
        low, high = start.toordinal(), end.toordinal()
        step = 1 if low <= high else -1
        days = range(low + first * step, high + (1 - last) * step, step)
        return map(date.fromordinal, days)
    if type(start) in NUMBERS and type(end) in NUMBERS and start % 1 == 0 and end % 1 == 0:
        low, high = int(start), int(end)
        step = 1 if low <= high else -1
        return range(low + first * step, high + (1 - last) * step, step)
    message = f"Expected whole numbers or dates, found {described(start)} and {described(end)}."
    raise FeelError("wrong_type", message, span)


def for_each(
    loops: Loops, body: Closure, partial: int, cost: int, span: Position
) -> Closure:
    """``for … return …``; ``partial`` is the slot of the results so far."""

    def run(env: Env) -> list[Any]:
        meter = env[1]
        found: list[Any] = []
        before = env[partial]
        env[partial] = found
        for _ in _turns(env, loops, meter, cost, span):
            found.append(body(env))
        env[partial] = before
        return found

    return run


def _turns(
    env: Env, loops: Loops, meter: Meter, cost: int, span: Position
) -> Iterator[None]:
    """Set the slots to every combination in turn, and pay for each."""
    slot, domain = loops[0]
    for value in domain(env):
        meter.left -= cost
        if meter.left < 0:
            raise over_budget(meter, span)
        env[slot] = value
        if len(loops) == 1:
            yield
        else:
            yield from _turns(env, loops[1:], meter, cost, span)


def quantified(
    loops: Loops, condition: Closure, cost: int, span: Position, *, every: bool
) -> Closure:
    """``every … satisfies …``, or ``some``; stops at the first element that decides."""

    def run(env: Env) -> bool:
        for _ in _turns(env, loops, env[1], cost, span):
            if condition(env) is not every:
                return not every
        return every

    return run


def filtered(
    base: Closure, predicate: Closure, slot: int, cost: int, spans: tuple[Position, Position]
) -> Closure:
    """``base[predicate]``: the elements that satisfy it, or the one at that index."""
    span, inner = spans

    def run(env: Env) -> Any:
        values = base(env)
        if type(values) is not list:
            message = f"Expected a list before the bracket, found {described(values)}."
            raise FeelError("wrong_type", message, span)
        meter = env[1]
        if not values:
            return _of_nothing(env, predicate, slot, inner)
        found = []
        before = env[slot]
        for place, item in enumerate(values):
            meter.left -= cost
            if meter.left < 0:
                raise over_budget(meter, span)
            env[slot] = item
            verdict = predicate(env)
            if verdict is True:
                found.append(item)
            elif verdict is not False:
                if place == 0 and type(verdict) in NUMBERS:
                    found = element(values, verdict, inner)
                    break
                raise not_boolean(verdict, inner, "or an index in the brackets")
        env[slot] = before
        return found

    return run


def _of_nothing(env: Env, predicate: Closure, slot: int, inner: Position) -> list[Any]:
    """An empty list filtered is empty, but has no element at an index."""
    env[slot] = None
    try:
        verdict = predicate(env)
    except FeelError:
        return []  # a condition on fields that nothing has
    return element([], verdict, inner) if type(verdict) in NUMBERS else []  # type: ignore[no-any-return]


def indexed(base: Closure, index: Closure, span: Position, inner: Position) -> Closure:
    """``base[index]`` where the source shows that it is a number."""

    def run(env: Env) -> Any:
        values = base(env)
        if type(values) is not list:
            message = f"Expected a list before the bracket, found {described(values)}."
            raise FeelError("wrong_type", message, span)
        place = index(env)
        if type(place) not in NUMBERS:
            message = f"Expected an index in the brackets, found {described(place)}."
            raise FeelError("wrong_type", message, inner)
        return element(values, place, inner)

    return run


def element(values: list[Any], place: Any, span: Position) -> Any:
    """The element at a place, from 1, or from the end where negative.

    Raises:
        IndexOutOfRange: There is none.
    """
    count = len(values)
    if place % 1 == 0 and place != 0 and -count <= place <= count:
        index = int(place)
        return values[index - 1 if index > 0 else index]
    if place % 1 != 0:
        message = f"Expected a whole number as index, found {place}."
        raise FeelError("wrong_type", message, span)
    if place == 0:
        raise IndexOutOfRange("There is no element 0: the first is 1, the last is -1.", span)
    size = f"the list has {count}" if count else "the list is empty"
    raise IndexOutOfRange(f"There is no element {place}: {size}.", span)


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


def included(operand: Closure, span: Position) -> Callable[[Env, Any], bool]:
    """The unary test ``operand``: equal to it, or in it where it is a list or a range."""

    def test(env: Env, value: Any) -> bool:
        try:
            return _holds(env[1], value, operand(env))
        except Fault as fault:
            raise fault.at(span) from None

    return test


def _holds(meter: Meter, value: Any, wanted: Any) -> bool:
    if type(wanted) is Range:
        return type(value) is Range and value == wanted or (
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


def function(
    parameters: Sequence[tuple[str, int, Callable[[Any], None] | None]],
    body: Closure,
    cost: int,
    span: Position,
) -> Closure:
    """``function(parameters) body``; each parameter with its slot and its check."""
    names = tuple(name for name, _, _ in parameters)

    def run(env: Env) -> Function:
        captured = env.copy()
        meter: Meter = env[1]

        def call(arguments: Sequence[Any]) -> Any:
            frame = captured.copy()
            for (_, slot, accept), value in zip(parameters, arguments, strict=True):
                if accept is not None:
                    accept(value)
                frame[slot] = value
            meter.left -= cost
            if meter.left < 0:
                raise over_budget(meter, span)
            if meter.calls >= meter.budget.depth:
                message = f"Functions call each other deeper than {meter.budget.depth} levels."
                raise BudgetExceeded(message, span)
            meter.calls += 1
            try:
                return body(frame)
            finally:
                meter.calls -= 1

        return Function(names, call)

    return run


def call_function(
    callee: Closure, arguments: Sequence[Closure], names: Sequence[str], span: Position
) -> Closure:
    """Call a function that is a value."""

    def run(env: Env) -> Any:
        target = callee(env)
        if type(target) is not Function:
            message = f"Expected a function before the bracket, found {described(target)}."
            raise FeelError("wrong_type", message, span)
        values = [argument(env) for argument in arguments]
        if len(values) != len(target.parameters):
            message = f"The function takes {len(target.parameters)} arguments, not {len(values)}."
            raise FeelError("bad_arguments", message, span)
        if names and names[0]:
            given = dict(zip(names, values, strict=True))
            if set(given) != set(target.parameters):
                message = f"The arguments of the function are {', '.join(target.parameters)}."
                raise FeelError("bad_arguments", message, span)
            values = [given[name] for name in target.parameters]
        try:
            return target.call(values)
        except Fault as fault:
            raise fault.at(span) from None

    return run


def defined(operand: Closure) -> Closure:
    """``is defined(operand)``: whether the path is there, be it null."""

    def run(env: Env) -> bool:
        try:
            operand(env)
        except (MissingPath, IndexOutOfRange):
            return False
        return True

    return run


def or_else(operand: Closure, default: Closure) -> Closure:
    """``get or else(operand, default)``: the default where the path is missing or null."""

    def run(env: Env) -> Any:
        try:
            value = operand(env)
        except (MissingPath, IndexOutOfRange):
            return default(env)
        return default(env) if value is None else value

    return run


def copied(operand: Closure) -> Closure:
    """A list as it is now, where the original still grows."""

    def run(env: Env) -> Any:
        values = operand(env)
        env[1].left -= len(values) // 8
        return values.copy()

    return run


def kept(operand: Closure, slot: int) -> Closure:
    """``operand``, whose value stays in a slot for the tests to read."""

    def run(env: Env) -> Any:
        value = env[slot] = operand(env)
        return value

    return run
