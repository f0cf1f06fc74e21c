"""Drive runs: claim, read, decide, evaluate and write, a batch in one transaction.

The rules behind every statement here are engine rules 1 to 10. Order of locks: run states,
limits, then what is inserted. Only Celery workers call ``drive_all``.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any
from uuid import UUID

import psycopg
from django.db import OperationalError, connection, transaction

from apps.accounts.queries import zone_of
from apps.core import live, outbox
from apps.core.models import uuid7
from apps.engine import events as ev
from apps.engine import run as engine
from apps.engine import values
from apps.engine.lifecycle import RunStatus
from apps.flows.compiled import compiled
from apps.runs import doorbell, ports, snapshots
from apps.runs.evaluation import Evaluation, LoadedRun
from apps.runs.held import Held
from apps.runs.models import PARKED

BATCH = 200
MAX_SECONDS_A_BATCH = 0.25
MAX_SECONDS_A_CALL = 5.0
MAX_DEATHS = 3
RETRIED = ("40001", "40P01")  # serialization failure, deadlock

_log = logging.getLogger(__name__)

# Lanes with work are found by a loose index scan; each gives its oldest runs, up to its share.
CLAIM = """
with recursive lanes as (
  (select priority, lane from run_command where priority < %(parked)s
   order by priority, lane limit 1)
  union all
  select n.priority, n.lane from lanes l, lateral (
    select priority, lane from run_command
    where (priority, lane) > (l.priority, l.lane) and priority < %(parked)s
    order by priority, lane limit 1) n
), share as (select greatest(1, %(limit)s / greatest(1, count(*))) as n from lanes)
select distinct on (c.run_id) c.run_id, c.workspace_id, c.flow_id, c.version_id, c.lane,
       c.snapshot::text, c.awaited_until, c.limit_key, c.deaths, business_now()
from lanes l cross join share, lateral (
  select s.run_id, s.workspace_id, s.flow_id, s.version_id, s.lane, s.snapshot, s.awaited_until,
         s.limit_key, s.deaths
  from run_command rc join run_state s on s.run_id = rc.run_id
  where rc.priority = l.priority and rc.lane = l.lane
    and (s.deaths = 0) = not %(alone)s and s.format = any(%(formats)s)
  order by rc.id limit share.n
  for no key update of s skip locked) c
limit %(limit)s
"""

COMMANDS = """
select id, run_id, kind, payload::text from run_command
where run_id = any(%s) order by id
"""


# Everything about the runs themselves in one statement and one round trip.
WRITE = """
with journal as (
  insert into run_event (run_id, seq, type, step, at, data)
  select u.run_id, u.seq, u.type, u.step, %(now)s, u.data::json
  from unnest(%(run_ids)s::uuid[], %(seqs)s::int[], %(types)s::text[], %(steps)s::text[],
              %(data)s::text[]) as u(run_id, seq, type, step, data)
), gone as (delete from run_command where id = any(%(commands)s)),
ended as (delete from run_state where run_id = any(%(over)s)),
kept as (
  update run_state s set snapshot = u.snapshot::json, seq = u.seq, limit_key = u.limit_key
  from unnest(%(live)s::uuid[], %(snapshots)s::text[], %(state_seqs)s::int[],
              %(limit_keys)s::text[]) as u(run_id, snapshot, seq, limit_key)
  where s.run_id = u.run_id
)
update run r set status = u.status, updated_at = %(now)s, error = u.error::json,
  started_at = coalesce(r.started_at, u.started_at),
  finished_at = case when u.final then %(now)s end
from unnest(%(moved)s::uuid[], %(statuses)s::text[], %(finals)s::bool[], %(errors)s::text[],
            %(started)s::timestamptz[]) as u(id, status, final, error, started_at)
