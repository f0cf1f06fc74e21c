"""Every way to make something happen to a run. Each writes rows; ``drive`` acts on them later."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Literal
from uuid import UUID

from django.db import connection, transaction

from apps.accounts.actors import Actor
from apps.accounts.permissions import require
from apps.audit.commands import record
from apps.audit.records import Target
from apps.core import live
from apps.core.errors import Conflict, Invalid
from apps.core.models import uuid7
from apps.engine import events as ev
from apps.engine import values
from apps.flows.compiled import compiled
from apps.flows.models import Flow, FlowState
from apps.runs import doorbell, priorities
from apps.runs.models import Run, RunCommand, RunState, WaitingStart
from apps.runs.priorities import Priority
from apps.runs.queries import get_run, held_matter
from apps.runs.wanted import Caller
from apps.steps import contracts, forms
from apps.steps.forms import REQUEST

_INSERT_RUN = """
with {before}new_run as (
  insert into run (id, workspace_id, flow_id, version_id, status, correlation_id, started_by,
                   trigger_type, created_at, updated_at, parent_id)
  select %(run)s, %(workspace)s, %(flow)s, %(version)s, 'queued', %(correlation)s, %(by)s,
         %(trigger_type)s, %(now)s, %(now)s, %(parent)s::uuid {source}
  on conflict (id) do nothing returning id
), new_state as (
  insert into run_state (run_id, workspace_id, flow_id, version_id, lane, priority, format, seq,
                         snapshot, awaited_until, deaths, depth, parent_id, parent_lane,
                         parent_step, parent_visit)
  select id, %(workspace)s, %(flow)s, %(version)s, %(flow)s, %(priority)s::smallint, %(format)s,
         0, '{{}}', %(awaited_until)s, 0, %(depth)s::smallint, %(caller)s::uuid,
         %(caller_lane)s::uuid, %(caller_step)s::text, %(caller_visit)s::int from new_run
), held as (
  insert into waiting_start (run_id, flow_id, lane, priority, limit_key, reason, payload,
                             created_at)
  select id, %(flow)s, %(flow)s, %(priority)s::smallint, '', 'paused', %(payload)s::json, %(now)s
  from new_run where %(held)s
)
insert into run_command (run_id, lane, priority, kind, payload, created_at)
select id, %(flow)s, %(priority)s::smallint, 'start', %(payload)s::json, %(now)s
from new_run where not %(held)s
"""


def insert_run_sql(*, before: str = "", source: str = "") -> str:
    """One statement that writes a new run, its state and its start command.

    While the flow is paused the start goes to the waiting list instead. Nothing is written
    where the run is there already.

    Args:
        before: Named sub-statements that are part of the same statement, each with its comma.
        source: One of them, as ``from name``: the run is written only if it has a row.
    """
    return _INSERT_RUN.format(before=before, source=source)


INSERT_RUN = insert_run_sql()

_INSERT_RUNS = """
with {before}new_run as (
  insert into run (id, workspace_id, flow_id, version_id, status, correlation_id, started_by,
                   trigger_type, created_at, updated_at)
  select run, workspace, flow, version, 'queued', run, '', %(trigger_type)s, at, at from given
  on conflict (id) do nothing returning id
), new_state as (
  insert into run_state (run_id, workspace_id, flow_id, version_id, lane, priority, format, seq,
                         snapshot, awaited_until, deaths)
  select run, workspace, flow, version, flow, priority, %(format)s, 0, '{{}}', awaited_until, 0
  from given join new_run on id = run
)
insert into run_command (run_id, lane, priority, kind, payload, created_at)
select run, flow, priority, 'start', payload::json, at
from given join new_run on id = run order by place returning run_id
"""


def insert_runs_sql(*, before: str) -> str:
    """As :func:`insert_run_sql` for several runs of flows that are not paused.

    It returns the ids of those that were not there already.

    Args:
        before: Named sub-statements, each with its comma. One is ``given`` with the columns
            ``place, run, workspace, flow, version, priority, payload, at, awaited_until``.
    """
    return _INSERT_RUNS.format(before=before)


_ADD = """
insert into run_command (run_id, lane, priority, kind, payload, created_at)
values (%(run)s, %(lane)s,
        coalesce(%(priority)s, (select priority from run_state where run_id = %(run)s), 0),
        %(kind)s, %(payload)s::json, %(now)s)
