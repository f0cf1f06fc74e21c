"""What stands in the bell, and what is done with the trail beside requests."""

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
    #: A task waits for the reader; it is gone from the bell when it does not any more.
    TASK = "task"
    #: Something about a task that stays until it is read; a test is such, too.
    TASK_NEWS = "task_news"


class Alert(models.Model):
    """Something a person should look at: one per cause and hour, with a count.

    ``fingerprint`` names the cause (kind, flow, step, code; of a task's, the notice). ``run_id``
    is the first run it was about; ``last_at`` the time of the latest case. ``path`` is where the
    reader acts, for those about tasks.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace_id = models.UUIDField()
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="alerts"
    )
    kind = models.CharField(max_length=12, choices=AlertKind)
    flow = models.ForeignKey("flows.Flow", on_delete=models.PROTECT, null=True, related_name="+")
    run_id = models.UUIDField(null=True)
    task_id = models.UUIDField(null=True)
    path = models.CharField(max_length=300, blank=True, default="", db_default="")
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


class DestinationKind(models.TextChoices):
    """How the trail is told to another log."""

    HTTP = "http"
    SYSLOG_TCP = "syslog_tcp"
    SYSLOG_TLS = "syslog_tls"
    SYSLOG_UDP = "syslog_udp"


class TrailDestination(models.Model):
    """A log elsewhere to which the trail is sent in the order of its seals.

    ``seal`` and ``leaf_index`` are the place of what was delivered last; a seal's checkpoint has
    the place after its rows. The place moves on only when the receiver has taken what was sent, so
    whatever happens in between is sent again. ``leased_until`` says who sends just now.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace_id = models.UUIDField()
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=DestinationKind)
    address = models.CharField(max_length=500)
    #: Its value goes along as a bearer token; for HTTP alone.
    secret_name = models.CharField(max_length=100, blank=True, default="")
    with_rows = models.BooleanField(default=True)
    with_checkpoints = models.BooleanField(default=True)
    is_paused = models.BooleanField(default=False)
    seal = models.BigIntegerField(default=0)
    leaf_index = models.BigIntegerField(default=-1)
    sent = models.BigIntegerField(default=0)
    last_sent_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=500, blank=True, default="")
    next_try_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField()

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace_id", "name"], name="destination_name_once"),
            models.CheckConstraint(
                condition=models.Q(kind__in=DestinationKind.values), name="destination_kind_known"
            ),
            models.CheckConstraint(
                condition=models.Q(with_rows=True) | models.Q(with_checkpoints=True),
                name="destination_sends_something",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class JobState(models.TextChoices):
    """How far something is that is made beside the request that asked for it."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


#: The states in which it may be taken up, and by what each may be followed.
JOB_TRANSITIONS = {
    JobState.WAITING: frozenset({JobState.RUNNING}),
    JobState.RUNNING: frozenset({JobState.RUNNING, JobState.DONE, JobState.FAILED}),
    JobState.DONE: frozenset[JobState](),
    JobState.FAILED: frozenset[JobState](),
}


class TrailJob(models.Model):
    """What somebody asked for about the trail: a check of all of it, or an evidence pack.

    ``wanted`` and ``result`` are JSON of the kind's own. ``leased_until`` is when a worker that
    was killed counts as gone; ``tries`` ends what kills every worker.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace_id = models.UUIDField()
    kind = models.CharField(max_length=8, choices=[("check", "check"), ("evidence", "evidence")])
    state = models.CharField(max_length=8, choices=JobState, default=JobState.WAITING)
    wanted = models.JSONField(default=dict)
    result = models.JSONField(null=True)
    error = models.CharField(max_length=500, blank=True, default="")
    tries = models.PositiveSmallIntegerField(default=0)
    leased_until = models.DateTimeField(null=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["workspace_id", "kind", "-id"], name="trail_job_list"),
            models.Index(
                fields=["id"],
                name="trail_job_due",
                condition=models.Q(state__in=["waiting", "running"]),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=JobState.values), name="trail_job_state_known"
            ),
            models.CheckConstraint(
                condition=models.Q(finished_at__isnull=True, state__in=["waiting", "running"])
                | models.Q(finished_at__isnull=False, state__in=["done", "failed"]),
                name="trail_job_end",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class TrailJobPart(models.Model):
    """A piece of the file that a job made."""

    id = models.BigAutoField(primary_key=True)
    job = models.ForeignKey(TrailJob, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "number"], name="trail_job_part_once")
        ]
