"""Durations and moments in working time, for steps that wait."""

import re
from datetime import datetime, timedelta

from apps.engine.working_time import Calendar, NoWorkingTime, add_days, add_time, next_moment
from apps.steps.outcomes import StepError

_DURATION = r"P(?!$)(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?"


def after_working(calendar: Calendar, start: datetime, duration: object) -> datetime:
    """``start`` plus working days, hours and minutes; first the days, then the rest.

    Without any it is the next working moment.

    Raises:
        StepError: It is not such a duration, or the calendar has not so much working time.
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
    try:
        return next_moment(calendar, at)
    except (NoWorkingTime, OverflowError):
        raise _nobody_works("The wait") from None


def _nobody_works(what: str) -> StepError:
    return StepError(
        "no_working_time",
        f"{what} does not end within ten years by the working calendar; look at the hours and"
        " days off in the settings.",
    )
