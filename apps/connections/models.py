"""Secrets, kept encrypted, and the inside hosts that an administrator has allowed."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User, Workspace
from apps.core.models import WorkspaceQuerySet, uuid7

SECRET_NAME = RegexValidator(
    r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z",
    _("Expected letters, digits, dots, hyphens and underscores, for example “vendor-portal”."),
)


class Secret(models.Model):
    """A value that leaves the product only towards the hosts it names. Nothing ever shows it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=100, validators=[SECRET_NAME])
    #: ``host`` or ``host:port``; an entry without a port is good for every port of the host.
    hosts = models.JSONField(default=list)
    #: Sealed under the context ``value_context(id)``; see ``connections.vault``.
    ciphertext = models.BinaryField()
    #: The value before, good for checking signatures until ``previous_until``.
    previous = models.BinaryField(null=True)
    previous_until = models.DateTimeField(null=True)
    #: Grows with every change, so that who caches a value knows when it is old.
    revision = models.PositiveIntegerField(default=1)
    updated_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    updated_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "name"], name="secret_name_once"),
            models.CheckConstraint(
                condition=models.Q(previous__isnull=True, previous_until__isnull=True)
                | models.Q(previous__isnull=False, previous_until__isnull=False),
                name="secret_previous_dated",
            ),
        ]
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name

    def has_previous(self, now: datetime) -> bool:
        """Whether the value before still counts."""
        return self.previous_until is not None and self.previous_until > now


class AllowedHost(models.Model):
    """A host inside the network that flows of this workspace may call, on one port or on all."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    #: As ``connections.addresses.normal_host`` writes it.
    host = models.CharField(max_length=253)
    #: Null is every port but the product's own.
    port = models.PositiveIntegerField(null=True)
    reason = models.CharField(max_length=500)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["workspace", "host", "port"],
                name="allowed_host_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=models.Q(port__gte=1, port__lte=65535), name="allowed_host_port"
            ),
        ]
        ordering: ClassVar = ["host", "port"]

    def __str__(self) -> str:
        return self.host if self.port is None else f"{self.host}:{self.port}"
