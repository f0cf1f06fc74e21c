"""Coming in and going out: sign-ins, sessions, passwords, the links in mails."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext

from apps.accounts import throttle
from apps.accounts.actors import Actor
from apps.accounts.commands.people import add_member, clean_name, member_target
from apps.accounts.models import Invitation, Membership, PasswordReset, Session, User, Workspace
from apps.accounts.queries import can_sign_in, invitation_of, reset_of, token_hash
from apps.accounts.sessions import SessionStore, hashed
from apps.audit.commands import record, record_counted
from apps.audit.records import Target, Who
from apps.core import live, outbox
from apps.core.errors import Conflict, Forbidden, Invalid, NotFound
from apps.core.models import uuid7

RESET_LASTS = timedelta(hours=1)


class WrongPassword(Forbidden):
    """The current password was not given."""

    code = "wrong_password"


class WeakPassword(Invalid):
    """The new password can be guessed; ``reasons`` lists why, a sentence each."""

    code = "weak_password"


@dataclass(frozen=True)
class Visit:
    """Where a try to come in comes from."""

    ip: str
    user_agent: str = ""


@transaction.atomic
def note_sign_in(*, actor: Actor, visit: Visit, now: datetime) -> None:
    """Write a good sign-in to the trail."""
    _record_own(actor, "sign_in.success", now, details={"address": visit.ip})


def note_failed_sign_in(*, email: str, visit: Visit, now: datetime) -> None:
    """Count a failed sign-in: one row per network address, account and minute.

    It stands in the trail of the workspace the account belongs to, if there is one. The same
    work for an account that does not exist.
    """
    email = email.strip().lower()[:254]
    membership = (
        Membership.objects.filter(user__email=email)
        .order_by("created_at")
        .values_list("workspace_id", "user_id")
        .first()
    )
    workspace_id, user_id = membership or (None, None)
    record_counted(
        key=f"{throttle.network_of(visit.ip)} {token_hash(email)[:16]}",
        who=Who(kind="person", id=str(user_id or "unknown"), label=email),
        workspace_id=workspace_id,
        verb="sign_in.failure",
        target=Target("user", str(user_id or "unknown"), email),
        details={"address": visit.ip},
        now=now,
    )


def note_refusal(
    *,
    actor: Actor | None,
    route: str,
    status: int,
    ip: str,
    now: datetime,
    rule: str = "",
    verb: str = "access.denied",
) -> None:
    """Count a refused request: one row per network address, caller, rule and minute.

    ``rule`` names what refused it, where that was a rule of its own: separation of duties, a
    token's scopes, the check of a flow (``policy.refused``).
    """
    who = actor.who if actor else Who(kind="person", id="unknown", label="")
    record_counted(
        key=f"{throttle.network_of(ip)} {who.id} {rule}".strip(),
        who=who,
        workspace_id=actor.workspace_id if actor else None,
        verb=verb,
        target=Target("route", route[:200]),
        details={"status": status, "address": ip, **({"rule": rule} if rule else {})},
        now=now,
    )


@transaction.atomic
def note_sign_out(*, actor: Actor, now: datetime) -> None:
    """Write a sign-out to the trail; the sockets of that browser find their session gone."""
    _record_own(actor, "sign_out", now)
    live.publish_access([actor.user_id])


@transaction.atomic
def note_workspace(*, actor: Actor, workspace: Workspace, now: datetime) -> None:
    """Write to the trail that a browser turned to another workspace."""
    record(
        who=actor.who,
        workspace_id=workspace.pk,
        verb="session.change",
        target=Target("workspace", str(workspace.pk), workspace.name),
        now=now,
    )
    live.publish_access([actor.user_id])


@transaction.atomic
def end_session(*, actor: Actor, session_id: UUID, now: datetime) -> None:
    """Sign one of one's own browsers out.

    Raises:
        NotFound: It is not signed in, or is somebody else's.
    """
    user_id = _person(actor)
    if not Session.objects.filter(user_id=user_id, id=session_id).delete()[0]:
        raise NotFound("There is no such session, or it has ended.")
    _record_own(actor, "session.end", now, details={"count": 1})
    live.publish_access([user_id])


@transaction.atomic
def end_sessions(*, actor: Actor, keep: str | None, now: datetime) -> int:
    """Sign out all one's browsers but the one with the cookie ``keep``; returns how many."""
    user_id = _person(actor)
    count = _end_others(user_id, keep)
    _record_own(actor, "session.end", now, details={"count": count})
    live.publish_access([user_id])
    return count


