"""Answers that were given before the facts changed, and what has changed, as pages show them."""

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext

from apps.engine import values
from apps.inbox import stages, words
from apps.inbox.models import Decision, TaskChange, TaskWatch, UserTask
from apps.steps.watching import ASK_AGAIN, RESTART


@dataclass(frozen=True, slots=True)
class Changed:
    """Something that an event did to a question, in words, and who had answered before."""

    change: TaskChange
    text: str
    before: Sequence[str]


def is_stale(decision: Decision, facts: Any) -> bool:
    """Whether an answer was given to other facts than these, which the question has now."""
    task = decision.task
    return decision.seen != task.seen or (
        task.facts is not facts and values.dumps(task.facts) != values.dumps(facts)
    )


def stale_of(task: UserTask, given: Iterable[Decision], facts: Any) -> set[UUID]:
    """Those of a task's answers that were given to other facts than its question has now."""
    found = set()
    for one in given:
        one.task = task
        if is_stale(one, facts):
            found.add(one.pk)
    return found


def changes_of(task: UserTask) -> list[Changed]:
    """What events did to a task's question, the first first; until it began anew."""
    watch = TaskWatch.objects.filter(task=task).first()
    if watch is None:
        return []
    rows = TaskChange.objects.filter(question=watch.question).exclude(state=TaskChange.State.SAME)
    found = list(rows.filter(task__round__lte=task.round).select_related("task"))
    if not found:
        return []
    asked = TaskWatch.objects.filter(question=watch.question).values("task")
    given = Decision.every.filter(task__in=asked).select_related("task", "user")
    return [
        Changed(one, _text(one, is_answered=bool(before)), before)
        for one in found
        for before in [_before(one, given)]
    ]


def stale_among(tasks: Sequence[UserTask]) -> set[UUID]:
    """Those of these tasks that began anew, or hold answers to other facts than there are now."""
    watched = set(TaskWatch.objects.filter(task__in=tasks).values_list("task", flat=True))
    return {
        task.pk
        for task in tasks
        if task.pk in watched
        and (
            task.superseded_at is not None
            or stale_of(task, task.decisions.all(), stages.facts_now(task))
        )
    }


def has_changed(task: UserTask) -> bool:
    """Whether an event has changed what a task showed at first."""
    return TaskChange.objects.filter(task=task, state=TaskChange.State.APPLIED).exists()


def as_seen(task: UserTask, seen: str) -> UserTask:
    """The task with the facts that it showed under that hash; they may have changed since."""
    if seen == task.seen:
        return task
    state = TaskChange.State.APPLIED
    found = TaskChange.objects.filter(task=task, seen_before=seen, state=state).first()
    if found is None:
        return task
    then = copy(task)
    then.facts, then.seen = found.facts_before, seen
    return then


def mark(decision: Decision, task: UserTask, facts: Any, zone: ZoneInfo) -> str:
    """What a change of the facts has done to an answer; empty where nothing."""
    if decision.lapsed_by is not None:
        return gettext("It lapsed on %(at)s because the facts had changed.") % {
            "at": words.moment(decision.lapsed_by.at, zone)
        }
    decision.task = task
    if is_stale(decision, facts):
        return gettext("Given before the facts changed; it stands.")
    return ""


def shown(task: UserTask) -> list[dict[str, Any]]:
    """What has changed, as the API gives it."""
    return [
        {
            "at": one.change.at,
            "happened_at": one.change.event_at,
            "event": one.change.event_type,
            "state": one.change.state,
            "policy": one.change.on_change,
            "text": one.text,
            "changes": one.change.fields,
            "answered_before": one.before,
        }
        for one in changes_of(task)
    ]


def context(task: UserTask, zone: ZoneInfo) -> list[dict[str, Any]]:
    """What has changed, as the page writes it in the reader's zone."""
    return [
        {
            "at": words.moment(one.change.at, zone),
            "iso": one.change.at,
            "event": one.change.event_type,
            "text": one.text,
            "is_applied": one.change.state == TaskChange.State.APPLIED,
            "lines": [_line(line, zone) for line in one.change.fields],
            "before": ", ".join(one.before),
        }
        for one in changes_of(task)
    ]


def _line(line: Mapping[str, Any], zone: ZoneInfo) -> tuple[str, words.Shown, words.Shown]:
    return line["label"], words.shown(line["before"], zone), words.shown(line["after"], zone)


def _before(change: TaskChange, given: Iterable[Decision]) -> list[str]:
    """Who had answered, and had not taken it back, when it came."""
    if change.state != TaskChange.State.APPLIED:
        return []
    return [
        one.user.get_full_name()
        for one in given
        if one.task.round == change.task.round
        and one.decided_at <= change.at
        and (one.taken_back_at is None or one.taken_back_at >= change.at)
    ]


def _text(change: TaskChange, *, is_answered: bool) -> str:
    if change.state == TaskChange.State.FAILED:
        # Why is for who looks after the flow: the alert, the trail and the event's page say it.
        return gettext(
            "Something came that could not be read; nothing was changed. Whoever looks after the"
            " flow has been told."
        )
    if change.state == TaskChange.State.LATE:
        return gettext("Something came late: what happened after it stands here already.")
    if change.on_change == RESTART and not is_answered:
        return gettext("It began anew with the first stage.")
    if not is_answered:
        return ""
    if change.on_change == ASK_AGAIN:
        return gettext("What was answered before has lapsed; those people are asked again.")
    if change.on_change == RESTART:
        return gettext("What was answered before has lapsed; it began anew with the first stage.")
    return gettext("What was answered before stands, marked as given before the change.")
