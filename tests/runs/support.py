"""Publish documents and drive them in this process, on the real tables."""

import threading
from collections.abc import Callable
from typing import Any, Self
from uuid import UUID

import psycopg
from django.db import connection

from apps.accounts.models import User, Workspace
from apps.core import clock
from apps.core.models import uuid7
from apps.engine import events as ev
from apps.engine.fold import replay
from apps.engine.state import from_json, to_json
from apps.flows.models import Flow, FlowVersion
from apps.runs import commands, effects, sweep
from apps.runs.drive import drive_all
from apps.runs.models import Run, RunEvent, RunState
from apps.runs.snapshots import fill_blobs


def document(steps: dict[str, Any], links: list[str], **more: Any) -> dict[str, Any]:
    """A flow from short words: links are ``a -> b`` or ``a.port -> b``."""
    found = []
    for link in links:
        source, target = (part.strip() for part in link.split("->"))
        name, _, port = source.partition(".")
        found.append({"from": name, "to": target, **({"port": port} if port else {})})
    return {
        "format": "signalbox.flow/1",
        "name": "Test",
        "trigger": {"type": "manual", "config": {}},
        "steps": {name: {"version": 1, **step} for name, step in steps.items()},
        "links": found,
        "settings": {},
        "layout": {},
        **more,
    }


class Bench:
    """A workspace with people and flows."""

    def __init__(self) -> None:
        self.workspace = Workspace.objects.create(slug=f"w{uuid7().hex[-12:]}", name="Test")
        self.owner = User.objects.create_user(f"{uuid7().hex[-12:]}@example.org", name="Owner")

    def publish(self, doc: dict[str, Any]) -> FlowVersion:
        now = clock.now()
        flow = Flow.objects.create(
            workspace=self.workspace, name="Test", owner=self.owner, created_at=now, updated_at=now
        )
        version = FlowVersion.objects.create(
            flow=flow,
            workspace=self.workspace,
            number=1,
            hash=uuid7().hex * 2,
            document=doc,
            trigger_type=doc["trigger"]["type"],
            author=getattr(self, "author", None),
            created_at=now,
        )
        flow.active_version = version
        flow.save()
        return version

    def start(self, version: FlowVersion, body: Any = None, **more: Any) -> UUID:
        run_id, now = uuid7(), clock.now()
        payload = commands.start_payload(
            run_id=run_id,
            trigger_type="manual",
            body=body,
            now=now,
            started_by=more.pop("started_by", ""),
        )
        commands.enqueue_run(
            parameters=commands.run_values(
                run_id=run_id,
                workspace_id=self.workspace.id,
                flow_id=version.flow_id,
                version_id=version.id,
                trigger_type="manual",
                payload=payload,
                now=now,
                held=more.pop("held", False),
                **more,
            )
        )
        return run_id

    def run(self, doc: dict[str, Any], body: Any = None) -> Run:
        run_id = self.start(self.publish(doc), body)
        drive_all()
        return Run.objects.get(pk=run_id)

    def settle(self) -> None:
        """Drive, do effects and fire timers until nothing is due."""
        for _ in range(50):
            driven = drive_all()
            done = effects.work_effects()
            fired = sweep.fire_timers(now=clock.now())
            if not driven and not done and not fired:
                return


def journal(run_id: UUID) -> list[tuple[str, str]]:
    """Type and step of every row, in order."""
    return list(RunEvent.objects.filter(run_id=run_id).order_by("seq").values_list("type", "step"))


def last_row(run_id: UUID) -> RunEvent:
    """The newest row of the journal."""
    return RunEvent.objects.filter(run_id=run_id).latest("seq")


def outputs(run_id: UUID) -> dict[str, Any]:
    """The latest output of each step."""
    found = {}
    for row in RunEvent.objects.filter(run_id=run_id).order_by("seq"):
        if "output" in row.data:
            found[row.step] = row.data["output"]
    return found


def assert_replays(run_id: UUID) -> None:
    """The snapshot is what the journal says (the law of the engine)."""
    run = Run.objects.get(pk=run_id)
    rows = list(RunEvent.objects.filter(run_id=run_id).order_by("seq"))
    with connection.cursor() as cursor:
        fill_blobs(cursor, [(run.workspace_id, row.data) for row in rows])
    state = replay(ev.from_row(row.type, row.step, row.data) for row in rows)
    assert state.status == run.status
    kept = RunState.objects.filter(run_id=run_id).first()
    if kept is not None:
        assert to_json(state) == to_json(from_json(kept.snapshot))


