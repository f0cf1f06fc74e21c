"""Functions that make a value of one type from another, and ``not``."""

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from typing import Any, Final

from apps.engine.feel import temporal
from apps.engine.feel.builtins.registry import builtin
from apps.engine.feel.errors import Fault
from apps.engine.feel.types import (
    CONTEXT,
    Meter,
    Months,
    Number,
    Range,
    described,
    is_whole,
    whole,
)
from apps.engine.feel.wide import (
    AnyDate,
    AnyDateTime,
    AnyTime,
    WideDate,
    WideDateTime,
    WideTime,
    clock_of,
    combine,
    day_of,
    make_date,
    make_time,
)
from apps.engine.values import MAX_DIGITS, MAX_EXPONENT, number_fault

_NUMBER: Final = re.compile(r"-?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d{1,9})?", re.ASCII)
_MAX_TEXT: Final = 2 * MAX_EXPONENT
_WIDE: Final = Context(prec=_MAX_TEXT, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[])
_SEPARATORS: Final = frozenset({" ", ",", "."})
_ESCAPES: Final = str.maketrans({'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


@builtin("not", "negand: boolean")
def not_(negand: bool) -> bool:  # noqa: FBT001 - FEEL passes arguments by place
    """The opposite of true or false."""
    return not negand


@builtin("number", "from: text|number")
def number(source: str | Number) -> Number:
    """Read a number from text such as ``-12.50``."""
    if not isinstance(source, str):
        return source
    text = source.strip()
    if len(text) > _MAX_TEXT or not _NUMBER.fullmatch(text):
        raise Fault("conversion", f"Expected a number such as 12.50, found {described(source)}.")
    if len(text) <= MAX_DIGITS and text.lstrip("-").isdecimal():
        return int(text)
    value = Decimal(text)
    if number_fault(value):  # zeros at the end are no digits of the value
        value = value.normalize(_WIDE)
    if number_fault(value):
        raise Fault(
            "conversion",
            f"Expected a number of at most {MAX_DIGITS} digits and an exponent up to "
            f"{MAX_EXPONENT}, found {described(source)}.",
        )
    return value


@builtin("number", "from: text", "grouping separator: text|null", "decimal separator: text|null?")
def number_with_separators(source: str, grouping: str | None, point: str | None = None) -> Number:
    """Read a number such as ``1.234,50``, given its separators."""
    if grouping is not None and grouping not in _SEPARATORS:
        raise Fault("conversion", 'The grouping separator must be " ", "," or ".".')
    if point is not None and (point not in {",", "."} or point == grouping):
        raise Fault("conversion", 'The decimal separator must be "," or ".", unlike the other.')
    plain = source.replace(grouping, "") if grouping else source
    return number(plain.replace(point, ".") if point else plain)


@builtin("string", "from: any")
def string(meter: Meter, value: Any) -> str:
    """Write any value as text."""
    if value is None:
        raise Fault(
            "conversion",
            "Expected a value to write as text, found null. Use get or else(value, default).",
        )
    if type(value) is str:
        return value
    text = _text(meter, value)
    meter.grow(len(text))
    return text


def _text(meter: Meter, value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case Decimal():
            return f"{value:f}"
        case str():
            return f'"{value.translate(_ESCAPES)}"'
        case list():
            return f"[{_joined(meter, [_text(meter, item) for item in _paid(meter, value)])}]"
        case Mapping():
            entries = [f"{_key(key)}: {_text(meter, value[key])}" for key in _paid(meter, value)]
            return f"{{{_joined(meter, entries)}}}"
        case Range():
            return _range_text(meter, value)
        case date() | time() | timedelta() | Months() | WideDate() | WideTime() | WideDateTime():
            return temporal.format_temporal(value)
        case _:
            raise Fault("conversion", f"Cannot write {described(value)} as text.")


def _range_text(meter: Meter, value: Range) -> str:
    start = "" if value.start is None else _text(meter, value.start)
    end = "" if value.end is None else _text(meter, value.end)
    return (
        f"{'[' if value.start_included else '('}{start}..{end}{']' if value.end_included else ')'}"
    )


def _paid(meter: Meter, values: Any) -> Any:
    meter.spend(len(values))
    return values


def _joined(meter: Meter, parts: list[str]) -> str:
    meter.grow(sum(map(len, parts)) + 2 * len(parts))
    return ", ".join(parts)


def _key(key: str) -> str:
    return key if key.isidentifier() else f'"{key.translate(_ESCAPES)}"'


@builtin("date", "from: text|date|datetime")
def date_from(source: str | AnyDate | AnyDateTime) -> AnyDate:
    """Read a date from text, or take it from a date and time."""
    if isinstance(source, str):
        return temporal.parse_date(source)
    return day_of(source) if isinstance(source, datetime | WideDateTime) else source


@builtin("date", "year: number", "month: number", "day: number")
def date_of(year: Number, month: Number, day: Number) -> AnyDate:
    """The date of a year, month and day."""
    try:
        return make_date(whole(year, "year"), whole(month, "month"), whole(day, "day"))
    except (ValueError, OverflowError):
        message = f"There is no day {day} of month {month} of year {year} in the calendar."
        raise Fault("conversion", message) from None


@builtin("time", "from: text|time|datetime|date")
def time_from(source: str | AnyTime | AnyDate | AnyDateTime) -> AnyTime:
    """Read a time from text, or take it from a date and time."""
    match source:
        case str():
            return temporal.parse_time(source)
        case datetime() | WideDateTime():
            return clock_of(source)
        case date() | WideDate():
            return time(tzinfo=temporal.zone("UTC"))
        case _:
            return source


@builtin("time", "hour: number", "minute: number", "second: number", "offset: days|null?")
def time_of(
    hour: Number, minute: Number, second: Number, offset: timedelta | None = None
) -> AnyTime:
    """The time of an hour, minute, second and offset."""
    if not 0 <= second < 60:
        raise Fault("conversion", f"Expected seconds from 0 to 59, found {second}.")
    count = CONTEXT.multiply(Decimal(second), Decimal(1_000_000_000))
    if not is_whole(count):
        raise Fault("conversion", f"Expected at most 9 digits of a second, found {second}.")
    seconds, fraction = divmod(int(count), 1_000_000_000)
    micros, nanos = divmod(fraction, 1000)
    zone = None if offset is None else temporal.fixed_offset(offset)
    try:
        clock = time(whole(hour, "hour"), whole(minute, "minute"), seconds, micros, tzinfo=zone)
    except ValueError:
        raise Fault("conversion", f"There is no time of day {hour}:{minute}.") from None
    return make_time(clock, nanos)


@builtin("date and time", "from: text|datetime|date")
def date_and_time_from(source: str | AnyDate | AnyDateTime) -> AnyDateTime:
    """Read a date and time from text; a date is its midnight."""
    if isinstance(source, str):
        return temporal.parse_date_and_time(source)
    if isinstance(source, datetime | WideDateTime):
        return source
    return combine(source, time())


@builtin("date and time", "from: datetime", "timezone: text")
@builtin("date and time", "date: date|datetime", "time: time|text")
def date_and_time_of(day: AnyDate | AnyDateTime, clock: AnyTime | str) -> AnyDateTime:
    """A date and a time of day together, or a moment as the clocks of a zone show it."""
    if not isinstance(clock, str):
        return combine(date_from(day), clock)
    if not isinstance(day, datetime | WideDateTime):
        raise Fault("wrong_type", "Expected a time of day beside the date, found text.")
    return temporal.in_zone(day, temporal.zone(clock))


@builtin("duration", "from: text|days|months")
def duration(source: str | timedelta | Months) -> timedelta | Months:
    """Read a duration from text such as ``P2D`` or ``P1Y6M``."""
    return temporal.parse_duration(source) if isinstance(source, str) else source


@builtin("years and months duration", "from: date|datetime", "to: date|datetime")
def years_and_months_duration(start: AnyDate | AnyDateTime, end: AnyDate | AnyDateTime) -> Months:
    """The whole months between two dates."""
    return temporal.whole_months(start, end)