where r.id = u.id and r.id between %(lowest)s and %(highest)s
"""


@dataclass(slots=True)
class Batch:
    """What one claim holds."""

    runs: dict[UUID, LoadedRun]
    commands: dict[UUID, list[tuple[str, Mapping[str, Any]]]]
    command_ids: dict[UUID, list[int]]
    deaths: dict[UUID, int]
    now: datetime


class RunsVanished(RuntimeError):
    """An update met fewer runs than were locked: a fault of ours; nothing is written."""


def drive_all(*, limit: int = BATCH) -> int:
    """Drive until an empty claim made after the last commit; returns how many runs were driven.

    Gives way after five seconds and rings again, so that a worker's other queues get a turn.
    """
    doorbell.answered("drive")
    started = monotonic()
    driven = 0
    while True:
        count = drive_batch(limit=limit) + drive_batch(limit=1, alone=True)
        driven += count
        if not count:
            return driven
        if count >= limit or monotonic() - started > MAX_SECONDS_A_CALL:
            doorbell.ring_now("drive")
        if monotonic() - started > MAX_SECONDS_A_CALL:
            return driven


def drive_batch(*, limit: int = BATCH, alone: bool = False) -> int:
    """Claim up to ``limit`` runs and drive them in one transaction; returns how many.

    ``alone`` takes only runs that a driver process has died with, one at a time. A batch whose
    write fails is halved until the culprit is alone; that run is paused and the rest go on.
    """
    try:
        return _drive(limit, alone=alone)
    except (OperationalError, psycopg.OperationalError) as error:
        if _state_of(error) in RETRIED:
            return _drive(limit, alone=alone)
        raise
    except psycopg.Error as error:
        return _halve(limit, error, alone=alone)


def _halve(limit: int, error: Exception, *, alone: bool) -> int:
    if limit > 1:
        return drive_batch(limit=max(1, limit // 2), alone=alone)
    _log.error("a run cannot be written and is paused: %s", error, exc_info=error)
    with transaction.atomic():
        cursor = _cursor()
        batch = _claim(cursor, 1, alone=alone)
        if not batch.runs:
            return 0
        (run,) = batch.runs.values()
        _pause(cursor, run, batch, f"{type(error).__name__}: {error}")
    return 1


def _drive(limit: int, *, alone: bool) -> int:
    with transaction.atomic(), Held() as held:
        cursor = _cursor()
        batch = _claim(cursor, limit, alone=alone)
        if not batch.runs:
            return 0
        held.note(batch.runs)
        _admit(cursor, batch)
        snapshots.load(cursor, batch.runs.values())
        done, faults = _evaluate(batch)
        refused = _open_tasks(done, batch)
        _write(cursor, done, batch)
        for run, fault in faults:
            _pause(cursor, run, batch, fault)
        count = len(batch.runs)
        transaction.on_commit(lambda: _tell(done, refused))
    return count


def _claim(cursor: Any, limit: int, *, alone: bool) -> Batch:
    cursor.execute(
        CLAIM,
        {"limit": limit, "parked": PARKED, "alone": alone, "formats": [ev.FORMAT]},
        prepare=True,
    )
    runs: dict[UUID, LoadedRun] = {}
    deaths: dict[UUID, int] = {}
    now = None
    for row in cursor.fetchall():
        run_id, workspace_id, flow_id, version_id, lane, snapshot, awaited, key, died, now = row
        state = engine.from_json(values.loads(snapshot))  # type: ignore[arg-type]
        deaths[run_id] = died
        runs[run_id] = LoadedRun(
            run_id=run_id,
            workspace_id=workspace_id,
            flow_id=flow_id,
            version_id=version_id,
            lane=lane,
            zone=zone_of(workspace_id),
            state=state,
            started_at=None,
            started_by="",
            awaited_until=awaited,
            limit_key=key,
        )
    commands: dict[UUID, list[tuple[str, Mapping[str, Any]]]] = defaultdict(list)
    ids: dict[UUID, list[int]] = defaultdict(list)
    if runs:
        cursor.execute(COMMANDS, [list(runs)], prepare=True)
        for id_, run_id, kind, payload in cursor.fetchall():
            commands[run_id].append((kind, values.loads(payload)))  # type: ignore[arg-type]
            ids[run_id].append(id_)
    return Batch(runs, commands, ids, deaths, now)  # type: ignore[arg-type]


def _admit(cursor: Any, batch: Batch) -> None:
    """Give starts a slot of their flow's limit, or a place in the waiting list."""
    wanting: dict[str, list[LoadedRun]] = defaultdict(list)
    most: dict[str, int] = {}
    for run in batch.runs.values():
        kinds = [kind for kind, _ in batch.commands[run.run_id]]
        limit = compiled(run.version_id).concurrency if {"start", "admit"} & set(kinds) else None
        if limit is None or run.limit_key or run.state.started or "cancel" in kinds:
            continue
        key = f"flow:{run.flow_id}"
        if "admit" in kinds:
            run.limit_key = key
        else:
            wanting[key].append(run)
            most[key] = limit
    for key in sorted(wanting):
        cursor.execute(
            'insert into run_limit (key, "max", used) values (%s, %s, 0)'
            ' on conflict (key) do update set "max" = excluded."max" returning "max" - used',
            [key, most[key]],
        )
        free = max(0, cursor.fetchone()[0])
        for run in wanting[key][:free]:
            run.limit_key = key
        taken = min(free, len(wanting[key]))
        cursor.execute("update run_limit set used = used + %s where key = %s", [taken, key])
        for run in wanting[key][free:]:
            _let_wait(cursor, run, key, batch)


