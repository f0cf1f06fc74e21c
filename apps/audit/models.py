"""The ledger's tables. No foreign keys: it must outlive what it describes.

``audit_event``, ``audit_value`` and ``audit_leaf`` are partitioned by month
(``audit.partitions``); triggers refuse every change that ``docs/audit-format.md`` does not name.
"""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from apps.audit.records import Target, Who
from apps.core.models import WorkspaceQuerySet

__all__ = [
    "AuditCounter",
    "AuditErasure",
    "AuditEvent",
    "AuditLeaf",
    "AuditSeal",
    "AuditUnsealed",
    "AuditValue",
    "Target",
    "Who",
]


class AuditEvent(models.Model):
    """One row of the trail: what stays readable for ever, and commitments to the rest."""

    id = models.UUIDField(primary_key=True, editable=False)
    workspace_id = models.UUIDField(null=True)
    at = models.DateTimeField()
    verb = models.TextField()
    actor_kind = models.TextField()
    actor_id = models.TextField()
    on_behalf_of = models.TextField()
    target_type = models.TextField()
    target_id = models.TextField()
    flow_id = models.UUIDField(null=True)
    correlation_id = models.TextField()
    commitments = models.JSONField()
    row_hash = models.BinaryField()

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        db_table = "audit_event"
        verbose_name = "trail row"
        indexes = [
            models.Index("workspace_id", "id", name="audit_event_time"),
            models.Index("workspace_id", "actor_id", "id", name="audit_event_actor"),
            models.Index("workspace_id", "verb", "id", name="audit_event_verb"),
            models.Index("workspace_id", "target_id", "id", name="audit_event_target"),
            models.Index(
                "workspace_id",
                "flow_id",
                "id",
                name="audit_event_flow",
                condition=models.Q(flow_id__isnull=False),
            ),
            models.Index(
                "workspace_id",
                "correlation_id",
                "id",
                name="audit_event_correlation",
                condition=~models.Q(correlation_id=""),
            ),
        ]


class AuditValue(models.Model):
    """A row's labels, reason and fields with their salts; each can be erased, none changed.

    ``salted`` is ``{field: [salt in hex, JSON text]}``. ``words`` serves the search and proves
    nothing.
    """

    event_id = models.UUIDField(primary_key=True)
    salted = models.JSONField()
    words = SearchVectorField()

    class Meta:
        db_table = "audit_value"
        indexes = [GinIndex("words", name="audit_value_words")]


class AuditUnsealed(models.Model):
    """A row that waits for its seal; ``mac`` shows that somebody with the key wrote it."""

    event_id = models.UUIDField(primary_key=True)
    row_hash = models.BinaryField()
    mac = models.BinaryField()
    refused = models.BooleanField(default=False)

    class Meta:
        db_table = "audit_unsealed"
        indexes = [
            models.Index("event_id", name="audit_unsealed_due", condition=models.Q(refused=False))
        ]


class AuditSeal(models.Model):
    """A signed statement over rows; each names the hash of the one before.

    ``kind``: ``rows``; ``key`` hands over to another key; ``anchor`` stands for dropped rows.
    """

    number = models.BigIntegerField(primary_key=True)
    kind = models.TextField()
    at = models.DateTimeField()
    count = models.IntegerField()
    root = models.BinaryField()
    previous = models.BinaryField()
    key = models.TextField()
    extra = models.JSONField()
    hash = models.BinaryField(unique=True)
    signature = models.BinaryField()
    first_id = models.UUIDField(null=True)
    last_id = models.UUIDField(null=True)

    class Meta:
        db_table = "audit_seal"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["rows", "key", "anchor"]), name="audit_seal_kind"
            )
        ]


class AuditLeaf(models.Model):
    """Where a row sits: its seal, its place among the leaves, and the hash that was sealed."""

    event_id = models.UUIDField(primary_key=True)
    seal_number = models.BigIntegerField()
    leaf_index = models.IntegerField()
    hash = models.BinaryField()

    class Meta:
        db_table = "audit_leaf"
        indexes = [models.Index("seal_number", "leaf_index", name="audit_leaf_seal")]


class AuditErasure(models.Model):
    """A value that was erased, and the trail row that says by whom and why."""

    id = models.BigAutoField(primary_key=True)
    event_id = models.UUIDField()
    field = models.TextField()
    by_event_id = models.UUIDField()

    class Meta:
        db_table = "audit_erasure"
        constraints = [
            models.UniqueConstraint(fields=["event_id", "field"], name="audit_erased_once")
        ]
        indexes = [models.Index("by_event_id", name="audit_erasure_by")]


class AuditCounter(models.Model):
    """What happened again and again within a minute; becomes one row when the minute is over."""

    id = models.BigAutoField(primary_key=True)
    key = models.TextField()
    minute = models.DateTimeField()
    count = models.IntegerField()
    row = models.JSONField()

    class Meta:
        db_table = "audit_counter"
        constraints = [
            models.UniqueConstraint(fields=["key", "minute"], name="audit_one_counter_a_minute")
        ]
        indexes = [models.Index("minute", name="audit_counter_minute")]
