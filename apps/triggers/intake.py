"""What the gateway writes in PostgreSQL, in as few round trips as can be.

Ids are made before the first try and every insert may be done twice, so a broken connection
costs a retry and never a second run.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.types.numeric import Int2

from apps.core.errors import Conflict
from apps.core.models import first_uuid7_at, uuid7
from apps.engine import events as ev
from apps.flows.models import FlowState
from apps.runs.commands import insert_run_sql, insert_runs_sql, run_values
from apps.runs.priorities import Priority
from apps.runs.sweep import OLDEST
from apps.triggers.addresses import STILL_HOLDS, Address
from apps.triggers.calls import Key, Ready
from apps.triggers.models import MAX_REASON, Verdict
from apps.triggers.wires import Connection, Wires, away, in_time

#: How many refused or repeated calls are noted per trigger and minute.
NOTED_PER_MINUTE = 20
#: Of their headers, so many characters each: a flood must not fill the disk.
NOTED_HEADER = 200
#: Larger bodies are written alone: a group of them would take too long.
SHARED_BYTES = 16 * 1024

_DELIVERY = """
delivery as (
  insert into triggers_delivery (id, workspace_id, trigger_id, run_id, verdict, reason, summary,
                                 headers, query, body, received_at)
  select %(delivery)s, %(workspace)s, %(trigger)s, %(run)s, %(verdict)s, '', %(summary)s,
         %(headers)s::json, %(query)s::json, %(body)s, %(now)s {source}
  on conflict (id) do nothing
), """
_FIRST = """
first as (
  insert into triggers_dedupekey (trigger_id, key_sha256, run_id, body_sha256, created_at)
  select %(trigger)s, %(key)s, %(run)s, %(body_sha256)s, %(now)s {source}
  on conflict (trigger_id, key_sha256) do nothing returning run_id
), """
_INSERT = insert_run_sql(before=_DELIVERY.format(source=""))
_INSERT_FIRST = insert_run_sql(
    before=_FIRST.format(source="") + _DELIVERY.format(source="from first"), source="from first"
)
# The same for an address from memory: nothing is written unless it still holds.
_GUARD = "guard as (select where {}), ".format(
    STILL_HOLDS.format(trigger="%(trigger)s", stamp="%(stamp)s", now="%(now)s")
)
_INSERT_KNOWN = insert_run_sql(
    before=_GUARD + _DELIVERY.format(source="from guard"), source="from guard"
)
_INSERT_KNOWN_FIRST = insert_run_sql(
    before=_GUARD + _FIRST.format(source="from guard") + _DELIVERY.format(source="from first"),
    source="from first",
)
_GIVEN = """
given as (
  select * from unnest(
    %(runs)b::uuid[], %(workspaces)b::uuid[], %(flows)b::uuid[], %(versions)b::uuid[],
    %(priorities)b::smallint[],
    %(payloads)b::text[], %(times)b::timestamptz[], %(awaited)s::timestamptz[],
    %(deliveries)b::uuid[], %(triggers)b::uuid[], %(summaries)b::text[], %(headers)b::text[],
    %(queries)b::text[], %(bodies)b::bytea[], %(stamps)b::text[]
  ) with ordinality as u(run, workspace, flow, version, priority, payload, at, awaited_until,
                         delivery, trigger, summary, headers, query, body, stamp, place)
  where u.stamp is null or {}
), delivery as (
  insert into triggers_delivery (id, workspace_id, trigger_id, run_id, verdict, reason, summary,
                                 headers, query, body, received_at)
  select delivery, workspace, trigger, run, %(verdict)s, '', summary, headers::json, query::json,
         body, at
  from given on conflict (id) do nothing
), """.format(  # noqa: S608 - constants
    STILL_HOLDS.format(trigger="u.trigger", stamp="u.stamp", now="u.at")
)
_INSERT_MANY = insert_runs_sql(before=_GIVEN)
_EARLIER = """
select run_id, body_sha256 from triggers_dedupekey where trigger_id = %s and key_sha256 = %s
"""
# Shared, so that resuming waits for us or we see that the flow was resumed: a call that is held
# just after its flow went on would be held for ever.
_STATE = "select state from flows_flow where id = %s for share"
_NOTE = """
insert into triggers_delivery (id, workspace_id, trigger_id, run_id, verdict, reason, summary,
                               headers, query, body, received_at)
