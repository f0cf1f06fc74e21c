"""Partitions by month or day of tables whose rows have time-ordered ids: ``run_event_202611``.

Two are made ahead. A DEFAULT partition takes what comes all the same, and is reported: its rows
stay where they are.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import OperationalError, connection, transaction
from psycopg import sql
from psycopg.errors import LockNotAvailable

from apps.core.models import first_uuid7_at

AHEAD: Final = 2


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
        return _first_id(self.year, self.month, 1)

    @classmethod
    def named(cls, suffix: str) -> "Month | None":
        """The month of a partition's name; None where it is no month's."""
        found = re.fullmatch(r"(\d{4})(\d{2})", suffix)
        return cls(int(found[1]), int(found[2])) if found else None


@dataclass(frozen=True)
class Day:
    """A calendar day in UTC, as a range of ids."""

    year: int
    month: int
    day: int

    @classmethod
    def of(cls, at: datetime) -> "Day":
        at = at.astimezone(UTC)
        return cls(at.year, at.month, at.day)

    @property
    def next(self) -> "Day":
        after = date(self.year, self.month, self.day) + timedelta(days=1)
        return Day(after.year, after.month, after.day)

    @property
    def suffix(self) -> str:
        return f"{self.year:04}{self.month:02}{self.day:02}"

    @property
    def first_id(self) -> UUID:
        return _first_id(self.year, self.month, self.day)

    @classmethod
    def named(cls, suffix: str) -> "Day | None":
        """The day of a partition's name; None where it is no day's."""
        found = re.fullmatch(r"(\d{4})(\d{2})(\d{2})", suffix)
        return cls(int(found[1]), int(found[2]), int(found[3])) if found else None


Span = Month | Day


def _first_id(year: int, month: int, day: int) -> UUID:
    start = datetime(year, month, day, tzinfo=UTC)
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
    span: type[Month] | type[Day] = Month

    def ensure(self, now: datetime) -> PartitionReport:
        """Make the partitions of now and the next two, and say where a DEFAULT one is in use.

        Safe to call at any time and twice at once. Where rows already lie in DEFAULT they are
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

    def drop(self, span: Span) -> None:
        """Drop a month or day of these tables with the caller's transaction; it is gone for ever.

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
                name = sql.Identifier(f"{table}_{span.suffix}")
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
            span: Span = self.span.of(now)
            for _ in range(AHEAD + 1):
                for table in self.keys:
                    name = f"{table}_{span.suffix}"
                    if not _exists(cursor, name) and not self._default_holds(cursor, table, span):
                        self._create(cursor, table, name, span)
                        created.append(name)
                span = span.next
        return created

    def _default_holds(self, cursor: Any, table: str, span: Span) -> bool:
        key = sql.Identifier(self.keys[table])
        cursor.execute(
            sql.SQL("select exists (select 1 from {} where {} >= %s and {} < %s)").format(
                sql.Identifier(f"{table}_default"), key, key
            ),
            [span.first_id, span.next.first_id],
        )
        return bool(cursor.fetchone()[0])

    def _create(self, cursor: Any, table: str, name: str, span: Span) -> None:
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
                    low=sql.Literal(str(span.first_id)),
                    high=sql.Literal(str(span.next.first_id)),
                )
            )


def months_of(table: str) -> list[Month]:
    """The months that have a partition of this table, oldest first."""
    return [found for suffix in _suffixes(table) if (found := Month.named(suffix))]


def days_of(table: str) -> list[Day]:
    """The days that have a partition of this table, oldest first."""
    return [found for suffix in _suffixes(table) if (found := Day.named(suffix))]


def _suffixes(table: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid"
            " where i.inhparent = %s::regclass order by c.relname",
            [table],
        )
        return [name.removeprefix(f"{table}_") for (name,) in cursor.fetchall()]


def _exists(cursor: Any, name: str) -> bool:
    cursor.execute("select to_regclass(%s) is not null", [name])
    return bool(cursor.fetchone()[0])
