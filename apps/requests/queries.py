"""Every shared read about requests: what may be asked for, one's drafts, what one has asked."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet

from apps.accounts.actors import Actor
from apps.accounts.permissions import rights_on_flows
from apps.core.errors import NotFound
from apps.flows.models import FlowState
from apps.requests.models import Request, RequestDraft
from apps.requests.permissions import (
    PUBLIC,
    RUNNERS,
    may_ask,
    open_to,
    require_asking,
    require_own,
)
from apps.runs.models import Run
from apps.steps.forms import REQUEST
from apps.triggers.models import Trigger

#: A workspace has a page of forms; more than these are not listed.
MOST_FORMS = 500


def forms_for(actor: Actor) -> list[Trigger]:
    """The forms that the actor may fill in, by the names of their flows; with ``flow``."""
    require_asking(actor)
    rows = _forms().filter(workspace_id=actor.workspace_id).order_by("flow__name", "id")
    found = list(rows[:MOST_FORMS])
    narrow = [one.flow_id for one in found if open_to(one) == RUNNERS]
    rights = rights_on_flows(actor, narrow) if narrow else {}
    return [
        one
        for one in found
        if open_to(one) != RUNNERS or "flow.run" in rights.get(one.flow_id, frozenset())
    ]


def get_form(actor: Actor, flow_id: UUID) -> Trigger:
    """The form of a flow, with ``flow`` and ``version``.

    Raises:
        NotFound: There is no such flow, it asks nothing, or not of this actor.
    """
    require_asking(actor)
    found = _forms().filter(workspace_id=actor.workspace_id, flow_id=flow_id).first()
    if found is None or not may_ask(actor, found):
        raise NotFound("There is no such form, or it is not for you.")
    return found


def public_form(trigger_id: UUID) -> Trigger:
    """A form that is open to everybody, with ``flow`` and ``version``.

    Raises:
        NotFound: There is none at this address.
    """
    found = _forms().filter(pk=trigger_id).first()
    if found is None or open_to(found) != PUBLIC:
        raise NotFound("There is no such form, or it is not open any more.")
    return found


def _forms() -> QuerySet[Trigger]:
    return (
        Trigger.objects.filter(type=REQUEST, enabled=True)
        .exclude(flow__state=FlowState.ARCHIVED)
        .select_related("flow", "version")
        .defer("version__document")
    )


def drafts_of(actor: Actor, flow_ids: Iterable[UUID]) -> dict[UUID, RequestDraft]:
    """The actor's drafts for these flows, by flow."""
    mine = RequestDraft.objects.for_workspace(actor.workspace_id).filter(
        person=actor.user_id, flow__in=list(flow_ids)
    )
    return {one.flow_id: one for one in mine}


def requests_of(actor: Actor) -> QuerySet[Request]:
    """What the actor has asked for, newest first."""
    person = require_asking(actor)
    return Request.objects.for_workspace(actor.workspace_id).filter(person=person).order_by("-id")


def get_request(actor: Actor, request_id: UUID) -> Request:
    """One request of the actor's own.

    Raises:
        NotFound: There is none, or it is somebody else's.
    """
    require_asking(actor)
    found = Request.objects.for_workspace(actor.workspace_id).filter(pk=request_id).first()
    return require_own(actor, found)


def runs_of(requests: Iterable[Request]) -> dict[UUID, Run]:
    """The runs of a page of requests, by id; one that is kept no longer is not there."""
    ids = [one.run_id for one in requests]
    return {one.pk: one for one in Run.objects.filter(pk__in=ids)}