select %(delivery)s, %(workspace)s, %(trigger)s, %(run)s, %(verdict)s, %(reason)s, %(summary)s,
       %(headers)s::json, %(query)s::json, null, %(now)s
where (select count(*) from triggers_delivery
       where trigger_id = %(trigger)s and verdict in ('refused', 'duplicate')
         and id >= %(minute)s) < %(most)s
on conflict (id) do nothing
"""
_BACKLOG = """
select count(*) from (select 1 from run_command where priority < %(below)s limit %(most)s) waiting
"""

_log = logging.getLogger(__name__)


class SomeTooLate(Exception):
    """Of calls that were to be written together some have been told 503; each goes alone."""


class IdempotencyKeyReused(Conflict):
    """The key came before with another body."""

    code = "idempotency_key_reused"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The run that a call stands for. ``is_repeat``: an earlier call started it."""

    run_id: UUID
    is_repeat: bool = False
    is_held: bool = False


@dataclass(frozen=True, slots=True)
class Stored:
    """What a call is stored as; the ids are the same however often it is tried."""

    address: Address
    ready: Ready
    run_id: UUID
    delivery_id: UUID
    #: Seconds of ``time.monotonic`` after which nothing is written any more: the caller was told.
    give_up_at: float


async def store(wires: Wires, calls: Sequence[Stored]) -> list[Accepted | None]:
    """Write runs, their starts and the deliveries in one statement; nothing for a repeat.

    Several calls together are ones that :func:`may_share` says; a call alone may be any. None
    for a call whose address was from memory and does not hold any more, or that may be a repeat:
    read the address and ask again.

    Raises:
        IdempotencyKeyReused: The key came before with another body.
        Unavailable: Nothing was written, or nobody can tell.
    """
    if len(calls) == 1:
        return [await _store_one(wires, calls[0])]

    async def write(connection: Connection) -> list[Accepted | None]:
        now = time.monotonic()
        late = sum(now > one.give_up_at for one in calls)
        if late:
            raise away() if late == len(calls) else SomeTooLate
        async with in_time(connection, min(one.give_up_at for one in calls)):
            cursor = await connection.execute(_INSERT_MANY, _columns(calls))
            written = {row[0] for row in await cursor.fetchall()}
        return [
            None
            if one.address.is_remembered and one.run_id not in written
            else Accepted(one.run_id)
            for one in calls
        ]

    return await wires.run(write)


def may_share(stored: Stored) -> bool:
    """Whether a call can be written together with others: none that is held or may be a repeat."""
    is_small = len(stored.ready.sealed) <= SHARED_BYTES
    return is_small and stored.ready.key is None and not stored.address.is_paused


def _columns(calls: Sequence[Stored]) -> dict[str, Any]:
    ready = [one.ready for one in calls]
    addresses = [one.address for one in calls]
    return {
        "trigger_type": "webhook",
        "format": ev.FORMAT,
        "verdict": Verdict.ACCEPTED.value,
        "runs": [one.run_id for one in calls],
        "workspaces": [one.workspace_id for one in addresses],
        "flows": [one.flow_id for one in addresses],
        "versions": [one.version_id for one in addresses],
        "priorities": [Int2(one.priority) for one in addresses],
        "payloads": [one.payload for one in ready],
        "times": [one.now for one in addresses],
        "awaited": [_awaited_until(one) for one in calls],
        "deliveries": [one.delivery_id for one in calls],
        "triggers": [one.trigger_id for one in addresses],
        "summaries": [one.summary for one in ready],
        "headers": [one.headers for one in ready],
        "queries": [one.query for one in ready],
        "bodies": [one.sealed for one in ready],
        "stamps": [one.stamp if one.is_remembered else None for one in addresses],
    }


def _awaited_until(stored: Stored) -> datetime | None:
    wait_s = stored.ready.wait_s
    return stored.address.now + timedelta(seconds=wait_s) if wait_s else None