@transaction.atomic
def update_profile(
    *,
    actor: Actor,
    now: datetime,
    name: str | None = None,
    theme: str | None = None,
    language: str | None = None,
    zone: str | None = None,
) -> User:
    """Change what a person may say about themself.

    Raises:
        Invalid: A theme, language or time zone that does not exist, or an empty name.
    """
    user = User.objects.select_for_update(no_key=True).get(pk=_person(actor))
    before = _said_of_oneself(user)
    if name is not None:
        user.name = clean_name(name)
    if theme is not None:
        if theme not in User.Theme.values:
            raise Invalid(f"“{theme[:40]}” is not a theme; choose system, light or dark.")
        user.theme = theme
    if language is not None:
        if language not in User.Language.values:
            raise Invalid(f"“{language[:40]}” is not a language of Signalbox; choose en or de.")
        user.language = language
    if zone is not None:
        if zone and zone not in available_timezones():
            raise Invalid(f"“{zone[:60]}” is not a time zone; expected one like Europe/Berlin.")
        user.zone = zone
    after = _said_of_oneself(user)
    if after != before:
        user.save(update_fields=list(after))
        _record_own(actor, "settings.change", now, before=before, after=after)
    return user


def _said_of_oneself(user: User) -> dict[str, str]:
    return {
        "name": user.name,
        "theme": user.theme,
        "language": user.language,
        "zone": user.zone,
    }


def change_password(
    *, actor: Actor, current: str, new: str, keep: SessionStore | None, now: datetime
) -> User:
    """Set a new password and end every other session.

    ``keep`` is the session that asks; it goes on under a new key.

    Raises:
        TooManyTries: The current password was guessed at too often.
        WrongPassword: The current one is wrong.
        WeakPassword: The new one can be guessed.
    """
    user = User.objects.get(pk=_person(actor))
    tries = {"password.account": user.email}
    throttle.take(tries, now)
    if not user.check_password(current):
        raise WrongPassword("The current password is not right.")
    throttle.give_back(tries)
    check_password(new, user)
    with transaction.atomic():
        _set_password(user, new)
        if keep is not None:
            keep.cycle_key()
        _end_others(user.pk, keep.session_key if keep else None)
        _record_own(actor, "password.change", now)
        live.publish_access([user.pk])
    return user


@transaction.atomic
def ask_for_reset(*, email: str, visit: Visit, now: datetime) -> None:
    """Note that somebody wants a new password.

    Whether the account exists is found out when the mail is made, so that neither the answer nor
    its time tells.
    """
    email = email.strip().lower()[:254]
    outbox.enqueue(topic="accounts.reset", payload={"email": email}, now=now)
    record_counted(
        key=f"{throttle.network_of(visit.ip)} {token_hash(email)[:16]}",
        who=Who(kind="person", id="unknown", label=email),
        workspace_id=None,
        verb="password.ask",
        target=Target("user", "unknown", email),
        details={"address": visit.ip},
        now=now,
    )


def send_reset(*, email: str, now: datetime) -> None:
    """Mail the link for a new password, if the account leads anywhere.

    Safe to call twice: the later link replaces the earlier one.
    """
    user = User.objects.filter(email=email).first()
    if user is None or not can_sign_in(user):
        return
    value = secrets.token_urlsafe(32)
    with transaction.atomic():
        PasswordReset.objects.filter(user=user, used_at__isnull=True).delete()
        PasswordReset.objects.create(
            id=uuid7(),
            user=user,
            token_hash=token_hash(value),
            expires_at=now + RESET_LASTS,
            created_at=now,
        )
    with translation.override(user.mail_language):
        _mail(
            to=user.email,
            subject=gettext("Set a new password"),
            template="accounts/mail/reset.txt",
            context={"name": user.name, "link": _link("account_reset_password_from_key", value)},
        )


@transaction.atomic
def reset_password(*, token: str, new: str, now: datetime) -> User:
    """Set a new password with the link from the mail, once; every session ends.

    Raises:
        NotFound: The link was used, is too old, or never was.
        WeakPassword: The password can be guessed; the link still works.

    Locks:
        The reset's row.
    """
    row = reset_of(token, now, lock=True)
    check_password(new, row.user)
    row.used_at = now
    row.save(update_fields=["used_at"])
    _set_password(row.user, new)
    _end_others(row.user_id, None)
    membership = Membership.objects.filter(user=row.user, is_active=True).first()
    record(
        who=Who(kind="person", id=str(row.user_id), label=row.user.email),
        workspace_id=membership.workspace_id if membership else None,
        verb="password.reset",
        target=member_target(row.user),
        now=now,
    )
    live.publish_access([row.user_id])
    return row.user


@transaction.atomic
def set_first_password(*, user: User, new: str, now: datetime) -> None:
    """Give an account that has none a password; for who has the machine itself.

    Raises:
        Conflict: It has one.
        WeakPassword: It can be guessed.
    """
    if user.has_usable_password():
        raise Conflict(f"{user.email} has a password; use the link on the sign-in page.")
    check_password(new, user)
    _set_password(user, new)
    membership = Membership.objects.filter(user=user, is_active=True).first()
    record(
        who=Who(kind="system", id="system", label="Signalbox"),
        workspace_id=membership.workspace_id if membership else None,
        verb="password.change",
        target=member_target(user),
        now=now,
    )


