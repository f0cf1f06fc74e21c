"""Pause, resume and cancel runs: one, those of a flow, those of a filter, all.

Each is one statement however many runs there are, and one row in the trail. What is ordered for
many is bulk work and holds up nothing live; what is ordered for one run goes first.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Literal
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from apps.accounts.actors import Actor
from apps.accounts.permissions import flows_with, has_right, require
from apps.audit.commands import record
from apps.audit.records import Target
from apps.core import live
from apps.core.errors import Conflict, Invalid
from apps.engine import values
from apps.flows.models import Flow
from apps.runs import doorbell
from apps.runs.models import Run
from apps.runs.priorities import PARKED, Priority
from apps.runs.queries import filtered, get_run, visible_runs

Action = Literal["pause", "resume", "cancel", "replay"]
#: So many of the runs are named in the trail.
MOST_NAMED = 1000
MOST_IDS = 1000

RIGHTS: Mapping[Action, str] = {
    "pause": "run.operate",
    "resume": "run.operate",
    "cancel": "run.cancel",
    "replay": "run.operate",
}
#: The states in which it makes sense.
CONCERNS: Mapping[Action, tuple[str, ...]] = {
    "pause": ("queued", "running", "waiting"),
    "resume": ("paused",),
    "cancel": ("queued", "running", "waiting", "paused"),
    "replay": ("completed", "failed", "cancelled"),
}

# A run that waits for its first slot has no start command yet; who cancels it gives it one, so
# that the driver can end it like any other. One that killed processes is tried alone again.
_STEER = """
with chosen as (
  select run_id, lane from run_state where run_id = any(%(runs)s)
  order by run_id for no key update
), freed as (
  delete from waiting_start w using chosen c where w.run_id = c.run_id and %(kind)s = 'cancel'
), unparked as (
  update run_command k set priority = %(priority)s from chosen c
  where k.run_id = c.run_id and k.priority = %(parked)s and %(kind)s <> 'pause'
), tried_alone as (
  update run_state s set deaths = 1 from chosen c
  where s.run_id = c.run_id and s.deaths > 1 and %(kind)s = 'resume'
)
insert into run_command (run_id, lane, priority, kind, payload, created_at)
select run_id, lane, %(priority)s::smallint, %(kind)s, %(payload)s::json, %(now)s
from chosen order by run_id
returning run_id
"""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which runs are meant: exactly one of these. ``filter`` has the names of the runs list."""

    ids: tuple[UUID, ...] = ()
    flow: UUID | None = None
    filter: Mapping[str, str] = field(default_factory=dict)
    everything: bool = False

    def __post_init__(self) -> None:
        said = [bool(self.ids), self.flow is not None, bool(self.filter), self.everything]
        if sum(said) != 1:
            raise Invalid(
                'Say which runs are meant, in one way: {"ids": […]}, {"flow": …},'
                ' {"filter": {…}} or {"all": true}.'
            )
        if len(self.ids) > MOST_IDS:
            raise Invalid(f"Name at most {MOST_IDS} runs, or use a filter.")

    def as_words(self) -> dict[str, Any]:
        """As the trail names it."""
        if self.ids:
            return {"ids": len(self.ids)}
        if self.flow is not None:
            return {"flow": str(self.flow)}
        return {"filter": dict(self.filter)} if self.filter else {"all": True}


def concerned_runs(actor: Actor, action: Action, selection: Selection) -> QuerySet[Run]:
    """The selected runs to which the actor may do this and for which it makes sense.

    Raises:
        Forbidden: The actor may do this to no run at all, or not to all of those named so.
    """
    right = RIGHTS[action]
    if selection.everything:
        require(actor, right)
    elif selection.flow is not None:
        require(actor, right, selection.flow)
    elif not has_right(actor, right):
        allowed = Flow.objects.for_workspace(actor.workspace_id).filter(flows_with(actor, right))
        if not allowed.exists():
            require(actor, right)
    runs = visible_runs(actor).filter(flows_with(actor, right, "flow_id"))
    runs = runs.filter(status__in=CONCERNS[action])
    if selection.ids:
        return runs.filter(pk__in=selection.ids)
    if selection.flow is not None:
        return runs.filter(flow_id=selection.flow)
    return filtered(runs, selection.filter)


@transaction.atomic
def steer_runs(
    *, actor: Actor, action: Action, selection: Selection, reason: str, now: datetime
) -> int:
    """Pause, resume or cancel the selected runs; returns how many it concerns.

    Runs that end meanwhile are left out.

    Raises:
        Invalid: No reason is given.

    Locks:
        The runs' state rows, by id, as a driver does.
    """
    if not reason.strip():
        raise Invalid("Say why; the reason goes into the trail.")
    runs = concerned_runs(actor, action, selection)
    found = _steer(
        action,
        list(runs.order_by("id").values_list("pk", flat=True)),
        _payload(actor, action, reason),
        Priority.BULK,
        now,
    )
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb=f"run.{action}",
        target=Target("workspace", str(actor.workspace_id), actor.workspace_slug),
        reason=reason,
        details={
            "selection": selection.as_words(),
            "count": len(found),
            "runs": [str(run_id) for run_id in found[:MOST_NAMED]],
        },
        flow_id=selection.flow,
        now=now,
    )
    live.publish(actor.workspace_id, "run", [])
    return len(found)


@transaction.atomic
def pause_run(*, actor: Actor, run_id: UUID, reason: str, now: datetime) -> None:
    """Hold one run where it is: no step and no effect of it begins until it is resumed.

    What is under way ends; what comes for it meanwhile is kept.

    Raises:
        Conflict: The run has ended or is paused.

    Locks:
        The run's state row, as a driver does.
    """
    run = get_run(actor, run_id)
    require(actor, RIGHTS["pause"], run.flow_id)
    if run.is_final or run.status == "paused":
        raise Conflict("The run has ended or is paused already; there is nothing to pause.")
    if not _steer("pause", [run_id], _payload(actor, "pause", reason), Priority.HIGH, now):
        raise Conflict("The run has ended; there is nothing to pause.")
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb="run.pause",
        target=Target("run", str(run_id), ""),
        reason=reason,
        flow_id=run.flow_id,
        now=now,
    )


def _payload(actor: Actor, action: Action, reason: str) -> dict[str, Any]:
    by = actor.email or actor.name
    if action == "pause":
        return {"reason": "person", "detail": reason, "by": by}
    return {"by": by, "reason": reason} if action == "cancel" else {"by": by}


def _steer(
    action: Action,
    run_ids: list[UUID],
    payload: Mapping[str, Any],
    priority: Priority,
    now: datetime,
) -> list[UUID]:
    given = {
        "runs": run_ids,
        "kind": action,
        "payload": values.dumps(dict(payload)),
        "parked": PARKED,
        "priority": int(priority),
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_STEER, given)
        found = [run_id for (run_id,) in cursor.fetchall()]
    transaction.on_commit(partial(doorbell.ring, "drive"))
    return found
