"""Write what a batch of runs decided, in a handful of set-based statements."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from apps.core import live, outbox
from apps.core.models import uuid7
from apps.engine import events as ev
from apps.engine.lifecycle import RunStatus
from apps.engine.state import to_json
from apps.runs import doorbell, event_ports, limits, ports, stored, trying
from apps.runs.claiming import Batch
from apps.runs.evaluation import Evaluation
from apps.runs.priorities import PARKED
from apps.runs.wanted import LoadedRun

MAX_FAULT = 500

# Everything about the runs themselves in one statement and one round trip. Long arrays go in
# binary form: as text each quotation mark in them would be escaped in Python. A run that was
# written to has this release's format: an older worker would not know what it finds there.
_WRITE = """
with journal as (
  insert into run_event (run_id, seq, type, step, at, data)
  select u.run_id, u.seq, u.type, u.step, %(now)s, u.data::json
  from unnest(%(run_ids)b::uuid[], %(seqs)b::int[], %(types)b::text[], %(steps)b::text[],
              %(data)b::text[]) as u(run_id, seq, type, step, data)
), gone as (delete from run_command where id = any(%(commands)b::bigint[])),
ended as (delete from run_state where run_id = any(%(over)b::uuid[])),
kept as (
  update run_state s set snapshot = u.snapshot::json, seq = u.seq, limit_key = u.limit_key,
    format = %(format)s
  from unnest(%(live)b::uuid[], %(snapshots)b::text[], %(state_seqs)b::int[],
              %(limit_keys)s::text[]) as u(run_id, snapshot, seq, limit_key)
  where s.run_id = u.run_id
)
update run r set status = u.status, updated_at = %(now)s, error = u.error::json,
  started_at = coalesce(r.started_at, u.started_at),
  finished_at = case when u.final then %(now)s end
from unnest(%(moved)b::uuid[], %(statuses)s::text[], %(finals)s::bool[], %(errors)s::text[],
            %(started)s::timestamptz[]) as u(id, status, final, error, started_at)
where r.id = u.id and r.id between %(lowest)s and %(highest)s
"""
_BLOBS = """
insert into run_blob (workspace_id, sha256, data, touched_at)
select u.workspace_id, u.sha256, u.data, %s
from unnest(%s::uuid[], %s::text[], %s::text[]) as u(workspace_id, sha256, data)
order by u.workspace_id, u.sha256
on conflict (workspace_id, sha256) do update
set touched_at = greatest(run_blob.touched_at, excluded.touched_at)
"""
_EFFECTS = """
insert into effect (id, run_id, workspace_id, flow_id, lane, priority, step, visit, generation,
  kind, kind_version, input, status, attempt, max_attempts, fence, deaths, idempotency_key,
  available_at, created_at, retry, limit_id, limit_max, limit_name)
select u.id, u.run_id, u.workspace_id, u.flow_id, u.lane, u.priority, u.step, u.visit,
  u.generation, u.kind, u.version,
  u.input::json, 'queued', 0, u.tries, 0, 0, u.key, %s, %s,
  u.retry::json, u.limit_id, u.limit_max, u.limit_name
from unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::smallint[],
  %s::text[], %s::int[], %s::int[], %s::text[], %s::int[], %s::text[], %s::int[], %s::text[],
  %s::text[], %s::uuid[], %s::int[], %s::text[])
  as u(id, run_id, workspace_id, flow_id, lane, priority, step, visit, generation, kind, version,
       input, tries, key, retry, limit_id, limit_max, limit_name)
"""
_TIMERS = """
insert into timer (id, run_id, lane, step, visit, kind, fires_at, output, port, status)
select u.id, u.run_id, u.lane, u.step, u.visit, u.kind, u.fires_at, u.output::json, u.port, 'open'
from unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::int[], %s::text[],
  %s::timestamptz[], %s::text[], %s::text[])
  as u(id, run_id, lane, step, visit, kind, fires_at, output, port)
on conflict (run_id, step, visit, kind) do update
set fires_at = excluded.fires_at, output = excluded.output, port = excluded.port, status = 'open'
"""
_ITEMS = """
insert into run_item (run_id, step, visit, idx, value)
select u.run_id, u.step, u.visit, u.idx, u.value::json
from unnest(%b::uuid[], %b::text[], %b::int[], %b::int[], %b::text[])
  as u(run_id, step, visit, idx, value)
on conflict (run_id, step, visit, idx) do update set value = excluded.value
"""
# What visits that ended otherwise still waited for.
_CLOSE_TIMERS = """
update timer t set status = 'closed'
from unnest(%s::uuid[], %s::text[], %s::int[]) as u(run_id, step, visit)
where t.run_id = u.run_id and t.step = u.step and t.visit = u.visit and t.status = 'open'
"""
_DROP_EFFECTS = """
update effect e set status = 'dropped', finished_at = %s
from unnest(%s::uuid[], %s::text[], %s::int[]) as u(run_id, step, visit)
where e.run_id = u.run_id and e.step = u.step and e.visit = u.visit
  and e.status in ('queued', 'running')
