"""Claim runs that have commands, and read those commands (engine rule 1).

Runs are locked first, ``for no key update skip locked``; their commands are read by a second
statement, whose snapshot is younger than the locks. Claiming commands instead would lose
wake-ups, deadlock two drivers and reverse the order within a run.

Which go first: each priority that has work gets a share of the batch, eight parts for high, four
for normal, two for low and one for bulk, and at least one run. So nothing starves, and nothing
lower holds up what is above it for longer than its share. Bulk work has at most a tenth of any
batch, also where it is alone: a live run that comes meanwhile waits for that many and no more.
A priority's share goes in equal parts to its lanes; where there are more lanes than places, lot
decides.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from apps.engine import events as ev
from apps.engine.state import from_json
from apps.runs import stored
from apps.runs.limits import Slots
from apps.runs.priorities import PARKED, Priority
from apps.runs.wanted import Caller, LoadedRun

Commands = list[tuple[str, Mapping[str, Any]]]

#: Of a batch, bulk work has at most one in so many.
BULK_PART = 10

_RUN = """run_id, s.workspace_id, s.flow_id, s.version_id, s.lane, s.snapshot::text,
  s.awaited_until, s.limit_key, s.deaths, s.depth, s.parent_id, s.parent_lane, s.parent_step,
  s.parent_visit, s.priority"""

# Lanes with work are found by a loose index scan; each gives its oldest runs, up to its share. One
# command after the other leads to its run: a join would be free to read a whole flood first. Where
# a lane begins and ends is said as bounds, since with an equation PostgreSQL would also look for
# the lane in the order of all ids, through the flood of another one.
_FAIR = f"""
with recursive lanes as (
  (select priority, lane from run_command where priority < %(parked)s
   order by priority, lane limit 1)
  union all
  select n.priority, n.lane from lanes l, lateral (
    select priority, lane from run_command
    where (priority, lane) > (l.priority, l.lane) and priority < %(parked)s
    order by priority, lane limit 1) n
), classes as (
  select priority, count(*) as lanes,
    case when priority < {Priority.NORMAL:d} then 8.0 when priority < {Priority.LOW:d} then 4.0
         when priority < {Priority.BULK:d} then 2.0 else 1.0 end as weight
  from lanes group by priority
), shares as (
  select priority, lanes, greatest(1, least(
    floor(%(limit)s * weight / sum(weight) over ()),
    case when priority < {Priority.BULK:d} then %(limit)s else %(limit)s / {BULK_PART} end
  ))::int as places from classes
), served as (
  select d.priority, d.lane, greatest(1, h.places / h.lanes) as n
  from (select priority, lane, row_number() over (partition by priority order by random()) as place
        from lanes) d
  join shares h using (priority) where d.place <= h.places
)
select distinct on (s.run_id) s.{_RUN}, l.priority, (select business_now())
from (select * from served order by priority, random()) l cross join lateral (
  select s.* from run_command rc cross join lateral (
    select * from run_state
    where run_id = rc.run_id and deaths = 0 and format = any(%(formats)s)
    for no key update skip locked) s
  where (rc.priority, rc.lane) between (l.priority, l.lane) and (l.priority, l.lane)
  order by rc.priority, rc.lane, rc.id limit l.n) s
order by s.run_id, l.priority
"""  # noqa: S608 - constants

# Runs that a driver process died with are few; they are driven one at a time.
_ALONE = f"""
select s.{_RUN}, s.priority, business_now() from run_state s
where s.deaths > 0 and s.format = any(%(formats)s)
  and exists (select 1 from run_command c where c.run_id = s.run_id and c.priority < %(parked)s)
limit 1 for no key update skip locked
"""  # noqa: S608 - constants

_THESE = f"""
select s.{_RUN}, s.priority, business_now() from run_state s
where s.run_id = any(%(run_ids)s)
  and exists (select 1 from run_command c where c.run_id = s.run_id and c.priority < %(parked)s)
