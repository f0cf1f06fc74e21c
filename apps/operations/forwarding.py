"""Tell logs elsewhere of the trail: every row and every checkpoint, in the order of the seals.

Nothing is kept to be sent: the seals themselves are the queue, and each destination has its place
in it. The place moves on only after the receiver has taken a batch, so a crash, a receiver that
is down or an answer that got lost means that a batch is sent again, never that one is left out.
Each line names its ``place``, by which a receiver knows a repeat.
"""

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import F, Q

from apps.audit.checkpoints import line_of
from apps.audit.format import time_text
from apps.audit.models import AuditSeal
from apps.audit.queries import Row, rows_after
from apps.connections import queries as connections
from apps.connections.addresses import split_host_port
from apps.connections.outgoing import OutgoingClient, OutgoingError, parse
from apps.core import clock, encoding
from apps.core.errors import ProductError
from apps.core.pool import give_back
from apps.operations import syslog
from apps.operations.models import DestinationKind, TrailDestination
from apps.operations.trail_rows import row_shown

__all__ = ["due_destinations", "forward", "head_seal", "send_test"]

FORMAT: Final = "signalbox.trail/1"
AT_ONCE: Final = 500
MAX_BYTES: Final = 1_000_000
#: Over one batch: name look-up, connection, every byte, the answer.
TIMEOUT_S: Final = 20.0
TEST_TIMEOUT_S: Final = 8.0
LEASE: Final = timedelta(seconds=90)
LONGEST_PAUSE: Final = timedelta(minutes=5)
#: The place of a seal's checkpoint, which is after all its rows.
AFTER_ALL: Final = 2**31

#: What a datagram tells of a row that is too long for one; the rest is found by the id.
_KEPT_WHEN_SHORT = frozenset({"type", "id", "at", "verb", "flow", "seal", "leaf_index", "hash"})
_DENIALS = frozenset({"access.denied", "policy.refused", "sign_in.failure"})
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Item:
    """One thing to be told: its place, when it was, what it is called, and what is said of it."""

    seal: int
    leaf_index: int
    at: datetime
    name: str
    said: dict[str, Any]

    @property
    def place(self) -> str:
        """What tells this item from every other, and keeps their order."""
        return f"{self.seal}.{'end' if self.leaf_index == AFTER_ALL else self.leaf_index}"

    def line(self, *, within: int | None = None) -> str:
        """The item as JSON in ASCII; shortened where it would be longer than that."""
        text = _line({"format": FORMAT, "place": self.place, **self.said})
        if within is None or len(text) <= within:
            return text
        kept = {name: value for name, value in self.said.items() if name in _KEPT_WHEN_SHORT}
        return _line({"format": FORMAT, "place": self.place, **kept, "shortened": True})


def due_destinations(*, now: datetime) -> list[UUID]:
    """The destinations for which there is something to send, and that nobody sends to just now."""
    head = head_seal()
    behind = Q(seal__lt=head) | Q(seal=head, leaf_index__lt=AFTER_ALL)
    return list(
        TrailDestination.objects.filter(behind, is_paused=False, next_try_at__lte=now)
        .filter(Q(leased_until__isnull=True) | Q(leased_until__lt=now))
        .order_by("next_try_at")
        .values_list("pk", flat=True)
    )


def head_seal() -> int:
    """The number of the last seal."""
    return AuditSeal.objects.order_by("-number").values_list("number", flat=True).first() or 0


def forward(destination_id: UUID) -> int:
    """Send what a destination does not have yet, batch by batch; returns how many items it took.

    Ends with the first batch that is not taken: it is tried again after a pause that doubles up
    to five minutes, for as long as it takes. Safe to call twice at once: one of them sends.

    Locks:
        None while it sends; the destination's lease keeps others away.
    """
    sent = 0
    while (target := _lease(destination_id)) is not None:
        items, covered = _next_items(target)
        give_back()
        if items:
            try:
                _deliver(target, items, timeout_s=TIMEOUT_S)
            except (OutgoingError, ProductError) as error:
                _note_failure(target, error.message)
                break
            except Exception as error:
                _note_failure(target, f"{type(error).__name__}: {error}")
                raise
        if not _move_on(target, covered, len(items)):
            break
        sent += len(items)
        if covered == (head_seal(), AFTER_ALL):
            break
    return sent


def send_test(target: TrailDestination) -> None:
    """Send one line that says it is a test.

    Raises:
        OutgoingError, ProductError: What is in the way, as a sentence.
    """
    now = clock.now()
    said = {"type": "test", "at": time_text(now), "destination": target.name}
    _deliver(target, [Item(0, -1, now, "trail.test", said)], timeout_s=TEST_TIMEOUT_S)


def _lease(destination_id: UUID) -> TrailDestination | None:
    """The destination, ours for a while; None where there is none or somebody else has it."""
    now = clock.now()
    mine = TrailDestination.objects.filter(pk=destination_id, is_paused=False).filter(
        Q(leased_until__isnull=True) | Q(leased_until__lt=now)
    )
    if not mine.update(leased_until=now + LEASE):
        return None
    return TrailDestination.objects.filter(pk=destination_id).first()


def _next_items(target: TrailDestination) -> tuple[list[Item], tuple[int, int]]:
    """What comes next, in order, and the place up to which that is everything."""
    head = head_seal()
    place = (target.seal, target.leaf_index)
    rows: list[Row] = []
    if target.with_rows:
        found = rows_after(
            target.workspace_id, seal=place[0], leaf_index=place[1], limit=AT_ONCE + 1
        )
        # A seal made meanwhile is the next batch's.
        rows = [row for row in found if (row.seal or 0) <= head]
    full = len(rows) > AT_ONCE
    rows = rows[:AT_ONCE]
    covered = (_place(rows[-1])) if full else (head, AFTER_ALL)
    items = [_entry(row) for row in rows]
    if target.with_checkpoints:
        seals, covered = _seals_between(place, covered)
        items = [one for one in items if (one.seal, one.leaf_index) <= covered] + seals
        items.sort(key=lambda one: (one.seal, one.leaf_index))
    return _fitting(items, covered)


