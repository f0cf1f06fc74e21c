"""The API about runs: lists, one run, its journal, starting, cancelling, trying expressions."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.authentication import actor_of
from apps.accounts.schema import PAGE, paged
from apps.core import clock
from apps.core.errors import Invalid
from apps.core.http import CursorPages
from apps.core.idempotency import idempotent
from apps.core.sentences import error_said
from apps.engine import feel
from apps.flows.queries import get_draft
from apps.runs import commands, pressure, queries, samples, shapes, testing
from apps.runs.models import Run


class RunsView(APIView):
    """Runs, newest first."""

    @extend_schema(
        operation_id="runs_list",
        parameters=[
            OpenApiParameter("flow", OpenApiTypes.UUID, description="Runs of this flow only."),
            OpenApiParameter("status", str, description="One status, or several by commas."),
            OpenApiParameter("from", OpenApiTypes.DATETIME, description="Created at or after."),
            OpenApiParameter("to", OpenApiTypes.DATETIME, description="Created before."),
            OpenApiParameter("parent", OpenApiTypes.UUID, description="Started by this run only."),
            OpenApiParameter("stuck", bool, description="Runs that make no progress for too long."),
            OpenApiParameter("tests", bool, description="Tests of drafts, left out otherwise."),
            *PAGE,
        ],
        responses=paged(shapes.RunShape),
    )
    def get(self, request: Request) -> Response:
        pages = CursorPages()
        found = pages.paginate_queryset(_filtered(request), request, view=self) or []
        return pages.get_paginated_response(shown(found))


class LatestRunsView(APIView):
    """The newest run of each of several flows."""

    @extend_schema(
        parameters=[OpenApiParameter("flows", str, required=True, description="Ids by commas.")],
        responses={(200, "application/json"): shapes.LATEST},
    )
    def get(self, request: Request) -> Response:
        ids = [
            queries.as_id(one)
            for one in request.query_params.get("flows", "").split(",")[:200]
            if one
        ]
        latest = queries.latest_runs(actor_of(request), ids)
        return Response(
            {
                str(flow_id): {"id": run.pk, "status": run.status, "started_at": run.created_at}
                for flow_id, run in latest.items()
            }
        )


class FlowRunsView(APIView):
    """Start a run of a flow."""

    @extend_schema(request=shapes.StartShape, responses={201: shapes.RunShape})
    @idempotent
    def post(self, request: Request, flow_id: UUID) -> Response:
        body = request.data if isinstance(request.data, dict) else {}
        if body.get("priority") != "bulk":
            pressure.at_the_api.refuse()
        run = commands.start_run(
            actor=actor_of(request),
            flow_id=flow_id,
            input=body.get("input", {}),
            priority=str(body.get("priority") or ""),
            now=clock.now(),
        )
        return Response(shown([run])[0], status=201)


class RunView(APIView):
    """One run, step by step, with what it waits for."""

    @extend_schema(responses=shapes.RunDetail)
    def get(self, request: Request, run_id: UUID) -> Response:
        run = queries.get_run(actor_of(request), run_id)
        rows = queries.journal(run)
        started = next((row for row in rows if row.type == "run.started"), None)
        return Response(
            {
                **shown([run])[0],
                "waiting_for": queries.waiting_for(run),
                "parent": run.parent_id,
                "children": queries.children_of(run),
                "steps": queries.steps_of(run, rows),
                "links": queries.links_taken(run, rows),
                "replay": queries.replay_of(run, rows),
                "trigger_data": started.data["trigger"] if started else None,
            }
        )


class JournalPages(CursorPages):
    """A journal is read from its beginning, and nearly always whole."""

    ordering = "seq"
    page_size = 1000
    max_page_size = 1000


class JournalView(APIView):
    """A run's journal."""

    @extend_schema(operation_id="runs_journal_list", responses=paged(shapes.JournalRow))
    def get(self, request: Request, run_id: UUID) -> Response:
        run = queries.get_run(actor_of(request), run_id)
        pages = JournalPages()
        found = pages.paginate_queryset(queries.journal_rows(run), request, view=self) or []
        shown = [
            {"seq": row.seq, "type": row.type, "step": row.step, "at": row.at, "data": row.data}
            for row in queries.with_large_values(run, found)
        ]
        return pages.get_paginated_response(shown)


class CancelRunView(APIView):
    """Withdraw a run."""

    @extend_schema(request=shapes.ReasonShape, responses={202: shapes.RunShape})
    def post(self, request: Request, run_id: UUID) -> Response:
        actor = actor_of(request)
        commands.cancel_run(actor=actor, run_id=run_id, reason=reason_of(request), now=clock.now())
        return Response(shown([queries.get_run(actor, run_id)])[0], status=202)


