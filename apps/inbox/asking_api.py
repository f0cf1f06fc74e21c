"""The API about questions: ask for more, answer, do without."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.actors import Actor
from apps.accounts.api import sent
from apps.accounts.authentication import actor_of
from apps.accounts.schema import PAGE, paged
from apps.core import clock
from apps.core.http import CursorPages
from apps.core.idempotency import idempotent
from apps.inbox import asking, queries, thread
from apps.inbox.api import QuestionShape
from apps.inbox.models import Question


class QuestionItem(QuestionShape):
    """One in the list of those that wait for the caller, with what it is about."""

    task = serializers.UUIDField()
    title = serializers.CharField()
    flow = serializers.CharField()


class AskShape(serializers.Serializer[Any]):
    """What, and whom."""

    text = serializers.CharField(max_length=5000)
    of = serializers.CharField(
        max_length=254,
        allow_blank=True,
        default="",
        help_text="A mail address; empty for whoever asked for the matter.",
    )


class AnswerTextShape(serializers.Serializer[Any]):
    """What one answers."""

    text = serializers.CharField(max_length=5000)


class QuestionsView(APIView):
    """What waits for the caller's answer."""

    @extend_schema(operation_id="questions_list", parameters=PAGE, responses=paged(QuestionItem))
    def get(self, request: Request) -> Response:
        actor, pages = actor_of(request), CursorPages()
        found = pages.paginate_queryset(asking.questions_for(actor), request, view=self) or []
        return pages.get_paginated_response([item(actor, one) for one in found])


class QuestionView(APIView):
    """One question, for who asked and who was asked."""

    @extend_schema(operation_id="questions_one", responses=QuestionItem)
    def get(self, request: Request, question_id: UUID) -> Response:
        actor = actor_of(request)
        return Response(item(actor, asking.get_question(actor, question_id)))


class AskView(APIView):
    """Ask for more before deciding; the time to decide stands still meanwhile."""

    @extend_schema(request=AskShape, responses={201: QuestionItem})
    @idempotent
    def post(self, request: Request, task_id: UUID) -> Response:
        actor, wanted = actor_of(request), sent(AskShape, request)
        question = asking.ask_question(actor=actor, task_id=task_id, now=clock.now(), **wanted)
        return Response(item(actor, question), status=201)


class AnswerView(APIView):
    """Answer what one was asked."""

    @extend_schema(request=AnswerTextShape, responses=QuestionItem)
    def post(self, request: Request, question_id: UUID) -> Response:
        actor, wanted = actor_of(request), sent(AnswerTextShape, request)
        question = asking.answer_question(
            actor=actor, question_id=question_id, now=clock.now(), **wanted
        )
        return Response(item(actor, question))


class TakeBackView(APIView):
    """Do without an answer."""

    @extend_schema(request=None, responses=QuestionItem)
    def post(self, request: Request, question_id: UUID) -> Response:
        actor = actor_of(request)
        question = asking.take_back_question(actor=actor, question_id=question_id, now=clock.now())
        return Response(item(actor, question))


def item(actor: Actor, question: Question) -> dict[str, Any]:
    """A question with what it is about."""
    task = question.task
    (row,) = thread.shown(actor, task, [question], may_decide=False)
    flow = queries.flow_names([task]).get(task.flow_id, "")
    return {**row, "task": task.pk, "title": task.title, "flow": flow}