"""
_CONTINUE = """
insert into run_command (run_id, lane, priority, kind, payload, created_at)
select u.run_id, u.lane, u.priority, 'continue', '{}', %s
from unnest(%s::uuid[], %s::uuid[], %s::smallint[]) as u(run_id, lane, priority)
"""
# Effects of a paused run are put off by a thousand years, and keep their time that way.
_PARK_EFFECTS = """
update effect set available_at = available_at + interval '1000 years'
where run_id = any(%s) and status = 'queued' and available_at < '2500-01-01'
"""
_UNPARK_EFFECTS = """
update effect set available_at = available_at - interval '1000 years'
where run_id = any(%s) and status = 'queued' and available_at > '2500-01-01'
"""
_PARK = "update run_command set priority = %s where run_id = %s"


# Whoever waits for a run that is over hears of it; only by a command, since that run is locked by
# nobody here.
_TELL_CALLERS = """
insert into run_command (run_id, lane, priority, kind, payload, created_at)
select u.run_id, u.lane, coalesce(s.priority, 0), u.kind, u.payload::json, %s
from unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[]) as u(run_id, lane, kind, payload)
left join run_state s on s.run_id = u.run_id
"""
# Runs that visits waited for which are over. Those without a slot are given the command, too.
_CANCEL_CHILDREN = """
with children as (
  select s.run_id, s.lane, s.priority from run_state s
  join unnest(%(runs)s::uuid[], %(steps)s::text[], %(visits)s::int[]) as u(run_id, step, visit)
    on s.parent_id = u.run_id and s.parent_step = coalesce(u.step, s.parent_step)
   and s.parent_visit = coalesce(u.visit, s.parent_visit)
), gone as (delete from waiting_start where run_id in (select run_id from children))
insert into run_command (run_id, lane, priority, kind, payload, created_at)
select run_id, lane, priority, 'cancel', %(payload)s::json, %(now)s from children
"""
_CANCELLED = {"by": "", "reason": "The run that waited for it has ended or goes on without it."}


class RunsVanished(RuntimeError):
    """An update met fewer runs than were locked: a fault of ours; nothing is written."""


def write(cursor: Any, done: Sequence[Evaluation], batch: Batch) -> None:
    """Write journals, snapshots, statuses, effects, timers; close what ended runs waited for.

    Locks:
        Timers, user tasks and effects of ended runs; the outbox takes none.
    """
    now = batch.now
    over = [one for one in done if one.state.is_final]
    alive = [one for one in done if not one.state.is_final]
    if done:
        _write_runs(cursor, done, over, alive, batch)
        _write_blobs(cursor, done, now)
        _write_effects(cursor, alive, now)
        _hold_effects(cursor, alive)
        _write_timers(cursor, alive)
        _write_items(cursor, alive)
        _write_events(done, alive, now)
        _continue(cursor, [one.run for one in alive if one.cut], now)
        _close(cursor, [one.run.run_id for one in over if one.had_waits], now)
        _tell_callers(cursor, [one for one in over if one.run.caller is not None], now)
        _forget_items(cursor, [one.run.run_id for one in over if one.had_items])
        _close_visits(cursor, alive, now)
    freed = [one.run.limit_key for one in over if one.run.limit_key]
    kept = [one.run.run_id for one in done]
    limits.settle(cursor, batch.slots, kept=kept, freed=freed, now=now)
    outbox.enqueue_many(
        topic="run.failed",
        payloads=[
            {**_named(one.run), "error": one.error.as_json()}
            for one in over
            if one.state.status is RunStatus.FAILED
            and one.error
            and not trying.is_test(one.run.replay)
        ],
        now=now,
    )


def suspend(cursor: Any, run: LoadedRun, batch: Batch, fault: str) -> None:
    """Hold a run that we cannot drive; its commands are parked until somebody resumes it.

    Operators are told once, when it is paused.
    """
    if any(run.run_id in limit.taken for limit in batch.slots.held.values()):
        run.limit_key = None  # its start is parked and will ask for a slot again
    evaluation = Evaluation(run, None, batch.now)
    evaluation.take([("pause", {"reason": "engine_fault", "detail": fault[:MAX_FAULT]})])
    park(cursor, run.run_id)
    batch.command_ids[run.run_id] = []
    _write_runs(cursor, [evaluation], [], [evaluation], batch)
    if evaluation.rows:
        payload = {**_named(run), "fault": fault[:MAX_FAULT]}
        outbox.enqueue_many(topic="run.engine_fault", payloads=[payload], now=batch.now)


def park(cursor: Any, run_id: UUID) -> None:
    """Put a run's commands where no driver takes them."""
    cursor.execute(_PARK, [PARKED, run_id])


