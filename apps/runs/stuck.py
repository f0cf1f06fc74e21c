"""Runs that make no progress: for three times as long as the step they stand at usually takes.

The clock looks, and notes those it finds with the cause; one that moves is not stuck any more.
What waits for a stated time (a timer, a due date, the next try) is not stuck before it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from apps.core import clock, outbox
from apps.runs import stored
from apps.runs.models import Run, StuckRun
from apps.runs.waits import Reason, waiting_for

AT_LEAST = timedelta(minutes=1)
TIMES = 3
#: The usual time of a step is that of so many of its latest visits, counted anew so often.
VISITS = 1000
COUNTED_FOR = timedelta(hours=1)
MOST_COUNTED_AT_ONCE = 50
MOST_NOTED_AT_ONCE = 200
#: Looking takes at most this part of the clock's time.
SHARE = 0.005

#: Kinds of waits that others end in their own time: without a history they are not stuck.
_OTHERS = frozenset({"person", "event", "run", "time", "limit"})
#: Kinds that say themselves that something else is to be looked at, or that people chose.
_NOT_ITSELF = frozenset({"join", "items", "lock", "paused", "stopped", "fault"})

# Runs that have not moved for a minute, with what they stand at: the step, and whether a stated
# time is ahead of it. A run that waits for its first slot or for a person who stopped it is none.
_QUIET = """
select s.run_id, s.workspace_id, s.flow_id, r.updated_at, v.step, v.status, t.usual_s,
  t.counted_at is null or t.counted_at < %(stale)s
from run_state s
join run r on r.id = s.run_id and r.updated_at < %(before)s
  and r.status in ('queued', 'running', 'waiting', 'cancelling') and r.trigger_type <> 'test'
left join lateral (
  select a->>0 as step, (a->>1)::int as visit, a->>2 as status
  from json_array_elements(s.snapshot->'active') a
  where a->>2 <> 'blocked' and not exists (
    select 1 from json_array_elements(s.snapshot->'scopes') c
    where c->>0 = a->>0 and c->>1 = a->>1)
) v on true
left join step_time t on t.flow_id = s.flow_id and t.step = v.step
where not exists (select 1 from waiting_start w where w.run_id = s.run_id)
  and not exists (select 1 from workspace_stop w where w.workspace_id = s.workspace_id)
  and not exists (
    select 1 from timer o where o.run_id = s.run_id and o.step = v.step and o.visit = v.visit
      and o.status = 'open' and o.fires_at > %(now)s)
  and not exists (
    select 1 from effect e where e.run_id = s.run_id and e.step = v.step and e.visit = v.visit
      and e.status = 'queued' and e.available_at > %(now)s)
  and not exists (
    select 1 from stuck_run k where k.run_id = s.run_id and k.progress_at = r.updated_at)
order by r.updated_at
"""
# The latest completed visits of a step, from when they were opened until they were completed.
_USUAL = """
insert into step_time (flow_id, step, usual_s, visits, counted_at)
select %(flow)s, %(step)s, percentile_cont(0.5) within group (order by took), count(*), %(now)s
from (
  select extract(epoch from done.at - begun.at) as took
  from (select id from run where flow_id = %(flow)s and trigger_type <> 'test'
        order by id desc limit %(visits)s) r
  join run_event done on done.run_id = r.id and done.type = 'step.completed'
    and done.step = %(step)s
  join run_event begun on begun.run_id = r.id and begun.type = 'step.started'
    and begun.step = %(step)s and begun.data->>'visit' = done.data->>'visit'
  order by done.run_id desc, done.seq desc limit %(visits)s
) t
on conflict (flow_id, step) do update
set usual_s = excluded.usual_s, visits = excluded.visits, counted_at = excluded.counted_at
returning usual_s
"""
_FORGET = """
delete from stuck_run k where not exists (
  select 1 from run r where r.id = k.run_id and r.updated_at = k.progress_at)
