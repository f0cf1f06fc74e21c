"""Functions over dates and times. ``now`` and ``today`` read the evaluation's time."""

from datetime import date, datetime
from typing import Final

from apps.engine.feel import temporal
from apps.engine.feel.builtins.registry import builtin
from apps.engine.feel.types import Meter
from apps.engine.feel.wide import AnyDate, AnyDateTime, base_of

_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@builtin("now")
def now(meter: Meter) -> datetime:
    """The time of the evaluation, in its zone."""
    return meter.now.astimezone(temporal.zone(meter.zone))


@builtin("today")
def today(meter: Meter) -> date:
    """The date of the evaluation, in its zone."""
    return now(meter).date()


@builtin("day of week", "date: date|datetime")
def day_of_week(day: AnyDate | AnyDateTime) -> str:
    """The English name of the weekday."""
    return _DAYS[base_of(day).weekday()]


@builtin("day of year", "date: date|datetime")
def day_of_year(day: AnyDate | AnyDateTime) -> int:
    """The number of the day in its year."""
    return int(base_of(day).timetuple().tm_yday)


@builtin("week of year", "date: date|datetime")
def week_of_year(day: AnyDate | AnyDateTime) -> int:
    """The number of the week in its year, as ISO 8601 counts."""
    return int(base_of(day).isocalendar().week)


@builtin("month of year", "date: date|datetime")
def month_of_year(day: AnyDate | AnyDateTime) -> str:
    """The English name of the month."""
    return _MONTHS[base_of(day).month - 1]
