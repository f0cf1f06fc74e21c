"""Lengths of time and schedules as people say them."""

import re
from collections.abc import Sequence

from apps.steps.comparison.words import Language

_UNITS = {
    "Y": (("year", "years"), ("Jahr", "Jahre")),
    "M": (("month", "months"), ("Monat", "Monate")),
    "W": (("week", "weeks"), ("Woche", "Wochen")),
    "D": (("day", "days"), ("Tag", "Tage")),
    "TH": (("hour", "hours"), ("Stunde", "Stunden")),
    "TM": (("minute", "minutes"), ("Minute", "Minuten")),
    "TS": (("second", "seconds"), ("Sekunde", "Sekunden")),
}
_DAYS = {
    "en": ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"),
    "de": ("Sonntag", "Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag"),
}
_DURATION = re.compile(r"P(?!$)(?:\d+[YMWD])*(?:T(?:[\d.]+[HMS])+)?")
_WHOLE = re.compile(r"\d{1,2}")
_WEEK = 7
_WORKING = (1, 2, 3, 4, 5)


def duration(iso: str, language: Language) -> str:
    """``P2D`` as "2 days"; what is no ISO duration stays as it is."""
    if not _DURATION.fullmatch(iso):
        return iso
    days, _, hours = iso[1:].partition("T")
    found = [
        *re.findall(r"(\d+)([YMWD])", days),
        *((count, f"T{unit}") for count, unit in re.findall(r"([\d.]+)([HMS])", hours)),
    ]
    index = 0 if language == "en" else 1
    return " ".join(
        f"{count} {_UNITS[unit][index][0 if count == '1' else 1]}" for count, unit in found
    )


def schedule(cron: str, zone: str, language: Language) -> str:
    """``0 9 * * 1-5`` and ``Europe/Berlin`` as "every weekday 09:00, Berlin"."""
    place = zone.rsplit("/", 1)[-1].replace("_", " ")
    said = _said(cron, language)
    if said is None:
        line = f"by the cron line {cron}" if language == "en" else f"nach der Cron-Zeile {cron}"
        return f"{line}, {place}"
    return f"{said}, {place}"


def _said(cron: str, language: Language) -> str | None:
    parts = cron.split()
    if len(parts) != 5 or parts[3] != "*":
        return None
    minute, hour, day, _, weekday = parts
    is_english, every_day = language == "en", day == weekday == "*"
    every = re.fullmatch(r"\*/(\d{1,2})", minute)
    if every and hour == "*" and every_day:
        return f"every {every[1]} minutes" if is_english else f"alle {every[1]} Minuten"
    if not _WHOLE.fullmatch(minute) or int(minute) > 59:
        return None
    if hour == "*" and every_day:
        past = f"{int(minute)} minutes past" if is_english else f"{int(minute)} Minuten nach"
        return f"every hour, {past}" if is_english else f"jede Stunde, {past}"
    if not _WHOLE.fullmatch(hour) or int(hour) > 23:
        return None
    time = f"{int(hour):02}:{int(minute):02}"
    if every_day:
        return f"every day {time}" if is_english else f"täglich {time}"
    if day == "*":
        days = _weekdays(weekday)
        return None if days is None else f"{_of_week(days, language)} {time}"
    if weekday == "*" and _WHOLE.fullmatch(day) and 1 <= int(day) <= 31:
        number = int(day)
        return (
            f"on day {number} of every month {time}"
            if is_english
            else f"am {number}. jedes Monats {time}"
        )
    return None


def _weekdays(text: str) -> list[int] | None:
    found: set[int] = set()
    for part in text.split(","):
        span = re.fullmatch(r"([0-7])(?:-([0-7]))?", part)
        if span is None or int(span[2] or span[1]) < int(span[1]):
            return None
        found |= {one % _WEEK for one in range(int(span[1]), int(span[2] or span[1]) + 1)}
    return sorted(found)


def _of_week(days: Sequence[int], language: Language) -> str:
    if tuple(days) == _WORKING:
        return "every weekday" if language == "en" else "jeden Werktag"
    if len(days) == _WEEK:
        return "every day" if language == "en" else "täglich"
    names = [_DAYS[language][one] for one in (*(d for d in days if d), *(d for d in days if not d))]
    every = "every" if language == "en" else "jeden"
    return f"{every} {listed(names, language)}"


def listed(names: Sequence[str], language: Language, word: str = "") -> str:
    """``a, b and c``."""
    last = word or ("and" if language == "en" else "und")
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {last} {names[-1]}"