"""


@dataclass(frozen=True, slots=True)
class Quiet:
    """A run that has not moved for a while, and one of the steps it stands at."""

    run_id: UUID
    workspace_id: UUID
    flow_id: UUID
    moved_at: datetime
    step: str
    status: str
    usual_s: float | None


class Watch:
    """Looks for stuck runs; the more there is to look at, the more seldom."""

    def __init__(self) -> None:
        self._next_at = 0.0

    def look(self) -> None:
        """Look now, unless the last time took so long that it is too early."""
        started = monotonic()
        if started < self._next_at:
            return
        note_stuck(now=clock.now())
        self._next_at = started + (monotonic() - started) / SHARE


def note_stuck(*, now: datetime) -> int:
    """Note the runs that are stuck by now, with their cause; returns how many are new.

    Whoever answers for their flows is told once of each.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FORGET)
    found: dict[UUID, Quiet] = {}
    for one in _quiet_runs(now):
        if now - one.moved_at > _patience(one):
            found.setdefault(one.run_id, one)
    count = 0
    for one in list(found.values())[:MOST_NOTED_AT_ONCE]:
        count += _note(one, now)
    return count


def _quiet_runs(now: datetime) -> Iterable[Quiet]:
    given = {"now": now, "before": now - AT_LEAST, "stale": now - COUNTED_FOR}
    with connection.cursor() as cursor:
        cursor.execute(_QUIET, given)
        rows = cursor.fetchall()
    usual: dict[tuple[UUID, str], float | None] = {}
    for run_id, workspace_id, flow_id, moved_at, step, status, usual_s, is_stale in rows:
        key = (flow_id, step)
        if step and is_stale and key not in usual and len(usual) < MOST_COUNTED_AT_ONCE:
            usual[key] = usual_time(flow_id=flow_id, step=step, now=now)
        took = usual.get(key, usual_s)
        yield Quiet(run_id, workspace_id, flow_id, moved_at, step or "", status or "", took)


def usual_time(*, flow_id: UUID, step: str, now: datetime) -> float | None:
    """Seconds that a step of a flow usually takes, counted anew; None where none is completed."""
    with connection.cursor() as cursor:
        cursor.execute(_USUAL, {"flow": flow_id, "step": step, "visits": VISITS, "now": now})
        (usual_s,) = cursor.fetchone()
    return None if usual_s is None else float(usual_s)


def _patience(one: Quiet) -> timedelta:
    """How long the run may stand there."""
    return max(AT_LEAST, TIMES * timedelta(seconds=one.usual_s or 0))


@transaction.atomic
def _note(one: Quiet, now: datetime) -> bool:
    run = Run.objects.filter(pk=one.run_id, updated_at=one.moved_at).first()
    cause = _cause(run, one, now) if run is not None else None
    if run is None or cause is None:
        return False
    StuckRun.objects.update_or_create(
        run_id=one.run_id,
        defaults={
            "workspace_id": one.workspace_id,
            "flow_id": one.flow_id,
            "step": one.step,
            "usual_s": one.usual_s,
            "progress_at": one.moved_at,
            "noticed_at": now,
            "cause": stored.loads(stored.dumps(_plain(cause))),
        },
    )
    payload = {
        "run": str(one.run_id),
        "flow": str(one.flow_id),
        "step": one.step,
        "detail": cause["detail"],
    }
    outbox.enqueue(
        topic="run.stuck",
        payload=payload,
        key=f"run.stuck/{one.run_id}/{one.moved_at.isoformat()}",
        now=now,
    )
    return True


def _cause(run: Run, one: Quiet, now: datetime) -> Reason | None:
    """Why it stands there; nothing where that is no reason to look at it."""
    for reason in waiting_for(run):
        if reason["step"] != one.step or reason["kind"] in _NOT_ITSELF:
            continue
        is_given_time = one.usual_s is None and reason["kind"] in _OTHERS
        if is_given_time and not reason.get("for_ever"):
            continue
        if reason.get("error") and reason["kind"] == "person":
            continue  # it has failed, and people have been asked
        until = reason["until"]
        if isinstance(until, str):
            until = datetime.fromisoformat(until)
        if until is None or until <= now:
            return reason
    return None


def _plain(value: Any) -> Any:
    """A reason with its times and ids as texts."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value
