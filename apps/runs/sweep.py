"""What the clock does for runs: fire timers, expire leases, ring again, keep partitions ahead.

Nothing here needs the broker to find work, and several clocks may run at once.
"""

from datetime import datetime

from django.db import connection, transaction

from apps.core import clock
from apps.runs import doorbell, effects, held
from apps.runs.models import PARKED
from apps.runs.partitions import ensure_partitions

FIRE = """
with due as (
  select id from timer where status = 'open' and fires_at <= %(now)s
  order by fires_at limit %(limit)s for update skip locked
), fired as (
  update timer t set status = 'fired' from due where t.id = due.id and t.status = 'open'
  returning t.run_id, t.lane, t.step, t.visit, t.output
)
insert into run_command (run_id, lane, priority, kind, payload, created_at)
select run_id, lane, 0, 'complete',
  json_build_object('step', step, 'visit', visit, 'port', 'done', 'output', output), %(now)s
from fired
"""


def fire_timers(*, now: datetime, limit: int = 1000) -> int:
    """Resolve the timers that are due; returns how many.

    Locks:
        The timers' rows; those that another clock fires are skipped.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(FIRE, {"now": now, "limit": limit})
        return cursor.rowcount


def ring_for_the_unheard() -> None:
    """Ring for commands and effects that have waited for a second: their bell may be lost."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select exists (select 1 from run_command where priority < %s and"
            " created_at < business_now() - interval '1 second'),"
            " exists (select 1 from effect where status = 'queued'"
            " and available_at <= business_now())",
            [PARKED],
        )
        commands, waiting_effects = cursor.fetchone()
    if commands:
        doorbell.ring_now("drive")
    if waiting_effects:
        doorbell.ring_now("effects")


def tick() -> None:
    """One second's work of the clock for runs."""
    now = clock.now()
    if fire_timers(now=now):
        doorbell.ring_now("drive")
    effects.expire_leases()
    held.count_deaths()
    ring_for_the_unheard()


def oldest_command_age_s() -> float:
    """How long the oldest command that could be driven has waited; the measure of back-pressure."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select coalesce(extract(epoch from business_now() - min(created_at)), 0)"
            " from run_command where priority < %s",
            [PARKED],
        )
        return float(cursor.fetchone()[0])


__all__ = ["ensure_partitions", "fire_timers", "oldest_command_age_s", "tick"]
