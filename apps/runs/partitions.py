"""Monthly partitions of runs and journals, named like the trail's: ``run_event_202611``."""

from datetime import datetime

from django.db import connection, transaction
from psycopg import sql

from apps.audit.partitions import MONTHS_AHEAD, Month

TABLES = ("run", "run_event")
_LOCK = 0x51B0_0A0E


def ensure_partitions(now: datetime) -> list[str]:
    """Make this month's partitions and the next two; returns the names of new ones.

    Locks:
        An advisory transaction lock; each DEFAULT partition while a new one is attached.
    """
    made = []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
        month = Month.of(now)
        for _ in range(MONTHS_AHEAD + 1):
            for table in TABLES:
                name = f"{table}_{month.suffix}"
                cursor.execute("select to_regclass(%s) is null", [name])
                if cursor.fetchone()[0]:
                    _create(cursor, table, name, month)
                    made.append(name)
            month = month.next
    return made


def _create(cursor: object, table: str, name: str, month: Month) -> None:
    names = {"part": sql.Identifier(name), "parent": sql.Identifier(table)}
    bounds = {
        "low": sql.Literal(str(month.first_id)),
        "high": sql.Literal(str(month.next.first_id)),
    }
    statements = ["create table {part} (like {parent} including all)"]
    if table == "run_event":
        statements.append(
            "create trigger no_truncate before truncate on {part}"
            " execute function run_event_refuse()"
        )
    statements.append(
        "alter table {parent} attach partition {part} for values from ({low}) to ({high})"
    )
    for statement in statements:
        cursor.execute(sql.SQL(statement).format(**names, **bounds))  # type: ignore[attr-defined]
