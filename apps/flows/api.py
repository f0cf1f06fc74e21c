"""The API about flows: draw, check, publish, and what there is to draw with."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from typing import Any, ClassVar
from uuid import UUID

from django.utils.translation import get_language
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api import sent
from apps.accounts.authentication import actor_of
from apps.accounts.models import User
from apps.accounts.permissions import has_right, require, rights_on_flows
from apps.core import clock
from apps.core.errors import Invalid
from apps.core.http import CursorPages, etag, if_match
from apps.core.idempotency import idempotent
from apps.core.sentences import findings_said, said_in, schema_said
from apps.flows import checks, commands, queries
from apps.flows import serializers as shapes
from apps.flows.candidates import Choice
from apps.flows.examples import examples
from apps.flows.models import Flow, FlowVersion
from apps.steps import registry
from apps.steps.format import document_schema

IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="The revision (ETag) that was read."
)
KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, description="Makes a repeat harmless."
)
PROBLEM = "application/problem+json"
#: What of the catalogue is JSON Schema, with words for forms in it.
SCHEMAS = ("config_schema", "output_schema")
DOCUMENT = OpenApiResponse(
    OpenApiTypes.OBJECT, description="The bare document; its revision is in ETag."
)


class VersionPages(CursorPages):
    """Versions, the newest first."""

    ordering = "-number"


def _answer(request: Request, flow: Flow, status: int = 200) -> Response:
    """A flow as its own page shows it."""
    rights = rights_on_flows(actor_of(request), [flow.pk])
    pause = queries.pause_of(flow)
    row = shapes.flow_row(flow, rights.get(flow.pk, frozenset()))
    if pause is not None:
        row["pause"] = asdict(pause)
    return etag(Response(row, status=status), flow.draft.revision)


class FlowsView(APIView):
    """The flows that the caller may view."""

    @extend_schema(
        operation_id="flows_list",
        parameters=[
            OpenApiParameter("search", str, description="Words in name, owner or webhook path."),
            OpenApiParameter(
                "state",
                str,
                enum=["active", "paused", "archived", "all"],
                description="Without it all but the archived ones.",
            ),
            OpenApiParameter("limit", int),
            OpenApiParameter("cursor", str),
        ],
        responses=shapes.FlowPage,
    )
    def get(self, request: Request) -> Response:
        actor = actor_of(request)
        wanted = request.query_params
        flows = queries.listed_flows(
            actor, search=wanted.get("search", ""), state=wanted.get("state", "")
        )
        pages = CursorPages()
        found = pages.paginate_queryset(flows, request, view=self) or []
        rights = rights_on_flows(actor, [flow.pk for flow in found])
        return pages.get_paginated_response(
            [shapes.flow_row(flow, rights.get(flow.pk, frozenset())) for flow in found]
        )

    @extend_schema(parameters=[KEY], request=shapes.FlowNew, responses={201: shapes.FlowShown})
    @idempotent
    def post(self, request: Request) -> Response:
        wanted = sent(shapes.FlowNew, request)
        flow = commands.create_flow(
            actor=actor_of(request),
            name=wanted["name"],
            example=wanted.get("example"),
            now=clock.now(),
        )
        return _answer(request, flow, 201)


class FlowView(APIView):
    """One flow."""

    @extend_schema(responses=shapes.FlowShown)
    def get(self, request: Request, flow_id: UUID) -> Response:
        return _answer(request, queries.get_flow(actor_of(request), flow_id))

    @extend_schema(request=shapes.FlowChange, responses=shapes.FlowShown)
    def patch(self, request: Request, flow_id: UUID) -> Response:
        actor, now = actor_of(request), clock.now()
        wanted = sent(shapes.FlowChange, request)
        if not wanted:
            raise Invalid("Nothing is to be changed; send a name or an owner.")
        if "name" in wanted:
            commands.rename_flow(actor=actor, flow_id=flow_id, name=wanted["name"], now=now)
        if "owner" in wanted:
            commands.give_flow(actor=actor, flow_id=flow_id, owner_id=wanted["owner"], now=now)
        return _answer(request, queries.get_flow(actor, flow_id))


class DraftView(APIView):
    """The bare document that people edit, with its revision in ETag."""

    @extend_schema(responses=DOCUMENT)
    def get(self, request: Request, flow_id: UUID) -> Response:
        draft = queries.get_draft(actor_of(request), flow_id)
        return etag(Response(draft.document), draft.revision)

    @extend_schema(
        parameters=[IF_MATCH],
        request=OpenApiTypes.OBJECT,
        responses={
            200: DOCUMENT,
            (409, PROBLEM): shapes.ProblemShown,
            (412, PROBLEM): shapes.Stale,
            (413, PROBLEM): shapes.ProblemShown,
            (422, PROBLEM): shapes.ProblemShown,
            (428, PROBLEM): shapes.ProblemShown,
        },
    )
    def put(self, request: Request, flow_id: UUID) -> Response:
        actor = actor_of(request)
        require(actor, "flow.edit", flow_id)
        draft = commands.save_draft(
            actor=actor,
            flow_id=flow_id,
            document=request.data,
            if_match=if_match(request),
            now=clock.now(),
        )
        return etag(Response(draft.document), draft.revision)


class CheckView(APIView):
    """What is wrong with the draft, or with a document that is sent."""

    @extend_schema(request=shapes.CheckAsked, responses=shapes.Findings)
    def post(self, request: Request, flow_id: UUID) -> Response:
        actor = actor_of(request)
        if not has_right(actor, "flow.publish", flow_id):
            require(actor, "flow.edit", flow_id)
        draft = queries.get_draft(actor, flow_id)
        given: Any = request.data
        is_sent = isinstance(given, dict) and "document" in given
        started = time.perf_counter()
        findings = checks.findings_of(draft.flow, given["document"] if is_sent else draft.document)
        took_ms = round((time.perf_counter() - started) * 1000, 1)
        rows = findings_said([finding.as_json() for finding in findings])
        return Response({"findings": rows, "checked_ms": took_ms})


class PublishView(APIView):
    """Make the draft a version, if no error stands against it."""

    @extend_schema(
        parameters=[KEY, IF_MATCH],
        request=shapes.Publication,
        responses={
            201: shapes.PublishedVersion,
            (409, PROBLEM): shapes.ProblemShown,
            (412, PROBLEM): shapes.Stale,
            (422, PROBLEM): shapes.Unpublishable,
        },
    )
    @idempotent
    def post(self, request: Request, flow_id: UUID) -> Response:
        actor = actor_of(request)
        require(actor, "flow.publish", flow_id)
        wanted = sent(shapes.Publication, request)
        before = queries.get_flow(actor, flow_id).active_version
        # What is chosen is chosen from what was seen: then the revision has to be said.
        is_part = "changes" in wanted
        version = commands.publish_flow(
            actor=actor,
            flow_id=flow_id,
            note=wanted["note"],
            if_match=if_match(request) if is_part or "If-Match" in request.headers else None,
            choice=Choice(wanted.get("base"), frozenset(wanted["changes"])) if is_part else None,
            now=clock.now(),
        )
        people = queries.people_named(actor, version.authors)
        row = shapes.version_row(version, version.pk, people)
        unchanged = before is not None and before.hash == version.hash
        return Response({**row, "unchanged": unchanged}, status=201)


class VersionsView(APIView):
    """A flow's versions."""

    @extend_schema(
        operation_id="flows_versions_list",
        parameters=[OpenApiParameter("limit", int), OpenApiParameter("cursor", str)],
        responses=shapes.VersionPage,
    )
    def get(self, request: Request, flow_id: UUID) -> Response:
        versions = queries.versions_of(actor_of(request), flow_id)
        pages = VersionPages()
        found = pages.paginate_queryset(versions, request, view=self) or []
        people = queries.people_named(
            actor_of(request), {one for version in found for one in version.authors}
        )
        return pages.get_paginated_response([_version(one, people) for one in found])


