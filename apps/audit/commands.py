"""Writes of the trail: rows, counted rows, erasure. Seals are made in ``audit.sealing``."""

import secrets
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from apps.audit import format as audit_format
from apps.audit.keys import signing_keys
from apps.audit.models import AuditErasure, AuditEvent, AuditValue
from apps.audit.records import Target, Who
from apps.engine import values

__all__ = [
    "Record",
    "erase_values",
    "record",
    "record_counted",
    "record_many",
    "write_counted",
]

# A late request may still count for the minute that just ended.
GRACE: Final = timedelta(seconds=5)

_last_tail = 0
_tail_lock = threading.Lock()


@dataclass(frozen=True)
class Record:
    """One row to be, for ``record_many``; the same words as ``record``."""

    who: Who
    workspace_id: UUID | None
    verb: str
    target: Target
    reason: str = ""
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    details: Mapping[str, Any] | None = None
    correlation_id: UUID | str | None = None
    flow_id: UUID | None = None


def record(
    *,
    who: Who,
    workspace_id: UUID | None,
    verb: str,
    target: Target,
    now: datetime,
    reason: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | None = None,
    correlation_id: UUID | str | None = None,
    flow_id: UUID | None = None,
) -> UUID:
    """Write one row with the caller's transaction; returns its id.

    ``before``, ``after`` and ``details`` hold masked values under names that the program chose;
    each value can be erased on its own. ``flow_id`` says which flow the row is about; where the
    target is a flow it need not be given.

    Raises:
        TransactionManagementError: There is no transaction; the row must stand or fall with
            what it tells of.
        ValueError: The verb is malformed, an id is a mail address, or a field is named by data.
    """
    row = Record(
        who, workspace_id, verb, target, reason, before, after, details, correlation_id, flow_id
    )
    return record_many(rows=[row], now=now)[0]


