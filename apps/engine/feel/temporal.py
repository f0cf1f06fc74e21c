"""Dates, times and durations: their text, their parts, and sums with them.

Durations of days and time are kept to the microsecond; dates and times that the standard
library has no room for are those of ``wide``.
Sums with a zone are made on the time line: a day with a clock change has 23 or
25 hours, but a month later is the same time of day.

Source: OMG DMN 1.5, section 10.3.2.3 (temporal values); ISO 8601.
"""

import calendar
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

from apps.engine.feel.errors import Fault
from apps.engine.feel.types import CONTEXT, Months, Number
from apps.engine.feel.wide import (
    DAY_NS,
    MAX_YEAR,
    AnyDate,
    AnyDateTime,
    AnyTime,
    WideDate,
    WideDateTime,
    WideTime,
    base_of,
    clock_of,
    combine,
    cycles_of,
    from_ordinal,
    from_utc,
    make_date,
    make_time,
    moment,
    nanos_of,
    nanoseconds,
    ordinal,
    year_of,
)

__all__ = [
    "PROPERTIES",
    "Temporal",
    "add_days_and_time",
    "add_months",
    "elapsed",
    "fixed_offset",
    "format_temporal",
    "gap",
    "in_zone",
    "parse_any",
    "parse_date",
    "parse_date_and_time",
    "parse_duration",
    "parse_time",
    "scale",
    "to_microseconds",
    "whole_months",
    "zone",
]

Temporal: TypeAlias = AnyDate | AnyTime | AnyDateTime | timedelta | Months

_DATE: Final = r"(?P<year>(?!-0000)-?(?:\d{4}|[1-9]\d{4,8}))-(?P<month>\d\d)-(?P<day>\d\d)"
_TIME: Final = (
    r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:\.(?P<fraction>\d{1,9}))?"
    r"(?P<zone>[zZ]|[-+]\d\d:\d\d(?::\d\d)?|@[A-Za-z0-9_+/-]{1,64})?"
)
_DATE_ONLY: Final = re.compile(_DATE, re.ASCII)
_TIME_ONLY: Final = re.compile(_TIME, re.ASCII)
_DATE_AND_TIME: Final = re.compile(f"{_DATE}T{_TIME}", re.ASCII)
_DAYS: Final = re.compile(
    r"(?P<sign>-?)P(?=.)(?:(?P<days>\d{1,12})D)?"
    r"(?:T(?=.)(?:(?P<hours>\d{1,12})H)?(?:(?P<minutes>\d{1,12})M)?"
    r"(?:(?P<seconds>\d{1,12}(?:\.\d{1,9})?)S)?)?",
    re.ASCII,
)
_MONTHS: Final = re.compile(
    r"(?P<sign>-?)P(?=.)(?:(?P<years>\d{1,12})Y)?(?:(?P<months>\d{1,12})M)?", re.ASCII
)
_DAY: Final = timedelta(days=1)
_MICROSECOND: Final = timedelta(microseconds=1)


def parse_any(text: str) -> Temporal:
    """Read the text of an ``@"…"`` literal, whichever kind it is.

    Raises:
        Fault: ``conversion``: it is none of them.
    """
    if "P" in text[:2]:
        return parse_duration(text)
    if _DATE_ONLY.fullmatch(text):
        return parse_date(text)
    if "T" in text:
        return parse_date_and_time(text)
    if _TIME_ONLY.fullmatch(text):
        return parse_time(text)
    raise _unreadable("a date, time or duration", text, "2026-03-01, 09:30:00, P2D or P1Y")


def parse_date(text: str) -> AnyDate:
    """Read ``2026-03-01``."""
    match = _DATE_ONLY.fullmatch(text)
    if match is None:
        raise _unreadable("a date", text, "2026-03-01")
    return _date(match, text)


def parse_time(text: str) -> AnyTime:
    """Read ``09:30:00``, with an offset or ``@Zone`` if there is one."""
    match = _TIME_ONLY.fullmatch(text)
    if match is None:
        raise _unreadable("a time", text, "09:30:00 or 09:30:00+01:00")
    return _time(match, text)


