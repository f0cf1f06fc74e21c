"""Events that runs publish and waits for events, written in the driver's own transaction.

``runs.event_ports`` calls all of this. Nothing is matched here: an event and a wait each look
for the other after they are committed, see ``matching``.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from apps.core.models import uuid7
from apps.engine import values
from apps.runs.event_ports import Events, NewEvent, NewSubscription
from apps.runs.ports import Wait
from apps.steps.document import expression_source
from apps.steps.event_ways import key_digest
from apps.triggers.envelope import OWN_SOURCE
from apps.triggers.models import EventSubscription, SubscriptionStatus

_PUBLISH = """
insert into event (id, workspace_id, event_id, source, type, version, subject, occurred_at, data,
  attributes, correlation, causation, depth, flow_id, run_id, step, created_at, expires_at, look_at)
select u.id, u.workspace_id, u.id::text, %s || u.flow_id, u.type, u.version, u.subject, u.at,
  u.data::json, '{}', u.correlation, u.causation, u.depth, u.flow_id, u.run_id, u.step, u.at,
  u.expires_at, u.at
from unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::text[],
  %s::text[], %s::timestamptz[], %s::timestamptz[], %s::text[], %s::text[], %s::text[], %s::int[])
  as u(id, workspace_id, flow_id, run_id, step, type, version, subject, at, expires_at, data,
       correlation, causation, depth)
order by u.id
on conflict (id) do nothing
"""
# A pattern that is there spares the wait a look of its own at which there are. It is held, so that
# nobody forgets it just now for want of a wait.
_SUBSCRIBE = """
with u as (
  select * from unnest(
    %(ids)s::uuid[], %(workspaces)s::uuid[], %(runs)s::uuid[], %(lanes)s::uuid[],
    %(steps)s::text[], %(visits)s::int[], %(places)s::int[], %(ports)s::text[], %(types)s::text[],
    %(keys_of)s::text[], %(keys)s::bytea[], %(conditions)s::text[], %(known)s::text[])
  as u(id, workspace_id, run_id, lane, step, visit, place, port, type, key_of, key, condition,
       known)
), p as materialized (
  select id, workspace_id, type, key_of from event_pattern
  where (workspace_id, type, key_of) in (select workspace_id, type, key_of from u)
  order by id for key share
)
insert into event_subscription (id, workspace_id, run_id, lane, step, visit, place, port, type,
  key_of, key_sha256, "where", known, pattern_id, status, opened_at, look_at, note)
select u.id, u.workspace_id, u.run_id, u.lane, u.step, u.visit, u.place, u.port, u.type,
  u.key_of, u.key, u.condition, u.known::json, p.id, 'open', %(now)s, %(now)s, ''
from u left join p
  on p.workspace_id = u.workspace_id and p.type = u.type and p.key_of = u.key_of
order by u.id
"""
_CLOSE = """
update event_subscription set status = 'closed', closed_at = %s, look_at = null
where id in (
  select id from event_subscription where {which} and status = 'open' order by id for update)
"""
_CLOSE_RUNS = _CLOSE.format(which="run_id = any(%s)")
_CLOSE_VISITS = _CLOSE.format(
    which="(run_id, step, visit) in (select * from unnest(%s::uuid[], %s::text[], %s::int[]))"
)


def publish(events: Sequence[NewEvent], now: datetime) -> None:  # noqa: ARG001 - the port's signature
    """Keep events of runs; who takes them is looked for after the commit."""
    with connection.cursor() as cursor:
        cursor.execute(
            _PUBLISH,
            [
                OWN_SOURCE,
                [one.id for one in events],
                [one.workspace_id for one in events],
                [one.flow_id for one in events],
                [one.run_id for one in events],
                [one.step for one in events],
                [one.type for one in events],
                [one.version for one in events],
                [one.subject for one in events],
                [one.at for one in events],
                [one.expires_at for one in events],
                [values.dumps(one.data) for one in events],
                [one.cause.correlation for one in events],
                [one.cause.causation for one in events],
                [one.cause.depth for one in events],
            ],
        )


def subscribe(waits: Sequence[NewSubscription], now: datetime) -> None:
    """Wait for events from now on.

    Locks:
        The patterns they use, shared, by id.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _SUBSCRIBE,
            {
                "now": now,
                "ids": [uuid7() for _ in waits],
                "workspaces": [one.workspace_id for one in waits],
                "runs": [one.run_id for one in waits],
                "lanes": [one.lane for one in waits],
                "steps": [one.step for one in waits],
                "visits": [one.visit for one in waits],
                "places": [one.place for one in waits],
                "ports": [one.way.port for one in waits],
                "types": [one.way.type for one in waits],
                "keys_of": [expression_source(one.way.key_of).strip() for one in waits],
                "keys": [key_digest(one.way.key) for one in waits],
                "conditions": [expression_source(one.way.where).strip() for one in waits],
                "known": [values.dumps(one.way.known) for one in waits],
            },
        )


def close_runs(run_ids: Sequence[UUID], now: datetime) -> None:
    """Runs have ended: none of them takes an event any more.

    Locks:
        Their open subscriptions, by id.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CLOSE_RUNS, [now, list(run_ids)])


def close_visits(waits: Sequence[Wait], now: datetime) -> None:
    """These visits are over otherwise.

    Locks:
        Their open subscriptions, by id.
    """
    columns: list[Any] = [list(column) for column in zip(*waits, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(_CLOSE_VISITS, [now, *columns])


def open_waits(run_ids: Sequence[UUID]) -> set[Wait]:
    """Run, step and visit of every open subscription of these runs."""
    rows = EventSubscription.objects.filter(
        run_id__in=list(run_ids), status=SubscriptionStatus.OPEN
    )
    return set(rows.values_list("run_id", "step", "visit"))


def notes(run_id: UUID) -> Mapping[tuple[str, int], str]:
    """Why the latest event that came near an open wait of this run did not fit."""
    rows = EventSubscription.objects.filter(run_id=run_id, status=SubscriptionStatus.OPEN).exclude(
        note=""
    )
    return {(step, visit): note for step, visit, note in rows.values_list("step", "visit", "note")}


EVENTS = Events(
    publish=publish,
    subscribe=subscribe,
    close_runs=close_runs,
    close_visits=close_visits,
    open_waits=open_waits,
    notes=notes,
)
