"""The API about whose rights on a flow changed: grants on it, and roles and teams beside it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.authentication import actor_of
from apps.accounts.models import Team, User
from apps.accounts.permissions import require
from apps.accounts.queries import zone_of
from apps.accounts.schema import PAGE, paged
from apps.audit.models import AuditEvent
from apps.audit.queries import Row, audit_rows, with_values
from apps.core import clock
from apps.core.http import CursorPages
from apps.operations.audit_api import period_of

#: What changes rights on a flow without naming it: who is of which role and team.
BESIDE = (
    "member.join", "member.change", "member.deactivate", "member.rehome",
    "group.create", "group.change", "group.delete",
)  # fmt: skip


class AccessChangeShown(serializers.Serializer[Any]):
    """A change of somebody's rights, with the entry of the trail that tells of it."""

    id = serializers.UUIDField(help_text="The entry of the trail.")
    at = serializers.DateTimeField()
    verb = serializers.CharField()
    subject = serializers.CharField(help_text="Whose rights: a person or a team.")
    before = serializers.CharField(allow_blank=True)
    after = serializers.CharField(allow_blank=True)
    by = serializers.CharField()
    reason = serializers.CharField(allow_blank=True)


class AccessChangesView(APIView):
    """Whose rights on a flow changed, newest first; this quarter unless ``from`` is given."""

    @extend_schema(
        operation_id="flows_access_changes_list",
        parameters=[
            OpenApiParameter("from", OpenApiTypes.STR, description="A day or a time."),
            OpenApiParameter("to", OpenApiTypes.STR, description="A day is taken whole."),
            *PAGE,
        ],
        responses=paged(AccessChangeShown),
    )
    def get(self, request: Request, flow_id: UUID) -> Response:
        actor = actor_of(request)
        require(actor, "audit.view")
        require(actor, "flow.view", flow_id)
        since, until = period_of(request)
        if since is None:
            since = quarter_of(clock.now(), ZoneInfo(zone_of(actor.workspace_id)))
        rows = audit_rows(actor.workspace_id, since=since, until=until).filter(
            Q(verb="flow.grant", flow_id=flow_id) | Q(verb__in=BESIDE)
        )
        pages = CursorPages()
        found: Sequence[AuditEvent] = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response(_shown(with_values(found)))


def quarter_of(at: datetime, zone: ZoneInfo) -> datetime:
    """The beginning of the quarter of a year in which a moment is."""
    local = at.astimezone(zone)
    first = (local.month - 1) // 3 * 3 + 1
    return local.replace(month=first, day=1, hour=0, minute=0, second=0, microsecond=0)


def _shown(rows: Sequence[Row]) -> list[dict[str, Any]]:
    names = _names(rows)
    return [
        {
            "id": row.event.pk,
            "at": row.event.at,
            "verb": row.event.verb,
            "subject": _subject(row, names),
            "before": _said(row.group("before"), row.group("after")),
            "after": _said(row.group("after"), row.group("before")),
            "by": row.text("actor.label") or "",
            "reason": row.text("reason") or "",
        }
        for row in rows
    ]


def _subject(row: Row, names: Mapping[str, str]) -> str:
    """By the name of that moment; of a grant that did not keep it, by the present one."""
    if row.event.verb != "flow.grant":
        return row.text("target.label") or row.event.target_id
    kept, key = row.text("details.subject"), row.text("details.subject_id") or ""
    return kept or names.get(key, key)


def _names(rows: Sequence[Row]) -> dict[str, str]:
    """Of grants that do not say themselves whom they are about."""
    old = [
        row
        for row in rows
        if row.event.verb == "flow.grant" and "details.subject" not in row.values
    ]
    ids = {row.text("details.subject_id") for row in old}
    people = User.objects.filter(pk__in=[one for one in ids if one])
    teams = Team.objects.filter(pk__in=[one for one in ids if one])
    return {str(one.pk): one.get_full_name() for one in people} | {
        str(one.pk): one.name for one in teams
    }


def _said(values: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """What a row says of before or after, as far as the two differ: “roles: builder, viewer”."""
    parts = []
    for name, value in values.items():
        if other.get(name) == value:
            continue
        if isinstance(value, list):
            value = ", ".join(str(one) for one in value) or "\N{EN DASH}"  # noqa: PLW2901
        elif isinstance(value, bool):
            value = "yes" if value else "no"  # noqa: PLW2901
        parts.append(str(value) if name == "rights" else f"{name.replace('_', ' ')}: {value}")
    return "; ".join(parts)
