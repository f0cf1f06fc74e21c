"""What starts runs: one trigger per published flow, what arrived at it, and when it fires."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.models import ExactJSONField, WorkspaceQuerySet, uuid7

WEBHOOK, SCHEDULE = "webhook", "schedule"
MAX_PATH = 600
MAX_REASON = 500


class Trigger(models.Model):
    """How signals reach a flow's active version. Written with the release, read by each request.

    ``config`` is the active version's, as published. An address belongs to one enabled trigger of
    a workspace; archiving the flow frees it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    flow = models.OneToOneField("flows.Flow", on_delete=models.PROTECT, related_name="trigger")
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.PROTECT, related_name="+")
    version = models.ForeignKey("flows.FlowVersion", on_delete=models.PROTECT, related_name="+")
    type = models.CharField(max_length=60)
    #: Of a webhook, without the leading slash; empty for other types.
    path = models.CharField(max_length=MAX_PATH, blank=True, default="")
    config = ExactJSONField()
    #: The secret that signs calls; empty where calls are not signed.
    secret_name = models.CharField(max_length=100, blank=True, default="")
    enabled = models.BooleanField(default=True)
    #: Grows with every release.
    revision = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField()

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "path"],
                condition=models.Q(type=WEBHOOK, enabled=True),
                name="trigger_path_once",
            ),
            models.CheckConstraint(
                condition=models.Q(type=WEBHOOK) ^ models.Q(path=""), name="trigger_path_of_webhook"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.path}".strip()


class Verdict(models.TextChoices):
    """What became of a call."""

    ACCEPTED = "accepted", _("Accepted")
    HELD = "held", _("Accepted, held while the flow is paused")
    DUPLICATE = "duplicate", _("Came before")
    REFUSED = "refused", _("Refused")


class Delivery(models.Model):
    """One call to a webhook, as it arrived: headers and query masked, the raw body sealed.

    No foreign keys: the row outlives nothing it names, and each would cost the hot path a lock.
    Of calls that were refused or came before, only so many are kept per trigger and minute; all
    go after ``SIGNALBOX_RAW_DAYS``.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace_id = models.UUIDField()
    trigger_id = models.UUIDField()
    #: The run it started; of a duplicate, the run that the first one started.
    run_id = models.UUIDField(null=True)
    verdict = models.CharField(max_length=9, choices=Verdict)
    #: Why it was refused, in the sentence that the caller got.
    reason = models.CharField(max_length=MAX_REASON, blank=True, default="")
    #: One line for lists: the event's name where the sender says one, the kind, the size.
    summary = models.CharField(max_length=200, blank=True, default="")
    headers = ExactJSONField()
    query = ExactJSONField()
    #: Sealed under ``body_context(id)``; null where nothing was accepted.
    body = models.BinaryField(null=True)
    received_at = models.DateTimeField()

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(verdict__in=Verdict.values), name="delivery_verdict_known"
            ),
            models.CheckConstraint(
                condition=models.Q(verdict=Verdict.REFUSED) ^ models.Q(run_id__isnull=False),
                name="delivery_refused_without_run",
            ),
        ]
        indexes = [
            models.Index(fields=["trigger_id", "-id"], name="delivery_list"),
            models.Index(
                fields=["trigger_id", "id"],
                name="delivery_not_run",
                condition=models.Q(verdict__in=[Verdict.REFUSED, Verdict.DUPLICATE]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} {self.id}"


class DedupeKey(models.Model):
    """The first call under a key, kept 30 days; the unique key is what makes a repeat harmless.

    The key itself is not kept, only its SHA-256 with where it came from.
    """

    pk = models.CompositePrimaryKey("trigger_id", "key_sha256")
    trigger_id = models.UUIDField()
    key_sha256 = models.BinaryField(max_length=32)
    run_id = models.UUIDField()
    body_sha256 = models.BinaryField(max_length=32)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="dedupe_key_age")]

    def __str__(self) -> str:
        return f"{self.trigger_id} {bytes(self.key_sha256).hex()}"


class Schedule(models.Model):
    """When a trigger fires next. Claimed by clocks with SKIP LOCKED; see ``fire_due``."""

    trigger = models.OneToOneField(
        Trigger, on_delete=models.CASCADE, primary_key=True, related_name="schedule"
    )
    cron = models.CharField(max_length=100)
    zone = models.CharField(max_length=64)
    #: False while the flow is paused or archived: a time that passes meanwhile is fired once
    #: when it is resumed, as after an outage.
    enabled = models.BooleanField(default=True)
    #: Null where the line never fires again, such as on a 30th of February.
    next_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["next_at"], name="schedule_due", condition=models.Q(enabled=True))
        ]

    def __str__(self) -> str:
        return f"{self.cron} {self.zone}"


class ScheduleFire(models.Model):
    """A time for which a schedule has started a run; it starts no second one for it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="fires")
    fire_at = models.DateTimeField()
    run_id = models.UUIDField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["schedule", "fire_at"], name="schedule_fires_once")
        ]

    def __str__(self) -> str:
        return f"{self.schedule_id} {self.fire_at:%Y-%m-%dT%H:%M%z}"
