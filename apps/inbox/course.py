"""What has happened in the time of a task, and what will while nobody answers, in words."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext, ngettext

from apps.accounts.models import Team, User
from apps.engine.lifecycle import TaskStatus
from apps.inbox import limits, words
from apps.inbox.models import TaskMoment, UserTask

#: More people than that are counted, not named.
MOST_NAMED = 6


@dataclass(frozen=True, slots=True)
class Stop:
    """One thing on a task's way: when, what, and whether it has happened."""

    at: datetime
    text: str
    is_done: bool


def course_of(task: UserTask) -> list[Stop]:
    """What has happened, in order, and of an open task what will; of reminders only the next."""
    moments = _without_later_reminders(one for one in _moments([task]) if _is_shown(one))
    names = _Names(moments)
    return [
        Stop(one.done_at or one.at, _said(one, names), one.done_at is not None) for one in moments
    ]


def next_of(tasks: Collection[UserTask]) -> dict[UUID, Stop]:
    """For those of the open tasks that have a ladder: what its next rung does."""
    waiting = [
        one
        for one in _moments([task for task in tasks if task.status == TaskStatus.OPEN])
        if one.kind == TaskMoment.Kind.RUNG and one.next_at is not None and _is_shown(one)
    ]
    found: dict[UUID, TaskMoment] = {}
    for one in waiting:
        found.setdefault(one.task_id, one)
    names = _Names(found.values())
    return {pk: Stop(one.at, _said(one, names), is_done=False) for pk, one in found.items()}


def shown(task: UserTask, zone: ZoneInfo) -> list[dict[str, Any]]:
    """The course as the page writes it, in the reader's zone."""
    return [
        {"at": one.at, "exact": words.moment(one.at, zone), "text": one.text, "done": one.is_done}
        for one in course_of(task)
    ]


def told(moment: TaskMoment) -> str:
    """What has happened, for those who are told of it; empty where the notice says it all."""
    if moment.kind == TaskMoment.Kind.WARNING:
        if moment.limit == limits.RESPOND:
            return (
                gettext("Nobody has taken it up in the time that is set for it.")
                if moment.number == 100
                else gettext(
                    "%(percent)d per cent of the time in which somebody should take it up are over."
                )
                % {"percent": moment.number}
            )
        return (
            ""
            if moment.number == 100
            else gettext("%(percent)d per cent of the time to decide are over.")
            % {"percent": moment.number}
        )
    return _done(moment, _Names([moment])) + "."


def _moments(tasks: Sequence[UserTask]) -> list[TaskMoment]:
    """In order of time, each with its task; those that were dropped are left out."""
    by_id = {task.pk: task for task in tasks}
    if not by_id:
        return []
    rows = TaskMoment.objects.filter(task__in=list(by_id)).exclude(state=TaskMoment.State.DROPPED)
    found = list(rows.order_by("at", "number"))
    for one in found:
        one.task = by_id[one.task_id]
    return found


def _without_later_reminders(moments: Iterable[TaskMoment]) -> list[TaskMoment]:
    found, reminded = [], False
    for one in moments:
        reminds = one.kind == TaskMoment.Kind.WARNING or "remind" in one.what
        if not (reminded and reminds and one.done_at is None):
            found.append(one)
        reminded = reminded or (reminds and one.done_at is None)
    return found


def _is_shown(moment: TaskMoment) -> bool:
    """Left out is what cannot come any more, and the end itself, which stands beside it."""
    task = moment.task
    if moment.state == TaskMoment.State.DONE:
        return True
    if moment.limit == limits.RESPOND and task.responded_at is not None:
        return False
    is_to_come = task.status == TaskStatus.OPEN and task.settles_at is None
    return is_to_come and (task.due_at is None or moment.at < task.due_at)


class _Names:
    """The names of the groups and people that moments speak of, each looked up once."""

    def __init__(self, moments: Iterable[TaskMoment]) -> None:
        slugs: set[str] = set()
        emails: set[str] = set()
        workspaces: set[UUID] = set()
        for one in moments:
            workspaces.add(one.task.workspace_id)
            whom = _whom(one.what)
            slugs |= {*whom.get("groups", ()), *(one.result.get("fallback") or ())}
            emails |= {*whom.get("users", ()), *one.result.get("people", ())}
        teams = Team.objects.filter(workspace__in=workspaces, slug__in=slugs)
        self.groups = {team.slug: team.shown for team in teams} if slugs else {}
        people = User.objects.filter(email__in={one.strip().lower() for one in emails})
        self.people = {one.email: one.get_full_name() for one in people} if emails else {}

    def of(self, whom: Mapping[str, Any]) -> str:
        """Groups, people and managers as a sentence names them."""
        named = [self.groups.get(one, one) for one in whom.get("groups", ())]
        named += [self.people.get(one.strip().lower(), one) for one in whom.get("users", ())]
        if whom.get("managers"):
            named.append(gettext("the managers of those who have not answered"))
        return ", ".join(named)

    def asked(self, moment: TaskMoment) -> str:
        """Those who were asked then."""
        emails = moment.result.get("people") or []
        named = [self.people.get(one, one) for one in emails[:MOST_NAMED]]
        if (more := len(emails) - MOST_NAMED) > 0:
            named.append(ngettext("%(n)d more", "%(n)d more", more) % {"n": more})
        return ", ".join(named)


def _whom(what: Mapping[str, Any]) -> Mapping[str, Any]:
    found = what.get("add") or what.get("reassign")
    return found if isinstance(found, Mapping) else {}


def _said(moment: TaskMoment, names: _Names) -> str:
    return _done(moment, names) if moment.done_at is not None else _coming(moment, names)


def _done(moment: TaskMoment, names: _Names) -> str:
    what, result = moment.what, moment.result
    if moment.kind == TaskMoment.Kind.WARNING:
        if moment.limit == limits.RESPOND and moment.number == 100:
            return gettext("Nobody had taken it up in time; a reminder was sent")
        if moment.number == 100:
            return gettext("The time to decide was over; those who were asked were told")
        return gettext("A reminder was sent")
    if "remind" in what:
        return gettext("A reminder was sent")
    if "urgent" in what:
        return gettext("It was made urgent")
    if "outcome" in what:
        if "outcome" not in result:
            return gettext("It could not be ended so: silence never approves")
        word = words.outcome_label(moment.task.rule, str(result["outcome"]))
        return gettext("It was ended as “%(outcome)s” because nobody answered") % {"outcome": word}
    asked = names.asked(moment)
    if not asked:
        return gettext("Others were to be asked, but nobody could be found")
    if "fallback" in result:
        return gettext(
            "Nobody of those who were to be asked could be found; the group that stands in was"
            " asked: %(names)s"
        ) % {"names": asked}
    if result.get("lost"):
        return gettext("It went to %(names)s instead") % {"names": asked}
    return gettext("Asked as well: %(names)s") % {"names": asked}


def _coming(moment: TaskMoment, names: _Names) -> str:
    what = moment.what
    if moment.kind == TaskMoment.Kind.WARNING or "remind" in what:
        return gettext("A reminder is sent")
    if "urgent" in what:
        return gettext("It becomes urgent")
    if "outcome" in what:
        word = words.outcome_label(moment.task.rule, str(what["outcome"]))
        return gettext("It ends as “%(outcome)s”") % {"outcome": word}
    whom = names.of(_whom(what))
    if "add" in what:
        return gettext("To be asked as well: %(names)s") % {"names": whom}
    return gettext("It goes to %(names)s instead") % {"names": whom}
