"""The API about a flow's trigger and what arrived at it."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.authentication import actor_of
from apps.accounts.schema import PAGE, paged
from apps.core.http import CursorPages
from apps.triggers import queries
from apps.triggers.models import Verdict


class TriggerSerializer(serializers.Serializer[queries.TriggerCard]):
    """How a flow is started. ``secret`` is the name of the secret, never its value."""

    type = serializers.CharField()
    path = serializers.CharField()
    url = serializers.CharField()
    curl = serializers.CharField()
    secret = serializers.CharField()
    enabled = serializers.BooleanField()
    state = serializers.CharField()
    next_at = serializers.DateTimeField(allow_null=True)


class DeliverySerializer(serializers.Serializer[Any]):
    """One call that arrived."""

    id = serializers.UUIDField()
    received_at = serializers.DateTimeField()
    verdict = serializers.ChoiceField(choices=Verdict.choices)
    reason = serializers.CharField()
    run = serializers.UUIDField(source="run_id", allow_null=True)
    event = serializers.UUIDField(source="event_id", allow_null=True)
    summary = serializers.CharField()


class TriggerView(APIView):
    """``GET flows/{id}/trigger/``."""

    @extend_schema(operation_id="flow_trigger", responses=TriggerSerializer)
    def get(self, request: Request, flow_id: UUID) -> Response:
        """The address, the lines to call it with, and when a schedule fires next."""
        return Response(TriggerSerializer(queries.trigger_card(actor_of(request), flow_id)).data)


class DeliveriesView(APIView):
    """``GET flows/{id}/deliveries/``, the newest first."""

    @extend_schema(
        operation_id="flow_deliveries", parameters=PAGE, responses=paged(DeliverySerializer)
    )
    def get(self, request: Request, flow_id: UUID) -> Response:
        pages = CursorPages()
        rows = queries.deliveries(actor_of(request), flow_id)
        found = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response(DeliverySerializer(found, many=True).data)