def parse_date_and_time(text: str) -> AnyDateTime:
    """Read ``2026-03-01T09:30:00``, with an offset or ``@Zone``; a date is its midnight."""
    match = _DATE_AND_TIME.fullmatch(text)
    if match is None:
        if _DATE_ONLY.fullmatch(text):
            return combine(parse_date(text), time())
        raise _unreadable("a date and time", text, "2026-03-01T09:30:00Z")
    return combine(_date(match, text), _time(match, text))


def parse_duration(text: str) -> timedelta | Months:
    """Read ``P1DT2H`` or ``P1Y2M``."""
    if match := _DAYS.fullmatch(text):
        seconds = Decimal(match["seconds"] or 0)
        if seconds * 1_000_000 % 1:
            message = f'A duration has at most 6 digits of a second, found "{text[:60]}".'
            raise Fault("conversion", message)
        try:
            value = timedelta(
                days=int(match["days"] or 0),
                hours=int(match["hours"] or 0),
                minutes=int(match["minutes"] or 0),
                seconds=int(seconds),
                microseconds=int(seconds % 1 * 1_000_000),
            )
            return -value if match["sign"] else value
        except OverflowError:
            raise Fault("overflow", f'The duration "{text}" is too long.') from None
    if match := _MONTHS.fullmatch(text):
        count = int(match["years"] or 0) * 12 + int(match["months"] or 0)
        return Months(-count if match["sign"] else count)
    raise _unreadable("a duration", text, "P2D, PT36H, P1DT12H or P1Y6M")


@lru_cache(maxsize=512)
def zone(name: str) -> tzinfo:
    """The time zone of that name in the IANA database.

    Raises:
        Fault: ``conversion``: there is none.
    """
    if name in {"UTC", "Z", "Etc/UTC"}:
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise Fault(
            "conversion", f'Expected a time zone such as Europe/Berlin, found "{name[:60]}".'
        ) from None


def _unreadable(kind: str, text: str, example: str) -> Fault:
    return Fault("conversion", f'Expected {kind} such as {example}, found "{text[:60]}".')


def _date(match: re.Match[str], text: str) -> AnyDate:
    try:
        return make_date(int(match["year"]), int(match["month"]), int(match["day"]))
    except ValueError:
        raise Fault("conversion", f'There is no day "{text[:60]}" in the calendar.') from None


def _time(match: re.Match[str], text: str) -> AnyTime:
    micros, nanos = divmod(int((match["fraction"] or "").ljust(9, "0")), 1000)
    try:
        clock = time(
            int(match["hour"]),
            int(match["minute"]),
            int(match["second"]),
            micros,
            tzinfo=_offset(match["zone"]),
        )
        return make_time(clock, nanos)
    except ValueError:
        raise Fault("conversion", f'There is no time of day "{text[:60]}".') from None


def _offset(text: str | None) -> tzinfo | None:
    if text is None:
        return None
    if text in {"Z", "z"}:
        return UTC
    if text[0] == "@":
        return zone(text[1:])
    hours, minutes, seconds = (*map(int, text[1:].split(":")), 0)[:3]
    if hours > 14 or minutes > 59 or seconds > 59:
        raise ValueError(text)
    offset = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return timezone(-offset if text[0] == "-" else offset)


def fixed_offset(offset: timedelta) -> tzinfo:
    """The zone that is always that far from UTC.

    Raises:
        Fault: ``conversion``: more than 14 hours.
    """
    if abs(offset) > timedelta(hours=14) or offset % timedelta(seconds=1):
        raise Fault("conversion", "A time offset is at most 14 hours, in whole seconds.")
    return timezone(offset) if offset else UTC


def format_temporal(value: Temporal) -> str:
    """Write a value as ISO 8601; a named zone follows as ``@Zone``."""
    match value:
        case datetime() | WideDateTime():
            return f"{_format_date(value)}T{_format_time(value)}"
        case date() | WideDate():
            return _format_date(value)
        case time() | WideTime():
            return _format_time(value)
        case timedelta():
            return _format_days(value)
        case Months():
            return _format_months(value.count)


def _format_date(value: AnyDate | AnyDateTime) -> str:
    year, day = year_of(value), base_of(value)
    return f"{'-' if year < 0 else ''}{abs(year):04}-{day.month:02}-{day.day:02}"