class VersionView(APIView):
    """One version with its document."""

    @extend_schema(responses=shapes.VersionWhole)
    def get(self, request: Request, flow_id: UUID, number: int) -> Response:
        version = queries.get_version(actor_of(request), flow_id, number)
        people = queries.people_named(actor_of(request), version.authors)
        return Response({**_version(version, people), "document": version.document})


class ActivateView(APIView):
    """Give new runs another version."""

    @extend_schema(
        request=shapes.Reason,
        responses={
            200: shapes.VersionShown,
            (409, PROBLEM): shapes.ProblemShown,
            (422, PROBLEM): shapes.Unpublishable,
        },
    )
    def post(self, request: Request, flow_id: UUID, number: int) -> Response:
        version = commands.activate_version(
            actor=actor_of(request),
            flow_id=flow_id,
            number=number,
            reason=sent(shapes.Reason, request)["reason"],
            now=clock.now(),
        )
        return Response(shapes.version_row(version, version.pk))


class _MoveView(APIView):
    """A change of a flow's state."""

    move: ClassVar[Any]

    @extend_schema(request=shapes.Reason, responses=shapes.FlowShown)
    def post(self, request: Request, flow_id: UUID) -> Response:
        actor = actor_of(request)
        type(self).move(
            actor=actor,
            flow_id=flow_id,
            reason=sent(shapes.Reason, request)["reason"],
            now=clock.now(),
        )
        return _answer(request, queries.get_flow(actor, flow_id))


