"""What must leave the process is first a row. A handler per topic sends it after commit."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from apps.core import clock
from apps.core.models import Outbox, uuid7

Handler = Callable[[dict[str, Any]], None]
MAX_ATTEMPTS = 20
LEASE = timedelta(seconds=60)

_handlers: dict[str, Handler] = {}
_log = logging.getLogger(__name__)


def register(topic: str, handler: Handler) -> None:
    """Say who sends a topic. A handler may be called twice for one row."""
    if _handlers.setdefault(topic, handler) is not handler:
        raise ValueError(f"The outbox topic {topic!r} has a handler already.")


def enqueue(
    *,
    topic: str,
    payload: dict[str, Any],
    now: datetime,
    key: str | None = None,
) -> None:
    """Put a message out with the caller's transaction. A second one of one ``key`` is dropped."""
    row = Outbox(
        id=uuid7(),
        topic=topic,
        key=key,
        payload=payload,
        available_at=now,
        created_at=now,
    )
    Outbox.objects.bulk_create([row], ignore_conflicts=key is not None)


def enqueue_many(*, topic: str, payloads: Sequence[dict[str, Any]], now: datetime) -> None:
    """Put messages out with the caller's transaction, all in one statement."""
    if payloads:
        Outbox.objects.bulk_create(
            [
                Outbox(id=uuid7(), topic=topic, payload=one, available_at=now, created_at=now)
                for one in payloads
            ]
        )


def relay(*, limit: int = 50) -> int:
    """Send what is due by now; returns how many rows were tried. Several relays may run at once.

    Each row is leased for a minute just before its handler runs: however slow the rows before it
    were, nobody else takes it meanwhile, and a killed relay delays a single row.
    """
    tried, begun = 0, clock.now()
    while tried < limit and (row := _claim(begun)) is not None:
        tried += 1
        try:
            _handlers[row.topic](row.payload)
        except Exception as error:  # noqa: BLE001 - kept on the row, tried again with back-off
            _log.warning("outbox %s %s failed: %s", row.topic, row.pk, error)
            _put_back(row, error)
        else:
            Outbox.objects.filter(pk=row.pk).delete()
    return tried


@transaction.atomic
def _claim(due: datetime) -> Outbox | None:
    """The row that is due longest, leased; ``available_at`` is then the end of the lease."""
    row = (
        Outbox.objects.select_for_update(skip_locked=True)
        .filter(available_at__lte=due, failed_at__isnull=True)
        .order_by("available_at", "id")
        .first()
    )
    if row is not None:
        row.available_at = clock.now() + LEASE
        row.save(update_fields=["available_at"])
    return row


def _put_back(row: Outbox, error: Exception) -> None:
    """Try again later, unless the lease ran out and somebody else has the row by now."""
    now = clock.now()
    delay = timedelta(seconds=min(3600, 5 * 2**row.attempts))
    Outbox.objects.filter(pk=row.pk, available_at=row.available_at).update(
        attempts=row.attempts + 1,
        last_error=f"{type(error).__name__}: {error}"[:500],
        available_at=now + delay,
        failed_at=now if row.attempts + 1 >= MAX_ATTEMPTS else None,
    )


# The lease of a row lasts a minute, and a pause between two tries as ``_put_back`` says.
_MEND = """
update core_outbox set available_at = business_now() where id in (
  select id from core_outbox
  where failed_at is null and available_at > business_now() + interval '65 s'
    + make_interval(secs => case when attempts = 0 then 0
                            else least(3600, 5 * power(2, least(attempts, 12) - 1)) end)
  for update skip locked)
"""


def mend_times_ahead() -> int:
    """Make messages due that were due sooner until the clock jumped back; returns how many.

    Locks:
        Their rows; those that a relay holds just now are skipped.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MEND)
        return int(cursor.rowcount)


def has_due() -> bool:
    """Whether a relay would find something; one indexed look."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select exists (select 1 from core_outbox"
            " where available_at <= business_now() and failed_at is null)"
        )
        return bool(cursor.fetchone()[0])
