"""The API about a flow's trigger and what arrived at it."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from pydantic import ValidationError
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.authentication import actor_of
from apps.accounts.schema import PAGE, paged
from apps.core import clock
from apps.core.errors import Invalid
from apps.core.http import CursorPages, SaidField
from apps.steps.types.trigger_schedule import Schedule
from apps.triggers import queries, schedules
from apps.triggers.models import FireStatus, ScheduleFire, Verdict


class FireSerializer(serializers.Serializer[ScheduleFire]):
    """What became of a time of a schedule."""

    at = serializers.DateTimeField(source="fire_at")
    status = serializers.ChoiceField(choices=FireStatus.choices)
    run = serializers.UUIDField(source="run_id", allow_null=True)
    reason = SaidField(help_text="Why it was refused.")


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
    next_times = serializers.ListField(child=serializers.DateTimeField(), help_text="At most 5.")
    fires = FireSerializer(many=True, help_text="The last 5 times of a schedule.")


class PreviewSerializer(serializers.Serializer[Any]):
    """The times of a schedule that may not be published yet."""

    cron = serializers.CharField(max_length=100)
    zone = serializers.CharField(max_length=64, default="UTC")


class TimesSerializer(serializers.Serializer[Any]):
    """The next five times; fewer where the line ends."""

    next_times = serializers.ListField(child=serializers.DateTimeField())


class DeliverySerializer(serializers.Serializer[Any]):
    """One call that arrived."""

    id = serializers.UUIDField()
    received_at = serializers.DateTimeField()
    verdict = serializers.ChoiceField(choices=Verdict.choices)
    reason = SaidField()
    run = serializers.UUIDField(source="run_id", allow_null=True)
    event = serializers.UUIDField(source="event_id", allow_null=True)
    summary = serializers.CharField()


class TriggerView(APIView):
    """``GET flows/{id}/trigger/``."""

    @extend_schema(operation_id="flow_trigger", responses=TriggerSerializer)
    def get(self, request: Request, flow_id: UUID) -> Response:
        """The address, the lines to call it with, and when a schedule fires next."""
        card = queries.trigger_card(actor_of(request), flow_id, clock.now())
        return Response(TriggerSerializer(card).data)


class TriggerPreviewView(APIView):
    """``POST trigger-preview/``: when a schedule would fire. Changes nothing."""

    @extend_schema(
        operation_id="trigger_preview", request=PreviewSerializer, responses=TimesSerializer
    )
    def post(self, request: Request) -> Response:
        """The next five times of a cron line in a time zone, for a form while it is filled in."""
        shape = PreviewSerializer(data=request.data)
        shape.is_valid(raise_exception=True)
        try:
            config = Schedule.model_validate(shape.validated_data)
        except ValidationError as wrong:
            first = wrong.errors()[0]
            raise Invalid(str(first["msg"]).removeprefix("Value error, ")) from None
        count = queries.TIMES_SHOWN
        times = schedules.upcoming(config.cron, config.zone, clock.now(), count)
        return Response(TimesSerializer({"next_times": times}).data)


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
