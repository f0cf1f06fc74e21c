"""What somebody has begun to fill in at a task: saved as they go, sealed, gone once answered."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.accounts.actors import Actor
from apps.accounts.permissions import require
from apps.connections import vault
from apps.core import clock
from apps.core.errors import Conflict, NotFound
from apps.core.models import uuid7
from apps.engine import values
from apps.engine.lifecycle import TaskStatus
from apps.inbox import filling
from apps.inbox.draft_models import TaskDraft
from apps.inbox.models import UserTask
from apps.inbox.permissions import require_decider


class Over(Conflict):
    """The task has ended; there is nothing to fill in any more."""

    code = "task_closed"


@dataclass(frozen=True, slots=True)
class Kept:
    """A draft, opened."""

    answers: dict[str, Any]
    updated_at: datetime


def draft_context(pk: UUID) -> str:
    """What a draft is sealed for."""
    return f"inbox.draft:{pk}"


@transaction.atomic
def save_draft(
    *, actor: Actor, task_id: UUID, form_hash: str, answers: object, now: datetime
) -> Kept:
    """Keep what the actor has filled in so far, whether it fits or not. The last save counts.

    Raises:
        NotFound: There is no such task, or it asks for nothing.
        NotForYou, KeptApart, Claimed: As for answering.
        Over, FormChanged: See there.
        Invalid: It is no set of named values, or too much.

    Locks:
        The task's row.
    """
    task = (
        UserTask.objects.for_workspace(actor.workspace_id)
        .select_for_update(of=("self",), no_key=True)
        .filter(pk=task_id)
        .first()
    )
    form = filling.form_of(task) if task is not None else None
    if task is None or form is None:
        raise NotFound("There is no such task, or it is not for you.")
    require_decider(actor, task, max(now, clock.now()))
    if task.status != TaskStatus.OPEN:
        raise Over("This has been decided or has ended already; nothing was saved.")
    if form_hash != form.hash:
        raise filling.FormChanged("This was filled in on another form; look at it again.")
    given = filling.named(answers)
    assert actor.user_id is not None  # noqa: S101 - nobody else decides
    draft = TaskDraft.objects.filter(task=task, person=actor.user_id).first()
    draft = draft or TaskDraft(
        id=uuid7(), workspace_id=task.workspace_id, task=task, person_id=actor.user_id
    )
    draft.form_hash, draft.updated_at = form_hash, now
    draft.answers = vault.seal(values.dumps(given).encode(), draft_context(draft.pk))
    draft.save()
    return Kept(given, now)


@transaction.atomic
def discard_draft(*, actor: Actor, task_id: UUID) -> None:
    """Throw away what the actor has filled in and not answered with.

    Raises:
        Forbidden: Somebody who only reads, or a token without the right.
    """
    require(actor, "task.decide")
    mine = TaskDraft.objects.for_workspace(actor.workspace_id)
    mine.filter(task=task_id, person=actor.user_id).delete()


def draft_of(actor: Actor, task: UserTask) -> Kept | None:
    """What the actor has filled in on the task's form; None where there is nothing, or none opens.

    A key that is kept no longer takes drafts with it; what they held is filled in anew.
    """
    if not task.form_hash or actor.user_id is None:
        return None
    found = TaskDraft.objects.filter(
        task=task, person=actor.user_id, form_hash=task.form_hash
    ).first()
    if found is None:
        return None
    try:
        text = vault.open(found.answers, draft_context(found.pk)).decode()
        kept: Any = values.loads(text)
    except vault.CannotOpen:
        return None
    return Kept(kept, found.updated_at)


def forget_drafts(task_ids: Collection[UUID], person_id: UUID | None = None) -> None:
    """Delete the drafts of tasks, or of one person for them; in the caller's transaction."""
    if not task_ids:
        return
    rows = TaskDraft.objects.filter(task__in=list(task_ids))
    (rows.filter(person=person_id) if person_id else rows).delete()
