"""Every shared read about people: who asks, who belongs where, who can be asked."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from time import monotonic
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib import auth
from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import Case, DateTimeField, Exists, Func, OuterRef, Q, QuerySet, When
from django.db.models.functions import JSONObject
from django.http import HttpRequest
from django.utils import timezone
from guardian.models import GroupObjectPermission, UserObjectPermission

from apps.accounts import calendars
from apps.accounts.actors import Actor
from apps.accounts.models import (
    ApiToken,
    Invitation,
    Membership,
    PasswordReset,
    Role,
    Session,
    Team,
    User,
    WorkingCalendar,
    Workspace,
)
from apps.accounts.permissions import (
    ALL_RIGHTS,
    DECIDING_ROLES,
    GRANTS,
    ROLE_RIGHTS,
    in_scope,
    rights_by_role,
    sees_some_flow,
)
from apps.accounts.sessions import IDLE, SessionStore
from apps.core.errors import NotFound
from apps.engine.working_time import Calendar

#: What an actor may pick as its workspace is kept in the session under this name.
WORKSPACE_KEY = "workspace"
#: How often a token's last use is written.
USE_NOTED_EVERY = timedelta(minutes=1)


# Asked with every request, so that it is written out: to make the same of models takes longer than
# to answer it.
_BELONGS = """
select m.workspace_id, w.slug, coalesce(
  (select array_agg(array[t.group_id::text, t.slug, t.kind])
   from accounts_team t join accounts_user_groups g on g.group_id = t.group_id
   where g.user_id = m.user_id and t.workspace_id = m.workspace_id), '{}')
from accounts_membership m join accounts_workspace w on w.id = m.workspace_id
where m.user_id = %s and m.is_active
order by m.workspace_id is distinct from %s::uuid, m.created_at, m.id limit 1
"""


class _Belonging(NamedTuple):
    """A workspace that somebody belongs to, and ``[id, slug, kind]`` of their groups there."""

    workspace_id: UUID
    slug: str
    groups: list[list[str]]


class BusinessNow(Func):
    """The database's business clock, so that an expiry check costs no extra round trip."""

    function = "business_now"
    output_field = DateTimeField()


def token_hash(value: str) -> str:
    """How a token, an invitation's or a reset's link is looked up."""
    return hashlib.sha256(value.encode()).hexdigest()


def actor_of_user(user: User, workspace_id: UUID | str | None = None) -> Actor | None:
    """The person as an actor, in the workspace named if they belong to it, else their first.

    One query. None for a person without an active membership. A superuser is an administrator
    of every workspace, member or not.
    """
    if not user.is_active:
        return None
    found: _Belonging | None = None
    with connection.cursor() as cursor:
        cursor.execute(_BELONGS, [user.pk, workspace_id])
        if (row := cursor.fetchone()) is not None:
            found = _Belonging(*row)
    if user.is_superuser:
        return _superuser(user, workspace_id, found)
    return _actor(user, found) if found is not None else None


def actor_of_token(value: str) -> tuple[User, Actor] | None:
    """The person and the actor behind a token's value, or None if it is good for nothing.

    One query; notes the use at most once a minute.
    """
    token = (
        ApiToken.objects.filter(
            Q(expires_at__isnull=True) | Q(expires_at__gt=BusinessNow()),
            Exists(
                Membership.objects.filter(
                    user=OuterRef("user_id"), workspace=OuterRef("workspace_id"), is_active=True
                )
            ),
            hash=token_hash(value),
            revoked_at__isnull=True,
            user__is_active=True,
        )
        .select_related("user", "workspace")
        .annotate(groups=_groups_of("user_id", "workspace_id"))
        .first()
    )
    if token is None:
        return None
    _note_use(token)
    groups = [[str(one["id"]), one["slug"], one["kind"]] for one in token.groups]
    actor = replace(
        _actor(token.user, _Belonging(token.workspace_id, token.workspace.slug, groups)),
        kind="token",
        token_id=token.pk,
        token_name=token.name,
        scopes=None if token.scopes is None else frozenset(token.scopes),
        # A program never acts as the owner of the installation.
        is_superuser=False,
    )
    return token.user, actor


def actor_of_session(session_key: str) -> Actor | None:
    """The actor behind a session cookie's value; for sockets, which have no request.

    Ask again whenever the channel group ``user.<id>`` says that access changed: None means that
    the socket must close.
    """
    request = HttpRequest()
    request.session = SessionStore(session_key)
    user = auth.get_user(request)
    if not isinstance(user, User):
        return None
    return actor_of_user(user, request.session.get(WORKSPACE_KEY))


def rights_of(actor: Actor) -> list[str]:
    """The rights that hold in the whole workspace, for the pages to know what to offer.

    Who sees a flow by a grant alone has the two rights to look as well: their lists show it.
    """
    rights = rights_by_role(actor)
    if "flow.view" not in rights and sees_some_flow(actor):
        rights |= {"flow.view", "run.view"}
    return sorted(right for right in rights if in_scope(actor, right))


