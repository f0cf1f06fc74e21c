"""One approval after the other: what a later stage asks, and what the earlier ones said."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext

from apps.accounts.queries import calendar_of
from apps.engine.lifecycle import TaskStatus
from apps.flows.compiled import compiled
from apps.inbox import watches
from apps.inbox.models import Decision, TaskWatch, UserTask
from apps.runs.models import Run
from apps.runs.ports import TaskRequest
from apps.runs.queries import resolved_input
from apps.steps.types.delay import after
from apps.steps.working import after_working


def request_of_next(task: UserTask, now: datetime) -> TaskRequest:
    """What the stage after this one asks: the same matter, of its own people."""
    stage, *later = task.later
    due, business = stage["due"], stage["business"]
    request = {
        **stage,
        "title": task.title,
        "details": task.details,
        "fields": task.facts,
        "requester": task.requester.email if task.requester else task.requester_text,
        "allow_requester": task.allow_requester,
        "due_in": due if business else None,
        "due_at": _due_at(task.workspace_id, due, now, business=business),
        "duties": task.duties,
        "undo_seconds": task.undo_seconds,
        "stage": task.stage + 1,
        "stage_title": stage["title"],
        "stages": later,
        "round": task.round,
        **watches.handed_on(task),
    }
    return _request(task, request)


def request_of_first(task: UserTask, watch: TaskWatch, now: datetime) -> TaskRequest:
    """What the first stage asks where it all begins anew: the facts of now, its time from now."""
    assert watch.first is not None  # noqa: S101 - kept where it may begin anew
    due, business = watch.first["watch"]["due"], watch.first["watch"]["business"]
    request = {
        **watch.first,
        "fields": task.facts,
        "due_in": due if business else None,
        "due_at": _due_at(task.workspace_id, due, now, business=business),
        "round": task.round + 1,
        watches.HANDED_ON: watch,
    }
    return _request(task, request)


def supersede(task: UserTask, now: datetime) -> None:
    """The question begins anew: what its stages came to counts no more."""
    rows = _same_question(task).filter(superseded_at__isnull=True)
    rows.update(superseded_at=now, updated_at=now)
    task.superseded_at = now


def anew(task: UserTask) -> UserTask | None:
    """What is asked instead of a task whose question began anew: the latest stage of it."""
    if task.superseded_at is None:
        return None
    return all_of(task).filter(round__gt=task.round).order_by("round", "stage").last()


def facts_now(task: UserTask) -> Any:
    """The facts of a question as its latest stage has them; an earlier one keeps what it showed."""
    if task.stages == 1 or task.status == TaskStatus.OPEN:
        return task.facts
    last = _same_question(task).order_by("stage").last()
    return last.facts if last else task.facts


def _request(task: UserTask, request: Mapping[str, Any]) -> TaskRequest:
    return TaskRequest(
        workspace_id=task.workspace_id,
        flow_id=task.flow_id,
        version_id=task.version_id,
        run_id=task.run_id,
        lane=task.lane,
        step=task.step,
        visit=task.visit,
        step_title=compiled(task.version_id).steps[task.step].title,
        request=request,
        generation=task.generation,
    )


def earlier(task: UserTask) -> QuerySet[UserTask]:
    """The stages before this one, the first first."""
    return _same_question(task).filter(stage__lt=task.stage).order_by("stage")


def later(task: UserTask) -> UserTask | None:
    """The stage that was opened after this one, if it was."""
    return _same_question(task).filter(stage=task.stage + 1).first()


def given(tasks: Collection[UserTask]) -> dict[UUID, list[Decision]]:
    """What people have answered on each task and the stages before it, oldest first."""
    wanted = Q(task__in=[task.pk for task in tasks])
    for task in tasks:
        if task.stage > 1:
            wanted |= Q(task__in=earlier(task).values("pk"))
    rows = Decision.objects.filter(wanted).select_related("task", "user", "on_behalf_of")
    found: dict[UUID, list[Decision]] = {task.pk: [] for task in tasks}
    by_question = {_key(task): task.pk for task in tasks}
    for row in rows.order_by("task__stage", "decided_at", "id"):
        found[by_question[_key(row.task)]].append(row)
    return found


def as_shown(task: UserTask) -> dict[str, Any]:
    """What a task of several stages shows beside the matter; empty where there is one stage."""
    if task.stages == 1:
        return {}
    said = Decision.objects.filter(task__in=earlier(task)) if task.stage > 1 else ()
    return {
        "stage": [task.stage, task.stages, task.stage_title],
        "before": [
            [str(one.pk), one.outcome, one.comment, *([one.answers] if one.answers else [])]
            for one in said
        ],
    }


def asked_for(task: UserTask) -> Mapping[str, Any]:
    """What the step asked for at this task's stage, as the run keeps it; empty where it does not.

    Names and weights are in it as they were worked out when the step was reached.
    """
    run = Run.objects.filter(pk=task.run_id).first()
    found = resolved_input(run, task.step, task.visit) if run is not None else None
    if not isinstance(found, Mapping):
        return {}
    return found if task.stage == 1 else found["stages"][task.stage - 2]


def name_of(task: UserTask) -> str:
    """Which stage it is, in words; empty where there is one only."""
    if task.stages == 1:
        return ""
    counted = {"stage": task.stage, "stages": task.stages, "name": task.stage_title}
    if task.stage_title:
        return gettext("Stage %(stage)d of %(stages)d: %(name)s") % counted
    return gettext("Stage %(stage)d of %(stages)d") % counted


def _due_at(workspace_id: UUID, due: str | None, now: datetime, *, business: bool) -> str | None:
    if not due:
        return None
    ends = after_working(calendar_of(workspace_id), now, due) if business else after(now, due)
    return ends.isoformat()


def _same_question(task: UserTask) -> QuerySet[UserTask]:
    return all_of(task).filter(round=task.round)


def all_of(task: UserTask) -> QuerySet[UserTask]:
    """All that one question has asked, also before it began anew."""
    return UserTask.objects.filter(
        run_id=task.run_id,
        step=task.step,
        visit=task.visit,
        kind=task.kind,
        generation=task.generation,
    )


def _key(task: UserTask) -> tuple[UUID, str, int, str, int, int]:
    return task.run_id, task.step, task.visit, task.kind, task.generation, task.round


def of_request(request: Mapping[str, Any]) -> dict[str, Any]:
    """A task's fields about stages, from what its step or the stage before asks."""
    rest, stage = list(request.get("stages") or ()), request.get("stage", 1)
    return {
        "stage": stage,
        "stages": stage + len(rest),
        "round": request.get("round", 1),
        "stage_title": " ".join(str(request.get("stage_title") or "").split())[:100],
        "later": rest,
    }
