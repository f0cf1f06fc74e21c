"""What people have filled in at a task and not answered with yet."""

from django.conf import settings
from django.db import models

from apps.core.models import WorkspaceQuerySet, uuid7


class TaskDraft(models.Model):
    """A task's form that somebody has begun to fill in. One for a person; nobody else sees it.

    ``answers`` are sealed, see ``drafts``. It goes when the person answers or the task ends.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace_id = models.UUIDField()
    task = models.ForeignKey("inbox.UserTask", on_delete=models.CASCADE, related_name="drafts")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    form_hash = models.CharField(max_length=64)
    answers = models.BinaryField()
    updated_at = models.DateTimeField()

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "person"], name="task_draft_once")]
