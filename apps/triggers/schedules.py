"""When a cron line fires, in a time zone, through both nights on which the clocks change.

A time that the clock skips in spring fires at the first moment after the gap. A time that comes
twice in autumn fires the first time only, unless the line is for every hour (``*`` in its hours):
such a line goes by elapsed time and fires in both.

Source: cron(8) of Vixie cron, on daylight saving time.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from typing import Literal
from zoneinfo import ZoneInfo

from croniter import CroniterBadDateError, croniter

from apps.steps.types.trigger_schedule import AllMissed

#: A time that is further past than this was missed.
ON_TIME = timedelta(minutes=1)
#: So many times may wait for the run before them.
MOST_WAITING = 100

Overlap = Literal["skip", "queue", "cancel_old", "allow"]
#: What becomes of a time that fires.
Verdict = Literal["started", "waiting", "skipped"]
_VERDICTS: tuple[Verdict, Verdict, Verdict] = ("started", "skipped", "waiting")


def next_after(cron: str, zone: str, after: datetime) -> datetime | None:
    """The first time after ``after``, in UTC; None where the line never fires again."""
    return next(_times(cron, zone, after, "next"), None)


def upcoming(cron: str, zone: str, after: datetime, count: int) -> list[datetime]:
    """The next times after ``after``, in UTC; fewer where the line ends."""
    return list(islice(_times(cron, zone, after, "next"), count))


def owed(
    cron: str,
    zone: str,
    missed: Literal["skip", "once"] | AllMissed,
    *,
    since: datetime,
    now: datetime,
) -> list[datetime]:
    """The times from ``since`` until ``now`` that are to fire, in their order.

    ``since`` is itself a time. ``once`` is the last of them; ``all`` the last so many missed
    ones and the one that is on time; ``skip`` only the one that is on time.
    """
    most = missed.all + 1 if isinstance(missed, AllMissed) else 1
    back = _times(cron, zone, now + timedelta(microseconds=1), "prev")
    times = list(islice(takewhile(lambda at: at >= since, back), most))[::-1]
    # Times that were told by an older rule stand, though the line would not give them now.
    times = times or [since]
    is_late = now - times[-1] > ON_TIME
    if missed == "skip" and is_late:
        return []
    return times[1:] if len(times) == most > 1 and is_late else times


def judge(
    times: Sequence[datetime], overlap: Overlap, *, is_busy: bool, waiting: int
) -> list[Verdict]:
    """What becomes of each of these times while earlier runs may be under way."""
    start, skip, wait = _VERDICTS
    if not times or overlap == "allow":
        return [start] * len(times)
    later = len(times) - 1
    if overlap == "cancel_old":
        return [skip] * later + [start]
    if overlap == "skip":
        return [skip if is_busy else start] + [skip] * later
    verdicts = [] if is_busy or waiting else [start]
    room = max(0, MOST_WAITING - waiting)
    left = len(times) - len(verdicts)
    return verdicts + [wait] * min(left, room) + [skip] * max(0, left - room)


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
