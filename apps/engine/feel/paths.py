"""Reads named parts of values: ``trigger.body.amount``.

The common case, contexts all the way down, is a chain of subscripts. Whatever
else a path may meet (a list, a date, nothing at all) is left to ``walk``.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final, TypeAlias

from apps.engine.feel.errors import Fault, MissingPath, Position
from apps.engine.feel.temporal import PROPERTIES
from apps.engine.feel.types import Meter, Range, described, is_context

__all__ = ["Closure", "Env", "Step", "follow", "missing_name", "odd_names", "read_root", "walk"]

# One evaluation's memory: the root context, the meter, then a slot for each local.
Env: TypeAlias = list[Any]
Closure: TypeAlias = Callable[[Env], Any]
Step: TypeAlias = tuple[str, Position]

_RANGE_PARTS: Final[dict[str, Callable[[Range], Any]]] = {
    "start": lambda value: value.start,
    "end": lambda value: value.end,
    "start included": lambda value: value.start_included,
    "end included": lambda value: value.end_included,
}


_MOST_NAMES: Final = 200
_MOST_LOOKED_AT: Final = 5_000
_LONGEST_NAME: Final = 200


def odd_names(context: Mapping[str, Any]) -> frozenset[str]:
    """Names in a context, however deep, that have spaces or marks in them, so far as they are few.

    Given to ``compile_expression`` they are read as they stand: ``Monthly fee * 12``.
    """
    found: set[str] = set()
    waiting: deque[Any] = deque([context])
    for _ in range(_MOST_LOOKED_AT):
        if not waiting or len(found) >= _MOST_NAMES:
            break
        value = waiting.popleft()
        if is_context(value):
            odd = (name for name in value if not name.isidentifier() and name.strip())
            short = (name for name in odd if len(name) <= _LONGEST_NAME)
            found.update(islice(short, _MOST_NAMES - len(found)))
            waiting.extend(value.values())
        elif type(value) is list:
            waiting.extend(value[:1])
    return frozenset(found)


def walk(meter: Meter, value: Any, steps: Sequence[Step], shown: str) -> Any:
    """Read the parts one after the other; of a list, the part of each element.

    Args:
        meter: Pays for lists.
        value: Where to start.
        steps: The names, each with its place in the source.
        shown: How to name the start in a message.

    Raises:
        MissingPath: There is no such part.
    """
    for name, span in steps:
        try:
            value = _part(meter, value, name, span, shown)
        except Fault as fault:
            raise fault.at(span) from None
        shown = f"{shown}.{name}" if shown else name
    return value


def _part(meter: Meter, value: Any, name: str, span: Position, shown: str) -> Any:
    if is_context(value):
        try:
            return value[name]
        except KeyError:
            raise _missing(value, name, span, shown) from None
    if type(value) is list:
        meter.spend(1 + len(value))
        return [
            _part(meter, item, name, span, f"{shown}[{index}]")
            for index, item in enumerate(value, start=1)
        ]
    parts = _RANGE_PARTS if type(value) is Range else PROPERTIES.get(type(value), {})
    if name in parts:
        return parts[name](value)
    if value is None:
        message = f'"{shown}" is null (nothing), so it has no "{name}".'
        raise MissingPath(message, span, missing=name)
    message = f'"{shown}" is {described(value)}, which has no "{name}".'
    raise MissingPath(message, span, missing=name, known=parts)


def _missing(context: Iterable[object], name: str, span: Position, shown: str) -> MissingPath:
    where = f'"{shown}" has no "{name}".' if shown else f'There is nothing named "{name}".'
    return MissingPath(
        where,
        span,
        missing=name,
        known=context,
        code="missing_path" if shown else "unknown_name",
    )


def missing_name(name: str, span: Position, known: Iterable[object]) -> MissingPath:
    """The error for a name that neither the element nor the surroundings have."""
    message = f'There is nothing named "{name}" here.'
    return MissingPath(message, span, missing=name, known=known, code="unknown_name")


def read_root(steps: Sequence[Step]) -> Closure:
    """Read a path from the root context."""
    names = tuple(name for name, _ in steps)

    def slow(env: Env) -> Any:
        return walk(env[1], env[0], steps, "")

    match names:
        case (a,):

            def read(env: Env) -> Any:
                try:
                    return env[0][a]
                except (KeyError, TypeError):
                    return slow(env)

        case (a, b):

            def read(env: Env) -> Any:
                try:
                    return env[0][a][b]
                except (KeyError, TypeError):
                    return slow(env)

        case (a, b, c, *rest):

            def read(env: Env) -> Any:
                try:
                    value = env[0][a][b][c]
                    for name in rest:
                        value = value[name]
                except (KeyError, TypeError):
                    return slow(env)
                return value

    return read


def follow(base: Closure, steps: Sequence[Step], shown: str) -> Closure:
    """Read a path from the value of another expression."""
    names = tuple(name for name, _ in steps)

    def read(env: Env) -> Any:
        start = value = base(env)
        try:
            for name in names:
                value = value[name]
        except (KeyError, TypeError):
            return walk(env[1], start, steps, shown)
        return value

    return read
