"""Pass on what was decided and held long enough: silence settles nothing, only answers do."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.accounts.actors import Actor
from apps.audit.commands import Record, record_many
from apps.inbox import holding
from apps.inbox.commands import about_task, settle, target_of
from apps.inbox.models import UserTask
from apps.inbox.opening import publish

#: What could not be passed on is tried again so much later, and holds up nothing else.
LATER = timedelta(minutes=1)

_log = logging.getLogger(__name__)


def settle_due(*, now: datetime, limit: int = 200) -> int:
    """Pass on, together, what has been held for its time; returns how many tasks were seen to.

    Called by the clock each second; several may. Of a batch that fails each task is tried alone;
    one that fails alone is put off by a minute.

    Locks:
        The tasks' rows, by id; those that somebody holds just now are left to the next call.
    """
    seen = 0
    while ids := _due(now, limit):
        count = _settle_apart(ids, now)
        seen += count
        if count == 0 or len(ids) < limit:
            break
    return seen


def _due(now: datetime, limit: int) -> list[UUID]:
    rows = UserTask.objects.filter(holding.due(now)).order_by("settles_at", "id")
    return list(rows.values_list("pk", flat=True)[:limit])


def _settle_apart(ids: Sequence[UUID], now: datetime) -> int:
    try:
        return _settle(ids, now)
    except Exception:  # noqa: BLE001 - whatever it is, the other tasks go on
        if len(ids) > 1:
            return sum(_settle_apart([one], now) for one in ids)
        _log.exception("what task %s was decided as could not be passed on; put off", ids[0])
        UserTask.objects.filter(holding.due(now), pk=ids[0]).update(settles_at=now + LATER)
        return 1


@transaction.atomic
def _settle(ids: Sequence[UUID], now: datetime) -> int:
    # Somebody may have taken an answer back before the row was held: what is due is asked with it.
    tasks = list(
        UserTask.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
        .filter(holding.due(now), pk__in=ids)
        .select_related("requester")
        .order_by("id")
    )
    if not tasks:
        return 0
    held_until = {task.pk: task.settles_at for task in tasks}
    settle(tasks, now)
    rows = [
        Record(
            who=Actor.system(task.workspace_id).who,
            workspace_id=task.workspace_id,
            verb="task.settle",
            target=target_of(task),
            details={
                **about_task(task),
                "outcome": task.outcome,
                "until": held_until[task.pk],
                "seen": task.seen,
            },
            correlation_id=task.run_id,
            flow_id=task.flow_id,
        )
        for task in tasks
    ]
    record_many(rows=rows, now=now)
    publish(tasks)
    return len(tasks)
