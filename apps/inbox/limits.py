"""The time of a task: until somebody takes it up, until it is decided, and what happens before.

A task keeps moments: the warnings before each of its limits and the rungs of its ladder, each with
the time at which the clock will see to it (``escalating``). They are made when it opens and keep
the time they were given then, whatever becomes of the calendar. Only a pause moves them, by the
calendar that holds when it ends.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models.functions import Coalesce

from apps.accounts.places import calendar_for
from apps.accounts.queries import calendar_of
from apps.core import outbox
from apps.core.errors import Conflict
from apps.engine.lifecycle import TaskStatus
from apps.engine.working_time import (
    Calendar,
    NoWorkingTime,
    add_time,
    next_moment,
    time_between,
)
from apps.inbox import rules
from apps.inbox.models import TaskAssignee, TaskMoment, UserTask
from apps.steps.ladder import share_of
from apps.steps.types.delay import after
from apps.steps.working import after_working

DUE, RESPOND = "due", "respond"
NORMAL, URGENT = "normal", "urgent"
#: What a question keeps of its time where its step says nothing of it.
NOTHING: Mapping[str, Any] = {
    "respond": None,
    "respond_business": False,
    "warnings": [],
    "ladder": [],
}


class NobodyWorks(Conflict):
    """A clock that counts working time cannot go on: there is none."""

    code = "no_working_time"


class SilenceApproves(Conflict):
    """Nobody has answered, and the answer to end it by would let things go on."""

    code = "silence_approves"


@dataclass
class Calendars:
    """The calendars by which tasks of one batch are counted, each read once."""

    _found: dict[tuple[UUID, str, str], Calendar | None] = field(default_factory=dict)
    _of_all: dict[UUID, Calendar] = field(default_factory=dict)

    def own(self, workspace_id: UUID, counting: Mapping[str, Any]) -> Calendar | None:
        """That of the one who was asked, or of the team, where there is one."""
        key = (workspace_id, str(counting.get("person", "")), str(counting.get("team", "")))
        if key not in self._found:
            person = UUID(key[1]) if key[1] else None
            self._found[key] = (
                calendar_for(workspace_id, user_id=person, team=key[2])
                if person or key[2]
                else None
            )
        return self._found[key]

    def of(self, task: UserTask) -> Calendar:
        """The calendar of a task as it is now."""
        own = self.own(task.workspace_id, task.counting)
        if own is not None:
            return own
        if task.workspace_id not in self._of_all:
            self._of_all[task.workspace_id] = calendar_of(task.workspace_id)
        return self._of_all[task.workspace_id]


def start(
    task: UserTask,
    request: Mapping[str, Any],
    asked: Sequence[TaskAssignee],
    calendars: Calendars,
) -> list[TaskMoment]:
    """Set the limits of a task that is about to open; returns what will happen in its time.

    Working time goes by the calendar of the one who is asked, or of the one team they are of, else
    by the workspace's.

    Raises:
        StepError: A duration is none, or nobody works by that calendar.
        SilenceApproves: A rung would end it by an answer that lets things go on.
    """
    wanted = request.get("limits") or NOTHING
    due_in, now = request.get("due_in"), task.opened_at
    task.counting = {"due": bool(due_in), RESPOND: bool(wanted["respond_business"])}
    teams = {one.via for one in asked}
    if len(asked) == 1:
        task.counting["person"] = str(asked[0].user_id)
    if len(teams) == 1 and (team := teams.pop()):
        task.counting["team"] = team
    if due_in and (own := calendars.own(task.workspace_id, task.counting)) is not None:
        task.due_at = task.first_due_at = after_working(own, now, due_in)
    if wanted["respond"]:
        task.respond_by_at = _after(task, wanted["respond"], wanted["respond_business"], calendars)
    return [*_warnings(task, wanted, calendars), *_rungs(task, wanted, calendars)]


def respond(task: UserTask, now: datetime) -> None:
    """Keep when somebody first took the task up, answered or asked back. Callers hold the row."""
    if task.responded_at is None:
        task.responded_at = now
        UserTask.objects.filter(pk=task.pk, responded_at__isnull=True).update(responded_at=now)


def pause(tasks: Collection[UserTask], *, now: datetime) -> None:
    """Let the clock of open tasks stand still: nothing happens in their time, and none runs out.

    Whoever asks back has reacted. Safe to call twice. Callers hold the rows.
    """
    ids = [task.pk for task in tasks if task.status == TaskStatus.OPEN]
    UserTask.objects.filter(pk__in=ids, status=TaskStatus.OPEN).update(
        paused_at=Coalesce("paused_at", now),
        responded_at=Coalesce("responded_at", now),
        updated_at=now,
    )
    TaskMoment.objects.filter(task__in=ids, next_at__isnull=False).update(next_at=None)
    for task in tasks:
        if task.status == TaskStatus.OPEN:
            task.paused_at, task.responded_at = task.paused_at or now, task.responded_at or now


def resume(tasks: Collection[UserTask], *, now: datetime) -> None:
    """Let the clock of paused tasks go on: what was to come is moved by the time that was lost.

    Lost is what of the pause their limit counts: of a limit in working time the working time, by
    the calendar that holds now. Safe to call twice. Callers hold the rows.

    Raises:
        NobodyWorks: By the calendar there is no working time any more.
    """
    paused = [task for task in tasks if task.paused_at is not None]
    calendars = Calendars()
    waiting = TaskMoment.objects.filter(
        task__in=[task.pk for task in paused], state=TaskMoment.State.WAITING
    )
    by_task: dict[UUID, list[TaskMoment]] = {}
    for moment in waiting:
        by_task.setdefault(moment.task_id, []).append(moment)
    for task in paused:
        shift = _Shift(task, now, calendars)
        if task.due_at is not None:
            task.due_at = shift.moved(task.due_at, business=bool(task.counting.get(DUE)))
        for moment in by_task.get(task.pk, []):
            moment.at = moment.next_at = shift.moved(moment.at, business=moment.business)
        task.paused_at, task.updated_at = None, now
    UserTask.objects.bulk_update(paused, ["due_at", "paused_at", "updated_at"])
    moved = [one for rows in by_task.values() for one in rows]
    TaskMoment.objects.bulk_update(moved, ["at", "next_at"])


def stop(task_ids: Collection[UUID]) -> None:
    """Let nothing more happen in the time of tasks that have ended, in the same transaction."""
    TaskMoment.objects.filter(task__in=list(task_ids), state=TaskMoment.State.WAITING).update(
        state=TaskMoment.State.DROPPED, next_at=None
    )


def breach(tasks: Collection[UserTask], now: datetime) -> None:
    """Tell those who were asked that the time of these tasks is over, where they are warned of it.

    With the update that ends them.
    """
    over = TaskMoment.objects.filter(
        task__in=[task.pk for task in tasks],
        kind=TaskMoment.Kind.WARNING,
        limit=DUE,
        number=100,
        state=TaskMoment.State.WAITING,
    )
    ids = list(over.values_list("pk", flat=True))
    over.update(state=TaskMoment.State.DONE, next_at=None, done_at=now)
    tell_later(ids, now)


def tell_later(moment_ids: Collection[UUID], now: datetime) -> None:
    """After commit, tell people what has happened; see ``escalating.tell_of_moment``."""
    outbox.enqueue_many(
        topic="task.moment", payloads=[{"moment": str(one)} for one in moment_ids], now=now
    )


def refuse_silent_yes(rule: Mapping[str, Any], outcome: str) -> None:
    """Silence never approves: what nobody answered ends by an answer against it, or by none.

    Raises:
        SilenceApproves: The answer is none of those against it.
    """
    if rules.side(rule, outcome) != "against":
        raise SilenceApproves(
            "Silence never approves: nobody has answered, so that this can end only by an answer"
            " that is against it."
        )


@dataclass
class _Shift:
    """By how much a pause moves what was to come."""

    task: UserTask
    now: datetime
    calendars: Calendars

    def moved(self, at: datetime, *, business: bool) -> datetime:
        since = self.task.paused_at
        assert since is not None  # noqa: S101 - only paused tasks are moved
        if not business:
            return at + (self.now - since)
        calendar = self.calendars.of(self.task)
        try:
            next_moment(calendar, self.now)
            left = time_between(calendar, since, at)
            return add_time(calendar, self.now, left) if left else self.now
        except (NoWorkingTime, OverflowError):
            raise NobodyWorks(
                "Nobody works by the working calendar any more, so that the time to decide cannot"
                " go on; look at the hours and days off in the settings."
            ) from None


def _warnings(task: UserTask, wanted: Mapping[str, Any], calendars: Calendars) -> list[TaskMoment]:
    found = []
    for limit, end in ((DUE, task.due_at), (RESPOND, task.respond_by_at)):
        for percent in wanted["warnings"] if end is not None else ():
            at = _share(task, limit, percent, calendars)
            found.append(
                TaskMoment(
                    task=task,
                    kind=TaskMoment.Kind.WARNING,
                    limit=limit,
                    number=percent,
                    business=bool(task.counting[limit]),
                    at=at,
                    next_at=at,
                )
            )
    return found


def _rungs(task: UserTask, wanted: Mapping[str, Any], calendars: Calendars) -> list[TaskMoment]:
    found = []
    for number, rung in enumerate(wanted["ladder"], start=1):
        when, what = rung["when"], rung["what"]
        if "outcome" in what:
            refuse_silent_yes(task.rule, what["outcome"])
        limit = when["of"] if "percent" in when else ""
        if limit:
            if (task.due_at if limit == DUE else task.respond_by_at) is None:
                continue
            at, business = _share(task, limit, when["percent"], calendars), task.counting[limit]
        else:
            business = bool(when["business"])
            at = _after(task, when["after"], business, calendars)
        found.append(
            TaskMoment(
                task=task,
                kind=TaskMoment.Kind.RUNG,
                limit=limit,
                number=number,
                what=what,
                business=bool(business),
                at=at,
                next_at=at,
            )
        )
    return found


def _share(task: UserTask, limit: str, percent: int, calendars: Calendars) -> datetime:
    end = task.due_at if limit == DUE else task.respond_by_at
    assert end is not None  # noqa: S101 - asked of limits that are set
    business = bool(task.counting[limit])
    calendar = calendars.of(task) if business else Calendar()
    return share_of(calendar, task.opened_at, end, percent, business=business)


def _after(task: UserTask, duration: str, business: Any, calendars: Calendars) -> datetime:
    if business:
        return after_working(calendars.of(task), task.opened_at, duration)
    return after(task.opened_at, duration)
