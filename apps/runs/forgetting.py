"""What grows is taken away: effects and timers of runs long over, and, if wished, whole months.

The journal tells everything that a page shows of a run that is over; its effects and timers are
work done. Months of runs are kept for ever unless ``SIGNALBOX_RUN_DAYS`` says otherwise.
"""

import logging
from datetime import datetime, timedelta
from time import monotonic
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import OperationalError, connection, transaction
from psycopg import sql
from psycopg.errors import LockNotAvailable

from apps.audit.commands import Record, record_many
from apps.audit.records import Target, Who
from apps.core.models import first_uuid7_at
from apps.core.partitions import Month, months_of
from apps.engine.lifecycle import FINAL_RUN, RunStatus
from apps.runs import partitions

WORK_KEPT = timedelta(days=7)
CHUNK = 1000
#: The clock has other things to do; what is left goes with the next call.
SECONDS_A_CALL = 1.0

_log = logging.getLogger(__name__)

# By run, on the unique index: what an unfinished old run holds is passed over once per call.
_FORGET = """
with found as (
  select w.id, w.run_id from {table} w
  where w.run_id >= %(after)s and w.run_id < %(edge)s
    and not exists (select 1 from run_state s where s.run_id = w.run_id)
    and not exists (
      select 1 from run r
      where r.id = w.run_id and (r.finished_at is null or r.finished_at >= %(before)s))
  order by w.run_id limit %(limit)s for update of w skip locked
), gone as (
  delete from {table} w using found where w.id = found.id returning w.run_id
)
select count(*), (select run_id from gone order by run_id desc limit 1) from gone
"""
# Per workspace, since that is how the partition's indexes begin.
_WORKSPACES = """
with recursive found as (
  (select workspace_id from {part} order by workspace_id limit 1)
  union all
  select n.workspace_id from found f, lateral (
    select workspace_id from {part} where workspace_id > f.workspace_id
    order by workspace_id limit 1) n
)
select workspace_id,
  exists (select 1 from {part} r where r.workspace_id = f.workspace_id
          and r.status = any(%(live)s))
  or exists (select 1 from {part} r where r.workspace_id = f.workspace_id
             and r.updated_at >= %(before)s)
from found f order by workspace_id
"""


def forget_work(*, now: datetime) -> int:
    """Delete effects and timers of runs that ended more than a week ago; returns how many.

    Stops after a second, though there be more. Safe to stop and repeat at any point; several
    clocks may call it at once.

    Locks:
        A batch of rows at a time; those that somebody holds are passed over.
    """
    before, end = now - WORK_KEPT, monotonic() + SECONDS_A_CALL
    return sum(_forget(table, before, end) for table in ("effect", "timer"))


def _forget(table: str, before: datetime, end: float) -> int:
    statement = sql.SQL(_FORGET).format(table=sql.Identifier(table))
    after, taken = UUID(int=0), 0
    edge = first_uuid7_at(int(before.timestamp() * 1000))
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                statement, {"after": after, "edge": edge, "before": before, "limit": CHUNK}
            )
            row: tuple[int, UUID] = cursor.fetchone()
        taken += row[0]
        if row[0] < CHUNK or monotonic() > end:
            return taken
        after = row[1]


def drop_old_months(*, now: datetime) -> list[str]:
    """Drop months of runs and journals older than ``SIGNALBOX_RUN_DAYS``; returns which.

    A month goes whole, when every run that began in it is over and nothing happened to any of
    them for so many days. The trail says so in each workspace that had runs in it. ``now`` is
    real time, as ids are.

    Locks:
        The tables of runs, while a month is dropped; postponed where they are in use.
    """
    if not settings.RUN_DAYS:
        return []
    before = now - timedelta(days=settings.RUN_DAYS)
    edge = first_uuid7_at(int(before.timestamp() * 1000))
    dropped = []
    for month in months_of("run"):
        if month.next.first_id > edge:
            break
        try:
            if _drop(month, before, now):
                dropped.append(month.suffix)
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
            _log.info("the month %s of runs is in use and dropped later", month.suffix)
    return dropped


@transaction.atomic
def _drop(month: Month, before: datetime, now: datetime) -> bool:
    part = sql.Identifier(f"run_{month.suffix}")
    live = [one.value for one in RunStatus if one not in FINAL_RUN]
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(_WORKSPACES).format(part=part), {"live": live, "before": before})
        found = cursor.fetchall()
        if any(is_needed for _, is_needed in found):
            return False
        about = _about_how_many(cursor, month)
        partitions.drop(month)
    name = f"{month.year}-{month.month:02}"
    note = {"month": name, "days": settings.RUN_DAYS}
    rows = [_note(workspace_id, note) for workspace_id, _ in found]
    record_many(rows=[_note(None, {**note, "about": about}), *rows], now=now)
    return True


def _note(workspace_id: UUID | None, details: dict[str, Any]) -> Record:
    return Record(
        who=Who("system", "system", "Signalbox"),
        workspace_id=workspace_id,
        verb="run.forget",
        target=Target("runs", details["month"], details["month"]),
        reason="SIGNALBOX_RUN_DAYS",
        details=details,
    )


def _about_how_many(cursor: Any, month: Month) -> int:
    """As the database estimates it: counting would take longer than the clock has."""
    cursor.execute(
        "select greatest(0, reltuples)::bigint from pg_class where oid = %s::regclass",
        [f"run_{month.suffix}"],
    )
    return int(cursor.fetchone()[0])
