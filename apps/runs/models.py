"""Executions and everything the engine keeps about them.

``run`` and ``run_event`` are partitioned by time-ordered id and made in SQL (migration 0002);
what is live and hot (state, commands, effects, timers, limits) stands in small plain tables.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.models import ExactJSONField, WorkspaceQuerySet, uuid7
from apps.engine.lifecycle import FINAL_RUN, EffectStatus, RunStatus

PARKED = 100  # the priority of commands that no driver takes until somebody resumes the run


class Run(models.Model):
    """One execution of one version. ``status`` is written by ``drive`` alone, from the engine."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace_id = models.UUIDField()
    flow_id = models.UUIDField()
    version_id = models.UUIDField()
    status = models.CharField(max_length=12, default=RunStatus.QUEUED)
    correlation_id = models.UUIDField()
    #: Who started it by hand or API: the address; empty for signals.
    started_by = models.CharField(max_length=254, default="")
    trigger_type = models.CharField(max_length=30)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField()
    error = ExactJSONField(null=True)
    #: The run that it does again.
    replay_of = models.UUIDField(null=True)
    #: The run that started it, where one did.
    parent_id = models.UUIDField(null=True)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "run"

    @property
    def is_final(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.status in FINAL_RUN


class RunEvent(models.Model):
    """One row of a run's journal; insert-only. ``data`` is read by ``engine.events`` alone."""

    pk = models.CompositePrimaryKey("run_id", "seq")
    run_id = models.UUIDField()
    seq = models.IntegerField()
    type = models.CharField(max_length=30)
    step = models.CharField(max_length=63, default="")
    at = models.DateTimeField()
    data = ExactJSONField()

    class Meta:
        managed = False
        db_table = "run_event"


class RunState(models.Model):
    """The snapshot of a run that is not over; deleted with its end.

    ``lane`` and ``priority`` share the drivers out fairly; see ``priorities``. ``deaths`` counts
    driver processes that died holding the run: from 1 it is driven alone, at 3 it is paused.
    ``awaited_until``: a caller waits for the answer until then. ``limit_key``: the slot it holds.
    ``parent_``: the visit of another run that waits for its end; ``depth``: so many were started
    one by the other.
    """

    run_id = models.UUIDField(primary_key=True)
    workspace_id = models.UUIDField()
    flow_id = models.UUIDField()
    version_id = models.UUIDField()
    lane = models.UUIDField()
    priority = models.SmallIntegerField(default=0, db_default=0)
    format = models.SmallIntegerField()
    seq = models.IntegerField(default=0)
    snapshot = ExactJSONField()
    awaited_until = models.DateTimeField(null=True)
    limit_key = models.CharField(max_length=200, null=True)
    deaths = models.SmallIntegerField(default=0)
    depth = models.SmallIntegerField(default=0, db_default=0)
    parent_id = models.UUIDField(null=True)
    parent_lane = models.UUIDField(null=True)
    parent_step = models.CharField(max_length=63, null=True)
    parent_visit = models.IntegerField(null=True)

    class Meta:
        db_table = "run_state"
        indexes = [
            models.Index(
                fields=["parent_id"],
                name="run_state_child",
                condition=models.Q(parent_id__isnull=False),
            ),
            # Those that a driver died with are looked for by every driver.
            models.Index(
                fields=["run_id"], name="run_state_died", condition=models.Q(deaths__gt=0)
            ),
        ]


class RunCommand(models.Model):
    """Something that should happen to a run, written in the transaction that caused it."""

    id = models.BigAutoField(primary_key=True)
    run_id = models.UUIDField()
    lane = models.UUIDField()
    priority = models.SmallIntegerField(default=0)
    kind = models.CharField(max_length=20)
    payload = ExactJSONField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "run_command"
        indexes = [
            models.Index(fields=["priority", "lane", "id"], name="run_command_claim"),
            models.Index(fields=["run_id", "id"], name="run_command_run"),
        ]


class WaitingStart(models.Model):
    """A start that waits for a slot or for its flow to be resumed; see ``reason``."""

    class Reason(models.TextChoices):
        """Why the run has not started."""

        LIMIT = "limit", _("As many runs as allowed are under way")
        PAUSED = "paused", _("The flow is paused")
        STOPPED = "stopped", _("Everything is stopped")

    id = models.BigAutoField(primary_key=True)
    run_id = models.UUIDField(unique=True)
    flow_id = models.UUIDField()
    lane = models.UUIDField()
    priority = models.SmallIntegerField(default=0, db_default=0)
    limit_key = models.CharField(max_length=200, default="")
    reason = models.CharField(max_length=10, choices=Reason)
    payload = ExactJSONField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "waiting_start"
        indexes = [
            models.Index(fields=["limit_key", "id"], name="waiting_start_limit"),
            models.Index(fields=["limit_key", "priority", "id"], name="waiting_start_turn"),
            models.Index(
                fields=["flow_id", "id"],
                name="waiting_start_flow",
                condition=models.Q(reason="paused"),
            ),
        ]


class WorkspaceStop(models.Model):
    """Everything in a workspace is stopped; see ``stopping``. Gone when it goes on."""

    workspace_id = models.UUIDField(primary_key=True)
    by = models.CharField(max_length=254)
    reason = models.CharField(max_length=2000)
    stopped_at = models.DateTimeField()

    class Meta:
        db_table = "workspace_stop"


class StuckRun(models.Model):
    """A run that has made no progress for too long; see ``stuck``.

    It counts only while the run's ``updated_at`` is ``progress_at``: one that moves is not stuck.
    ``usual_s`` is how long the step usually takes, ``cause`` a reason as ``waits`` gives it.
    """

    run_id = models.UUIDField(primary_key=True)
    workspace_id = models.UUIDField()
    flow_id = models.UUIDField()
    step = models.CharField(max_length=63, default="")
    usual_s = models.FloatField(null=True)
    progress_at = models.DateTimeField()
    noticed_at = models.DateTimeField()
    cause = ExactJSONField()

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        db_table = "stuck_run"
        indexes = [models.Index(fields=["workspace_id", "run_id"], name="stuck_run_list")]


class StepTime(models.Model):
    """How long a step of a flow usually takes: the median of its latest completed visits."""

    pk = models.CompositePrimaryKey("flow_id", "step")
    flow_id = models.UUIDField()
    step = models.CharField(max_length=63)
    #: None where it was never completed.
    usual_s = models.FloatField(null=True)
    visits = models.IntegerField()
    counted_at = models.DateTimeField()

    class Meta:
        db_table = "step_time"


class Limit(models.Model):
    """How many runs may be under way at once, and how many are."""

    key = models.CharField(primary_key=True, max_length=200)
    max = models.IntegerField()
    used = models.IntegerField(default=0)

    class Meta:
        db_table = "run_limit"
        constraints = [models.CheckConstraint(condition=models.Q(used__gte=0), name="limit_used")]


class Effect(models.Model):
    """A step's work on the outside world. Pulled by workers; ``fence`` refuses late results.

    ``idempotency_key`` follows from run, step and visit alone, so every try carries the same.
    ``input`` is the resolved config; secrets in it are placeholders. ``lease_until`` of a queued
    one: until then one process makes itself idle for it; see ``slots``. ``retry`` holds the tries
    by class, where the step says so. Of those with one ``limit_id``, ``limit_max`` are at work at
    once; ``limit_name`` is its key as people read it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    run_id = models.UUIDField()
    workspace_id = models.UUIDField()
    flow_id = models.UUIDField()
    lane = models.UUIDField()
    priority = models.SmallIntegerField(default=0, db_default=0)
    step = models.CharField(max_length=63)
    visit = models.IntegerField()
    generation = models.IntegerField(default=1)
    kind = models.CharField(max_length=60)
    kind_version = models.IntegerField()
    input = ExactJSONField()
    status = models.CharField(max_length=10, default=EffectStatus.QUEUED)
    retry = ExactJSONField(null=True)
    limit_id = models.UUIDField(null=True)
    limit_max = models.IntegerField(null=True)
    limit_name = models.CharField(max_length=200, default="", db_default="")
    attempt = models.IntegerField(default=0)
    max_attempts = models.IntegerField(default=1)
    fence = models.IntegerField(default=0)
    deaths = models.SmallIntegerField(default=0)
    idempotency_key = models.CharField(max_length=64)
    available_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    deadline_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "effect"
        constraints = [
            models.UniqueConstraint(
                fields=["run_id", "step", "visit", "generation"], name="effect_once"
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=[one.value for one in EffectStatus]),
                name="effect_status_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["priority", "lane", "available_at", "id"],
                name="effect_claim",
                condition=models.Q(status="queued", limit_id__isnull=True),
            ),
            models.Index(
                fields=["limit_id", "priority", "available_at", "id"],
                name="effect_limit_claim",
                condition=models.Q(status="queued", limit_id__isnull=False),
            ),
            models.Index(
                fields=["limit_id"],
                name="effect_limit_used",
                condition=models.Q(status="running", limit_id__isnull=False),
            ),
            models.Index(
                fields=["lease_until"], name="effect_leased", condition=models.Q(status="running")
            ),
            models.Index(
                fields=["available_at", "id"],
                name="effect_alone",
                condition=models.Q(status="queued", deaths__gte=2),
            ),
        ]


class Timer(models.Model):
    """A time that a step waits for; fired by the clock."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    run_id = models.UUIDField()
    lane = models.UUIDField()
    step = models.CharField(max_length=63)
    visit = models.IntegerField()
    #: A delay sends the run on, a limit ends a visit that takes too long.
    kind = models.CharField(max_length=10, default="delay", db_default="delay")
    #: The way out that a delay takes.
    port = models.CharField(max_length=63, default="done", db_default="done")
    fires_at = models.DateTimeField()
    output = ExactJSONField(null=True)
    status = models.CharField(max_length=10, default="open")

    class Meta:
        db_table = "timer"
        constraints = [
            models.UniqueConstraint(fields=["run_id", "step", "visit", "kind"], name="timer_once"),
            models.CheckConstraint(
                condition=models.Q(status__in=["open", "fired", "closed"]),
                name="timer_status_known",
            ),
        ]
        indexes = [
            models.Index(fields=["fires_at"], name="timer_due", condition=models.Q(status="open")),
        ]


class Item(models.Model):
    """An item of a list that a run works through; read when its turn comes, gone with the run."""

    pk = models.CompositePrimaryKey("run_id", "step", "visit", "idx")
    run_id = models.UUIDField()
    step = models.CharField(max_length=63)
    visit = models.IntegerField()
    idx = models.IntegerField()
    value = ExactJSONField()

    class Meta:
        db_table = "run_item"


class Blob(models.Model):
    """A value above 32 KB, once per workspace and content."""

    pk = models.CompositePrimaryKey("workspace_id", "sha256")
    workspace_id = models.UUIDField()
    sha256 = models.CharField(max_length=64)
    data = models.TextField()
    touched_at = models.DateTimeField()

    class Meta:
        db_table = "run_blob"


class Sample(models.Model):
    """What a flow may be tried with: something that could have started it.

    ``trigger`` is what expressions read by that name, masked before it came here. ``run_id`` is
    the run whose steps' outputs go with it, where one was started by it.
    """

    class Source(models.TextChoices):
        """Where it is from."""

        HEARD = "heard", _("Arrived at the draft's own address")
        KEPT = "kept", _("Kept of a run")
        PASTED = "pasted", _("Pasted")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace_id = models.UUIDField()
    flow_id = models.UUIDField()
    source = models.CharField(max_length=6, choices=Source)
    name = models.CharField(max_length=150, blank=True, default="")
    trigger = ExactJSONField()
    run_id = models.UUIDField(null=True)
    #: The address of who made it; empty for what arrived.
    made_by = models.CharField(max_length=254, blank=True, default="")
    created_at = models.DateTimeField()

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        db_table = "run_sample"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(source__in=["heard", "kept", "pasted"]),
                name="sample_source_known",
            )
        ]
        indexes = [
            models.Index(fields=["flow_id", "-id"], name="sample_list"),
            models.Index(fields=["created_at"], name="sample_age"),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.id}"
