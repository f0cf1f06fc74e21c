"""Do a run again: from its start or from a step, on its own version or the latest, live or dry."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.db import transaction

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
from apps.runs.commands import FlowNotRunning, enqueue_run, hold_contract, run_values
from apps.runs.given import Given, Mode, Row, outcomes_to_give, still_fitting
from apps.runs.models import Run
from apps.runs.priorities import Priority
from apps.runs.queries import get_run, journal
from apps.runs.trying import TEST

Version = Literal["own", "latest"]
#: What a run may take over in all.
MOST_BYTES = 16 * 1024 * 1024


class NothingToReplay(Conflict):
    """The run has no trigger to start from: it never began, or its journal is no longer kept."""

    code = "nothing_to_replay"


class TooLargeToReplay(Conflict):
    """The outcomes that would be taken over are too many to carry."""

    code = "replay_too_large"


@transaction.atomic
def replay_run(
    *,
    actor: Actor,
    run_id: UUID,
    from_step: str,
    version: Version,
    mode: Mode,
    now: datetime,
) -> Run:
    """Start a run that does another again with the same trigger; returns the new one.

    From a step, what came before it is taken over as it was. Effects that were done are not done
    again in either case: their recorded outcomes are used.

    Raises:
        NothingToReplay: The run never began, or its journal is no longer kept.
        TooLargeToReplay: It would take over more than 16 MB.
        FlowNotRunning: Nothing is published, or the flow is archived.
        Invalid: The step is not in that version, or the run never reached it; or what the run
            was started with does not fit what that version takes.

    Locks:
        The flow's row: a publication or a pause waits or is seen.
    """
    original = get_run(actor, run_id)
    require(actor, "run.operate", original.flow_id)
    new_id = uuid7()
    flow = start_again(
        original=original,
        new_id=new_id,
        from_step=from_step,
        version=version,
        mode=mode,
        started_by=actor.email,
        now=now,
    )
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb="run.replay",
        target=Target("run", str(new_id), flow.name),
        details={"of": str(run_id), "from_step": from_step, "version": version, "mode": mode},
        correlation_id=original.correlation_id,
        flow_id=flow.id,
        now=now,
    )
    live.publish(actor.workspace_id, "run", [new_id])
    return Run.objects.get(pk=new_id)


def start_again(
    *,
    original: Run,
    new_id: UUID,
    from_step: str,
    version: Version,
    mode: Mode,
    started_by: str,
    now: datetime,
) -> Flow:
    """Write the run that does another again, as bulk work, in the caller's transaction.

    Nothing happens where it is there already. Raises and locks as :func:`replay_run`; whether the
    caller may do it is for the caller to ask.
    """
    if original.trigger_type == TEST:
        raise NothingToReplay("A test is not done again; start another one from the editor.")
    flow = (
        Flow.objects.for_workspace(original.workspace_id)
        .select_for_update(no_key=True, of=("self",))
        .get(pk=original.flow_id)
    )
    version_id = original.version_id if version == "own" else flow.active_version_id
    if version_id is None:
        raise FlowNotRunning("Nothing is published; choose the run's own version.")
    if flow.state == FlowState.ARCHIVED:
        raise FlowNotRunning("The flow is archived; it starts no runs any more.")
    trigger, given = _recorded(original, from_step, version_id, mode)
    if version_id != original.version_id:
        hold_contract(version_id, trigger.get("body"))
    replay = {"of": str(original.pk), "from_step": from_step, "mode": mode, "given": given}
    payload = values.dumps({"trigger": trigger, "started_by": started_by, "replay": replay})
    if len(payload) > MOST_BYTES:
        raise TooLargeToReplay(
            "The run has more recorded outcomes than can be taken over (16 MB); start it anew."
        )
    parameters = run_values(
        run_id=new_id,
        workspace_id=original.workspace_id,
        flow_id=flow.id,
        version_id=version_id,
        trigger_type=original.trigger_type,
        payload=payload,
        now=now,
        held=flow.state == FlowState.PAUSED,
        started_by=started_by,
        correlation_id=original.correlation_id,
        priority=Priority.BULK,
    )
    enqueue_run(parameters=parameters)
    Run.objects.filter(pk=new_id).update(replay_of=original.pk)
    return flow


def _recorded(
    original: Run, from_step: str, version_id: UUID, mode: Mode
) -> tuple[Mapping[str, Any], Given]:
    """The original's trigger, and what the new run takes over from its journal."""
    rows = [
        Row(row.seq, ev.from_row(row.type, row.step, dict(row.data))) for row in journal(original)
    ]
    started = next((row.event for row in rows if isinstance(row.event, ev.RunStarted)), None)
    trigger = started.trigger if started is not None else None
    if not isinstance(trigger, Mapping):
        raise NothingToReplay("The run never began; cancel it or let it go on.")
    old, new = compiled(original.version_id), compiled(version_id)
    if from_step:
        if from_step not in new.steps:
            raise Invalid(f"There is no step “{from_step[:63]}” in that version.")
        arrived = {one.step for row in rows for one in getattr(row.event, "arrivals", ())}
        if from_step not in arrived:
            raise Invalid(f"The run never came to “{new.steps[from_step].title}”.")
    given = outcomes_to_give(old, rows, from_step=from_step, mode=mode)
    return trigger, given if old is new else still_fitting(given, old, new)
