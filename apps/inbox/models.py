"""Work that waits for people, who it was put to, and what each of them decided."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Coalesce

from apps.core.models import ExactJSONField, WorkspaceQuerySet, uuid7
from apps.engine.lifecycle import TaskStatus
from apps.inbox import rules
from apps.inbox.draft_models import TaskDraft as TaskDraft  # noqa: PLC0414 - one of ours
from apps.inbox.question_models import Question as Question  # noqa: PLC0414 - one of ours
from apps.inbox.watch_models import TaskChange as TaskChange  # noqa: PLC0414
from apps.inbox.watch_models import TaskWatch as TaskWatch  # noqa: PLC0414


class UserTask(models.Model):
    """A question put to people. Status is written by ``commands._close`` alone.

    ``facts`` are ``[{label, value}]`` as they were when the task was opened; ``seen`` is the
    SHA-256 of everything the page shows, and every decision carries it back. A database trigger
    keeps both as they are but for what a ``TaskChange`` says, and a task that has ended from
    opening again.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace_id = models.UUIDField()
    flow_id = models.UUIDField()
    version_id = models.UUIDField()
    run_id = models.UUIDField()
    lane = models.UUIDField()
    step = models.CharField(max_length=63)
    visit = models.IntegerField()
    #: An approval, a form to fill in, or what becomes of a visit that has failed; see ``rules``.
    kind = models.CharField(max_length=10, default=rules.APPROVAL, db_default=rules.APPROVAL)
    #: Which repeat of the visit asks; a person orders those.
    generation = models.PositiveIntegerField(default=1, db_default=1)
    #: Which of the stages of one question this is, of how many, and what the flow calls it.
    stage = models.PositiveSmallIntegerField(default=1, db_default=1)
    stages = models.PositiveSmallIntegerField(default=1, db_default=1)
    stage_title = models.CharField(max_length=100, blank=True, default="", db_default="")
    #: For the how manieth time the whole question is asked: what it is about had changed.
    round = models.PositiveSmallIntegerField(default=1, db_default=1)
    #: Since when it counts no more, because the question began anew.
    superseded_at = models.DateTimeField(null=True)
    #: What the stages after this one ask, each as ``steps.types.approval`` has made it.
    later = ExactJSONField(default=list)
    status = models.CharField(max_length=10, default=TaskStatus.OPEN)
    title = models.CharField(max_length=300)
    details = models.TextField(blank=True, default="")
    facts = ExactJSONField()
    rule = models.JSONField()
    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    #: As the flow named them, where no person of ours has that address.
    requester_text = models.CharField(max_length=254, blank=True, default="")
    allow_requester = models.BooleanField(default=False)
    #: Which rules keep people from deciding beside that about the requester; see ``duties``.
    duties = models.JSONField(default=list, db_default=[])
    #: What the flow says of its risk; one that says nothing counts as high.
    risk = models.CharField(max_length=6, default="high", db_default="high")
    #: Groups to ask where nobody else can answer.
    fallback = models.JSONField(default=list, db_default=[])
    #: Of those who could answer, the one who has taken it; it waits for nobody else then.
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    claimed_at = models.DateTimeField(null=True)
    #: What people fill in with their answer, see ``filling``: the form's hash, empty without one,
    #: and ``{"for": the answers that need it, "initial": what is filled in beforehand}``.
    form_hash = models.CharField(max_length=64, blank=True, default="", db_default="")
    form = ExactJSONField(null=True)
    seen = models.CharField(max_length=64)
    needed = models.PositiveSmallIntegerField()
    due_at = models.DateTimeField(null=True)
    #: The limit as it stood when the task was opened; a pause moves ``due_at``.
    first_due_at = models.DateTimeField(null=True)
    #: Since when its clock stands still, because somebody was asked for more.
    paused_at = models.DateTimeField(null=True)
    #: By when somebody was to take it up, and when somebody first did.
    respond_by_at = models.DateTimeField(null=True)
    responded_at = models.DateTimeField(null=True)
    #: How its time is counted; ``limits`` alone reads and makes it.
    counting = models.JSONField(default=dict, db_default={})
    urgency = models.CharField(max_length=6, default="normal", db_default="normal")
    #: How long its outcome is held once it is decided; nothing follows before that.
    undo_seconds = models.PositiveIntegerField(default=0, db_default=0)
    #: As what it is decided while that is held, and when it is passed on; see ``holding``.
    pending = models.CharField(max_length=63, blank=True, default="", db_default="")
    settles_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=63, blank=True, default="")
    #: When anything about it changed last, an answer included; exports go by it.
    updated_at = models.DateTimeField()

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run_id", "step", "visit", "kind", "generation", "round", "stage"],
                name="task_once",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=list(rules.OUTCOMES)), name="task_kind_known"
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=[one.value for one in TaskStatus]),
                name="task_status_known",
            ),
            models.CheckConstraint(
                condition=models.Q(status="open", closed_at__isnull=True)
                | (~models.Q(status="open") & models.Q(closed_at__isnull=False)),
                name="task_closed_at",
            ),
            models.CheckConstraint(
                condition=(models.Q(status="decided") & ~models.Q(outcome=""))
                | (~models.Q(status="decided") & models.Q(outcome="")),
                name="task_outcome",
            ),
            models.CheckConstraint(
                condition=models.Q(stage__gte=1, stage__lte=models.F("stages")), name="task_stage"
            ),
            models.CheckConstraint(
                condition=models.Q(urgency__in=["normal", "urgent"]), name="task_urgency_known"
            ),
            models.CheckConstraint(
                condition=models.Q(pending="", settles_at__isnull=True)
                | (models.Q(status="open", settles_at__isnull=False) & ~models.Q(pending="")),
                name="task_held",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], name="task_due", condition=models.Q(status="open")),
            models.Index(
                fields=["settles_at"],
                name="task_settles",
                condition=models.Q(settles_at__isnull=False),
            ),
            models.Index(fields=["run_id"], name="task_run"),
            models.Index(fields=["workspace_id", "status", "-id"], name="task_list"),
            models.Index(fields=["workspace_id", "updated_at", "id"], name="task_by_change"),
            models.Index(
                fields=["flow_id", "step", "-closed_at"],
                name="task_alike",
                condition=models.Q(status="decided"),
            ),
        ]

    def __str__(self) -> str:
        return self.title


