"""Hold runs against their journals: the law that a run can be rebuilt from what was written."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from apps.engine import events as ev
from apps.engine import values
from apps.engine.fold import replay
from apps.engine.lifecycle import FINAL_RUN, RunStatus
from apps.engine.state import from_json, to_json
from apps.runs import event_ports, ports, stored

PAGE = 500


@dataclass(frozen=True, slots=True)
class Problem:
    """A run that is not what it should be."""

    run_id: UUID
    message: str


@dataclass(slots=True)
class Report:
    """What ``check_runs`` found."""

    runs: int = 0
    events: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)

    @property
    def summary(self) -> str:
        """One line for a person."""
        states = ", ".join(f"{count} {status}" for status, count in sorted(self.statuses.items()))
        verdict = "all is well" if not self.problems else f"{len(self.problems)} problems"
        return f"{self.runs} runs ({states or 'none'}), {self.events} journal rows: {verdict}"

    def as_json(self) -> dict[str, Any]:
        """``{runs, events, statuses, problems: [{run, message}]}``."""
        return {
            "runs": self.runs,
            "events": self.events,
            "statuses": dict(self.statuses),
            "problems": [{"run": str(one.run_id), "message": one.message} for one in self.problems],
        }


def check_runs(*, since: str = "") -> Report:
    """Replay every run created since a time and compare it with what the tables say.

    Found: a journal with a gap, a status or an error that is not the journal's, a snapshot that
    replay does not give, a run that is over but has live state, timers, effects, tasks or waiting
    places, a run that is not over but has nothing to go on from, a wait with nothing open, a task
    that no run waits for, commands and items of runs that are over, and limits that count slots
    nobody holds.
    Reads in pages, in short transactions; changes nothing.
    """
    report = Report()
    last: UUID | None = UUID(int=0)
    while last is not None:
        with _one_moment():
            last = _check_next(last, since, report)
    with _one_moment():
        report.problems += _strays()
    return report


@contextmanager
def _one_moment() -> Iterator[None]:
    """Everything read inside is of one moment: runs go on while they are checked."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if is_outermost:
            cursor.execute("set transaction isolation level repeatable read, read only")
        yield


def _check_next(last: UUID, since: str, report: Report) -> UUID | None:
    """Check the next page; returns its last run, or None where there is none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select r.id, r.status, r.error::text, s.snapshot::text, s.seq"
            " from run r left join run_state s on s.run_id = r.id"
            " where r.id > %s and r.created_at >= coalesce(%s::timestamptz, '-infinity')"
            " order by r.id limit %s",
            [last, since or None, PAGE],
        )
        rows = cursor.fetchall()
    if not rows:
        return None
    _check_page(rows, report)
    return UUID(str(rows[-1][0]))


def _strays() -> list[Problem]:
    """Rows about runs that there are not, limits that are not what is used."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select s.run_id, 'There is live state of a run that does not exist.'"
            " from run_state s where not exists (select 1 from run r where r.id = s.run_id)"
            " union all select distinct i.run_id, 'Items are kept of a run that is over.'"
            " from run_item i where not exists"
            " (select 1 from run_state s where s.run_id = i.run_id)"
            " union all select c.run_id, 'A command has waited for a run that is over.'"
            " from run_command c"
            " where c.created_at < business_now() - interval '1 minute'"
            " and not exists (select 1 from run_state s where s.run_id = c.run_id)"
            " union all select null, 'The limit ' || l.key || ' says ' || l.used"
            " || ' slots are used, but runs hold ' || h.held || '.'"
            " from run_limit l cross join lateral ("
            "  select (select count(*) from run_state s where s.limit_key = l.key)"
            "  + (select count(*) from run_command c join run_state s on s.run_id = c.run_id"
            "     where c.kind = 'admit' and s.limit_key is null"
            "     and l.key = 'flow:' || s.flow_id) as held,"
            "  (select count(*) from run_command c join run_state s on s.run_id = c.run_id"
            "   where c.kind = 'admit' and s.limit_key is null"
            "   and l.key like 'flow:' || s.flow_id || ':%') as handed) h"
            " where l.used < h.held or l.used > h.held + h.handed"
            " limit 100"
        )
        return [Problem(run_id or UUID(int=0), message) for run_id, message in cursor.fetchall()]


def _check_page(rows: list[tuple[Any, ...]], report: Report) -> None:
    ids = [row[0] for row in rows]
    journals = _journals(ids)
    loose = _loose_ends(ids)
    tasks = ports.tasks_open(ids)
    subscribed = event_ports.keeper().open_waits(ids)
    open_ = _open_waits(ids) | subscribed
    for run_id, status, error, snapshot, seq in rows:
        report.runs += 1
        report.statuses[status] += 1
        journal = journals.get(run_id, [])
        report.events += len(journal)
        found = [
            *_against_journal(status, error, journal),
            *_against_snapshot(status, snapshot, seq, journal),
            *_against_rows(status, snapshot is not None, loose.get(run_id, Counter())),
            *_against_waits(run_id, snapshot, journal, loose.get(run_id, Counter()), open_ | tasks),
            *_against_tasks(run_id, snapshot, loose.get(run_id, Counter()), tasks),
            *_against_subscriptions(run_id, snapshot, loose.get(run_id, Counter()), subscribed),
        ]
        report.problems += [Problem(run_id, message) for message in found]


