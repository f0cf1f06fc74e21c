"""Take effects that are due for the threads of this process: one each, all in one transaction.

A thread asks only when it is free to begin, so nothing that is taken waits for a hand.

The highest priority that has something due goes first. One claim in ten goes by lot instead,
among all that is due, so that nothing starves. Bulk work has at most half of a process's threads:
however long its calls take, the others are free for what is live.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from apps.core import clock
from apps.core.pool import give_back
from apps.engine import values
from apps.runs import doorbell, effect_limits, stopping
from apps.runs.commands import add_command
from apps.runs.patience import AWAY, insist
from apps.runs.prepared import fetched
from apps.runs.priorities import Priority
from apps.runs.sweep import are_effects_due
from apps.runs.together import Together

LEASE = timedelta(seconds=30)
#: Between two questions to a database that is away.
ASK_AGAIN_S = 0.5
#: Of the claims, this part goes by lot.
BY_LOT = 0.1
#: Of a lane, so many are looked at in one go.
OF_A_LANE = 32
#: Of those that wait to run alone, so many are looked at.
LOOKED_AT = 8

_TAKE = """
update effect e set status = 'running', attempt = e.attempt + 1, fence = e.fence + 1,
  lease_until = clock_timestamp() + make_interval(secs => %(lease_s)s::float8), sent_at = null
from next where e.id = next.id
returning e.id, e.run_id, e.workspace_id, e.lane, e.step, e.visit, e.kind, e.kind_version,
  e.input::text, e.attempt, e.max_attempts, e.fence, e.deaths, e.idempotency_key, e.retry::text,
  e.priority, e.lease_until
"""
# Lanes with work are found by a loose index scan; of one priority the first of each lane come
# before the second of any, in an order drawn by lot.
CLAIM = f"""
with recursive lanes as (
  (select priority, lane from effect
   where status = 'queued' and limit_id is null and priority <= %(as_far_as)s::smallint
   order by priority, lane limit 1)
  union all
  select n.priority, n.lane from lanes l, lateral (
    select priority, lane from effect
    where status = 'queued' and limit_id is null and priority <= %(as_far_as)s::smallint
      and (priority, lane) > (l.priority, l.lane)
    order by priority, lane limit 1) n
), found as (
  select e.id, l.priority, e.place + random() as turn from lanes l, lateral (
    select id, row_number() over () - 1 as place from (
      select id from effect
      where status = 'queued' and limit_id is null and priority = l.priority and lane = l.lane
        and available_at <= business_now() and deaths < 2 and {stopping.MAY_BEGIN}
      order by available_at, id limit least(%(most)s::int, {OF_A_LANE})) o) e
), counted as (
  select id, priority, turn,
    row_number() over (partition by priority >= {Priority.BULK:d} order by turn) as place
  from found
), next as (
  select id from effect where id = any(array(
      select id from counted where priority < {Priority.BULK:d} or place <= %(most_bulk)s::int
      order by case when %(by_lot)s::boolean then 0 else priority end, turn limit %(most)s::int))
    and status = 'queued' and available_at <= business_now() and {stopping.MAY_BEGIN}
  for update skip locked
)
{_TAKE}
"""  # noqa: S608 - our own text
# Those that wait to run alone, oldest first; nothing is locked yet.
_ALONE = f"""
select id, limit_id from effect
where status = 'queued' and deaths >= 2 and available_at <= business_now() and {stopping.MAY_BEGIN}
order by available_at, id limit %(most)s
"""  # noqa: S608 - our own text
CLAIM_ALONE = f"""
with next as (
  select id from effect e where id = %(id)s::uuid and status = 'queued' and deaths >= 2
    and available_at <= business_now()
    and (limit_id is null or {effect_limits.HAS_ROOM}) and {stopping.MAY_BEGIN}
  for update skip locked
)
{_TAKE}
"""  # noqa: S608 - our own text
CLAIM_LIMITED = f"""
with next as (
  select e.id from (
    select p from unnest({effect_limits.PRIORITIES}) p where p <= %(as_far_as)s::smallint
    order by case when %(by_lot)s::boolean then random() else p end) u, lateral (
    select id from effect e
    where status = 'queued' and limit_id = %(limit)s::uuid and priority = u.p
      and available_at <= business_now() and deaths < 2 and {effect_limits.HAS_ROOM}
      and {stopping.MAY_BEGIN}
    order by available_at, id limit 1 for update skip locked) e
  limit 1
)
{_TAKE}
"""  # noqa: S608 - our own text


#: Which of these claims stand. A lease's end tells a claim from any other of the same effect.
_STANDING = """
select e.id from effect e
join unnest(%(ids)s::uuid[], %(leases)s::timestamptz[]) as u(id, lease_until)
  using (id, lease_until)
where e.status = 'running'
"""


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
    priority: int = Priority.NORMAL

    @property
    def is_bulk(self) -> bool:
        """Whether it is bulk work."""
        return self.priority >= Priority.BULK

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
update effect e set lease_until = clock_timestamp() + make_interval(secs => %(lease_s)s::float8)
from held h where e.id = h.id
"""


def claim_any(*, may_be_bulk: bool = True) -> Claimed | None:
    """The one that goes first, of those under no limit and those whose limit has room.

    Threads that ask at the same time are served by one transaction; it rings for another thread
    where more are due than they took.
    """
    give_back()  # who claims for the others needs one of the pool's
    return _claims.ask(may_be_bulk)


def claim_alone() -> Claimed | None:
    """One that two processes died with; only for a thread that has its process to itself.

    Locks:
        The limit of each that it looks at, until it has one; those that somebody counts are
        passed over.
    """
    hand = _Hand(1, 1)
    _take_surely(hand, partial(_take_alone, hand))
    return hand.found[0] if hand.found else None


