"""Who may ask for what, and who sees what was asked."""

from uuid import UUID

from apps.accounts.actors import Actor
from apps.accounts.permissions import has_right, require
from apps.core.errors import NotFound, ProductError
from apps.engine import values
from apps.inbox.models import UserTask
from apps.inbox.queries import get_task
from apps.requests.models import File, Request
from apps.triggers.models import Trigger

RUNNERS, MEMBERS, PUBLIC = "runners", "members", "public"


def open_to(trigger: Trigger) -> str:
    """Whom the form is for."""
    return str(trigger.config.get("open_to") or MEMBERS)


def may_ask(actor: Actor, trigger: Trigger) -> bool:
    """Whether the actor may fill in this form: it is open to all members, or they may run it."""
    if actor.user_id is None or not has_right(actor, "request.make"):
        return False
    return open_to(trigger) != RUNNERS or has_right(actor, "flow.run", trigger.flow_id)


def require_asking(actor: Actor) -> UUID:
    """The person who asks.

    Raises:
        Forbidden: Somebody who only reads, or a token without the right.
    """
    require(actor, "request.make")
    if actor.user_id is None:
        raise NotFound("Requests are made by people.")
    return actor.user_id


def require_own(actor: Actor, request: Request | None) -> Request:
    """The request, where it is the actor's own.

    Raises:
        NotFound: There is none, or it is somebody else's.
    """
    if request is None or request.person_id != actor.user_id:
        raise NotFound("There is no such request, or it is not yours.")
    return request


def may_read(actor: Actor, file: File) -> bool:
    """Whoever uploaded it, who may view the flow's runs, and those it is shown to in a task."""
    if file.workspace_id != actor.workspace_id:
        return False
    if actor.user_id is not None and file.person_id == actor.user_id:
        return has_right(actor, "request.make")
    if file.run_id is None:
        return False
    return has_right(actor, "run.view", file.flow_id) or _is_shown(actor, file)


def _is_shown(actor: Actor, file: File) -> bool:
    """Whether a task that the actor may look at has the file among its facts."""
    if file.run_id is None:
        return False
    for task in UserTask.objects.for_workspace(actor.workspace_id).filter(run_id=file.run_id):
        if str(file.pk) not in values.dumps(task.facts):
            continue
        try:
            get_task(actor, task.pk)
        except ProductError:
            continue
        return True
    return False
