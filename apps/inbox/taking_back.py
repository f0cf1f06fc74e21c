"""Take one's own answer back while the question is open: until then nothing has followed."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.accounts.actors import Actor
from apps.accounts.permissions import in_scope, require
from apps.audit.commands import record
from apps.audit.records import Target
from apps.core import clock
from apps.core.errors import Conflict, Invalid, NotFound
from apps.engine.lifecycle import TaskStatus
from apps.inbox.commands import MAX_COMMENT, TaskClosed, TooLate
from apps.inbox.models import Decision, UserTask
from apps.inbox.opening import publish
from apps.inbox.pausing import is_late


class NothingToTakeBack(Conflict):
    """The person has given no answer that stands."""

    code = "nothing_to_take_back"


@transaction.atomic
def take_answer_back(*, actor: Actor, task_id: UUID, reason: str, now: datetime) -> UserTask:
    """Take back what one has answered oneself; one may answer anew.

    Raises:
        NotFound: There is no such task in this workspace.
        NothingToTakeBack: The actor has no answer that stands.
        TaskClosed, TooLate: It has ended, and what follows from it has begun.
        Invalid: The reason cannot be kept.

    Locks:
        The task's row.
    """
    if not in_scope(actor, "task.decide"):
        require(actor, "task.decide")
    task = (
        UserTask.objects.for_workspace(actor.workspace_id)
        .select_for_update(of=("self",), no_key=True)
        .filter(pk=task_id)
        .first()
    )
    if task is None:
        raise NotFound("There is no such task, or it is not for you.")
    now = max(now, clock.now())
    given = task.decisions.filter(user=actor.user_id).first()
    if given is None:
        raise NothingToTakeBack("You have no answer here that could be taken back.")
    if task.status != TaskStatus.OPEN:
        raise TaskClosed("This has ended, and what follows has begun; nothing was changed.")
    if is_late(task, now):
        raise TooLate("The time to decide this is over; nothing was changed.")
    if len(reason) > MAX_COMMENT or "\x00" in reason:
        raise Invalid(f"Write at most {MAX_COMMENT} characters.")
    given.taken_back_at = now
    given.save(update_fields=["taken_back_at"])
    UserTask.objects.filter(pk=task.pk).update(updated_at=now)
    record(
        who=actor.who,
        workspace_id=task.workspace_id,
        verb="task.take_back",
        target=Target("task", str(task.pk), task.title),
        reason=reason.strip(),
        details={
            "run": str(task.run_id),
            "flow": str(task.flow_id),
            "outcome": given.outcome,
            "decided_at": given.decided_at,
        },
        correlation_id=task.run_id,
        flow_id=task.flow_id,
        now=now,
    )
    publish([task])
    return task


def may_take_back(actor: Actor, task: UserTask, now: datetime) -> bool:
    """Whether the actor has an answer that can still be taken back."""
    return (
        task.status == TaskStatus.OPEN
        and not is_late(task, now)
        and actor.user_id is not None
        and task.decisions.filter(user=actor.user_id).exists()
    )


def taken_back(task: UserTask) -> list[dict[str, Any]]:
    """The answers that people have taken back, the oldest first."""
    rows = Decision.every.filter(task=task, taken_back_at__isnull=False)
    return [
        {"by": one.user.get_full_name(), "outcome": one.outcome, "at": one.taken_back_at}
        for one in rows.select_related("user").order_by("taken_back_at", "id")
    ]
