"""Daily partitions of calls, so that what is too old goes whole; and ids that go with them."""

import hashlib
from datetime import datetime
from typing import Final
from uuid import UUID

from apps.core.partitions import Day, Partitioned, PartitionReport, days_of

TABLE: Final = "triggers_delivery"
TABLES: Final = {TABLE: "id"}

_CALLS: Final = Partitioned(keys=TABLES, refusals={}, lock=0x51B0_0A0F, span=Day)


def ensure_partitions(now: datetime) -> PartitionReport:
    """Make what is missing of the partitions of calls; see ``core.partitions``."""
    return _CALLS.ensure(now)


def drop(day: Day) -> None:
    """Drop a day of calls with the caller's transaction; see ``core.partitions``."""
    _CALLS.drop(day)


def days() -> list[Day]:
    """The days that have a partition, oldest first."""
    return days_of(TABLE)


def rows_in_default() -> list[str]:
    """The tables whose DEFAULT partition holds rows; it should be none."""
    return _CALLS.rows_in_default()


def id_of_taking(event_id: UUID, trigger_id: UUID) -> UUID:
    """The id of what a trigger makes of an event: the same however often it comes to it.

    A unique key over a partitioned table has to hold the partition's own column, so it is the id
    that says "once". Its time is the event's; see ``ids_of_event``.
    """
    digest = hashlib.sha256(f"{event_id}{trigger_id}".encode()).hexdigest()
    return UUID(f"{event_id.hex[:12]}7{digest[:3]}8{digest[3:18]}")


def ids_of_event(event_id: UUID) -> tuple[UUID, UUID]:
    """The first and the last id that what triggers made of this event can have."""
    time = event_id.hex[:12]
    return UUID(time + "0" * 20), UUID(time + "f" * 20)
