"""Take one's own answer back as long as nothing has followed from it.

That is while its question is open, and where its step holds what was decided for a while, see
``holding``, until that is passed on.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext

from apps.accounts.actors import Actor
from apps.accounts.models import User
from apps.accounts.permissions import in_scope, require
from apps.audit.commands import record
from apps.core import clock
from apps.core.errors import Conflict, Invalid, NotFound
from apps.engine.lifecycle import TaskStatus
from apps.inbox import queries
from apps.inbox.commands import (
    MAX_COMMENT,
    TaskClosed,
    TooLate,
    about_task,
    judge_again,
    target_of,
)
from apps.inbox.holding import is_over
from apps.inbox.models import Decision, UserTask
from apps.inbox.opening import publish
from apps.inbox.pausing import is_late
from apps.inbox.telling import tell_about
from apps.notices.models import Kind


class NothingToTakeBack(Conflict):
    """The person has given no answer that stands."""

    code = "nothing_to_take_back"


@transaction.atomic
def take_answer_back(*, actor: Actor, task_id: UUID, reason: str, now: datetime) -> UserTask:
    """Take back what one has answered oneself; one may answer anew.

    Where it was decided by that and is held, it is to be decided again, and those who have yet to
    answer are told.

    Raises:
        NotFound: There is no such task in this workspace.
        NothingToTakeBack: The actor has no answer that stands.
        TaskClosed, TooLate: It has ended, and what follows from it has begun.
        NobodyWorks: The time to decide cannot go on.
        Invalid: The reason cannot be kept.

    Locks:
        The task's row.
    """
    if not in_scope(actor, "task.decide"):
        require(actor, "task.decide")
    task = (
        UserTask.objects.for_workspace(actor.workspace_id)
        .select_for_update(of=("self",), no_key=True)
        .select_related("requester")
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
    if is_over(task, now):
        raise TooLate("The time to take your answer back is over; nothing was changed.")
    if is_late(task, now):
        raise TooLate("The time to decide this is over; nothing was changed.")
    if len(reason) > MAX_COMMENT or "\x00" in reason:
        raise Invalid(f"Write at most {MAX_COMMENT} characters.")
    held = {"held": task.pending, "until": task.settles_at} if task.settles_at else {}
    given.taken_back_at = now
    given.save(update_fields=["taken_back_at"])
    UserTask.objects.filter(pk=task.pk).update(updated_at=now)
    if judge_again(task, now):
        _tell_again(task, given, now)
    record(
        who=actor.who,
        workspace_id=task.workspace_id,
        verb="task.take_back",
        target=target_of(task),
        reason=reason.strip(),
        details={
            **about_task(task),
            "decision": str(given.pk),
            "outcome": given.outcome,
            "decided_at": given.decided_at,
            **held,
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
        and not is_over(task, now)
        and actor.user_id is not None
        and any(one.user_id == actor.user_id for one in task.decisions.all())
    )


def taken_back(task: UserTask) -> list[dict[str, Any]]:
    """The answers that people have taken back, the oldest first."""
    rows = Decision.every.filter(task=task, taken_back_at__isnull=False, lapsed_by__isnull=True)
    return [
        {"by": one.user.get_full_name(), "outcome": one.outcome, "at": one.taken_back_at}
        for one in rows.select_related("user").order_by("taken_back_at", "id")
    ]


def _tell_again(task: UserTask, given: Decision, now: datetime) -> None:
    """It waits again for those who had no need to answer any more."""
    seats = task.assignees.filter(dropped_at__isnull=True).exclude(user=given.user_id)
    seats = seats.exclude(user__in=queries.answers().filter(task=task).values("place"))
    if task.claimed_by_id is not None:
        seats = seats.filter(user=task.claimed_by_id)
    tell_about(
        task,
        User.objects.filter(pk__in=seats.values("user")),
        kind=Kind.DECIDE,
        key=f"again/{given.pk}",
        words=lambda: gettext(
            "It was decided, but an answer was taken back; it is to be decided again."
        ),
        now=now,
    )
