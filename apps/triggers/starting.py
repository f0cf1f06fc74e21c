"""Start the flows whose trigger is an event: filter first, then the run.

What a trigger made of an event is a delivery, as for calls. An event that the filter does not let
through leaves none; a filter that fails is refused with the reason.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from apps.accounts.queries import zone_of
from apps.core import live, outbox
from apps.core.models import first_uuid7_at, uuid7
from apps.engine import feel, values
from apps.engine.feel import FeelError
from apps.flows.models import FlowState
from apps.runs import doorbell
from apps.runs.commands import insert_run_sql, run_values, start_payload
from apps.steps import contracts
from apps.steps.document import expression_source
from apps.steps.types.trigger_event import EventTrigger
from apps.triggers.envelope import as_feel, correlation_id
from apps.triggers.intake import NOTED_PER_MINUTE
from apps.triggers.models import (
    EVENT,
    MAX_REASON,
    DedupeKey,
    Delivery,
    Event,
    Trigger,
    Verdict,
)
from apps.triggers.partitions import id_of_taking

#: An event that so many others led to, itself among them, starts nothing.
MAX_DEPTH = 32
MAX_KEY = 200
#: As for telling calls apart; see ``calls``.
BUDGET = feel.Budget(operations=20_000, size=100_000, depth=32)

# Shared, so that pausing and resuming wait for us or we see them.
_STATES = "select id, state from flows_flow where id = any(%s) order by id for share"
# The delivery first: where it is there already, the event came to the trigger before.
_DELIVERY = """
delivery as (
  insert into triggers_delivery (id, workspace_id, trigger_id, event_id, run_id, verdict, reason,
                                 summary, headers, query, body, received_at)
  values (%(delivery)s, %(workspace)s, %(trigger)s, %(event)s, %(run)s, %(verdict)s, '',
          %(summary)s, '{}', '{}', null, %(now)s)
  on conflict (id) do nothing returning run_id
), """
_START = insert_run_sql(before=_DELIVERY, source="from delivery")


class _Refused(Exception):
    """The trigger cannot judge the event; the message is the reason."""


def start_flows(events: Sequence[Event], *, now: datetime) -> None:
    """Start a run of each flow that begins with each of these, in the caller's transaction.

    Locks:
        The flows, shared, by id.
    """
    found = Trigger.objects.filter(
        workspace_id__in={one.workspace_id for one in events},
        type=EVENT,
        enabled=True,
        event_type__in={one.type for one in events},
    ).order_by("flow_id")
    by_type: dict[tuple[UUID, str], list[Trigger]] = {}
    for trigger in found:
        by_type.setdefault((trigger.workspace_id, trigger.event_type), []).append(trigger)
    if not by_type:
        return
    states = _states([one.flow_id for one in found])
    started: dict[UUID, list[UUID]] = {}
    for event in events:
        names = {"event": as_feel(event)}
        for trigger in by_type.get((event.workspace_id, event.type), []):
            is_paused = states[trigger.flow_id] == FlowState.PAUSED
            if (run_id := _offer(event, names, trigger, now, is_paused=is_paused)) is not None:
                started.setdefault(event.workspace_id, []).append(run_id)
    for workspace_id, run_ids in started.items():
        live.publish(workspace_id, "run", run_ids)
    if started:
        transaction.on_commit(partial(doorbell.ring, "drive"))


def _states(flow_ids: list[UUID]) -> dict[UUID, str]:
    with connection.cursor() as cursor:
        cursor.execute(_STATES, [flow_ids])
        return dict(cursor.fetchall())


def _offer(
    event: Event, names: Mapping[str, Any], trigger: Trigger, now: datetime, *, is_paused: bool
) -> UUID | None:
    """The run that the event starts by this trigger, if any."""
    config = EventTrigger.model_validate(trigger.config)
    zone = zone_of(event.workspace_id)
    try:
        if config.filter and not _holds(config.filter, names, now, zone):
            return None
        if event.depth > MAX_DEPTH:
            _refuse_depth(event, trigger, now)
            return None
        _hold_contract(event, trigger)
        key = _key(config.dedupe, names, now, zone) if config.dedupe else None
    except _Refused as refused:
        _refuse(event, trigger, now, str(refused))
        return None
    run_id = uuid7()
    if key is not None and (first := _first(trigger, key, run_id, event, now)) != run_id:
        _note(event, trigger, now, Verdict.DUPLICATE, run_id=first)
        return None
    return _start(event, trigger, run_id, now, is_paused=is_paused)


def _start(
    event: Event, trigger: Trigger, run_id: UUID, now: datetime, *, is_paused: bool
) -> UUID | None:
    parameters = run_values(
        run_id=run_id,
        workspace_id=event.workspace_id,
        flow_id=trigger.flow_id,
        version_id=trigger.version_id,
        trigger_type=EVENT,
        payload=_payload(event, run_id, now),
        now=now,
        held=is_paused,
        correlation_id=correlation_id(event.correlation),
        priority=trigger.priority,
    ) | {
        "delivery": id_of_taking(event.pk, trigger.pk),
        "trigger": trigger.pk,
        "event": event.pk,
        "verdict": (Verdict.HELD if is_paused else Verdict.ACCEPTED).value,
        "summary": _summary(event),
    }
    with connection.cursor() as cursor:
        cursor.execute(_START, parameters)
    return run_id


def _summary(event: Event) -> str:
    return f"{event.type} {event.subject}".strip()[:200]


def _payload(event: Event, run_id: UUID, now: datetime) -> str:
    envelope = as_feel(event)
    body = envelope.pop("data")
    return start_payload(run_id=run_id, trigger_type=EVENT, body=body, now=now, event=envelope)


def _hold_contract(event: Event, trigger: Trigger) -> None:
    if wrong := contracts.faults(trigger.contract, event.data):
        raise _Refused(f"The event's data does not fit what the flow takes: {'; '.join(wrong)}.")


def _refuse(event: Event, trigger: Trigger, now: datetime, reason: str) -> None:
    """Note it, and tell the flow's owner: whoever published the event is told nothing."""
    if _note(event, trigger, now, Verdict.REFUSED, reason=reason):
        payload = {
            "flow": str(trigger.flow_id),
            "case": str(event.pk),
            "event_type": event.type,
            "reason": reason[:MAX_REASON],
        }
        outbox.enqueue(topic="start.refused", payload=payload, now=now)


