"""The API about the trail: read and search it, see its seals, take a part of it away."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.utils.dateparse import parse_date, parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.actors import Actor
from apps.accounts.authentication import actor_of
from apps.accounts.permissions import require
from apps.accounts.schema import PAGE, paged
from apps.audit.bundle import bundle_of_period, proof_of_row
from apps.audit.commands import record
from apps.audit.models import AuditEvent, AuditSeal
from apps.audit.queries import audit_rows, get_row, seals, trail_state, with_values
from apps.audit.records import Target
from apps.core import clock
from apps.core.errors import Forbidden, Invalid
from apps.core.http import CursorPages
from apps.operations.streams import streamed_lines
from apps.operations.trail_rows import row_shown

_WITHHOLD = OpenApiParameter(
    "withhold",
    OpenApiTypes.STR,
    description="Fields whose values are left out, by commas: `actor.label`, or `before.` for all.",
)
_PERIOD = [
    OpenApiParameter("from", OpenApiTypes.STR, description="ISO 8601 time, or a day in UTC."),
    OpenApiParameter("to", OpenApiTypes.STR, description="Excluded; a day is taken whole."),
]
_SEARCH = [
    OpenApiParameter("actor", OpenApiTypes.STR, description="An id, or words of the name."),
    OpenApiParameter("verb", OpenApiTypes.STR, description="By commas; `flow.` is all of a noun."),
    OpenApiParameter("target", OpenApiTypes.STR, description="`type:id`, an id, or words."),
    OpenApiParameter("flow", OpenApiTypes.UUID),
    OpenApiParameter("correlation", OpenApiTypes.STR),
    OpenApiParameter("search", OpenApiTypes.STR, description="Words, each from its beginning."),
    OpenApiParameter("scope", OpenApiTypes.STR, enum=["workspace", "installation"]),
    *_PERIOD,
]


class ActorShown(serializers.Serializer[Any]):
    """Who acted; `label` is null where it was erased."""

    kind = serializers.CharField()
    id = serializers.CharField()
    label = serializers.CharField(allow_null=True)  # type: ignore[assignment]


class TargetShown(serializers.Serializer[Any]):
    """What was acted upon."""

    type = serializers.CharField()
    id = serializers.CharField()
    label = serializers.CharField(allow_null=True)  # type: ignore[assignment]


class AuditRowShown(serializers.Serializer[Any]):
    """A row of the trail. `seal` is null until it is sealed; `withheld` names erased fields."""

    id = serializers.UUIDField()
    at = serializers.DateTimeField()
    verb = serializers.CharField()
    actor = ActorShown()
    on_behalf_of = serializers.CharField()
    target = TargetShown()
    flow = serializers.UUIDField(allow_null=True)
    correlation_id = serializers.CharField()
    reason = serializers.CharField(allow_null=True)
    before = serializers.DictField()
    after = serializers.DictField()
    details = serializers.DictField()
    withheld = serializers.ListField(child=serializers.CharField())
    seal = serializers.IntegerField(allow_null=True)
    hash = serializers.CharField()


class SealShown(serializers.Serializer[Any]):
    """A seal; hashes and signature in hex."""

    number = serializers.IntegerField()
    kind = serializers.CharField()
    at = serializers.DateTimeField()
    count = serializers.IntegerField()
    root = serializers.CharField()  # type: ignore[assignment]
    previous = serializers.CharField()
    hash = serializers.CharField()
    key = serializers.CharField()
    extra = serializers.DictField()
    signature = serializers.CharField()


class TrailStateShown(serializers.Serializer[Any]):
    """How the trail stands."""

    fingerprint = serializers.CharField()
    public_key = serializers.CharField()
    last_seal = serializers.IntegerField()
    last_sealed_at = serializers.DateTimeField(allow_null=True)
    unsealed = serializers.IntegerField()
    oldest_unsealed_at = serializers.DateTimeField(allow_null=True)
    refused = serializers.IntegerField()


class SealPages(CursorPages):
    """Seals, newest first."""

    ordering = "-number"


class AuditView(APIView):
    """The trail of the workspace, newest first."""

    @extend_schema(
        operation_id="audit_list",
        parameters=[*_SEARCH, *PAGE],
        responses=paged(AuditRowShown),
    )
    def get(self, request: Request) -> Response:
        actor = actor_of(request)
        require(actor, "audit.view")
        given = request.query_params
        since, until = period_of(request)
        rows = audit_rows(
            _scope(actor, given.get("scope", "")),
            actor=given.get("actor", ""),
            verb=given.get("verb", ""),
            target=given.get("target", ""),
            flow=_uuid(given.get("flow", ""), "flow"),
            correlation=given.get("correlation", ""),
            search=given.get("search", ""),
            since=since,
            until=until,
        )
        return _page(self, request, CursorPages(), rows, _rows_shown)


class AuditRowView(APIView):
    """One row of the trail."""

    @extend_schema(responses=AuditRowShown)
    def get(self, request: Request, event_id: UUID) -> Response:
        actor = actor_of(request)
        require(actor, "audit.view")
        [row] = with_values([get_row(actor.workspace_id, event_id)])
        return Response(row_shown(row))


class SealsView(APIView):
    """The seals of the installation, newest first."""

    @extend_schema(operation_id="audit_seals_list", parameters=PAGE, responses=paged(SealShown))
    def get(self, request: Request) -> Response:
        require(actor_of(request), "audit.view")
        return _page(
            self, request, SealPages(), seals(), lambda found: [seal_shown(seal) for seal in found]
        )


class TrailStateView(APIView):
    """The key's fingerprint, the last seal, and what waits for the next."""

    @extend_schema(responses=TrailStateShown)
    def get(self, request: Request) -> Response:
        require(actor_of(request), "audit.view")
        return Response(trail_state())


