"""Runs that steps of other runs start: written by the driver, in the caller's own transaction."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.flows import calls
from apps.flows.compiled import compiled
from apps.flows.models import Flow, FlowState
from apps.runs import priorities
from apps.runs.commands import INSERT_RUN, run_values, start_payload
from apps.runs.ports import Refusal
from apps.runs.wanted import Caller, ChildRequest
from apps.steps import contracts

#: A run that was started by so many others, one by the other, starts none.
DEEPEST = 32

_CORRELATIONS = """
select id, correlation_id from run where id = any(%s) and id between %s and %s
"""
_PRIORITIES = "select run_id, priority from run_state where run_id = any(%s)"
_STATE = "select state from flows_flow where id = %s for share"


def start(cursor: Any, asked: Sequence[ChildRequest], now: datetime) -> list[Refusal]:
    """Write the runs that steps ask for; returns those that cannot be.

    Locks:
        The flow's row, shared, where it is paused: resuming it waits for us, or we see it.
    """
    if not asked:
        return []
    callers = {one.run_id for one in asked}
    correlations = _correlations(cursor, callers)
    cursor.execute(_PRIORITIES, [list(callers)])
    caller_priorities = dict(cursor.fetchall())
    refusals: list[Refusal] = []
    for one in asked:
        try:
            flow, version_id = _resolved(one)
        except calls.CannotCall as wrong:
            refusals.append(Refusal(*one.key, wrong.code, wrong.message))
            continue
        parameters = run_values(
            run_id=one.id,
            workspace_id=one.workspace_id,
            flow_id=flow.pk,
            version_id=version_id,
            trigger_type=calls.KIND,
            payload=start_payload(
                run_id=one.id,
                trigger_type=calls.KIND,
                body=one.input,
                now=now,
                started_by=one.started_by,
                event=one.event,
            ),
            now=now,
            held=_is_paused(cursor, flow),
            started_by=one.started_by,
            correlation_id=correlations[one.run_id],
            parent_id=one.run_id,
            caller=Caller(one.run_id, one.lane, one.step, one.visit) if one.waits else None,
            depth=one.depth,
            priority=priorities.of_child(
                caller_priorities[one.run_id], compiled(version_id).settings
            ),
        )
        cursor.execute(INSERT_RUN, parameters)
    return refusals


def _resolved(one: ChildRequest) -> tuple[Flow, UUID]:
    """The flow and the version to run, if its input fits and the chain is not too long."""
    if one.depth > DEEPEST:
        raise calls.CannotCall(
            "too_deep", f"More than {DEEPEST} runs were started one by the other; this ends here."
        )
    flow = calls.called_flow(one.workspace_id, one.flow)
    version_id = calls.called_version(flow, one.version, one.version_id)
    wrong = contracts.faults(calls.contract_of(version_id).get("input"), one.input)
    if wrong:
        said = "; ".join(wrong)
        raise calls.CannotCall("bad_input", f"What “{flow.name}” is given does not fit: {said}.")
    return flow, version_id


def _is_paused(cursor: Any, flow: Flow) -> bool:
    if flow.state != FlowState.PAUSED:
        return False
    cursor.execute(_STATE, [flow.pk])
    return bool(cursor.fetchone()[0] == FlowState.PAUSED)


def _correlations(cursor: Any, run_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    ids = sorted(run_ids)
    cursor.execute(_CORRELATIONS, [ids, ids[0], ids[-1]])
    return dict(cursor.fetchall())