def _refuse_depth(event: Event, trigger: Trigger, now: datetime) -> None:
    reason = (
        f"{event.depth - 1} events led to this one, each caused by the one before;"
        f" at most {MAX_DEPTH} in a row start something."
    )
    if _note(event, trigger, now, Verdict.TOO_DEEP, reason=reason):
        payload = {"event": str(event.pk), "flow": str(trigger.flow_id)}
        outbox.enqueue(topic="event.too_deep", payload=payload, now=now)


def _holds(filter_: str, names: Mapping[str, Any], now: datetime, zone: str) -> bool:
    try:
        expression = feel.compile_expression(expression_source(filter_))
        return expression.holds(names, now=now, zone=zone, budget=BUDGET)
    except FeelError as wrong:
        raise _Refused(f"The filter failed on this event: {wrong.message}") from wrong


def _key(dedupe: str, names: Mapping[str, Any], now: datetime, zone: str) -> bytes:
    try:
        expression = feel.compile_expression(expression_source(dedupe))
        value = feel.to_json(expression.evaluate(names, now=now, zone=zone, budget=BUDGET))
    except FeelError as wrong:
        raise _Refused(f"What tells events apart failed on this one: {wrong.message}") from wrong
    if value is None or isinstance(value, list | Mapping):
        raise _Refused("What tells events apart must be text or a number.")
    text = value if isinstance(value, str) else values.dumps(value)
    if len(text) > MAX_KEY:
        raise _Refused(f"What tells events apart has more than {MAX_KEY} characters.")
    return hashlib.sha256(f"event:{text}".encode()).digest()


def _first(trigger: Trigger, key: bytes, run_id: UUID, event: Event, now: datetime) -> UUID:
    """The run of the first event under this key; ours where it is the first."""
    row = DedupeKey(
        trigger_id=trigger.pk,
        key_sha256=key,
        run_id=run_id,
        body_sha256=hashlib.sha256(values.dumps(event.data).encode()).digest(),
        created_at=now,
    )
    DedupeKey.objects.bulk_create([row], ignore_conflicts=True)
    found = DedupeKey.objects.filter(trigger_id=trigger.pk, key_sha256=key)
    first: UUID = found.values_list("run_id", flat=True).get()
    return first


def _note(
    event: Event,
    trigger: Trigger,
    now: datetime,
    verdict: Verdict,
    *,
    reason: str = "",
    run_id: UUID | None = None,
) -> bool:
    """Write the delivery; False where the event came to the trigger before.

    Of refused ones only so many are kept per trigger and minute.
    """
    mine = Delivery.objects.filter(trigger_id=trigger.pk)
    own_id = id_of_taking(event.pk, trigger.pk)
    if mine.filter(pk=own_id).exists():
        return False
    if verdict in {Verdict.REFUSED, Verdict.DUPLICATE, Verdict.TOO_DEEP}:
        minute_ago = now - timedelta(minutes=1)
        recent = mine.filter(
            verdict__in=[Verdict.REFUSED, Verdict.DUPLICATE, Verdict.TOO_DEEP],
            id__gte=first_uuid7_at(int(minute_ago.timestamp() * 1000)),
        )
        if recent.count() >= NOTED_PER_MINUTE:
            return True
    Delivery.objects.create(
        id=own_id,
        workspace_id=event.workspace_id,
        trigger_id=trigger.pk,
        event_id=event.pk,
        run_id=run_id,
        verdict=verdict,
        reason=reason[:MAX_REASON],
        summary=_summary(event),
        headers={},
        query={},
        received_at=now,
    )
    return True
