"""What people ask for: drafts of their own, and what was sent."""

from collections.abc import Mapping

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

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
    #: What was filled in, sealed; see ``drafts``.
    sealed = models.BinaryField(null=True)
    #: The same as workers of the release before write it; sealed within the hour, else empty.
    answers = ExactJSONField(default=dict)
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


class FileState(models.TextChoices):
    """Whether a file may be read."""

    WAITING = "waiting", _("Being checked")
    CLEAN = "clean", _("May be read")
    REFUSED = "refused", _("Held back")


#: The whole life cycle; only ``uploads._move`` writes ``state``, after looking here.
FILE_TRANSITIONS: Mapping[str, frozenset[str]] = {
    FileState.WAITING: frozenset({FileState.CLEAN, FileState.REFUSED}),
    FileState.CLEAN: frozenset(),
    FileState.REFUSED: frozenset(),
}


class File(models.Model):
    """A file that somebody has attached. Its content lies by its hash; see ``storage``.

    Until it is sent it belongs to a form (``flow``) and to whoever uploaded it; sent, also to the
    ``run_id``. One that is never sent goes after a while.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace_id = models.UUIDField()
    flow = models.ForeignKey("flows.Flow", on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    run_id = models.UUIDField(null=True)
    name = models.CharField(max_length=200)
    family = models.CharField(max_length=10)
    #: By its content.
    type = models.CharField(max_length=120)
    size = models.PositiveIntegerField()
    #: Of what is kept, and of the evidence.
    sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=7, choices=FileState, default=FileState.WAITING)
    #: What the scanner called it.
    verdict = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField()

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=FileState.values), name="file_state_known"
            )
        ]
        indexes = [
            models.Index(fields=["workspace_id", "sha256"], name="file_content"),
            models.Index(fields=["run_id"], name="file_of_run"),
            models.Index(
                fields=["created_at"],
                name="file_unsent",
                condition=models.Q(run_id__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.name
