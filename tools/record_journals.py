"""Record journals of this release, to be finished by every later one.

``python -m tools.record_journals FOLDER`` plays representative flows up to the middle of a wait, a
retry, a join, a pause; writes there what is stored of the run, the commands that are still to
come, and how this release ends it. Done once per journal format, with the release that brought
it; ``tests/engine/test_old_journals.py`` holds every later release to it.
"""

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from apps.engine import events as ev
from apps.engine import run as engine
from apps.runs import snapshots, stored
from apps.runs.evaluation import Evaluation
from apps.runs.wanted import LoadedRun
from apps.steps.document import compile_flow

try:
    from apps.engine.state import from_json, to_json
except ImportError:  # the first release keeps them with the engine
    from_json, to_json = engine.from_json, engine.to_json  # type: ignore[attr-defined]

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
RUN = UUID("01993b2c-1111-7222-8333-444455556666")
Answer = tuple[str, dict[str, Any]]


def _call(body: str = "=run.id", **more: Any) -> dict[str, Any]:
    return {
        "type": "http.request",
        "config": {"url": "https://stub.example/", "body": body, **more},
    }


def _map(**fields: str) -> dict[str, Any]:
    return {"type": "map", "config": {"fields": fields}}


_ASK = {
    "type": "approval",
    "config": {"title": "Well?", "assignees": {"users": ["ada@example.org"]}, "due": "PT4H"},
}
_STOP = {"type": "stop", "config": {"outcome": "completed", "message": "done"}}


def _done(step: str, visit: int = 1, **output: Any) -> Answer:
    given = {"status": 200, "headers": {}, "body": {"n": visit}, **output}
    return ("complete", {"step": step, "visit": visit, "port": "done", "output": given})


def _answered(step: str, port: str, visit: int = 1) -> Answer:
    output = {"outcome": port, "by": "ada@example.org", "comment": "", "decisions": []}
    return ("complete", {"step": step, "visit": visit, "port": port, "output": output})


def _waited(step: str) -> Answer:
    output = {"until": "2026-11-20T08:05:00+00:00"}
    return ("complete", {"step": step, "visit": 1, "port": "done", "output": output})


def _error(step: str, error_class: str = "permanent") -> dict[str, str]:
    message = "https://stub.example/ answered 500."
    return {"step": step, "class": error_class, "code": "http_status", "message": message}


def _failed(step: str, visit: int = 1) -> Answer:
    output = {"status": 404, "headers": {}, "body": None}
    return ("fail", {"step": step, "visit": visit, "error": _error(step), "output": output})


def _again(step: str, attempt: int = 1) -> Answer:
    error = _error(step, "transient")
    more = {"attempt": attempt, "error": error, "next_at": "2026-11-20T08:00:02+00:00"}
    return ("retry", {"step": step, "visit": 1, **more})


def _try(step: str, attempt: int) -> Answer:
    return ("attempt", {"step": step, "visit": 1, "attempt": attempt})


