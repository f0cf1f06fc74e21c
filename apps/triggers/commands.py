"""Every write about triggers but the gateway's own and ``firing``: releases and clean-up."""

import logging
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import Exists, OuterRef
from psycopg import sql
from psycopg.errors import LockNotAvailable

from apps.accounts.actors import Actor
from apps.core import clock
from apps.core.errors import Conflict
from apps.core.models import first_uuid7_at
from apps.core.partitions import Day
from apps.flows.models import Flow, FlowState, FlowVersion
from apps.runs import priorities
from apps.runs.commands import release_held
from apps.runs.models import RunState
from apps.steps.registry import find_trigger
from apps.steps.types.trigger_event import EventTrigger
from apps.steps.types.trigger_webhook import Webhook
from apps.triggers import partitions
from apps.triggers.firing import expected_after
from apps.triggers.models import (
    SCHEDULE,
    DedupeKey,
    FireStatus,
    Schedule,
    ScheduleFire,
    Trigger,
)

KEYS_KEPT = timedelta(days=30)
FIRES_KEPT = timedelta(days=30)
CHUNK = 1000
SECONDS_A_CALL = 1.0

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
    _set_schedule(trigger, state, now=now)
    if state == FlowState.ACTIVE:
        release_held(flow_id=flow.pk, now=now)


def forget_raw(*, now: datetime) -> int:
    """Take calls older than ``SIGNALBOX_RAW_DAYS`` away, with their raw bodies; returns how many.

    They go by whole days, so a call is kept for a day more at most. What a call started tells of
    it in its journal. Safe to stop and repeat at any point; several clocks may call this at once.
    How many went with a day is what the database estimates.

    Locks:
        The table of calls, while a day is dropped; postponed where it is in use. A batch of rows
        at a time of what lies in no day's partition or came while the clock was ahead.
    """
    # By the id, which holds the real time of arrival; the test clock moves business time alone.
    edge = first_uuid7_at(int((now - timedelta(days=settings.RAW_DAYS)).timestamp() * 1000))
    today = Day.of(clock.real_now()).first_id
    taken = 0
    for day in partitions.days():
        if day.next.first_id > min(edge, today):
            break
        taken += _drop_calls(day)
    is_clock_ahead = edge > today
    return taken + _delete_calls("triggers_delivery" + ("" if is_clock_ahead else "_default"), edge)


def _drop_calls(day: Day) -> int:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "select greatest(0, reltuples)::bigint from pg_class where oid = %s::regclass",
                [f"triggers_delivery_{day.suffix}"],
            )
            about = int(cursor.fetchone()[0])
            partitions.drop(day)
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        _log.info("calls of %s are in use and dropped later", day.suffix)
        return 0
    return about


def _delete_calls(table: str, edge: UUID) -> int:
    statement = sql.SQL(
        "delete from {table} where id in (select id from {table}"
        " where id < %s order by id limit %s for update skip locked)"
    ).format(table=sql.Identifier(table))
    taken, end = 0, monotonic() + SECONDS_A_CALL
    while True:
        with connection.cursor() as cursor:
            cursor.execute(statement, [edge, CHUNK])
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
    return taken + _forget_fires(now)


def _forget_fires(now: datetime) -> int:
    """Those that wait or whose run is under way are needed to judge the next."""
    under_way = RunState.objects.filter(run_id=OuterRef("run_id"))
    old = ScheduleFire.objects.filter(~Exists(under_way), fire_at__lt=now - FIRES_KEPT)
    count, _ = old.exclude(status=FireStatus.WAITING).delete()
    return count


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
    settings = version.document.get("settings") or {}
    trigger.priority = priorities.of_settings(settings)
    contract = settings.get("contract") or {}
    asked = contract.get("input")
    trigger.contract = None if asked is True or asked == {} else asked
    config = find_trigger(trigger.type).config.model_validate(trigger.config)
    trigger.path, trigger.secret_name, trigger.event_type = "", "", ""
    if isinstance(config, EventTrigger):
        trigger.event_type = config.type
    if isinstance(config, Webhook):
        trigger.path = config.path
        if config.signature.scheme != "none":
            trigger.secret_name = config.signature.secret
    return trigger


def _set_schedule(trigger: Trigger, state: str, *, now: datetime) -> None:
    if trigger.type != SCHEDULE:
        Schedule.objects.filter(trigger=trigger).delete()
        return
    cron, zone = trigger.config["cron"], trigger.config.get("zone") or "UTC"
    schedule = Schedule.objects.select_for_update(no_key=True).filter(trigger=trigger).first()
    is_new = schedule is None or (schedule.cron, schedule.zone) != (cron, zone)
    if schedule is None:
        schedule = Schedule(trigger=trigger)
    if is_new:
        schedule.cron, schedule.zone = cron, zone
        for name, value in expected_after(cron, zone, now).items():
            setattr(schedule, name, value)
    schedule.enabled = state == FlowState.ACTIVE
    schedule.save()
    if is_new or state == FlowState.ARCHIVED:
        # The times of the old line are not owed any more.
        waiting = ScheduleFire.objects.filter(schedule=schedule, status=FireStatus.WAITING)
        waiting.update(status=FireStatus.SKIPPED)
