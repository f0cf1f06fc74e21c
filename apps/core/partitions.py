"""Monthly partitions of tables whose rows have time-ordered ids: ``run_event_202611``.

Two months are made ahead. A DEFAULT partition takes what comes all the same, and is reported:
its rows stay where they are.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.db import OperationalError, connection, transaction
from psycopg import sql
from psycopg.errors import LockNotAvailable

from apps.core.models import first_uuid7_at

MONTHS_AHEAD: Final = 2


@dataclass
class PartitionReport:
    """What ``Partitioned.ensure`` did, and what is amiss."""

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


@dataclass(frozen=True)
class Partitioned:
    """Tables that are partitioned together.

    ``keys`` names each table's id column. ``refusals`` names, per table, the trigger function
    that refuses TRUNCATE: each partition needs a trigger of its own, since truncating one passes
    the parent by. ``lock`` is an advisory lock's number.
    """

    keys: Mapping[str, str]
    refusals: Mapping[str, str]
    lock: int

    def ensure(self, now: datetime) -> PartitionReport:
        """Make this month's partitions and the next two, and say where a DEFAULT one is in use.

        Safe to call at any time and twice at once. A month whose rows already lie in DEFAULT is
        left there. While somebody reads a whole table it is postponed to the next call, so that
        nobody queues behind it.

        Locks:
            An advisory transaction lock; each DEFAULT partition while a new one is attached.
        """
        report = PartitionReport(in_default=self.rows_in_default())
        try:
            report.created = self._make(now)
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
            report.is_postponed = True
        return report

    def drop(self, month: Month) -> None:
        """Drop a month of all these tables with the caller's transaction; it is gone for ever.

        Raises:
            OperationalError: Somebody uses the tables for longer than half a second
                (``LockNotAvailable``); nobody queues behind the wait for longer than that.

        Locks:
            As ``ensure``, and the tables themselves until the transaction ends.
        """
        with connection.cursor() as cursor:
            cursor.execute("set local lock_timeout = '500ms'")
            cursor.execute("select pg_advisory_xact_lock(%s)", [self.lock])
            for table in self.keys:
                name = sql.Identifier(f"{table}_{month.suffix}")
                cursor.execute(sql.SQL("drop table if exists {}").format(name))

    def rows_in_default(self) -> list[str]:
        """The tables whose DEFAULT partition holds rows; it should be none."""
        found = []
        with connection.cursor() as cursor:
            for table in self.keys:
                default = sql.Identifier(f"{table}_default")
                cursor.execute(sql.SQL("select exists (select 1 from {})").format(default))
                if cursor.fetchone()[0]:
                    found.append(table)
        return found

    @transaction.atomic
    def _make(self, now: datetime) -> list[str]:
        created = []
        with connection.cursor() as cursor:
            cursor.execute("set local lock_timeout = '1s'")
            cursor.execute("select pg_advisory_xact_lock(%s)", [self.lock])
            month = Month.of(now)
            for _ in range(MONTHS_AHEAD + 1):
                for table in self.keys:
                    name = f"{table}_{month.suffix}"
                    if not _exists(cursor, name) and not self._default_holds(cursor, table, month):
                        self._create(cursor, table, name, month)
                        created.append(name)
                month = month.next
        return created

    def _default_holds(self, cursor: Any, table: str, month: Month) -> bool:
        key = sql.Identifier(self.keys[table])
        cursor.execute(
            sql.SQL("select exists (select 1 from {} where {} >= %s and {} < %s)").format(
                sql.Identifier(f"{table}_default"), key, key
            ),
            [month.first_id, month.next.first_id],
        )
        return bool(cursor.fetchone()[0])

    def _create(self, cursor: Any, table: str, name: str, month: Month) -> None:
        """Made apart and then attached: attaching does not stop those who write."""
        statements = ["create table {part} (like {parent} including all)"]
        if table in self.refusals:
            statements.append(
                "create trigger no_truncate before truncate on {part} execute function {refuse}()"
            )
        statements.append(
            "alter table {parent} attach partition {part} for values from ({low}) to ({high})"
        )
        for statement in statements:
            cursor.execute(
                sql.SQL(statement).format(
                    part=sql.Identifier(name),
                    parent=sql.Identifier(table),
                    refuse=sql.Identifier(self.refusals.get(table) or "none"),
                    low=sql.Literal(str(month.first_id)),
                    high=sql.Literal(str(month.next.first_id)),
                )
            )


def months_of(table: str) -> list[Month]:
    """The months that have a partition of this table, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid"
            " where i.inhparent = %s::regclass order by c.relname",
            [table],
        )
        names = [name for (name,) in cursor.fetchall()]
    parts = [re.fullmatch(rf"{table}_(\d{{4}})(\d{{2}})", name) for name in names]
    return [Month(int(part[1]), int(part[2])) for part in parts if part]


def _exists(cursor: Any, name: str) -> bool:
    cursor.execute("select to_regclass(%s) is not null", [name])
    return bool(cursor.fetchone()[0])
