"""Drive runs: claim, read, decide, evaluate and write, a batch in one transaction.

The rules behind it are engine rules 1 to 10. Order of locks: run states, limits, then what is
written. Only Celery workers call ``drive_all``.
"""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from django import db
from django.db import connection, transaction

from apps.accounts.queries import calendar_of, zone_of
from apps.engine import events as ev
from apps.engine import feel, values
from apps.flows.compiled import compiled
from apps.runs import children as starting
from apps.runs import claiming, doorbell, limits, ports, snapshots, stopping, writing
from apps.runs.claiming import Batch, BatchFailed, Claim
from apps.runs.evaluation import Evaluation
from apps.runs.held import Held
from apps.runs.ports import TaskRequest
from apps.runs.wanted import ChildRequest, LoadedRun
from apps.steps.document import CompiledFlow

BATCH = 200
MAX_SECONDS_A_BATCH = 0.25
#: Bulk work that would take a batch longer is left for the next: live runs wait for this one.
MAX_SECONDS_OF_BULK = 0.05
MAX_SECONDS_A_CALL = 5.0
MAX_DEATHS = 3
SECONDS_BETWEEN_DANGEROUS = 1.0
TRIES = 3
RETRIED = ("40001", "40P01")  # serialization failure, deadlock
DIED = "Three worker processes died while driving this run."

_log = logging.getLogger(__name__)
_next_dangerous_at = 0.0

Fault = tuple[LoadedRun, str]
Wanted = TypeVar("Wanted", TaskRequest, ChildRequest)


def drive_all(*, limit: int = BATCH, stay: Callable[[], None] = lambda: None) -> int:
    """Drive until nothing is left after the last commit; returns how many runs were driven.

    Gives way after five seconds and rings again, so that a worker's other queues get a turn.
    ``stay`` is called before each batch but the first.
    """
    doorbell.answered("drive")
    started = monotonic()
    driven = 0
    while True:
        count = drive_batch(limit=limit)
        if not count or _is_time_for_the_dangerous():
            count += drive_batch(alone=True)
        driven += count
        if not count:
            return driven
        is_time_up = monotonic() - started > MAX_SECONDS_A_CALL
        if count >= limit or is_time_up:
            doorbell.call_another("drive")
        if is_time_up or not claiming.is_anything_left():
            return driven
        stay()


def _is_time_for_the_dangerous() -> bool:
    """Whether runs that a process died with get their turn now, though others wait."""
    global _next_dangerous_at  # noqa: PLW0603 - over all calls of this process
    now = monotonic()
    if now < _next_dangerous_at:
        return False
    _next_dangerous_at = now + SECONDS_BETWEEN_DANGEROUS
    return True


def drive_batch(*, limit: int = BATCH, alone: bool = False) -> int:
    """Claim up to ``limit`` runs and drive them in one transaction; returns how many were claimed.

    ``alone`` takes one run that a driver process has died with. A batch that cannot be written
    is halved until the culprit is alone; that run is paused and the rest go on.

    Raises:
        django.db.OperationalError: The database is away, or cannot write at all.
    """
    return _drive(claiming.alone if alone else partial(claiming.fair, limit=limit))


def _drive(claim: Claim) -> int:
    try:
        return _commit(claim)
    except BatchFailed as failed:
        return _halve(failed)


def _halve(failed: BatchFailed) -> int:
    run_ids = failed.run_ids
    if len(run_ids) == 1:
        return _suspend(run_ids[0], failed.cause)
    _log.warning("a batch of %s runs cannot be written: %s", len(run_ids), failed.cause)
    middle = len(run_ids) // 2
    halves = run_ids[:middle], run_ids[middle:]
    return sum(_drive(partial(claiming.these, run_ids=half)) for half in halves)


