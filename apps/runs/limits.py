"""How many runs of a flow may be under way at once (engine rule 9).

A limit is a row, locked after the runs and written once per batch. Who finds no slot leaves
the command table for the waiting list; the transaction that frees a slot hands it on by an
``admit`` command: to whoever waits longest of the highest priority, and one time in ten to whoever
waits longest of all.
"""

import random
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from apps.runs import stored
from apps.runs.wanted import LoadedRun

_LOCK = """
select key, "max", used from run_limit where key = any(%s) order by key for no key update
"""
_MAKE = """
insert into run_limit (key, "max", used)
select u.key, u.most, 0 from unnest(%s::text[], %s::int[]) as u(key, most) order by u.key
on conflict (key) do nothing
"""
_WAITED_FOR = """
select key from unnest(%s::text[]) as key
where exists (select 1 from waiting_start w where w.limit_key = key)
"""
_LET_WAIT = """
with gone as (delete from run_command where id = any(%(commands)s))
insert into waiting_start (run_id, flow_id, lane, priority, limit_key, reason, payload, created_at)
select u.run_id, u.flow_id, u.lane, u.priority, u.key, 'limit', u.payload::json, %(now)s
from unnest(%(runs)s::uuid[], %(flows)s::uuid[], %(lanes)s::uuid[], %(priorities)s::smallint[],
            %(keys)s::text[], %(payloads)s::text[])
  with ordinality as u(run_id, flow_id, lane, priority, key, payload, place)
order by u.place
"""
_HOLD_BACK = """
with gone as (delete from run_command where id = any(%(commands)s)),
kept as (
  update run_state s set limit_key = coalesce(s.limit_key, u.key)
  from unnest(%(admitted)s::uuid[], %(keys)s::text[]) as u(run_id, key) where s.run_id = u.run_id
)
insert into waiting_start (run_id, flow_id, lane, priority, limit_key, reason, payload, created_at)
select u.run_id, u.flow_id, u.lane, u.priority, '', 'stopped', u.payload::json, %(now)s
from unnest(%(runs)s::uuid[], %(flows)s::uuid[], %(lanes)s::uuid[], %(priorities)s::smallint[],
            %(payloads)s::text[])
  with ordinality as u(run_id, flow_id, lane, priority, payload, place)
order by u.place
"""
# Of runs that can be driven; what is nobody's passes nobody by. The first of each lane is found
# without reading the rest of it.
_EARLIER = """
select u.priority, u.lane, c.id
from unnest(%s::smallint[], %s::uuid[]) as u(priority, lane), lateral (
  select c.id from run_command c cross join lateral (
    select 1 from run_state where run_id = c.run_id and deaths = 0 and format = any(%s)
    offset 0) s
  where (c.priority, c.lane) between (u.priority, u.lane) and (u.priority, u.lane)
    and c.kind = 'start' and c.run_id <> all(%s)
  order by c.priority, c.lane, c.id limit 1) c
"""
_HAND_OUT = """
with next as (
  select id from waiting_start where limit_key = %s order by {order} limit %s for update
), freed as (
  delete from waiting_start w using next where w.id = next.id
  returning w.id, w.run_id, w.lane, w.priority, w.payload
)
insert into run_command (run_id, lane, priority, kind, payload, created_at)
select run_id, lane, priority, 'admit', payload, %s from freed order by id
"""
_BY_PRIORITY = _HAND_OUT.format(order="priority, id")
_BY_AGE = _HAND_OUT.format(order="id")
#: Of the times that places are handed out, this part goes by age alone, so that no priority
#: waits for ever.
BY_AGE = 0.1


@dataclass(slots=True)
class Limit:
    """A limit that this transaction holds. ``taken`` are runs that got a slot just now."""

    most: int
    used: int
    is_waited_for: bool
    taken: set[UUID] = field(default_factory=set)

    @property
    def free(self) -> int:
        """How many slots may still be given."""
        return max(0, self.most - self.used - len(self.taken))


@dataclass(slots=True)
class Slots:
    """The limits of one batch, by key."""

    held: dict[str, Limit] = field(default_factory=dict)


def key_of(flow_id: UUID) -> str:
    """Names a flow's limit."""
    return f"flow:{flow_id}"


def key_for(flow_id: UUID, value: Any) -> str:
    """Names the limit of one value of a flow's key."""
    return f"{key_of(flow_id)}:{sha256(stored.dumps(value).encode()).hexdigest()[:32]}"


def wanted_by(run: LoadedRun) -> str:
    """The limit of which a run needs a slot."""
    return run.wanted_key or key_of(run.flow_id)


def earlier_starts(
    cursor: Any,
    lanes: Sequence[tuple[int, UUID]],
    but: Sequence[UUID],
    formats: Sequence[int],
) -> dict[tuple[int, UUID], int]:
    """The oldest start of each lane that another driver has in hand: none may pass it.

    Args:
        lanes: Priority and lane.
        but: The runs that this driver has in hand.
    """
    priorities, named = [priority for priority, _ in lanes], [lane for _, lane in lanes]
    cursor.execute(_EARLIER, [priorities, named, list(formats), list(but)])
    return {(priority, lane): id_ for priority, lane, id_ in cursor.fetchall()}