_PAUSE: Answer = ("pause", {"reason": "engine_fault", "detail": "KeyError: 'x'"})
_RESUME: Answer = ("resume", {"by": "ada@example.org"})
_CANCEL: Answer = ("cancel", {"by": "ada@example.org", "reason": "no longer wanted"})
_FORK = (
    {
        "a": _call('="a"'),
        "b": _call('="b"'),
        "w": {"type": "delay", "config": {"for": "PT5M"}},
        "j": {"type": "join", "config": {"mode": "all"}},
        "z": _map(ways="=steps.j.output.links", n="=steps.a.output.body.n"),
        "s": _STOP,
    },
    "trigger -> a, trigger -> b, trigger -> w, a -> j, b -> j, w -> j, j -> z, z -> s",
)
_ANY = (
    {
        "a": _call('="a"'),
        "b": _call('="b"'),
        "j": {"type": "join", "config": {"mode": "any"}},
        "ask": _ASK,
        "z": _map(ways="=steps.j.output.links"),
    },
    (
        "trigger -> a, trigger -> b, a -> j, b -> j, j -> ask, ask.approved -> z,"
        " ask.rejected -> z, ask.timeout -> a"
    ),
)
_DECISION = (
    {
        "a": _call("=trigger.body.n"),
        "ask": _ASK,
        "d": {
            "type": "decide",
            "config": {
                "branches": [{"port": "big", "when": "trigger.body.n > 5"}],
                "otherwise": "small",
            },
        },
        "b": _call("=steps.a.output.status"),
        "s": _STOP,
        "no": _map(why="=steps.ask.output.outcome"),
    },
    (
        "trigger -> a, a -> ask, ask.approved -> d, ask.rejected -> no, d.big -> b, d.small -> s,"
        " b -> s"
    ),
)
_ERRORS = (
    {
        "a": _call(),
        "ask": _ASK,
        "z": _map(code="=steps.a.error.code", status="=steps.a.output.status"),
    },
    "trigger -> a, a.error -> ask, ask.approved -> z, ask.rejected -> z",
)
_LOOP = (
    {
        "a": _call("=trigger.body.n"),
        "d": {
            "type": "decide",
            "config": {
                "branches": [{"port": "again", "when": "steps.a.output.body.n < 3"}],
                "otherwise": "enough",
            },
        },
        "z": _map(n="=steps.a.output.body.n"),
    },
    "trigger -> a, a -> d, d.again -> a, d.enough -> z",
)

# Each: the flow, the commands that are recorded, and those that are still to come.
SCENES: Mapping[str, tuple[Any, list[Answer], list[Answer]]] = {
    "waits-for-a-person": (
        _DECISION,
        [_done("a")],
        [_answered("ask", "approved"), _done("b")],
    ),
    "waits-for-a-person-who-refuses": (_DECISION, [_done("a")], [_answered("ask", "rejected")]),
    "waits-for-a-person-who-is-late": (_DECISION, [_done("a")], [_answered("ask", "timeout")]),
    "waits-and-is-cancelled": (_DECISION, [_done("a")], [_CANCEL, _answered("ask", "approved")]),
    "waits-for-the-first-call": (
        _DECISION,
        [],
        [_done("a"), _answered("ask", "approved"), _done("b")],
    ),
    "tries-again": (
        _DECISION,
        [_again("a")],
        [_try("a", 2), _done("a"), _answered("ask", "approved"), _done("b")],
    ),
    "tries-for-the-third-time": (
        _ERRORS,
        [_again("a"), _try("a", 2), _again("a", 2), _try("a", 3)],
        [_failed("a"), _answered("ask", "approved")],
    ),
    "half-of-a-join": (_FORK, [_done("b"), _waited("w")], [_done("a")]),
    "half-of-a-join-that-starves": (
        (_FORK[0], _FORK[1].replace("b -> j", "b.error -> j")),
        [_done("b"), _waited("w")],
        [_done("a")],
    ),
    "a-join-that-swallows-the-rest": (
        _ANY,
        [_done("b")],
        [_done("a"), _answered("ask", "approved")],
    ),
    "a-join-in-its-second-wave": (
        _ANY,
        [_done("b"), _done("a"), _answered("ask", "timeout")],
        [_done("a", 2), _answered("ask", "rejected", 2)],
    ),
    "after-an-error": (_ERRORS, [_failed("a")], [_answered("ask", "approved")]),
    "in-a-loop": (_LOOP, [_done("a"), _done("a", 2)], [_done("a", 3)]),
    "paused": (_FORK, [_done("b"), _PAUSE], [_waited("w"), _RESUME, _done("a")]),
    "paused-with-answers": (
        _DECISION,
        [_done("a"), _PAUSE, _answered("ask", "approved")],
        [_RESUME, _done("b")],
    ),
    "paused-and-cancelled": (_DECISION, [_done("a"), _PAUSE], [_CANCEL]),
    "paused-before-it-began": (_DECISION, [], []),
    "completed": (_LOOP, [_done("a", body={"n": 7})], []),
    "failed": (_DECISION, [_failed("a")], []),
}


