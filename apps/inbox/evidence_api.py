"""The API about evidence: what people were asked in a run, and a decision as one signed file."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.authentication import actor_of
from apps.accounts.permissions import has_right
from apps.accounts.schema import PAGE, paged
from apps.core import clock
from apps.core.http import CursorPages
from apps.engine.lifecycle import TaskStatus
from apps.inbox import evidence, queries, stages, stale, words
from apps.inbox.models import UserTask


class AskedShape(serializers.Serializer[Any]):
    """What people were asked in a run, and what came of it."""

    id = serializers.UUIDField()
    step = serializers.CharField()
    status = serializers.ChoiceField(choices=[one.value for one in TaskStatus])
    title = serializers.CharField()
    stage_name = serializers.CharField(allow_blank=True)
    outcome_word = serializers.CharField(allow_blank=True)
    pending_word = serializers.CharField(
        allow_blank=True, help_text="As what it is decided while that can be taken back."
    )
    decided_by = serializers.CharField(allow_blank=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    is_stale = serializers.BooleanField(
        help_text="Whether somebody had answered before the facts changed, or it began anew."
    )
    has_evidence = serializers.BooleanField(help_text="Whether the caller may read its evidence.")


class OldestFirst(CursorPages):
    """As they were asked."""

    ordering = "id"


class RunTasksView(APIView):
    """What people were asked in a run, the first first."""

    @extend_schema(operation_id="runs_tasks_list", parameters=PAGE, responses=paged(AskedShape))
    def get(self, request: Request, run_id: UUID) -> Response:
        actor = actor_of(request)
        pages = OldestFirst()
        rows = evidence.tasks_of_run(actor, run_id)
        found = pages.paginate_queryset(rows, request, view=self) or []
        deciders, reads = queries.deciders(found), has_right(actor, "audit.view")
        behind = stale.stale_among(found)
        return pages.get_paginated_response(
            [
                _asked(one, deciders.get(one.pk, ""), is_stale=one.pk in behind, reads=reads)
                for one in found
            ]
        )


class EvidenceFileView(APIView):
    """The evidence of one decision: a page with its proof, signed, that verifies offline."""

    @extend_schema(responses={(200, "text/html"): OpenApiTypes.BINARY})
    def get(self, request: Request, task_id: UUID, decision_id: UUID) -> HttpResponse:
        name, content = evidence.signed_file(
            actor=actor_of(request), task_id=task_id, decision_id=decision_id, now=clock.now()
        )
        response = HttpResponse(content, content_type="text/html; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        response["Cache-Control"] = "no-store"
        return response


def _asked(task: UserTask, decided_by: str, *, is_stale: bool, reads: bool) -> dict[str, Any]:
    return {
        "id": task.pk,
        "step": task.step,
        "status": task.status,
        "title": task.title,
        "stage_name": stages.name_of(task),
        "outcome_word": words.outcome_word(task.rule, task.outcome) if task.outcome else "",
        "pending_word": words.outcome_word(task.rule, task.pending) if task.pending else "",
        "decided_by": decided_by,
        "ended_at": task.closed_at,
        "is_stale": is_stale,
        "has_evidence": reads,
    }
