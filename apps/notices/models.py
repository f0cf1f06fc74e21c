"""What people are told, by which ways, how far that has come, and what each wants to be told."""

from datetime import time
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.db import models

from apps.core.models import WorkspaceQuerySet, uuid7


class Kind(models.TextChoices):
    """Why somebody is told; ``words`` has the sentences."""

    #: A task waits for the reader's answer.
    DECIDE = "decide"
    #: A form waits to be filled in by the reader.
    FILL_IN = "fill_in"
    #: It still does, and its time runs.
    REMIND = "remind"
    #: Its time is over.
    LATE = "late"
    #: It was raised to the reader because others did not answer.
    ESCALATED = "escalated"
    #: What it is about has changed since the reader answered or took it; there is nothing to do.
    CHANGED = "changed"
    #: Somebody asks the reader for more before they decide.
    QUESTION = "question"
    #: A question of the reader's has been answered.
    ANSWER = "answer"
    #: It came back to the reader, to be put right.
    BACK = "back"
    #: Something has become of what the reader asked for.
    REQUEST = "request"
    #: A flow that the reader looks after needs looking at.
    ALERT = "alert"
    #: Several of the others in one mail.
    DIGEST = "digest"
    #: The reader tries a way out.
    TEST = "test"


class Urgency(models.TextChoices):
    """What is urgent passes quiet hours and digests."""

    LOW = "low"
    NORMAL = "normal"
    URGENT = "urgent"


class Channel(models.TextChoices):
    """The ways to tell somebody."""

    MAIL = "mail"
    APP = "app"
    PUSH = "push"
    CHAT = "chat"


class State(models.TextChoices):
    """How far a delivery is."""

    WAITING = "waiting"
    #: Until the quiet hours are over.
    HELD = "held"
    #: Until the next digest takes it along.
    DIGEST = "digest"
    SENT = "sent"
    #: Given up; a person may have it tried again.
    FAILED = "failed"
    #: It had become pointless before it left.
    DROPPED = "dropped"


#: The states a delivery may go to from each; ``sending.move`` alone writes them.
DELIVERY_TRANSITIONS: dict[State, frozenset[State]] = {
    State.WAITING: frozenset({State.HELD, State.SENT, State.FAILED, State.DROPPED}),
    State.HELD: frozenset({State.WAITING}),
    State.DIGEST: frozenset({State.SENT, State.FAILED, State.DROPPED}),
    State.FAILED: frozenset({State.WAITING}),
    State.SENT: frozenset(),
    State.DROPPED: frozenset(),
}


class Notice(models.Model):
    """One thing that one person is told, or a workspace's chat where ``user`` is none.

    Written once by its ``key``, with the change it tells of. It holds no more of a request than
    its title: who reads a mail may not be who it was sent to.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace_id = models.UUIDField()
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    key = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=10, choices=Kind)
    urgency = models.CharField(max_length=6, choices=Urgency, default=Urgency.NORMAL)
    title = models.CharField(max_length=300)
    #: What there is to say beside the kind's own sentence, in the reader's language.
    words = models.TextField(blank=True, default="")
    #: The page on which the reader acts.
    path = models.CharField(max_length=300)
    task_id = models.UUIDField(null=True)
    flow_id = models.UUIDField(null=True)
    run_id = models.UUIDField(null=True)
    due_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(kind__in=Kind.values), name="notice_kind_known"
            ),
            models.CheckConstraint(
                condition=models.Q(urgency__in=Urgency.values), name="notice_urgency_known"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "workspace_id", "-id"], name="notice_of_person"),
            models.Index(fields=["created_at"], name="notice_age"),
        ]

    def __str__(self) -> str:
        return self.title


class Delivery(models.Model):
    """A notice on one of its ways. ``place`` is the browser or the chat where there are several."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.CharField(max_length=4, choices=Channel)
    place = models.UUIDField(null=True)
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    #: While it is held or collected, until when.
    held_until = models.DateTimeField(null=True)
    #: The digest that takes it along.
    digest = models.ForeignKey(Notice, on_delete=models.SET_NULL, null=True, related_name="items")
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=300, blank=True, default="")
    tried_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["notice", "channel", "place"], name="delivery_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=models.Q(channel__in=Channel.values), name="delivery_channel_known"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=State.values), name="delivery_state_known"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["held", "digest"], held_until__isnull=False)
                | (~models.Q(state__in=["held", "digest"]) & models.Q(held_until__isnull=True)),
                name="delivery_held_until",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["sent", "failed", "dropped"], ended_at__isnull=False)
                | models.Q(state__in=["waiting", "held", "digest"], ended_at__isnull=True),
                name="delivery_ended_at",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["held_until"],
                name="delivery_held",
                condition=models.Q(state__in=["held", "digest"]),
            )
        ]


