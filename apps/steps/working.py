"""Durations and moments in working time, for steps that wait."""

import re
from datetime import datetime, timedelta

from apps.engine.working_time import Calendar, NoWorkingTime, add_days, add_time, next_moment
from apps.steps.outcomes import StepError

#: Where nobody works for so long, nothing waits for it: somebody has to look at the calendar.
SOON = timedelta(days=366)
_DURATION = r"P(?!$)(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?"


def after_working(calendar: Calendar, start: datetime, duration: object) -> datetime:
    """``start`` plus working days, hours and minutes; first the days, then the rest.

    Without any it is the next working moment.

    Raises:
        StepError: It is not such a duration, the calendar has not so much working time, or none
            within a year.
    """
    text = str(duration).strip()
    found = re.fullmatch(_DURATION, text)
    if not found:
        raise StepError(
            "bad_duration",
            f"“{text[:60]}” cannot be counted in working time; expected days, hours and minutes"
            " such as P2D or PT8H.",
        )
    days, hours, minutes, seconds = found.groups()
    if not somebody_works(calendar, start):
        raise _nobody_works(f"“{text[:60]}”")
    try:
        moved = add_days(calendar, start, int(days or 0))
        amount = timedelta(
            hours=int(hours or 0), minutes=int(minutes or 0), seconds=float(seconds or 0)
        )
        return moved if int(days or 0) and not amount else add_time(calendar, moved, amount)
    except (NoWorkingTime, OverflowError):
        raise _nobody_works(f"“{text[:60]}”") from None


def working_moment(calendar: Calendar, at: datetime) -> datetime:
    """``at``, or the next moment at which people work.

    Raises:
        StepError: There is none.
    """
    if not somebody_works(calendar, at):
        raise _nobody_works("The wait")
    return next_moment(calendar, at)


def somebody_works(calendar: Calendar, start: datetime) -> bool:
    """Whether there is working time within a year."""
    try:
        return next_moment(calendar, start) <= start + SOON
    except (NoWorkingTime, OverflowError):
        return False


def _nobody_works(what: str) -> StepError:
    return StepError(
        "no_working_time",
        f"{what} does not end within ten years by the working calendar, or nobody works for a"
        " year; look at the hours and days off in the settings.",
    )