_FLOOD = """
with given as (
  select (lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0')
    || '7' || substr(h, 1, 3) || '8' || substr(h, 4, 15))::uuid as id, n
  from generate_series(1, %(count)s) n, md5(%(flow)s::text || n) h
), runs as (
  insert into run (id, workspace_id, flow_id, version_id, status, correlation_id, started_by,
                   trigger_type, created_at, updated_at)
  select id, %(workspace)s, %(flow)s, %(version)s, 'queued', id, '', 'manual', %(now)s, %(now)s
  from given
), states as (
  insert into run_state (run_id, workspace_id, flow_id, version_id, lane, priority, format, seq,
                         snapshot, deaths)
  select id, %(workspace)s, %(flow)s, %(version)s, %(flow)s, %(priority)s, %(format)s, 0, '{}', 0
  from given
)
insert into run_command (run_id, lane, priority, kind, payload, created_at)
select id, %(flow)s, %(priority)s, 'start', %(payload)s::json, %(now)s from given order by n
"""


def flood(version: FlowVersion, count: int, *, priority: int = 0) -> None:
    """So many runs with a start each, as a trigger would have written them, in one statement."""
    now = clock.now()
    payload = commands.start_payload(
        run_id=version.pk, trigger_type="manual", body={}, now=now, started_by=""
    )
    given: dict[str, Any] = {
        "count": count,
        "workspace": version.workspace_id,
        "flow": version.flow_id,
        "version": version.pk,
        "priority": int(priority),
        "format": ev.FORMAT,
        "payload": payload,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FLOOD, given)


class Stopped:
    """A driver in a thread of its own that stops before a statement, until it is told to go on.

    ``before`` is a part of the statement's text; the first that has it is the one.
    """

    def __init__(self, before: str, *, drive: Callable[[], Any] = drive_all) -> None:
        self.before = before
        self.drive = drive
        self.is_there = threading.Event()
        self.may_go = threading.Event()
        self.result: Any = None
        self._thread = threading.Thread(target=self._run, name="stopped driver")

    def __enter__(self) -> Self:
        self._thread.start()
        assert self.is_there.wait(60), f"it never came to {self.before!r}"
        return self

    def __exit__(self, *_: object) -> None:
        self.go_on()

    def go_on(self) -> None:
        self.may_go.set()
        self._thread.join(60)
        assert not self._thread.is_alive()
        if isinstance(self.result, BaseException):
            raise self.result

    def _run(self) -> None:
        plain = psycopg.Cursor.execute
        stopped = self

        class Cursor(psycopg.Cursor[Any]):
            def execute(self, query: Any, *arguments: Any, **options: Any) -> Any:
                if stopped.before in str(query) and not stopped.is_there.is_set():
                    stopped.is_there.set()
                    stopped.may_go.wait(60)
                return plain(self, query, *arguments, **options)

        _cursors.kind = Cursor
        try:
            self.result = self.drive()
        except BaseException as error:  # noqa: BLE001 - shown where it is waited for
            self.result = error
        finally:
            stopped.is_there.set()
            connection.close()


_cursors = threading.local()


def cursor_of_this_thread() -> psycopg.Cursor[Any]:
    """What ``drive._cursor`` gives in tests: a stopping one where a test asked for it."""
    connection.ensure_connection()
    kind = getattr(_cursors, "kind", psycopg.Cursor)
    cursor: psycopg.Cursor[Any] = kind(connection.connection)
    return cursor


def at_once(*jobs: Callable[[], Any]) -> list[Any]:
    """Do the jobs in threads that begin together; returns what they gave, or raises."""
    barrier = threading.Barrier(len(jobs))
    results: list[Any] = [None] * len(jobs)

    def do(index: int, job: Callable[[], Any]) -> None:
        barrier.wait(30)
        try:
            results[index] = job()
        except BaseException as error:  # noqa: BLE001 - shown below
            results[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=do, args=pair) for pair in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results


def complete(run_id: UUID, step: str, visit: int = 1, output: Any = None) -> None:
    """What a wait's end writes."""
    state = RunState.objects.get(run_id=run_id)
    commands.resolve_wait(
        run_id=run_id,
        lane=state.lane,
        step=step,
        visit=visit,
        port="done",
        output=output,
        now=clock.now(),
    )


def status(run_id: UUID) -> str:
    found: str = Run.objects.values_list("status", flat=True).get(pk=run_id)
    return found
