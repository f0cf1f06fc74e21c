"""The API about a draft's own address, and sending samples."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api import sent
from apps.accounts.authentication import actor_of
from apps.accounts.permissions import require
from apps.core import clock
from apps.core.errors import Invalid
from apps.core.idempotency import idempotent
from apps.core.sentences import said
from apps.runs.testing_shapes import ListenerShape
from apps.triggers import listening, sending
from apps.triggers.models import Listener

KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, description="Makes a repeat harmless."
)


class ListeningShape(serializers.Serializer[Any]):
    """Whether the draft listens."""

    listener = ListenerShape(allow_null=True)


class SendShape(serializers.Serializer[Any]):
    """Which sample is sent, and where to."""

    sample = serializers.UUIDField()
    to = serializers.ChoiceField(
        ["flow", "draft"],
        help_text="`flow`: a real run of what is published. `draft`: it is kept as a sample.",
    )


class SentShape(serializers.Serializer[Any]):
    """What the sender was told."""

    status = serializers.IntegerField()
    answer = serializers.JSONField()
    run = serializers.UUIDField(allow_null=True)
    sample = serializers.UUIDField(allow_null=True)


class ListenView(APIView):
    """An address of its own for a flow's draft."""

    @extend_schema(operation_id="flow_listener", responses=ListeningShape)
    def get(self, request: Request, flow_id: UUID) -> Response:
        actor = actor_of(request)
        require(actor, "flow.edit", flow_id)  # whoever has the address can fill it
        found = listening.listener_of(actor, flow_id, clock.now())
        return Response({"listener": _shown(found) if found else None})

    @extend_schema(
        operation_id="flow_listen", parameters=[KEY], request=None, responses={201: ListenerShape}
    )
    @idempotent
    def post(self, request: Request, flow_id: UUID) -> Response:
        found = listening.open_listener(actor=actor_of(request), flow_id=flow_id, now=clock.now())
        return Response(_shown(found), status=201)

    @extend_schema(operation_id="flow_listen_end", responses={204: None})
    def delete(self, request: Request, flow_id: UUID) -> Response:
        listening.close_listener(actor=actor_of(request), flow_id=flow_id, now=clock.now())
        return Response(status=204)


class SendTestView(APIView):
    """Send a sample as its sender would."""

    @extend_schema(
        operation_id="flow_send_test", parameters=[KEY], request=SendShape, responses=SentShape
    )
    def post(self, request: Request, flow_id: UUID) -> Response:
        given = sent(SendShape, request)
        key = request.headers.get("Idempotency-Key", "")
        if len(key) > 200:
            raise Invalid("Idempotency-Key is too long: at most 200 characters.")
        found = sending.send_test(
            actor=actor_of(request),
            flow_id=flow_id,
            sample_id=given["sample"],
            to=given["to"],
            key=key,
            now=clock.now(),
        )
        return Response(
            {
                "status": found.status,
                "answer": found.answer,
                "run": found.run,
                "sample": found.sample,
            }
        )


def _shown(found: Listener) -> dict[str, Any]:
    return {
        "url": listening.url_of(found),
        "curl": listening.curl_of(found),
        "until": found.until,
        "heard": found.heard,
        "refused": found.refused,
        "said": said(found.said),
    }
