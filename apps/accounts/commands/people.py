"""Who belongs to a workspace, in which roles and teams."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from apps.accounts.actors import Actor
from apps.accounts.models import (
    SLUG,
    ApiToken,
    Invitation,
    Membership,
    Role,
    Session,
    Team,
    User,
    Workspace,
)
from apps.accounts.permissions import require
from apps.accounts.queries import get_member, token_hash
from apps.audit.commands import record
from apps.audit.records import Target
from apps.core import live, outbox
from apps.core.errors import Conflict, Invalid, NotFound
from apps.core.models import uuid7

INVITATION_LASTS = timedelta(days=7)


class LastAdministrator(Conflict):
    """The change would leave the workspace without anybody who can put it right."""

    code = "last_administrator"


class AlreadyMember(Conflict):
    """The person belongs to the workspace."""

    code = "already_member"


class BadName(Invalid):
    """A name that would not do on one line."""

    code = "bad_name"


class SlugTaken(Conflict):
    """Another one has this short name."""

    code = "slug_taken"


@transaction.atomic
def make_workspace(*, slug: str, name: str, now: datetime, zone: str = "UTC") -> Workspace:
    """Open a workspace with a role team for every role. Done by the system, not by a person.

    Raises:
        SlugTaken: There is one of that short name.
    """
    check_slug(slug)
    if Workspace.objects.filter(slug=slug).exists():
        raise SlugTaken(f"There is a workspace “{slug}” already; choose another short name.")
    workspace = Workspace.objects.create(slug=slug, name=name, zone=zone, created_at=now)
    for role in Role:
        _make_team(workspace, role.value, str(role.label), Team.Kind.ROLE, now)
    record(
        who=Actor.system(workspace.pk).who,
        workspace_id=workspace.pk,
        verb="workspace.create",
        target=Target("workspace", str(workspace.pk), workspace.name),
        after={"slug": slug, "zone": zone},
        now=now,
    )
    return workspace


@transaction.atomic
def add_member(
    *,
    workspace_id: UUID,
    email: str,
    now: datetime,
    name: str = "",
    roles: Iterable[str] = (),
    teams: Iterable[str] = (),
    password: str | None = None,
    actor: Actor | None = None,
) -> Membership:
    """Put a person into a workspace, making the account if there is none.

    For the demo, the first administrator and accepted invitations, which have checked who may;
    ``actor`` is the system where none is given. A former member comes back. The password is set
    on a new account only.

    Locks:
        The workspace row.
    """
    workspace = Workspace.objects.select_for_update(no_key=True).get(pk=workspace_id)
    email = clean_email(email)
    user = User.objects.filter(email=email).first()
    if user is None:
        user = User.objects.create_user(email, password, name=name or email.partition("@")[0])
    membership, created = Membership.objects.get_or_create(
        workspace=workspace, user=user, defaults={"created_at": now}
    )
    if not created and not membership.is_active:
        membership.is_active = True
        membership.save(update_fields=["is_active"])
    _set_groups(workspace_id, user, clean_roles(roles), Team.Kind.ROLE)
    if teams:
        _set_groups(workspace_id, user, set(teams), Team.Kind.TEAM)
    record(
        who=(actor or Actor.system(workspace_id)).who,
        workspace_id=workspace_id,
        verb="member.join",
        target=member_target(user),
        after={"roles": sorted(roles), "teams": sorted(teams)},
        now=now,
    )
    live.publish_access([user.pk])
    return membership


@transaction.atomic
def make_first_admin(*, email: str, now: datetime, workspace: str = "main") -> User:
    """Make the installation's owner: a superuser who administers its first workspace.

    Safe to call again: the account and the workspace stay, the rights are given anew.
    """
    opened = Workspace.objects.filter(slug=workspace).first() or make_workspace(
        slug=workspace, name=workspace.capitalize(), now=now
    )
    before = set(
        Team.objects.for_workspace(opened.pk)
        .filter(kind=Team.Kind.ROLE, group__user__email=clean_email(email))
        .values_list("slug", flat=True)
    )
    membership = add_member(
        workspace_id=opened.pk, email=email, roles=before | {Role.ADMIN.value}, now=now
    )
    user = membership.user
    if not user.is_superuser:
        user.is_superuser = True
        user.save(update_fields=["is_superuser"])
        record(
            who=Actor.system(opened.pk).who,
            workspace_id=opened.pk,
            verb="member.change",
            target=member_target(user),
            after={"superuser": True},
            now=now,
        )
    return user


@transaction.atomic
def change_member(
    *,
    actor: Actor,
    membership_id: UUID,
    now: datetime,
    roles: Iterable[str] | None = None,
    teams: Iterable[str] | None = None,
    is_active: bool | None = None,
    reason: str = "",
) -> Membership:
    """Change a member's roles or teams, or shut or open their way in.

    Deactivation ends their sessions and sockets and revokes their tokens of this workspace with
    the same commit. What is None stays as it is.

    Raises:
        NotFound: No such member here.
        LastAdministrator: Nobody would be left to administer.
        Invalid: A role or team that does not exist.

    Locks:
        The workspace row, so that two administrators cannot remove each other at once.
    """
    require(actor, "people.manage")
    if roles is not None:
        require(actor, "roles.manage")
    Workspace.objects.select_for_update(no_key=True).get(pk=actor.workspace_id)
    member = get_member(actor.workspace_id, membership_id)
    before = _shown(member)
    if roles is not None:
        _set_groups(actor.workspace_id, member.user, clean_roles(roles), Team.Kind.ROLE)
    if teams is not None:
        _set_groups(actor.workspace_id, member.user, set(teams), Team.Kind.TEAM)
    was_active = member.is_active
    if is_active is not None and is_active != was_active:
        Membership.objects.filter(pk=member.pk).update(is_active=is_active)
    _require_an_administrator(actor.workspace_id)
    member = get_member(actor.workspace_id, membership_id)
    after = _shown(member)
    if after == before:
        return member
    shut = was_active and not member.is_active
    if shut:
        _end_access(actor.workspace_id, member.user_id, now)
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb="member.deactivate" if shut else "member.change",
        target=member_target(member.user),
        before=before,
        after=after,
        reason=reason,
        now=now,
    )
    live.publish_access([member.user_id])
    return member


@transaction.atomic
def invite_member(*, actor: Actor, email: str, roles: Iterable[str], now: datetime) -> Invitation:
    """Invite somebody by mail; an earlier open invitation to the same address ends.

    The link's value is made when the mail is sent, and only its hash is kept.

    Raises:
        AlreadyMember: They belong to the workspace.
        Invalid: Not a mail address, no role, or an unknown one.

    Locks:
        The workspace row, so that two at once leave one open.
    """
    require(actor, "people.manage")
    Workspace.objects.select_for_update(no_key=True).get(pk=actor.workspace_id)
    email, wanted = clean_email(email), clean_roles(roles)
    if not wanted:
        raise Invalid("Choose at least one role for the new person.")
    if (
        Membership.objects.for_workspace(actor.workspace_id)
        .filter(user__email=email, is_active=True)
        .exists()
    ):
        raise AlreadyMember(f"{email} belongs to this workspace already.")
    open_ones = Invitation.objects.for_workspace(actor.workspace_id).filter(
        email=email, accepted_at__isnull=True, revoked_at__isnull=True
    )
    open_ones.update(revoked_at=now)
    if actor.user_id is None:
        raise Invalid("An invitation is sent in somebody's name.")
    invitation = Invitation.objects.create(
        id=uuid7(),
        workspace_id=actor.workspace_id,
        email=email,
        roles=sorted(wanted),
        # Nobody knows this value: the link that works is made by `send_invitation`.
        token_hash=token_hash(secrets.token_urlsafe(32)),
        invited_by_id=actor.user_id,
        expires_at=now + INVITATION_LASTS,
        created_at=now,
    )
    outbox.enqueue(
        topic="accounts.invitation", payload={"invitation_id": str(invitation.pk)}, now=now
    )
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb="member.invite",
        target=Target("invitation", str(invitation.pk), email),
        after={"roles": sorted(wanted)},
        now=now,
    )
    return invitation


@transaction.atomic
def revoke_invitation(*, actor: Actor, invitation_id: UUID, now: datetime) -> None:
    """Take an open invitation back; its link stops working.

    Raises:
        NotFound: There is no open one of this id here.
    """
    require(actor, "people.manage")
    row = (
        Invitation.objects.for_workspace(actor.workspace_id)
        .select_for_update(no_key=True)
        .filter(pk=invitation_id, accepted_at__isnull=True, revoked_at__isnull=True)
        .first()
    )
    if row is None:
        raise NotFound("There is no open invitation of this kind.")
    row.revoked_at = now
    row.save(update_fields=["revoked_at"])
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb="member.uninvite",
        target=Target("invitation", str(row.pk), row.email),
        now=now,
    )


@transaction.atomic
def create_team(*, actor: Actor, slug: str, name: str, now: datetime) -> Team:
    """Add a team: a name for several people, to assign tasks and grant flows to.

    Raises:
        SlugTaken: A team or role has this short name.
    """
    require(actor, "people.manage")
    check_slug(slug)
    workspace = Workspace.objects.select_for_update(no_key=True).get(pk=actor.workspace_id)
    if slug in Role.values or Team.objects.for_workspace(workspace.pk).filter(slug=slug).exists():
        raise SlugTaken(f"There is a team or role “{slug}” already; choose another short name.")
    team = _make_team(workspace, slug, clean_name(name), Team.Kind.TEAM, now)
    _record_team(actor, team, "group.create", now, after={"slug": slug, "name": team.name})
    return team


@transaction.atomic
def rename_team(*, actor: Actor, team_id: UUID, name: str, now: datetime) -> Team:
    """Give a team another name. Its short name, which flows refer to, stays."""
    require(actor, "people.manage")
    team = _own_team(actor, team_id)
    before, team.name = team.name, clean_name(name)
    team.save(update_fields=["name"])
    _record_team(
        actor, team, "group.change", now, before={"name": before}, after={"name": team.name}
    )
    return team


@transaction.atomic
def delete_team(*, actor: Actor, team_id: UUID, now: datetime, reason: str = "") -> None:
    """Remove a team and what was granted to it. Its people stay."""
    require(actor, "people.manage")
    team = _own_team(actor, team_id)
    people = list(team.group.user_set.values_list("pk", flat=True))
    _record_team(actor, team, "group.delete", now, before={"slug": team.slug}, reason=reason)
    # Guardian's rows about the group, the memberships and the team itself go with it.
    team.group.delete()
    live.publish_access(people)


def clean_email(email: str) -> str:
    """The address in small letters.

    Raises:
        Invalid: It is not a mail address.
    """
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise Invalid(
            f"“{email[:80]}” is not a mail address; expected something like name@example.org."
        ) from None
    return email


def clean_roles(roles: Iterable[str]) -> set[str]:
    """The roles as a set.

    Raises:
        Invalid: One of them is none.
    """
    wanted = set(roles)
    if unknown := wanted - set(Role.values):
        raise Invalid(f"“{min(unknown)[:60]}” is not a role; choose from {', '.join(Role.values)}.")
    return wanted


def clean_name(name: str) -> str:
    """A name on one line.

    Raises:
        BadName: It is empty, too long, or holds line breaks or other control characters.
    """
    name = name.strip()
    if not name or len(name) > 150 or not name.isprintable():
        raise BadName("Expected a name of 1 to 150 characters on one line.")
    return name


def check_slug(slug: str) -> None:
    """Refuse what is not a short name.

    Raises:
        Invalid: It holds more than small letters, digits and hyphens.
    """
    try:
        SLUG(slug)
    except ValidationError as error:
        raise Invalid(str(error.message)) from None


def member_target(user: User) -> Target:
    """How the trail names a person."""
    return Target("user", str(user.pk), user.email)


def _make_team(workspace: Workspace, slug: str, name: str, kind: str, now: datetime) -> Team:
    try:
        group = Group.objects.create(name=f"{workspace.pk}:{slug}")
    except IntegrityError:
        raise SlugTaken(f"There is a team or role “{slug}” already.") from None
    return Team.objects.create(
        group=group, workspace=workspace, slug=slug, name=name, kind=kind, created_at=now
    )


def _own_team(actor: Actor, team_id: UUID) -> Team:
    team = (
        Team.objects.for_workspace(actor.workspace_id)
        .select_related("group")
        .filter(pk=team_id)
        .first()
    )
    if team is None:
        raise NotFound("There is no such team in this workspace.")
    if team.kind == Team.Kind.ROLE:
        raise Conflict(f"“{team.name}” is a role; roles stay as they are.")
    return team


def _record_team(
    actor: Actor,
    team: Team,
    verb: str,
    now: datetime,
    *,
    before: dict[str, str] | None = None,
    after: dict[str, str] | None = None,
    reason: str = "",
) -> None:
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb=verb,
        target=Target("group", str(team.pk), team.name),
        before=before,
        after=after,
        reason=reason,
        now=now,
    )


def _set_groups(workspace_id: UUID, user: User, slugs: Collection[str], kind: str) -> None:
    """Make the user's groups of this kind in this workspace exactly these."""
    known = {
        team.slug: team
        for team in Team.objects.for_workspace(workspace_id)
        .filter(kind=kind)
        .select_related("group")
    }
    if unknown := set(slugs) - set(known):
        raise Invalid(f"There is no team “{min(unknown)[:60]}” in this workspace.")
    user.groups.remove(*(team.group for slug, team in known.items() if slug not in slugs))
    user.groups.add(*(known[slug].group for slug in slugs))


def _require_an_administrator(workspace_id: UUID) -> None:
    left = Membership.objects.for_workspace(workspace_id).filter(
        is_active=True,
        user__is_active=True,
        user__groups__team__workspace=workspace_id,
        user__groups__team__slug=Role.ADMIN,
    )
    if not left.exists():
        raise LastAdministrator(
            "This is the last administrator of the workspace; make somebody else one first."
        )


def _end_access(workspace_id: UUID, user_id: UUID, now: datetime) -> None:
    """With the caller's commit: no session, no token."""
    Session.objects.filter(user_id=user_id).delete()
    ApiToken.objects.for_workspace(workspace_id).filter(
        user_id=user_id, revoked_at__isnull=True
    ).update(revoked_at=now)


def _shown(member: Membership) -> dict[str, object]:
    groups = member.groups  # type: ignore[attr-defined] # annotated by `queries.members`
    return {
        "roles": sorted(one["slug"] for one in groups if one["kind"] == Team.Kind.ROLE),
        "teams": sorted(one["slug"] for one in groups if one["kind"] == Team.Kind.TEAM),
        "active": member.is_active,
    }
