"""The global stop of a workspace: no new run starts and no effect begins until it is lifted.

It is one row. Drivers look at it when runs are about to start, workers when they claim effects;
what is under way goes on, signals are accepted and held.
"""

from collections.abc import Collection
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from apps.accounts.actors import Actor
from apps.accounts.permissions import require
from apps.audit.commands import record
from apps.audit.records import Target
from apps.core import live
from apps.core.errors import Conflict, Invalid
from apps.runs import doorbell
from apps.runs.models import WorkspaceStop

#: The condition under which an effect may begin; part of every claim.
MAY_BEGIN = "workspace_id <> all(array(select workspace_id from workspace_stop))"

_STOPPED = """
select workspace_id from workspace_stop where workspace_id = any(%s)
order by workspace_id for key share
"""
_RELEASE = """
with freed as (
  delete from waiting_start w using run_state s
  where w.reason = 'stopped' and s.run_id = w.run_id and s.workspace_id = %s
  returning w.id, w.run_id, w.lane, w.priority, w.payload, s.limit_key
)
insert into run_command (run_id, lane, priority, kind, payload, created_at)
select run_id, lane, priority, case when limit_key is null then 'start' else 'admit' end,
  payload, %s
from freed order by id
"""


class AlreadyStopped(Conflict):
    """Everything is stopped already."""

    code = "already_stopped"


def stop_of(workspace_id: UUID) -> WorkspaceStop | None:
    """The stop that is in force, if one is."""
    return WorkspaceStop.objects.filter(workspace_id=workspace_id).first()


def stopped_among(cursor: Any, workspace_ids: Collection[UUID]) -> set[UUID]:
    """Which of the workspaces are stopped; a stop cannot be lifted until the caller commits.

    Locks:
        Their stops, shared: who lifts one waits, and then finds every start that was held.
    """
    cursor.execute(_STOPPED, [list(workspace_ids)])
    return {workspace_id for (workspace_id,) in cursor.fetchall()}


@transaction.atomic
def stop_everything(*, actor: Actor, reason: str, now: datetime) -> WorkspaceStop:
    """Stop the workspace: nothing starts and no effect begins from the next claim on.

    Raises:
        AlreadyStopped: It is stopped.
        Invalid: No reason is given.
    """
    require(actor, "flow.pause")
    if not reason.strip():
        raise Invalid("Say why everything is stopped; everybody will see it.")
    stop, is_new = WorkspaceStop.objects.get_or_create(
        workspace_id=actor.workspace_id,
        defaults={"by": actor.name or actor.email, "reason": reason.strip(), "stopped_at": now},
    )
    if not is_new:
        raise AlreadyStopped(f"Everything was stopped already, by {stop.by}.")
    _record(actor, "operations.stop", reason, now)
    return stop


@transaction.atomic
def lift_stop(*, actor: Actor, reason: str, now: datetime) -> int:
    """Let the workspace go on; returns how many runs had been held, which start now.

    Raises:
        Conflict: It is not stopped.

    Locks:
        The stop's row: drivers that have seen it are done first.
    """
    require(actor, "flow.pause")
    gone, _ = WorkspaceStop.objects.filter(workspace_id=actor.workspace_id).delete()
    if not gone:
        raise Conflict("Nothing is stopped; there is nothing to resume.")
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE, [actor.workspace_id, now])
        released = int(cursor.rowcount)
    transaction.on_commit(partial(doorbell.ring, "drive"))
    transaction.on_commit(partial(doorbell.ring, "effects"))
    _record(actor, "operations.resume", reason, now, released=released)
    return released


def _record(actor: Actor, verb: str, reason: str, now: datetime, **details: Any) -> None:
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb=verb,
        target=Target("workspace", str(actor.workspace_id), actor.workspace_slug),
        reason=reason,
        details=details or None,
        now=now,
    )
    live.publish(actor.workspace_id, "run", [])
