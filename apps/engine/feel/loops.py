"""Makes the closures of loops, filters and functions: what runs many times.

Each turn is paid for with the operations of its body, so that what does not
repeat costs nothing to count.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any, Final, TypeAlias

from apps.engine.feel.builtins import BUILTINS, select
from apps.engine.feel.closures import not_boolean
from apps.engine.feel.errors import BudgetExceeded, Fault, FeelError, IndexOutOfRange, Position
from apps.engine.feel.paths import Closure, Env
from apps.engine.feel.types import NUMBERS, Function, Meter, Range, described, is_whole
from apps.engine.feel.wide import WideDate, from_ordinal, ordinal

__all__ = [
    "Loops",
    "built_in",
    "call_function",
    "copied",
    "filtered",
    "for_each",
    "function",
    "indexed",
    "listed",
    "quantified",
    "stepped",
]

_DATES: Final = frozenset({date, WideDate})
_WIDE_COST: Final = 12

# An element's slot and the list it runs over, from the outermost loop.
Loops: TypeAlias = Sequence[tuple[int, Closure]]


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
            return steps_between(env[1], (value.start, value.end), span, value)
        raise FeelError(
            "wrong_type",
            f"Expected a list or a range to go through, found {described(value)}.",
            span,
        )

    return run


def stepped(low: Closure, high: Closure, span: Position) -> Closure:
    """``low..high`` in a loop, downwards where ``high`` is the smaller."""

    def run(env: Env) -> Any:
        return steps_between(env[1], (low(env), high(env)), span, None)

    return run


def steps_between(meter: Meter, limits: tuple[Any, Any], span: Position, ends: Range | None) -> Any:
    """Whole numbers or days between two limits, made one by one as they are needed."""
    start, end = limits
    first = 0 if ends is None or ends.start_included else 1
    last = 0 if ends is None or ends.end_included else 1
    if type(start) in _DATES and type(end) in _DATES:
        low, high = ordinal(start), ordinal(end)
        is_plain = type(start) is date and type(end) is date
        step = 1 if low <= high else -1
        days = range(low + first * step, high + (1 - last) * step, step)
        return map(from_ordinal, days) if is_plain else _wide_days(meter, days, span)
    if type(start) in NUMBERS and type(end) in NUMBERS and is_whole(start) and is_whole(end):
        low, high = int(start), int(end)
        step = 1 if low <= high else -1
        return range(low + first * step, high + (1 - last) * step, step)
    message = f"Expected whole numbers or dates, found {described(start)} and {described(end)}."
    raise FeelError("wrong_type", message, span)


def _wide_days(meter: Meter, days: range, span: Position) -> Iterator[Any]:
    """Dates beyond the common calendar cost more to make than others."""
    for day in days:
        meter.left -= _WIDE_COST
        if meter.left < 0:
            raise over_budget(meter, span)
        yield from_ordinal(day)


def for_each(loops: Loops, body: Closure, partial: int, cost: int, span: Position) -> Closure:
    """``for … return …``; ``partial`` is the slot of the results so far."""

    def run(env: Env) -> list[Any]:
        meter = env[1]
        found: list[Any] = []
        before = env[partial]
        env[partial] = found
        for _ in _turns(env, loops, meter, cost, span):
            found.append(body(env))  # noqa: PERF401 - ``partial`` watches it grow
        env[partial] = before
        return found

    return run


def _turns(env: Env, loops: Loops, meter: Meter, cost: int, span: Position) -> Iterator[None]:
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
    return element([], verdict, inner) if type(verdict) in NUMBERS else []


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
    if is_whole(place) and place != 0 and -count <= place <= count:
        index = int(place)
        return values[index - 1 if index > 0 else index]
    if not is_whole(place):
        message = f"Expected a whole number as index, found {place}."
        raise FeelError("wrong_type", message, span)
    if place == 0:
        raise IndexOutOfRange("There is no element 0: the first is 1, the last is -1.", span)
    size = f"the list has {count}" if count else "the list is empty"
    raise IndexOutOfRange(f"There is no element {place}: {size}.", span)


def function(
    parameters: Sequence[tuple[str, int, Callable[[Any], None] | None]],
    types: tuple[str, ...],
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

        return Function(names, call, types=types)

    return run


def built_in(name: str) -> Closure:
    """A built-in function as a value, unless the root context has that name itself."""
    ways = BUILTINS[name]
    parameters = tuple(parameter.name for parameter in ways[0].parameters)

    def accepts(count: int) -> bool:
        return any(way.least <= count <= way.most for way in ways)

    def run(env: Env) -> Any:
        try:
            return env[0][name]
        except (KeyError, TypeError):
            meter: Meter = env[1]

        def call(values: Sequence[Any]) -> Any:
            way, _ = select(name, len(values), ())
            return way.invoke(meter, list(values))

        return Function(parameters, call, accepts)

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
        if not target.takes(len(values)):
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


def copied(operand: Closure) -> Closure:
    """A list as it is now, where the original still grows."""

    def run(env: Env) -> Any:
        values = operand(env)
        env[1].left -= len(values) // 8
        return values.copy()

    return run