def needs_of(rights: Collection[str]) -> dict[str, list[str]]:
    """The roles that would bring each right that is lacking, for a page to say what it needs."""
    return {
        right: sorted(role for role, brings in ROLE_RIGHTS.items() if right in brings)
        for right in sorted(ALL_RIGHTS.difference(rights))
    }


def administrators(workspace_id: UUID) -> list[str]:
    """The names of the people to ask for a right, a few of them."""
    return [user.get_full_name() for user in people_in(workspace_id, teams=[Role.ADMIN])[:3]]


def workspaces_of(user_id: UUID) -> QuerySet[Workspace]:
    """The workspaces a person belongs to, in the order in which they joined."""
    return Workspace.objects.filter(
        memberships__user_id=user_id, memberships__is_active=True
    ).order_by("memberships__created_at")


def get_workspace_of(user: User, slug: str) -> Workspace:
    """The workspace of this name, if the person may work in it.

    Raises:
        NotFound: It is not there, or the person does not belong to it.
    """
    mine = Workspace.objects.all() if user.is_superuser else workspaces_of(user.pk)
    workspace = mine.filter(slug=slug).first()
    if workspace is None:
        raise NotFound("There is no such workspace, or you do not belong to it.")
    return workspace


def members(workspace_id: UUID) -> QuerySet[Membership]:
    """The people of a workspace with ``groups``: ``[{id, slug, kind}]`` of roles and teams."""
    return (
        Membership.objects.for_workspace(workspace_id)
        .select_related("user")
        .annotate(groups=_groups_of("user_id", "workspace_id"))
        .order_by("user__email")
    )


def get_member(workspace_id: UUID, membership_id: UUID) -> Membership:
    """One row of ``members``.

    Raises:
        NotFound: There is no such member here.
    """
    found = members(workspace_id).filter(pk=membership_id).first()
    if found is None:
        raise NotFound("There is no such person in this workspace.")
    return found


def people_in(
    workspace_id: UUID, users: Iterable[str] = (), teams: Iterable[str] = ()
) -> list[User]:
    """The active people named by mail address, or in the teams or roles named, each once.

    Only those who may answer a task at all: somebody who is nothing but an auditor, or has no
    role, is left out.
    """
    return list(deciders_in(workspace_id, users, teams))


def deciders_in(
    workspace_id: UUID, users: Iterable[str] = (), teams: Iterable[str] = ()
) -> QuerySet[User]:
    """The same by mail address, to be read a page at a time."""
    emails = {email.strip().lower() for email in users}
    here = Team.objects.for_workspace(workspace_id).filter(group__user=OuterRef("pk"))
    member = Membership.objects.for_workspace(workspace_id).filter(
        user=OuterRef("pk"), is_active=True
    )
    return User.objects.filter(
        Q(email__in=emails) | Exists(here.filter(slug__in=list(teams))),
        Exists(member),
        Exists(here.filter(kind=Team.Kind.ROLE, slug__in=DECIDING_ROLES)),
        is_active=True,
    ).order_by("email")


def teams_of(workspace_id: UUID) -> QuerySet[Team]:
    """Roles and teams of a workspace."""
    return Team.objects.for_workspace(workspace_id).select_related("group")


def open_invitations(workspace_id: UUID) -> QuerySet[Invitation]:
    """Invitations that wait for an answer, expired ones too: they can be sent anew."""
    return (
        Invitation.objects.for_workspace(workspace_id)
        .filter(accepted_at__isnull=True, revoked_at__isnull=True)
        .select_related("invited_by")
    )


def invitation_of(value: str, now: datetime, *, lock: bool = False) -> Invitation:
    """The open invitation behind a link.

    Raises:
        NotFound: It was used or taken back, is too old, or never was.
    """
    rows = Invitation.objects.select_for_update(no_key=True) if lock else Invitation.objects.all()
    row = rows.filter(
        token_hash=token_hash(value),
        accepted_at__isnull=True,
        revoked_at__isnull=True,
        expires_at__gt=now,
    ).first()
    if row is None:
        raise NotFound("This invitation was used before, was taken back, or is too old.")
    return row


def reset_of(value: str, now: datetime, *, lock: bool = False) -> PasswordReset:
    """The open password reset behind a link.

    Raises:
        NotFound: It was used, is too old, or never was.
    """
    rows = PasswordReset.objects.all()
    if lock:
        rows = rows.select_for_update(no_key=True)
    row = rows.filter(
        token_hash=token_hash(value), used_at__isnull=True, expires_at__gt=now
    ).first()
    if row is None:
        raise NotFound("This link was used before or is too old.")
    return row


def tokens_for(actor: Actor) -> QuerySet[ApiToken]:
    """Live tokens: one's own, or everybody's for who manages tokens.

    A token with scopes sees only itself, unless managing tokens is one of them.
    """
    live = (
        ApiToken.objects.for_workspace(actor.workspace_id)
        .filter(revoked_at__isnull=True)
        .select_related("user")
    )
    if in_scope(actor, "tokens.manage"):
        if "tokens.manage" in rights_by_role(actor):
            return live
    elif actor.kind == "token":
        return live.filter(pk=actor.token_id) if actor.token_id else live.none()
    return live.filter(user_id=actor.user_id) if actor.user_id else live.none()


