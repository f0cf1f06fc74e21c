"""The watches of tasks: made when one opens, handed on to the next stage, closed with the task."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.inbox.models import TaskWatch, UserTask
from apps.steps.document import expression_source
from apps.steps.event_ways import key_digest
from apps.steps.watching import RESTART

#: Under this name what one task watches is handed on to the next of the same question.
HANDED_ON = "handed_on"


def watch_of(task: UserTask, request: Mapping[str, Any], now: datetime) -> TaskWatch | None:
    """What a task that is about to open watches; not yet stored. None where it watches nothing."""
    before: TaskWatch | None = request.get(HANDED_ON)
    if before is not None:
        return _like(before, task, now)
    asked = request.get("watch")
    if not asked:
        return None
    return TaskWatch(
        task=task,
        question=task.pk,
        workspace_id=task.workspace_id,
        type=asked["type"],
        key_of=expression_source(asked["key_of"]).strip(),
        key_sha256=key_digest(asked["key"]),
        where=expression_source(asked["where"]).strip(),
        known=asked["known"],
        sets=asked["set"],
        on_change=asked["on_change"],
        first=dict(request) if asked["on_change"] == RESTART else None,
        since=now,
        look_at=now,
    )


def handed_on(task: UserTask) -> dict[str, Any]:
    """What a request of the next task of the same question says of it; empty where nothing."""
    found = TaskWatch.objects.filter(task=task).first()
    return {HANDED_ON: found} if found is not None else {}


def close_watches(task_ids: Collection[UUID]) -> None:
    """Nothing changes what has ended. Whether it has looked back is left for who follows."""
    TaskWatch.objects.filter(task__in=list(task_ids), is_open=True).update(is_open=False)


def _like(before: TaskWatch, task: UserTask, now: datetime) -> TaskWatch:
    return TaskWatch(
        task=task,
        question=before.question,
        workspace_id=before.workspace_id,
        type=before.type,
        key_of=before.key_of,
        key_sha256=bytes(before.key_sha256),
        where=before.where,
        known=before.known,
        sets=before.sets,
        on_change=before.on_change,
        first=before.first,
        since=before.since,
        look_at=now if before.look_at is not None else None,
    )
