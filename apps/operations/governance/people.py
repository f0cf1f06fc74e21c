"""People, roles, teams, tokens; who may do what to which flow stands on the flow's page."""

from typing import Any, ClassVar

from allauth.account.models import EmailAddress
from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Model

from apps.accounts import commands
from apps.accounts.actors import Actor
from apps.accounts.models import ApiToken, Membership, Role, Team, Workspace
from apps.accounts.queries import get_member
from apps.operations.governance.base import CommandAdmin, CommandForm, RecordAdmin
from apps.operations.governance.site import now

# Roles are given with their people; addresses change with their person. Neither has a door here.
admin.site.unregister([Group, EmailAddress])


def roles_of(row: Membership) -> list[str]:
    """The roles that a member holds, by name."""
    member = get_member(row.workspace_id, row.pk)
    groups = member.groups  # type: ignore[attr-defined] # annotated by the query
    return sorted(one["slug"] for one in groups if one["kind"] == "role")


class MemberForm(CommandForm):
    """Roles, teams and whether the way in is open."""

    roles = forms.MultipleChoiceField(
        choices=Role.choices, required=False, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Membership
        fields: ClassVar = ["is_active"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["roles"].initial = roles_of(self.instance)


@admin.register(Membership)
class MemberAdmin(CommandAdmin):
    """People and their roles. Deactivating somebody ends their sessions and tokens at once."""

    form = MemberForm
    list_display = ("person", "mail", "roles_held", "is_active", "workspace")
    list_filter = ("is_active",)
    search_fields = ("user__email", "user__name")
    list_select_related = ("user", "workspace")
    ordering = ("user__email",)
    fields = ("is_active", "roles", "reason")

    @admin.display(description="Name", ordering="user__name")
    def person(self, row: Membership) -> str:
        return row.user.get_full_name()

    @admin.display(description="Mail", ordering="user__email")
    def mail(self, row: Membership) -> str:
        return row.user.email

    @admin.display(description="Roles")
    def roles_held(self, row: Membership) -> str:
        return ", ".join(roles_of(row))

    def command(self, actor: Actor, obj: Model, wanted: dict[str, Any]) -> None:
        commands.change_member(
            actor=actor,
            membership_id=obj.pk,
            roles=wanted["roles"],
            is_active=wanted["is_active"],
            reason=wanted["reason"],
            now=now(),
        )


@admin.register(Workspace)
class WorkspaceAdmin(RecordAdmin):
    """Workspaces."""

    list_display = ("name", "slug", "zone", "created_at")
    workspace_field = "id"


@admin.register(Team)
class TeamAdmin(RecordAdmin):
    """Roles and teams, to which flows are granted and tasks are put."""

    list_display = ("name", "slug", "kind", "people", "workspace")
    list_filter = ("kind",)
    list_select_related = ("workspace", "group")

    @admin.display(description="People")
    def people(self, row: Team) -> str:
        people = row.group.user_set.filter(is_active=True).order_by("email")
        return ", ".join(people.values_list("email", flat=True)[:20])


class TokenForm(CommandForm):
    """Revoking a token is the only change there is."""

    revoke = forms.BooleanField(required=True, help_text="It stops working at once, for good.")

    class Meta:
        model = ApiToken
        fields: ClassVar[list[str]] = []


@admin.register(ApiToken)
class TokenAdmin(CommandAdmin):
    """Keys of programs. Their values are kept nowhere; the first characters tell them apart."""

    form = TokenForm
    list_display = ("name", "prefix", "user", "expires_at", "revoked_at", "last_used_at")
    search_fields = ("name", "prefix", "user__email")
    list_select_related = ("user",)
    readonly_fields = (
        "name",
        "prefix",
        "user",
        "scopes",
        "expires_at",
        "revoked_at",
        "last_used_at",
    )
    fields = (*readonly_fields, "revoke", "reason")

    def command(self, actor: Actor, obj: Model, wanted: dict[str, Any]) -> None:
        commands.revoke_token(actor=actor, token_id=obj.pk, reason=wanted["reason"], now=now())
