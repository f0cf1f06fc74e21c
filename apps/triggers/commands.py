"""Every write about triggers but the gateway's own: releases, schedules that fire, clean-up."""

import logging
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from apps.accounts.actors import Actor
from apps.core import live
from apps.core.errors import Conflict
from apps.core.models import first_uuid7_at, uuid7
from apps.flows.models import Flow, FlowState, FlowVersion
from apps.runs.commands import enqueue_run, release_held, run_values, start_payload
from apps.steps.registry import find_trigger
from apps.steps.types.trigger_event import EventTrigger
from apps.steps.types.trigger_webhook import Webhook
from apps.triggers import schedules
from apps.triggers.models import (
    SCHEDULE,
    DedupeKey,
    Schedule,
    ScheduleFire,
    Trigger,
)

KEYS_KEPT = timedelta(days=30)
FIRES_KEPT = timedelta(days=30)
CHUNK = 1000
SECONDS_A_CALL = 1.0
MOST_FIRES = 100

_log = logging.getLogger(__name__)


class PathTaken(Conflict):
    """Another flow of the workspace answers at this address."""

    code = "path_taken"


def apply_release(
    *,
    flow: Flow,
    version: FlowVersion | None,
    state: str,
    actor: Actor,  # noqa: ARG001 - the port's signature; flows writes the trail
    now: datetime,
) -> None:
    """Let signals reach what was just published, activated, paused, resumed or archived.

    Called by ``flows`` inside the transaction of that command, which has locked the flow. An
    active flow also starts what was held while it was paused.

    Raises:
        PathTaken: Another flow took the address since the check.

    Locks:
        The trigger's row, then the schedule's.
    """
    trigger = Trigger.objects.select_for_update(no_key=True).filter(flow=flow).first()
    if version is not None:
        trigger = _point_at(version, trigger, flow, now=now)
    if trigger is None:
        return
    trigger.enabled = state != FlowState.ARCHIVED
    trigger.revision += 1
    trigger.updated_at = now
    try:
        with transaction.atomic():
            trigger.save()
    except IntegrityError as refused:
        if "trigger_path_once" not in str(refused):
            raise
        raise PathTaken(
            f"Another flow of this workspace answers at /{trigger.path}; choose another address."
        ) from refused
    _set_schedule(trigger, is_running=state == FlowState.ACTIVE, now=now)
    if state == FlowState.ACTIVE:
        release_held(flow_id=flow.pk, now=now)


def fire_due(*, now: datetime) -> int:
    """Start a run for each schedule whose time has come; returns how many. Called each second.

    Times missed while nothing ran, or while the flow was paused, are made up for by one run, for
    the last of them. Several clocks may call this at once.

    Locks:
        The schedules' rows; those that another clock holds are passed over.
    """
    fired = 0
    broken: list[UUID] = []
    for _ in range(MOST_FIRES):
        try:
            found = _fire_next(now, but=broken)
        except _Broken as refused:
            # It is tried again with the next call; the others do not wait for it.
            _log.exception("schedule of trigger %s cannot fire", refused.trigger_id)
            broken.append(refused.trigger_id)
            continue
        if found is None:
            break
        fired += found
    return fired


def forget_raw(*, now: datetime) -> int:
    """Delete calls older than ``SIGNALBOX_RAW_DAYS``, with their raw bodies; returns how many.

    What a call started tells of it in its journal. Stops after a second, though there be more.
    Safe to stop and repeat at any point; several clocks may call this at once.

    Locks:
        A batch of rows at a time; those that somebody holds are passed over.
    """
    # By the id, which holds the real time of arrival; the test clock moves business time alone.
    edge = first_uuid7_at(int((now - timedelta(days=settings.RAW_DAYS)).timestamp() * 1000))
    taken, end = 0, monotonic() + SECONDS_A_CALL
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "delete from triggers_delivery where id in (select id from triggers_delivery"
                " where id < %s order by id limit %s for update skip locked)",
                [edge, CHUNK],
            )
            count = int(cursor.rowcount)
        taken += count
        if count < CHUNK or monotonic() > end:
            return taken


