"""Bring events together with those that wait for them, and with the flows that start by them.

An event is committed first with its keys and then looks for open waits; a wait is committed first
and then looks for events that are still good. Whichever commits later sees the other, so nothing
passes by; what was left undone by a killed worker, the clock has done again. Several workers may
do all of this at once.

Keys: each way of telling events apart (``EventPattern``) is made with the first wait that uses it,
under a lock that excludes the keying of events of its type, and catches up with what is there.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection, transaction

from apps.accounts.queries import zone_of
from apps.core import clock
from apps.engine import feel, values
from apps.engine.feel import FeelError
from apps.runs import doorbell
from apps.steps.event_ways import key_digest
from apps.triggers import starting
from apps.triggers.envelope import as_feel
from apps.triggers.models import MAX_REASON, Event, EventKey, EventPattern

AT_ONCE = 100
#: Of how many events at once a wait with a filter looks at the data.
CANDIDATES = 100
#: About as long as a webhook may take to tell calls apart, and the same everywhere.
BUDGET = feel.Budget(operations=20_000, size=100_000, depth=32)
#: How long what cannot be looked at because of a fault of ours is left alone.
PUT_OFF = timedelta(minutes=1)
DEADLOCK = "40P01"
NO_EVENT = UUID(int=0)
TRIES = 3

_log = logging.getLogger(__name__)

# An event that the run took before the wait was opened is not taken again; nor is the one that
# started it. Those that wait at the same time each take it.
_TAKES = """
s.status = 'open' and s.opened_at <= e.expires_at
and not exists (
  select 1 from event_subscription o
  where o.run_id = s.run_id and o.event_id = e.id and o.closed_at <= s.opened_at)
and not exists (select 1 from triggers_delivery d where d.event_id = e.id and d.run_id = s.run_id)
"""
_TO_KEY = """
select id from event where keyed_at is null and look_at <= business_now()
order by look_at, id limit %s for update skip locked
"""
_TO_LOOK = """
select id from event where keyed_at is not null and look_at <= business_now()
order by look_at, id limit 1 for update skip locked
"""
_TAKERS = f"""
select s.id, s.run_id, s.step, s.visit, s."where", s.known::text
from event e
join event_key k on k.event_id = e.id and k.key_sha256 is not null
join event_subscription s on s.pattern_id = k.pattern_id and s.key_sha256 = k.key_sha256
where e.id = %s and {_TAKES}
order by s.run_id, s.step, s.visit, s.place
"""  # noqa: S608 - constants
_UNBOUND = """
select workspace_id, type, key_of, min(opened_at) from event_subscription
where pattern_id is null and status = 'open' and look_at <= business_now()
group by 1, 2, 3 limit %s
"""
_BIND = """
update event_subscription set pattern_id = %s where id in (
  select id from event_subscription
  where pattern_id is null and status = 'open' and look_at is not null
    and workspace_id = %s and type = %s and key_of = %s order by id for update)
"""
_TO_LOOK_BACK = """
select id, run_id, step, visit, "where", known::text from event_subscription
where pattern_id is not null and status = 'open' and look_at <= business_now()
order by look_at, id limit %s
"""
# The oldest first. Of an event that never waits only those take it that were open when it came.
_LIVE = f"""
select s.id, c.id from unnest(%s::uuid[]) as u(id)
join event_subscription s on s.id = u.id
cross join lateral (
  select e.id from event_key k join event e on e.id = k.event_id
  where k.pattern_id = s.pattern_id and k.key_sha256 = s.key_sha256
    and k.expires_at >= s.opened_at and e.id > %s and {_TAKES}
  order by e.id limit %s) c
"""  # noqa: S608 - constants
_LOOKED = """
update event_subscription set look_at = null where id in (
  select id from event_subscription where id = any(%s) and look_at is not null
  order by id for update)
"""
_LOCK_TIMERS = """
select t.run_id, t.step, t.visit, t.id, t.status from timer t
where (t.run_id, t.step, t.visit) in (select * from unnest(%s::uuid[], %s::text[], %s::int[]))
  and t.status in ('open', 'fired')
