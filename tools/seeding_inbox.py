"""Fill the inbox with open tasks: copies of a real one, with ids and runs of their own.

For filling only. A hundred thousand tasks through the webhook would end up as the same rows; what
is measured afterwards goes through the public doors. No run waits for a copy, so none is answered.
"""

import time
from uuid import UUID

import psycopg

_GIVEN = "create temp table given (task uuid, run uuid, n int) on commit drop"
_COLUMNS = """
select column_name from information_schema.columns
where table_schema = current_schema and table_name = %s order by ordinal_position
"""
#: What each copy has of its own, by table; everything else is the original's.
_OWN = {
    "inbox_usertask": {
        "id": "g.task",
        "run_id": "g.run",
        "lane": "g.run",
        "title": "'Filled in ' || g.n",
        "opened_at": "o.opened_at + g.n * interval '1 millisecond'",
    },
    "inbox_taskassignee": {"id": "gen_random_uuid()", "task_id": "g.task"},
}
_FROM = {
    "inbox_usertask": "inbox_usertask o, given g where o.id = %(task)s",
    "inbox_taskassignee": "inbox_taskassignee o, given g where o.task_id = %(task)s",
}


def fill(database: str, task_id: str, count: int) -> None:
    """Copy an open task so many times, with everybody whom it was put to."""
    with psycopg.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute(_GIVEN)
        began = time.time_ns() // 1_000_000
        with cursor.copy("copy given (task, run, n) from stdin") as copy:
            for n in range(1, count + 1):
                copy.write_row((str(_uuid7(began, n)), str(_uuid7(began, count + n)), n))
        for table, own in _OWN.items():
            cursor.execute(_COLUMNS, [table])
            names = [row[0] for row in cursor.fetchall()]
            values = ", ".join(own.get(name, f'o."{name}"') for name in names)
            listed = ", ".join(f'"{name}"' for name in names)
            cursor.execute(
                f"insert into {table} ({listed}) select {values} from {_FROM[table]}",  # noqa: S608 - names of ours
                {"task": task_id},
            )
    tidy(database)


def tidy(database: str) -> None:
    """What the database does by itself after a while."""
    with psycopg.connect(database, autocommit=True) as connection:
        for table in ("inbox_usertask", "inbox_taskassignee", "inbox_decision"):
            connection.execute(f"vacuum analyze {table}")


def _uuid7(milliseconds: int, n: int) -> UUID:
    """Time-ordered, in the order of ``n``."""
    return UUID(int=milliseconds << 80 | 7 << 76 | (n & 0xFFF) << 64 | 2 << 62 | n)
