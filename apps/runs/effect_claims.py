"""Take effects that are due for the threads of this process: one each, all in one transaction.

A thread asks only when it is free to begin, so nothing that is taken waits for a hand.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction

from apps.core import clock
from apps.engine import values
from apps.runs import doorbell, effect_limits, stopping
from apps.runs.commands import add_command
from apps.runs.sweep import are_effects_due
from apps.runs.together import Together

LEASE = timedelta(seconds=30)

_TAKE = """
update effect e set status = 'running', attempt = e.attempt + 1, fence = e.fence + 1,
  lease_until = clock_timestamp() + make_interval(secs => %(lease_s)s), sent_at = null
from next where e.id = next.id
returning e.id, e.run_id, e.workspace_id, e.lane, e.step, e.visit, e.kind, e.kind_version,
  e.input::text, e.attempt, e.max_attempts, e.fence, e.deaths, e.idempotency_key, e.retry::text
"""
CLAIM = f"""
with recursive lanes as (
  (select lane from effect where status = 'queued' and limit_id is null order by lane limit 1)
  union all
  select n.lane from lanes l, lateral (
    select lane from effect where status = 'queued' and limit_id is null and lane > l.lane
    order by lane limit 1) n
), next as (
  select e.id from (select lane from lanes order by random()) l, lateral (
    select id from effect
    where status = 'queued' and limit_id is null and lane = l.lane
      and available_at <= business_now() and deaths < 2 and {stopping.MAY_BEGIN}
    order by available_at, id limit 1 for update skip locked) e
  limit 1
)
{_TAKE}
"""  # noqa: S608 - our own text
CLAIM_ALONE = f"""
with next as (
  select id from effect e where status = 'queued' and deaths >= 2
    and available_at <= business_now()
    and (limit_id is null or {effect_limits.HAS_ROOM}) and {stopping.MAY_BEGIN}
  order by available_at, id limit 1 for update skip locked
)
{_TAKE}
"""  # noqa: S608 - our own text
CLAIM_LIMITED = f"""
with next as (
  select id from effect e where status = 'queued' and limit_id = %(limit)s
    and available_at <= business_now() and deaths < 2 and {effect_limits.HAS_ROOM}
    and {stopping.MAY_BEGIN}
  order by available_at, id limit 1 for update skip locked
)
{_TAKE}
"""  # noqa: S608 - our own text


@dataclass(frozen=True, slots=True)
class Claimed:
    """An effect that this thread holds."""

    id: UUID
    run_id: UUID
    workspace_id: UUID
    lane: UUID
    step: str
    visit: int
    kind: str
    version: int
    input: Any
    attempt: int
    max_attempts: int
    fence: int
    deaths: int
    key: str
    retry: Any = None

    @classmethod
    def of(cls, row: Any) -> "Claimed":
        """From a row of ``CLAIM``."""
        fields = list(row)
        fields[8] = values.loads(row[8])
        fields[14] = values.loads(row[14]) if row[14] else None
        return cls(*fields)


#: Keeps the leases of live effects; rows are locked in the order of their ids.
RENEW = """
with held as (
  select e.id from effect e
  join unnest(%(ids)s::uuid[], %(fences)s::int[]) as u(id, fence) using (id, fence)
  where e.status = 'running' order by e.id for no key update of e
)
update effect e set lease_until = clock_timestamp() + make_interval(secs => %(lease_s)s)
from held h where e.id = h.id
"""


def claim_any() -> Claimed | None:
    """One that stands under no limit, or one whose limit has room; which is tried first is lot.

    Threads that ask at the same time are served by one transaction; it rings for another thread
    where more are due than they took.
    """
    connection.close()  # who claims for the others needs one of the pool's
    return _claims.ask(None)


def claim_alone() -> Claimed | None:
    """One that two processes died with; only for a thread that has its process to itself."""
    with transaction.atomic():
        return _claim(CLAIM_ALONE)


def _claim_for(asked: Sequence[None]) -> list[Claimed | None]:
    count = len(asked)
    try:
        with transaction.atomic():
            first, second = random.sample((_plain, _limited), 2)
            found = first((count + 1) // 2)
            found += second(count - len(found))
            found += first(count - len(found))
        if len(found) == count and are_effects_due():
            doorbell.ring("effects")
    finally:
        connection.close()
    return [*found, *[None] * (count - len(found))]


def _plain(most: int) -> list[Claimed]:
    found: list[Claimed] = []
    while len(found) < most and (effect := _claim(CLAIM)):
        found.append(effect)
    return found


def _limited(most: int) -> list[Claimed]:
    """Of limits that have room. Whoever counts holds the limit: nobody passes it meanwhile."""
    found: list[Claimed] = []
    while len(found) < most:
        before = len(found)
        for limit_id in effect_limits.with_room():
            if len(found) == most:
                break
            if effect_limits.hold(limit_id) and (effect := _claim(CLAIM_LIMITED, limit=limit_id)):
                found.append(effect)
        if len(found) == before:
            break
    return found


def _claim(statement: str, **given: Any) -> Claimed | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"lease_s": LEASE.total_seconds(), **given})
        row = cursor.fetchone()
    if row is None:
        return None
    effect = Claimed.of(row)
    if effect.attempt > 1:
        payload = {"step": effect.step, "visit": effect.visit, "attempt": effect.attempt}
        add_command(
            run_id=effect.run_id,
            lane=effect.lane,
            kind="attempt",
            payload=payload,
            now=clock.now(),
        )
    return effect


_claims = Together[None, Claimed | None](_claim_for, hopeless=(OperationalError, InterfaceError))
