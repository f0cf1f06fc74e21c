"""Monthly partitions of runs and journals, named like the trail's: ``run_event_202611``."""

import logging
from datetime import datetime
from typing import Any, Final

from django.db import OperationalError, connection, transaction
from psycopg import sql
from psycopg.errors import LockNotAvailable

from apps.audit.partitions import MONTHS_AHEAD, Month

TABLES: Final = {"run": "id", "run_event": "run_id"}
_LOCK: Final = 0x51B0_0A0E

_log = logging.getLogger(__name__)


def ensure_partitions(now: datetime) -> list[str]:
    """Make this month's partitions and the next two; returns the names of new ones.

    Safe to call at any time and twice at once. A month whose rows already lie in DEFAULT is left
    there, and that is logged as an error: it must not happen. While somebody reads everything it
    is postponed to the next call, so that nobody queues behind it.

    Locks:
        An advisory transaction lock; each table's DEFAULT partition while a new one is attached.
    """
    for table in rows_in_default():
        _log.error("%s_default holds rows: partitions were not made in time", table)
    try:
        return _make(now)
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        _log.warning("partitions are made later: %s", error)
        return []


def rows_in_default() -> list[str]:
    """The tables whose DEFAULT partition holds rows; it should be none."""
    found = []
    with connection.cursor() as cursor:
        for table in TABLES:
            default = sql.Identifier(f"{table}_default")
            cursor.execute(sql.SQL("select exists (select 1 from {})").format(default))
            if cursor.fetchone()[0]:
                found.append(table)
    return found


@transaction.atomic
def _make(now: datetime) -> list[str]:
    made = []
    with connection.cursor() as cursor:
        cursor.execute("set local lock_timeout = '1s'")
        cursor.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
        month = Month.of(now)
        for _ in range(MONTHS_AHEAD + 1):
            for table, key in TABLES.items():
                name = f"{table}_{month.suffix}"
                if not _exists(cursor, name) and not _default_holds(cursor, table, key, month):
                    _create(cursor, table, name, month)
                    made.append(name)
            month = month.next
    return made


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
    statements = ["create table {part} (like {parent} including all)"]
    if table == "run_event":
        # TRUNCATE of a partition passes by the parent's trigger.
        statements.append(
            "create trigger no_truncate before truncate on {part}"
            " execute function run_event_refuse()"
        )
    statements.append(
        "alter table {parent} attach partition {part} for values from ({low}) to ({high})"
    )
    for statement in statements:
        cursor.execute(
            sql.SQL(statement).format(
                part=sql.Identifier(name),
                parent=sql.Identifier(table),
                low=sql.Literal(str(month.first_id)),
                high=sql.Literal(str(month.next.first_id)),
            )
        )