def _suspend(run_id: UUID, cause: Exception) -> int:
    """Pause a run that cannot be written; where even that fails, at least put it aside."""
    _log.error("run %s cannot be written and is paused", run_id, exc_info=cause)
    fault = f"{type(cause).__name__}: {cause}"
    try:
        with transaction.atomic():
            cursor = _cursor()
            batch = claiming.these(cursor, run_ids=[run_id])
            if batch is None:
                return 0
            writing.suspend(cursor, batch.runs[run_id], batch, fault)
    except Exception as error:
        if _is_away(error):
            raise
        _log.exception("run %s cannot even be paused; its commands are put aside", run_id)
        with transaction.atomic():
            writing.park(_cursor(), run_id)
    return 1


def _commit(claim: Claim) -> int:
    for left in range(TRIES - 1, -1, -1):
        run_ids: list[UUID] = []
        try:
            with connection.wrap_database_errors:
                return _commit_once(claim, run_ids)
        except BatchFailed:
            raise
        except Exception as error:
            if _state_of(error) in RETRIED:
                _log.warning("a batch met another: %s", error)
                if not left:
                    return 0  # the clock rings again
                continue
            if _is_away(error):
                raise db.OperationalError(str(error)) from error
            if not run_ids:
                raise
            raise BatchFailed(run_ids, error) from error
    raise AssertionError("unreachable")


def _commit_once(claim: Claim, run_ids: list[UUID]) -> int:
    with transaction.atomic(), Held() as held:
        cursor = _cursor()
        batch = claim(cursor)
        if batch is None:
            return 0
        run_ids += batch.runs
        held.note(run_ids)
        flows, faults = _prepare(batch)
        _admit(cursor, batch, flows)
        snapshots.load(cursor, ((run, flows[id_]) for id_, run in batch.runs.items()))
        done = _evaluate(batch, flows, faults)
        refused = _open_waits(cursor, done, batch)
        writing.write(cursor, done, batch)
        for run, fault in faults:
            writing.suspend(cursor, run, batch, fault)
        proved = [one.run.run_id for one in done if batch.deaths[one.run.run_id]]
        if proved:
            cursor.execute("update run_state set deaths = 0 where run_id = any(%s)", [proved])
        transaction.on_commit(lambda: writing.tell(done, refused=bool(refused)))
    return len(run_ids)


def _prepare(batch: Batch) -> tuple[dict[UUID, CompiledFlow], list[Fault]]:
    """Each run's flow and zone. A run without them, or that kills processes, is a fault."""
    flows: dict[UUID, CompiledFlow] = {}
    faults: list[Fault] = []
    for run_id, run in list(batch.runs.items()):
        try:
            if batch.deaths[run_id] >= MAX_DEATHS:
                raise ProcessesDied(DIED)  # noqa: TRY301 - one way for every fault
            flows[run_id] = compiled(run.version_id)
            run.zone = zone_of(run.workspace_id)
            if flows[run_id].counts_working_time:
                run.calendar = calendar_of(run.workspace_id)
        except Exception as error:
            if _is_away(error):
                raise
            del batch.runs[run_id]
            faults.append((run, _described(error)))
    return flows, faults


class ProcessesDied(RuntimeError):
    """A run has killed as many driver processes as one may."""


def _admit(cursor: Any, batch: Batch, flows: dict[UUID, CompiledFlow]) -> None:
    """Give starts a slot of their flow's limit; those without one leave for the waiting list.

    So do those of a workspace in which everything is stopped.
    """
    keyed = [run for id_, run in batch.runs.items() if flows[id_].run_key is not None]
    _name_keys(keyed, batch, flows)
    _hold_stopped(cursor, batch)
    _keep_order(cursor, [run for run in keyed if run.run_id in batch.runs], batch)
    most = {id_: limit for id_, flow in flows.items() if (limit := flow.concurrency) is not None}
    if not most and not any(run.limit_key for run in batch.runs.values()):
        return
    kinds = {id_: [kind for kind, _ in batch.commands[id_]] for id_ in batch.runs}
    waiting = limits.admit(cursor, batch.slots, batch.runs, kinds, most)
    starts = {
        run.run_id: next(data for kind, data in batch.commands[run.run_id] if kind == "start")
        for run in waiting
    }
    # What else came for them stays, and is taken with the next claim.
    ids = [id_ for run in waiting for id_, _ in _starts(batch, run.run_id)]
    limits.let_wait(cursor, waiting, starts, ids, batch.now)
    for run in waiting:
        del batch.runs[run.run_id]