def _journals(ids: list[UUID]) -> dict[UUID, list[tuple[int, ev.Event]]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select run_id, seq, type, step, data::text from run_event"
            " where run_id = any(%s) and run_id between %s and %s order by run_id, seq",
            [ids, ids[0], ids[-1]],
        )
        rows = cursor.fetchall()
    return {
        run_id: [(seq, _event(type_, step, data)) for _, seq, type_, step, data in group]
        for run_id, group in groupby(rows, key=lambda row: row[0])
    }


def _event(type_: str, step: str, text: str) -> ev.Event:
    data: Any = values.loads(text)
    data.pop("blob", None)
    return ev.from_row(type_, step, data)


def _loose_ends(ids: list[UUID]) -> dict[UUID, Counter[str]]:
    """Per run: how many commands, open timers, live effects and waiting starts there are."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select run_id, 'command' from run_command where run_id = any(%(ids)s)"
            " union all select run_id, 'timer' from timer"
            "  where run_id = any(%(ids)s) and status = 'open'"
            " union all select run_id, 'effect' from effect"
            "  where run_id = any(%(ids)s) and status in ('queued', 'running')"
            " union all select run_id, 'start' from waiting_start where run_id = any(%(ids)s)",
            {"ids": ids},
        )
        found: dict[UUID, Counter[str]] = {}
        for run_id, kind in cursor.fetchall():
            found.setdefault(run_id, Counter())[kind] += 1
    return found


def _open_waits(ids: list[UUID]) -> set[tuple[UUID, str, int]]:
    """Run, step and visit of every timer, effect and started run that is not over."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select run_id, step, visit from timer where run_id = any(%(ids)s) and status = 'open'"
            " union all select run_id, step, visit from effect"
            "  where run_id = any(%(ids)s) and status in ('queued', 'running')"
            " union all select parent_id, parent_step, parent_visit from run_state"
            "  where parent_id = any(%(ids)s)",
            {"ids": ids},
        )
        return set(cursor.fetchall())


def _against_waits(
    run_id: UUID,
    snapshot: str | None,
    journal: list[tuple[int, ev.Event]],
    loose: Counter[str],
    open_: set[tuple[UUID, str, int]],
) -> Iterable[str]:
    """Timers, effects and tasks that the run waits for are there."""
    if snapshot is None or loose["command"]:
        return
    kinds = {
        (event.step, event.visit): event.kind
        for _, event in journal
        if isinstance(event, ev.StepStarted)
    }
    state = from_json(stored.loads(snapshot))
    kinds.update(dict.fromkeys(state.held, "user_task"))
    for step, visit in state.waits:
        is_known = kinds.get((step, visit)) in {"timer", "effect", "user_task", "event", "run"}
        if is_known and (run_id, step, visit) not in open_:
            yield f"The run waits at “{step}”, but nothing is open there."


def _against_tasks(
    run_id: UUID, snapshot: str | None, loose: Counter[str], tasks: set[tuple[UUID, str, int]]
) -> Iterable[str]:
    """Nobody is asked what no run waits for."""
    if loose["command"]:
        return
    waits = from_json(stored.loads(snapshot)).waits if snapshot else ()
    for of_run, step, visit in sorted(tasks):
        if of_run == run_id and (step, visit) not in waits:
            yield f"A task is open at “{step}”, but the run does not wait there."


def _against_subscriptions(
    run_id: UUID, snapshot: str | None, loose: Counter[str], open_: set[tuple[UUID, str, int]]
) -> Iterable[str]:
    """No event is looked for that no run waits for."""
    if loose["command"]:
        return
    waits = from_json(stored.loads(snapshot)).waits if snapshot else ()
    for of_run, step, visit in sorted(open_):
        if of_run == run_id and (step, visit) not in waits:
            yield f"An event is looked for at “{step}”, but the run does not wait there."


def _against_journal(
    status: str, error: str | None, journal: list[tuple[int, ev.Event]]
) -> Iterable[str]:
    if [seq for seq, _ in journal] != list(range(1, len(journal) + 1)):
        yield "The journal has a gap or a row too many."
        return
    if not journal:
        if status != RunStatus.QUEUED:
            yield f"The run is {status} but its journal is empty."
        return
    state = replay(event for _, event in journal)
    if state.status != status:
        yield f"The run is {status}, its journal says {state.status}."
    failed = [event.error for _, event in journal if isinstance(event, ev.RunFailed)]
    written = values.loads(error) if error else None
    if (failed[0].as_json() if failed else None) != written:
        yield "The run's error is not the one in its journal."


def _against_snapshot(
    status: str, snapshot: str | None, seq: int | None, journal: list[tuple[int, ev.Event]]
) -> Iterable[str]:
    if snapshot is None:
        return
    kept = from_json(stored.loads(snapshot))
    rebuilt = replay(event for _, event in journal)
    if to_json(kept) != to_json(rebuilt):
        yield "The snapshot is not what the journal gives."
    if seq != len(journal):
        yield f"The snapshot stands at row {seq}, the journal has {len(journal)}."
    if status in FINAL_RUN:
        yield "The run is over but its live state is still there."


def _against_rows(status: str, has_state: bool, loose: Counter[str]) -> Iterable[str]:  # noqa: FBT001 - a fact
    if status in FINAL_RUN:
        for kind in ("timer", "effect", "start"):
            if loose[kind]:
                yield f"The run is over but has {loose[kind]} open {kind}s."
        return
    if not has_state:
        yield f"The run is {status} but has no live state: it is lost."
    if status in {RunStatus.QUEUED, RunStatus.RUNNING} and not loose:
        yield f"The run is {status}, but nothing is under way that could take it further."
