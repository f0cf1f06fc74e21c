"""A working calendar as it is stored and shown, and as the engine counts by it.

Stored: ``{"version": 1, "zone", "hours": [[{"from": "09:00", "to": "17:00"}], …],
"holidays": [{"date": "2026-12-25", "name": "Christmas"}]}``, ``hours`` from Monday on.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import available_timezones

from apps.core.errors import Invalid
from apps.engine.working_time import MIDNIGHT, NINE_TO_FIVE, Calendar, Span
from apps.steps.working import somebody_works

VERSION = 1
MOST_SPANS = 6
MOST_HOLIDAYS = 1000
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

Content = dict[str, Any]


def standard(zone: str) -> Content:
    """What holds where nobody has said anything: Monday to Friday, nine to five."""
    hours = [[_span_shown(span) for span in spans] for spans in NINE_TO_FIVE]
    return {"version": VERSION, "zone": zone, "hours": hours, "holidays": []}


def read(content: Mapping[str, Any]) -> Calendar:
    """The stored calendar as the engine counts by it."""
    if content["version"] != VERSION:
        raise ValueError(f"A calendar of version {content['version']} cannot be read.")
    return Calendar(
        zone=content["zone"],
        hours=tuple(
            tuple((_minutes(one["from"]), _minutes(one["to"])) for one in spans)
            for spans in content["hours"]
        ),
        holidays=frozenset(date.fromisoformat(one["date"]) for one in content["holidays"]),
    )


def checked(
    *,
    zone: str,
    hours: Sequence[Sequence[Mapping[str, str]]],
    holidays: Sequence[Mapping[str, Any]],
) -> Content:
    """What may be stored, in order.

    Raises:
        Invalid: Nobody could work by it, or two things contradict each other.
    """
    if zone not in available_timezones():
        raise Invalid(f"“{zone[:60]}” is not a time zone; expected one like Europe/Berlin.")
    if len(hours) != len(DAYS):
        raise Invalid("Give the hours of seven days, from Monday on; none for a day off.")
    week = [_day(name, spans) for name, spans in zip(DAYS, hours, strict=True)]
    if not any(week):
        raise Invalid("Nobody ever works by this calendar; give at least one day its hours.")
    if len(holidays) > MOST_HOLIDAYS:
        raise Invalid(f"At most {MOST_HOLIDAYS} days off can be kept; remove those long past.")
    days = sorted(
        ({"date": one["date"].isoformat(), "name": one["name"].strip()} for one in holidays),
        key=lambda one: one["date"],
    )
    for one, other in itertools.pairwise(days):
        if one["date"] == other["date"]:
            raise Invalid(f"{one['date']} is in the list of days off twice; keep one of them.")
    shown = [[_span_shown(span) for span in spans] for spans in week]
    return {"version": VERSION, "zone": zone, "hours": shown, "holidays": days}


def check_works(content: Content, now: datetime) -> None:
    """Refuse a calendar that would let everything in working time wait for more than a year.

    Raises:
        Invalid: All its working days of the next year are off.
    """
    if not somebody_works(read(content), now):
        raise Invalid(
            "Nobody works by this calendar within the next year; take some of the days off out, or"
            " give more days their hours."
        )


def _day(name: str, spans: Sequence[Mapping[str, str]]) -> list[Span]:
    if len(spans) > MOST_SPANS:
        raise Invalid(f"{name} has more than {MOST_SPANS} stretches of work; join some.")
    found = sorted((_minutes(one["from"]), _minutes(one["to"])) for one in spans)
    for start, end in found:
        if start >= end:
            raise Invalid(
                f"On {name} work ends before it begins; a night goes until 24:00 and begins"
                " again at 00:00 of the next day."
            )
    for (_, end), (start, _) in itertools.pairwise(found):
        if start < end:
            raise Invalid(f"On {name} two stretches of work overlap; make them one.")
    return found


def _minutes(text: str) -> int:
    found = re.fullmatch(r"([01][0-9]|2[0-4]):([0-5][0-9])", text)
    minutes = int(found[1]) * 60 + int(found[2]) if found else MIDNIGHT + 1
    if minutes > MIDNIGHT:
        raise Invalid(f"“{text[:20]}” is not a time of day; expected one like 09:00, or 24:00.")
    return minutes


def _span_shown(span: Span) -> dict[str, str]:
    start, end = (f"{minutes // 60:02}:{minutes % 60:02}" for minutes in span)
    return {"from": start, "to": end}