def record_many(*, rows: Sequence[Record], now: datetime) -> list[UUID]:
    """Write rows with the caller's transaction, in one statement; returns their ids, in order.

    Raises:
        TransactionManagementError, ValueError: As ``record``.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(
            "A row of the trail is written inside the transaction of what it tells of."
        )
    if not rows:
        return []
    ids, parts = [], []
    key = signing_keys()[0]
    for row in rows:
        id_ = _id_at(now)
        ids.append(id_)
        parts.append(_parts(row, id_, now, key.mac))
    with connection.cursor() as cursor:
        columns: list[Any] = [list(column) for column in zip(*parts, strict=True)]
        cursor.execute(_INSERT, columns)
    return ids


@transaction.atomic
def record_counted(
    *,
    key: str,
    who: Who,
    workspace_id: UUID | None,
    verb: str,
    target: Target,
    now: datetime,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
) -> None:
    """Count one more of what may come in floods: failed sign-ins, strangers' denials.

    The first within a minute says what the row will hold; ``write_counted`` makes it when the
    minute is over, with ``details.count``. ``key`` is what is counted by, such as the address.

    Locks:
        The key's counter, until the transaction ends: call it in a short one of its own, which
        also keeps the count when the request's own transaction is undone.
    """
    # What the row would be refused for must fail here, not when the minute is over.
    wanted = Record(who, workspace_id, verb, target, reason, details=details)
    _parts(wanted, _id_at(now), now, signing_keys()[0].mac)
    row = audit_format.plain(
        {
            "who": asdict(who),
            "workspace_id": workspace_id,
            "target": asdict(target),
            "verb": verb,
            "reason": reason,
            "details": details or {},
        }
    )
    minute = now.replace(second=0, microsecond=0)
    full_key = f"{verb} {workspace_id or ''} {key}"
    first: Any = Jsonb(row, dumps=values.dumps)
    with connection.cursor() as cursor:
        cursor.execute(
            'insert into audit_counter (key, minute, count, "row") values (%s, %s, 1, %s)'
            " on conflict (key, minute) do update set count = audit_counter.count + 1",
            [full_key[:500], minute, first],
        )


@transaction.atomic
def write_counted(*, now: datetime, limit: int = 1000) -> int:
    """Turn the counters of minutes that are over into rows; returns how many rows were written.

    Safe to call twice at once: each counter is taken by one of the callers.
    """
    over = (now - GRACE).replace(second=0, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute(
            "delete from audit_counter where id in (select id from audit_counter"
            " where minute < %s order by minute, id limit %s for update skip locked)"
            ' returning minute, count, "row"::text',
            [over, limit],
        )
        found = sorted(cursor.fetchall(), key=lambda one: one[0])
    rows = [_counted_row(minute, count, values.loads(text)) for minute, count, text in found]
    record_many(rows=rows, now=now)
    return len(rows)


def _counted_row(minute: datetime, count: int, row: Any) -> Record:
    return Record(
        who=Who(**row["who"]),
        workspace_id=UUID(row["workspace_id"]) if row["workspace_id"] else None,
        verb=row["verb"],
        target=Target(**row["target"]),
        reason=row["reason"],
        details={**row["details"], "count": count, "minute": minute},
    )


@transaction.atomic
def erase_values(
    *,
    who: Who,
    workspace_id: UUID,
    event_ids: Iterable[UUID],
    fields: Iterable[str],
    reason: str,
    now: datetime,
) -> int:
    """Erase the values of these fields from these rows, for ever; returns how many were erased.

    The rows and their commitments stay, so every seal still verifies. The erasure is a row of
    its own, which names what was erased by a digest over the list in ``audit_erasure``.

    Safe to call twice: what is gone is passed over.

    Locks:
        The rows' values, by id.
    """
    wanted = sorted(set(fields))
    mine = AuditEvent.objects.for_workspace(workspace_id).filter(pk__in=list(event_ids))
    held = AuditValue.objects.filter(event_id__in=mine.values("pk")).order_by("event_id")
    changes = []
    for row in held.select_for_update():
        gone = [field for field in wanted if field in row.salted]
        if gone:
            kept = {name: pair for name, pair in row.salted.items() if name not in gone}
            changes.append((row.event_id, gone, kept))
    if not changes:
        return 0
    pairs = [(event_id, field) for event_id, gone, _ in changes for field in gone]
    by = record(
        who=who,
        workspace_id=workspace_id,
        verb="audit.erase",
        target=Target("audit", str(changes[0][0])),
        reason=reason,
        details={
            "rows": len(changes),
            "values": len(pairs),
            "list": audit_format.erasure_digest(pairs),
        },
        now=now,
    )
    AuditErasure.objects.bulk_create(
        AuditErasure(event_id=event_id, field=field, by_event_id=by) for event_id, field in pairs
    )
    with connection.cursor() as cursor:
        cursor.execute("set local signalbox.audit_erasure = 'on'")
        for event_id, _, kept in changes:
            new: list[Any] = [Jsonb(kept), audit_format.words(kept), event_id]
            cursor.execute(
                "update audit_value set salted = %s, words = array_to_tsvector(%s::text[])"
                " where event_id = %s",
                new,
            )
        cursor.execute("set local signalbox.audit_erasure = 'off'")
    return len(pairs)


_INSERT = """
with given as (
  select * from unnest(
    %s::uuid[], %s::uuid[], %s::timestamptz[], %s::text[], %s::text[], %s::text[], %s::text[],
    %s::text[], %s::text[], %s::uuid[], %s::text[], %s::jsonb[], %s::bytea[],
    %s::jsonb[], %s::text[], %s::bytea[]
  ) as g (id, workspace_id, at, verb, actor_kind, actor_id, on_behalf_of,
          target_type, target_id, flow_id, correlation_id, commitments, row_hash,
          salted, words, mac)
), event as (
  insert into audit_event
  select id, workspace_id, at, verb, actor_kind, actor_id, on_behalf_of, target_type, target_id,
         flow_id, correlation_id, commitments, row_hash from given
), value as (
  insert into audit_value
  select id, salted, array_to_tsvector(string_to_array(words, ' ')) from given
)
insert into audit_unsealed (event_id, row_hash, mac, refused)
select id, row_hash, mac, false from given
"""


def _parts(row: Record, id_: UUID, now: datetime, mac: Any) -> tuple[Any, ...]:
    """One row as the columns of ``_INSERT``."""
    audit_format.check_row(who=row.who, verb=row.verb, target=row.target)
    flow_id = row.flow_id
    if flow_id is None and row.target.type == "flow":
        flow_id = UUID(row.target.id)
    salted = audit_format.salted_values(
        who=row.who,
        target=row.target,
        reason=row.reason,
        before=row.before,
        after=row.after,
        details=row.details,
    )
    commitments = audit_format.commitments_of(salted)
    clear = [
        row.verb,
        row.who.kind,
        row.who.id,
        row.who.on_behalf_of,
        row.target.type,
        row.target.id,
    ]
    verb, kind, actor_id, on_behalf_of, target_type, target_id = map(audit_format.plain, clear)
    correlation_id = audit_format.plain(str(row.correlation_id or ""))
    row_hash = audit_format.row_hash(
        audit_format.row_body(
            id_=str(id_),
            workspace=str(row.workspace_id or ""),
            at=audit_format.time_text(now),
            verb=verb,
            actor_kind=kind,
            actor_id=actor_id,
            on_behalf_of=on_behalf_of,
            target_type=target_type,
            target_id=target_id,
            flow=str(flow_id or ""),
            correlation_id=correlation_id,
            commitments=commitments,
        )
    )
    return (
        id_, row.workspace_id, now, verb, kind, actor_id, on_behalf_of, target_type, target_id,
        flow_id, correlation_id, Jsonb(commitments), row_hash,
        Jsonb(salted), " ".join(audit_format.words(salted)), mac(row_hash),
    )  # fmt: skip


def _id_at(now: datetime) -> UUID:
    """A UUIDv7 of the row's own time, so that a search by time is a range of ids.

    Its first random bits are the microseconds and a count, so that rows of one command keep
    their order. Source: RFC 9562, section 6.2, methods 3 and 1.
    """
    global _last_tail  # noqa: PLW0603 - the count is per process by definition
    micros = round(now.timestamp() * 1_000_000)
    with _tail_lock:
        _last_tail = count = (_last_tail + 1) & 0xFFFF
    fraction = (micros % 1000) * 4  # 12 bits hold 0..3996
    tail = 2 << 62 | count << 46 | secrets.randbits(46)
    return UUID(int=(micros // 1000) << 80 | 7 << 76 | fraction << 64 | tail)
