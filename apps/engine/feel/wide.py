"""Dates and times that the standard library has no room for.

Years beyond 1 to 9999 are kept as a year from 2000 to 2399 and a number of cycles: the
calendar, weekdays included, repeats every 400 years. What of a second lies below the
microsecond is kept beside it. ``moment`` and ``day_of`` give the plain value wherever
there is one, so each date and time has one form only.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Final, TypeAlias

from apps.engine.feel.errors import Fault

__all__ = [
    "DAY_NS",
    "KINDS",
    "MAX_YEAR",
    "AnyDate",
    "AnyDateTime",
    "AnyTime",
    "WideDate",
    "WideDateTime",
    "WideTime",
    "base_of",
    "clock_of",
    "combine",
    "cycles_of",
    "day_of",
    "from_ordinal",
    "from_utc",
    "make_date",
    "make_time",
    "moment",
    "nanos_of",
    "nanoseconds",
    "ordinal",
    "year_of",
]

MAX_YEAR: Final = 999_999_999
DAY_NS: Final = 86_400_000_000_000
_FIRST_YEAR: Final = 2000
_YEARS: Final = 400
_DAYS: Final = 146_097
_FIRST: Final = date(_FIRST_YEAR, 1, 1).toordinal()
_LAST_PLAIN: Final = date.max.toordinal()


@dataclass(frozen=True, slots=True)
class WideDate:
    """A date before year 1 or after 9999; ``base`` is that day 400 ``cycles`` years away."""

    base: date
    cycles: int


@dataclass(frozen=True, slots=True)
class WideTime:
    """A time with ``nanos`` (1 to 999) below its microsecond."""

    base: time
    nanos: int


@dataclass(frozen=True, slots=True)
class WideDateTime:
    """A date and time of which either is wide."""

    base: datetime
    cycles: int
    nanos: int


AnyDate: TypeAlias = date | WideDate
AnyTime: TypeAlias = time | WideTime
AnyDateTime: TypeAlias = datetime | WideDateTime

# The standard library's type for each of ours, which FEEL calls by one name.
KINDS: Final[dict[type, type]] = {WideDate: date, WideTime: time, WideDateTime: datetime}


def base_of(value: Any) -> Any:
    """The value of the standard library that a wide one is built on; else the value itself."""
    return value.base if type(value) in KINDS else value


def cycles_of(value: object) -> int:
    """How many times 400 years are to be added to the base."""
    return value.cycles if isinstance(value, WideDate | WideDateTime) else 0


def nanos_of(value: object) -> int:
    """The nanoseconds below the microsecond."""
    return value.nanos if isinstance(value, WideTime | WideDateTime) else 0


def year_of(value: AnyDate | AnyDateTime) -> int:
    """The year, 0 and below before the common era."""
    return int(base_of(value).year) + _YEARS * cycles_of(value)


def ordinal(value: AnyDate | AnyDateTime) -> int:
    """The number of the day, 1 on the first of January of year 1."""
    return int(base_of(value).toordinal()) + _DAYS * cycles_of(value)


def from_ordinal(days: int) -> AnyDate:
    """The date of a day's number.

    Raises:
        Fault: ``overflow``: beyond the years that there are.
    """
    if 1 <= days <= _LAST_PLAIN:
        return date.fromordinal(days)
    cycles, rest = divmod(days - _FIRST, _DAYS)
    return _bounded(WideDate(date.fromordinal(rest + _FIRST), cycles))


def _bounded(value: WideDate) -> WideDate:
    if abs(year_of(value)) > MAX_YEAR:
        raise Fault("overflow", f"The result lies outside the years -{MAX_YEAR} to {MAX_YEAR}.")
    return value


def make_date(year: int, month: int, day: int) -> AnyDate:
    """The date of a year, month and day.

    Raises:
        ValueError: There is no such day.
        Fault: ``overflow``: There is no such year.
    """
    if 1 <= year <= 9999:
        return date(year, month, day)
    cycles, rest = divmod(year - _FIRST_YEAR, _YEARS)
    return _bounded(WideDate(date(_FIRST_YEAR + rest, month, day), cycles))


def make_time(base: time, nanos: int) -> AnyTime:
    """A time with nanoseconds below its microsecond."""
    return WideTime(base, nanos) if nanos else base


def combine(day: AnyDate, clock: AnyTime) -> AnyDateTime:
    """A date and a time together."""
    base = datetime.combine(base_of(day), base_of(clock))
    return moment(base, cycles_of(day), nanos_of(clock))


def moment(base: datetime, cycles: int, nanos: int) -> AnyDateTime:
    """The date and time so many cycles from ``base``, in its one form.

    Raises:
        Fault: ``overflow``: There is no such year.
    """
    day = from_ordinal(base.toordinal() + _DAYS * cycles)
    if type(day) is date and not nanos:
        return datetime.combine(day, base.timetz())
    return WideDateTime(datetime.combine(base_of(day), base.timetz()), cycles_of(day), nanos)


def day_of(value: AnyDateTime) -> AnyDate:
    """The date of a date and time."""
    return from_ordinal(ordinal(value))


def clock_of(value: AnyDateTime) -> AnyTime:
    """The time of a date and time, with its zone."""
    return make_time(base_of(value).timetz(), nanos_of(value))


def nanoseconds(value: AnyDateTime) -> int:
    """Nanoseconds since the beginning of year 1: in UTC, or of its own clock without a zone."""
    base: datetime = base_of(value)
    seconds = (base.hour * 60 + base.minute) * 60 + base.second
    offset = base.utcoffset() or timedelta()
    return (
        ordinal(value) * DAY_NS
        + (seconds * 1_000_000 + base.microsecond - offset // timedelta(microseconds=1)) * 1000
        + nanos_of(value)
    )


def from_utc(count: int, zone: tzinfo | None) -> AnyDateTime:
    """The date and time of so many nanoseconds, as the clocks of a zone show it.

    Raises:
        Fault: ``overflow``: There is no such year.
    """
    days, rest = divmod(count, DAY_NS)
    micros, nanos = divmod(rest, 1000)
    if 1 < days < _LAST_PLAIN:  # the zone's own history
        cycles, day = 0, date.fromordinal(days)
    else:
        cycles, place = divmod(days - _FIRST, _DAYS)
        day = date.fromordinal(place + _FIRST)
    base = datetime.combine(day, time(), tzinfo=UTC)
    base += timedelta(microseconds=micros)
    shown = base.astimezone(zone) if zone is not None else base.replace(tzinfo=None)
    return moment(shown, cycles, nanos)
