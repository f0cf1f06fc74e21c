"""Monthly partitions of runs and journals."""

import logging
from datetime import datetime
from typing import Final

from apps.core.partitions import Month, Partitioned, PartitionReport

TABLES: Final = {"run": "id", "run_event": "run_id"}

_RUNS: Final = Partitioned(
    keys=TABLES, refusals={"run_event": "run_event_refuse"}, lock=0x51B0_0A0E
)
_log = logging.getLogger(__name__)


def ensure_partitions(now: datetime) -> PartitionReport:
    """Make what is missing of the partitions of runs; see ``core.partitions``.

    Rows in a DEFAULT partition are logged as an error: it must not happen.
    """
    report = _RUNS.ensure(now)
    for table in report.in_default:
        _log.error("%s_default holds rows: partitions were not made in time", table)
    return report


def drop(month: Month) -> None:
    """Drop a month of runs and journals with the caller's transaction; see ``core.partitions``."""
    _RUNS.drop(month)


def rows_in_default() -> list[str]:
    """The tables whose DEFAULT partition holds rows; it should be none."""
    return _RUNS.rows_in_default()
