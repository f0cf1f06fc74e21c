"""What workers write about effects they hold, many threads' words in one transaction.

Both statements count only under the fence that an effect was claimed under (engine rule 12), and
lock their rows in the order of their ids, so that two groups never wait for each other in a ring.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.core.pool import give_back
from apps.engine.lifecycle import EFFECT_TRANSITIONS, EffectStatus, move
from apps.runs import doorbell
from apps.runs.patience import AWAY
from apps.runs.prepared import fetched
from apps.runs.together import Together

_MARK = """
with given as (select * from unnest(%(ids)s::uuid[], %(fences)s::int[]) as u(id, fence)),
held as (
  select e.id from effect e join given g on g.id = e.id and g.fence = e.fence
  where e.status = 'running' order by e.id for no key update of e
)
update effect e set sent_at = clock_timestamp() from held h where e.id = h.id
returning e.id, e.fence
"""
_REPORT = """
with given as (
  select * from unnest(%(ids)s::uuid[], %(fences)s::int[], %(statuses)s::text[], %(kinds)s::text[],
    %(payloads)s::text[], %(available)s::timestamptz[])
  as u(id, fence, status, kind, payload, available_at)
), held as (
  select e.id from effect e join given g on g.id = e.id and g.fence = e.fence
  where e.status = 'running' order by e.id for no key update of e
), done as (
  update effect e set status = g.status, lease_until = null,
    available_at = coalesce(g.available_at, business_now()),
    finished_at = case when g.status <> 'queued' then business_now() end
  from held h join given g on g.id = h.id
  where e.id = h.id and e.fence = g.fence
  returning e.id, e.fence, e.run_id, e.lane, e.priority, g.kind, g.payload
), told as (
  insert into run_command (run_id, lane, priority, kind, payload, created_at)
  select run_id, lane, priority, kind, payload::json, business_now() from done order by id
)
select id, fence from done
"""


@dataclass(frozen=True, slots=True)
class Report:
    """How a try ended, and the command that tells the run. ``payload`` is its JSON."""

    id: UUID
    fence: int
    status: EffectStatus
    kind: str
    payload: str
    available_at: datetime | None = None


def report(one: Report) -> bool:
    """Result, fence check and command in one transaction; false where the fence has moved on."""
    move(EFFECT_TRANSITIONS, EffectStatus.RUNNING, one.status)
    return _reports.ask(one)


def mark_sent(id_: UUID, fence: int) -> bool:
    """Note that something may leave from here on; false where the fence has moved on.

    The caller holds no connection: whoever writes for the group needs one of the pool's.
    """
    return _marks.ask((id_, fence))


def _write_reports(reports: Sequence[Report]) -> list[bool]:
    given: dict[str, list[Any]] = {
        "ids": [one.id for one in reports],
        "fences": [one.fence for one in reports],
        "statuses": [one.status.value for one in reports],
        "kinds": [one.kind for one in reports],
        "payloads": [one.payload for one in reports],
        "available": [one.available_at for one in reports],
    }
    found = _written(_REPORT, given)
    if found:
        doorbell.ring("drive")
    return [(one.id, one.fence) in found for one in reports]


def _write_marks(marks: Sequence[tuple[UUID, int]]) -> list[bool]:
    given: dict[str, list[Any]] = {
        "ids": [id_ for id_, _ in marks],
        "fences": [fence for _, fence in marks],
    }
    found = _written(_MARK, given)
    return [mark in found for mark in marks]


def _written(statement: str, given: dict[str, list[Any]]) -> set[tuple[UUID, int]]:
    try:
        with transaction.atomic():
            return {(id_, fence) for id_, fence in fetched(statement, given)}
    finally:
        # The thread that wrote for the others waits for the other side next.
        give_back()


_reports = Together[Report, bool](_write_reports, hopeless=AWAY)
_marks = Together[tuple[UUID, int], bool](_write_marks, hopeless=AWAY)