class Preference(models.Model):
    """How one person wants to be told in one workspace. Without a row: at once, by every way.

    ``choices`` is ``{channel: {group: choice}}``; what it leaves out is as if it said ``all``.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace_id = models.UUIDField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    choices = models.JSONField(default=dict)
    #: In the reader's own time zone; both or neither.
    quiet_from = models.TimeField(null=True)
    quiet_until = models.TimeField(null=True)
    #: When the day's digest leaves, in the reader's own time zone; none is no digest.
    digest_at = models.TimeField(null=True)
    updated_at = models.DateTimeField()

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace_id", "user"], name="preference_once"),
            models.CheckConstraint(
                condition=models.Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | models.Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="preference_quiet_both",
            ),
        ]

    @property
    def quiet(self) -> tuple[time, time] | None:
        """The quiet hours, if any."""
        if self.quiet_from is None or self.quiet_until is None:
            return None
        return self.quiet_from, self.quiet_until


class PushSubscription(models.Model):
    """A browser of a person that takes messages. Its address and keys are kept sealed."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace_id = models.UUIDField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    #: SHA-256 of the address, by which a browser is known again.
    endpoint_hash = models.CharField(max_length=64)
    #: ``{endpoint, p256dh, auth}`` as JSON, sealed under ``subscription_context(id)``.
    sealed = models.BinaryField()
    #: Where it leads, and what the browser says of itself; for the reader's list.
    host = models.CharField(max_length=253)
    label = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField()

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["workspace_id", "endpoint_hash"], name="push_subscription_once"
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "workspace_id"], name="push_subscription_of")
        ]


class ChatHook(models.Model):
    """An incoming webhook of a chat: a person's own, or the workspace's where ``user`` is none."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace_id = models.UUIDField()
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+"
    )
    #: The address is the secret; sealed under ``hook_context(id)``.
    sealed = models.BinaryField()
    host = models.CharField(max_length=260)
    #: Whether its messages name what they are about; a channel may have many readers.
    with_titles = models.BooleanField(default=True)
    #: The groups of kinds it is told of; the workspace's alone.
    groups = models.JSONField(default=list)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["workspace_id", "user"], name="chat_hook_once", nulls_distinct=False
            )
        ]


class PushKey(models.Model):
    """The key by which receivers know this installation; made once, at set-up."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    #: The private scalar, sealed under ``key_context(id)``.
    sealed = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(id=1), name="one_push_key")
        ]


class DecisionLink(models.Model):
    """A mail's link that lets one person answer one task once, for a while, without signing in."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace_id = models.UUIDField()
    task_id = models.UUIDField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    #: SHA-256 in hex of the value in the mail. A plain hash will do: it is 256 random bits.
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="decision_link_age")]


def subscription_context(pk: Any) -> str:
    """What the vault binds a subscription's values to."""
    return f"push:{pk}"


def hook_context(pk: Any) -> str:
    """What the vault binds a chat's address to."""
    return f"chat:{pk}"


def key_context(pk: UUID | int) -> str:
    """What the vault binds the private key to."""
    return f"push-key:{pk}"
