"""When a cron line fires, in a time zone, through both nights on which the clocks change.

A time that the clock skips in spring fires at the first moment after the gap. A time that comes
twice in autumn fires the first time only, unless the line is for every hour (``*`` in its hours):
such a line goes by elapsed time and fires in both.

Source: cron(8) of Vixie cron, on daylight saving time.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from croniter import CroniterBadDateError, croniter


def next_after(cron: str, zone: str, after: datetime) -> datetime | None:
    """The first time after ``after``, in UTC; None where the line never fires again."""
    return next(_times(cron, zone, after, "next"), None)


def last_until(cron: str, zone: str, until: datetime) -> datetime | None:
    """The last time at or before ``until``, in UTC."""
    return next(_times(cron, zone, until + timedelta(microseconds=1), "prev"), None)


def _times(
    cron: str, zone: str, start: datetime, way: Literal["next", "prev"]
) -> Iterator[datetime]:
    local = ZoneInfo(zone)
    line = croniter(cron, start.astimezone(local), max_years_between_matches=8)
    hourly = "*" in cron.split()[1]
    while True:
        try:
            at: datetime = line.get_next(datetime) if way == "next" else line.get_prev(datetime)
        except CroniterBadDateError:
            return
        # Through UTC, where each moment has one name; what comes back says which of two it is.
        at = at.astimezone(UTC)
        if hourly or at.astimezone(local).fold == 0:
            yield at
