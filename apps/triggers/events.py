"""Events of a workspace: publishing one from outside, reading them, letting old ones go."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from apps.accounts.actors import Actor
from apps.accounts.permissions import require
from apps.audit.commands import record
from apps.audit.records import Target
from apps.core.errors import NotFound
from apps.core.models import first_uuid7_at, uuid7
from apps.runs import doorbell
from apps.triggers import envelope
from apps.triggers.models import Event, EventKey

CHUNK = 1000
CLOSED_KEPT = timedelta(days=7)

_FORGET = """
with old as (
  select id from event where id < %s
  order by id limit %s for update skip locked
), keys as (delete from event_key where event_id in (select id from old))
delete from event where id in (select id from old)
"""
# What a run took is needed as long as the run is there: it takes it only once.
_FORGET_WAITS = """
delete from event_subscription where id in (
  select s.id from event_subscription s
  where s.closed_at < %s
    and not exists (select 1 from run_state r where r.run_id = s.run_id)
  order by s.id limit %s for update skip locked)
"""

_OLD_PATTERNS = """
select p.id from event_pattern p
where p.created_at < %s and p.id > %s
  and not exists (select 1 from event_subscription s where s.pattern_id = p.id)
order by p.id limit %s for update skip locked
"""
_FORGET_PATTERNS = """
delete from event_pattern p where p.id = any(%s)
  and not exists (select 1 from event_subscription s where s.pattern_id = p.id)
"""
_MEND_EVENTS = """
update event set look_at = business_now() where id in (
  select id from event
  where look_at > business_now()
      + greatest(interval '1 minute', business_now() - created_at) + interval '5 s'
  for update skip locked)
"""
# One that was opened later than now would take no event that comes before then. What its run took
# before that is over before it, however that time is told.
_MEND_WAITS = """
with t as materialized (select business_now() as now), ahead as (
  select s.id, s.status from event_subscription s, t
  where s.opened_at > t.now + interval '5 s' or s.closed_at > t.now + interval '5 s'
    or s.status = 'open' and s.look_at > t.now + interval '65 s'
  for update of s skip locked
)
update event_subscription s set opened_at = least(s.opened_at, t.now),
  closed_at = case when a.status <> 'open' then least(s.closed_at, t.now) end,
  look_at = case when a.status = 'open' then t.now end
from ahead a, t where s.id = a.id
"""


@transaction.atomic
def publish_event(*, actor: Actor, event: Any, now: datetime) -> tuple[Event, bool]:
    """Tell the workspace of something that happened outside; ``event`` is CloudEvents JSON.

    Returns the event, and whether it is new: one that came before under the same ``source`` and
    ``id`` is given back as it was kept.

    Raises:
        BadEvent: What was sent is not an event that can be kept.
    """
    require(actor, "event.publish")
    sent = envelope.read(event)
    row = Event(
        id=uuid7(),
        workspace_id=actor.workspace_id,
        event_id=sent.event_id,
        source=sent.source,
        type=sent.type,
        version=sent.version,
        subject=sent.subject,
        occurred_at=sent.occurred_at or now,
        data=sent.data,
        attributes=dict(sent.attributes),
        causation=sent.causation,
        created_at=now,
        expires_at=now + sent.ttl,
        look_at=now,
    )
    row.correlation = sent.correlation or str(row.pk)
    Event.objects.bulk_create([row], ignore_conflicts=True)
    # A statement of its own: the one before does not see what another committed meanwhile.
    kept = Event.objects.for_workspace(actor.workspace_id).get(
        source=sent.source, event_id=sent.event_id
    )
    if kept.pk != row.pk:
        return kept, False
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb="event.publish",
        target=Target("event", str(row.pk), row.type),
        now=now,
    )
    transaction.on_commit(partial(doorbell.ring, "events"))
    return kept, True


def visible_events(actor: Actor) -> QuerySet[Event]:
    """The events of the workspace, newest first.

    Raises:
        Forbidden: The actor may not see the workspace's runs.
    """
    require(actor, "run.view")
    return Event.objects.for_workspace(actor.workspace_id).order_by("-id")


def get_event(actor: Actor, event_id: UUID) -> Event:
    """One event.

    Raises:
        Forbidden: As for all events.
        NotFound: There is none in this workspace.
    """
    found = visible_events(actor).filter(pk=event_id).first()
    if found is None:
        raise NotFound("There is no such event, or it is not for you.")
    return found


def faults_of(events: Iterable[Event]) -> dict[UUID, list[str]]:
    """Why waits could not tell these events apart, by event."""
    rows = EventKey.objects.filter(event_id__in=[one.pk for one in events]).exclude(fault="")
    found: dict[UUID, list[str]] = {}
    for event_id, fault in rows.values_list("event_id", "fault"):
        found.setdefault(event_id, []).append(fault)
    return found


def chain_of(event: Event) -> list[Event]:
    """The events that led to this one, the first of them first, itself last."""
    same = Event.objects.for_workspace(event.workspace_id).filter(correlation=event.correlation)
    by_name = {one.event_id: one for one in same.defer("data").order_by("-id")[:1000]}
    found = [event]
    while len(found) < event.depth and (before := by_name.get(found[0].causation)) is not None:
        found.insert(0, before)
    return found


def forget_events(*, now: datetime) -> int:
    """Delete events older than ``SIGNALBOX_RAW_DAYS``, and waits that are long over; how many.

    Patterns that no wait has used for a week go with them; the next wait makes its own anew.
    Safe to stop and repeat at any point; several clocks may call this at once.

    Locks:
        A batch of rows at a time; those that somebody holds are passed over.
    """
    edge = first_uuid7_at(int((now - timedelta(days=settings.RAW_DAYS)).timestamp() * 1000))
    taken = _forget(_FORGET, edge) + _forget(_FORGET_WAITS, now - CLOSED_KEPT)
    return taken + _forget_patterns(now - CLOSED_KEPT)


def _forget_patterns(before: datetime) -> int:
    """Keys of events under a pattern that is gone are read by nobody, and go with the events."""
    taken, after = 0, 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_OLD_PATTERNS, [before, after, CHUNK])
            ids = [id_ for (id_,) in cursor.fetchall()]
            # A statement of its own, after the lock: who was about to use one has said so by now.
            cursor.execute(_FORGET_PATTERNS, [ids])
            taken += int(cursor.rowcount)
        if len(ids) < CHUNK:
            return taken
        after = ids[-1]


def mend_times_ahead() -> int:
    """Make events and waits look that were due until the clock jumped back; returns how many.

    A wait that was opened before the jump is open from now on, for what comes from now on.
    Whatever is put off is put off for a minute, or for as long as it has been there. Reads every
    wait: to be called after a jump.

    Locks:
        Their rows; those that a matcher holds just now are skipped.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MEND_EVENTS)
        count = int(cursor.rowcount)
        cursor.execute(_MEND_WAITS)
        return count + int(cursor.rowcount)


def _forget(statement: str, before: Any) -> int:
    taken: int = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(statement, [before, CHUNK])
            count = int(cursor.rowcount)
        taken += count
        if count < CHUNK:
            return taken
