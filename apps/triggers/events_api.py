"""The API about events: the list, one as CloudEvents JSON, and publishing one from outside."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_field,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.authentication import actor_of
from apps.accounts.schema import PAGE, paged
from apps.core import clock
from apps.core.errors import Invalid
from apps.core.http import CursorPages, ExactJSONParser, ExactJSONRenderer, SaidField
from apps.core.sentences import said
from apps.runs import pressure
from apps.triggers import envelope, events, takers
from apps.triggers.models import Event, Verdict

FILTERS = ("type", "source", "subject", "correlation")


class CloudEventParser(ExactJSONParser):
    """CloudEvents in structured mode."""

    media_type = envelope.MEDIA_TYPE


class CloudEventRenderer(ExactJSONRenderer):
    """CloudEvents in structured mode."""

    media_type = envelope.MEDIA_TYPE
    format = "cloudevents"


class TakerShape(serializers.Serializer[Any]):
    """What an event did: it started a run, woke one, changed what people are asked, or failed."""

    what = serializers.ChoiceField(choices=[*Verdict.values, "woke", "changed", "unread"])
    flow = serializers.UUIDField(source="flow_id", allow_null=True)
    flow_name = serializers.CharField()
    run = serializers.UUIDField(source="run_id", allow_null=True)
    step = serializers.CharField(help_text="Of a run that was there the step that waited or asked.")
    reason = SaidField(help_text="Why it was refused.")


class EventShape(serializers.Serializer[Any]):
    """An event in a list, without its data. ``id`` is its address here, ``event_id`` its own."""

    id = serializers.UUIDField()
    event_id = serializers.CharField()
    type = serializers.CharField()
    version = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment] # a field's name
    subject = serializers.CharField()
    time = serializers.DateTimeField(source="occurred_at")
    correlation = serializers.CharField()
    causation = serializers.CharField()
    depth = serializers.IntegerField()
    flow = serializers.UUIDField(source="flow_id", allow_null=True)
    run = serializers.UUIDField(source="run_id", allow_null=True)
    step = serializers.CharField()
    flow_name = serializers.SerializerMethodField(help_text="Of the flow that published it.")
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    state = serializers.ChoiceField(choices=takers.STATES)
    takers = serializers.SerializerMethodField()
    faults = serializers.SerializerMethodField(
        help_text="Why waits could not tell it from other events."
    )

    def get_flow_name(self, event: Event) -> str:
        """Empty where it came from outside."""
        return str(self.context["names"].get(event.flow_id, ""))

    @extend_schema_field(TakerShape(many=True))
    def get_takers(self, event: Event) -> Any:
        """What it did, the first first."""
        return TakerShape(self.context["takers"].get(event.pk, []), many=True).data

    def get_faults(self, event: Event) -> list[str]:
        """What went wrong with its keys."""
        return [said(one) for one in self.context["faults"].get(event.pk, [])]


class CloudEventShape(serializers.Serializer[Any]):
    """CloudEvents 1.0 JSON; further attributes are kept and given back."""

    specversion = serializers.ChoiceField(choices=["1.0"])
    id = serializers.CharField(max_length=200)
    source = serializers.CharField(max_length=300)  # type: ignore[assignment] # a field's name
    type = serializers.CharField(max_length=200)
    subject = serializers.CharField(max_length=300, required=False)
    time = serializers.DateTimeField(required=False)
    datacontenttype = serializers.CharField(required=False)
    version = serializers.CharField(max_length=20, required=False)
    correlationid = serializers.CharField(max_length=200, required=False)
    causationid = serializers.CharField(max_length=200, required=False)
    ttl = serializers.CharField(
        required=False, help_text="How long it waits for takers (PT1H); PT0S: not at all."
    )
    data = serializers.JSONField(required=False)  # type: ignore[assignment] # a field's name


class TypesShape(serializers.Serializer[Any]):
    """Types by name, at most 200."""

    types = serializers.ListField(child=serializers.CharField())


class EventsView(APIView):
    """Events of the workspace, newest first."""

    parser_classes = [ExactJSONParser, CloudEventParser]

    @extend_schema(
        operation_id="events_list",
        parameters=[
            *(OpenApiParameter(name, str, description="This one only.") for name in FILTERS),
            OpenApiParameter("run", OpenApiTypes.UUID, description="Published by this run only."),
            OpenApiParameter("state", str, enum=takers.STATES, description="Where it stands."),
            OpenApiParameter("from_outside", bool, description="Not published by a flow, or so."),
            OpenApiParameter("from", OpenApiTypes.DATETIME, description="Kept at or after."),
            OpenApiParameter("to", OpenApiTypes.DATETIME, description="Kept before."),
            *PAGE,
        ],
        responses=paged(EventShape),
    )
    def get(self, request: Request) -> Response:
        pages = CursorPages()
        found = pages.paginate_queryset(_filtered(request), request, view=self) or []
        shown = EventShape(found, many=True, context=_context(found)).data
        return pages.get_paginated_response(shown)

    @extend_schema(
        operation_id="events_publish",
        request={"application/json": CloudEventShape, envelope.MEDIA_TYPE: CloudEventShape},
        responses={
            201: EventShape,
            200: OpenApiResponse(EventShape, description="It came before."),
        },
    )
    def post(self, request: Request) -> Response:
        """Tell the workspace of something that happened outside. Safe to repeat."""
        pressure.at_the_api.refuse()
        event, is_new = events.publish_event(
            actor=actor_of(request), event=request.data, now=clock.now()
        )
        kept = takers.with_state(Event.objects.filter(pk=event.pk), clock.now()).get()
        shown = EventShape(kept, context=_context([kept])).data
        return Response(shown, status=201 if is_new else 200)


class EventView(APIView):
    """One event, in CloudEvents JSON."""

    renderer_classes = [CloudEventRenderer]

    @extend_schema(
        operation_id="events_get", responses={(200, envelope.MEDIA_TYPE): CloudEventShape}
    )
    def get(self, request: Request, event_id: UUID) -> Response:
        return Response(envelope.as_cloud_event(events.get_event(actor_of(request), event_id)))


class EventTypesView(APIView):
    """``GET event-types/``: types of event that are known here, to choose from."""

    @extend_schema(operation_id="event_types", responses=TypesShape)
    def get(self, request: Request) -> Response:
        """Those that came, that start a flow, or that a published flow tells of or waits for."""
        return Response({"types": takers.known_types(actor_of(request))})


def _context(found: Sequence[Event]) -> dict[str, Any]:
    return {
        "faults": events.faults_of(found),
        "takers": takers.takers_of(found),
        "names": takers.publishers(found),
    }


def _filtered(request: Request) -> QuerySet[Event]:
    found = events.visible_events(actor_of(request)).defer("data", "attributes")
    asked = request.query_params
    for name in FILTERS:
        if asked.get(name):
            found = found.filter(**{name: asked[name]})
    if asked.get("run"):
        try:
            found = found.filter(run_id=UUID(asked["run"]))
        except ValueError:
            raise Invalid("“run” must be the id of a run.") from None
    if asked.get("state") and asked["state"] not in takers.STATES:
        raise Invalid(f"“state” is one of {', '.join(takers.STATES)}.")
    found = takers.with_state(found, clock.now(), only=asked.get("state", ""))
    if asked.get("from_outside"):
        if asked["from_outside"] not in {"true", "false"}:
            raise Invalid("“from_outside” is true or false.")
        found = found.filter(flow_id__isnull=asked["from_outside"] == "true")
    for name, lookup in (("from", "created_at__gte"), ("to", "created_at__lt")):
        if asked.get(name):
            found = found.filter(**{lookup: _moment(name, asked[name])})
    return found


def _moment(name: str, text: str) -> Any:
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Invalid(f"“{name}” must be a time such as 2026-03-01T12:00:00Z.")
    return found