def tell(done: Sequence[Evaluation], *, refused: bool) -> None:
    """After commit: ring for effects, tell waiting callers and open pages."""
    if any(one.effects for one in done):
        doorbell.ring("effects")
    if any(one.events or one.subscriptions for one in done):
        doorbell.ring("events")
    awaited = [
        str(one.run.run_id)
        for one in done
        if one.run.awaited_until and (one.answered or one.state.is_final)
    ]
    if awaited:
        with connection.cursor() as cursor:
            cursor.execute(
                "select pg_notify('run_answer', u) from unnest(%s::text[]) as u", [awaited]
            )
    pages: dict[UUID, list[UUID]] = defaultdict(list)
    for one in done:
        pages[one.run.workspace_id].append(one.run.run_id)
    for workspace_id, run_ids in pages.items():
        live.publish(workspace_id, "run", run_ids)
        if refused or any(one.tasks or one.had_waits for one in done):
            live.publish(workspace_id, "task", [])


def _write_runs(
    cursor: Any,
    done: Sequence[Evaluation],
    over: Sequence[Evaluation],
    alive: Sequence[Evaluation],
    batch: Batch,
) -> None:
    rows = [(one.run.run_id, row) for one in done for row in one.rows]
    moved = [one.run.run_id for one in done]
    cursor.execute(
        _WRITE,
        {
            "now": batch.now,
            "run_ids": [run_id for run_id, _ in rows],
            "seqs": [row.seq for _, row in rows],
            "types": [row.type for _, row in rows],
            "steps": [row.step for _, row in rows],
            "data": [row.data for _, row in rows],
            "commands": [id_ for run_id in moved for id_ in batch.command_ids[run_id]],
            "over": [one.run.run_id for one in over],
            "live": [one.run.run_id for one in alive],
            "snapshots": [stored.dumps(to_json(one.state)) for one in alive],
            "state_seqs": [one.state.seq for one in alive],
            "format": ev.FORMAT,
            "limit_keys": [one.run.limit_key for one in alive],
            "moved": moved,
            "statuses": [one.state.status.value for one in done],
            "finals": [one.state.is_final for one in done],
            "errors": [
                stored.dumps(one.error.as_json()) if one.error and one.state.is_final else None
                for one in done
            ],
            "started": [one.run.started_at for one in done],
            "lowest": min(moved),
            "highest": max(moved),
        },
        prepare=True,
    )
    if cursor.rowcount != len(moved):
        raise RunsVanished(f"{cursor.rowcount} of {len(moved)} runs were found.")


def _write_blobs(cursor: Any, done: Iterable[Evaluation], now: datetime) -> None:
    blobs = {
        (one.run.workspace_id, digest): text for one in done for digest, text in one.blobs.items()
    }
    if blobs:
        cursor.execute(
            _BLOBS,
            [
                now,
                [workspace_id for workspace_id, _ in blobs],
                [digest for _, digest in blobs],
                list(blobs.values()),
            ],
        )


def _write_effects(cursor: Any, alive: Iterable[Evaluation], now: datetime) -> None:
    rows = [
        (one.run, effect)
        for one in alive
        for effect in one.effects
        if (effect.step, effect.visit) in one.state.active
    ]
    if not rows:
        return
    cursor.execute(
        _EFFECTS,
        [
            now,
            now,
            [uuid7() for _ in rows],
            [run.run_id for run, _ in rows],
            [run.workspace_id for run, _ in rows],
            [run.flow_id for run, _ in rows],
            [run.lane for run, _ in rows],
            [run.priority for run, _ in rows],
            [effect.step for _, effect in rows],
            [effect.visit for _, effect in rows],
            [effect.generation for _, effect in rows],
            [effect.kind for _, effect in rows],
            [effect.version for _, effect in rows],
            [stored.dumps(effect.input) for _, effect in rows],
            [effect.max_attempts for _, effect in rows],
            [effect.key for _, effect in rows],
            [None if effect.retry is None else stored.dumps(effect.retry) for _, effect in rows],
            [effect.limit.id if effect.limit else None for _, effect in rows],
            [effect.limit.most if effect.limit else None for _, effect in rows],
            [effect.limit.name if effect.limit else "" for _, effect in rows],
        ],
    )


def _hold_effects(cursor: Any, alive: Sequence[Evaluation]) -> None:
    """Effects of paused runs begin only once the run is resumed.

    A try that failed meanwhile has put itself back, so this is done with every slice of theirs.
    """
    paused = [one.run.run_id for one in alive if one.state.status is RunStatus.PAUSED]
    if paused:
        cursor.execute(_PARK_EFFECTS, [paused])
    resumed = [
        one.run.run_id for one in alive if any(row.type == "run.resumed" for row in one.rows)
    ]
    if resumed:
        cursor.execute(_UNPARK_EFFECTS, [[id_ for id_ in resumed if id_ not in set(paused)]])