class TaskAssignee(models.Model):
    """A person to whom a task was put when it was opened.

    ``is_open`` mirrors the task's status and ``workspace_id`` its workspace, so that a person's
    open tasks are one index range; ``dropped_at``: the person lost access while it was open.
    ``weight`` and ``may_veto`` are what the step said of the person when it was opened.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    task = models.ForeignKey(UserTask, on_delete=models.PROTECT, related_name="assignees")
    workspace_id = models.UUIDField()
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="tasks"
    )
    #: The group through which the person was found; empty where named.
    via = models.CharField(max_length=63, blank=True, default="")
    weight = models.PositiveSmallIntegerField(default=1, db_default=1)
    may_veto = models.BooleanField(default=False, db_default=False)
    #: Asked because nobody else could be, or the manager or department was not known.
    is_fallback = models.BooleanField(default=False, db_default=False)
    #: Who had it before, where it was handed over.
    handed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    is_open = models.BooleanField(default=True)
    dropped_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "user"], name="assignee_once")]
        indexes = [
            models.Index(
                fields=["user", "workspace_id", "-task"],
                name="assignee_waiting",
                condition=models.Q(is_open=True, dropped_at__isnull=True),
            )
        ]


class TaskMoment(models.Model):
    """Something that happens once to an open task when its time has come; see ``limits``.

    A warning, ``number`` per cent through a limit, or a rung of its ladder, counted from 1.
    ``next_at`` stands while it is to come and the task's clock runs: a pause empties it.
    """

    class Kind(models.TextChoices):
        WARNING = "warning"
        RUNG = "rung"

    class State(models.TextChoices):
        WAITING = "waiting"
        DONE = "done"
        #: The task ended before, or somebody took it up in time.
        DROPPED = "dropped"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    task = models.ForeignKey(UserTask, on_delete=models.PROTECT, related_name="moments")
    kind = models.CharField(max_length=7, choices=Kind)
    #: The limit that it is part of, ``due`` or ``respond``; empty where it has a time of its own.
    limit = models.CharField(max_length=7, blank=True, default="")
    number = models.PositiveSmallIntegerField()
    #: Of a rung, what it does, as ``steps.ladder`` has it.
    what = models.JSONField(default=dict)
    #: Whether its time is counted in working time.
    business = models.BooleanField(default=False)
    at = models.DateTimeField()
    next_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    done_at = models.DateTimeField(null=True)
    #: What came of it: ``{people, lost, fallback, outcome}``, what of that there is.
    result = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["task", "kind", "limit", "number"], name="moment_once"),
            models.UniqueConstraint(
                fields=["task", "number"], name="rung_once", condition=models.Q(kind="rung")
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=["warning", "rung"]), name="moment_kind_known"
            ),
            models.CheckConstraint(
                condition=models.Q(state="waiting", done_at__isnull=True)
                | models.Q(state="done", done_at__isnull=False, next_at__isnull=True)
                | models.Q(state="dropped", done_at__isnull=True, next_at__isnull=True),
                name="moment_state",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_at"],
                name="moment_next",
                condition=models.Q(next_at__isnull=False),
            )
        ]
        ordering = ["at", "id"]


class BulkDecision(models.Model):
    """Several tasks of one kind that a person answers alike; ``id`` is made by who sends it.

    Each task is answered in a transaction of its own, so that a bulk that broke off can be sent
    again: what it has answered stays, the rest follows.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    workspace_id = models.UUIDField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=63)
    comment = models.TextField(blank=True, default="")
    #: SHA-256 of everything that was sent, so that the same id stands for the same thing.
    sent = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    objects = WorkspaceQuerySet.as_manager()


