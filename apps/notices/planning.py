"""By which ways a notice goes, and when. Pure: preferences in, plan out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import TextChoices

from apps.notices.models import Channel, Kind, State, Urgency


class Group(TextChoices):
    """Kinds of one sort, among which a person does not choose apart."""

    TASKS = "tasks"
    LIMITS = "limits"
    TALK = "talk"
    ALERTS = "alerts"


class Choice(TextChoices):
    """What a person wants of a group by one way."""

    ALL = "all"
    URGENT = "urgent"
    #: Once a day, several in one; by mail alone.
    DIGEST = "digest"
    NEVER = "never"


GROUPS: Mapping[str, Group] = {
    Kind.DECIDE: Group.TASKS,
    Kind.FILL_IN: Group.TASKS,
    Kind.CHANGED: Group.TASKS,
    Kind.REMIND: Group.LIMITS,
    Kind.LATE: Group.LIMITS,
    Kind.ESCALATED: Group.LIMITS,
    Kind.QUESTION: Group.TALK,
    Kind.ANSWER: Group.TALK,
    Kind.BACK: Group.TALK,
    Kind.REQUEST: Group.TALK,
    Kind.ALERT: Group.ALERTS,
}

#: What may be chosen. An alert stands in the app in any case: it is what the alert is.
OFFERED: Mapping[Channel, Mapping[Group, tuple[Choice, ...]]] = {
    channel: {
        group: tuple(one for one in Choice if one is not Choice.DIGEST or channel is Channel.MAIL)
        for group in Group
        if not (channel is Channel.APP and group is Group.ALERTS)
    }
    for channel in Channel
}


@dataclass(frozen=True)
class Wishes:
    """How one person wants to be told; the default is at once, by every way."""

    zone: ZoneInfo
    choices: Mapping[str, Mapping[str, str]]
    quiet: tuple[time, time] | None = None
    digest_at: time | None = None

    def choice(self, channel: Channel, group: Group) -> Choice:
        """What they chose for a group by a way."""
        return Choice(self.choices.get(channel, {}).get(group, Choice.ALL))


@dataclass(frozen=True)
class Plan:
    """In which state a delivery begins, and until when it is held."""

    state: State
    held_until: datetime | None = None


NOW = Plan(State.WAITING)


def plan(
    wishes: Wishes, *, channel: Channel, kind: str, urgency: str, now: datetime
) -> Plan | None:
    """How a notice goes by one way; None where the person does not want it so.

    What is urgent passes the quiet hours and does not wait for a digest, but not a "never".
    """
    group = GROUPS.get(kind)
    if group is None:
        return NOW
    choice = wishes.choice(channel, group)
    is_urgent = urgency == Urgency.URGENT
    if choice is Choice.NEVER or (choice is Choice.URGENT and not is_urgent):
        return None
    if channel is Channel.APP or is_urgent:
        return NOW
    if choice is Choice.DIGEST and wishes.digest_at is not None:
        return Plan(State.DIGEST, next_time(wishes.digest_at, wishes.zone, now))
    until = quiet_until(wishes, now)
    return NOW if until is None else Plan(State.HELD, until)


def quiet_until(wishes: Wishes, now: datetime) -> datetime | None:
    """When the quiet hours that it is in end; None outside them."""
    if wishes.quiet is None:
        return None
    begins, ends = wishes.quiet
    clock = now.astimezone(wishes.zone).time()
    within = begins <= clock < ends if begins <= ends else clock >= begins or clock < ends
    return next_time(ends, wishes.zone, now) if within else None


def next_time(at: time, zone: ZoneInfo, now: datetime) -> datetime:
    """When a clock on that zone's wall shows the time next, after now.

    Where the clocks are put forward over it, it is the moment just after.
    """
    local = now.astimezone(zone)
    for days in range(3):
        found = datetime.combine(local.date() + timedelta(days=days), at, zone).astimezone(UTC)
        if found > now:
            return found
    raise AssertionError("a wall clock shows every time within two days")


def choices_from(raw: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """What was sent as choices, less what says the default.

    Raises:
        ValueError: It names what is not offered.
    """
    found: dict[str, dict[str, str]] = {}
    for channel, groups in raw.items():
        offered = OFFERED[Channel(channel)]
        for group, choice in groups.items():
            if Choice(choice) not in offered.get(Group(group), ()):
                raise ValueError(f"{channel} {group} {choice}")
            if choice != Choice.ALL:
                found.setdefault(channel, {})[group] = choice
    return found
