"""Working time: hours and days that a calendar counts, and the moments they lead to.

Pure: a calendar and a moment in, a moment out, in UTC: within one zone Python counts by the
wall, not by what passes. Hours are counted as they pass, so a working
night on which the clocks change has an hour more or less; days are counted on the wall's
calendar. A time on the wall that the clocks skip is the end of the gap.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

#: Further than this nothing is looked for.
HORIZON = timedelta(days=3660)
#: The end of a day, as minutes since its beginning.
MIDNIGHT = 24 * 60

#: From and to, in minutes since the day began on the wall.
Span = tuple[int, int]
Week = tuple[tuple[Span, ...], ...]

NINE_TO_FIVE: Week = (((9 * 60, 17 * 60),),) * 5 + ((),) * 2


class NoWorkingTime(Exception):
    """Within ten years the calendar has not as much working time as is asked for."""


@dataclass(frozen=True)
class Calendar:
    """Who works when. ``hours`` from Monday on: spans in order that do not overlap."""

    zone: str = "UTC"
    hours: Week = NINE_TO_FIVE
    holidays: frozenset[date] = field(default_factory=frozenset)

    def spans_on(self, day: date) -> tuple[Span, ...]:
        """The hours of one day; none on a holiday."""
        return () if day in self.holidays else self.hours[day.weekday()]


#: Where a workspace has said nothing: Monday to Friday, nine to five.
STANDARD = Calendar()


def next_moment(calendar: Calendar, at: datetime) -> datetime:
    """``at`` where that is working time, else the beginning of the next working time.

    Raises:
        NoWorkingTime: There is none.
    """
    at = at.astimezone(UTC)
    for start, end in _from(calendar, at):
        if at < end:
            return max(at, start)
    raise NoWorkingTime


def add_time(calendar: Calendar, at: datetime, amount: timedelta) -> datetime:
    """The moment until which so much working time has passed since ``at``.

    Without any amount it is the next working moment. The end of a working day belongs to the
    day: eight hours from nine lead to five, not to the next morning.

    Raises:
        NoWorkingTime: There is not so much.
    """
    if not amount:
        return next_moment(calendar, at)
    at, left = at.astimezone(UTC), amount
    for start, end in _from(calendar, at):
        begin = max(at, start)
        if end - begin >= left:
            return begin + left
        left -= max(end - begin, timedelta())
    raise NoWorkingTime


def time_between(calendar: Calendar, start: datetime, end: datetime) -> timedelta:
    """How much working time lies between two moments; none where ``end`` is the earlier."""
    start, end, total = start.astimezone(UTC), end.astimezone(UTC), timedelta()
    for begin, until in _from(calendar, start):
        if begin >= end:
            break
        total += max(min(until, end) - max(begin, start), timedelta())
    return total


def add_days(calendar: Calendar, at: datetime, days: int) -> datetime:
    """The same time on the wall so many working days later.

    It counts from the next working moment. Where that day begins later or ends earlier, it is
    its beginning or its end; in a pause it is the end of the pause.

    Raises:
        NoWorkingTime: There are not so many.
    """
    if not days:
        return at.astimezone(UTC)
    local = next_moment(calendar, at).astimezone(ZoneInfo(calendar.zone))
    day = local.date()
    last = day + HORIZON
    left = days
    while left:
        day += timedelta(days=1)
        if day > last:
            raise NoWorkingTime
        left -= bool(_spans_of(calendar, day))
    since_midnight = local.replace(tzinfo=None) - datetime.combine(local.date(), time())
    moment = _moment(calendar, day, since_midnight)
    spans = _spans_of(calendar, day)
    for start, end in spans:
        if moment <= end:
            return max(moment, start)
    return spans[-1][1]


def _from(calendar: Calendar, at: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Working time that ends after ``at`` in order, in UTC, as far as is looked."""
    first = at.astimezone(ZoneInfo(calendar.zone)).date()
    # What ends yesterday on the wall may end today where the clocks went over midnight.
    day = first - timedelta(days=1)
    while day <= first + HORIZON:
        for start, end in _spans_of(calendar, day):
            if end > at:
                yield start, end
        day += timedelta(days=1)


def _spans_of(calendar: Calendar, day: date) -> list[tuple[datetime, datetime]]:
    """The working time of one day on the wall, in UTC; what the clocks skip is left out."""
    spans = [
        (
            _moment(calendar, day, timedelta(minutes=start)),
            _moment(calendar, day, timedelta(minutes=end)),
        )
        for start, end in calendar.spans_on(day)
    ]
    return [(start, end) for start, end in spans if start < end]


def _moment(calendar: Calendar, day: date, since_midnight: timedelta) -> datetime:
    """The first moment at which the clock on the wall shows this or later, in UTC."""
    zone = ZoneInfo(calendar.zone)
    wall = datetime.combine(day, time()) + since_midnight
    found = wall.replace(tzinfo=zone).astimezone(UTC)
    if _on_wall(found, zone) == wall:
        return found
    # In a gap: its end lies between what the offset after and the offset before would say.
    early, late = wall.replace(tzinfo=zone, fold=1).astimezone(UTC), found
    while late - early > timedelta(seconds=1):
        middle = early + (late - early) / 2
        early, late = (early, middle) if _on_wall(middle, zone) >= wall else (middle, late)
    return late.replace(microsecond=0)


def _on_wall(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)
