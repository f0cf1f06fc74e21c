"""Monthly partitions of the trail; its rows are never moved."""

from datetime import datetime
from typing import Final

from apps.core.partitions import Month, Partitioned, PartitionReport, months_of

TABLES: Final = {"audit_event": "id", "audit_value": "event_id", "audit_leaf": "event_id"}

_TRAIL: Final = Partitioned(
    keys=TABLES, refusals=dict.fromkeys(TABLES, "audit_refuse"), lock=0x51B0_0A0D
)


def ensure_partitions(now: datetime) -> PartitionReport:
    """Make what is missing of the trail's partitions; see ``core.partitions``."""
    return _TRAIL.ensure(now)


def rows_in_default() -> list[str]:
    """The trail's tables whose DEFAULT partition holds rows; it should be none."""
    return _TRAIL.rows_in_default()


def months() -> list[Month]:
    """The months that have a partition of events, oldest first."""
    return months_of("audit_event")
