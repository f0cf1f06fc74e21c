"""The API that shows a run as it was, and does it again."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.authentication import actor_of
from apps.core import clock
from apps.core.idempotency import idempotent
from apps.runs import history, queries, replaying, shapes
from apps.runs.api import shown


class RunAtView(APIView):
    """A run as it was after a row of its journal."""

    @extend_schema(responses=shapes.RunAt)
    def get(self, request: Request, run_id: UUID, seq: int) -> Response:
        return Response(history.run_at(queries.get_run(actor_of(request), run_id), seq))


class ReplayRunView(APIView):
    """Do a run again, from its start or from a step."""

    @extend_schema(request=shapes.ReplayShape, responses={201: shapes.RunShape})
    @idempotent
    def post(self, request: Request, run_id: UUID) -> Response:
        shape = shapes.ReplayShape(data=request.data)
        shape.is_valid(raise_exception=True)
        sent = shape.validated_data
        run = replaying.replay_run(
            actor=actor_of(request),
            run_id=run_id,
            from_step=sent.get("from_step", ""),
            version=sent["version"],
            mode=sent["mode"],
            now=clock.now(),
        )
        return Response(shown([run])[0], status=201)
