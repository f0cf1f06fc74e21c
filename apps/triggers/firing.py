"""Schedules that fire: which times are owed, and what becomes of each while runs are under way.

The schedule's row is locked while that is judged, so two clocks never judge the same schedule;
unique (schedule, time) holds whatever the clocks show.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from apps.accounts.actors import Actor
from apps.core import live, outbox
from apps.core.models import uuid7
from apps.runs.commands import RunIsOver, cancel_run, enqueue_run, run_values, start_payload
from apps.runs.models import RunState
from apps.runs.priorities import Priority
from apps.steps import contracts
from apps.steps.types.trigger_schedule import Schedule as Config
from apps.triggers import schedules
from apps.triggers.models import (
    MAX_REASON,
    SCHEDULE,
    FireStatus,
    Schedule,
    ScheduleFire,
    Trigger,
)

MOST_FIRES = 100

_log = logging.getLogger(__name__)

_UNDER_WAY = Exists(RunState.objects.filter(run_id=OuterRef("run_id")))


def fire_due(*, now: datetime) -> int:
    """Start the runs for which the time has come; returns how many. Called each second.

    Times missed while nothing ran, or while the flow was paused, are made up for as the
    schedule's ``missed`` says; ``overlap`` says what happens while an earlier run of the
    schedule is under way. Several clocks may call this at once.

    Locks:
        The schedules' rows, those that another clock holds are passed over; then the states of
        runs that are cancelled.
    """
    broken: list[UUID] = []
    _look_again_after_a_jump(now, broken)
    fired = _each(_due(now), lambda one: _fire(one, now), broken)
    return fired + _each(_free(), lambda one: _start_waiting(one, now), broken)


def expected_after(cron: str, zone: str, now: datetime) -> dict[str, datetime | None]:
    """The columns that say when a schedule fires next."""
    return {"next_at": schedules.next_after(cron, zone, now), "looked_at": now}


def _due(now: datetime) -> QuerySet[Schedule]:
    return Schedule.objects.filter(enabled=True, next_at__lte=now).order_by("next_at")


def _free() -> QuerySet[Schedule]:
    """Schedules with a time that waits, and no run that it would wait for."""
    mine = ScheduleFire.objects.filter(schedule=OuterRef("pk"))
    busy = mine.filter(_UNDER_WAY, status=FireStatus.STARTED)
    waiting = mine.filter(status=FireStatus.WAITING)
    return Schedule.objects.filter(Exists(waiting), ~Exists(busy), enabled=True).order_by("pk")


def _look_again_after_a_jump(now: datetime, broken: list[UUID]) -> None:
    """A clock that was ahead has put the next times too late; they are worked out again.

    Times that fired already stay fired.
    """
    ahead = Schedule.objects.filter(enabled=True, looked_at__gt=now + schedules.ON_TIME)
    _each(ahead.order_by("pk"), lambda one: _look_again(one, now), broken)


def _look_again(schedule: Schedule, now: datetime) -> int:
    for name, value in expected_after(schedule.cron, schedule.zone, now).items():
        setattr(schedule, name, value)
    schedule.save(update_fields=["next_at", "looked_at"])
    return 0


class _Broken(Exception):
    """One schedule's fault, with what caused it."""

    def __init__(self, trigger_id: UUID) -> None:
        super().__init__(trigger_id)
        self.trigger_id = trigger_id


def _each(found: QuerySet[Schedule], do: Callable[[Schedule], int], broken: list[UUID]) -> int:
    """Do it to one schedule after the other, each in a transaction; returns the sum."""
    total = 0
    for _ in range(MOST_FIRES):
        try:
            count = _next(found.exclude(trigger_id__in=broken), do)
        except _Broken as refused:
            # It is tried again with the next call; the others do not wait for it.
            _log.exception("schedule of trigger %s cannot fire", refused.trigger_id)
            broken.append(refused.trigger_id)
            continue
        if count is None:
            break
        total += count
    return total


@transaction.atomic
def _next(found: QuerySet[Schedule], do: Callable[[Schedule], int]) -> int | None:
    locked = found.select_for_update(skip_locked=True, of=("self",), no_key=True)
    schedule = locked.select_related("trigger").first()
    if schedule is None:
        return None
    try:
        return do(schedule)
    except Exception as error:
        raise _Broken(schedule.trigger_id) from error


def _fire(schedule: Schedule, now: datetime) -> int:
    assert schedule.next_at is not None  # noqa: S101 - the claim asked for it
    config = Config.model_validate(schedule.trigger.config)
    line = schedule.cron, schedule.zone
    times = schedules.owed(*line, config.missed, since=schedule.next_at, now=now)
    _look_again(schedule, now)
    known = schedule.fires.filter(fire_at__in=times).values_list("fire_at", flat=True)
    fired = set(known)
    times = _fitting(schedule, [at for at in times if at not in fired], now)
    if config.overlap == "allow":
        return _open(schedule, times, ["started"] * len(times), now)
    under_way = _under_way(schedule)
    waiting = schedule.fires.filter(status=FireStatus.WAITING).count()
    verdicts = schedules.judge(times, config.overlap, is_busy=bool(under_way), waiting=waiting)
    if config.overlap == "cancel_old" and times:
        _cancel(schedule, under_way, now)
    return _open(schedule, times, verdicts, now)


