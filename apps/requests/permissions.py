"""Who may ask for what, and who sees what was asked."""

from uuid import UUID

from apps.accounts.actors import Actor
from apps.accounts.permissions import has_right, require
from apps.core.errors import NotFound
from apps.requests.models import Request
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
