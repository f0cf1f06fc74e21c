"""Monthly partitions of the trail. Names carry the month: ``audit_event_202611``."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.db import OperationalError, connection, transaction
from psycopg import sql
from psycopg.errors import LockNotAvailable

from apps.core.models import first_uuid7_at

TABLES: Final = {"audit_event": "id", "audit_value": "event_id", "audit_leaf": "event_id"}
MONTHS_AHEAD: Final = 2
_LOCK: Final = 0x51B0_0A0D


@dataclass
class PartitionReport:
    """What ``ensure_partitions`` did, and what is amiss."""

    created: list[str] = field(default_factory=list)
    in_default: list[str] = field(default_factory=list)
    is_postponed: bool = False


@dataclass(frozen=True)
class Month:
    """A calendar month in UTC, as a range of ids."""

    year: int
    month: int

    @classmethod
    def of(cls, at: datetime) -> "Month":
        at = at.astimezone(UTC)
        return cls(at.year, at.month)

    @property
    def next(self) -> "Month":
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    @property
    def suffix(self) -> str:
        return f"{self.year:04}{self.month:02}"

    @property
    def first_id(self) -> UUID:
        start = datetime(self.year, self.month, 1, tzinfo=UTC)
        return first_uuid7_at(int(start.timestamp() * 1000))


def ensure_partitions(now: datetime) -> PartitionReport:
    """Make this month's partitions and the next two, and say where a DEFAULT one is in use.

    Safe to call at any time and twice at once. A month whose rows already lie in DEFAULT is
    left there and reported: rows of the trail are never moved. While somebody reads the whole
    trail it is postponed to the next call, so that nobody queues behind it.

    Locks:
        An advisory transaction lock; each table's DEFAULT partition while a new one is attached.
    """
    report = PartitionReport(in_default=rows_in_default())
    try:
        report.created = _make(now)
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        report.is_postponed = True
    return report


@transaction.atomic
def _make(now: datetime) -> list[str]:
    created = []
    with connection.cursor() as cursor:
        cursor.execute("set local lock_timeout = '1s'")
        cursor.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
        month = Month.of(now)
        for _ in range(MONTHS_AHEAD + 1):
            for table, key in TABLES.items():
                name = f"{table}_{month.suffix}"
                if not _exists(cursor, name) and not _default_holds(cursor, table, key, month):
                    _create(cursor, table, name, month)
                    created.append(name)
            month = month.next
    return created


def rows_in_default() -> list[str]:
    """The trail's tables whose DEFAULT partition holds rows; it should be none."""
    with connection.cursor() as cursor:
        found = []
        for table in TABLES:
            cursor.execute(
                sql.SQL("select exists (select 1 from {})").format(
                    sql.Identifier(f"{table}_default")
                )
            )
            if cursor.fetchone()[0]:
                found.append(table)
    return found


def months() -> list[Month]:
    """The months that have a partition of events, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid"
            " where i.inhparent = 'audit_event'::regclass order by c.relname"
        )
        names = [name for (name,) in cursor.fetchall()]
    parts = [re.fullmatch(r"audit_event_(\d{4})(\d{2})", name) for name in names]
    return [Month(int(part[1]), int(part[2])) for part in parts if part]


def _exists(cursor: Any, name: str) -> bool:
    cursor.execute("select to_regclass(%s) is not null", [name])
    return bool(cursor.fetchone()[0])


def _default_holds(cursor: Any, table: str, key: str, month: Month) -> bool:
    cursor.execute(
        sql.SQL("select exists (select 1 from {} where {} >= %s and {} < %s)").format(
            sql.Identifier(f"{table}_default"), sql.Identifier(key), sql.Identifier(key)
        ),
        [month.first_id, month.next.first_id],
    )
    return bool(cursor.fetchone()[0])


def _create(cursor: Any, table: str, name: str, month: Month) -> None:
    """Made apart and then attached: attaching does not stop those who write."""
    names = {"part": sql.Identifier(name), "parent": sql.Identifier(table)}
    for statement in (
        "create table {part} (like {parent} including all)",
        "create trigger no_truncate before truncate on {part} execute function audit_refuse()",
        "alter table {parent} attach partition {part} for values from ({low}) to ({high})",
    ):
        cursor.execute(
            sql.SQL(statement).format(
                **names,
                low=sql.Literal(str(month.first_id)),
                high=sql.Literal(str(month.next.first_id)),
            )
        )
