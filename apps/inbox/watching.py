"""Events that change what people are asked: found here, and applied by ``changing``.

An event is committed and then looks for the questions that are open; a question is committed and
then looks for the events that came since it was put. Whichever commits later sees the other, and
each event is applied to a question once. From a stage to the next, and where a question begins
anew, the row of the task that ends is what both hold: who finds it ended looks again.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.core import clock, outbox
from apps.engine import values
from apps.engine.feel import FeelError
from apps.inbox import changing
from apps.inbox.models import TaskChange, TaskWatch, UserTask
from apps.runs.event_ports import CameEvent, FindEvents, QuestionChanged, Watches
from apps.steps.event_ways import key_digest

#: So many questions look back at once.
AT_ONCE = 100
#: What cannot be applied because of a fault of ours is tried again so much later.
PUT_OFF = timedelta(minutes=1)

_log = logging.getLogger(__name__)

# The next way of telling events apart after one, for as long as there are any: a step of the index
# for each, however many questions share it.
_WAYS = """
with recursive wanted as (
  select * from unnest(%s::uuid[], %s::text[]) as u(workspace_id, type)
), way(workspace_id, type, key_of) as (
  select u.workspace_id, u.type,
    (select w.key_of from inbox_taskwatch w
     where w.workspace_id = u.workspace_id and w.type = u.type and w.is_open
     order by w.key_of limit 1)
  from wanted u
  union all
  select y.workspace_id, y.type,
    (select w.key_of from inbox_taskwatch w
     where w.workspace_id = y.workspace_id and w.type = y.type and w.is_open
       and w.key_of > y.key_of
     order by w.key_of limit 1)
  from way y where y.key_of is not null
)
select workspace_id, type, key_of from way where key_of is not null
"""

Kind = tuple[UUID, str]


@dataclass(frozen=True, slots=True)
class _Came:
    """An event, with its key under each way of telling it from others."""

    event: CameEvent
    keys: Mapping[str, bytes]

    def watches(self, questions: Collection[UUID] | None) -> QuerySet[TaskWatch]:
        """Those that are open and mean this event, or as many of these questions'."""
        keys = [Q(key_of=way, key_sha256=key) for way, key in self.keys.items()]
        found = TaskWatch.objects.for_workspace(self.event.workspace_id).filter(
            reduce(or_, keys),
            type=self.event.type,
            is_open=True,
            since__lte=self.event.came_at,
        )
        return found if questions is None else found.filter(question__in=questions)


def take(
    events: Sequence[CameEvent], now: datetime, questions: Collection[UUID] | None = None
) -> None:
    """Let these events change what they are for, in the caller's transaction.

    Of several for one question the one that happened first goes first.

    Locks:
        The tasks' rows: those that are open now by id, then what was opened meanwhile.
    """
    ways = _ways({(one.workspace_id, one.type) for one in events})
    if not ways:
        return
    came = [
        _Came(event, keys)
        for event in sorted(events, key=lambda one: (one.at, one.id))
        if (keys := _keys(event, ways.get((event.workspace_id, event.type), ()), now))
    ]
    _lock({pk for one in came for pk in one.watches(questions).values_list("task_id", flat=True)})
    for one in came:
        _take(one, now, questions)


def look_back(find: FindEvents, now: datetime) -> int:
    """Look for events that came while questions were being put; returns how many questions.

    Locks:
        The tasks' rows.
    """
    waiting = list(TaskWatch.objects.filter(look_at__lte=now).order_by("look_at", "id")[:AT_ONCE])
    by_kind: dict[Kind, list[TaskWatch]] = {}
    for one in waiting:
        by_kind.setdefault((one.workspace_id, one.type), []).append(one)
    # First, so that what is put off below stays put off.
    TaskWatch.objects.filter(pk__in=[one.pk for one in waiting]).update(look_at=None)
    for (workspace_id, type_), rows in sorted(by_kind.items()):
        questions = {one.question for one in rows}
        for some in find(workspace_id, type_, min(one.since for one in rows)):
            take(some, now, questions)
    return len(waiting)


