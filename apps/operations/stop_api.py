"""The API of the global stop: who stopped everything, stop, go on."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.authentication import actor_of
from apps.core import clock
from apps.runs import stopping
from apps.runs.models import WorkspaceStop


class StopShape(serializers.Serializer[Any]):
    """Whether everything is stopped, and if so by whom, why and since when."""

    stopped = serializers.BooleanField()
    by = serializers.CharField(allow_null=True)
    reason = serializers.CharField(allow_null=True)
    stopped_at = serializers.DateTimeField(allow_null=True)


class WhyShape(serializers.Serializer[Any]):
    """Why."""

    reason = serializers.CharField(max_length=2000)


class WhyNotShape(serializers.Serializer[Any]):
    """Why it goes on, if anything is to be said."""

    reason = serializers.CharField(max_length=2000, required=False, allow_blank=True)


class ReleasedShape(serializers.Serializer[Any]):
    """How many runs had been held and start now."""

    released = serializers.IntegerField()


class StopView(APIView):
    """The global stop of the workspace."""

    @extend_schema(responses=StopShape)
    def get(self, request: Request) -> Response:
        return Response(_shown(stopping.stop_of(actor_of(request).workspace_id)))

    @extend_schema(request=WhyShape, responses=StopShape)
    def post(self, request: Request) -> Response:
        shape = WhyShape(data=request.data)
        shape.is_valid(raise_exception=True)
        stop = stopping.stop_everything(
            actor=actor_of(request), reason=shape.validated_data["reason"], now=clock.now()
        )
        return Response(_shown(stop))


class ResumeView(APIView):
    """Lift the global stop: what was held starts, in the order in which it came."""

    @extend_schema(request=WhyNotShape, responses=ReleasedShape)
    def post(self, request: Request) -> Response:
        shape = WhyNotShape(data=request.data)
        shape.is_valid(raise_exception=True)
        released = stopping.lift_stop(
            actor=actor_of(request), reason=shape.validated_data.get("reason", ""), now=clock.now()
        )
        return Response({"released": released})


def _shown(stop: WorkspaceStop | None) -> dict[str, Any]:
    if stop is None:
        return {"stopped": False, "by": None, "reason": None, "stopped_at": None}
    return {
        "stopped": True,
        "by": stop.by,
        "reason": stop.reason,
        "stopped_at": stop.stopped_at,
    }
