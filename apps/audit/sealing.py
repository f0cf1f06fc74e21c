"""The sealer: takes the rows that wait, signs the root over them, and writes the checkpoint."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from apps.audit import format as audit_format
from apps.audit import merkle
from apps.audit.checkpoints import append_checkpoints
from apps.audit.commands import record
from apps.audit.keys import SigningKey, signing_keys
from apps.audit.models import AuditLeaf, AuditSeal, AuditUnsealed
from apps.audit.partitions import months
from apps.audit.records import Target, Who
from apps.core.errors import Conflict
from apps.core.partitions import Month

__all__ = ["drop_months_before", "seal_pending"]

_LOCK: Final = 0x51B0_0A0E
_log = logging.getLogger(__name__)


def seal_pending(*, now: datetime, limit: int = 5000) -> int:
    """Seal all rows that wait, at most ``limit`` in one seal; returns how many were sealed.

    Safe to call twice at once: who finds another sealer at work leaves the rows to it. Rows that
    commit meanwhile wait for the next call; the order of seals is the truth, not time.

    Raises:
        CheckpointConflict: The seals stand, but the checkpoint file does not continue them.
        OSError: The seals stand, but the file cannot be written; the next call makes it good.

    Locks:
        An advisory transaction lock.
    """
    sealed = 0
    while (count := _seal_batch(now, limit)) > 0:
        sealed += count
        if count < limit:
            break
    append_checkpoints(settings.CHECKPOINTS)
    return sealed


@transaction.atomic(durable=True)
def _seal_batch(now: datetime, limit: int) -> int:
    if not _is_only_sealer():
        return 0
    keys = signing_keys()
    rows = _pending(keys, limit)
    if not rows:
        return 0
    leaves = [row_hash for _, row_hash in rows]
    seal = _add_seal(
        keys,
        now=now,
        kind="rows",
        root=merkle.root(leaves),
        count=len(rows),
        extra={},
        first_id=rows[0][0],
        last_id=rows[-1][0],
    )
    AuditLeaf.objects.bulk_create(
        (
            AuditLeaf(event_id=event_id, seal_number=seal.number, leaf_index=index, hash=row_hash)
            for index, (event_id, row_hash) in enumerate(rows)
        ),
        batch_size=1000,
    )
    AuditUnsealed.objects.filter(event_id__in=[event_id for event_id, _ in rows]).delete()
    return len(rows)


def _pending(keys: Sequence[SigningKey], limit: int) -> list[tuple[UUID, bytes]]:
    """The next rows in id order.

    A row whose mark is not ours is set aside: signing it would make a forgery true.
    ``audit_verify`` names it, and the age of the oldest unsealed row tells.
    """
    waiting = AuditUnsealed.objects.filter(refused=False).order_by("event_id")[:limit]
    good: list[tuple[UUID, bytes]] = []
    bad: list[tuple[UUID, bytes]] = []
    for event_id, row_hash, mac in waiting.values_list("event_id", "row_hash", "mac"):
        is_ours = any(key.mac(bytes(row_hash)) == bytes(mac) for key in keys)
        (good if is_ours else bad).append((event_id, bytes(row_hash)))
    if bad:
        AuditUnsealed.objects.filter(event_id__in=[event_id for event_id, _ in bad]).update(
            refused=True
        )
        _log.error("%d rows of the trail were changed before they were sealed", len(bad))
    return good


def _add_seal(
    keys: Sequence[SigningKey],
    *,
    now: datetime,
    kind: str,
    root: bytes,
    count: int,
    extra: Mapping[str, Any],
    first_id: UUID | None = None,
    last_id: UUID | None = None,
) -> AuditSeal:
    """Sign the next seal; where the key has changed, the old one hands over first."""
    head = AuditSeal.objects.order_by("-number").first()
    if head is not None and head.key != keys[0].public.hex():
        old = next((key for key in keys[1:] if key.public.hex() == head.key), None)
        if old is None:
            _log.warning(
                "the trail's key has changed and the old one is not listed in "
                "SIGNALBOX_SIGNING_KEY: audit_verify will ask for its fingerprint"
            )
        else:
            handover = {"next_key": keys[0].public.hex()}
            head = _sign(old, head, now, "key", merkle.EMPTY, 0, handover)
            head.save(force_insert=True)
    seal = _sign(keys[0], head, now, kind, root, count, extra)
    seal.first_id, seal.last_id = first_id, last_id
    seal.save(force_insert=True)
    return seal


def _sign(  # noqa: PLR0917 - in the order of the statement
    key: SigningKey,
    head: AuditSeal | None,
    now: datetime,
    kind: str,
    root: bytes,
    count: int,
    extra: Mapping[str, Any],
) -> AuditSeal:
    number = head.number + 1 if head else 1
    previous = bytes(head.hash) if head else audit_format.NO_SEAL
    statement = audit_format.seal_statement(
        number=number,
        kind=kind,
        at=audit_format.time_text(now),
        count=count,
        root=root,
        previous=previous,
        key=key.public.hex(),
        extra=extra,
    )
    hash_ = audit_format.seal_hash(statement)
    return AuditSeal(
        number=number,
        kind=kind,
        at=now,
        count=count,
        root=root,
        previous=previous,
        key=key.public.hex(),
        extra=dict(extra),
        hash=hash_,
        signature=key.sign(hash_),
    )


def drop_months_before(*, who: Who, before: datetime, reason: str, now: datetime) -> list[str]:
    """Drop the rows and values of whole months that ended before ``before``; returns the months.

    Their leaf hashes stay, so every seal still verifies; a signed anchor in the chain says which
    rows are gone, and a row of the trail by whom and why.

    Raises:
        Conflict: A row of such a month is not sealed yet, or an old partition was detached.

    Locks:
        The sealer's advisory lock; the tables while a partition is dropped. Gives up after ten
        seconds of waiting for either.
    """
    dropped = _drop_months(who, before, reason, now)
    if dropped:
        append_checkpoints(settings.CHECKPOINTS)
    return dropped


@transaction.atomic(durable=True)
def _drop_months(who: Who, before: datetime, reason: str, now: datetime) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("set local lock_timeout = '10s'")
        cursor.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
        last = Month.of(before)
        old = [month for month in months() if month.first_id < last.first_id]
        for month in old:
            _drop_month(cursor, month, now)
    if old:
        record(
            who=who,
            workspace_id=None,
            verb="audit.drop",
            target=Target("audit", old[0].suffix),
            reason=reason,
            details={"months": [month.suffix for month in old]},
            now=now,
        )
    return [month.suffix for month in old]


def _drop_month(cursor: Any, month: Month, now: datetime) -> None:
    span = [month.first_id, month.next.first_id]
    cursor.execute(
        "select count(*), count(l.event_id) from audit_event e"
        " left join audit_leaf l on l.event_id = e.id where e.id >= %s and e.id < %s",
        span,
    )
    rows, sealed = cursor.fetchone()
    if rows != sealed:
        raise Conflict(
            f"{rows - sealed} rows of {month.suffix} are not sealed yet; they cannot be dropped."
        )
    extra = {"from": str(span[0]), "rows": rows, "to": str(span[1])}
    _add_seal(signing_keys(), now=now, kind="anchor", root=merkle.EMPTY, count=0, extra=extra)
    cursor.execute(f"drop table audit_event_{month.suffix}")
    cursor.execute(f"drop table audit_value_{month.suffix}")


def _is_only_sealer() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])
