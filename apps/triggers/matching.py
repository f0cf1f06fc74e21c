"""Bring events together with those that wait for them, and with the flows that start by them.

An event is committed first with its keys and then looks for open waits; a wait is committed first
and then looks for events that are still good. Whichever commits later sees the other, so nothing
passes by; what was left undone by a killed worker, the clock has done again. Several workers may
do all of this at once.

An event may also change what people are asked (``runs.event_ports.Watches``): the questions look
back in the same way, so that nothing passes by while one is being put.

Keys: each way of telling events apart (``EventPattern``) is made with the first wait that uses it,
under a lock that excludes the keying of events of its type, and catches up with what is there.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db import DatabaseError, OperationalError, connection, transaction

from apps.accounts.queries import zone_of
from apps.core import clock
from apps.core.models import first_uuid7_at
from apps.engine import feel, values
from apps.engine.feel import FeelError
from apps.runs import doorbell, event_ports
from apps.runs.event_ports import CameEvent
from apps.steps.event_ways import key_digest
from apps.triggers import starting
from apps.triggers.envelope import as_feel
from apps.triggers.models import MAX_REASON, Event, EventKey, EventPattern, EventSubscription

AT_ONCE = 100
#: Of how many events at once a wait with a filter looks at the data.
CANDIDATES = 100
#: About as long as a webhook may take to tell calls apart, and the same everywhere.
BUDGET = feel.Budget(operations=20_000, size=100_000, depth=32)
#: What cannot be looked at because of a fault of ours is left alone so long, and ever longer.
PUT_OFF = timedelta(minutes=1)
#: By so much the clocks of machines may differ, of which ids tell the time.
SKEW = timedelta(minutes=5)
DEADLOCK = "40P01"
NO_EVENT = UUID(int=0)
TRIES = 3

_log = logging.getLogger(__name__)

# An event that the run took before the wait was opened is not taken again; nor is the one that
# started it: the ids of what triggers made of an event are of its own time, which finds the day's
# partition (``partitions``). Those that wait at the same time each take it.
_TAKES = """
s.status = 'open' and s.opened_at <= e.expires_at
and not exists (
  select 1 from event_subscription o
  where o.run_id = s.run_id and o.event_id = e.id and o.closed_at <= s.opened_at)
and not exists (
  select 1 from triggers_delivery d
  where d.event_id = e.id and d.run_id = s.run_id
  and d.id between (left(e.id::text, 13) || '-0000-0000-000000000000')::uuid
               and (left(e.id::text, 13) || '-ffff-ffff-ffffffffffff')::uuid)
"""
_TO_KEY = """
select id from event where keyed_at is null and look_at <= business_now()
order by look_at, id limit %s for update skip locked
"""
_TO_LOOK = """
select id from event where keyed_at is not null and look_at <= business_now()
order by look_at, id limit %s for update skip locked
"""
_TAKERS = f"""
select e.id, s.id, s.run_id, s.step, s.visit, s."where", s.known::text
from event e
join event_key k on k.event_id = e.id and k.key_sha256 is not null
join event_subscription s on s.pattern_id = k.pattern_id and s.key_sha256 = k.key_sha256
where e.id = any(%s) and {_TAKES}
order by e.id, s.run_id, s.step, s.visit, s.place
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
_HOLD_PATTERN = "select 1 from event_pattern where id = %s for key share"
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
  update event_subscription s
  set status = 'matched', event_id = u.event_id, closed_at = %(now)s, look_at = null
  from unnest(%(won)s::uuid[], %(taken)s::uuid[]) as u(id, event_id)
  where s.id = u.id and s.status = 'open'
  returning s.run_id, s.lane, s.step, s.visit, s.port, s.event_id
)
insert into run_command (run_id, lane, priority, kind, payload, created_at)
select w.run_id, w.lane, coalesce(r.priority, 0), 'complete', json_build_object('step', w.step,
  'visit', w.visit, 'port', w.port,
  'output', json_build_object('port', w.port, 'event', b.body::json)), %(now)s
from won w join unnest(%(events)s::uuid[], %(bodies)s::text[]) as b(event_id, body)
  on b.event_id = w.event_id
left join run_state r on r.run_id = w.run_id
order by w.event_id, w.run_id, w.step, w.visit
"""
_IS_DUE = """
select exists (select 1 from event where look_at <= business_now())
  or exists (select 1 from event_subscription where look_at <= business_now() and status = 'open')
