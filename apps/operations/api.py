"""The API about alerts, and the exports."""

from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.authentication import actor_of
from apps.accounts.permissions import require
from apps.accounts.schema import PAGE, paged
from apps.core import clock
from apps.core.errors import Forbidden, Invalid
from apps.core.http import CursorPages
from apps.core.sentences import said
from apps.operations import alerts, exports, metrics
from apps.operations.models import Alert, AlertKind
from apps.operations.streams import streamed_lines
from apps.runs.shapes import FlowNamed


class AlertShape(serializers.Serializer[Any]):
    """An alert; ``count`` goes on counting within the hour."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=AlertKind.values)
    title = serializers.CharField()
    body = serializers.CharField()
    flow = FlowNamed(allow_null=True)
    run = serializers.UUIDField(allow_null=True)
    task = serializers.UUIDField(allow_null=True)
    path = serializers.CharField(help_text="Where the reader acts; empty where it is the run.")
    count = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    last_at = serializers.DateTimeField()
    read_at = serializers.DateTimeField(allow_null=True)


class ReadShape(serializers.Serializer[Any]):
    """Which alerts were read: some, or all."""

    ids = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=200)
    all = serializers.BooleanField(required=False, default=False)


class UnreadShape(serializers.Serializer[Any]):
    """How many alerts are left unread."""

    unread = serializers.IntegerField()


class AlertsView(APIView):
    """One's own alerts, newest first, and how many are unread."""

    @extend_schema(
        operation_id="alerts_list",
        parameters=PAGE,
        responses=paged(AlertShape, unread=serializers.IntegerField()),
    )
    def get(self, request: Request) -> Response:
        own = alerts.alerts_of(actor_of(request))
        pages = CursorPages()
        found = pages.paginate_queryset(own, request, view=self) or []
        response = pages.get_paginated_response([alert_shown(one) for one in found])
        response.data["unread"] = own.filter(read_at__isnull=True).count()
        return response


class ReadAlertsView(APIView):
    """Mark one's own alerts as read."""

    @extend_schema(request=ReadShape, responses=UnreadShape)
    def post(self, request: Request) -> Response:
        shape = ReadShape(data=request.data)
        shape.is_valid(raise_exception=True)
        sent = shape.validated_data
        if not sent["all"] and "ids" not in sent:
            raise Invalid('Say which alerts were read: {"ids": […]} or {"all": true}.')
        actor = actor_of(request)
        alerts.read_alerts(actor=actor, ids=None if sent["all"] else sent["ids"], now=clock.now())
        unread = alerts.alerts_of(actor).filter(read_at__isnull=True).count()
        return Response({"unread": unread})


class ExportView(APIView):
    """Everything of one kind as JSON lines, from a cursor on."""

    @extend_schema(
        operation_id="export",
        parameters=[
            OpenApiParameter("kind", str, OpenApiParameter.PATH, enum=list(exports.KINDS)),
            OpenApiParameter(
                "cursor", str, description="The `cursor` of the last line that you have."
            ),
        ],
        responses={(200, "application/x-ndjson"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, kind: str) -> HttpResponseBase:
        actor, now = actor_of(request), clock.now()
        lines = exports.begin_export(
            actor=actor, kind=kind, cursor=request.query_params.get("cursor", ""), now=now
        )
        name = f"{kind}-{actor.workspace_slug}-{now:%Y%m%d}.ndjson"
        return streamed_lines(request, lines, name=name)


class MetricsView(APIView):
    """The installation's numbers for Prometheus."""

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        require(actor_of(request), metrics.RIGHT)
        if not request.user.is_superuser:
            raise Forbidden("Only an administrator of the installation sees numbers of all of it.")
        return HttpResponse(metrics.metrics_text(), content_type=metrics.CONTENT_TYPE)


def alert_shown(alert: Alert) -> dict[str, Any]:
    """An alert as the API gives it."""
    return {
        "id": alert.pk,
        "kind": alert.kind,
        "title": said(alert.title),
        "body": said(alert.body),
        "flow": {"id": alert.flow.pk, "name": alert.flow.name} if alert.flow else None,
        "run": alert.run_id,
        "task": alert.task_id,
        "path": alert.path,
        "count": alert.count,
        "created_at": alert.created_at,
        "last_at": alert.last_at,
        "read_at": alert.read_at,
    }