class ResumeRunView(APIView):
    """Let a paused run go on."""

    @extend_schema(request=None, responses={202: shapes.RunShape})
    def post(self, request: Request, run_id: UUID) -> Response:
        actor = actor_of(request)
        commands.resume_run(actor=actor, run_id=run_id, now=clock.now())
        return Response(shown([queries.get_run(actor, run_id)])[0], status=202)


class BadExpression(Invalid):
    """The expression is not FEEL, or fails with this data."""

    code = "bad_expression"


class EvaluateView(APIView):
    """What an expression gives: the editor's preview. Changes nothing."""

    @extend_schema(request=shapes.EvaluateShape, responses=shapes.EvaluatedShape)
    def post(self, request: Request) -> Response:
        shape = shapes.EvaluateShape(data=request.data)
        shape.is_valid(raise_exception=True)
        sent = shape.validated_data
        context, is_hidden = _context(request, sent)
        source = sent["expression"].removeprefix("=")
        try:
            compiled = feel.compile_expression(
                source, names=feel.odd_names(sent.get("context") or {})
            )
            value = compiled.evaluate(context, now=clock.now(), zone="UTC")
            shown = feel.to_json(value)
        except feel.FeelError as wrong:
            start, end = wrong.position
            raise BadExpression(
                _SAID_OF_HIDDEN if is_hidden else wrong.message,
                reason=wrong.code,
                position={"start": start, "end": end},
                suggestion=None if is_hidden else wrong.suggestion,
            ) from None
        if is_hidden:
            return Response(
                {"value": samples.hidden(shown), "type": feel.type_name(value), "hidden": True}
            )
        return Response({"value": shown, "type": feel.type_name(value)})


def _context(request: Request, sent: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """What the expression reads, and whether what it gives is kept from the caller."""
    if "sample" not in sent:
        return _context_of_run(request, sent), False
    if "flow" not in sent:
        raise Invalid("Name the flow of the sample as well.")
    actor = actor_of(request)
    draft = get_draft(actor, sent["flow"])
    sample = samples.get_sample(actor, sent["flow"], sent["sample"])
    known = testing.known_values(actor, draft, sample, clock.now())
    return known, not samples.may_see(actor, draft.flow_id)


def _context_of_run(request: Request, sent: dict[str, Any]) -> dict[str, Any]:
    if "run" not in sent:
        context = sent.get("context") or {}
        if not isinstance(context, dict):
            raise Invalid('The context must be an object such as {"trigger": …, "steps": …}.')
        return context
    run = queries.get_run(actor_of(request), sent["run"])
    rows = queries.journal(run)
    started = next((row for row in rows if row.type == "run.started"), None)
    steps = {
        step: {name: found[name] for name in ("output", "error") if found[name] is not None}
        for step, found in queries.steps_of(run, rows).items()
    }
    return {
        "trigger": started.data["trigger"] if started else {},
        "steps": steps,
        "run": {"id": str(run.pk), "started_at": run.created_at.isoformat()},
    }


#: A fault's own words may hold what was read.
_SAID_OF_HIDDEN = "The expression fails with this sample."
_FILTERS = ("flow", "status", "from", "to", "stuck", "parent", "tests")


def _filtered(request: Request) -> QuerySet[Run]:
    asked = {name: request.query_params.get(name, "") for name in _FILTERS}
    return queries.filtered(queries.visible_runs(actor_of(request)), asked)


def shown(runs: list[Run]) -> list[dict[str, Any]]:
    """Runs as a list gives them."""
    names, numbers = queries.flow_names(runs), queries.version_numbers(runs)
    stuck = queries.stuck_causes(runs)
    return [
        {
            "id": run.pk,
            "flow": {"id": run.flow_id, "name": names.get(run.flow_id, "")},
            "version": numbers.get(run.version_id),
            "status": run.status,
            "error": error_said(run.error),
            "trigger": {"type": run.trigger_type},
            "started_by": run.started_by,
            "created_at": run.created_at,
            "started_at": run.started_at,
            "finished_at": run.finished_at,
            "duration_ms": _milliseconds(run),
            "replay_of": run.replay_of,
            "stuck": stuck.get(run.pk),
        }
        for run in runs
    ]


def _milliseconds(run: Run) -> int | None:
    if run.finished_at is None:
        return None
    return round((run.finished_at - run.created_at).total_seconds() * 1000)


def reason_of(request: Request) -> str:
    """The reason that a body gives; empty where none is."""
    shape = shapes.ReasonShape(data=request.data)
    shape.is_valid(raise_exception=True)
    reason: str = shape.validated_data.get("reason", "")
    return reason