"""


class FlowNotRunning(Conflict):
    """The flow has no active version, or is archived."""

    code = "flow_not_running"


class RunIsOver(Conflict):
    """What is asked makes no sense for a run that has ended."""

    code = "run_over"


def run_values(
    *,
    run_id: UUID,
    workspace_id: UUID,
    flow_id: UUID,
    version_id: UUID,
    trigger_type: str,
    payload: str,
    now: datetime,
    held: bool,
    started_by: str = "",
    awaited_until: datetime | None = None,
    correlation_id: UUID | None = None,
    parent_id: UUID | None = None,
    caller: Caller | None = None,
    depth: int = 0,
    priority: int = Priority.NORMAL,
) -> dict[str, Any]:
    """The parameters of ``INSERT_RUN``; ``payload`` is the start command's JSON text.

    ``parent_id`` is the run that starts this one, ``caller`` its visit where that waits.
    """
    return {
        "parent": parent_id,
        "caller": caller and caller.run_id,
        "caller_lane": caller and caller.lane,
        "caller_step": caller and caller.step,
        "caller_visit": caller and caller.visit,
        "depth": depth,
        "priority": int(priority),
        "run": run_id,
        "workspace": workspace_id,
        "flow": flow_id,
        "version": version_id,
        "correlation": correlation_id or run_id,
        "by": started_by,
        "trigger_type": trigger_type,
        "now": now,
        "format": ev.FORMAT,
        "awaited_until": awaited_until,
        "payload": payload,
        "held": held,
    }


def start_payload(
    *,
    run_id: UUID,
    trigger_type: str,
    body: Any,
    now: datetime,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, Any] | None = None,
    started_by: str = "",
    event: Mapping[str, Any] | None = None,
    requester: Mapping[str, str] | None = None,
) -> str:
    """The start command's JSON: what expressions read as ``trigger`` (engine rule 27).

    Args:
        requester: Who fills in a form, ``{name, email}``; both empty where nobody has signed in.
    """
    trigger = {
        "type": trigger_type,
        "id": str(run_id),
        "received_at": now.isoformat(),
        "body": body,
        "headers": dict(headers or {}),
        "query": dict(query or {}),
        **({"event": dict(event)} if event else {}),
        **({"requester": dict(requester)} if requester is not None else {}),
    }
    return values.dumps({"trigger": trigger, "started_by": started_by})


def enqueue_run(*, parameters: Mapping[str, Any]) -> None:
    """Write a new run in the caller's transaction and ring for a driver after commit."""
    with connection.cursor() as cursor:
        cursor.execute(INSERT_RUN, parameters)
    transaction.on_commit(partial(doorbell.ring, "drive"))


@transaction.atomic
def start_run(*, actor: Actor, flow_id: UUID, input: Any, priority: str = "", now: datetime) -> Run:
    """Start a run by hand or API; ``input`` is the trigger's body.

    Args:
        priority: The flow's own where none is given. It may be a lower one, and ``bulk``.

    Raises:
        FlowNotRunning: Nothing is published, or the flow is archived.
        Invalid: The input does not fit the form of the version that would run, or the priority
            is none or above the flow's own.

    Locks:
        The flow's row: a publication or a pause waits or is seen.
    """
    require(actor, "flow.run", flow_id)
    flow = (
        Flow.objects.for_workspace(actor.workspace_id)
        .select_for_update(no_key=True, of=("self",))
        .get(pk=flow_id)
    )
    if flow.active_version_id is None:
        raise FlowNotRunning("Nothing is published yet; publish the flow, then start it.")
    if flow.state == FlowState.ARCHIVED:
        raise FlowNotRunning("The flow is archived; it starts no runs any more.")
    if not isinstance(input, dict):
        raise Invalid("The input must be an object of named values.")
    _check_form(flow.active_version_id, input)
    goes_as = priorities.asked_for(priority, compiled(flow.active_version_id).settings)
    run_id = uuid7()
    asks = compiled(flow.active_version_id).trigger.kind == REQUEST
    parameters = run_values(
        run_id=run_id,
        workspace_id=actor.workspace_id,
        flow_id=flow.id,
        version_id=flow.active_version_id,
        trigger_type="manual",
        payload=start_payload(
            run_id=run_id,
            trigger_type="manual",
            body=input,
            now=now,
            started_by=actor.email,
            requester={"name": actor.name, "email": actor.email} if asks else None,
        ),
        now=now,
        held=flow.state == FlowState.PAUSED,
        started_by=actor.email,
        priority=goes_as,
    )
    enqueue_run(parameters=parameters)
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb="run.start",
        target=Target("run", str(run_id), flow.name),
        details={"flow": str(flow.id)},
        now=now,
    )
    live.publish(actor.workspace_id, "run", [run_id])
    return Run.objects.get(pk=run_id)


