"""Who may answer a task. Asked at every door: page, API, and whatever comes later."""

from uuid import UUID

from apps.accounts.actors import Actor
from apps.accounts.permissions import has_right, in_scope, require
from apps.core.errors import Forbidden
from apps.inbox.models import TaskAssignee, UserTask


class NotForYou(Forbidden):
    """The task was not put to this person."""

    code = "not_assignee"


class RequesterMayNot(Forbidden):
    """Who asked may not decide."""

    code = "requester"


def is_assignee(actor: Actor, task: UserTask) -> bool:
    """Whether the task was put to the actor and they have not lost it."""
    return (
        actor.user_id is not None
        and TaskAssignee.objects.filter(
            task=task, user_id=actor.user_id, dropped_at__isnull=True
        ).exists()
    )


def require_decider(actor: Actor, task: UserTask) -> UUID:
    """Refuse everybody but those the task was put to; no role opens this door. Returns the person.

    Raises:
        OutOfScope: A token that was not made for deciding.
        RequesterMayNot: The actor asked for it, and the step does not let them decide.
        NotForYou: It was not put to the actor, or they have lost the right to decide.
    """
    if not in_scope(actor, "task.decide"):
        require(actor, "task.decide")
    if actor.user_id is None or not has_right(actor, "task.decide"):
        raise NotForYou("Your role does not let you decide; nothing was changed.")
    if task.requester_id == actor.user_id and not task.allow_requester:
        raise RequesterMayNot("You asked for this yourself; somebody else has to decide.")
    if not is_assignee(actor, task):
        raise NotForYou("This was not put to you; only those it was put to can answer.")
    return actor.user_id


def require_view(actor: Actor) -> None:
    """Refuse a token that was not made for looking at tasks.

    Raises:
        OutOfScope: See there.
    """
    if not in_scope(actor, "task.view"):
        require(actor, "task.view")
