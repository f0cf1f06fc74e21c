"""Outcomes that come when their run is over: written down, and nothing else.

A command may be committed just after its run's last batch read the commands and just before
that batch committed. Nobody will ever claim it; it is journaled as ignored here.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from apps.engine import events as ev
from apps.engine import values

AT_ONCE = 200

# The oldest commands of each lane, by a loose index scan; those of runs that are over stay there.
_LATE = """
with recursive lanes as (
  (select priority, lane from run_command order by priority, lane limit 1)
  union all
  select n.priority, n.lane from lanes l, lateral (
    select priority, lane from run_command where (priority, lane) > (l.priority, l.lane)
    order by priority, lane limit 1) n
), heads as (
  select h.* from lanes l, lateral (
    select id, run_id, created_at from run_command
    where (priority, lane) between (l.priority, l.lane) and (l.priority, l.lane)
    order by priority, lane, id limit %(limit)s) h
)
select h.id from heads h
where h.created_at < business_now() - interval '1 second'
  and not exists (select 1 from run_state s where s.run_id = h.run_id offset 0)
order by h.id limit %(limit)s
"""
_TAKE = """
delete from run_command where id in (
  select id from run_command where id = any(%s) order by id for update skip locked)
returning id, run_id, kind, payload::text
"""
_APPEND = """
insert into run_event (run_id, seq, type, step, at, data)
select run_id, max(seq) + 1, %s, %s, business_now(), %s::json
from run_event where run_id = %s group by run_id
"""


def bury_late_commands() -> int:
    """Journal and remove commands of runs that are over; returns how many. Several may do it."""
    with connection.cursor() as cursor:
        cursor.execute(_LATE, {"limit": AT_ONCE})
        ids = [id_ for (id_,) in cursor.fetchall()]
    return _bury(ids) if ids else 0


def journal_after_end(*, run_id: UUID, step: str, visit: int, outcome: str) -> None:
    """Append to the journal of a run that is over that an outcome was ignored."""
    type_, _, data = ev.to_row(ev.OutcomeIgnored(step, visit, outcome, "run_over"))
    for _ in range(3):  # two late ones may want the same number
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(_APPEND, [type_, step, values.dumps(data), run_id])
        except IntegrityError:
            continue
        return


@transaction.atomic
def _bury(ids: Sequence[int]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [list(ids)])
        rows = sorted(cursor.fetchall())
    for _, run_id, kind, text in rows:
        payload: Any = values.loads(text)
        if "step" in payload:
            journal_after_end(
                run_id=run_id,
                step=payload["step"],
                visit=payload["visit"],
                outcome=payload.get("outcome", kind),
            )
    return len(rows)
