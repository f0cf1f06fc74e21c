"""How many effects of a step, and of one key of it, are at work at once over all runs of a flow.

Nothing is counted that could leak: at work is what has the status ``running``. Who claims takes
the limit's lock first and counts in a statement after it, so that two never share the last place.
"""

from typing import Any
from uuid import UUID, uuid4

from django.db import connection

from apps.runs import stopping
from apps.runs.prepared import fetched
from apps.runs.priorities import Priority

#: So many limits are looked at in one go, from a place drawn by lot.
AT_ONCE = 32

#: Each is looked for by itself: those of one priority are in the order of their time.
PRIORITIES = f"array[{', '.join(str(int(one)) for one in Priority)}]::smallint[]"
#: Whether the limit of effect ``e`` has room.
HAS_ROOM = """(select count(*) from effect r
  where r.status = 'running' and r.limit_id = e.limit_id) < e.limit_max"""
# The limits that effects wait for, by a loose index scan from a random place on; each flow gives
# one before any gives two.
_WAITED_FOR = f"""
with recursive above as (
  (select limit_id from effect where status = 'queued' and limit_id > %(start)s::uuid
   order by limit_id limit 1)
  union all
  select n.limit_id from above a, lateral (
    select limit_id from effect where status = 'queued' and limit_id > a.limit_id
    order by limit_id limit 1) n
), below as (
  (select limit_id from effect where status = 'queued' and limit_id <= %(start)s::uuid
   order by limit_id limit 1)
  union all
  select n.limit_id from below b, lateral (
    select limit_id from effect where status = 'queued' and limit_id > b.limit_id
      and limit_id <= %(start)s::uuid
    order by limit_id limit 1) n
), found as (
  (select limit_id from above limit %(most)s::int)
  union (select limit_id from below limit %(most)s::int)
), due as (
  select f.limit_id, e.flow_id, e.priority from found f, lateral (
    select d.* from unnest({PRIORITIES}) p, lateral (
      select flow_id, limit_id, limit_max, priority from effect
      where status = 'queued' and limit_id = f.limit_id and priority = p
        and p <= %(as_far_as)s::smallint and available_at <= business_now() and {stopping.MAY_BEGIN}
      order by available_at, id limit 1) d
    order by d.priority limit 1) e
  where {HAS_ROOM}
)
select priority, limit_id from (
  select priority, limit_id, row_number() over (partition by flow_id order by random()) as place
  from due
) d order by priority, place, random()
"""  # noqa: S608 - our own text
_HOLD = "select pg_try_advisory_xact_lock(hashtextextended(%s, 20260101))"
_HOLDERS = """
select distinct run_id from effect where status = 'running' and limit_id = %s
order by run_id limit %s
"""
MOST_SHOWN = 20


def with_room(*, as_far_as: int = Priority.BULK) -> list[tuple[int, UUID]]:
    """Limits with room that due effects wait for, in the order in which to serve them.

    Each with the highest priority that waits there; none where only lower ones than
    ``as_far_as`` do.
    """
    given = {"start": uuid4(), "most": AT_ONCE, "as_far_as": int(as_far_as)}
    return [(priority, limit_id) for priority, limit_id in fetched(_WAITED_FOR, given)]


def hold(limit_id: UUID) -> bool:
    """Take a limit for the caller's transaction; false where somebody else counts just now."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, [str(limit_id)])
        return bool(cursor.fetchone()[0])


def holders(limit_id: UUID) -> list[Any]:
    """The runs whose effects are at work under a limit, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLDERS, [limit_id, MOST_SHOWN])
        return [run_id for (run_id,) in cursor.fetchall()]
