"""People, the workspaces they belong to, and the keys they hold."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import (
    AbstractBaseUser,
    BaseUserManager,
    Group,
    PermissionsMixin,
)
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.models import WorkspaceQuerySet, uuid7

SLUG = RegexValidator(
    r"\A[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z",
    _("Expected small letters, digits and hyphens, for example “finance-team”."),
)


class Role(models.TextChoices):
    """What a person may do in a workspace; ``permissions.ROLE_RIGHTS`` says what each means."""

    VIEWER = "viewer", _("Viewer")
    BUILDER = "builder", _("Builder")
    OPERATOR = "operator", _("Operator")
    APPROVER = "approver", _("Approver")
    AUDITOR = "auditor", _("Auditor")
    ADMIN = "admin", _("Administrator")


class UserManager(BaseUserManager["User"]):
    """Makes accounts; addresses are kept in small letters, so one person is one row."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Add an account. Without a password it cannot sign in until one is set by mail."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Add an account that may use the admin console for every workspace."""
        return self.create_user(email, password, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        """Find the account whatever the case in which the address was typed."""
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person's account. Never deleted: the trail and old runs name it."""

    class Theme(models.TextChoices):
        """Which colours the pages wear."""

        SYSTEM = "system", _("As the device")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    class Language(models.TextChoices):
        """What the pages and mails are written in."""

        BROWSER = "", _("As the browser says")
        ENGLISH = "en", "English"
        GERMAN = "de", "Deutsch"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(_("mail address"), max_length=254, unique=True)
    name = models.CharField(_("name"), max_length=150)
    #: An IANA name; empty means the workspace's own.
    zone = models.CharField(_("time zone"), max_length=64, blank=True)
    theme = models.CharField(max_length=8, choices=Theme, default=Theme.SYSTEM)
    #: Empty means what the browser asks for; mails are then English.
    language = models.CharField(
        max_length=8, choices=Language, default=Language.BROWSER, blank=True
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")), name="user_email_lower"
            ),
        ]
        ordering: ClassVar = ["email"]

    def __str__(self) -> str:
        return self.email

    @property
    def mail_language(self) -> str:
        """What a mail to them is written in; no browser is there to ask."""
        return self.language or str(settings.LANGUAGE_CODE)

    @property
    def is_staff(self) -> bool:
        """Django's admin asks for this; who else gets in is the admin site's own rule."""
        return self.is_superuser

    def get_full_name(self) -> str:
        """The name as the person wrote it."""
        return self.name or self.email

    def get_short_name(self) -> str:
        """The same: names are not taken apart."""
        return self.get_full_name()


class Workspace(models.Model):
    """A tenant."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.CharField(max_length=63, unique=True, validators=[SLUG])
    name = models.CharField(max_length=150)
    zone = models.CharField(max_length=64, default="UTC")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["slug"]

    def __str__(self) -> str:
        return self.name


class WorkingCalendar(models.Model):
    """When people of a workspace work. Without a row it is Monday to Friday, nine to five."""

    workspace = models.OneToOneField(
        Workspace, on_delete=models.CASCADE, primary_key=True, related_name="calendar"
    )
    #: See ``calendars``, which alone reads and makes it.
    content = models.JSONField()
    updated_at = models.DateTimeField()

    objects = WorkspaceQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Working calendar of {self.workspace}"


class Membership(models.Model):
    """A person's place in a workspace. Deactivated, never deleted."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "user"], name="membership_once"),
        ]
        ordering: ClassVar = ["created_at", "id"]

    def __str__(self) -> str:
        return f"{self.user} in {self.workspace}"


class Placement(models.Model):
    """A member's place from a day on: who leads and who stands in, the department, the zone.

    The last one that has begun is in force. Those that have begun stay as they are, so that who
    led whom on a day can be read for ever.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="placements")
    begins_on = models.DateField()
    manager = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+")
    #: Who stands in while the person is out of office and has named nobody.
    deputy = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+")
    department = models.CharField(max_length=100, blank=True, default="")
    #: Where the person works; empty means the workspace's own zone.
    zone = models.CharField(max_length=64, blank=True, default="")
    created_at = models.DateTimeField()

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["membership", "begins_on"], name="placement_once_a_day"
            ),
            models.CheckConstraint(
                condition=models.Q(manager__isnull=True)
                | ~models.Q(manager=models.F("membership")),
                name="placement_manager_other",
            ),
            models.CheckConstraint(
                condition=models.Q(deputy__isnull=True) | ~models.Q(deputy=models.F("membership")),
                name="placement_deputy_other",
            ),
        ]
        ordering: ClassVar = ["begins_on"]

    def __str__(self) -> str:
        return f"{self.membership} from {self.begins_on}"


class OwnCalendar(models.Model):
    """When one team or one person works, where that differs from the workspace's calendar."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    team = models.OneToOneField(
        "accounts.Team", on_delete=models.CASCADE, null=True, related_name="calendar"
    )
    membership = models.OneToOneField(
        Membership, on_delete=models.CASCADE, null=True, related_name="calendar"
    )
    #: As that of a ``WorkingCalendar``.
    content = models.JSONField()
    updated_at = models.DateTimeField()

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(team__isnull=True) ^ models.Q(membership__isnull=True),
                name="own_calendar_of_one",
            ),
        ]

    def __str__(self) -> str:
        return f"Working calendar of {self.team or self.membership}"