def _start_waiting(schedule: Schedule, now: datetime) -> int:
    """Start the time that waits longest. Asked again under the lock: a clock may have done it."""
    fire = schedule.fires.filter(status=FireStatus.WAITING).order_by("fire_at").first()
    if fire is None or _under_way(schedule):
        return 0
    if _is_refused(fire, schedule.trigger, now):
        # Something else has been published since the time came.
        fire.save(update_fields=["status", "reason"])
        return 0
    fire.status, fire.run_id = FireStatus.STARTED, uuid7()
    fire.save(update_fields=["status", "run_id"])
    _start(schedule.trigger, [fire], now)
    return 1


def _under_way(schedule: Schedule) -> list[UUID]:
    """Runs of the schedule that have not ended; the others are noted as over."""
    started = schedule.fires.filter(status=FireStatus.STARTED)
    started.filter(~_UNDER_WAY).update(status=FireStatus.OVER)
    return [run_id for run_id in started.values_list("run_id", flat=True) if run_id]


def _cancel(schedule: Schedule, run_ids: Sequence[UUID], now: datetime) -> None:
    actor = Actor.system(schedule.trigger.workspace_id)
    reason = "The next time of its schedule has come."
    for run_id in sorted(run_ids):
        try:
            with transaction.atomic():
                cancel_run(actor=actor, run_id=run_id, reason=reason, now=now)
        except RunIsOver:
            continue
    schedule.fires.filter(run_id__in=run_ids).update(status=FireStatus.OVER)


def _open(
    schedule: Schedule,
    times: Sequence[datetime],
    verdicts: Sequence[schedules.Verdict],
    now: datetime,
) -> int:
    """Write down what becomes of each time, and start the runs; returns how many."""
    fires = [
        ScheduleFire(
            schedule=schedule,
            fire_at=at,
            status=verdict,
            run_id=uuid7() if verdict == "started" else None,
        )
        for at, verdict in zip(times, verdicts, strict=True)
    ]
    ScheduleFire.objects.bulk_create(fires)
    started = [fire for fire in fires if fire.status == FireStatus.STARTED]
    _start(schedule.trigger, started, now)
    return len(started)


def _fitting(schedule: Schedule, times: Sequence[datetime], now: datetime) -> list[datetime]:
    """Those of the times that the flow takes; the others are refused, and start and end nothing."""
    refused = [
        fire
        for at in times
        if _is_refused(fire := ScheduleFire(schedule=schedule, fire_at=at), schedule.trigger, now)
    ]
    ScheduleFire.objects.bulk_create(refused)
    left = {fire.fire_at for fire in refused}
    return [at for at in times if at not in left]


def _is_refused(fire: ScheduleFire, trigger: Trigger, now: datetime) -> bool:
    """Whether the flow does not take what a time gives; its owner is told."""
    wrong = contracts.faults(trigger.contract, _given(fire))
    if not wrong:
        return False
    said = f"What a schedule gives does not fit what the flow takes: {'; '.join(wrong)}."
    fire.status, fire.reason = FireStatus.REFUSED, said[:MAX_REASON]
    payload = {
        "flow": str(trigger.flow_id),
        "case": str(fire.pk),
        "event_type": "",
        "reason": fire.reason,
    }
    outbox.enqueue(topic="start.refused", payload=payload, now=now)
    return True


def _given(fire: ScheduleFire) -> dict[str, str]:
    return {"scheduled_for": fire.fire_at.isoformat().replace("+00:00", "Z")}


def _start(trigger: Trigger, fires: Sequence[ScheduleFire], now: datetime) -> None:
    """Start the run of each time. Several that are made up for are bulk: nothing live waits."""
    run_ids: list[UUID] = []
    for fire in fires:
        assert fire.run_id is not None  # noqa: S101 - the table's own rule
        run_ids.append(fire.run_id)
        is_made_up = len(fires) > 1 and now - fire.fire_at > schedules.ON_TIME
        payload = start_payload(
            run_id=fire.run_id,
            trigger_type=SCHEDULE,
            body=_given(fire),
            now=now,
        )
        enqueue_run(
            parameters=run_values(
                run_id=fire.run_id,
                workspace_id=trigger.workspace_id,
                flow_id=trigger.flow_id,
                version_id=trigger.version_id,
                trigger_type=SCHEDULE,
                payload=payload,
                now=now,
                held=False,
                priority=Priority.BULK if is_made_up else trigger.priority,
            )
        )
    if run_ids:
        live.publish(trigger.workspace_id, "run", run_ids)
