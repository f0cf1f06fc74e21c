"""``GET /metrics``: how the installation does, for Prometheus. Numbers only, of all workspaces.

What is counted in tables is read when asked; what only a process knows (the gateway's answers)
is that of the process that answers, since its start.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

from django.db import OperationalError, connection, transaction

from apps.audit import partitions as audit_partitions
from apps.audit.queries import trail_state
from apps.core import clock
from apps.core.models import first_uuid7_at
from apps.engine.lifecycle import RunStatus
from apps.runs import partitions
from apps.runs.priorities import PARKED, Priority
from apps.runs.sweep import oldest_command_age_s
from apps.triggers import answers
from apps.triggers import partitions as call_partitions

RIGHT: Final = "metrics.read"
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
#: Runs of a day may be many millions; they are counted once in this time per process.
DAY_COUNTED_EVERY_S: Final = 60.0
STATEMENT_TIMEOUT: Final = "5s"

_log = logging.getLogger(__name__)

_COMMANDS = """
select case when priority < %(bulk)s then 'waiting'
            when priority < %(parked)s then 'bulk' else 'parked' end, count(*)
from run_command group by 1
"""
# Apart as the indexes are: what is done stays in the table for a week.
_EFFECTS = """
select 'queued', (select count(*) from effect where status = 'queued' and limit_id is null)
  + (select count(*) from effect where status = 'queued' and limit_id is not null)
union all
select 'running', (select count(*) from effect where status = 'running')
"""
_HELD = "select reason, count(*) from waiting_start group by 1"
# By workspace, since that is how the index begins.
_PAUSED = """
select count(*) from accounts_workspace w
join lateral (select 1 from run where workspace_id = w.id and status = 'paused') r on true
"""
_TASKS = """
select count(*), count(*) filter (where due_at < business_now())
from inbox_usertask where status = 'open'
"""
_OUTBOX = """
select case when failed_at is null then 'waiting' else 'given_up' end, count(*)
from core_outbox group by 1
"""
_DAY = """
select status, count(*) from run where id >= %(since)s and trigger_type <> 'test' group by 1
"""


@dataclass(slots=True)
class _Day:
    """The runs of the last day by status, and until when that count is good."""

    until: float
    counts: Mapping[str, int]


_day = _Day(0.0, {})


def metrics_text() -> bytes:
    """Everything in Prometheus' text format."""
    # 14 MB that a process needs only where somebody asks.
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector())
    return generate_latest(registry)


class _Collector:
    """Reads everything in one short transaction."""

    @transaction.atomic
    def collect(self) -> Iterator[Any]:
        with connection.cursor() as cursor:
            cursor.execute(f"set local statement_timeout = '{STATEMENT_TIMEOUT}'")
            return iter([*_work(cursor), *_people_and_trail(cursor), *_amiss(cursor), _answers()])


def _work(cursor: Any) -> Iterator[Any]:
    oldest = oldest_command_age_s(below=Priority.BULK)
    yield _gauge("oldest_command_age_seconds", _AGE_HELP, oldest)
    cursor.execute(_COMMANDS, {"bulk": int(Priority.BULK), "parked": PARKED})
    yield _by("commands", "Things that should happen to runs.", "state", cursor.fetchall(),
              ["waiting", "bulk", "parked"])  # fmt: skip
    cursor.execute(_EFFECTS)
    yield _by("effects", "Effects that wait for a worker, or are under way.", "status",
              cursor.fetchall(), ["queued", "running"])  # fmt: skip
    cursor.execute(_HELD)
    held = dict(cursor.fetchall())
    cursor.execute(_PAUSED)
    yield _by("held_runs", "Runs that are held: by a limit, by a paused flow, by a fault of ours.",
              "reason", [*held.items(), ("fault", cursor.fetchone()[0])],
              ["limit", "paused", "fault"])  # fmt: skip
    yield _by("runs_last_day", "Runs accepted in the last 24 hours.", "status",
              _runs_of_day(cursor).items(), [one.value for one in RunStatus])  # fmt: skip


def _people_and_trail(cursor: Any) -> Iterator[Any]:
    cursor.execute(_TASKS)
    opened, overdue = cursor.fetchone()
    yield _gauge("open_tasks", "Tasks that wait for people.", opened)
    yield _gauge("overdue_tasks", "Open tasks whose time is over; the clock closes them.", overdue)
    trail = trail_state()
    oldest = trail.oldest_unsealed_at
    age = max(0.0, (clock.now() - oldest).total_seconds()) if oldest else 0.0
    yield _gauge("unsealed_rows", "Rows of the trail that wait for their seal.", trail.unsealed)
    yield _gauge("oldest_unsealed_row_age_seconds", "Age of the oldest of them.", age)
    yield _gauge("refused_rows", "Rows of the trail that the sealer refuses.", trail.refused)


def _amiss(cursor: Any) -> Iterator[Any]:
    cursor.execute(_OUTBOX)
    yield _by("outbox_rows", "What is to be sent, and what was given up.", "state",
              cursor.fetchall(), ["waiting", "given_up"])  # fmt: skip
    parted = [partitions, audit_partitions, call_partitions]
    late = [table for one in parted for table in one.rows_in_default()]
    yield _by("default_partition_in_use", "1 where rows met no partition of their time.", "table",
              [(table, 1) for table in late],
              [table for one in parted for table in one.TABLES])  # fmt: skip


def _answers() -> Any:
    from prometheus_client.core import CounterMetricFamily  # noqa: PLC0415 - see `metrics_text`

    family = CounterMetricFamily(
        "signalbox_gateway_answers", "Answers of /hooks/ by this process.", labels=["code"]
    )
    for status, count in sorted(answers.given.items()):
        family.add_metric([str(status)], count)
    return family


def _runs_of_day(cursor: Any) -> Mapping[str, int]:
    if monotonic() > _day.until:
        since = first_uuid7_at(int(clock.real_now().timestamp() * 1000) - 24 * 3600 * 1000)
        try:
            with transaction.atomic():
                cursor.execute(_DAY, {"since": since})
                _day.counts = dict(cursor.fetchall())
        except OperationalError as error:  # too many for the time: the rest is still told
            _log.warning("the runs of the last day are not counted: %s", error)
        _day.until = monotonic() + DAY_COUNTED_EVERY_S
    return _day.counts


_AGE_HELP = "How long the oldest command that could be driven has waited."


def _gauge(name: str, text: str, value: float) -> Any:
    from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415 - see `metrics_text`

    return GaugeMetricFamily(f"signalbox_{name}", text, value=value)


def _by(name: str, text: str, label: str, counts: Any, known: list[str]) -> Any:
    """A gauge with a label; what is known and was not counted is 0."""
    from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415 - see `metrics_text`

    family = GaugeMetricFamily(f"signalbox_{name}", text, labels=[label])
    for value, count in {**dict.fromkeys(known, 0), **dict(counts)}.items():
        family.add_metric([value], count)
    return family
