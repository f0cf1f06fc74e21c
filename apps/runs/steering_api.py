"""The API that pauses, resumes and cancels runs and does them again: one, or many at once."""

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.actors import Actor
from apps.accounts.authentication import actor_of
from apps.core import clock
from apps.runs import again, queries, shapes, steering
from apps.runs.api import reason_of, shown


class PauseRunView(APIView):
    """Hold a run where it is."""

    @extend_schema(request=shapes.ReasonShape, responses={202: shapes.RunShape})
    def post(self, request: Request, run_id: UUID) -> Response:
        actor = actor_of(request)
        steering.pause_run(actor=actor, run_id=run_id, reason=reason_of(request), now=clock.now())
        return Response(shown([queries.get_run(actor, run_id)])[0], status=202)


class _SteerView(APIView):
    action: ClassVar[steering.Action]
    shape: ClassVar[type[shapes.SteerShape]] = shapes.SteerShape

    def post(self, request: Request) -> Response:
        shape = self.shape(data=request.data)
        shape.is_valid(raise_exception=True)
        sent = shape.validated_data
        selection = _selection(request, sent)
        actor = actor_of(request)
        if sent["preview"]:
            count = steering.concerned_runs(actor, self.action, selection).count()
        else:
            count = self.act(actor, selection, sent)
        return Response({"count": count})

    def act(self, actor: Actor, selection: steering.Selection, sent: Mapping[str, Any]) -> int:
        """Do it; returns how many runs it concerns."""
        return steering.steer_runs(
            actor=actor,
            action=self.action,
            selection=selection,
            reason=sent.get("reason", ""),
            now=clock.now(),
        )


def _selection(request: Request, sent: Mapping[str, Any]) -> steering.Selection:
    given = request.data["filter"] if isinstance(request.data, dict) and "filter" in sent else {}
    return steering.Selection(
        ids=tuple(sent.get("ids") or ()),
        flow=sent.get("flow"),
        # What a filter does not know is refused, and not left out.
        filter={name: str(value) for name, value in given.items()},
        everything=bool(sent.get("all")),
    )


class PauseRunsView(_SteerView):
    """Hold many runs where they are, or count them."""

    action = "pause"

    @extend_schema(
        operation_id="runs_pause_many", request=shapes.SteerShape, responses=shapes.ConcernedShape
    )
    def post(self, request: Request) -> Response:
        return super().post(request)


class ResumeRunsView(_SteerView):
    """Let many paused runs go on, or count them."""

    action = "resume"

    @extend_schema(
        operation_id="runs_resume_many", request=shapes.SteerShape, responses=shapes.ConcernedShape
    )
    def post(self, request: Request) -> Response:
        return super().post(request)


class CancelRunsView(_SteerView):
    """Withdraw many runs, or count them."""

    action = "cancel"

    @extend_schema(
        operation_id="runs_cancel_many", request=shapes.SteerShape, responses=shapes.ConcernedShape
    )
    def post(self, request: Request) -> Response:
        return super().post(request)


class ReplayRunsView(_SteerView):
    """Do many runs that are over again, or count them."""

    action = "replay"
    shape = shapes.ReplayManyShape

    @extend_schema(
        operation_id="runs_replay_many",
        request=shapes.ReplayManyShape,
        responses=shapes.ConcernedShape,
    )
    def post(self, request: Request) -> Response:
        return super().post(request)

    def act(self, actor: Actor, selection: steering.Selection, sent: Mapping[str, Any]) -> int:
        return again.replay_runs(
            actor=actor,
            selection=selection,
            version=sent["version"],
            reason=sent.get("reason", ""),
            now=clock.now(),
        )