def is_due() -> bool:
    """Whether a question has yet to look back: its bell may be lost."""
    return TaskWatch.objects.filter(look_at__lte=clock.now()).exists()


def changed(event_ids: Collection[UUID]) -> list[QuestionChanged]:
    """What these events have done to questions, the first first."""
    shown = [TaskChange.State.APPLIED, TaskChange.State.FAILED]
    rows = TaskChange.objects.filter(event_id__in=list(event_ids), state__in=shown)
    return [
        QuestionChanged(one.event_id, one.task.run_id, one.task.step, one.note)
        for one in rows.select_related("task").order_by("at", "id")
    ]


def has_changed(event: OuterRef) -> Exists:
    """Whether the event of that id has changed a question."""
    rows = TaskChange.objects.filter(event_id=event, state=TaskChange.State.APPLIED)
    return Exists(rows)


def _ways(kinds: Collection[Kind]) -> dict[Kind, list[str]]:
    """How open questions tell events of these kinds apart."""
    columns: list[Any] = [list(one) for one in zip(*sorted(kinds), strict=True)]
    found: dict[Kind, list[str]] = {}
    if columns:
        with connection.cursor() as cursor:
            cursor.execute(_WAYS, columns)
            for workspace_id, type_, key_of in cursor.fetchall():
                found.setdefault((workspace_id, type_), []).append(key_of)
    return found


def _keys(event: CameEvent, ways: Collection[str], now: datetime) -> dict[str, bytes]:
    """The event's key by each of these ways; one that fails finds nobody, and the owners hear."""
    found: dict[str, bytes] = {}
    for way in ways:
        try:
            key = (
                changing.told(way, {"event": event.shown}, event.workspace_id, now) if way else None
            )
        except (FeelError, values.NotJson) as wrong:
            _tell_of_key(event, way, str(wrong), now)
        else:
            if key is not None or not way:
                found[way] = key_digest(key)
    return found


def _tell_of_key(event: CameEvent, way: str, why: str, now: datetime) -> None:
    """Nobody knows which question it is about: whoever looks after those flows is told."""
    watching = TaskWatch.objects.for_workspace(event.workspace_id).filter(
        type=event.type, key_of=way, is_open=True, since__lte=event.came_at
    )
    flows = UserTask.objects.filter(pk__in=watching.values("task")).values_list(
        "flow_id", flat=True
    )
    outbox.enqueue_many(
        topic="task.unreadable_event",
        payloads=[
            {"flow": str(one), "event": str(event.id), "type": event.type, "reason": why[:400]}
            for one in sorted(set(flows))
        ],
        now=now,
    )


def _lock(task_ids: Collection[UUID]) -> dict[UUID, UserTask]:
    rows = (
        UserTask.objects.select_for_update(of=("self",), no_key=True)
        .select_related("requester")
        .filter(pk__in=list(task_ids))
        .order_by("id")
    )
    return {one.pk: one for one in rows}


def _take(came: _Came, now: datetime, questions: Collection[UUID] | None) -> None:
    """Apply one event to all whom it is for, and to what has taken their place meanwhile."""
    asked: set[UUID] = set()
    while watches := list(
        came.watches(questions).exclude(task__in=list(asked)).order_by("task_id")
    ):
        asked |= {one.task_id for one in watches}
        tasks = _lock({one.task_id for one in watches})
        for watch in watches:
            _apply(watch, tasks[watch.task_id], came.event, now)


def _apply(watch: TaskWatch, task: UserTask, event: CameEvent, now: datetime) -> None:
    try:
        with transaction.atomic():
            changing.apply(watch, task, event, now)
    except OperationalError:
        raise
    except Exception:  # noqa: BLE001 - whatever it is, the other questions go on
        _log.exception("event %s cannot be applied to task %s; put off", event.id, task.pk)
        TaskWatch.objects.filter(pk=watch.pk).update(look_at=now + PUT_OFF)


WATCHES = Watches(
    take=take, look_back=look_back, is_due=is_due, changed=changed, has_changed=has_changed
)
