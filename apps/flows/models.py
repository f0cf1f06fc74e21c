"""What somebody drew, the draft they work on, and the versions that were published."""

from collections.abc import Mapping

from django.conf import settings
from django.core.validators import MaxLengthValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.models import ExactJSONField, WorkspaceQuerySet, uuid7

MAX_NAME = 150
MAX_NOTE = 2_000


class FlowState(models.TextChoices):
    """Whether signals start runs. A flow without a version starts none in any state."""

    ACTIVE = "active", _("Active")
    PAUSED = "paused", _("Paused")
    ARCHIVED = "archived", _("Archived")


#: The whole life cycle of a flow; only ``commands._move`` writes ``state``, after looking here.
FLOW_TRANSITIONS: Mapping[str, frozenset[str]] = {
    FlowState.ACTIVE: frozenset({FlowState.PAUSED, FlowState.ARCHIVED}),
    FlowState.PAUSED: frozenset({FlowState.ACTIVE, FlowState.ARCHIVED}),
    FlowState.ARCHIVED: frozenset(),
}


class Flow(models.Model):
    """A flow. Never deleted: versions, runs and the trail name it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(
        "accounts.Workspace", on_delete=models.PROTECT, related_name="flows"
    )
    #: Shown as text, whatever it holds; follows the name in the draft.
    name = models.CharField(max_length=MAX_NAME)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="owned_flows",
    )
    state = models.CharField(max_length=8, choices=FlowState, default=FlowState.ACTIVE)
    #: The version that new runs get. A foreign key in the migration holds that it is this flow's.
    active_version = models.ForeignKey(
        "flows.FlowVersion", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        # Django's own four would clash with ours and mean nothing here.
        default_permissions = ()
        permissions = [
            ("view_flow", "Can see the flow and its runs"),
            ("edit_flow", "Can change the flow's draft"),
            ("publish_flow", "Can publish the flow"),
            ("run_flow", "Can start and cancel the flow's runs"),
        ]
        indexes = [models.Index(fields=["workspace", "state", "-id"], name="flow_list")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=FlowState.values), name="flow_state_known"
            ),
            models.CheckConstraint(condition=~models.Q(name=""), name="flow_named"),
        ]

    def __str__(self) -> str:
        return self.name


class Draft(models.Model):
    """The one document of a flow that people edit. Saved whole; ``revision`` counts the saves."""

    flow = models.OneToOneField(
        Flow, on_delete=models.PROTECT, primary_key=True, related_name="draft"
    )
    document = ExactJSONField()
    revision = models.PositiveIntegerField(default=1)
    #: What a list shows of the document, written with it.
    trigger_type = models.CharField(max_length=60, blank=True, default="")
    trigger_path = models.CharField(max_length=600, blank=True, default="")
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    updated_at = models.DateTimeField()
    #: Who changed which place since it was last published; see ``authors``.
    touched = ExactJSONField(default=dict)

    def __str__(self) -> str:
        return f"Draft of {self.flow_id}"


class DraftContent(models.Model):
    """A whole document of a flow, kept once however many revisions say it: by its own hash."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    flow = models.ForeignKey(Flow, on_delete=models.PROTECT, related_name="contents")
    #: SHA-256 in hex of the text as it was saved, layout included.
    hash = models.CharField(max_length=64)
    document = ExactJSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["flow", "hash"], name="content_once")]

    def __str__(self) -> str:
        return f"Content {self.hash[:12]} of {self.flow_id}"


class RevisionKind(models.TextChoices):
    """How a revision came to be."""

    SAVED = "saved", _("Saved")
    RESTORED = "restored", _("Restored")


class DraftRevision(models.Model):
    """What a draft was after one save. Old ones are thinned out; see ``revisions.kept``."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    flow = models.ForeignKey(Flow, on_delete=models.PROTECT, related_name="revisions")
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.PROTECT, related_name="+")
    #: That of the draft when it was saved.
    number = models.PositiveIntegerField()
    content = models.ForeignKey(DraftContent, on_delete=models.PROTECT, related_name="revisions")
    kind = models.CharField(max_length=8, choices=RevisionKind, default=RevisionKind.SAVED)
    #: Of a restored one, what it was taken from: ``version 3`` or ``revision 12``.
    source = models.CharField(max_length=40, blank=True, default="")
    #: Places that differ from the revision before, and the titles of the first few steps of them.
    changed = models.PositiveIntegerField(default=0)
    about = ExactJSONField(default=list)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField()

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["flow", "number"], name="revision_number_once"),
            models.CheckConstraint(
                condition=models.Q(kind__in=RevisionKind.values), name="revision_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return f"Revision {self.number} of {self.flow_id}"


class DraftAuthor(models.Model):
    """Who changed a draft and when last; also when the trail last heard of it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    draft = models.ForeignKey(Draft, on_delete=models.CASCADE, related_name="authors")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    last_at = models.DateTimeField()
    noted_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["draft", "user"], name="draft_author_once")]


class FlowVersion(models.Model):
    """A published release. Triggers in the migration refuse every change of it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    flow = models.ForeignKey(Flow, on_delete=models.PROTECT, related_name="versions")
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    #: SHA-256 in hex of the canonical document without its layout; see ``steps.document_hash``.
    hash = models.CharField(max_length=64)
    document = ExactJSONField()
    trigger_type = models.CharField(max_length=60)
    trigger_path = models.CharField(max_length=600, blank=True, default="")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    note = models.TextField(blank=True, default="", validators=[MaxLengthValidator(MAX_NOTE)])
    #: Ids of the people whose changes it brought, as far as the draft knew.
    authors = ExactJSONField(default=list)
    created_at = models.DateTimeField()

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["flow", "number"], name="version_number_once"),
            models.UniqueConstraint(fields=["id", "flow"], name="version_of_flow"),
            models.CheckConstraint(condition=models.Q(number__gte=1), name="version_from_one"),
        ]
        indexes = [models.Index(fields=["hash"], name="version_by_hash")]

    def __str__(self) -> str:
        return f"Version {self.number} of {self.flow_id}"


class TestDocument(models.Model):
    """What a test run runs: the draft as it was then, and the part of it that was asked for.

    Never changed (a trigger in the migration), and gone with its run. ``document`` is the whole
    draft, ``runs`` the document made of it that the engine is given; see ``runs.narrowing``.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    flow = models.ForeignKey(Flow, on_delete=models.PROTECT, related_name="+")
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.PROTECT, related_name="+")
    run_id = models.UUIDField(unique=True)
    #: ``dry``: all of it and nothing leaves; ``to``: up to ``step``; ``only``: ``step`` alone.
    kind = models.CharField(max_length=4)
    step = models.CharField(max_length=63, blank=True, default="")
    #: Of the whole draft, as a version's.
    hash = models.CharField(max_length=64)
    revision = models.PositiveIntegerField()
    document = ExactJSONField()
    runs = ExactJSONField()
    #: What was said beforehand: see ``foreseeing.Plan``.
    announced = ExactJSONField()
    created_at = models.DateTimeField()

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["dry", "to", "only"]), name="test_document_kind"
            )
        ]
        indexes = [models.Index(fields=["created_at"], name="test_document_age")]

    def __str__(self) -> str:
        return f"{self.kind} {self.flow_id}"