def _let_wait(cursor: Any, run: LoadedRun, key: str, batch: Batch) -> None:
    payload = next(data for kind, data in batch.commands[run.run_id] if kind == "start")
    cursor.execute(
        "insert into waiting_start (run_id, flow_id, lane, limit_key, reason, payload, created_at)"
        " values (%s, %s, %s, %s, 'limit', %s::json, %s)",
        [run.run_id, run.flow_id, run.lane, key, values.dumps(payload), batch.now],
    )
    cursor.execute("delete from run_command where id = any(%s)", [batch.command_ids[run.run_id]])
    del batch.runs[run.run_id]


def _evaluate(batch: Batch) -> tuple[list[Evaluation], list[tuple[LoadedRun, str]]]:
    """Decide for every run, in memory; a fault concerns its own run only."""
    done: list[Evaluation] = []
    faults: list[tuple[LoadedRun, str]] = []
    started = monotonic()
    for run in list(batch.runs.values()):
        if monotonic() - started > MAX_SECONDS_A_BATCH and done:
            del batch.runs[run.run_id]  # stays claimed until commit; its commands stay, too
            continue
        if batch.deaths[run.run_id] >= MAX_DEATHS:
            faults.append((run, "Three worker processes died while driving this run."))
            continue
        evaluation = Evaluation(run, compiled(run.version_id), batch.now)
        before = run.state.copy()
        try:
            evaluation.take(batch.commands[run.run_id])
        except Exception as error:  # noqa: BLE001 - whatever it is, the other runs go on
            _log.exception("run %s is paused: a fault while deciding", run.run_id)
            run.state = before
            faults.append((run, f"{type(error).__name__}: {error}"))
        else:
            done.append(evaluation)
    return done, faults


def _open_tasks(done: list[Evaluation], batch: Batch) -> int:
    """Open the tasks that runs ask for; a refused one fails its step, which may lead to more."""
    refused = 0
    opened: set[tuple[UUID, str, int]] = set()
    while True:
        asked = [
            task
            for evaluation in done
            if not evaluation.state.is_final
            for task in evaluation.tasks
            if task.key not in opened
        ]
        if not asked:
            return refused
        opened.update(task.key for task in asked)
        by_run = {evaluation.run.run_id: evaluation for evaluation in done}
        for refusal in ports.open_tasks(asked, batch.now):
            refused += 1
            by_run[refusal.run_id].refuse(refusal)


