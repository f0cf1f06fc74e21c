"""What people ask for: drafts of their own, and what was sent."""

from django.conf import settings
from django.db import models

from apps.core.models import ExactJSONField, WorkspaceQuerySet, uuid7


class RequestDraft(models.Model):
    """A form that somebody has begun to fill in. One for a person and a flow; nobody else sees it.

    ``form_hash`` names the form it was filled in on: another one since then makes it stale.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace_id = models.UUIDField()
    flow = models.ForeignKey("flows.Flow", on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    form_hash = models.CharField(max_length=64)
    answers = ExactJSONField()
    updated_at = models.DateTimeField()

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "flow"], name="draft_once")]
        indexes = [models.Index(fields=["updated_at"], name="draft_old")]


class Request(models.Model):
    """Somebody has asked for something, and a run is what becomes of it.

    What was answered stands in the run's journal. ``version_hash`` and ``form_hash`` name the
    version and the form that were filled in. Without a ``person`` it came by a public page.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace_id = models.UUIDField()
    flow = models.ForeignKey("flows.Flow", on_delete=models.PROTECT, related_name="+")
    #: The flow's name when it was sent.
    title = models.CharField(max_length=150)
    version_id = models.UUIDField()
    version_hash = models.CharField(max_length=64)
    form_hash = models.CharField(max_length=64)
    run_id = models.UUIDField(unique=True)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    #: One request under a key, however often it is sent.
    key = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "key"],
                condition=models.Q(person__isnull=False),
                name="request_once",
            ),
            models.UniqueConstraint(
                fields=["flow", "key"],
                condition=models.Q(person__isnull=True),
                name="public_request_once",
            ),
        ]
        indexes = [models.Index(fields=["person", "workspace_id", "-id"], name="request_mine")]

    def __str__(self) -> str:
        return self.title
