"""The API about the form of a task: what is asked, what was filled in, and the caller's draft."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.actors import Actor
from apps.accounts.authentication import actor_of
from apps.core import clock
from apps.inbox import drafts, filling
from apps.inbox.models import UserTask


@extend_schema_field(OpenApiTypes.OBJECT)
class Named(serializers.JSONField):
    """An object of named values."""


class FilledIn(serializers.Serializer[Any]):
    """One answer, as it was sent."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment] # the word for it everywhere
    kind = serializers.CharField()
    value = serializers.JSONField()


class TaskDraftShape(serializers.Serializer[Any]):
    """What the caller has filled in and not answered with."""

    answers = Named()
    updated_at = serializers.DateTimeField()


class TaskFormShape(serializers.Serializer[Any]):
    """What is to be filled in with an answer."""

    form = Named(help_text="A JSON Schema.")
    form_hash = serializers.CharField(help_text="Names this form; sent along with the answers.")
    needed_for = serializers.ListField(
        child=serializers.CharField(), help_text="The answers that need it; others take nothing."
    )
    initial = Named(help_text="What is filled in beforehand; it can be changed.")
    draft = TaskDraftShape(allow_null=True)


class SaveTaskDraft(serializers.Serializer[Any]):
    """What is filled in so far."""

    form_hash = serializers.CharField(max_length=64)
    answers = Named()


class TaskDraftView(APIView):
    """The caller's draft of a task's form: saved as it is filled in, thrown away."""

    @extend_schema(request=SaveTaskDraft, responses=TaskDraftShape)
    def put(self, request: Request, task_id: UUID) -> Response:
        shape = SaveTaskDraft(data=request.data)
        shape.is_valid(raise_exception=True)
        kept = drafts.save_draft(
            actor=actor_of(request),
            task_id=task_id,
            form_hash=shape.validated_data["form_hash"],
            answers=shape.validated_data["answers"],
            now=clock.now(),
        )
        return Response(_draft(kept))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, task_id: UUID) -> Response:
        drafts.discard_draft(actor=actor_of(request), task_id=task_id)
        return Response(status=204)


def shown(actor: Actor, task: UserTask) -> dict[str, Any] | None:
    """The form of a task for who may answer it; None where it takes none."""
    form = filling.form_of(task)
    if form is None:
        return None
    return {
        "form": form.schema,
        "form_hash": form.hash,
        "needed_for": list(form.needed_for),
        "initial": form.initial,
        "draft": _draft(drafts.draft_of(actor, task)),
    }


def filled(task: UserTask, answers: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """What was filled in with an answer to a task."""
    return [
        {"name": one.name, "label": one.label, "kind": one.kind, "value": one.value}
        for one in filling.filled_in(task, answers)
    ]


def _draft(kept: drafts.Kept | None) -> dict[str, Any] | None:
    return {"answers": kept.answers, "updated_at": kept.updated_at} if kept else None