def _take_alone(hand: "_Hand") -> None:
    with connection.cursor() as cursor:
        cursor.execute(_ALONE, {"most": LOOKED_AT})
        waiting = cursor.fetchall()
    for id_, limit_id in waiting:
        if limit_id is not None and not effect_limits.hold(limit_id):
            continue
        if hand.claim(CLAIM_ALONE, id=id_):
            return


class _Hand:
    """What one transaction takes: so many, of which so many may be bulk work."""

    def __init__(self, most: int, most_bulk: int) -> None:
        self.most = most
        self.most_bulk = most_bulk
        self.found: list[Claimed] = []
        self.leases: dict[UUID, datetime] = {}

    @property
    def left(self) -> int:
        """How many more are wanted."""
        return self.most - len(self.found)

    def plain(self, most: int, as_far_as: int, *, by_lot: bool = False) -> None:
        """Take so many that stand under no limit."""
        goal = len(self.found) + min(most, self.left)
        while wanted := goal - len(self.found):
            bulk = self.most_bulk - sum(one.is_bulk for one in self.found)
            count = self.claim(
                CLAIM,
                as_far_as=self._bound(as_far_as),
                by_lot=by_lot,
                most=wanted,
                most_bulk=bulk,
            )
            if count < min(wanted, OF_A_LANE):
                return

    def _bound(self, as_far_as: int) -> int:
        """The lowest priority that may be taken now."""
        is_full = sum(one.is_bulk for one in self.found) >= self.most_bulk
        return min(as_far_as, Priority.LOW) if is_full else int(as_far_as)

    def limited(self, most: int, as_far_as: int, *, by_lot: bool = False) -> None:
        """Of limits with room one each, and again. Who counts holds the limit: nobody passes it."""
        goal = len(self.found) + min(most, self.left)
        while len(self.found) < goal:
            before = len(self.found)
            for _, limit_id in effect_limits.with_room(as_far_as=self._bound(as_far_as)):
                if len(self.found) == goal:
                    return
                given = {"as_far_as": self._bound(as_far_as), "by_lot": by_lot}
                if effect_limits.hold(limit_id):
                    self.claim(CLAIM_LIMITED, limit=limit_id, **given)
            if len(self.found) == before:
                return

    def claim(self, statement: str, **given: Any) -> int:
        """Take what a statement finds, and tell the runs of tries that are not the first."""
        rows = fetched(statement, {"lease_s": LEASE.total_seconds(), **given})
        taken = [(Claimed.of(row[:-1]), row[-1]) for row in rows]
        for effect, leased_until in sorted(taken, key=lambda one: (one[0].priority, one[0].id)):
            self.found.append(effect)
            self.leases[effect.id] = leased_until
            if effect.attempt > 1:
                payload = {"step": effect.step, "visit": effect.visit, "attempt": effect.attempt}
                add_command(
                    run_id=effect.run_id,
                    lane=effect.lane,
                    kind="attempt",
                    payload=payload,
                    now=clock.now(),
                )
        return len(taken)

    def keep_standing(self) -> None:
        """Let go of all whose claim was not committed after all."""
        given = {"ids": list(self.leases), "leases": list(self.leases.values())}
        standing = {id_ for (id_,) in fetched(_STANDING, given)}
        self.found = [one for one in self.found if one.id in standing]


def _claim_for(asked: Sequence[bool]) -> list[Claimed | None]:
    hand = _Hand(len(asked), sum(asked))
    try:
        _take_surely(hand, partial(_take, hand))
        if not hand.left and are_effects_due():
            doorbell.ring("effects")
    finally:
        give_back()
    return _dealt(hand.found, asked)


def _take_surely(hand: _Hand, take: Callable[[], None]) -> None:
    """Take in one transaction. Where no answer to its commit came, ask what came of it.

    What was claimed and nobody knows to hold would be a worker's death to the clock, and the
    third of those is an unknown outcome, though nothing was sent.

    Raises:
        OperationalError, InterfaceError: The database is away, and nothing is held.
    """
    try:
        with transaction.atomic():
            take()
    except AWAY:
        if hand.found:
            insist(
                hand.keep_standing,
                what="a claim without an answer",
                seconds=LEASE.total_seconds(),
                pause_s=ASK_AGAIN_S,
            )
        if not hand.found:
            raise


def _take(hand: _Hand) -> None:
    """By lot for one in ten; then one priority after the other, both kinds in equal parts."""
    lots = sum(random.random() < BY_LOT for _ in range(hand.most))  # noqa: S311 - a lot, no secret
    for take in random.sample((hand.plain, hand.limited), 2):
        take((lots + 1) // 2, Priority.BULK, by_lot=True)
    # What stands under no limit goes in the order of priorities by itself, so the two are
    # compared by those of the limited.
    due = sorted({priority for priority, _ in effect_limits.with_room()}) if hand.left else []
    for priority in due:
        hand.plain(hand.left, priority - 1)
        first, second = random.sample((hand.plain, hand.limited), 2)
        first((hand.left + 1) // 2, priority)
        second(hand.left, priority)
        first(hand.left, priority)
    hand.plain(hand.left, Priority.BULK)


def _dealt(found: Sequence[Claimed], asked: Sequence[bool]) -> list[Claimed | None]:
    """One for each who asked, bulk work for those who may have it."""
    bulk = [one for one in found if one.is_bulk]
    live = [one for one in found if not one.is_bulk]
    given: list[Claimed | None] = [bulk.pop() if may and bulk else None for may in asked]
    return [one or (live.pop(0) if live else None) for one in given]


_claims = Together[bool, Claimed | None](_claim_for, hopeless=AWAY)