def _write_timers(cursor: Any, alive: Iterable[Evaluation]) -> None:
    rows = [
        (one.run, timer)
        for one in alive
        for timer in one.timers
        if (timer.step, timer.visit) in one.state.active
    ]
    if not rows:
        return
    cursor.execute(
        _TIMERS,
        [
            [uuid7() for _ in rows],
            [run.run_id for run, _ in rows],
            [run.lane for run, _ in rows],
            [timer.step for _, timer in rows],
            [timer.visit for _, timer in rows],
            [timer.kind for _, timer in rows],
            [timer.fires_at for _, timer in rows],
            [stored.dumps(timer.output) for _, timer in rows],
            [timer.port for _, timer in rows],
        ],
    )


def _write_events(done: Sequence[Evaluation], alive: Iterable[Evaluation], now: datetime) -> None:
    """Publish events, and open waits for them that are not over yet."""
    if published := [event for one in done for event in one.events]:
        event_ports.keeper().publish(published, now)
    subscribed = [
        wait
        for one in alive
        for wait in one.subscriptions
        if (wait.step, wait.visit) in one.state.active
    ]
    if subscribed:
        event_ports.keeper().subscribe(subscribed, now)


def _continue(cursor: Any, runs: Sequence[LoadedRun], now: datetime) -> None:
    """Send runs whose slice is used up to the back of their lane."""
    if runs:
        columns = [(run.run_id, run.lane, run.priority) for run in runs]
        cursor.execute(_CONTINUE, [now, *(list(one) for one in zip(*columns, strict=True))])


def _close(cursor: Any, waited: list[UUID], now: datetime) -> None:
    """Close what ended runs still waited for."""
    if not waited:
        return
    cursor.execute(
        "update timer set status = 'closed' where run_id = any(%s) and status = 'open'", [waited]
    )
    ports.close_tasks(waited, now)
    cursor.execute(
        "update effect set status = 'dropped', finished_at = %s"
        " where run_id = any(%s) and status in ('queued', 'running')",
        [now, waited],
    )
    event_ports.keeper().close_runs(waited, now)
    _cancel_children(cursor, [(run_id, None, None) for run_id in waited], now)


def _close_visits(cursor: Any, alive: Sequence[Evaluation], now: datetime) -> None:
    """Close what visits that are over still waited for, in runs that go on."""
    keys = sorted((one.run.run_id, *key) for one in alive for key in one.closing)
    if not keys:
        return
    columns = [list(column) for column in zip(*keys, strict=True)]
    cursor.execute(_CLOSE_TIMERS, columns)
    held = {(one.run.run_id, *key) for one in alive for key in one.state.held}
    ports.close_visits(keys, held, now)
    cursor.execute(_DROP_EFFECTS, [now, *columns])
    event_ports.keeper().close_visits(keys, now)
    _cancel_children(cursor, keys, now)


def _tell_callers(cursor: Any, over: Sequence[Evaluation], now: datetime) -> None:
    rows = []
    for one in over:
        if (caller := one.run.caller) is not None:
            kind, payload = one.result_for_caller()
            rows.append((caller.run_id, caller.lane, kind, stored.dumps(payload)))
    if rows:
        cursor.execute(_TELL_CALLERS, [now, *(list(column) for column in zip(*rows, strict=True))])


def _cancel_children(
    cursor: Any,
    waits: Sequence[tuple[UUID, str | None, int | None]],
    now: datetime,
) -> None:
    """Cancel the runs that visits waited for; of a whole run where no visit is named."""
    runs, steps, visits = (list(column) for column in zip(*waits, strict=True))
    cursor.execute(
        _CANCEL_CHILDREN,
        {
            "runs": runs,
            "steps": steps,
            "visits": visits,
            "payload": stored.dumps(_CANCELLED),
            "now": now,
        },
    )


def _write_items(cursor: Any, alive: Iterable[Evaluation]) -> None:
    rows = [(one.run.run_id, item) for one in alive for item in one.items]
    if rows:
        cursor.execute(
            _ITEMS,
            [
                [run_id for run_id, _ in rows],
                [item.step for _, item in rows],
                [item.visit for _, item in rows],
                [item.index for _, item in rows],
                [stored.dumps(item.value) for _, item in rows],
            ],
        )


def _forget_items(cursor: Any, over: list[UUID]) -> None:
    if over:
        cursor.execute("delete from run_item where run_id = any(%s)", [over])


def _named(run: LoadedRun) -> dict[str, str]:
    return {
        "run": str(run.run_id),
        "workspace": str(run.workspace_id),
        "flow": str(run.flow_id),
    }
