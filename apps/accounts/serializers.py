"""What the API about people takes and gives."""

# ruff: noqa: D101 - a shape is named by what it shows; its fields say the rest

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.accounts.models import (
    ApiToken,
    Invitation,
    Membership,
    Placement,
    Role,
    Session,
    Team,
)
from apps.accounts.permissions import GRANTS

Row = dict[str, Any]


class WorkspaceRef(serializers.Serializer[Any]):
    slug = serializers.CharField()
    name = serializers.CharField()


class WorkspaceShown(WorkspaceRef):
    id = serializers.UUIDField()
    zone = serializers.CharField()


class Me(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    email = serializers.EmailField()
    name = serializers.CharField()
    theme = serializers.CharField()
    language = serializers.CharField(
        help_text="Such as de; empty where the browser's own is followed."
    )
    zone = serializers.CharField()
    workspace = WorkspaceShown()
    workspaces = WorkspaceRef(many=True)
    roles = serializers.ListField(child=serializers.CharField())
    teams = serializers.ListField(child=serializers.CharField())
    rights = serializers.ListField(child=serializers.CharField())
    needs = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        help_text="The rights that are lacking, each with the roles that would bring it.",
    )
    admins = serializers.ListField(
        child=serializers.CharField(), help_text="Names of people to ask for a right."
    )
    embedded = serializers.BooleanField()


class MeChange(serializers.Serializer[Any]):
    name = serializers.CharField(required=False)
    theme = serializers.CharField(required=False)
    language = serializers.CharField(required=False, allow_blank=True)
    zone = serializers.CharField(required=False, allow_blank=True)


class WorkspaceChoice(serializers.Serializer[Any]):
    slug = serializers.CharField()


class WorkingSpan(serializers.Serializer[Any]):
    def get_fields(self) -> dict[str, Any]:
        # "from" is no name that a class may give to a field.
        shape: dict[str, Any] = {
            "max_length": 5,
            "help_text": "Such as 09:00; the end of a day is 24:00.",
        }
        return {name: serializers.CharField(**shape) for name in ("from", "to")}


class DayOff(serializers.Serializer[Any]):
    date = serializers.DateField()
    name = serializers.CharField(max_length=100, allow_blank=True, default="")


class WorkingCalendarShape(serializers.Serializer[Any]):
    zone = serializers.CharField(max_length=64)
    hours = serializers.ListField(
        child=WorkingSpan(many=True), help_text="Seven days from Monday on; empty for a day off."
    )
    holidays = DayOff(many=True)


class OwnCalendarShape(WorkingCalendarShape):
    own = serializers.BooleanField(
        read_only=True, help_text="Whether it is their own, and not that of the workspace."
    )


class PasswordChange(serializers.Serializer[Any]):
    current = serializers.CharField(trim_whitespace=False)
    new = serializers.CharField(trim_whitespace=False)


class SessionShown(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    current = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    user_agent = serializers.CharField()
    ip = serializers.CharField(allow_null=True)


class SessionEnd(serializers.Serializer[Any]):
    id = serializers.UUIDField(required=False)


class MemberShown(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    user_id = serializers.UUIDField()
    email = serializers.EmailField()
    name = serializers.CharField()
    roles = serializers.ListField(child=serializers.CharField())
    teams = serializers.ListField(child=serializers.CharField())
    is_active = serializers.BooleanField()
    department = serializers.CharField(allow_blank=True)
    manager = serializers.CharField(allow_blank=True, help_text="The name of who leads them today.")
    last_sign_in_at = serializers.DateTimeField(allow_null=True)


class PersonNamed(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="Of the membership, as in the list of members.")
    name = serializers.CharField()
    email = serializers.EmailField()


class PlaceShown(serializers.Serializer[Any]):
    manager = PersonNamed(allow_null=True)
    deputy = PersonNamed(allow_null=True)
    department = serializers.CharField(allow_blank=True)
    zone = serializers.CharField(allow_blank=True, help_text="Empty for the workspace's own.")

    def get_fields(self) -> dict[str, Any]:
        # "from" is no name that a class may give to a field.
        return {"from": serializers.DateField(), **super().get_fields()}


class Places(serializers.Serializer[Any]):
    language = serializers.CharField(allow_blank=True)
    today = serializers.DateField(help_text="Where the workspace is.")
    on = PlaceShown(allow_null=True, help_text="What holds on the day asked for, or today.")
    history = PlaceShown(many=True, help_text="All that is known, the oldest first.")


class PlaceAsked(serializers.Serializer[Any]):
    manager = serializers.UUIDField(allow_null=True, default=None)
    deputy = serializers.UUIDField(allow_null=True, default=None)
    department = serializers.CharField(allow_blank=True, max_length=100, default="")
    zone = serializers.CharField(allow_blank=True, max_length=64, default="")
    language = serializers.CharField(required=False, allow_blank=True)
    reason = serializers.CharField(allow_blank=True, max_length=1000, default="")

    def get_fields(self) -> dict[str, Any]:
        begins = serializers.DateField(
            allow_null=True, default=None, help_text="Today where nothing is said."
        )
        return {"from": begins, **super().get_fields()}


class PeopleFile(serializers.Serializer[Any]):
    file = serializers.CharField(help_text="A CSV file in UTF-8, as base64.")


class PeopleFileKept(PeopleFile):
    skip_bad = serializers.BooleanField(default=False)
    reason = serializers.CharField(allow_blank=True, max_length=1000, default="")


class ImportLine(serializers.Serializer[Any]):
    line = serializers.IntegerField()
    mail = serializers.CharField(allow_blank=True)
    day = serializers.DateField(allow_null=True)
    problem = serializers.CharField(allow_blank=True, help_text="Empty where the line holds.")
    changes = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField(allow_blank=True)),
        help_text="By column, what was and what is to be.",
    )