def _seals_between(
    place: tuple[int, int], covered: tuple[int, int]
) -> tuple[list[Item], tuple[int, int]]:
    """The checkpoints after a place up to another, not too many at once."""
    first = place[0] + 1 if place[1] >= AFTER_ALL else max(1, place[0])
    last = covered[0] if covered[1] >= AFTER_ALL else covered[0] - 1
    seals = list(
        AuditSeal.objects.filter(number__gte=first, number__lte=last).order_by("number")[:AT_ONCE]
    )
    if len(seals) == AT_ONCE:
        covered = min(covered, (seals[-1].number, AFTER_ALL))
    return [_checkpoint(seal) for seal in seals], covered


def _fitting(items: list[Item], covered: tuple[int, int]) -> tuple[list[Item], tuple[int, int]]:
    """As many of them as a batch may hold, but one at least."""
    size = 0
    for index, one in enumerate(items):
        size += len(one.line())
        if index and size > MAX_BYTES:
            return items[:index], (items[index - 1].seal, items[index - 1].leaf_index)
    return items, covered


def _deliver(target: TrailDestination, items: Sequence[Item], *, timeout_s: float) -> None:
    if target.kind == DestinationKind.HTTP:
        _post(target, items, timeout_s)
        return
    host, port = split_host_port(target.address)
    within = syslog.MAX_DATAGRAM - 400 if target.kind == DestinationKind.SYSLOG_UDP else None
    lines = [
        syslog.written(syslog.Line(one.at, one.name, one.line(within=within), _severity(one)))
        for one in items
    ]
    syslog.send_lines(
        target.kind,
        host,
        port or 0,
        lines,
        is_allowed=lambda name, at: connections.is_allowed_host(target.workspace_id, name, at),
        timeout_s=timeout_s,
    )


def _post(target: TrailDestination, items: Sequence[Item], timeout_s: float) -> None:
    headers = {
        "Content-Type": "application/x-ndjson",
        "Idempotency-Key": f"{target.pk}/{items[0].place}-{items[-1].place}",
    }
    if target.secret_name:
        place = parse(target.address)
        value = connections.secret_for_host(
            target.workspace_id, target.secret_name, place.host, place.port
        )
        headers["Authorization"] = f"Bearer {value}"
        give_back()
    answer = OutgoingClient(target.workspace_id).request(
        "POST",
        target.address,
        headers=headers,
        content="".join(f"{one.line()}\n" for one in items).encode(),
        timeout_s=timeout_s,
    )
    if not 200 <= answer.status < 300:
        raise NotTaken(
            f"The receiver answered {answer.status} where 200 to 299 says that it took the lines."
        )


class NotTaken(ProductError):
    """The receiver answered, but not that it has taken what was sent."""

    code = "not_taken"
    status = 422


def _move_on(target: TrailDestination, covered: tuple[int, int], count: int) -> bool:
    """Note that everything up to a place was taken; False where the place was moved meanwhile."""
    now = clock.now()
    changes: dict[str, Any] = {
        "seal": covered[0],
        "leaf_index": covered[1],
        "leased_until": None,
        "failures": 0,
        "failing_since": None,
        "last_error": "",
        "next_try_at": now,
    }
    if count:
        changes |= {"sent": F("sent") + count, "last_sent_at": now}
    return bool(
        TrailDestination.objects.filter(
            pk=target.pk, seal=target.seal, leaf_index=target.leaf_index
        ).update(**changes)
    )


def _note_failure(target: TrailDestination, message: str) -> None:
    now = clock.now()
    pause = min(LONGEST_PAUSE, timedelta(seconds=2 ** min(target.failures, 12)))
    TrailDestination.objects.filter(pk=target.pk, leased_until=target.leased_until).update(
        failures=F("failures") + 1,
        failing_since=target.failing_since or now,
        last_error=message[:500],
        next_try_at=now + pause,
        leased_until=None,
    )
    _log.warning("the trail was not taken by %s: %s", target.pk, message)


def _place(row: Row) -> tuple[int, int]:
    return row.seal or 0, row.leaf_index or 0


def _entry(row: Row) -> Item:
    seal, leaf_index = _place(row)
    said = {"type": "entry", **row_shown(row), "leaf_index": leaf_index}
    return Item(seal, leaf_index, row.event.at, row.event.verb, said)


def _checkpoint(seal: AuditSeal) -> Item:
    said = {
        "type": "checkpoint",
        "at": time_text(seal.at),
        "number": seal.number,
        "count": seal.count,
        "hash": bytes(seal.hash).hex(),
        "signature": bytes(seal.signature).hex(),
        "line": line_of(seal).decode().strip(),
    }
    return Item(seal.number, AFTER_ALL, seal.at, "trail.checkpoint", said)


def _severity(item: Item) -> syslog.Severity:
    if item.name in _DENIALS:
        return syslog.WARNING
    return syslog.NOTICE if item.said["type"] == "checkpoint" else syslog.INFO


def _line(said: dict[str, Any]) -> str:
    # Exact numbers as they are written, everything beyond ASCII escaped: safe in every log.
    text = encoding.as_json(said).decode()
    return text if text.isascii() else "".join(_escaped(text))


def _escaped(text: str) -> Iterator[str]:
    for sign in text:
        yield sign if sign.isascii() else json.dumps(sign)[1:-1]
