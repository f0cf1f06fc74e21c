"""Grants on single flows: the only code that writes guardian's tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from guardian.models import GroupObjectPermission, UserObjectPermission

from apps.accounts.actors import Actor
from apps.accounts.models import Membership, Team, User
from apps.accounts.permissions import GRANTS, require
from apps.accounts.queries import grants_on
from apps.audit.commands import record
from apps.audit.records import Target
from apps.core import live
from apps.core.errors import Invalid, NotFound


@dataclass(frozen=True)
class GrantSubject:
    """Who gets a grant: a user id, or the id of a team (roles are teams too)."""

    kind: Literal["user", "team"]
    id: UUID


@transaction.atomic
def grant_flow(
    *, actor: Actor, flow_id: UUID, subject: GrantSubject, rights: Iterable[str], now: datetime
) -> None:
    """Make these the rights of one person or team on one flow; none at all takes them away.

    Raises:
        NotFound: No such flow, person or team here.
        Invalid: A right that is not view, edit, publish or run.
    """
    require(actor, "flow.grant", flow_id)
    wanted = _clean(rights)
    flow = _locked_flow(flow_id)
    before = _set(actor.workspace_id, flow, subject, wanted)
    if before == wanted:
        return
    _record(actor, flow, subject, now, before=before, after=wanted)
    live.publish_access(_people(actor.workspace_id, subject))


@transaction.atomic
def set_flow_grants(
    *,
    actor: Actor,
    flow_id: UUID,
    grants: Iterable[tuple[GrantSubject, Iterable[str]]],
    now: datetime,
) -> None:
    """Make these all the grants on a flow; whoever is not named loses theirs.

    Raises:
        NotFound, Invalid: As ``grant_flow``.

    Locks:
        The flow row.
    """
    require(actor, "flow.grant", flow_id)
    flow = _locked_flow(flow_id)
    wanted: dict[GrantSubject, set[str]] = {}
    for subject, rights in grants:
        wanted.setdefault(subject, set()).update(_clean(rights))
    for row in grants_on(actor.workspace_id, flow_id):
        wanted.setdefault(GrantSubject(row["subject"]["kind"], row["subject"]["id"]), set())
    for subject, rights_now in wanted.items():
        before = _set(actor.workspace_id, flow, subject, rights_now)
        if before != rights_now:
            _record(actor, flow, subject, now, before=before, after=rights_now)
            live.publish_access(_people(actor.workspace_id, subject))


def _locked_flow(flow_id: UUID) -> Any:
    # flows is a package above this one; its table is named, not imported.
    flow = apps.get_model("flows.Flow")
    return flow._base_manager.select_for_update(no_key=True).get(pk=flow_id)  # noqa: SLF001 - Django's documented name


def _clean(rights: Iterable[str]) -> set[str]:
    wanted = set(rights)
    if unknown := wanted - set(GRANTS):
        raise Invalid(f"“{min(unknown)[:60]}” cannot be granted; choose from {', '.join(GRANTS)}.")
    return wanted


def _set(workspace_id: UUID, flow: Any, subject: GrantSubject, wanted: set[str]) -> set[str]:
    """Write the rows; returns what was granted before."""
    content_type = ContentType.objects.get_for_model(flow)
    if subject.kind == "user":
        if not (
            Membership.objects.for_workspace(workspace_id)
            .filter(user_id=subject.id, is_active=True)
            .exists()
            or not wanted
        ):
            raise NotFound("There is no such person in this workspace.")
        table: Any = UserObjectPermission.objects
        holder: dict[str, Any] = {"user_id": subject.id}
    else:
        team = Team.objects.for_workspace(workspace_id).filter(pk=subject.id).first()
        if team is None:
            raise NotFound("There is no such team in this workspace.")
        table = GroupObjectPermission.objects
        holder = {"group_id": team.group_id}
    about = {"object_pk": str(flow.pk), "content_type": content_type, **holder}
    rows = {
        row.permission.codename: row for row in table.filter(**about).select_related("permission")
    }
    before = {right for right, (codename, _gained) in GRANTS.items() if codename in rows}
    for right in before - wanted:
        rows[GRANTS[right][0]].delete()
    for right in wanted - before:
        codename = GRANTS[right][0]
        permission, _made = Permission.objects.get_or_create(
            content_type=content_type, codename=codename, defaults={"name": f"Can {right} a flow"}
        )
        table.create(permission=permission, **about)
    return before


def _record(
    actor: Actor,
    flow: Any,
    subject: GrantSubject,
    now: datetime,
    *,
    before: set[str],
    after: set[str],
) -> None:
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb="flow.grant",
        target=Target("flow", str(flow.pk), flow.name),
        before={"rights": sorted(before)},
        after={"rights": sorted(after)},
        details={
            "subject_kind": subject.kind,
            "subject_id": str(subject.id),
            "subject": _name(subject),
        },
        now=now,
    )


def _name(subject: GrantSubject) -> str:
    """As whom the person or team is known now: the trail outlives both."""
    if subject.kind == "user":
        found = User.objects.filter(pk=subject.id).first()
        return f"{found.get_full_name()} ({found.email})" if found else ""
    team = Team.objects.filter(pk=subject.id).first()
    return team.name if team else ""


def _people(workspace_id: UUID, subject: GrantSubject) -> list[UUID]:
    if subject.kind == "user":
        return [subject.id]
    team = Team.objects.for_workspace(workspace_id).filter(pk=subject.id)
    return list(team.values_list("group__user", flat=True).exclude(group__user=None))