def _format_time(value: AnyTime | AnyDateTime) -> str:
    clock = base_of(value)
    text = f"{clock.hour:02}:{clock.minute:02}:{clock.second:02}"
    fraction = clock.microsecond * 1000 + nanos_of(value)
    if fraction:
        text += f".{fraction:09}".rstrip("0")
    if clock.tzinfo is None:
        return text
    if isinstance(clock.tzinfo, ZoneInfo):
        return f"{text}@{clock.tzinfo.key}"
    offset = clock.utcoffset() or timedelta()
    if not offset:
        return f"{text}Z"
    sign = "-" if offset < timedelta() else "+"
    minutes, seconds = divmod(int(abs(offset).total_seconds()), 60)
    text += f"{sign}{minutes // 60:02}:{minutes % 60:02}"
    return f"{text}:{seconds:02}" if seconds else text


def _format_days(value: timedelta) -> str:
    if not value:
        return "PT0S"
    sign = "-" if value < timedelta() else ""
    value = abs(value)
    text = f"{sign}P{value.days}D" if value.days else f"{sign}P"
    hours, minutes, seconds = _clock(value)
    clock = f"{hours}H" if hours else ""
    clock += f"{minutes}M" if minutes else ""
    if value.microseconds:
        clock += f"{seconds}.{value.microseconds:06}".rstrip("0") + "S"
    elif seconds:
        clock += f"{seconds}S"
    return f"{text}T{clock}" if clock else text


def _clock(value: timedelta) -> tuple[int, int, int]:
    return value.seconds // 3600, value.seconds // 60 % 60, value.seconds % 60


def _format_months(count: int) -> str:
    years, months = divmod(abs(count), 12)
    text = f"{f'{years}Y' if years else ''}{f'{months}M' if months or not years else ''}"
    return f"{'-' if count < 0 else ''}P{text}"


def _second(value: AnyTime | AnyDateTime) -> Number:
    clock = base_of(value)
    fraction = clock.microsecond * 1000 + nanos_of(value)
    if not fraction:
        return int(clock.second)
    return (Decimal(fraction).scaleb(-9) + int(clock.second)).normalize(CONTEXT)


def _zone_name(value: AnyTime | AnyDateTime) -> str | None:
    zone_ = base_of(value).tzinfo
    if isinstance(zone_, ZoneInfo):
        return zone_.key
    return "UTC" if zone_ is UTC else None


def _signed(part: Callable[[timedelta], Number]) -> Callable[[timedelta], Number]:
    return lambda value: part(value) if value >= timedelta() else -part(-value)


def _duration_seconds(value: timedelta) -> Number:
    if not value.microseconds:
        return value.seconds % 60
    return (value.seconds % 60 + Decimal(value.microseconds).scaleb(-6)).normalize(CONTEXT)


_DATE_PARTS: Final[dict[str, Callable[[Any], Any]]] = {
    "year": year_of,
    "month": lambda value: base_of(value).month,
    "day": lambda value: base_of(value).day,
    "weekday": lambda value: base_of(value).isoweekday(),
}
_TIME_PARTS: Final[dict[str, Callable[[Any], Any]]] = {
    "hour": lambda value: base_of(value).hour,
    "minute": lambda value: base_of(value).minute,
    "second": _second,
    "time offset": lambda value: base_of(value).utcoffset(),
    "timezone": _zone_name,
}
# What may stand after the dot, for each type.
PROPERTIES: Final[dict[type, dict[str, Callable[[Any], Any]]]] = {
    date: _DATE_PARTS,
    time: _TIME_PARTS,
    datetime: _DATE_PARTS | _TIME_PARTS,
    WideDate: _DATE_PARTS,
    WideTime: _TIME_PARTS,
    WideDateTime: _DATE_PARTS | _TIME_PARTS,
    timedelta: {
        "days": _signed(lambda value: value.days),
        "hours": _signed(lambda value: _clock(value)[0]),
        "minutes": _signed(lambda value: _clock(value)[1]),
        "seconds": _signed(_duration_seconds),
    },
    Months: {
        "years": lambda value: abs(value.count) // 12 * (-1 if value.count < 0 else 1),
        "months": lambda value: abs(value.count) % 12 * (-1 if value.count < 0 else 1),
    },
}


