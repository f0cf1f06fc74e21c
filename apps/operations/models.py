"""What people are told: alerts in the app, and the mails that went to them."""

from django.conf import settings
from django.db import models

from apps.core.models import WorkspaceQuerySet, uuid7


class AlertKind(models.TextChoices):
    """What an alert is about."""

    RUN_FAILED = "run_failed"
    RUN_HELD = "run_held"
    TOO_FEW = "too_few"
    TOO_DEEP = "too_deep"
    RUN_STUCK = "run_stuck"
    REFUSED = "refused"


class Alert(models.Model):
    """Something a person should look at: one per cause and hour, with a count.

    ``fingerprint`` names the cause (kind, flow, step, code). ``run_id`` is the first run it was
    about; ``last_at`` the time of the latest case.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace_id = models.UUIDField()
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="alerts"
    )
    kind = models.CharField(max_length=12, choices=AlertKind)
    flow = models.ForeignKey("flows.Flow", on_delete=models.PROTECT, related_name="+")
    run_id = models.UUIDField(null=True)
    title = models.CharField(max_length=300)
    body = models.TextField(blank=True, default="")
    fingerprint = models.CharField(max_length=64)
    count = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    last_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["user", "workspace_id", "-id"], name="alert_list"),
            models.Index(
                fields=["user", "workspace_id"],
                name="alert_unread",
                condition=models.Q(read_at__isnull=True),
            ),
            models.Index(fields=["user", "fingerprint", "-id"], name="alert_cause"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=AlertKind.values), name="alert_kind_known"
            ),
            models.CheckConstraint(condition=models.Q(count__gte=1), name="alert_counts"),
        ]

    def __str__(self) -> str:
        return self.title


class AlertCase(models.Model):
    """A run or task that an alert has counted, so that none counts twice."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="cases")
    case_id = models.UUIDField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["alert", "case_id"], name="alert_case_once")]


class Notice(models.Model):
    """A mail to one of our people. Written once by its ``key``; sent by the outbox.

    Ends with ``sent_at``, or with ``dropped_at`` where it had become pointless before it left.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace_id = models.UUIDField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=200, unique=True)
    #: The task it asks for, if any; a task that is over is not written about.
    task_id = models.UUIDField(null=True)
    subject = models.CharField(max_length=200)
    text = models.TextField()
    created_at = models.DateTimeField(db_index=True)
    sent_at = models.DateTimeField(null=True)
    dropped_at = models.DateTimeField(null=True)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(sent_at__isnull=True) | models.Q(dropped_at__isnull=True),
                name="notice_one_end",
            )
        ]

    def __str__(self) -> str:
        return self.subject