"""

Visit = tuple[UUID, str, int]
#: A subscription that may take an event: its id, and the visit that waits.
Taker = tuple[UUID, Visit]


def match_all() -> int:
    """Look until nothing is due; returns how many events and waits were looked at."""
    total = 0
    while True:
        done = sum(
            _tried(one)
            for one in (
                *(key_events, bind_waits, look_from_events, look_from_waits),
                look_from_questions,
            )
        )
        total += done
        if not done:
            return total


def ring_if_due() -> None:
    """Ring where an event or a wait has not looked yet: its bell may be lost."""
    with connection.cursor() as cursor:
        cursor.execute(_IS_DUE)
        is_due = bool(cursor.fetchone()[0])
    if is_due or event_ports.watches().is_due():
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
    now, patterns = clock.now(), _patterns_of(events)
    keys: list[EventKey] = []
    done: list[UUID] = []
    for event in events:
        try:
            keys += [_key(event, one, now) for one in patterns[event.workspace_id, event.type]]
        except Exception:  # noqa: BLE001 - whatever it is, the other events go on
            _log.exception("event %s cannot be told from others", event.pk)
            Event.objects.filter(pk=event.pk).update(look_at=_later(event.created_at, now))
        else:
            done.append(event.pk)
    EventKey.objects.bulk_create(keys, ignore_conflicts=True)
    Event.objects.filter(pk__in=done).update(keyed_at=now)
    return len(events)


def bind_waits() -> int:
    """Give waits the pattern of their key, and make it where it is the first; returns how many."""
    found = list(_rows(_UNBOUND, [AT_ONCE]))
    for workspace_id, type_, key_of, since in found:
        for _ in range(TRIES):
            pattern_id = _pattern(workspace_id, type_, key_of, since)
            if _bind(pattern_id, workspace_id, type_, key_of):
                break
    return len(found)


@transaction.atomic
def _bind(pattern_id: int, workspace_id: UUID, type_: str, key_of: str) -> bool:
    """False where the pattern was forgotten meanwhile.

    Locks:
        The pattern, so that it is not; then the subscriptions, by id.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HOLD_PATTERN, [pattern_id])
        if cursor.fetchone() is None:
            return False
        cursor.execute(_BIND, [pattern_id, workspace_id, type_, key_of])
    return True


def look_from_events() -> int:
    """Start the flows, wake the waits, change the questions; returns how many events.

    Locks:
        The events, then what ``starting`` names, then the timers and subscriptions it resolves,
        then the questions' rows.
    """
    with transaction.atomic():
        ids = [id_ for (id_,) in _rows(_TO_LOOK, [AT_ONCE])]
        if not ids:
            return 0
        now = clock.now()
        events = list(Event.objects.filter(pk__in=ids).order_by("id"))
        if not _look_from(events, now):
            # One of them is to blame; it is looked at again, the others do not wait for it.
            for event in events:
                if not _look_from([event], now):
                    Event.objects.filter(pk=event.pk).update(look_at=_later(event.created_at, now))
    return len(ids)


def _look_from(events: Sequence[Event], now: datetime) -> bool:
    """False where a fault of ours keeps these from being looked at; nothing is written then."""
    try:
        with transaction.atomic():
            starting.start_flows(events, now=now)
            _wake(events, now)
            event_ports.watches().take([_came(one) for one in events], now)
            Event.objects.filter(pk__in=[one.pk for one in events]).update(look_at=None)
    except Exception as error:
        if _is_retried(error):
            raise
        _log.exception("%s events cannot be looked at, %s first", len(events), events[0].pk)
        return False
    return True


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
        for id_, *_, where, known in waits:
            try:
                if where and (event_id := _first_that_fits(id_, where, known, now)):
                    candidates[id_] = event_id
            except DatabaseError:
                raise
            except Exception:  # noqa: BLE001 - as above
                _log.exception("wait %s cannot be looked at", id_)
                EventSubscription.objects.filter(pk=id_).update(look_at=now + PUT_OFF)
                ids.remove(id_)
        found = Event.objects.in_bulk(list(set(candidates.values())))
        pairs = [
            (found[candidates[id_]], (id_, (run_id, step, visit)))
            for id_, run_id, step, visit, _, _ in waits
            if id_ in candidates
        ]
        _resolve(sorted(pairs, key=lambda pair: pair[0].pk), now)
        with connection.cursor() as cursor:
            cursor.execute(_LOOKED, [ids])
    return len(waits)


