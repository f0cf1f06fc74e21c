"""Do many runs again: ordered at once, and started a few at a time behind what is live.

The order is rows of the outbox, each with the ids that its new runs will have, so that one that
is handed out twice starts nothing twice.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.accounts.actors import Actor
from apps.audit.commands import record
from apps.audit.records import Target, Who
from apps.core import clock, live, outbox
from apps.core.errors import Invalid, ProductError
from apps.core.models import uuid7
from apps.runs.models import Run
from apps.runs.replaying import Version, start_again
from apps.runs.steering import MOST_NAMED, Selection, concerned_runs

TOPIC = "runs.again"
#: More of them are a change of the flow, and no repair.
MOST = 10_000
#: So many are started between two looks at what else is to be done.
AT_ONCE = 20

_log = logging.getLogger(__name__)


@transaction.atomic
def replay_runs(
    *, actor: Actor, selection: Selection, version: Version, reason: str, now: datetime
) -> int:
    """Order that the selected runs be done again, each from its start; returns how many.

    Only runs that are over are meant. Effects that were done are not done again. Where one cannot
    be done again (its journal is not kept any more, its flow is archived) the trail says so.

    Raises:
        Invalid: No reason is given, or it would be more than 10,000 runs.
    """
    if not reason.strip():
        raise Invalid("Say why; the reason goes into the trail.")
    runs = concerned_runs(actor, "replay", selection)
    found = list(runs.order_by("id").values_list("pk", flat=True)[: MOST + 1])
    if len(found) > MOST:
        raise Invalid(f"These are more than {MOST:,} runs; name fewer of them at a time.")
    _order(actor, found, version, now)
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb="run.replay",
        target=Target("workspace", str(actor.workspace_id), actor.workspace_slug),
        reason=reason,
        details={
            "selection": selection.as_words(),
            "count": len(found),
            "version": version,
            "runs": [str(run_id) for run_id in found[:MOST_NAMED]],
        },
        flow_id=selection.flow,
        now=now,
    )
    return len(found)


def _order(actor: Actor, found: Sequence[UUID], version: Version, now: datetime) -> None:
    pairs = [[str(run_id), str(uuid7())] for run_id in found]
    common = {
        "workspace": str(actor.workspace_id),
        "by": {"user": str(actor.user_id or ""), "email": actor.email},
        "version": version,
    }
    payloads = [
        {**common, "runs": pairs[first : first + AT_ONCE]}
        for first in range(0, len(pairs), AT_ONCE)
    ]
    outbox.enqueue_many(topic=TOPIC, payloads=payloads, now=now)


def start_ordered(order: dict[str, Any]) -> None:
    """Start the runs of one row of an order; the outbox's handler. Safe to call twice."""
    now = clock.now()
    started: list[UUID] = []
    refused: list[dict[str, str]] = []
    for old, new in order["runs"]:
        try:
            if _start(UUID(old), UUID(new), order, now):
                started.append(UUID(new))
        except ProductError as wrong:
            refused.append({"run": old, "code": wrong.code})
    workspace_id = UUID(order["workspace"])
    if refused:
        _log.warning("%s runs cannot be done again", len(refused))
        _note_refused(workspace_id, order, refused, now)
    if started:
        live.publish(workspace_id, "run", started)


@transaction.atomic
def _start(old: UUID, new: UUID, order: Mapping[str, Any], now: datetime) -> bool:
    original = Run.objects.for_workspace(UUID(order["workspace"])).filter(pk=old).first()
    if original is None or Run.objects.filter(pk=new).exists():
        return False
    start_again(
        original=original,
        new_id=new,
        from_step="",
        version=order["version"],
        mode="live",
        started_by=order["by"]["email"],
        now=now,
    )
    return True


@transaction.atomic
def _note_refused(
    workspace_id: UUID, order: Mapping[str, Any], refused: list[dict[str, str]], now: datetime
) -> None:
    record(
        who=Who("system", "system", "Signalbox", on_behalf_of=order["by"]["user"]),
        workspace_id=workspace_id,
        verb="run.replay",
        target=Target("workspace", str(workspace_id), ""),
        details={"refused": refused},
        now=now,
    )