order by t.id for update
"""
_LOCK_WAYS = """
select s.id, s.run_id, s.step, s.visit from event_subscription s
where (s.run_id, s.step, s.visit) in (select * from unnest(%s::uuid[], %s::text[], %s::int[]))
  and s.status = 'open'
order by s.id for update
"""
_RESOLVE = """
with others as (
  update event_subscription set status = 'closed', closed_at = %(now)s, look_at = null
  where id = any(%(others)s) and status = 'open'
), timers as (
  update timer set status = 'closed' where id = any(%(timers)s) and status = 'open'
), won as (
  update event_subscription
  set status = 'matched', event_id = %(event)s, closed_at = %(now)s, look_at = null
  where id = any(%(chosen)s) and status = 'open'
  returning run_id, lane, step, visit, port
)
insert into run_command (run_id, lane, priority, kind, payload, created_at)
select run_id, lane, 0, 'complete', json_build_object('step', step, 'visit', visit, 'port', port,
  'output', json_build_object('port', port, 'event', %(body)s::json)), %(now)s
from won order by run_id, step, visit
"""
_IS_DUE = """
select exists (select 1 from event where look_at <= business_now())
  or exists (select 1 from event_subscription where look_at <= business_now() and status = 'open')
"""

#: A subscription that may take an event: its id, and the visit that waits.
Taker = tuple[UUID, UUID, str, int]


def match_all() -> int:
    """Look until nothing is due; returns how many events and waits were looked at."""
    total = 0
    while True:
        done = sum(
            _tried(one) for one in (key_events, bind_waits, look_from_event, look_from_waits)
        )
        total += done
        if not done:
            return total


def ring_if_due() -> None:
    """Ring where an event or a wait has not looked yet: its bell may be lost."""
    with connection.cursor() as cursor:
        cursor.execute(_IS_DUE)
        if cursor.fetchone()[0]:
            doorbell.ring_now("events")


@transaction.atomic
def key_events() -> int:
    """Work out the keys of new events; they are committed before anything is looked for.

    Locks:
        The events' rows; those that another holds are passed over. Shared advisory locks on
        their types, which the making of a pattern waits for.
    """
    ids = [id_ for (id_,) in _rows(_TO_KEY, [AT_ONCE])]
    events = list(Event.objects.filter(pk__in=ids).order_by("id"))
    for workspace_id, type_ in sorted({(one.workspace_id, one.type) for one in events}):
        _lock_type(workspace_id, type_, is_shared=True)
    patterns = _patterns_of(events)
    _write_keys(
        (one, pattern) for one in events for pattern in patterns[one.workspace_id, one.type]
    )
    Event.objects.filter(pk__in=ids).update(keyed_at=clock.now())
    return len(events)


def bind_waits() -> int:
    """Give waits the pattern of their key, and make it where it is the first; returns how many."""
    found = list(_rows(_UNBOUND, [AT_ONCE]))
    for workspace_id, type_, key_of, since in found:
        pattern_id = _pattern(workspace_id, type_, key_of, since)
        with connection.cursor() as cursor:
            cursor.execute(_BIND, [pattern_id, workspace_id, type_, key_of])
    return len(found)


def look_from_event() -> int:
    """Start the flows and wake the waits that one event is for; returns how many events.

    Locks:
        The event, then what ``starting`` names, then the timers and subscriptions it resolves.
    """
    with transaction.atomic():
        event_id = next((id_ for (id_,) in _rows(_TO_LOOK, [])), None)
        if event_id is None:
            return 0
        event = Event.objects.get(pk=event_id)
        now = clock.now()
        try:
            with transaction.atomic():
                starting.start_flows(event, now=now)
                _wake(event, now)
        except Exception as error:
            if _is_retried(error):
                raise
            # It is looked at again; the others do not wait for it.
            _log.exception("event %s cannot be looked at", event_id)
            Event.objects.filter(pk=event_id).update(look_at=now + PUT_OFF)
        else:
            Event.objects.filter(pk=event_id).update(look_at=None)
    return 1


def look_from_waits() -> int:
    """Look for events that came before these waits, and are still good; returns how many waits.

    Locks:
        The timers and subscriptions that are resolved.
    """
    with transaction.atomic():
        waits = list(_rows(_TO_LOOK_BACK, [AT_ONCE]))
        if not waits:
            return 0
        now = clock.now()
        ids = [wait[0] for wait in waits]
        simple = [id_ for id_, *_, where, _ in waits if not where]
        candidates = dict(_rows(_LIVE, [simple, NO_EVENT, 1])) if simple else {}
        for id_, _, _, _, where, known in waits:
            if where and (event_id := _first_that_fits(id_, where, known, now)):
                candidates[id_] = event_id
        takers = {id_: (id_, run_id, step, visit) for id_, run_id, step, visit, _, _ in waits}
        by_event: dict[UUID, list[Taker]] = {}
        for id_ in ids:
            if id_ in candidates:
                by_event.setdefault(candidates[id_], []).append(takers[id_])
        for event in Event.objects.filter(pk__in=list(by_event)).order_by("id"):
            _resolve(event, by_event[event.pk], now)
        with connection.cursor() as cursor:
            cursor.execute(_LOOKED, [ids])
    return len(waits)


def _wake(event: Event, now: datetime) -> None:
    rows = list(_rows(_TAKERS, [event.pk]))
    chosen: list[Taker] = []
    for _, ways in groupby(rows, key=lambda row: row[1:4]):
        for id_, run_id, step, visit, where, known in ways:
            if not where or _fits(id_, where, known, event, now):
                chosen.append((id_, run_id, step, visit))
                break
    if chosen:
        _resolve(event, chosen, now)


def _first_that_fits(id_: UUID, where: str, known: str, now: datetime) -> UUID | None:
    after = NO_EVENT
    while ids := [event_id for _, event_id in _rows(_LIVE, [[id_], after, CANDIDATES])]:
        for event in Event.objects.filter(pk__in=ids).order_by("id"):
            if _fits(id_, where, known, event, now):
                return event.pk
        after = ids[-1]
    return None


def _fits(id_: UUID, where: str, known: str, event: Event, now: datetime) -> bool:
    """Whether the filter holds. One that fails does not, and the run's page says why."""
    try:
        context = {**_object(known), "event": as_feel(event)}
        zone = zone_of(event.workspace_id)
        return feel.compile_expression(where).holds(context, now=now, zone=zone, budget=BUDGET)
    except FeelError as wrong:
        note = f"The filter failed on event {event.event_id}: {wrong.message}"[:MAX_REASON]
        with connection.cursor() as cursor:
            cursor.execute(
                "update event_subscription set note = %s where id = %s and status = 'open'",
                [note, id_],
            )
        return False