class BundleView(APIView):
    """A part of the trail as one signed file that verifies offline."""

    @extend_schema(
        parameters=[*_PERIOD, _WITHHOLD],
        responses={(200, "application/x-ndjson"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request) -> HttpResponseBase:
        actor, now = _exporter(request), clock.now()
        since, until = period_of(request)
        withhold = _withheld(request)
        lines = bundle_of_period(
            actor.workspace_id,
            since=since,
            until=until,
            withhold=withhold,
            made_by=actor.who.label,
            now=now,
        )
        told = {"from": since, "to": until, "withheld": withhold}
        _record_export(actor, Target("audit", "bundle", "Bundle of the trail"), told, now)
        return streamed_lines(
            request, lines, name=f"audit-{actor.workspace_slug}-{now:%Y%m%d}.ndjson"
        )


class ProofView(APIView):
    """One row with the proof that its seal holds it, and no other row."""

    @extend_schema(
        parameters=[_WITHHOLD],
        responses={(200, "application/x-ndjson"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, event_id: UUID) -> HttpResponseBase:
        actor, now = _exporter(request), clock.now()
        withhold = _withheld(request)
        lines = proof_of_row(
            actor.workspace_id, event_id, withhold=withhold, made_by=actor.who.label, now=now
        )
        target = Target("audit", str(event_id), "Proof of a row")
        _record_export(actor, target, {"withheld": withhold}, now)
        return streamed_lines(request, lines, name=f"audit-{event_id}.ndjson")


def seal_shown(seal: AuditSeal) -> dict[str, Any]:
    """A seal as the API gives it."""
    return {
        "number": seal.number,
        "kind": seal.kind,
        "at": seal.at,
        "count": seal.count,
        "root": bytes(seal.root).hex(),
        "previous": bytes(seal.previous).hex(),
        "hash": bytes(seal.hash).hex(),
        "key": seal.key,
        "extra": seal.extra,
        "signature": bytes(seal.signature).hex(),
    }


def period_of(request: Request) -> tuple[datetime | None, datetime | None]:
    """``from`` and ``to`` of the query; a day alone is taken whole, in UTC.

    Raises:
        Invalid: One is no time, or they are the wrong way round.
    """
    since = _moment(request, "from", timedelta(0))
    until = _moment(request, "to", timedelta(days=1))
    if since and until and since >= until:
        raise Invalid("“from” lies after “to”; give a period that has a length.")
    return since, until


def _rows_shown(events: Iterable[AuditEvent]) -> list[dict[str, Any]]:
    return [row_shown(row) for row in with_values(events)]


def _page(
    view: APIView, request: Request, pages: CursorPages, rows: QuerySet[Any], shown: Any
) -> Response:
    found = pages.paginate_queryset(rows, request, view=view) or []
    return pages.get_paginated_response(shown(found))


def _exporter(request: Request) -> Actor:
    actor = actor_of(request)
    require(actor, "audit.view")
    require(actor, "export.read")
    return actor


@transaction.atomic
def _record_export(actor: Actor, target: Target, told: dict[str, Any], now: datetime) -> None:
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb="export.read",
        target=target,
        details={"what": "audit", **told},
        now=now,
    )


def _scope(actor: Actor, scope: str) -> UUID | None:
    if scope in {"", "workspace"}:
        return actor.workspace_id
    if scope != "installation":
        raise Invalid(f"“{scope}” is no scope; give “workspace” or “installation”.")
    if not actor.is_superuser:
        raise Forbidden(
            "Only an administrator of the installation sees what belongs to no workspace."
        )
    return None


def _withheld(request: Request) -> list[str]:
    text = request.query_params.get("withhold", "")
    return [field for field in (part.strip() for part in text.split(",")) if field]


def _uuid(text: str, name: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise Invalid(f"“{name}” is no id: {text[:80]!r}.") from None


def _moment(request: Request, name: str, length_of_day: timedelta) -> datetime | None:
    text = request.query_params.get(name, "")
    if not text:
        return None
    try:
        # First: a day alone would also pass as a time.
        if day := parse_date(text):
            return datetime(day.year, day.month, day.day, tzinfo=UTC) + length_of_day
        if at := parse_datetime(text.replace(" ", "+")):
            return at if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        pass
    raise Invalid(
        f"“{name}” is no time: {text[:80]!r}. Write it as 2026-03-01T12:00:00Z or 2026-03-01."
    )