def sessions_of(user_id: UUID) -> QuerySet[Session]:
    """Browsers signed in as this person, the last used first."""
    now = timezone.now()
    return Session.objects.filter(
        user_id=user_id, expire_date__gt=now, last_seen_at__gt=now - IDLE
    ).order_by("-last_seen_at")


def grants_on(workspace_id: UUID, flow_id: UUID) -> list[dict[str, Any]]:
    """What is granted on a flow: ``[{subject: {kind, id, name}, rights}]``, people first."""
    about = {
        "object_pk": str(flow_id),
        "permission__content_type__app_label": "flows",
        "permission__content_type__model": "flow",
    }
    found: dict[tuple[str, UUID, str], set[str]] = {}
    own = UserObjectPermission.objects.filter(user__memberships__workspace_id=workspace_id, **about)
    for user_id, email, codename in own.values_list(
        "user_id", "user__email", "permission__codename"
    ):
        found.setdefault(("user", user_id, email), set()).add(codename)
    shared = GroupObjectPermission.objects.filter(group__team__workspace_id=workspace_id, **about)
    for team_id, name, codename in shared.values_list(
        "group__team", "group__team__name", "permission__codename"
    ):
        found.setdefault(("team", team_id, name), set()).add(codename)
    return [
        {
            "subject": {"kind": kind, "id": id_, "name": name},
            "rights": [right for right, (codename, _) in GRANTS.items() if codename in codenames],
        }
        for (kind, id_, name), codenames in sorted(
            found.items(), key=lambda row: (row[0][0] != "user", row[0][2])
        )
    ]


def can_sign_in(user: User) -> bool:
    """Whether the account leads anywhere: active, and a member of some workspace."""
    return user.is_active and (
        user.is_superuser or Membership.objects.filter(user=user, is_active=True).exists()
    )


def _groups_of(user: str, workspace: str) -> ArraySubquery:
    """``[{id, slug, kind}]`` of the person's roles and teams in the workspace."""
    return ArraySubquery(
        Team.objects.filter(workspace=OuterRef(workspace), group__user=OuterRef(user)).values(
            row=JSONObject(id="group_id", slug="slug", kind="kind")
        )
    )


def _actor(user: User, belonging: _Belonging) -> Actor:
    return Actor(
        user_id=user.pk,
        workspace_id=belonging.workspace_id,
        workspace_slug=belonging.slug,
        email=user.email,
        name=user.name,
        roles=frozenset(slug for _, slug, kind in belonging.groups if kind == Team.Kind.ROLE),
        team_slugs=frozenset(slug for _, slug, kind in belonging.groups if kind == Team.Kind.TEAM),
        group_ids=frozenset(int(id_) for id_, _, _ in belonging.groups),
        is_superuser=user.is_superuser,
    )


def _superuser(
    user: User, workspace_id: UUID | str | None, belonging: _Belonging | None
) -> Actor | None:
    if belonging is None or (
        workspace_id is not None and str(belonging.workspace_id) != str(workspace_id)
    ):
        wanted = Case(When(pk=workspace_id, then=0), default=1)
        workspace = Workspace.objects.order_by(wanted, "created_at").first()
        if workspace is None:
            return None
        belonging = _Belonging(workspace.pk, workspace.slug, [])
    actor = _actor(user, belonging)
    return replace(actor, roles=actor.roles | {"admin"})


def _note_use(token: ApiToken) -> None:
    now = timezone.now()
    stale = now - USE_NOTED_EVERY
    if token.last_used_at is None or token.last_used_at < stale:
        ApiToken.objects.filter(
            Q(last_used_at__isnull=True) | Q(last_used_at__lt=stale), pk=token.pk
        ).update(last_used_at=now)


def zone_of(workspace_id: UUID) -> str:
    """The workspace's time zone; kept for a minute, since every driven run asks."""
    return _zone_in(workspace_id, int(monotonic() // 60))


def calendar_of(workspace_id: UUID) -> Calendar:
    """The working calendar in force now. One query, two where nobody has set one."""
    return calendars.read(calendar_shown(workspace_id))


def calendar_shown(workspace_id: UUID) -> calendars.Content:
    """The working calendar as it is stored, or the standard one in the workspace's zone."""
    found = WorkingCalendar.objects.for_workspace(workspace_id).first()
    if found is None:
        zone = Workspace.objects.values_list("zone", flat=True).get(pk=workspace_id)
        return calendars.standard(zone)
    content: calendars.Content = found.content
    return content


@lru_cache(maxsize=1024)
def _zone_in(workspace_id: UUID, _minute: int) -> str:
    return Workspace.objects.values_list("zone", flat=True).get(pk=workspace_id)