@transaction.atomic
def look_from_questions() -> int:
    """Look for events that came while questions were being put; returns how many questions.

    Locks:
        The questions' rows.
    """
    return event_ports.watches().look_back(_kept_since, clock.now())


def _kept_since(workspace_id: UUID, type_: str, since: datetime) -> Iterator[list[CameEvent]]:
    kept = Event.objects.for_workspace(workspace_id).filter(type=type_, created_at__gte=since)
    # The id tells when it was kept by the time outside, which spares a walk through all that came.
    ahead = max(clock.now() - clock.real_now(), timedelta(0))
    after = first_uuid7_at(int((since - ahead - SKEW).timestamp() * 1000))
    while found := list(kept.filter(pk__gt=after).order_by("id")[:AT_ONCE]):
        yield [_came(one) for one in found]
        after = found[-1].pk


def _came(event: Event) -> CameEvent:
    return CameEvent(
        id=event.pk,
        workspace_id=event.workspace_id,
        type=event.type,
        at=event.occurred_at,
        came_at=event.created_at,
        shown=as_feel(event),
    )


def _wake(events: Sequence[Event], now: datetime) -> None:
    by_id = {one.pk: one for one in events}
    pairs: list[tuple[Event, Taker]] = []
    taken: set[Visit] = set()
    for event_id, id_, run_id, step, visit, where, known in _rows(_TAKERS, [list(by_id)]):
        event, wait = by_id[event_id], (run_id, step, visit)
        if wait not in taken and (not where or _fits(id_, where, known, event, now)):
            taken.add(wait)
            pairs.append((event, (id_, wait)))
    _resolve(pairs, now)


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


def _resolve(pairs: Sequence[tuple[Event, Taker]], now: datetime) -> None:
    """Each of these takes its event, if nothing else has ended its wait; its run goes on.

    What else the visit waited for is closed with it, so that a run never gets two outcomes of one
    wait (engine rule 7), and an event that comes for another way is not used up.
    """
    if not pairs:
        return
    visits = {wait for _, (_, wait) in pairs}
    columns: list[Any] = [list(column) for column in zip(*visits, strict=True)]
    timers: dict[Visit, list[UUID]] = {}
    late: set[Visit] = set()
    for run_id, step, visit, timer_id, status in _rows(_LOCK_TIMERS, columns):
        if status == "fired":
            late.add((run_id, step, visit))
        else:
            timers.setdefault((run_id, step, visit), []).append(timer_id)
    open_: dict[UUID, Visit] = {
        id_: (run_id, step, visit) for id_, run_id, step, visit in _rows(_LOCK_WAYS, columns)
    }
    won: dict[Visit, tuple[UUID, Event]] = {}
    for event, (id_, wait) in pairs:  # of several ways of one visit the first
        if id_ in open_ and wait not in late:
            won.setdefault(wait, (id_, event))
    if won:
        others = [id_ for id_, wait in open_.items() if wait in won and won[wait][0] != id_]
        _take(
            list(won.values()), others, [id_ for wait in won for id_ in timers.get(wait, [])], now
        )


def _take(
    won: Sequence[tuple[UUID, Event]], others: list[UUID], timers: list[UUID], now: datetime
) -> None:
    events = {event.pk: event for _, event in won}
    with connection.cursor() as cursor:
        cursor.execute(
            _RESOLVE,
            {
                "now": now,
                "won": [id_ for id_, _ in won],
                "taken": [event.pk for _, event in won],
                "events": list(events),
                "bodies": [values.dumps(as_feel(event)) for event in events.values()],
                "others": others,
                "timers": timers,
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
            for event in live.order_by("id").iterator(AT_ONCE):
                key = _key(event, pattern, clock.now())
                EventKey.objects.bulk_create([key], ignore_conflicts=True)
    return pattern.pk


def _key(event: Event, pattern: EventPattern, now: datetime) -> EventKey:
    key = EventKey(event_id=event.pk, pattern_id=pattern.pk, expires_at=event.expires_at)
    try:
        value = _key_of(event, pattern.key_of, now)
        key.key_sha256 = None if value is None and pattern.key_of else key_digest(value)
    except (FeelError, values.NotJson) as wrong:
        key.fault = f"“{pattern.key_of[:100]}” failed: {wrong}"[:MAX_REASON]
    return key


def _later(since: datetime, now: datetime) -> datetime:
    return now + max(PUT_OFF, now - since)


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