class Team(models.Model):
    """A named group of a workspace; a role is one too, so that flows can be granted to it.

    Who is in it are the users of its ``group``, less those whose membership is not active.
    """

    class Kind(models.TextChoices):
        """A role brings rights; a team is only a name for several people."""

        ROLE = "role", _("Role")
        TEAM = "team", _("Team")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    group = models.OneToOneField(Group, on_delete=models.CASCADE, related_name="team")
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="teams")
    slug = models.CharField(max_length=63, validators=[SLUG])
    name = models.CharField(max_length=150)
    kind = models.CharField(max_length=4, choices=Kind, default=Kind.TEAM)
    created_at = models.DateTimeField(default=timezone.now)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "slug"], name="team_slug_once"),
            models.CheckConstraint(
                condition=~models.Q(kind="role") | models.Q(slug__in=Role.values),
                name="team_role_known",
            ),
        ]
        ordering: ClassVar = ["kind", "slug"]

    def __str__(self) -> str:
        return self.name

    @property
    def shown(self) -> str:
        """What people read: a role in their language, a team as somebody named it."""
        return str(Role(self.slug).label) if self.kind == self.Kind.ROLE else self.name


class ApiToken(models.Model):
    """A key with which a program acts as a person. Its value is shown once and kept as a hash."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="tokens")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="tokens")
    name = models.CharField(max_length=150)
    #: The first characters of the value, by which a person recognises it.
    prefix = models.CharField(max_length=16)
    #: SHA-256 in hex of the value. A plain hash will do: the value is 256 random bits.
    hash = models.CharField(max_length=64, unique=True)
    #: Rights the token is limited to; null means all that the person has.
    scopes = models.JSONField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    #: Written at most once a minute.
    last_used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [models.Index(fields=["user", "workspace"], name="token_owner")]

    def __str__(self) -> str:
        return f"{self.prefix}… ({self.name})"


class Invitation(models.Model):
    """A mail that lets one person join, once, within seven days."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="invitations")
    email = models.EmailField(max_length=254)
    roles = models.JSONField()
    #: SHA-256 in hex of the value in the mail's link.
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["workspace", "email"],
                condition=models.Q(accepted_at__isnull=True, revoked_at__isnull=True),
                name="invitation_open_once",
            ),
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")), name="invitation_email_lower"
            ),
            models.CheckConstraint(
                condition=models.Q(accepted_at__isnull=True) | models.Q(revoked_at__isnull=True),
                name="invitation_one_end",
            ),
        ]
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return self.email


class PasswordReset(models.Model):
    """A mail that lets one person set a new password, once, within an hour."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    #: SHA-256 in hex of the value in the mail's link.
    token_hash = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.user}, until {self.expires_at:%Y-%m-%d %H:%M}"


class Session(AbstractBaseSession):
    """A signed-in browser (or one on its way there), with what its owner needs to know it by.

    A table of our own, because ending all sessions of a person must be one statement in the
    transaction that decides it. ``session_key`` is the SHA-256 of the cookie's value, so who
    reads the table cannot use what is in it.
    """

    session_key = models.CharField(max_length=64, primary_key=True)
    #: What the list of sessions shows and ``me/sessions/end/`` takes.
    id = models.UUIDField(default=uuid7, unique=True, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="sessions")
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    #: Written at most once a minute.
    last_seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-last_seen_at"]

    def __str__(self) -> str:
        return str(self.id)


class Throttle(models.Model):
    """How often something was tried in the running window; see ``accounts.throttle``."""

    #: SHA-256 in hex of kind and subject: no address of a stranger is kept.
    key = models.CharField(max_length=64, primary_key=True)
    count = models.PositiveIntegerField()
    resets_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.key

    def is_over(self, limit: int, now: datetime) -> bool:
        """Whether one more try is refused."""
        return self.resets_at > now and self.count > limit