def forget_keys(*, now: datetime) -> int:
    """Delete keys after 30 days, and the record of times that schedules fired; returns how many.

    From then on a call under the same key is a new one.
    """
    taken: int = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(
                f"delete from {DedupeKey._meta.db_table} where (trigger_id, key_sha256) in"  # noqa: S608, SLF001 - our own table's name
                f" (select trigger_id, key_sha256 from {DedupeKey._meta.db_table}"  # noqa: SLF001 - as above
                " where created_at < %s limit %s)",
                [now - KEYS_KEPT, CHUNK],
            )
            taken += cursor.rowcount
            if cursor.rowcount < CHUNK:
                break
    fires, _ = ScheduleFire.objects.filter(fire_at__lt=now - FIRES_KEPT).delete()
    return taken + fires


def _point_at(
    version: FlowVersion, trigger: Trigger | None, flow: Flow, *, now: datetime
) -> Trigger:
    """The flow's trigger, made to be that of ``version``; not yet saved."""
    if trigger is None:
        trigger = Trigger(flow=flow, workspace_id=flow.workspace_id, revision=0, updated_at=now)
    described = version.document["trigger"]
    trigger.version = version
    trigger.type = described["type"]
    trigger.config = described.get("config") or {}
    config = find_trigger(trigger.type).config.model_validate(trigger.config)
    trigger.path, trigger.secret_name, trigger.event_type = "", "", ""
    if isinstance(config, EventTrigger):
        trigger.event_type = config.type
    if isinstance(config, Webhook):
        trigger.path = config.path
        if config.signature.scheme != "none":
            trigger.secret_name = config.signature.secret
    return trigger


def _set_schedule(trigger: Trigger, *, is_running: bool, now: datetime) -> None:
    if trigger.type != SCHEDULE:
        Schedule.objects.filter(trigger=trigger).delete()
        return
    cron, zone = trigger.config["cron"], trigger.config.get("zone") or "UTC"
    schedule = Schedule.objects.select_for_update(no_key=True).filter(trigger=trigger).first()
    if schedule is None or (schedule.cron, schedule.zone) != (cron, zone):
        # The times of the old line are not owed any more.
        schedule = schedule or Schedule(trigger=trigger)
        schedule.cron, schedule.zone = cron, zone
        schedule.next_at = schedules.next_after(cron, zone, now)
    schedule.enabled = is_running
    schedule.save()


class _Broken(Exception):
    """One schedule's fault, with what caused it."""

    def __init__(self, trigger_id: UUID) -> None:
        super().__init__(trigger_id)
        self.trigger_id = trigger_id


@transaction.atomic
def _fire_next(now: datetime, *, but: list[UUID]) -> int | None:
    """Fire the schedule that is due longest; None where none is."""
    schedule = (
        Schedule.objects.select_for_update(skip_locked=True, of=("self",), no_key=True)
        .select_related("trigger")
        .filter(enabled=True, next_at__lte=now)
        .exclude(trigger_id__in=but)
        .order_by("next_at")
        .first()
    )
    if schedule is None:
        return None
    try:
        return _fire(schedule, now)
    except Exception as error:
        raise _Broken(schedule.trigger_id) from error


def _fire(schedule: Schedule, now: datetime) -> int:
    trigger = schedule.trigger
    assert schedule.next_at is not None  # noqa: S101 - the claim asked for it
    due = schedules.last_until(schedule.cron, schedule.zone, now)
    fire_at = max(schedule.next_at, due) if due else schedule.next_at
    schedule.next_at = schedules.next_after(schedule.cron, schedule.zone, now)
    schedule.save(update_fields=["next_at"])
    run_id = uuid7()
    fire = ScheduleFire(schedule=schedule, fire_at=fire_at, run_id=run_id)
    ScheduleFire.objects.bulk_create([fire], ignore_conflicts=True)
    if not ScheduleFire.objects.filter(schedule=schedule, run_id=run_id).exists():
        return 0
    enqueue_run(
        parameters=run_values(
            run_id=run_id,
            workspace_id=trigger.workspace_id,
            flow_id=trigger.flow_id,
            version_id=trigger.version_id,
            trigger_type=SCHEDULE,
            payload=start_payload(
                run_id=run_id,
                trigger_type=SCHEDULE,
                body={"scheduled_for": fire_at.isoformat().replace("+00:00", "Z")},
                now=now,
            ),
            now=now,
            held=False,
        )
    )
    live.publish(trigger.workspace_id, "run", [run_id])
    return 1
