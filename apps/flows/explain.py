"""A flow in plain words: for the editor, and as a page to be printed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.actors import Actor
from apps.accounts.authentication import actor_of
from apps.accounts.callers import ip_of
from apps.accounts.commands import note_refusal
from apps.core import clock
from apps.core.errors import Invalid, ProductError
from apps.flows import queries
from apps.flows.models import Flow
from apps.steps.comparison.words import LANGUAGES, Language
from apps.steps.explain.picture import drawn
from apps.steps.explain.tell import Explanation, explain
from apps.steps.explain.words import PARTS, part

VERSION = OpenApiParameter("version", int, description="The version; without it the draft.")
LANGUAGE = OpenApiParameter(
    "language", str, enum=list(LANGUAGES), description="Without it the reader's own."
)


class ToldStep(serializers.Serializer[Any]):
    """One step: what it does, and what follows."""

    id = serializers.CharField()
    number = serializers.IntegerField()
    title = serializers.CharField()
    kind = serializers.CharField(help_text="The type of step in words.")
    depth = serializers.IntegerField(help_text="How many containers it stands in.")
    does = serializers.CharField()
    then = serializers.ListField(child=serializers.CharField())


class DecidingShown(serializers.Serializer[Any]):
    """Who decides at a step."""

    step = serializers.CharField()
    title = serializers.CharField()
    who = serializers.CharField()
    how = serializers.ListField(child=serializers.CharField())


class LeavingShown(serializers.Serializer[Any]):
    """What goes out by a step."""

    step = serializers.CharField()
    title = serializers.CharField()
    how = serializers.CharField()
    to = serializers.CharField()
    fields = serializers.ListField(  # type: ignore[assignment]  # the word of the API
        child=serializers.CharField(), help_text="Paths of the run's data."
    )
    secrets = serializers.ListField(child=serializers.CharField())


class ExplanationShown(serializers.Serializer[Any]):
    """A flow in plain words, the same for the same hash and language."""

    hash = serializers.CharField()
    language = serializers.ChoiceField(choices=list(LANGUAGES))
    name = serializers.CharField(allow_blank=True)
    summary = serializers.ListField(child=serializers.CharField())
    steps = ToldStep(many=True)
    deciding = DecidingShown(many=True)
    leaving = LeavingShown(many=True)


class ExplainView(APIView):
    """The flow in plain words, made from its document by rules."""

    @extend_schema(
        operation_id="flow_explain", parameters=[VERSION, LANGUAGE], responses=ExplanationShown
    )
    def get(self, request: Request, flow_id: UUID) -> Response:
        _, document, _ = _wanted(actor_of(request), flow_id, request.query_params.get("version"))
        language = _language(request.query_params.get("language"), request._request)  # noqa: SLF001
        return Response(explain(document, language).as_json())


@never_cache
@require_safe
@login_required
def print_page(request: HttpRequest, flow_id: UUID) -> HttpResponse:
    """The same on paper: picture, steps, who decides, and what leaves."""
    actor = actor_of(request)
    try:
        flow, document, number = _wanted(actor, flow_id, request.GET.get("version"))
        language = _language(request.GET.get("language"), request)
    except ProductError as refused:
        if refused.status in {403, 404}:
            note_refusal(
                actor=actor,
                route="flows/<uuid:flow_id>/print/",
                status=refused.status,
                ip=ip_of(request),
                now=clock.now(),
            )
        return render(
            request,
            "flows/refused.html",
            {"message": refused.message, "back": part("back", _language(None, request))},
            status=refused.status,
        )
    told = explain(document, language)
    return render(request, "flows/print.html", _page(flow, document, number, told))


def _page(
    flow: Flow, document: Mapping[str, Any], number: int | None, told: Explanation
) -> dict[str, Any]:
    words = {name: part(name, told.language) for name in PARTS if name != "version"}
    state = words["draft"]
    if number is not None:
        state = part("version", told.language, number=number)
    picture = drawn(document, told, words["start"])
    return {
        "flow": flow,
        "told": told,
        "words": words,
        "state": state,
        # Every text in it is escaped where it is drawn; see ``steps.explain.picture``.
        "picture": mark_safe(picture),  # noqa: S308
    }


def _wanted(
    actor: Actor, flow_id: UUID, version: str | None
) -> tuple[Flow, Mapping[str, Any], int | None]:
    """The flow, and the document of the draft or of a version."""
    if not version:
        draft = queries.get_draft(actor, flow_id)
        return draft.flow, draft.document, None
    if not version.isascii() or not version.isdigit() or len(version) > 9:
        raise Invalid("A version is named by its number.")
    found = queries.get_version(actor, flow_id, int(version))
    return queries.get_flow(actor, flow_id), found.document, found.number


def _language(wanted: str | None, request: HttpRequest) -> Language:
    if wanted and wanted not in LANGUAGES:
        raise Invalid(f"A flow is explained in one of {', '.join(LANGUAGES)}.")
    asked = wanted or str(getattr(request, "LANGUAGE_CODE", "en")).partition("-")[0]
    return "de" if asked == "de" else "en"
