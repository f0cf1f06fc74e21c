"""A run as it was at any entry of its journal, folded anew from its rows up to there."""

from collections.abc import Sequence
from typing import Any

from apps.core.errors import NotFound
from apps.engine import events as ev
from apps.engine.fold import replay
from apps.engine.lifecycle import StepStatus
from apps.engine.state import Key, RunState
from apps.flows.compiled import compiled
from apps.runs.models import Run, RunEvent
from apps.runs.queries import journal, links_taken, steps_of

_KINDS = {"effect": "effect", "timer": "time", "user_task": "person", "event": "event"}


def run_at(run: Run, seq: int) -> dict[str, Any]:
    """The run after row ``seq``: its status, steps, links taken, and what it waited for then.

    Raises:
        NotFound: The journal has no such row.
    """
    everything = journal(run)
    rows = [row for row in everything if row.seq <= seq]
    if not rows or rows[-1].seq != seq:
        raise NotFound(f"The journal of this run has no entry {seq}.")
    state = replay(ev.from_row(row.type, row.step, dict(row.data)) for row in rows)
    ended = [row.data["error"] for row in rows if row.type == "run.failed"]
    return {
        "seq": seq,
        "last_seq": everything[-1].seq,
        "at": rows[-1].at,
        "type": rows[-1].type,
        "step": rows[-1].step,
        "status": state.status.value,
        "error": ended[-1] if ended else None,
        "steps": steps_of(run, rows, is_final=state.is_final),
        "links": links_taken(run, rows),
        "waiting_for": waited_for(run, state, rows),
    }


def waited_for(run: Run, state: RunState, rows: Sequence[RunEvent]) -> list[dict[str, Any]]:
    """What the journal alone says that the run waited for: ``{kind, step, title, since, until}``.

    ``missing`` are the steps that a join had nothing of.
    """
    if state.is_final:
        return []
    flow = compiled(run.version_id)
    opened: dict[Key, RunEvent] = {}
    for row in rows:
        if row.type in {"step.started", "step.retried", "step.held", "step.attempted"}:
            opened[row.step, row.data["visit"]] = row
    found = []
    for key, status in state.active.items():
        if key in state.scopes:
            continue
        row_of = opened.get(key)
        found.append(
            {
                "kind": _kind(status, row_of),
                "step": key[0],
                "title": flow.steps[key[0]].title,
                "since": row_of.at if row_of else None,
                "until": _until(row_of),
                "missing": [],
            }
        )
    for frame in state.frames.values():
        for step, arrived in frame.arrived.items():
            if arrived:
                links = flow.graph.arriving[step]
                missing = [link.source for link in links if link.index not in arrived]
                title = flow.steps[step].title
                found.append(
                    {"kind": "join", "step": step, "title": title, "since": None, "until": None,
                     "missing": missing}
                )  # fmt: skip
    return found


def _kind(status: StepStatus, row: RunEvent | None) -> str:
    if status is StepStatus.BLOCKED:
        return "lock"
    if status is StepStatus.RETRYING:
        return "retry"
    if row is None or status is StepStatus.READY:
        return "worker"
    if row.type == "step.held":
        return "person"
    return _KINDS.get(row.data.get("kind", "effect"), "person")


def _until(row: RunEvent | None) -> Any:
    if row is None:
        return None
    if row.type == "step.retried":
        return row.data["next_at"]
    given = row.data.get("input")
    if not isinstance(given, dict):
        return None
    return given.get("until") or given.get("due_at")