def _resolve(event: Event, takers: Sequence[Taker], now: datetime) -> None:
    """Each of these takes the event, if nothing else has ended its wait; its run goes on.

    What else the visit waited for is closed with it, so that a run never gets two outcomes of one
    wait (engine rule 7), and an event that comes for another way is not used up.
    """
    visits: list[Any] = [list(column) for column in zip(*(one[1:] for one in takers), strict=True)]
    timers: dict[tuple[UUID, str, int], list[UUID]] = {}
    late: set[tuple[UUID, str, int]] = set()
    for run_id, step, visit, timer_id, status in _rows(_LOCK_TIMERS, visits):
        if status == "fired":
            late.add((run_id, step, visit))
        else:
            timers.setdefault((run_id, step, visit), []).append(timer_id)
    open_: dict[UUID, tuple[UUID, str, int]] = {
        id_: (run_id, step, visit) for id_, run_id, step, visit in _rows(_LOCK_WAYS, visits)
    }
    won = {open_[id_]: id_ for id_, *_ in takers if id_ in open_ and open_[id_] not in late}
    if not won:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _RESOLVE,
            {
                "now": now,
                "event": event.pk,
                "body": values.dumps(as_feel(event)),
                "chosen": list(won.values()),
                "others": [
                    id_ for id_, visit in open_.items() if visit in won and won[visit] != id_
                ],
                "timers": [id_ for visit in won for id_ in timers.get(visit, [])],
            },
        )
        if cursor.rowcount != len(won):
            raise RuntimeError(f"{cursor.rowcount} of {len(won)} locked waits were resolved.")
    transaction.on_commit(partial(doorbell.ring, "drive"))


