"""Taking one's answer back: the page's form, and the API."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api import sent
from apps.accounts.authentication import actor_of
from apps.accounts.callers import ip_of
from apps.accounts.commands import note_refusal
from apps.core import clock
from apps.core.errors import ProductError
from apps.inbox import queries, taking_back
from apps.inbox.api import TaskDetail, detailed
from apps.inbox.views import refusal_page, task_shown


class TakeBackShape(serializers.Serializer[Any]):
    """Why, if there is something to say."""

    reason = serializers.CharField(max_length=5000, allow_blank=True, default="")


class TakeAnswerBackView(APIView):
    """Take one's own answer back while the question is open."""

    @extend_schema(request=TakeBackShape, responses=TaskDetail)
    def post(self, request: Request, task_id: UUID) -> Response:
        actor = actor_of(request)
        task = taking_back.take_answer_back(
            actor=actor, task_id=task_id, now=clock.now(), **sent(TakeBackShape, request)
        )
        return Response(detailed(actor, task))


@never_cache
@require_POST
@login_required
def take_back(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """The same from the page, which is shown again."""
    actor = actor_of(request)
    try:
        taking_back.take_answer_back(
            actor=actor,
            task_id=task_id,
            reason=request.POST.get("reason", ""),
            now=clock.now(),
        )
    except ProductError as refused:
        if refused.status in {403, 404}:
            note_refusal(
                actor=actor,
                route="inbox/<uuid:task_id>/take-back/",
                status=refused.status,
                ip=ip_of(request),
                now=clock.now(),
            )
        try:
            task = queries.get_task(actor, task_id)
        except ProductError:
            return refusal_page(request, refused)
        return task_shown(request, actor, task, refused=refused)
    return HttpResponseRedirect(reverse("inbox-task", args=[task_id]))