def _name_keys(keyed: Sequence[LoadedRun], batch: Batch, flows: dict[UUID, CompiledFlow]) -> None:
    """Tell of which limit runs need a slot. A key that cannot be told counts as null."""
    for run in keyed:
        payload = next((data for _, data in batch.commands[run.run_id] if "trigger" in data), None)
        key = flows[run.run_id].run_key
        if payload is None or key is None:
            continue
        try:
            context = {"trigger": payload["trigger"]}
            value: Any = feel.to_json(key.evaluate(context, now=batch.now, zone=run.zone))
            values.check(value)
        except (feel.FeelError, values.NotJson):
            value = None
        run.wanted_key = limits.key_for(run.flow_id, value)


def _keep_order(cursor: Any, keyed: Sequence[LoadedRun], batch: Batch) -> None:
    """Starts of a flow with a key go in the order in which they were accepted.

    One that is younger than a start which another driver has in hand is put off: its commands
    stay, and are taken with the next claim. The order is that of one priority: a live run waits
    for no start of bulk work.
    """
    starts: dict[UUID, int] = {}
    for run in keyed:
        pairs = zip(batch.command_ids[run.run_id], batch.commands[run.run_id], strict=True)
        starts.update((run.run_id, id_) for id_, (kind, _) in pairs if kind == "start")
    if not starts:
        return
    lanes = sorted({(run.priority, run.lane) for run in keyed})
    earlier = limits.earlier_starts(cursor, lanes, list(batch.runs), ev.READABLE)
    for run in keyed:
        id_, first = starts.get(run.run_id), earlier.get((run.priority, run.lane))
        if id_ is not None and first is not None and id_ > first:
            del batch.runs[run.run_id]
    batch.runs = dict(
        sorted(
            batch.runs.items(),
            key=lambda one: (batch.claimed_as.get(one[0], 0), starts.get(one[0], 0)),
        )
    )


def _hold_stopped(cursor: Any, batch: Batch) -> None:
    """Starts in a stopped workspace go to the waiting list; what else came is done."""
    starting = {
        id_: found
        for id_, run in batch.runs.items()
        if not run.state.started
        and (found := _starts(batch, id_))
        and not any(kind == "cancel" for kind, _ in batch.commands[id_])
    }
    if not starting:
        return
    workspaces = {batch.runs[id_].workspace_id for id_ in starting}
    stopped = stopping.stopped_among(cursor, workspaces)
    held = {id_: one for id_, one in starting.items() if batch.runs[id_].workspace_id in stopped}
    if not held:
        return
    limits.hold_back(
        cursor,
        [batch.runs[id_] for id_ in held],
        {id_: found[0][1] for id_, found in held.items()},
        [id_ for found in held.values() for id_, _ in found],
        # An admitted run has been given its slot, and keeps it.
        admitted={id_ for id_ in held if any(kind == "admit" for kind, _ in batch.commands[id_])},
        now=batch.now,
    )
    for id_ in held:
        batch.leave_out(id_, {"start", "admit"})


def _starts(batch: Batch, run_id: UUID) -> list[tuple[int, Any]]:
    """A run's commands that would start it: id and payload."""
    pairs = zip(batch.command_ids[run_id], batch.commands[run_id], strict=True)
    return [(id_, payload) for id_, (kind, payload) in pairs if kind in {"start", "admit"}]