def send_invitation(*, invitation_id: UUID, now: datetime) -> None:
    """Mail an invitation's link, made here so that its value is stored nowhere.

    Safe to call twice: the later link replaces the earlier one.
    """
    value = secrets.token_urlsafe(32)
    row = Invitation.objects.select_related("workspace", "invited_by").get(pk=invitation_id)
    changed = Invitation.objects.filter(
        pk=invitation_id, accepted_at__isnull=True, revoked_at__isnull=True, expires_at__gt=now
    ).update(token_hash=token_hash(value))
    if not changed:
        return
    # Whoever invites somebody has chosen a language that both read.
    with translation.override(row.invited_by.mail_language):
        _mail(
            to=row.email,
            subject=gettext("Invitation to %(workspace)s") % {"workspace": row.workspace.name},
            template="accounts/mail/invitation.txt",
            context={
                "invited_by": row.invited_by.name,
                "workspace": row.workspace.name,
                "link": _link("invitation", value),
                "expires_at": row.expires_at,
            },
        )


@transaction.atomic
def accept_invitation(
    *, token: str, now: datetime, user: User | None = None, name: str = "", password: str = ""
) -> User:
    """Join with the link from the mail, once.

    A new person chooses name and password. Who has an account that leads somewhere must be
    signed in to it (``user``): the link alone does not take over an account.

    Raises:
        NotFound: The link was used or taken back, is too old, or never was.
        Conflict: It is for another person than the one signed in.
        WeakPassword, Invalid: Name or password do not do; the link still works.

    Locks:
        The invitation's row, then the workspace's.
    """
    row = invitation_of(token, now, lock=True)
    known = User.objects.filter(email=row.email).first()
    if known is not None and not known.is_active:
        raise NotFound("This account was closed; ask an administrator.")
    if known is not None and can_sign_in(known):
        if user is None or user.pk != known.pk:
            raise Conflict(f"This invitation is for {row.email}; sign in as this person first.")
    else:
        known = _new_person(row.email, known, name, password)
    row.accepted_at = now
    row.save(update_fields=["accepted_at"])
    add_member(
        workspace_id=row.workspace_id,
        email=row.email,
        roles=_with_earlier_roles(row),
        actor=Actor(
            workspace_id=row.workspace_id, user_id=known.pk, email=known.email, name=known.name
        ),
        now=now,
    )
    return known


def check_password(password: str, user: User) -> None:
    """Refuse a password that can be guessed.

    Raises:
        WeakPassword: ``reasons`` says why.
    """
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise WeakPassword(" ".join(error.messages), reasons=error.messages) from None
    if len(password) > 1024:
        raise WeakPassword("A password has at most 1024 characters.", reasons=[])


@transaction.atomic
def delete_expired(*, now: datetime) -> None:
    """Delete sessions, throttles and links that nobody can use any more. Safe to call twice."""
    SessionStore.clear_expired()
    throttle.delete_expired(timezone.now())
    PasswordReset.objects.filter(Q(expires_at__lte=now) | Q(used_at__isnull=False)).delete()


def _new_person(email: str, user: User | None, name: str, password: str) -> User:
    name = clean_name(name)
    if user is None:
        user = User(email=email)
    user.name = name
    check_password(password, user)
    user.set_password(password)
    user.save()
    return user


def _with_earlier_roles(row: Invitation) -> set[str]:
    """A member who is invited again gains roles; one who comes back has only the new ones."""
    earlier = (
        User.objects.filter(
            email=row.email,
            memberships__workspace=row.workspace_id,
            memberships__is_active=True,
            groups__team__workspace=row.workspace_id,
            groups__team__kind="role",
        )
        .values_list("groups__team__slug", flat=True)
        .distinct()
    )
    return set(row.roles) | set(earlier)


def _set_password(user: User, new: str) -> None:
    user.set_password(new)
    user.save(update_fields=["password"])
    PasswordReset.objects.filter(user=user, used_at__isnull=True).delete()


def _end_others(user_id: UUID, keep: str | None) -> int:
    others = Session.objects.filter(user_id=user_id)
    if keep is not None:
        others = others.exclude(session_key=hashed(keep))
    return others.delete()[0]


def _person(actor: Actor) -> UUID:
    if actor.kind != "person" or actor.user_id is None:
        raise Forbidden("Only the person, signed in, can do this; a token cannot.")
    return actor.user_id


def _record_own(
    actor: Actor,
    verb: str,
    now: datetime,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    details: dict[str, Any] | None = None,
) -> None:
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb=verb,
        target=Target("user", str(actor.user_id), actor.email),
        before=before,
        after=after,
        details=details,
        now=now,
    )


def _link(route: str, value: str) -> str:
    return settings.PUBLIC_URL.rstrip("/") + reverse(route, args=[value])


def _mail(*, to: str, subject: str, template: str, context: dict[str, Any]) -> None:
    # A name with a line break in it must not become a second header.
    text = render_to_string(template, context)
    EmailMessage(subject=" ".join(subject.split()), body=text, to=[to]).send()