class PauseView(_MoveView):
    """Hold signals until the flow is resumed."""

    move = staticmethod(commands.pause_flow)


class ResumeView(_MoveView):
    """Start runs again, first for the signals that were held."""

    move = staticmethod(commands.resume_flow)


class ArchiveView(_MoveView):
    """Put the flow away for good."""

    move = staticmethod(commands.archive_flow)


class DuplicateView(APIView):
    """Begin another flow with this one's draft."""

    @extend_schema(parameters=[KEY], request=shapes.FlowCopy, responses={201: shapes.FlowShown})
    @idempotent
    def post(self, request: Request, flow_id: UUID) -> Response:
        flow = commands.duplicate_flow(
            actor=actor_of(request),
            flow_id=flow_id,
            name=sent(shapes.FlowCopy, request).get("name"),
            now=clock.now(),
        )
        return _answer(request, flow, 201)


class ExamplesView(APIView):
    """Flows to start from."""

    @extend_schema(operation_id="flow_examples_list", responses=shapes.ExamplePage)
    def get(self, _request: Request) -> Response:
        results = [shapes.example_row(one) for one in examples(get_language() or "").values()]
        return Response({"results": results, "next": None, "previous": None})


class SchemaView(APIView):
    """The JSON Schema of a flow document, made from the catalogue."""

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, _request: Request) -> Response:
        return Response(_document_schema())


class StepTypesView(APIView):
    """The catalogue from which the editor draws palette, steps, forms and help."""

    @extend_schema(responses=shapes.Catalogue)
    def get(self, _request: Request) -> Response:
        return Response(_catalogue(get_language() or ""))


def _version(version: FlowVersion, people: Mapping[str, User]) -> shapes.Row:
    # ``active_id`` is an annotation of ``queries.versions_of``.
    return shapes.version_row(version, getattr(version, "active_id", None), people)


@cache
def _document_schema() -> dict[str, Any]:
    return document_schema()


@cache
def _catalogue(_language: str) -> dict[str, Any]:
    """In the language of this request, by which it is kept."""
    return {
        "results": [_type_said(one.as_json()) for one in registry.catalogue()],
        "triggers": [_type_said(one.as_json()) for one in registry.triggers()],
    }


def _type_said(row: Mapping[str, Any]) -> dict[str, Any]:
    # The category is a key, by which steps are grouped and tinted.
    shown = said_in(row, "title", "help")
    schemas = {name: schema_said(row[name]) for name in SCHEMAS if row.get(name)}
    return {**shown, **schemas}
