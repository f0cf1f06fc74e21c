"""The API about what a draft was, what differs between two states of a flow, and going back."""

from __future__ import annotations

from typing import get_args
from uuid import UUID

from django.utils import translation
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api import sent
from apps.accounts.authentication import actor_of
from apps.accounts.permissions import require
from apps.core import clock
from apps.core.errors import Invalid
from apps.core.http import CursorPages, etag, if_match
from apps.flows import commands, comparing, queries
from apps.flows import serializers as shapes
from apps.flows.api import DOCUMENT, IF_MATCH, PROBLEM
from apps.steps.comparison.words import Language


class RevisionPages(CursorPages):
    """Revisions, the newest first."""

    ordering = "-number"


class RevisionsView(APIView):
    """What the draft was after each save that is still kept."""

    @extend_schema(
        operation_id="flows_revisions_list",
        parameters=[OpenApiParameter("limit", int), OpenApiParameter("cursor", str)],
        responses=shapes.RevisionPage,
    )
    def get(self, request: Request, flow_id: UUID) -> Response:
        found = queries.revisions_of(actor_of(request), flow_id)
        pages = RevisionPages()
        page = pages.paginate_queryset(found, request, view=self) or []
        return pages.get_paginated_response([shapes.revision_row(one) for one in page])


class RevisionView(APIView):
    """One revision with its document."""

    @extend_schema(responses=shapes.RevisionWhole)
    def get(self, request: Request, flow_id: UUID, number: int) -> Response:
        found = queries.get_revision(actor_of(request), flow_id, number)
        return Response({**shapes.revision_row(found), "document": found.content.document})


class RestoreView(APIView):
    """Make the draft what a version or an earlier revision says."""

    @extend_schema(
        parameters=[IF_MATCH],
        request=shapes.Restoration,
        responses={
            200: DOCUMENT,
            (412, PROBLEM): shapes.Stale,
            (422, PROBLEM): shapes.ProblemShown,
            (428, PROBLEM): shapes.ProblemShown,
        },
    )
    def post(self, request: Request, flow_id: UUID) -> Response:
        actor = actor_of(request)
        require(actor, "flow.edit", flow_id)
        wanted = sent(shapes.Restoration, request)
        draft = commands.restore_draft(
            actor=actor,
            flow_id=flow_id,
            version=wanted.get("version"),
            revision=wanted.get("revision"),
            if_match=if_match(request),
            now=clock.now(),
        )
        return etag(Response(draft.document), draft.revision)


class CompareView(APIView):
    """What differs between two states of a flow, in words, with notes on risk."""

    @extend_schema(
        operation_id="flows_compare",
        parameters=[
            OpenApiParameter(
                "from",
                str,
                description="`7` (a version), `r12` (a revision), `active`, `draft` or `empty`.",
            ),
            OpenApiParameter("to", str, description="The same; without it the draft."),
            OpenApiParameter(
                "language", str, enum=["en", "de"], description="Without it the caller's own."
            ),
        ],
        responses=shapes.Comparison,
    )
    def get(self, request: Request, flow_id: UUID) -> Response:
        actor = actor_of(request)
        draft = queries.get_draft(actor, flow_id)
        before = comparing.side(actor, flow_id, request.query_params.get("from") or "active")
        after = comparing.side(actor, flow_id, request.query_params.get("to") or "draft")
        found = comparing.compare(actor, before, after, _language(request), draft)
        answer = Response(shapes.comparison_row(found))
        return etag(answer, draft.revision)


def _language(request: Request) -> Language:
    wanted = request.query_params.get("language")
    for one in get_args(Language):
        if one == (wanted or (translation.get_language() or "en")[:2]):
            language: Language = one
            return language
    if wanted:
        raise Invalid(f"“{wanted[:20]}” is not a language of Signalbox; choose en or de.")
    return "en"
