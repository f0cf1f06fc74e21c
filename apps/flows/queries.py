"""Every shared read about flows. A flow that the actor may not view is not there."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import F, Q, QuerySet

from apps.accounts.actors import Actor
from apps.accounts.models import User
from apps.accounts.permissions import flows_with
from apps.audit.queries import audit_rows, with_values
from apps.core.errors import NotFound
from apps.flows import ports
from apps.flows.models import Draft, DraftRevision, Flow, FlowState, FlowVersion


def visible_flows(actor: Actor) -> QuerySet[Flow]:
    """The flows that the actor may view, newest first, without their documents."""
    return (
        Flow.objects.for_workspace(actor.workspace_id)
        .filter(flows_with(actor, "flow.view"))
        .select_related("owner", "active_version", "draft")
        .defer("active_version__document", "draft__document")
        .order_by("-id")
    )


def listed_flows(actor: Actor, *, search: str = "", state: str = "") -> QuerySet[Flow]:
    """The flows of a list: archived ones only where ``state`` asks for them (or for ``all``)."""
    flows = visible_flows(actor)
    if state in FlowState.values:
        flows = flows.filter(state=state)
    elif state != "all":
        flows = flows.exclude(state=FlowState.ARCHIVED)
    for word in search.replace("\0", " ").split()[:10]:
        flows = flows.filter(
            Q(name__icontains=word)
            | Q(owner__name__icontains=word)
            | Q(owner__email__icontains=word)
            | Q(draft__trigger_path__icontains=word)
        )
    return flows


def get_flow(actor: Actor, flow_id: UUID) -> Flow:
    """One flow, without its documents.

    Raises:
        NotFound: There is none, or not for this actor.
    """
    found = visible_flows(actor).filter(pk=flow_id).first()
    if found is None:
        raise NotFound("There is no such flow, or it is not for you.")
    return found


@dataclass(frozen=True)
class Pause:
    """Since when a flow is paused, by whom and why; how many signals wait for it."""

    at: datetime
    by: str
    reason: str
    held: int


def pause_of(flow: Flow) -> Pause | None:
    """How a paused flow came to be so, as the trail has it; None for a flow that is not paused."""
    if flow.state != FlowState.PAUSED:
        return None
    rows = audit_rows(flow.workspace_id, verb="flow.pause", target=f"flow:{flow.pk}")
    found = with_values(rows[:1])
    if not found:
        return Pause(at=flow.updated_at, by="", reason="", held=ports.held(flow=flow))
    [row] = found
    return Pause(
        at=row.event.at,
        by=_name_of(row.event.actor_kind, row.event.actor_id) or row.text("actor.label") or "",
        reason=row.text("reason") or "",
        held=ports.held(flow=flow),
    )


def _name_of(kind: str, actor_id: str) -> str:
    person = User.objects.filter(pk=actor_id).first() if kind == "person" else None
    return person.get_full_name() if person else ""


def get_draft(actor: Actor, flow_id: UUID) -> Draft:
    """A flow's draft, with ``flow``.

    Raises:
        NotFound: There is no such flow for this actor.
    """
    found = (
        Draft.objects.filter(flow_id=flow_id, flow__workspace_id=actor.workspace_id)
        .filter(flow__in=visible_flows(actor).values("pk"))
        .select_related("flow", "updated_by")
        .first()
    )
    if found is None:
        raise NotFound("There is no such flow, or it is not for you.")
    return found


def versions_of(actor: Actor, flow_id: UUID) -> QuerySet[FlowVersion]:
    """A flow's versions without their documents, newest first, with ``is_active``.

    Raises:
        NotFound: There is no such flow for this actor.
    """
    get_flow(actor, flow_id)
    return (
        FlowVersion.objects.for_workspace(actor.workspace_id)
        .filter(flow_id=flow_id)
        .annotate(active_id=F("flow__active_version_id"))
        .select_related("author")
        .defer("document")
        .order_by("-number")
    )


def get_version(actor: Actor, flow_id: UUID, number: int) -> FlowVersion:
    """One version with its document.

    Raises:
        NotFound: There is no such flow or version for this actor.
    """
    found = versions_of(actor, flow_id).defer(None).filter(number=number).first()
    if found is None:
        raise NotFound(f"This flow has no version {number}.")
    return found


def revisions_of(actor: Actor, flow_id: UUID) -> QuerySet[DraftRevision]:
    """What a flow's draft was after each save that is still kept, newest first.

    Raises:
        NotFound: There is no such flow for this actor.
    """
    get_flow(actor, flow_id)
    return (
        DraftRevision.objects.for_workspace(actor.workspace_id)
        .filter(flow_id=flow_id)
        .annotate(draft_number=F("flow__draft__revision"))
        .select_related("author")
        .order_by("-number")
    )


def get_revision(actor: Actor, flow_id: UUID, number: int) -> DraftRevision:
    """One revision with its document.

    Raises:
        NotFound: There is no such flow for this actor, or the revision is not kept any more.
    """
    found = revisions_of(actor, flow_id).select_related("author", "content").filter(number=number)
    one = found.first()
    if one is None:
        raise NotFound(f"Revision {number} of this draft is not there, or not kept any more.")
    return one


def people_named(actor: Actor, ids: Iterable[str]) -> dict[str, User]:
    """The people of these ids that belong, or belonged, to the actor's workspace."""
    found = User.objects.filter(
        pk__in=list(ids), memberships__workspace_id=actor.workspace_id
    ).distinct()
    return {str(one.pk): one for one in found}