async def _store_one(wires: Wires, stored: Stored) -> Accepted | None:
    async def write(connection: Connection) -> Accepted | None:
        if time.monotonic() > stored.give_up_at:
            raise away()
        async with in_time(connection, stored.give_up_at):
            if not stored.address.is_paused:
                return await _write(connection, stored, is_paused=False)
            async with connection.transaction():
                cursor = await connection.execute(_STATE, [stored.address.flow_id])
                row = await cursor.fetchone()
                is_paused = row is not None and row[0] == FlowState.PAUSED
                found = await _write(connection, stored, is_paused=is_paused)
                if time.monotonic() > stored.give_up_at:
                    raise away()
                return found

    return await wires.run(write)


async def note(
    wires: Wires,
    address: Address,
    *,
    verdict: Verdict,
    headers: str,
    query: str,
    summary: str,
    reason: str = "",
    run_id: UUID | None = None,
) -> None:
    """Keep a refused or repeated call for the list of deliveries, if there is room this minute."""
    values = {
        "delivery": uuid7(),
        "workspace": address.workspace_id,
        "trigger": address.trigger_id,
        "run": run_id,
        "verdict": verdict.value,
        "reason": reason[:MAX_REASON],
        "summary": summary,
        "headers": headers,
        "query": query,
        "now": address.now,
        "minute": first_uuid7_at(int(time.time() * 1000) - 60_000),
        "most": NOTED_PER_MINUTE,
    }

    async def write(connection: Connection) -> None:
        await connection.execute(_NOTE, values)

    await wires.run(write)


async def lag(wires: Wires, *, backlog_from: float, most: int) -> tuple[float, int]:
    """Seconds that the oldest live command has waited; beyond ``backlog_from``, how many wait too.

    The count stops at ``most``. Bulk work does not count: a call that comes would go before it.
    """
    live = {"below": int(Priority.BULK), "most": most}

    async def read(connection: Connection) -> tuple[float, int]:
        row = await (await connection.execute(OLDEST, live)).fetchone()
        age = float(row[0]) if row else 0.0
        if age <= backlog_from:
            return age, 0
        counted = await (await connection.execute(_BACKLOG, live)).fetchone()
        return age, counted[0] if counted else 0

    return await wires.run(read)


async def _write(connection: Connection, stored: Stored, *, is_paused: bool) -> Accepted | None:
    address, ready = stored.address, stored.ready
    now = address.now
    values = run_values(
        run_id=stored.run_id,
        workspace_id=address.workspace_id,
        flow_id=address.flow_id,
        version_id=address.version_id,
        trigger_type="webhook",
        payload=ready.payload,
        now=now,
        held=is_paused,
        awaited_until=_awaited_until(stored),
        priority=address.priority,
    )
    values |= {
        "delivery": stored.delivery_id,
        "trigger": address.trigger_id,
        "verdict": (Verdict.HELD if is_paused else Verdict.ACCEPTED).value,
        "summary": ready.summary,
        "headers": ready.headers,
        "query": ready.query,
        "body": ready.sealed,
    }
    if ready.key is not None:
        values |= {"key": ready.key.sha256, "body_sha256": ready.body_sha256}
    if address.is_remembered:
        values["stamp"] = address.stamp
        known = _INSERT_KNOWN if ready.key is None else _INSERT_KNOWN_FIRST
        cursor = await connection.execute(known, values)
        return Accepted(stored.run_id) if cursor.rowcount else None
    if ready.key is None:
        await connection.execute(_INSERT, values)
        return Accepted(stored.run_id, is_held=is_paused)
    cursor = await connection.execute(_INSERT_FIRST, values)
    if cursor.rowcount:
        return Accepted(stored.run_id, is_held=is_paused)
    return await _earlier(connection, stored, ready.key, is_paused=is_paused)


async def _earlier(
    connection: Connection, stored: Stored, key: Key, *, is_paused: bool
) -> Accepted | None:
    # A statement of its own: the one before does not see what a concurrent first call committed.
    cursor = await connection.execute(_EARLIER, [stored.address.trigger_id, key.sha256])
    row = await cursor.fetchone()
    if row is None:
        # Forgotten between the two statements: this call is the first one again.
        return await _write(connection, stored, is_paused=is_paused)
    run_id, body_sha256 = row
    if run_id == stored.run_id:
        # Our own first try was committed before its connection broke.
        return Accepted(run_id, is_held=is_paused)
    if key.binds_body and bytes(body_sha256) != stored.ready.body_sha256:
        raise IdempotencyKeyReused(
            "This Idempotency-Key was used with another body; send a new key."
        )
    return Accepted(run_id, is_repeat=True)