def _write(cursor: Any, done: Sequence[Evaluation], batch: Batch) -> None:
    if not done:
        return
    now = batch.now
    over = [one for one in done if one.state.is_final]
    alive = [one for one in done if not one.state.is_final]
    rows = [(one.run.run_id, row) for one in done for row in one.rows]
    moved = [one.run.run_id for one in done]
    cursor.execute(
        WRITE,
        {
            "now": now,
            "run_ids": [run_id for run_id, _ in rows],
            "seqs": [row.seq for _, row in rows],
            "types": [row.type for _, row in rows],
            "steps": [row.step for _, row in rows],
            "data": [row.data for _, row in rows],
            "commands": [id_ for run_id in moved for id_ in batch.command_ids[run_id]],
            "over": [one.run.run_id for one in over],
            "live": [one.run.run_id for one in alive],
            "snapshots": [values.dumps(engine.to_json(one.state)) for one in alive],
            "state_seqs": [one.state.seq for one in alive],
            "limit_keys": [one.run.limit_key for one in alive],
            "moved": moved,
            "statuses": [one.state.status.value for one in done],
            "finals": [one.state.is_final for one in done],
            "errors": [
                values.dumps(one.error.as_json()) if one.error and one.state.is_final else None
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
    _write_blobs(cursor, done, now)
    _write_effects(cursor, alive, now)
    _write_timers(cursor, alive)
    _continue(cursor, [one.run for one in alive if one.cut], now)
    _finish(cursor, over, now)


def _write_blobs(cursor: Any, done: Iterable[Evaluation], now: datetime) -> None:
    rows = sorted(
        (one.run.workspace_id, digest, text) for one in done for digest, text in one.blobs.items()
    )
    if rows:
        cursor.executemany(
            "insert into run_blob (workspace_id, sha256, data, touched_at) values (%s, %s, %s, %s)"
            " on conflict (workspace_id, sha256) do update set touched_at = excluded.touched_at",
            [(*row, now) for row in rows],
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
        "insert into effect (id, run_id, workspace_id, flow_id, lane, step, visit, generation,"
        " kind, kind_version, input, status, attempt, max_attempts, fence, deaths,"
        " idempotency_key, available_at, created_at)"
        " select u.id, u.run_id, u.workspace_id, u.flow_id, u.lane, u.step, u.visit, 1, u.kind,"
        " u.version, u.input::json, 'queued', 0, u.tries, 0, 0, u.key, %s, %s"
        " from unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::text[],"
        " %s::int[], %s::text[], %s::int[], %s::text[], %s::int[], %s::text[])"
        " as u(id, run_id, workspace_id, flow_id, lane, step, visit, kind, version, input, tries,"
        " key)",
        [
            now,
            now,
            [uuid7() for _ in rows],
            [run.run_id for run, _ in rows],
            [run.workspace_id for run, _ in rows],
            [run.flow_id for run, _ in rows],
            [run.lane for run, _ in rows],
            [effect.step for _, effect in rows],
            [effect.visit for _, effect in rows],
            [effect.kind for _, effect in rows],
            [effect.version for _, effect in rows],
            [values.dumps(effect.input) for _, effect in rows],
            [effect.max_attempts for _, effect in rows],
            [effect.key for _, effect in rows],
        ],
    )


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
        "insert into timer (id, run_id, lane, step, visit, fires_at, output, status)"
        " select u.id, u.run_id, u.lane, u.step, u.visit, u.fires_at, u.output::json, 'open'"
        " from unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::int[],"
        " %s::timestamptz[], %s::text[]) as u(id, run_id, lane, step, visit, fires_at, output)",
        [
            [uuid7() for _ in rows],
            [run.run_id for run, _ in rows],
            [run.lane for run, _ in rows],
            [timer.step for _, timer in rows],
            [timer.visit for _, timer in rows],
            [timer.fires_at for _, timer in rows],
            [values.dumps(timer.output) for _, timer in rows],
        ],
    )


def _continue(cursor: Any, runs: Sequence[LoadedRun], now: datetime) -> None:
    """Send runs whose slice is used up to the back of their lane."""
    if runs:
        cursor.execute(
            "insert into run_command (run_id, lane, priority, kind, payload, created_at)"
            " select u.run_id, u.lane, 0, 'continue', '{}', %s"
            " from unnest(%s::uuid[], %s::uuid[]) as u(run_id, lane)",
            [now, [run.run_id for run in runs], [run.lane for run in runs]],
        )


def _finish(cursor: Any, over: Sequence[Evaluation], now: datetime) -> None:
    """Close what ended runs still waited for, free their slots, and tell who must know."""
    waited = [one.run.run_id for one in over if one.had_waits]
    if waited:
        cursor.execute(
            "update timer set status = 'closed' where run_id = any(%s) and status = 'open'",
            [waited],
        )
        cursor.execute(
            "update effect set status = 'dropped', finished_at = %s"
            " where run_id = any(%s) and status in ('queued', 'running')",
            [now, waited],
        )
        ports.close_tasks(waited, now)
    freed: dict[str, int] = defaultdict(int)
    for one in over:
        if one.run.limit_key:
            freed[one.run.limit_key] += 1
    for key in sorted(freed):
        _free_slots(cursor, key, freed[key], now)
    for one in over:
        if one.state.status is RunStatus.FAILED and one.error:
            payload = {
                "run": str(one.run.run_id),
                "workspace": str(one.run.workspace_id),
                "flow": str(one.run.flow_id),
                "error": one.error.as_json(),
            }
            outbox.enqueue(topic="run.failed", payload=payload, now=now)


def _free_slots(cursor: Any, key: str, count: int, now: datetime) -> None:
    """Hand freed slots to those that wait longest; what nobody wants is free again."""
    cursor.execute('select "max" - used from run_limit where key = %s for no key update', [key])
    cursor.execute(
        "with next as (select id from waiting_start where limit_key = %s order by id limit %s"
        " for update), freed as (delete from waiting_start w using next where w.id = next.id"
        " returning w.id, w.run_id, w.lane, w.payload)"
        " insert into run_command (run_id, lane, priority, kind, payload, created_at)"
        " select run_id, lane, 0, 'admit', payload, %s from freed order by id",
        [key, count, now],
    )
    cursor.execute(
        "update run_limit set used = used - %s where key = %s", [count - cursor.rowcount, key]
    )


def _pause(cursor: Any, run: LoadedRun, batch: Batch, fault: str) -> None:
    """Hold a run that we cannot drive; its commands are parked until somebody resumes it."""
    evaluation = Evaluation(run, compiled(run.version_id), batch.now)
    evaluation.take([("pause", {"reason": "engine_fault", "detail": fault[:500]})])
    cursor.execute(
        "update run_command set priority = %s where id = any(%s)",
        [PARKED, batch.command_ids[run.run_id]],
    )
    parked, batch.command_ids[run.run_id] = batch.command_ids[run.run_id], []
    _write(cursor, [evaluation], batch)
    batch.command_ids[run.run_id] = parked
    payload = {
        "run": str(run.run_id),
        "workspace": str(run.workspace_id),
        "flow": str(run.flow_id),
        "fault": fault[:500],
    }
    outbox.enqueue(topic="run.engine_fault", payload=payload, now=batch.now)


def _tell(done: Sequence[Evaluation], refused: int) -> None:
    """After commit: ring for effects, tell waiting callers and open pages."""
    if any(one.effects for one in done):
        doorbell.ring("effects")
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


def _cursor() -> psycopg.Cursor[Any]:
    """A plain cursor on Django's own connection: bound by the server, prepared, no wrapping."""
    connection.ensure_connection()
    return psycopg.Cursor(connection.connection)


def _state_of(error: BaseException) -> str:
    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    return getattr(cause, "sqlstate", None) or ""