order by s.run_id for no key update skip locked
"""  # noqa: S608 - constants

_LEFT = "select exists (select from run_command where priority < %(parked)s)"

_COMMANDS = """
select id, run_id, kind, payload::text from run_command
where run_id = any(%b) order by id
"""


@dataclass(slots=True)
class Batch:
    """What one claim holds. Runs leave ``runs`` when they are put off or wait for a slot."""

    runs: dict[UUID, LoadedRun]
    commands: dict[UUID, Commands]
    command_ids: dict[UUID, list[int]]
    deaths: dict[UUID, int]
    now: datetime
    #: As what each run was claimed: bulk work may be ordered for a run that is none.
    claimed_as: dict[UUID, int] = field(default_factory=dict)
    slots: Slots = field(default_factory=Slots)

    def is_bulk(self, run_id: UUID) -> bool:
        """Whether the run was claimed for bulk work."""
        return self.claimed_as.get(run_id, 0) >= Priority.BULK

    def leave_out(self, run_id: UUID, kinds: Collection[str]) -> None:
        """Take commands of these kinds out; a run without any other leaves, too."""
        pairs = zip(self.command_ids[run_id], self.commands[run_id], strict=True)
        kept = [(id_, command) for id_, command in pairs if command[0] not in kinds]
        self.command_ids[run_id] = [id_ for id_, _ in kept]
        self.commands[run_id] = [command for _, command in kept]
        if not kept:
            del self.runs[run_id]


class BatchFailed(Exception):
    """A batch cannot be read or written, though the database is well: one run is to blame."""

    def __init__(self, run_ids: Sequence[UUID], cause: Exception) -> None:
        super().__init__(str(cause))
        self.run_ids = run_ids
        self.cause = cause


Claim = Callable[[Any], Batch | None]


def fair(cursor: Any, *, limit: int) -> Batch | None:
    """Up to ``limit`` runs, each lane its share; nothing where no run is free."""
    return _read(cursor, _FAIR, {"limit": limit})


def alone(cursor: Any) -> Batch | None:
    """One run that a driver process has died with."""
    return _read(cursor, _ALONE, {})


def is_anything_left() -> bool:
    """Whether any command waits at all, whoever holds its run: one look, outside a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_LEFT, {"parked": PARKED})
        return bool(cursor.fetchone()[0])


def these(cursor: Any, *, run_ids: Sequence[UUID]) -> Batch | None:
    """Those of the runs that still have commands and that nobody else holds."""
    return _read(cursor, _THESE, {"run_ids": list(run_ids)})


def _read(cursor: Any, statement: str, given: Mapping[str, Any]) -> Batch | None:
    cursor.execute(
        statement, {"parked": PARKED, "formats": list(ev.READABLE), **given}, prepare=True
    )
    rows = cursor.fetchall()
    if not rows:
        return None
    cursor.execute(_COMMANDS, [[row[0] for row in rows]], prepare=True)
    try:
        return _decoded(rows, cursor.fetchall())
    except Exception as error:
        raise BatchFailed([row[0] for row in rows], error) from error


def _decoded(rows: list[tuple[Any, ...]], written: list[tuple[Any, ...]]) -> Batch:
    runs: dict[UUID, LoadedRun] = {}
    deaths: dict[UUID, int] = {}
    for row in rows:
        run_id, workspace_id, flow_id, version_id, lane, snapshot, awaited, key, *more = row
        deaths[run_id], depth, *parent, priority, _, _ = more
        runs[run_id] = LoadedRun(
            run_id=run_id,
            workspace_id=workspace_id,
            flow_id=flow_id,
            version_id=version_id,
            lane=lane,
            priority=priority,
            state=from_json(stored.loads(snapshot)),
            awaited_until=awaited,
            limit_key=key,
            depth=depth,
            caller=Caller(*parent) if parent[0] is not None else None,
        )
    commands: dict[UUID, Commands] = defaultdict(list)
    ids: dict[UUID, list[int]] = defaultdict(list)
    for id_, run_id, kind, payload in written:
        commands[run_id].append((kind, stored.loads(payload)))
        ids[run_id].append(id_)
    # What goes first is decided first: a batch that takes too long puts off the rest.
    claimed_as = {row[0]: row[-2] for row in rows}
    runs = dict(sorted(runs.items(), key=lambda one: claimed_as[one[0]]))
    return Batch(runs, commands, ids, deaths, now=rows[0][-1], claimed_as=claimed_as)
