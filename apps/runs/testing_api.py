"""The API about samples and tests of drafts."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api import sent
from apps.accounts.authentication import actor_of
from apps.core import clock
from apps.core.errors import Invalid
from apps.core.http import PROBLEM
from apps.core.idempotency import idempotent
from apps.flows.queries import get_draft
from apps.runs import queries, samples, testing
from apps.runs import testing_shapes as shapes
from apps.runs.api import shown
from apps.runs.shapes import RunShape


class SamplesView(APIView):
    """What a flow can be tried with."""

    @extend_schema(operation_id="flow_samples", responses=shapes.SamplesShape)
    def get(self, request: Request, flow_id: UUID) -> Response:
        actor = actor_of(request)
        found = samples.samples_of(actor, flow_id)
        rows = [_row(one, size) for one, size in zip(found, samples.sizes(found), strict=True)]
        may_see = samples.may_see(actor, flow_id)
        return Response({"results": rows, "next": None, "previous": None, "may_see": may_see})

    @extend_schema(
        operation_id="flow_samples_keep",
        request=shapes.SampleNew,
        responses={201: shapes.SampleShape},
    )
    @idempotent
    def post(self, request: Request, flow_id: UUID) -> Response:
        actor, given, now = actor_of(request), sent(shapes.SampleNew, request), clock.now()
        if ("text" in given) == ("run" in given):
            raise Invalid("Send either a text or a run.")
        if "text" in given:
            made = samples.paste_sample(
                actor=actor, flow_id=flow_id, text=given["text"], name=given["name"], now=now
            )
        else:
            made = samples.keep_run(
                actor=actor, flow_id=flow_id, run_id=given["run"], name=given["name"], now=now
            )
        found = samples.get_sample(actor, flow_id, made.pk)
        return Response(_row(found, samples.sizes([found])[0]), status=201)


class SampleView(APIView):
    """One sample."""

    @extend_schema(operation_id="flow_sample", responses=shapes.SampleWhole)
    def get(self, request: Request, flow_id: UUID, sample_id: UUID) -> Response:
        actor = actor_of(request)
        found = samples.get_sample(actor, flow_id, sample_id)
        draft = get_draft(actor, flow_id)
        known = testing.known_values(actor, draft, found, clock.now())
        may_see = samples.may_see(actor, flow_id)
        if not may_see:
            known = {**known, "trigger": samples.hidden(found.trigger)}
            known["steps"] = samples.hidden(known["steps"])
        return Response(
            {
                **_row(found, samples.sizes([found])[0]),
                "trigger": known["trigger"],
                "steps": known["steps"],
                "may_see": may_see,
            }
        )

    @extend_schema(operation_id="flow_sample_delete", responses={204: None})
    def delete(self, request: Request, flow_id: UUID, sample_id: UUID) -> Response:
        samples.forget_sample(
            actor=actor_of(request), flow_id=flow_id, sample_id=sample_id, now=clock.now()
        )
        return Response(status=204)


class TestPlanView(APIView):
    """What a test of the draft would do. Changes nothing."""

    @extend_schema(
        operation_id="flow_test_plan",
        request=shapes.TestAsked,
        responses={200: shapes.PlanShape, (422, PROBLEM): shapes.PlanProblem},
    )
    def post(self, request: Request, flow_id: UUID) -> Response:
        actor = actor_of(request)
        asked = _asked(sent(shapes.TestAsked, request))
        plan = testing.plan_test(actor=actor, flow_id=flow_id, asked=asked, now=clock.now())
        return Response(plan.as_json(may_see=samples.may_see(actor, flow_id)))


class TestRunsView(APIView):
    """Try the draft out."""

    @extend_schema(
        operation_id="flow_test_start",
        request=shapes.TestStart,
        responses={
            201: RunShape,
            (409, PROBLEM): shapes.PlanProblem,
            (422, PROBLEM): shapes.PlanProblem,
        },
    )
    @idempotent
    def post(self, request: Request, flow_id: UUID) -> Response:
        actor, given = actor_of(request), sent(shapes.TestStart, request)
        run = testing.start_test(
            actor=actor,
            flow_id=flow_id,
            asked=_asked(given),
            announced=given["announced"],
            now=clock.now(),
        )
        return Response(shown([run])[0], status=201)


class RunTestView(APIView):
    """What a test run did."""

    @extend_schema(operation_id="run_test_report", responses=shapes.ReportShape)
    def get(self, request: Request, tested_id: UUID) -> Response:
        actor = actor_of(request)
        run = queries.get_run(actor, tested_id)
        return Response(testing.report_of(run, may_see=samples.may_see(actor, run.flow_id)))


def _asked(given: dict[str, Any]) -> testing.Asked:
    answers = given.get("answers") or {}
    if not isinstance(answers, dict):
        raise Invalid("Answers are an object with an answer for each step.")
    return testing.Asked(
        kind=given["kind"],
        step=given["step"],
        sample=given.get("sample"),
        answers=answers,
        live=tuple(given.get("live") or ()),
    )


def _row(found: samples.Found, size: int) -> dict[str, Any]:
    return {
        "id": found.id,
        "source": found.source,
        "type": found.type,
        "name": found.name,
        "run": found.run_id,
        "made_by": found.made_by,
        "at": found.at,
        "size": size,
    }
