"""Load what a batch of runs may read: the trigger and the outputs that expressions name."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.runs import stored
from apps.runs.evaluation import LoadedRun
from apps.steps.document import EVERYTHING, CompiledFlow

ROWS = """
select e.run_id, e.seq, e.step, e.at, e.data::text
from unnest(%s::uuid[], %s::int[]) as u(run_id, seq)
join run_event e on e.run_id = u.run_id and e.seq = u.seq
where e.run_id between %s and %s
"""


def load(cursor: Any, runs: Iterable[tuple[LoadedRun, CompiledFlow]]) -> None:
    """Fill ``trigger``, ``outputs``, ``errors`` of runs that have a journal; one query for all.

    Outputs that no expression of the flow reads are left out, blobs among them.
    """
    wanted: list[tuple[UUID, int]] = []
    by_id: dict[UUID, LoadedRun] = {}
    for run, flow in runs:
        if run.state.started:
            by_id[run.run_id] = run
            wanted.append((run.run_id, run.state.started))
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
    for run, seq, step, at, data in found:
        if seq == run.state.started:
            run.trigger, run.started_by, run.started_at = data["trigger"], data["started_by"], at
            continue
        if run.state.outputs.get(step) == seq:
            run.outputs[step] = data.get("output")
        if run.state.errors.get(step) == seq:
            run.errors[step] = data["error"]


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
    return {
        seq
        for known in (run.state.outputs, run.state.errors)
        for step, seq in known.items()
        if step in reads or EVERYTHING in reads
    }
