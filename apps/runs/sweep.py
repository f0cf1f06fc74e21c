"""What the clock does for runs: fire timers, ring again, bury what came too late, forget blobs.

Nothing here needs the broker to find work, and several clocks may run at once.
"""

from datetime import datetime, timedelta

from django.db import connection, transaction

from apps.core import clock
from apps.runs import doorbell, effect_limits, late, stopping
from apps.runs.priorities import PARKED

TIMERS_AT_ONCE = 1000
UNHEARD_S = 1.0
BLOBS_KEPT = timedelta(days=7)

_FIRE = """
with due as (
  select id from timer where status = 'open' and fires_at <= %(now)s
  order by fires_at limit %(limit)s for update skip locked
), fired as (
  update timer t set status = 'fired' from due where t.id = due.id and t.status = 'open'
  returning t.run_id, t.lane, t.step, t.visit, t.kind, t.port, t.output, t.fires_at, t.id
)
insert into run_command (run_id, lane, priority, kind, payload, created_at)
select f.run_id, f.lane, coalesce(s.priority, 0),
  case f.kind when 'limit' then 'expire' else 'complete' end,
  json_build_object('step', f.step, 'visit', f.visit, 'port', f.port, 'output', f.output), %(now)s
from fired f left join run_state s on s.run_id = f.run_id
order by f.fires_at, f.id
"""
# The first of each lane is its oldest: one look per lane, however long the queue is.
OLDEST = """
with recursive lanes as (
  (select priority, lane from run_command where priority < %(below)s
   order by priority, lane limit 1)
  union all
  select n.priority, n.lane from lanes l, lateral (
    select priority, lane from run_command
    where (priority, lane) > (l.priority, l.lane) and priority < %(below)s
    order by priority, lane limit 1) n
)
select coalesce(extract(epoch from business_now() - min(h.created_at)), 0)
from lanes l, lateral (
  select created_at from run_command
  where (priority, lane) between (l.priority, l.lane) and (l.priority, l.lane)
  order by priority, lane, id limit 1) h
"""
_EFFECTS_DUE = f"""
with recursive lanes as (
  (select priority, lane, available_at, workspace_id from effect
   where status = 'queued' and limit_id is null
   order by priority, lane, available_at limit 1)
  union all
  select n.priority, n.lane, n.available_at, n.workspace_id from lanes l, lateral (
    select priority, lane, available_at, workspace_id from effect
    where status = 'queued' and limit_id is null and (priority, lane) > (l.priority, l.lane)
    order by priority, lane, available_at limit 1) n
)
select exists (
  select 1 from lanes where available_at <= business_now() and {stopping.MAY_BEGIN})
"""  # noqa: S608 - our own text
_MEND = """
update effect set available_at = business_now() where id in (
  select id from effect
  where status = 'queued' and attempt = 0 and available_at > business_now() + interval '5 s'
  for update skip locked)
"""
# A blob's date is that of the last journal row that named it. Ids tell when runs were made, so
# a blob older than the oldest run that is kept is named by nobody any more.
_FORGET_BLOBS = """
delete from run_blob where (workspace_id, sha256) in (
  select workspace_id, sha256 from run_blob where touched_at < %(before)s limit %(limit)s)
and touched_at < %(before)s
"""
_OLDEST_RUN = "select run_id from run_event order by run_id limit 1"


def fire_timers(*, now: datetime, limit: int = TIMERS_AT_ONCE) -> int:
    """Resolve the timers that are due; returns how many.

    Locks:
        The timers' rows; those that another clock fires are skipped.
    """
    fired = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_FIRE, {"now": now, "limit": limit})
            count = int(cursor.rowcount)
        fired += count
        if count < limit:
            return fired


def fire_due() -> None:
    """Fire the timers that are due, and ring."""
    if fire_timers(now=clock.now()):
        doorbell.ring_now("drive")


def ring_for_the_unheard() -> None:
    """Ring for commands and effects that have waited for a second: their bell may be lost.

    Commands that nobody can claim, since their run is over, are put away first.
    """
    # One from the future was written before the clock jumped back: its age says nothing.
    if abs(oldest_command_age_s()) > UNHEARD_S:
        late.bury_late_commands()
        doorbell.ring_now("drive")
    if are_effects_due():
        doorbell.ring_now("effects")


def mend_times_ahead() -> int:
    """Make effects due that were due at once until the clock jumped back; returns how many.

    Locks:
        The effects' rows; those that a worker takes just now are skipped.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MEND)
        return int(cursor.rowcount)


def oldest_command_age_s(*, below: int = PARKED) -> float:
    """How long the oldest command that could be driven has waited, bulk work among them.

    Args:
        below: Only those of a priority below this; ``Priority.BULK`` leaves bulk work out.
    """
    with connection.cursor() as cursor:
        cursor.execute(OLDEST, {"below": int(below)})
        return float(cursor.fetchone()[0])


def are_effects_due() -> bool:
    """Whether an effect waits that a worker could do now."""
    with connection.cursor() as cursor:
        cursor.execute(_EFFECTS_DUE)
        is_due = bool(cursor.fetchone()[0])
    return is_due or bool(effect_limits.with_room())


def forget_blobs(*, now: datetime, limit: int = 1000) -> int:
    """Remove large values that no kept journal names and nobody stored for a week.

    A value that is stored again meanwhile has a new date and stays.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST_RUN)
        row = cursor.fetchone()
        before = now - BLOBS_KEPT
        if row is not None:
            made = timedelta(milliseconds=row[0].int >> 80)
            before = min(before, datetime.fromtimestamp(0, now.tzinfo) + made)
        cursor.execute(_FORGET_BLOBS, {"before": before, "limit": limit})
        return int(cursor.rowcount)
