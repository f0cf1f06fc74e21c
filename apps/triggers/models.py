"""What starts runs: one trigger per published flow, what arrived at it, and when it fires."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.models import ExactJSONField, WorkspaceQuerySet, uuid7

WEBHOOK, SCHEDULE, EVENT = "webhook", "schedule", "event"
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
    #: That of the runs it starts; see ``runs.priorities``.
    priority = models.SmallIntegerField(default=0, db_default=0)
    #: What the active version takes, a JSON Schema; null where it takes anything.
    contract = ExactJSONField(null=True)
    #: The type of event that starts it; empty for other triggers.
    event_type = models.CharField(max_length=200, blank=True, default="", db_default="")
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
        indexes = [
            models.Index(
                fields=["workspace", "event_type"],
                name="trigger_of_event",
                condition=models.Q(type=EVENT, enabled=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.path}".strip()


class Verdict(models.TextChoices):
    """What became of a call."""

    ACCEPTED = "accepted", _("Accepted")
    HELD = "held", _("Accepted, held while the flow is paused")
    DUPLICATE = "duplicate", _("Came before")
    REFUSED = "refused", _("Refused")
    TOO_DEEP = "too_deep", _("Refused: too many events led to it")


class Delivery(models.Model):
    """One call to a webhook, as it arrived: headers and query masked, the raw body sealed.

    Or one event that came to an event trigger; its data stands with the event.

    No foreign keys: the row outlives nothing it names, and each would cost the hot path a lock.
    Of calls that were refused or came before, only so many are kept per trigger and minute; all
    go after ``SIGNALBOX_RAW_DAYS``, by the day: the table is partitioned (``partitions``). Of an
    event there is one for each trigger, since its id follows from both.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace_id = models.UUIDField()
    trigger_id = models.UUIDField()
    #: Of an event trigger.
    event_id = models.UUIDField(null=True)
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
                condition=models.Q(verdict__in=[Verdict.REFUSED, Verdict.TOO_DEEP])
                ^ models.Q(run_id__isnull=False),
                name="delivery_refused_without_run",
            ),
        ]
        indexes = [
            models.Index(fields=["trigger_id", "-id"], name="delivery_list"),
            models.Index(
                fields=["event_id"],
                name="delivery_of_event",
                condition=models.Q(event_id__isnull=False),
            ),
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
    #: False while the flow is paused or archived: times that pass meanwhile were missed when it
    #: is resumed, as after an outage.
    enabled = models.BooleanField(default=True)
    #: Null where the line never fires again, such as on a 30th of February.
    next_at = models.DateTimeField(null=True)
    #: When ``next_at`` was worked out. A clock that shows less has jumped back.
    looked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["next_at"], name="schedule_due", condition=models.Q(enabled=True)),
            models.Index(
                fields=["looked_at"], name="schedule_ahead", condition=models.Q(enabled=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cron} {self.zone}"


class FireStatus(models.TextChoices):
    """What became of a time."""

    WAITING = "waiting", _("Waits for the run before")
    STARTED = "started", _("Started a run")
    OVER = "over", _("Started a run, which is over or was told to end")
    SKIPPED = "skipped", _("Passed over: the run before was under way")
    REFUSED = "refused", _("Refused: the flow asks for something else")


class ScheduleFire(models.Model):
    """A time that a schedule has fired; it never fires it again.

    ``started`` becomes ``over`` when somebody asks whether the run is still under way.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="fires")
    fire_at = models.DateTimeField()
    status = models.CharField(
        max_length=8,
        choices=FireStatus,
        default=FireStatus.STARTED,
        db_default=FireStatus.STARTED,
    )
    run_id = models.UUIDField(null=True)
    #: Why it was refused.
    reason = models.CharField(max_length=MAX_REASON, blank=True, default="", db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["schedule", "fire_at"], name="schedule_fires_once"),
            models.CheckConstraint(
                condition=models.Q(status__in=FireStatus.values), name="schedule_fire_status_known"
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=[FireStatus.STARTED, FireStatus.OVER])
                ^ models.Q(run_id__isnull=True),
                name="schedule_fire_started_a_run",
            ),
        ]
        indexes = [
            models.Index(
                fields=["schedule", "fire_at"],
                name="schedule_fire_open",
                condition=models.Q(status__in=[FireStatus.WAITING, FireStatus.STARTED]),
            ),
            models.Index(
                fields=["schedule"],
                name="schedule_fire_waiting",
                condition=models.Q(status=FireStatus.WAITING),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.schedule_id} {self.fire_at:%Y-%m-%dT%H:%M%z}"


class Event(models.Model):
    """Something that happened, told to whoever starts by it or waits for it.

    ``(source, event_id)`` names it to the outside, as CloudEvents does, so that a repeat is known
    as one; of what a run published ``event_id`` is the ``id``. A plain table, since that name
    must be unique over all of it; rows go after ``SIGNALBOX_RAW_DAYS``, in the order of their ids.

    ``keyed_at`` is null until its keys are worked out; ``look_at`` is when takers are to be looked
    for, null when that is done. See ``matching``.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace_id = models.UUIDField()
    event_id = models.CharField(max_length=200)
    source = models.CharField(max_length=300)
    type = models.CharField(max_length=200)
    version = models.CharField(max_length=20, default="1")
    subject = models.CharField(max_length=300, blank=True, default="")
    occurred_at = models.DateTimeField()
    data = ExactJSONField(null=True)
    #: Further attributes that came from outside, given back as they came.
    attributes = ExactJSONField(default=dict)
    correlation = models.CharField(max_length=200)
    #: The event, or else the run, that it follows from; empty where nobody said.
    causation = models.CharField(max_length=200, blank=True, default="")
    #: How many events led to it, itself among them.
    depth = models.PositiveIntegerField(default=1)
    #: The flow, run and step that published it.
    flow_id = models.UUIDField(null=True)
    run_id = models.UUIDField(null=True)
    step = models.CharField(max_length=63, blank=True, default="")
    created_at = models.DateTimeField()
    #: Until then whoever begins to wait takes it, too.
    expires_at = models.DateTimeField()
    keyed_at = models.DateTimeField(null=True)
    look_at = models.DateTimeField(null=True)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        db_table = "event"
        constraints = [
            models.UniqueConstraint(
                fields=["workspace_id", "source", "event_id"], name="event_once"
            ),
            models.CheckConstraint(condition=models.Q(depth__gte=1), name="event_depth"),
        ]
        indexes = [
            models.Index(fields=["workspace_id", "-id"], name="event_list"),
            models.Index(fields=["workspace_id", "type", "-id"], name="event_by_type"),
            models.Index(fields=["run_id"], name="event_by_run"),
            models.Index(fields=["workspace_id", "correlation"], name="event_by_correlation"),
            models.Index(
                fields=["look_at", "id"],
                name="event_to_look",
                condition=models.Q(look_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"


class EventPattern(models.Model):
    """A way in which waits tell events of a type apart: an expression that gives their key.

    Made with the first wait that uses it; from then on the key of each event is worked out once.
    """

    id = models.BigAutoField(primary_key=True)
    workspace_id = models.UUIDField()
    type = models.CharField(max_length=200)
    #: Empty where any event of the type will do.
    key_of = models.CharField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField()

    class Meta:
        db_table = "event_pattern"
        constraints = [
            models.UniqueConstraint(
                fields=["workspace_id", "type", "key_of"], name="event_pattern_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.key_of}"


class EventKey(models.Model):
    """The key of an event under a pattern; null where it has none, with the reason."""

    pk = models.CompositePrimaryKey("event_id", "pattern_id")
    event_id = models.UUIDField()
    pattern_id = models.BigIntegerField()
    key_sha256 = models.BinaryField(max_length=32, null=True)
    fault = models.CharField(max_length=MAX_REASON, blank=True, default="")
    #: The event's own.
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "event_key"
        indexes = [
            models.Index(
                fields=["pattern_id", "key_sha256", "expires_at"],
                name="event_key_look",
                condition=models.Q(key_sha256__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.event_id} {self.pattern_id}"


class SubscriptionStatus(models.TextChoices):
    """Where a wait for an event stands."""

    OPEN = "open", _("Open")
    MATCHED = "matched", _("Matched")
    CLOSED = "closed", _("Closed")


class EventSubscription(models.Model):
    """A visit of a run waits for an event, by one of its ways.

    ``known`` is what ``where`` reads of the run. ``look_at`` as for events. Only the statement
    that resolves or closes it changes ``status``, and only from ``open``.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace_id = models.UUIDField()
    run_id = models.UUIDField()
    lane = models.UUIDField()
    step = models.CharField(max_length=63)
    visit = models.IntegerField()
    #: Which of the step's ways it is.
    place = models.SmallIntegerField(default=0)
    port = models.CharField(max_length=63)
    type = models.CharField(max_length=200)
    key_of = models.CharField(max_length=500, blank=True, default="")
    key_sha256 = models.BinaryField(max_length=32)
    where = models.TextField(blank=True, default="")
    known = ExactJSONField(null=True)
    pattern_id = models.BigIntegerField(null=True)
    status = models.CharField(
        max_length=10, choices=SubscriptionStatus, default=SubscriptionStatus.OPEN
    )
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    look_at = models.DateTimeField(null=True)
    #: The event that it took.
    event_id = models.UUIDField(null=True)
    #: Why the latest event that came near did not fit, where that was a fault.
    note = models.CharField(max_length=MAX_REASON, blank=True, default="")

    class Meta:
        db_table = "event_subscription"
        constraints = [
            models.UniqueConstraint(
                fields=["run_id", "step", "visit", "place"], name="event_subscription_once"
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=SubscriptionStatus.values),
                name="event_subscription_status_known",
            ),
            models.CheckConstraint(
                condition=models.Q(status=SubscriptionStatus.MATCHED)
                ^ models.Q(event_id__isnull=True),
                name="event_subscription_takes_one",
            ),
            models.CheckConstraint(
                condition=models.Q(status=SubscriptionStatus.OPEN)
                ^ models.Q(closed_at__isnull=False),
                name="event_subscription_over",
            ),
        ]
        indexes = [
            models.Index(
                fields=["pattern_id", "key_sha256"],
                name="event_subscription_match",
                condition=models.Q(status="open"),
            ),
            models.Index(
                fields=["look_at", "id"],
                name="event_subscription_to_look",
                condition=models.Q(look_at__isnull=False),
            ),
            models.Index(
                fields=["event_id"],
                name="event_subscription_took",
                condition=models.Q(event_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.status}"


class Listener(models.Model):
    """An address of its own for a flow's draft, for ten minutes. What arrives starts nothing.

    ``heard`` and ``refused`` count what came; ``said`` is what the last one that was refused was
    told.
    """

    flow = models.OneToOneField(
        "flows.Flow", on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+")
    token = models.CharField(max_length=64, unique=True)
    opened_by = models.CharField(max_length=254)
    opened_at = models.DateTimeField()
    until = models.DateTimeField()
    heard = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    said = models.CharField(max_length=MAX_REASON, blank=True, default="")

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["until"], name="listener_until")]

    def __str__(self) -> str:
        return f"Listener of {self.flow_id}"