def _check_form(version_id: UUID, given: Any) -> None:
    """Hold the input against the flow's contract, and the form of one that is started by hand."""
    hold_contract(version_id, given)
    flow = compiled(version_id)
    asked = flow.trigger_config.get("form")
    if flow.trigger.kind == REQUEST:
        if any(one.kind == "files" and one.name in given for one in forms.fields_of(asked)):
            raise Invalid("Files are attached on the page of requests; start the flow there.")
        wrong = forms.judge(asked, given)
    elif flow.trigger.kind == "manual":
        wrong = contracts.found_faults(asked, given, most=20)
    else:
        return
    if wrong:
        raise Invalid("Some answers do not fit the form of this flow.", errors=_errors(wrong))


def hold_contract(version_id: UUID, given: Any) -> None:
    """See that a version takes this input, before there is a run of it.

    Raises:
        Invalid: It does not fit; ``errors`` says where and why.
    """
    contract = compiled(version_id).settings.get("contract") or {}
    if wrong := contracts.found_faults(contract.get("input"), given):
        said = "; ".join(map(str, wrong))
        raise Invalid(
            f"The input does not fit what this flow takes: {said}.", errors=_errors(wrong)
        )


def _errors(wrong: Sequence[contracts.Misfit]) -> list[dict[str, str]]:
    return [{"path": one.path, "message": f"It {one.message}."} for one in wrong]


@transaction.atomic
def cancel_run(*, actor: Actor, run_id: UUID, reason: str, now: datetime) -> None:
    """Ask that a run be withdrawn; the driver ends it and closes everything it waits for.

    Raises:
        RunIsOver: The run has ended.

    Locks:
        The run's state row, as a driver does.
    """
    run = get_run(actor, run_id)
    require(actor, "run.cancel", run.flow_id)
    order_cancel(run_id=run_id, by=actor.email or actor.name, reason=reason, now=now)
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb="run.cancel",
        target=Target("run", str(run_id), ""),
        reason=reason,
        now=now,
    )


def order_cancel(*, run_id: UUID, by: str, reason: str, now: datetime) -> None:
    """Order in the caller's transaction that a run be withdrawn; the caller says who may, and why.

    Raises:
        RunIsOver: The run has ended.

    Locks:
        The run's state row, as a driver does.
    """
    state = RunState.objects.select_for_update(no_key=True).filter(run_id=run_id).first()
    if state is None:
        raise RunIsOver("The run has ended; there is nothing to cancel.")
    # A run that waits for its first slot has no start command yet: it is given one, so that
    # the driver can end it like any other.
    waiting = WaitingStart.objects.filter(run_id=run_id).first()
    if waiting is not None:
        waiting.delete()
    RunCommand.objects.filter(run_id=run_id).update(priority=state.priority)
    add_command(
        run_id=run_id,
        lane=state.lane,
        kind="cancel",
        payload={"by": by, "reason": reason},
        now=now,
        priority=Priority.HIGH,
    )


