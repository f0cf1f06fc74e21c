"""Load what a batch of runs may read: the trigger and the outputs that expressions name."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.engine.state import ROOT, Done, Frame, frame_name, split_frame
from apps.runs import stored
from apps.runs.wanted import LoadedRun
from apps.steps.document import EVERYTHING, CompiledFlow

ROWS = """
select e.run_id, e.seq, e.step, e.at, e.data::text
from unnest(%s::uuid[], %s::int[]) as u(run_id, seq)
join run_event e on e.run_id = u.run_id and e.seq = u.seq
where e.run_id between %s and %s
"""


ITEMS = """
select i.run_id, i.step, i.visit, i.idx, i.value::text
from unnest(%s::uuid[], %s::text[], %s::int[], %s::int[]) as u(run_id, step, visit, idx)
join run_item i on i.run_id = u.run_id and i.step = u.step and i.visit = u.visit and i.idx = u.idx
"""
RESULTS = """
select type, data::text from run_event
where run_id = %s and step = %s and type in ('scope.opened', 'item.ended') order by seq
"""
#: How many items beyond those at work one slice may begin.
AHEAD = 250
#: How many visits one slice may undo.
UNDONE = 50


def load(cursor: Any, runs: Iterable[tuple[LoadedRun, CompiledFlow]]) -> None:
    """Fill what runs that have a journal may read; a few queries for all of them.

    Outputs that no expression of the flow reads are left out, blobs among them.
    """
    wanted: list[tuple[UUID, int]] = []
    by_id: dict[UUID, LoadedRun] = {}
    for run, flow in runs:
        if run.state.started:
            by_id[run.run_id] = run
            wanted.append((run.run_id, run.state.started))
            if run.state.given:
                wanted.append((run.run_id, run.state.given))
            wanted += [(run.run_id, seq) for seq in _sequence_numbers(run, flow)]
    if not wanted:
        return
    ids = [run_id for run_id, _ in wanted]
    cursor.execute(ROWS, [ids, [seq for _, seq in wanted], min(ids), max(ids)], prepare=True)
    found: list[tuple[LoadedRun, int, str, datetime, Any]] = [
        (by_id[run_id], seq, step, at, stored.loads(data))
        for run_id, seq, step, at, data in cursor.fetchall()
    ]
    fill_blobs(cursor, [(run.workspace_id, data) for run, _, _, _, data in found])
    rows: dict[UUID, dict[int, tuple[str, Any]]] = {}
    for run, seq, step, at, data in found:
        if seq == run.state.started:
            run.trigger, run.started_by, run.started_at = data["trigger"], data["started_by"], at
        if seq == run.state.given:
            run.replay = data
        rows.setdefault(run.run_id, {})[seq] = (step, data)
    for run_id, run in by_id.items():
        _know(run, rows.get(run_id, {}))
    scoped = [run for run in by_id.values() if run.state.scopes]
    if scoped:
        _load_items(cursor, scoped)
        for run in scoped:
            _load_results(cursor, run)


def _know(run: LoadedRun, rows: Mapping[int, tuple[str, Any]]) -> None:
    loaded = run.loaded
    for name, frame in run.state.frames.items():
        for step, seq in frame.outputs.items():
            if seq in rows:
                parts = loaded.known.setdefault(name, {}).setdefault(step, {})
                parts["output"] = rows[seq][1].get("output")
        for step, seq in frame.errors.items():
            if seq in rows:
                parts = loaded.known.setdefault(name, {}).setdefault(step, {})
                parts["error"] = rows[seq][1]["error"]
    for seq, (_, data) in rows.items():
        if "output" in data:
            loaded.by_row[seq] = data["output"]


def _load_items(cursor: Any, runs: Iterable[LoadedRun]) -> None:
    """The items that are at work, those that come next, and those of what is undone."""
    places: dict[tuple[UUID, str, int, int], LoadedRun] = {}
    for run in runs:
        state = run.state
        names = [name for name in state.frames if name != ROOT]
        names += [done.frame for frame in state.frames.values() for done in _to_undo(frame)]
        for key, scope in state.scopes.items():
            following = range(scope.following, scope.following + min(scope.more, AHEAD))
            names += [frame_name(key, index) for index in following]
        for name in names:
            if name != ROOT:
                (step, visit), index = split_frame(name)
                places[run.run_id, step, visit, index] = run
    if places:
        columns = list(zip(*places, strict=True))
        cursor.execute(ITEMS, [list(column) for column in columns])
        for run_id, step, visit, index, value in cursor.fetchall():
            run = places[run_id, step, visit, index]
            run.loaded.items[frame_name((step, visit), index)] = stored.loads(value)


def _load_results(cursor: Any, run: LoadedRun) -> None:
    """All results of a scope that is through, so that it can go on."""
    for key, scope in run.state.scopes.items():
        if not scope.is_collectable:
            continue
        cursor.execute(RESULTS, [run.run_id, key[0]])
        rows: list[dict[str, Any]] = []
        for type_, text in cursor.fetchall():
            data = stored.loads(text)
            if data["visit"] != key[1]:
                continue
            if type_ == "item.ended":
                rows.append(data)
            else:  # opened anew: a person ordered it
                rows.clear()
        fill_blobs(cursor, [(run.workspace_id, data) for data in rows])
        run.loaded.collected.add(key)
        run.loaded.results[key] = {
            data["index"]: (data["outcome"], data["output"], data.get("reason")) for data in rows
        }


def _to_undo(frame: Frame) -> list[Done]:
    found = [frame.undoing[1]] if frame.undoing is not None else []
    return [*found, *frame.undo[-UNDONE:]] if frame.why is not None else found


def fill_blobs(cursor: Any, rows: Iterable[tuple[UUID, Any]]) -> None:
    """Put large values back into journal data, in place; one query for all."""
    pending = [
        (workspace_id, data, data.pop("blob")) for workspace_id, data in rows if "blob" in data
    ]
    if not pending:
        return
    cursor.execute(
        "select b.workspace_id, b.sha256, b.data from run_blob b"
        " join unnest(%s::uuid[], %s::text[]) as u(workspace_id, sha256)"
        " on b.workspace_id = u.workspace_id and b.sha256 = u.sha256",
        [[one for one, _, _ in pending], [blob["sha256"] for _, _, blob in pending]],
    )
    texts = {(workspace_id, digest): text for workspace_id, digest, text in cursor.fetchall()}
    for workspace_id, data, blob in pending:
        data[blob["field"]] = stored.loads(texts[workspace_id, blob["sha256"]])


def _sequence_numbers(run: LoadedRun, flow: CompiledFlow) -> set[int]:
    reads = flow.reads
    found: set[int] = set()
    for name, frame in run.state.frames.items():
        for known in (frame.outputs, frame.errors):
            found.update(seq for step, seq in known.items() if step in reads or EVERYTHING in reads)
        if name != ROOT and frame.outputs:
            found.add(max(frame.outputs.values()))  # the item's result may be its last output
        found.update(done.seq for done in _to_undo(frame))
    return found
