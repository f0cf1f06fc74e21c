"""What people who decide have asked others before they decide."""

from django.conf import settings
from django.db import models

from apps.core.models import WorkspaceQuerySet, uuid7


class Question(models.Model):
    """Somebody who decides asks somebody for more; a database trigger keeps what was said.

    Closed without an answer where a decider does without one, or who was asked has left.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    task = models.ForeignKey("inbox.UserTask", on_delete=models.PROTECT, related_name="questions")
    workspace_id = models.UUIDField()
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    asked_of = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    text = models.TextField()
    asked_at = models.DateTimeField()
    answer = models.TextField(blank=True, default="")
    answered_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(asked_by=models.F("asked_of")), name="question_of_another"
            ),
            models.CheckConstraint(
                condition=models.Q(answered_at__isnull=True, answer="")
                | (
                    models.Q(answered_at__isnull=False, closed_at__isnull=True)
                    & ~models.Q(answer="")
                ),
                name="question_answered_at",
            ),
        ]
        indexes = [
            models.Index(
                fields=["asked_of", "workspace_id", "-id"],
                name="question_waiting",
                condition=models.Q(answered_at__isnull=True, closed_at__isnull=True),
            )
        ]
        ordering = ["asked_at", "id"]
