"""What leaves an evaluation: its size, and its form as JSON."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from itertools import chain
from typing import Any, Final
from zoneinfo import ZoneInfo

from apps.engine.feel.errors import BudgetExceeded, FeelError, Position
from apps.engine.feel.temporal import format_temporal
from apps.engine.feel.types import Budget, FeelValue, Months, described
from apps.engine.feel.wide import KINDS, WideDate, WideDateTime, WideTime
from apps.engine.values import Value

__all__ = ["check_size", "to_json"]

_ATOMS: Final = frozenset({type(None), bool, int, Decimal, str})
_LEAVES: Final = _ATOMS | {date, datetime, time, timedelta, Months, *KINDS}


def to_json(value: FeelValue, position: Position = (0, 0)) -> Value:
    """Turn a FEEL value into JSON: temporal values become ISO 8601 text.

    A date and time in a named zone is written with its offset. Numbers keep
    their digits. Lists and contexts without temporal values are not copied.

    Raises:
        FeelError: ``wrong_type``: a range or a function, which JSON has not.
    """
    if type(value) in _ATOMS:
        return value  # type: ignore[return-value]
    if type(value) is list:
        items = [to_json(item, position) for item in value]
        return value if _unchanged(value, items) else items  # type: ignore[return-value]
    if type(value) is dict:
        entries = {key: to_json(item, position) for key, item in value.items()}
        kept = _unchanged(value.values(), entries.values())
        return value if kept else entries
    match value:
        case Mapping():
            return {key: to_json(item, position) for key, item in value.items()}
        case datetime() if isinstance(value.tzinfo, ZoneInfo):
            return value.isoformat()
        case WideDateTime() if isinstance(value.base.tzinfo, ZoneInfo):
            fixed = timezone(value.base.utcoffset() or timedelta())
            return format_temporal(replace(value, base=value.base.replace(tzinfo=fixed)))
        case date() | time() | timedelta() | Months() | WideDate() | WideTime() | WideDateTime():
            return format_temporal(value)
        case _:
            message = f"Expected a value that JSON can hold, found {described(value)}."
            raise FeelError("wrong_type", message, position)


def _unchanged(before: Any, after: Any) -> bool:
    return all(a is b for a, b in zip(before, after, strict=True))


def check_size(value: Any, budget: Budget, position: Position) -> None:
    """Refuse a result that is too long or too deep.

    Counts about as many bytes as the value has as JSON, level by level, and
    stops before the first level that is too much; what is shared counts each time.

    Raises:
        BudgetExceeded: It is.
    """
    size = 0
    level = [value]
    for depth in range(budget.depth + 1):
        kinds = set(map(type, level))
        size += 4 * len(level)
        if str in kinds:
            size += sum([len(item) for item in level if type(item) is str])
        parts = (
            [_inner(item) for item in level if type(item) not in _LEAVES] if kinds - _LEAVES else []
        )
        wide = sum(map(len, parts))
        if size + 4 * wide > budget.size:
            message = f"The result is larger than {budget.size:,} bytes. Make it smaller."
            raise BudgetExceeded(message, position)
        if not parts:
            return
        if depth == budget.depth:
            break
        level = list(chain.from_iterable(parts))
    message = f"The result nests deeper than {budget.depth} levels."
    raise BudgetExceeded(message, position)


def _inner(value: Any) -> Collection[Any]:
    """What a list or context holds, keys included."""
    if type(value) is list:
        return value
    if isinstance(value, Mapping):
        return [*value, *value.values()]
    return ()