class _Standing(models.Manager["Decision"]):
    """The answers that have not been taken back: what everybody counts."""

    def get_queryset(self) -> models.QuerySet["Decision"]:
        return super().get_queryset().filter(taken_back_at__isnull=True)


class Decision(models.Model):
    """One person's answer; a database trigger refuses every change of it but taking it back.

    That is possible while the task is open. What was taken back is only in ``every``.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    task = models.ForeignKey(UserTask, on_delete=models.PROTECT, related_name="decisions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    #: Whose place the person took, where they stood in for somebody.
    on_behalf_of = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    #: What allowed it, where a duty stood against it.
    exception = models.ForeignKey(
        "inbox.DutyException", on_delete=models.PROTECT, null=True, related_name="+"
    )
    #: With what others it was answered.
    bulk = models.ForeignKey(
        BulkDecision, on_delete=models.PROTECT, null=True, related_name="decisions"
    )
    outcome = models.CharField(max_length=63)
    comment = models.TextField(blank=True, default="")
    #: What was filled in with it; null where it takes nothing.
    answers = ExactJSONField(null=True)
    seen = models.CharField(max_length=64)
    decided_at = models.DateTimeField()
    taken_back_at = models.DateTimeField(null=True)
    #: What has changed since, where the answer lapsed by that.
    lapsed_by = models.ForeignKey(
        TaskChange, on_delete=models.PROTECT, null=True, related_name="lapsed"
    )

    objects = _Standing()
    every = models.Manager["Decision"]()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["task", "user"],
                name="decision_once",
                condition=models.Q(taken_back_at__isnull=True),
            ),
            models.UniqueConstraint(
                "task",
                Coalesce("on_behalf_of", "user"),
                name="decision_once_a_place",
                condition=models.Q(taken_back_at__isnull=True),
            ),
            models.CheckConstraint(
                condition=models.Q(lapsed_by__isnull=True) | models.Q(taken_back_at__isnull=False),
                name="decision_lapsed",
            ),
        ]
        ordering = ["decided_at", "id"]


class DutyException(models.Model):
    """A person whom a duty keeps from deciding may, this once: one asks, another allows."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    task = models.ForeignKey(UserTask, on_delete=models.PROTECT, related_name="exceptions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    asked_at = models.DateTimeField()
    allowed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    allowed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["task", "user"], name="exception_once"),
            models.CheckConstraint(
                condition=models.Q(allowed_by__isnull=True, allowed_at__isnull=True)
                | models.Q(allowed_by__isnull=False, allowed_at__isnull=False),
                name="exception_allowed_at",
            ),
            models.CheckConstraint(
                condition=models.Q(allowed_by__isnull=True)
                | ~models.Q(allowed_by=models.F("user")),
                name="exception_by_another",
            ),
        ]
        ordering = ["asked_at", "id"]


class Delegation(models.Model):
    """Somebody stands in for a person for a while. Ends by itself; never changed, only ended.

    Without ``to`` it is the person's deputy, whoever that is then.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace_id = models.UUIDField()
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    #: The kinds of tasks and the flows that it is for; empty is all.
    kinds = models.JSONField(default=list)
    flows = models.JSONField(default=list)
    #: The fact that says how much it is about, and how much it may be; none is no limit.
    amount_label = models.CharField(max_length=100, blank=True, default="")
    amount_limit = models.DecimalField(max_digits=30, decimal_places=6, null=True)
    #: Leaves out what comes from flows of high risk; one that says nothing counts as that.
    without_high_risk = models.BooleanField(default=False)
    reason = models.TextField(blank=True, default="")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("begins_at")), name="delegation_period"
            ),
            models.CheckConstraint(
                condition=models.Q(to__isnull=True) | ~models.Q(to=models.F("person")),
                name="delegation_to_another",
            ),
        ]
        indexes = [
            models.Index(
                fields=["workspace_id", "ends_at"],
                name="delegation_live",
                condition=models.Q(ended_at__isnull=True),
            )
        ]
        ordering = ["-begins_at", "-id"]


class LastTurn(models.Model):
    """When a step last put a task to a person, for those that ask one after the other."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    flow_id = models.UUIDField()
    step = models.CharField(max_length=63)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["flow_id", "step", "user"], name="turn_once")
        ]


class SavedFilter(models.Model):
    """How a person wants to see the inbox, under a name of their own."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace_id = models.UUIDField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=60)
    #: The fields of the address, see ``lists.Wanted``.
    fields = models.JSONField()
    created_at = models.DateTimeField()

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace_id", "user", "name"], name="filter_once")
        ]
        ordering = ["name", "id"]