@transaction.atomic
def resume_run(*, actor: Actor, run_id: UUID, now: datetime) -> None:
    """Let a paused run go on, with everything that came for it meanwhile.

    Raises:
        Conflict: The run is not paused.

    Locks:
        The run's state row, as a driver does.
    """
    run = get_run(actor, run_id)
    require(actor, "run.operate", run.flow_id)
    state = RunState.objects.select_for_update(no_key=True).filter(run_id=run_id).first()
    if state is None or run.status != "paused":
        raise Conflict("The run is not paused; there is nothing to resume.")
    # One that killed processes is tried alone again, before it is one of many.
    RunState.objects.filter(run_id=run_id, deaths__gt=1).update(deaths=1)
    RunCommand.objects.filter(run_id=run_id).update(priority=state.priority)
    add_command(
        run_id=run_id,
        lane=state.lane,
        kind="resume",
        payload={"by": actor.email},
        now=now,
        priority=Priority.HIGH,
    )
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb="run.resume",
        target=Target("run", str(run_id), ""),
        now=now,
    )


def resolve_wait(
    *, run_id: UUID, lane: UUID, step: str, visit: int, port: str, output: Any, now: datetime
) -> None:
    """A wait is over: the run goes on by ``port``.

    Called in the transaction that closed the wait by its one guarded update, so a run never
    gets two outcomes of one wait.
    """
    add_command(
        run_id=run_id,
        lane=lane,
        kind="complete",
        payload={"step": step, "visit": visit, "port": port, "output": output},
        now=now,
    )


def fail_wait(
    *, run_id: UUID, lane: UUID, step: str, visit: int, code: str, message: str, now: datetime
) -> None:
    """A wait cannot be resolved any more; the step fails with this code and sentence."""
    error = ev.Error(step, "permanent", code, message)
    add_command(
        run_id=run_id,
        lane=lane,
        kind="fail",
        payload={"step": step, "visit": visit, "error": error.as_json(), "output": None},
        now=now,
    )


def settle_held(
    *,
    run_id: UUID,
    lane: UUID,
    step: str,
    visit: int,
    answer: Literal["retry", "skip", "fail"],
    by: str,
    now: datetime,
) -> None:
    """People have said what becomes of a failed visit; called as ``resolve_wait`` is.

    ``retry`` does it again under a new key, ``skip`` goes on by its first way out, ``fail``
    lets it fail as if nobody had been asked.
    """
    payload: dict[str, Any] = {"step": step, "visit": visit, "by": by}
    if answer == "retry":
        add_command(run_id=run_id, lane=lane, kind="repeat", payload=payload, now=now)
        return
    matter = held_matter(Run.objects.get(pk=run_id), step, visit)
    add_command(run_id=run_id, lane=lane, kind=answer, payload={**payload, **matter}, now=now)


def add_command(
    *,
    run_id: UUID,
    lane: UUID,
    kind: str,
    payload: Mapping[str, Any],
    now: datetime,
    priority: Priority | None = None,
) -> None:
    """Write a command in the caller's transaction and ring for a driver after commit.

    Args:
        priority: That of the run where none is given: what one person orders for one run goes
            first, and does not wait behind a flood of its flow.
    """
    given: dict[str, Any] = {
        "run": run_id,
        "lane": lane,
        "priority": priority,
        "kind": kind,
        "payload": values.dumps(dict(payload)),
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ADD, given)
    transaction.on_commit(partial(doorbell.ring, "drive"))


def release_held(*, flow_id: UUID, now: datetime) -> int:
    """The flow is resumed: its held signals start, in the order in which they came."""
    with connection.cursor() as cursor:
        cursor.execute(
            "with freed as (delete from waiting_start where flow_id = %s and reason = 'paused'"
            " returning id, run_id, lane, priority, payload)"
            " insert into run_command (run_id, lane, priority, kind, payload, created_at)"
            " select run_id, lane, priority, 'start', payload, %s from freed order by id",
            [flow_id, now],
        )
        count = int(cursor.rowcount)
    transaction.on_commit(partial(doorbell.ring, "drive"))
    return count
