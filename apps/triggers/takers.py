"""What became of events: which runs they started or woke, and who refused them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import (
    Case,
    CharField,
    Exists,
    OuterRef,
    QuerySet,
    TextField,
    UUIDField,
    Value,
    When,
)
from django.db.models.functions import Cast, Concat, Left

from apps.accounts.actors import Actor
from apps.accounts.permissions import require
from apps.flows.models import Flow, FlowVersion
from apps.runs import event_ports
from apps.runs.models import Run
from apps.triggers.models import (
    EVENT,
    Delivery,
    Event,
    EventSubscription,
    SubscriptionStatus,
    Trigger,
    Verdict,
)
from apps.triggers.partitions import ids_of_event

#: Where an event stands. ``waiting``: whoever begins to wait before it ends takes it.
STATES = ("taken", "refused", "waiting", "expired")
_TAKEN = [Verdict.ACCEPTED, Verdict.HELD, Verdict.DUPLICATE]
_REFUSED = [Verdict.REFUSED, Verdict.TOO_DEEP]
#: Steps that name a type of event in their config.
_NAMING = ("emit", "wait.event", "wait.first", "approval")
MOST_TYPES = 200

# The next type after one, for as long as there are any: a step of the index for each.
_TYPES = """
with recursive known(type, n) as (
  (select type, 1 from event where workspace_id = %(workspace)s order by type limit 1)
  union all
  select (select e.type from event e where e.workspace_id = %(workspace)s and e.type > k.type
          order by e.type limit 1), n + 1
  from known k where k.type is not null and n <= %(most)s
)
select type from known where type is not null
"""


@dataclass(frozen=True, slots=True)
class Taker:
    """What an event did: ``what`` is a delivery's verdict, or ``woke`` a run that waited.

    Or it ``changed`` what people are asked by a run; ``unread`` where that could not be told.
    """

    what: str
    flow_id: UUID | None
    flow_name: str
    run_id: UUID | None
    step: str
    reason: str


def with_state(events: QuerySet[Event], now: datetime, *, only: str = "") -> QuerySet[Event]:
    """The events, each with its ``state``: one of :data:`STATES`; or those of one state."""
    mine = Delivery.objects.filter(
        event_id=OuterRef("pk"), id__range=(_id_at_its_time("0"), _id_at_its_time("f"))
    )
    woken = EventSubscription.objects.filter(
        event_id=OuterRef("pk"), status=SubscriptionStatus.MATCHED
    )
    found = events.annotate(
        state=Case(
            When(Exists(mine.filter(verdict__in=_TAKEN)), then=Value("taken")),
            When(Exists(woken), then=Value("taken")),
            When(event_ports.watches().has_changed(OuterRef("pk")), then=Value("taken")),
            When(Exists(mine.filter(verdict__in=_REFUSED)), then=Value("refused")),
            When(expires_at__gt=now, then=Value("waiting")),
            default=Value("expired"),
            output_field=CharField(),
        )
    )
    return found.filter(state=only) if only else found


def _id_at_its_time(filler: str) -> Any:
    """As ``partitions.ids_of_event``, of the event outside: it finds the day's partition."""
    time = Left(Cast(OuterRef("pk"), TextField()), 13)
    rest = "-".join(["", *(filler * length for length in (4, 4, 12))])
    return Cast(Concat(time, Value(rest)), UUIDField())


def takers_of(events: Iterable[Event]) -> dict[UUID, list[Taker]]:
    """What these events did, by event, the first first."""
    ids = [one.pk for one in events]
    if not ids:
        return {}
    bounds = [bound for one in ids for bound in ids_of_event(one)]
    deliveries = list(
        Delivery.objects.filter(event_id__in=ids, id__range=(min(bounds), max(bounds)))
        .order_by("id")
        .values_list("event_id", "trigger_id", "run_id", "verdict", "reason")
    )
    woken = list(
        EventSubscription.objects.filter(event_id__in=ids, status=SubscriptionStatus.MATCHED)
        .order_by("closed_at", "id")
        .values_list("event_id", "run_id", "step")
    )
    flow_of_trigger = dict(
        Trigger.objects.filter(pk__in={row[1] for row in deliveries}).values_list("pk", "flow_id")
    )
    changed = event_ports.watches().changed(ids)
    run_ids = {row[1] for row in woken} | {one.run_id for one in changed}
    flow_of_run = dict(Run.objects.filter(pk__in=run_ids).values_list("pk", "flow_id"))
    names = dict(
        Flow.objects.filter(pk__in={*flow_of_trigger.values(), *flow_of_run.values()}).values_list(
            "pk", "name"
        )
    )
    found: dict[UUID, list[Taker]] = {}
    for event_id, trigger_id, run_id, verdict, reason in deliveries:
        if event_id is None:
            continue
        flow_id = flow_of_trigger.get(trigger_id)
        taker = Taker(
            verdict, flow_id, names.get(flow_id, "") if flow_id else "", run_id, "", reason
        )
        found.setdefault(event_id, []).append(taker)
    for event_id, run_id, step in woken:
        if event_id is None:
            continue
        flow_id = flow_of_run.get(run_id)
        taker = Taker("woke", flow_id, names.get(flow_id, "") if flow_id else "", run_id, step, "")
        found.setdefault(event_id, []).append(taker)
    for one in changed:
        flow_id, what = flow_of_run.get(one.run_id), "unread" if one.reason else "changed"
        name = names.get(flow_id, "") if flow_id else ""
        taker = Taker(what, flow_id, name, one.run_id, one.step, one.reason)
        found.setdefault(one.event_id, []).append(taker)
    return found


def publishers(events: Iterable[Event]) -> dict[UUID, str]:
    """Names of the flows that published these, by flow."""
    ids = {one.flow_id for one in events if one.flow_id}
    return dict(Flow.objects.filter(pk__in=ids).values_list("pk", "name"))


def known_types(actor: Actor) -> list[str]:
    """Types of event that came, start a flow, or stand in what is published, by name.

    Raises:
        Forbidden: The actor may not see the workspace's flows.
    """
    require(actor, "flow.view")
    with connection.cursor() as cursor:
        cursor.execute(_TYPES, {"workspace": actor.workspace_id, "most": MOST_TYPES})
        found = {type_ for (type_,) in cursor.fetchall()}
    triggers = Trigger.objects.for_workspace(actor.workspace_id).filter(type=EVENT, enabled=True)
    found |= set(triggers.values_list("event_type", flat=True)[:MOST_TYPES])
    active = Flow.objects.for_workspace(actor.workspace_id).exclude(active_version=None)
    versions = FlowVersion.objects.filter(pk__in=active.values("active_version"))
    names = '"(emit|wait\\.(event|first)|watch)"'
    naming = versions.extra(where=["document::text ~ %s"], params=[names])
    for document in naming.values_list("document", flat=True)[:MOST_TYPES]:
        found |= set(_named_in(document))
    return sorted(found)[:MOST_TYPES]


def _named_in(document: object) -> Iterable[str]:
    steps = document.get("steps") if isinstance(document, dict) else None
    for step in steps.values() if isinstance(steps, dict) else ():
        config = step.get("config") if isinstance(step, dict) else None
        if not isinstance(config, dict) or step.get("type") not in _NAMING:
            continue
        ways = config.get("ways")
        ways = ways if isinstance(ways, list) else []
        ways = [one.get("event") for one in ways if isinstance(one, dict)]
        matches = [config, config.get("watch"), *ways]
        for match in matches:
            type_ = match.get("type") if isinstance(match, dict) else None
            if isinstance(type_, str) and type_ and not type_.startswith("="):
                yield type_