class _Recording:
    """One run, driven by this release alone."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.flow = compile_flow(document)
        self.snapshot = "{}"
        self.now = NOW
        self.rows: list[tuple[Any, datetime]] = []

    def take(self, *commands: Answer) -> None:
        """One batch of a driver."""
        self.now += timedelta(seconds=1)
        given: dict[str, Any] = dict.fromkeys(
            ("workspace_id", "flow_id", "version_id", "lane"), RUN
        )
        run = LoadedRun(
            run_id=RUN, state=from_json(stored.loads(self.snapshot)), awaited_until=None, **given
        )
        snapshots.load(self, [(run, self.flow)])
        one = Evaluation(run, self.flow, self.now)
        one.take([(kind, stored.loads(json.dumps(payload))) for kind, payload in commands])
        self.rows += [(row, self.now) for row in one.rows]
        self.snapshot = stored.dumps(to_json(one.state))
        self.status = one.state.status.value

    def execute(self, statement: str, given: Any, **_how: Any) -> None:
        """The cursor that the loader reads through."""
        wanted = given[1] if statement is snapshots.ROWS else []
        found = [self.rows[seq - 1] for seq in wanted]
        self._found = [(RUN, row.seq, row.step, at, row.data) for row, at in found]

    def fetchall(self) -> list[Any]:
        """What was executed last."""
        return self._found


def record(name: str) -> dict[str, Any]:
    """One scene, as it is kept."""
    (steps, ways), before, after = SCENES[name]
    document = {
        "format": "signalbox.flow/1",
        "name": name,
        "trigger": {"type": "manual", "config": {}},
        "steps": {id_: {"version": 1, **step} for id_, step in steps.items()},
        "links": [_link(way) for way in ways.split(",")],
    }
    trigger: dict[str, Any] = {
        "type": "manual",
        "id": str(RUN),
        "received_at": NOW.isoformat(),
    }
    trigger |= {"body": {"n": 9}, "headers": {}, "query": {}}
    start: Answer = ("start", {"trigger": trigger, "started_by": "bob@example.org"})
    recording = _Recording(document)
    after = list(after)
    if name == "paused-before-it-began":
        recording.take(_PAUSE)
        after = [_RESUME, start, _done("a"), _answered("ask", "rejected")]
    else:
        recording.take(start)
    for command in before:
        recording.take(command)
    kept = {
        "format": ev.FORMAT,
        "document": document,
        "run": str(RUN),
        "status": recording.status,
        "journal": [_row(row, at) for row, at in recording.rows],
        "snapshot": json.loads(recording.snapshot),
        "commands": [[kind, payload] for kind, payload in after],
    }
    seen = len(recording.rows)
    for command in after:
        recording.take(command)
    ends = [_row(row, at) for row, at in recording.rows[seen:]]
    return {**kept, "ends": {"status": recording.status, "journal": ends}}


def _link(way: str) -> dict[str, str]:
    source, target = way.strip().split(" -> ")
    step, _, port = source.partition(".")
    return {"from": step, "to": target, **({"port": port} if port else {})}


def _row(row: Any, at: datetime) -> dict[str, Any]:
    return {
        "seq": row.seq,
        "type": row.type,
        "step": row.step,
        "at": at.isoformat(),
        "data": json.loads(row.data),
    }


def main() -> int:
    """Write every scene."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in SCENES:
        kept = record(name)
        path = folder / f"format{ev.FORMAT}-{name}.json"
        path.write_text(json.dumps(kept, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
        print(f"{path.name}: {len(kept['journal'])} rows, then {kept['ends']['status']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