def admit(
    cursor: Any,
    slots: Slots,
    runs: Mapping[UUID, LoadedRun],
    kinds: Mapping[UUID, Sequence[str]],
    most: Mapping[UUID, int],
) -> list[LoadedRun]:
    """Give starts a slot of their flow's limit; returns those that must wait, oldest first.

    Args:
        kinds: The commands of each run.
        most: The limit of each run whose flow has one.

    Locks:
        The limits of every run here that has or wants a slot, by key.
    """
    wanting: dict[str, list[LoadedRun]] = defaultdict(list)
    allowed: dict[str, int] = {}
    for run_id, run in runs.items():
        if "admit" in kinds[run_id]:  # whoever ended handed its slot on
            run.limit_key = run.limit_key or wanted_by(run)
        elif (
            run_id in most
            and run.limit_key is None
            and "start" in kinds[run_id]
            and "cancel" not in kinds[run_id]
            and not run.state.started
        ):
            key = wanted_by(run)
            wanting[key].append(run)
            allowed[key] = most[run_id]
    keys = sorted({*wanting, *(run.limit_key for run in runs.values() if run.limit_key)})
    if not keys:
        return []
    _hold(cursor, slots, keys, allowed)
    waiting: list[LoadedRun] = []
    for key in sorted(wanting):
        limit = slots.held[key]
        # Nobody passes those who wait already.
        free = 0 if limit.is_waited_for else limit.free
        for run in wanting[key][:free]:
            run.limit_key = key
            limit.taken.add(run.run_id)
        limit.is_waited_for = limit.is_waited_for or len(wanting[key]) > free
        waiting += wanting[key][free:]
    return waiting


def let_wait(
    cursor: Any,
    runs: Sequence[LoadedRun],
    starts: Mapping[UUID, Any],
    command_ids: Iterable[int],
    now: datetime,
) -> None:
    """Move starts from the command table to the waiting list, in their order."""
    if not runs:
        return
    cursor.execute(
        _LET_WAIT,
        {
            "now": now,
            "commands": list(command_ids),
            "runs": [run.run_id for run in runs],
            "flows": [run.flow_id for run in runs],
            "lanes": [run.lane for run in runs],
            "priorities": [run.priority for run in runs],
            "keys": [wanted_by(run) for run in runs],
            "payloads": [stored.dumps(starts[run.run_id]) for run in runs],
        },
    )


def hold_back(
    cursor: Any,
    runs: Sequence[LoadedRun],
    starts: Mapping[UUID, Any],
    command_ids: Iterable[int],
    *,
    admitted: Collection[UUID],
    now: datetime,
) -> None:
    """Move starts to the waiting list until the stop of their workspace is lifted.

    Args:
        admitted: Those that have been given a slot; they keep it.
    """
    with_slot = [run for run in runs if run.run_id in admitted]
    cursor.execute(
        _HOLD_BACK,
        {
            "now": now,
            "commands": list(command_ids),
            "admitted": [run.run_id for run in with_slot],
            "keys": [run.limit_key or wanted_by(run) for run in with_slot],
            "runs": [run.run_id for run in runs],
            "flows": [run.flow_id for run in runs],
            "lanes": [run.lane for run in runs],
            "priorities": [run.priority for run in runs],
            "payloads": [stored.dumps(starts[run.run_id]) for run in runs],
        },
    )


def settle(
    cursor: Any,
    slots: Slots,
    *,
    kept: Iterable[UUID],
    freed: Iterable[str],
    now: datetime,
) -> int:
    """Write the limits: slots taken by ``kept`` runs, slots given back, and who gets those.

    Returns how many waiting runs were admitted.
    """
    back: dict[str, int] = defaultdict(int)
    for key in freed:
        back[key] += 1
    written = set(kept)
    admitted = 0
    for key, limit in slots.held.items():
        used = limit.used + len(limit.taken & written) - back[key]
        if limit.is_waited_for and limit.most > used:
            statement = _BY_AGE if random.random() < BY_AGE else _BY_PRIORITY  # noqa: S311 - a lot
            cursor.execute(statement, [key, limit.most - used, now])
            used += cursor.rowcount
            admitted += cursor.rowcount
        cursor.execute(
            'update run_limit set used = %s, "max" = %s where key = %s', [used, limit.most, key]
        )
    return admitted


def _hold(cursor: Any, slots: Slots, keys: list[str], allowed: Mapping[str, int]) -> None:
    if allowed:
        cursor.execute(_MAKE, [list(allowed), list(allowed.values())])
    cursor.execute(_LOCK, [keys])
    rows = cursor.fetchall()
    # Asked after the lock: what another driver let wait meanwhile counts.
    cursor.execute(_WAITED_FOR, [keys])
    waited_for = {key for (key,) in cursor.fetchall()}
    for key, most, used in rows:
        slots.held[key] = Limit(allowed.get(key, most), used, key in waited_for)