class ImportLines(serializers.Serializer[Any]):
    results = ImportLine(many=True)


class MemberChange(serializers.Serializer[Any]):
    roles = serializers.ListField(child=serializers.CharField(), required=False)
    teams = serializers.ListField(child=serializers.CharField(), required=False)
    is_active = serializers.BooleanField(required=False)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=1000)


class InvitationAsked(serializers.Serializer[Any]):
    email = serializers.CharField()
    roles = serializers.ListField(child=serializers.ChoiceField(choices=Role.choices))


class InvitationShown(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    email = serializers.EmailField()
    roles = serializers.ListField(child=serializers.CharField())
    invited_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()


class TeamAsked(serializers.Serializer[Any]):
    slug = serializers.CharField()
    name = serializers.CharField()


class TeamChange(serializers.Serializer[Any]):
    name = serializers.CharField()


class TeamShown(TeamAsked):
    id = serializers.UUIDField()
    kind = serializers.CharField()


class TokenAsked(serializers.Serializer[Any]):
    name = serializers.CharField()
    scopes = serializers.ListField(
        child=serializers.CharField(), required=False, allow_null=True, default=None
    )
    days = serializers.IntegerField(required=False, allow_null=True, default=None)


class TokenShown(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    prefix = serializers.CharField()
    owner = serializers.CharField()
    scopes = serializers.ListField(child=serializers.CharField(), allow_null=True)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True)


class TokenMade(TokenShown):
    token = serializers.CharField(help_text="Shown this once.")


class SubjectShown(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=["user", "team"])
    id = serializers.UUIDField()
    name = serializers.CharField(read_only=True)


class Grant(serializers.Serializer[Any]):
    subject = SubjectShown()
    rights = serializers.ListField(child=serializers.ChoiceField(choices=list(GRANTS)))


class Grants(serializers.Serializer[Any]):
    grants = Grant(many=True)


def member_row(member: Membership, place: Placement | None = None) -> Row:
    """A row of ``queries.members`` as the API shows it, with where the person stands today."""
    groups = member.groups  # type: ignore[attr-defined] # annotated by the query
    return {
        "id": member.pk,
        "user_id": member.user_id,
        "email": member.user.email,
        "name": member.user.name,
        "roles": sorted(one["slug"] for one in groups if one["kind"] == Team.Kind.ROLE),
        "teams": sorted(one["slug"] for one in groups if one["kind"] == Team.Kind.TEAM),
        "is_active": member.is_active and member.user.is_active,
        "department": place.department if place else "",
        "manager": place.manager.user.get_full_name() if place and place.manager else "",
        "last_sign_in_at": member.user.last_login,
    }


def place_row(row: Placement) -> Row:
    """Where a person stands from a day on, as the API shows it."""
    return {
        "from": row.begins_on,
        "manager": _named(row.manager),
        "deputy": _named(row.deputy),
        "department": row.department,
        "zone": row.zone,
    }


def _named(member: Membership | None) -> Row | None:
    if member is None:
        return None
    return {"id": member.pk, "name": member.user.get_full_name(), "email": member.user.email}


def invitation_row(row: Invitation) -> Row:
    """An invitation as the API shows it."""
    return {
        "id": row.pk,
        "email": row.email,
        "roles": row.roles,
        "invited_by": row.invited_by.name,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
    }


def team_row(team: Team) -> Row:
    """A team as the API shows it."""
    return {"id": team.pk, "slug": team.slug, "name": team.name, "kind": team.kind}


def token_row(token: ApiToken) -> Row:
    """A token as the API shows it, never its value."""
    return {
        "id": token.pk,
        "name": token.name,
        "prefix": token.prefix,
        "owner": token.user.email,
        "scopes": token.scopes,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
    }


def session_row(session: Session, current: Any) -> Row:
    """A signed-in browser as the API shows it."""
    return {
        "id": session.id,
        "current": session.id == current,
        "created_at": session.created_at,
        "last_seen_at": session.last_seen_at,
        "user_agent": session.user_agent,
        "ip": session.ip,
    }