def _pattern(workspace_id: UUID, type_: str, key_of: str, since: datetime) -> int:
    """The pattern; a new one is made for the events that were still good at ``since``, too.

    Locks:
        Where it is new, an advisory lock on the type: no event of it is keyed meanwhile.
    """
    named = {"workspace_id": workspace_id, "type": type_, "key_of": key_of}
    found = EventPattern.objects.filter(**named).first()
    if found is not None:
        return found.pk
    with transaction.atomic():
        _lock_type(workspace_id, type_, is_shared=False)
        pattern, is_new = EventPattern.objects.get_or_create(
            **named, defaults={"created_at": clock.now()}
        )
        if is_new:
            live = Event.objects.for_workspace(workspace_id).filter(
                type=type_, keyed_at__isnull=False, expires_at__gte=since
            )
            _write_keys((event, pattern) for event in live.order_by("id").iterator(AT_ONCE))
    return pattern.pk


def _write_keys(pairs: Iterable[tuple[Event, EventPattern]]) -> None:
    now, found = clock.now(), []
    for event, pattern in pairs:
        key = EventKey(event_id=event.pk, pattern_id=pattern.pk, expires_at=event.expires_at)
        try:
            value = _key_of(event, pattern.key_of, now)
            key.key_sha256 = None if value is None and pattern.key_of else key_digest(value)
        except (FeelError, values.NotJson) as wrong:
            key.fault = f"“{pattern.key_of[:100]}” failed: {wrong}"[:MAX_REASON]
        found.append(key)
    EventKey.objects.bulk_create(found, ignore_conflicts=True, batch_size=1000)


def _key_of(event: Event, key_of: str, now: datetime) -> Any:
    if not key_of:
        return None
    expression = feel.compile_expression(key_of)
    zone = zone_of(event.workspace_id)
    value = expression.evaluate({"event": as_feel(event)}, now=now, zone=zone, budget=BUDGET)
    return feel.to_json(value)


def _patterns_of(events: Sequence[Event]) -> dict[tuple[UUID, str], list[EventPattern]]:
    wanted = {(one.workspace_id, one.type): list[EventPattern]() for one in events}
    rows = EventPattern.objects.filter(
        workspace_id__in={workspace_id for workspace_id, _ in wanted},
        type__in={type_ for _, type_ in wanted},
    )
    for pattern in rows:
        if (here := wanted.get((pattern.workspace_id, pattern.type))) is not None:
            here.append(pattern)
    return wanted


def _lock_type(workspace_id: UUID, type_: str, *, is_shared: bool) -> None:
    function = "pg_advisory_xact_lock_shared" if is_shared else "pg_advisory_xact_lock"
    with connection.cursor() as cursor:
        cursor.execute(
            f"select {function}(hashtextextended(%s, 0))",
            [f"events/{workspace_id}/{type_}"],
        )


def _tried(work: Any) -> int:
    """Do a piece of work; one that met another in a deadlock is tried again."""
    for left in range(TRIES - 1, -1, -1):
        try:
            return int(work())
        except OperationalError as error:
            if not _is_retried(error) or not left:
                raise
            _log.warning("a look for events met another: %s", error)
    raise AssertionError("unreachable")


def _is_retried(error: BaseException) -> bool:
    return isinstance(error, OperationalError) and _state_of(error) == DEADLOCK


def _state_of(error: BaseException) -> str:
    return str(getattr(error.__cause__, "sqlstate", None) or "")


def _rows(statement: str, given: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(given))
        yield from cursor.fetchall()


def _object(text: str | None) -> Mapping[str, Any]:
    found: Any = values.loads(text or "{}")
    return dict(found)