def _evaluate(
    batch: Batch, flows: dict[UUID, CompiledFlow], faults: list[Fault]
) -> list[Evaluation]:
    """Decide for every run, in memory; a fault concerns its own run only."""
    done: list[Evaluation] = []
    started = monotonic()
    for run_id, run in list(batch.runs.items()):
        longest = MAX_SECONDS_OF_BULK if batch.is_bulk(run_id) else MAX_SECONDS_A_BATCH
        if monotonic() - started > longest and done:
            del batch.runs[run_id]  # stays claimed until commit; its commands stay, too
            continue
        before = run.state.copy()
        evaluation = Evaluation(run, flows[run_id], batch.now)
        try:
            evaluation.take(batch.commands[run_id])
        except Exception as error:
            if _is_away(error):
                raise
            _log.exception("run %s is paused: a fault while deciding", run_id)
            run.state = before
            faults.append((run, _described(error)))
        else:
            done.append(evaluation)
    for run, _ in list(faults):
        _cancel_broken(run, batch, faults, done)
    return done


def _cancel_broken(
    run: LoadedRun, batch: Batch, faults: list[Fault], done: list[Evaluation]
) -> None:
    """Whoever withdraws a run that cannot be driven gets that: nothing else of it is decided."""
    cancels = [one for one in batch.commands[run.run_id] if one[0] == "cancel"]
    if cancels:
        evaluation = Evaluation(run, None, batch.now)
        evaluation.take(cancels)
        done.append(evaluation)
        faults[:] = [one for one in faults if one[0] is not run]


def _open_waits(cursor: Any, done: list[Evaluation], batch: Batch) -> int:
    """Open the tasks and start the runs that runs ask for; returns how many were refused.

    A refused one fails its step, and a run that is not waited for sends its step on: both may
    lead to more.
    """
    refused = 0
    opened: set[Any] = set()
    by_run = {evaluation.run.run_id: evaluation for evaluation in done}
    while True:
        asked = [task for one in done for task in _still_due(one, one.tasks, opened)]
        children = [child for one in done for child in _still_due(one, one.children, opened)]
        if not asked and not children:
            return refused
        opened |= {_name_of(one) for one in asked} | {_name_of(one) for one in children}
        refusals = ports.open_tasks(asked, batch.now) if asked else []
        refusals += starting.start(cursor, children, batch.now)
        for refusal in refusals:
            refused += 1
            by_run[refusal.run_id].refuse(refusal)
        gone = {(one.run_id, one.step, one.visit) for one in refusals}
        for child in children:
            if not child.waits and child.key not in gone:
                by_run[child.run_id].go_on_without(child)


def _name_of(wanted: TaskRequest | ChildRequest) -> Any:
    """Names what a visit asks for, so that it is done once."""
    if isinstance(wanted, ChildRequest):
        return wanted.id
    return (wanted.key, wanted.kind, wanted.generation)


def _still_due(evaluation: Evaluation, wanted: Sequence[Wanted], opened: set[Any]) -> list[Wanted]:
    """What is not done yet, for visits that are not over meanwhile."""
    if evaluation.state.is_final:
        return []
    return [
        one
        for one in wanted
        if _name_of(one) not in opened and (one.step, one.visit) in evaluation.state.active
    ]


def _cursor() -> psycopg.Cursor[Any]:
    """A plain cursor on Django's own connection: bound by the server, prepared, no wrapping."""
    connection.ensure_connection()
    return psycopg.Cursor(connection.connection)


def _described(error: Exception) -> str:
    if isinstance(error, ProcessesDied):
        return str(error)
    return f"{type(error).__name__}: {error}"


def _is_away(error: BaseException) -> bool:
    """Whether it is the database's trouble and no run's: lost, full, too slow, shutting down.

    A transaction that was ended because this process slept (25P03) is no run's fault either; a
    limit of the program itself (class 54) is met by what a run writes.
    """
    if _state_of(error) == "25P03":
        return True
    trouble = (
        *(db.OperationalError, db.InterfaceError),
        *(psycopg.OperationalError, psycopg.InterfaceError),
    )
    return isinstance(error, trouble) and not _state_of(error).startswith("54")


def _state_of(error: BaseException) -> str:
    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    return getattr(cause, "sqlstate", None) or ""
