"""Work that waits for people, who it was put to, and what each of them decided."""

from django.conf import settings
from django.db import models

from apps.core.models import ExactJSONField, WorkspaceQuerySet, uuid7
from apps.engine.lifecycle import TaskStatus
from apps.inbox import rules


class UserTask(models.Model):
    """A question put to people. Status is written by ``commands._close`` alone.

    ``facts`` are ``[{label, value}]`` as they were when the task was opened; ``seen`` is the
    SHA-256 of everything the page shows, and every decision carries it back. A database trigger
    keeps both as they are, and a task that has ended from opening again.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace_id = models.UUIDField()
    flow_id = models.UUIDField()
    version_id = models.UUIDField()
    run_id = models.UUIDField()
    lane = models.UUIDField()
    step = models.CharField(max_length=63)
    visit = models.IntegerField()
    #: An approval, or what becomes of a visit that has failed; see ``rules``.
    kind = models.CharField(max_length=10, default=rules.APPROVAL, db_default=rules.APPROVAL)
    #: Which repeat of the visit asks; a person orders those.
    generation = models.PositiveIntegerField(default=1, db_default=1)
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
    seen = models.CharField(max_length=64)
    needed = models.PositiveSmallIntegerField()
    due_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=63, blank=True, default="")
    #: When anything about it changed last, an answer included; exports go by it.
    updated_at = models.DateTimeField()

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run_id", "step", "visit", "kind", "generation"], name="task_once"
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
        ]
        indexes = [
            models.Index(fields=["due_at"], name="task_due", condition=models.Q(status="open")),
            models.Index(fields=["run_id"], name="task_run"),
            models.Index(fields=["workspace_id", "status", "-id"], name="task_list"),
            models.Index(fields=["workspace_id", "updated_at", "id"], name="task_by_change"),
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


class Decision(models.Model):
    """One person's answer; a database trigger refuses every change of it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    task = models.ForeignKey(UserTask, on_delete=models.PROTECT, related_name="decisions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=63)
    comment = models.TextField(blank=True, default="")
    seen = models.CharField(max_length=64)
    decided_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "user"], name="decision_once")]
        ordering = ["decided_at", "id"]