def add_days_and_time(value: Any, duration: timedelta) -> Any:
    """A date, time or date and time later by a duration; a date stays a date."""
    if isinstance(value, time | WideTime):
        day = datetime.combine(date(2000, 6, 15), base_of(value).replace(tzinfo=None))
        moved = day + timedelta(seconds=duration.seconds, microseconds=duration.microseconds)
        clock = moved.timetz().replace(tzinfo=base_of(value).tzinfo)
        return make_time(clock, nanos_of(value))
    if not isinstance(value, datetime | WideDateTime):
        return from_ordinal(ordinal(value) + duration.days)
    zone_ = base_of(value).tzinfo
    return from_utc(nanoseconds(value) + to_microseconds(duration) * 1000, zone_)


def add_months(value: Any, months: int) -> Any:
    """The same day of a later month, or its last day where the month is shorter."""
    year, month = divmod(year_of(value) * 12 + base_of(value).month - 1 + months, 12)
    month += 1
    if abs(year) > MAX_YEAR:
        raise Fault("overflow", f"The result lies outside the years -{MAX_YEAR} to {MAX_YEAR}.")
    day = make_date(year, month, 1)
    last = calendar.monthrange(base_of(day).year, month)[1]
    day = make_date(year, month, min(base_of(value).day, last))
    if not isinstance(value, datetime | WideDateTime):
        return day
    moved = combine(day, clock_of(value))
    zone_ = base_of(value).tzinfo
    # An hour that the clocks skip on that day is moved forward.
    return from_utc(nanoseconds(moved), zone_) if isinstance(zone_, ZoneInfo) else moved


def gap(later: Any, earlier: Any) -> int:
    """The nanoseconds from ``earlier`` to ``later``, of one type, both with a zone or without.

    Raises:
        Fault: ``wrong_type``: only one of them has a zone.
    """
    if isinstance(later, time | WideTime):
        day = date(2000, 6, 15)
        later, earlier = combine(day, later), combine(day, earlier)
    elif not isinstance(later, datetime | WideDateTime):
        return (ordinal(later) - ordinal(earlier)) * DAY_NS
    if (base_of(later).tzinfo is None) != (base_of(earlier).tzinfo is None):
        raise Fault(
            "wrong_type",
            "Expected both times with a time zone or both without, found one of each. "
            'Add an offset such as "Z" to the other.',
        )
    return nanoseconds(later) - nanoseconds(earlier)


def elapsed(later: Any, earlier: Any) -> timedelta:
    """The time between two values, as ``gap`` counts it.

    Raises:
        Fault: ``wrong_type``: only one has a zone; ``overflow``: no duration is so long or fine.
    """
    micros, rest = divmod(gap(later, earlier), 1000)
    if rest:
        raise Fault("overflow", "The duration is finer than a microsecond.")
    try:
        return timedelta(microseconds=micros)
    except OverflowError:
        raise Fault("overflow", "The duration is too long.") from None


def in_zone(value: AnyDateTime, zone_: tzinfo) -> AnyDateTime:
    """The same moment as the clocks of a zone show it; without a zone it is taken to be there."""
    base: datetime = base_of(value)
    if base.tzinfo is None:
        return moment(base.replace(tzinfo=zone_), cycles_of(value), nanos_of(value))
    return from_utc(nanoseconds(value), zone_)


def whole_months(start: AnyDate | AnyDateTime, end: AnyDate | AnyDateTime) -> Months:
    """The whole months from one date to another, negative where ``end`` comes first."""
    if ordinal(end) < ordinal(start):
        return Months(-whole_months(end, start).count)
    first, last = base_of(start), base_of(end)
    count = (year_of(end) - year_of(start)) * 12 + last.month - first.month
    return Months(count - (last.day < first.day))


def to_microseconds(value: timedelta) -> int:
    """The length of a duration in microseconds."""
    return value // _MICROSECOND


def scale(value: timedelta | Months, factor: Number, *, divide: bool = False) -> timedelta | Months:
    """A duration times or divided by a number, rounded to its unit, half to even."""
    count = value.count if type(value) is Months else to_microseconds(value)  # type: ignore[arg-type]
    exact = (CONTEXT.divide if divide else CONTEXT.multiply)(Decimal(count), Decimal(factor))
    rounding = "ROUND_DOWN" if type(value) is Months else ROUND_HALF_EVEN
    if exact and exact.adjusted() > 30:
        raise Fault("overflow", "The duration is too long.")
    try:
        whole = int(exact.to_integral_value(rounding=rounding))
        return Months(whole) if type(value) is Months else timedelta(microseconds=whole)
    except OverflowError:
        raise Fault("overflow", "The duration is too long.") from None
