"""What events may change of a question while it is open, and what they have changed."""

from django.db import models

from apps.core.models import ExactJSONField, WorkspaceQuerySet, uuid7


class TaskWatch(models.Model):
    """Facts of a task follow an event; see ``watches``.

    ``question`` is the first task of the question: its stages, and what was begun anew, share what
    has been applied. An event is told from others as a wait does it, see ``steps.event_ways``.
    ``look_at`` is when events that came while the task was being opened are to be looked for.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    task = models.OneToOneField("inbox.UserTask", on_delete=models.PROTECT, related_name="watch")
    question = models.UUIDField()
    workspace_id = models.UUIDField()
    type = models.CharField(max_length=200)
    key_of = models.CharField(max_length=500, blank=True, default="")
    key_sha256 = models.BinaryField(max_length=32)
    where = models.TextField(blank=True, default="")
    #: What ``where`` reads of the run.
    known = ExactJSONField(null=True)
    #: The facts that change, ``[{label, value}]``: each value an expression over the event.
    sets = ExactJSONField()
    on_change = models.CharField(max_length=10)
    #: What the first stage asked, where it may begin anew.
    first = ExactJSONField(null=True)
    #: Events that came before that are in what the run knew when it asked.
    since = models.DateTimeField()
    look_at = models.DateTimeField(null=True)
    is_open = models.BooleanField(default=True)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(on_change__in=["keep", "ask_again", "restart"]),
                name="watch_policy_known",
            )
        ]
        indexes = [
            models.Index(
                fields=["workspace_id", "type", "key_of", "key_sha256"],
                name="watch_match",
                condition=models.Q(is_open=True),
            ),
            models.Index(
                fields=["look_at", "id"],
                name="watch_to_look",
                condition=models.Q(look_at__isnull=False),
            ),
            models.Index(fields=["question"], name="watch_question"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.on_change}"


class TaskChange(models.Model):
    """What an event did to a question; written once, and never changed.

    ``applied``: facts changed, as ``fields`` says, ``[{label, before, after}]``. ``same``: it says
    what stands there. ``late``: it happened before another that changed something. ``failed``: what
    it says could not be told, and ``note`` says why; nothing was changed.
    """

    class State(models.TextChoices):
        APPLIED = "applied"
        SAME = "same"
        LATE = "late"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    task = models.ForeignKey("inbox.UserTask", on_delete=models.PROTECT, related_name="changes")
    question = models.UUIDField()
    event_id = models.UUIDField()
    event_type = models.CharField(max_length=200)
    #: When it happened, as whoever told of it says.
    event_at = models.DateTimeField()
    state = models.CharField(max_length=7, choices=State)
    on_change = models.CharField(max_length=10)
    fields = ExactJSONField(default=list)
    facts_before = ExactJSONField(null=True)
    facts_after = ExactJSONField(null=True)
    seen_before = models.CharField(max_length=64, blank=True, default="")
    seen_after = models.CharField(max_length=64, blank=True, default="")
    note = models.CharField(max_length=500, blank=True, default="")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["question", "event_id"], name="change_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=["applied", "same", "late", "failed"]),
                name="change_state_known",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    state="applied", facts_before__isnull=False, facts_after__isnull=False
                )
                | ~models.Q(state="applied"),
                name="change_says_what",
            ),
        ]
        indexes = [models.Index(fields=["event_id"], name="change_by_event")]
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.event_type} {self.state}"
