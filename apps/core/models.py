"""What every table is made of: time-ordered ids, exact JSON, the tenant filter, the outbox."""

import secrets
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any, Self, TypeVar

from django.db import models

from apps.engine import values

if TYPE_CHECKING:
    AnyField = models.Field[Any, Any]
else:
    AnyField = models.Field  # Django's own class takes no type arguments at run time

M_co = TypeVar("M_co", bound=models.Model, covariant=True)

_last_id = 0
_id_lock = threading.Lock()


def uuid7() -> uuid.UUID:
    """A UUIDv7 that grows within this process, even within one millisecond.

    Source: RFC 9562, section 5.7 and 6.2 (method 2: a random start, then increments).
    """
    global _last_id  # noqa: PLW0603 - the counter is per process by definition
    fresh = (time.time_ns() // 1_000_000 << 80) | secrets.randbits(74)
    with _id_lock:
        bits = (fresh >> 80 << 80) | (fresh & ((1 << 74) - 1))
        if bits <= _last_id:
            bits = _last_id + 1 + secrets.randbits(24)
            if bits & ((1 << 80) - 1) >= 1 << 74:
                bits = ((bits >> 80) + 1) << 80 | secrets.randbits(64)
        _last_id = bits
    stamp, tail = bits >> 80, bits & ((1 << 74) - 1)
    return uuid.UUID(
        int=(stamp << 80) | (7 << 76) | (tail >> 62 << 64) | (2 << 62) | (tail & ((1 << 62) - 1))
    )


def first_uuid7_at(milliseconds: int) -> uuid.UUID:
    """The smallest UUID of that time; the bound between two partitions."""
    return uuid.UUID(int=milliseconds << 80)


class WorkspaceQuerySet(models.QuerySet[M_co]):
    """Every query about a tenant's rows starts here."""

    def for_workspace(self, workspace_id: uuid.UUID) -> Self:
        return self.filter(workspace_id=workspace_id)


class ExactJSONField(AnyField):
    """JSON kept as it was written: SQL type ``json``, numbers as exact decimals.

    ``jsonb`` would expand exponents and reorder names; this column is never searched.
    """

    description = "Exact JSON"

    def db_type(self, connection: Any) -> str:
        return "json"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        if value is None or not isinstance(value, str | bytes):
            return value
        return values.loads(value)

    def get_db_prep_value(
        self,
        value: Any,
        connection: Any,
        prepared: bool = False,  # noqa: FBT001, FBT002 - Django's own signature
    ) -> Any:
        return None if value is None else values.dumps(value)

    def get_placeholder(self, value: Any, compiler: Any, connection: Any) -> str:
        return "%s::json"

    def select_format(self, compiler: Any, sql: str, params: Any) -> tuple[str, Any]:
        # As text: psycopg would otherwise parse json itself, with floats.
        return f"({sql})::text", params


class Outbox(models.Model):
    """What must leave the process after commit. Relayed at least once; see ``core.outbox``."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    topic = models.CharField(max_length=60)
    key = models.CharField(max_length=200, null=True, unique=True)
    payload = models.JSONField()
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True, default="")
    available_at = models.DateTimeField()
    created_at = models.DateTimeField()
    failed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["available_at"],
                name="outbox_due",
                condition=models.Q(failed_at__isnull=True),
            )
        ]


class IdempotencyRecord(models.Model):
    """The first answer to a create with an ``Idempotency-Key``; see ``core.idempotency``."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    caller = models.CharField(max_length=120)
    route = models.CharField(max_length=200)
    key = models.CharField(max_length=200)
    body_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    answer = ExactJSONField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["caller", "route", "key"], name="one_answer_per_key")
        ]


class ClockOffset(models.Model):
    """How far ``manage.py clock advance`` has moved business time; at most one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    offset = models.DurationField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_clock")]
