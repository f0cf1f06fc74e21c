"""Fill the tables with finished runs: copies of real ones with ids and times of their own.

For filling only. A million runs through the webhook would take a quarter of an hour and end up as
the same rows; what is measured afterwards goes through the public doors. A copy has everything
that a finished run leaves: its row, its journal, its call and a de-duplication key. Its sealed
body cannot be opened, since the seal is bound to the call that it was copied from.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

AT_ONCE = 50_000
SAMPLE = 500
KEPT_DAYS = 19  # within the month's partition, and younger than anything that is cleared away

#: Of each table: its key, the column with the run, and the columns that hold times.
_COPIED = {
    "run": ("id", "id", ("created_at", "started_at", "finished_at", "updated_at")),
    "run_event": (None, "run_id", ("at",)),
    "triggers_delivery": ("id", "run_id", ("received_at",)),
}
_GIVEN = """
create temp table given on commit drop as
select s.id as old, uuidv7(p.shift) as new, p.shift, now() + p.shift - s.created_at as later
from (
  select g, -(1 - g / %(total)s::float8) * greatest(
    interval '0', least(interval '{days} days', now() - date_trunc('month', now()))) as shift
  from generate_series(%(first)s::int, %(last)s::int) g) p
join (
  select id, created_at, row_number() over () - 1 as place from (
    select id, created_at from run
    where flow_id = %(flow)s and status = 'completed' and created_at > now() - interval '1 hour'
    order by id desc limit {sample}) r) s
  on s.place = p.g %% %(sampled)s
order by 2
"""
_KEYS = """
insert into triggers_dedupekey (trigger_id, key_sha256, run_id, body_sha256, created_at)
select t.id, sha256(convert_to(g.new::text, 'utf8')), g.new,
  sha256(convert_to(g.old::text, 'utf8')), now() + g.shift
from given g, triggers_trigger t where t.flow_id = %(flow)s
"""


def fill(database: str, flow_id: str, upto: int) -> int:
    """Copy finished runs of the flow until the table holds ``upto`` runs; returns how many."""
    with psycopg.connect(database) as connection:
        held = _one(connection, "select count(*) from run")
        sampled = min(
            SAMPLE,
            _one(
                connection,
                "select count(*) from run where flow_id = %s and status = 'completed'"
                " and created_at > now() - interval '1 hour'",
                flow_id,
            ),
        )
        if not sampled:
            raise ValueError("there is no finished run of this flow to copy")
        total = max(0, upto - held)
        # Nothing of this is worth waiting for the disk; the server's own setting stays.
        connection.execute("set synchronous_commit to off")
        _make_days(connection)
        connection.commit()
        for first in range(0, total, AT_ONCE):
            last = min(first + AT_ONCE, total) - 1
            given = {"first": first, "last": last, "total": total, "sampled": sampled}
            _copy(connection, {**given, "flow": flow_id})
            connection.commit()
    with psycopg.connect(database, autocommit=True) as connection:
        # What autovacuum does within minutes.
        for table in (*_COPIED, "triggers_dedupekey"):
            connection.execute(f"vacuum (analyze) {table}")
        connection.execute("checkpoint")
    return total


def _make_days(connection: psycopg.Connection[Any]) -> None:
    """Partitions for the calls of the past, which the product made each on its own day."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for back in range(1, KEPT_DAYS + 2):
        day = today - timedelta(days=back)
        low, high = (
            UUID(int=int(at.timestamp() * 1000) << 80) for at in (day, day + timedelta(days=1))
        )
        connection.execute(
            f"create table if not exists triggers_delivery_{day:%Y%m%d}"
            f" partition of triggers_delivery for values from ('{low}') to ('{high}')"
        )


def _copy(connection: psycopg.Connection[Any], given: Mapping[str, Any]) -> None:
    connection.execute(_GIVEN.format(days=KEPT_DAYS, sample=SAMPLE), given)
    for table, (key, run, times) in _COPIED.items():
        names = [
            name
            for (name,) in connection.execute(
                "select attname from pg_attribute where attrelid = %s::regclass"
                " and attnum > 0 and not attisdropped order by attnum",
                [table],
            )
        ]
        read = ", ".join(
            "g.new"
            if name in {run, "correlation_id"}
            else "uuidv7(g.shift)"
            if name == key
            else f"r.{name} + g.later"
            if name in times
            else f"r.{name}"
            for name in names
        )
        connection.execute(
            f"insert into {table} ({', '.join(names)})"  # noqa: S608
            f" select {read} from given g join {table} r on r.{run} = g.old"
        )
    connection.execute(_KEYS, given)


def _one(connection: psycopg.Connection[Any], sql: str, *given: object) -> int:
    row = connection.execute(sql, given).fetchone()
    return int(row[0]) if row else 0
