"""The API about tasks: mine, one, deciding."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.authentication import actor_of
from apps.core import clock
from apps.core.http import CursorPages
from apps.inbox import commands, queries, rules
from apps.inbox.models import UserTask


class TaskShape(serializers.Serializer[Any]):
    """A task in a list."""

    id = serializers.UUIDField()
    run = serializers.UUIDField()
    flow = serializers.DictField(help_text="`{id, name}`")
    step = serializers.CharField()
    status = serializers.CharField()
    title = serializers.CharField()
    requester = serializers.DictField(allow_null=True, help_text="`{name, email}`")
    opened_at = serializers.DateTimeField()
    due = serializers.DateTimeField(allow_null=True)
    outcome = serializers.CharField(allow_blank=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    decided_by = serializers.CharField(allow_blank=True)


class TaskDetail(TaskShape):
    """A task with everything to decide by."""

    details = serializers.CharField(allow_blank=True)
    facts = serializers.ListField(child=serializers.DictField(), help_text="`[{label, value}]`")
    seen = serializers.CharField()
    outcomes = serializers.ListField(child=serializers.CharField())
    rule = serializers.CharField()
    assignees = serializers.ListField(child=serializers.CharField())
    decisions = serializers.ListField(child=serializers.DictField())
    may_decide = serializers.BooleanField()


class DecideShape(serializers.Serializer[Any]):
    """An answer. ``seen`` is the task's own, so that nobody answers what they did not read."""

    outcome = serializers.CharField(max_length=63)
    comment = serializers.CharField(required=False, allow_blank=True, default="", max_length=5000)
    seen = serializers.CharField(required=False, max_length=64)


class CountShape(serializers.Serializer[Any]):
    """How many tasks wait for the caller."""

    open = serializers.IntegerField()


class TasksView(APIView):
    """The tasks that the caller may act on; ``state=done`` for the rest."""

    @extend_schema(
        parameters=[OpenApiParameter("state", str, enum=["open", "done"])],
        responses=TaskShape(many=True),
    )
    def get(self, request: Request) -> Response:
        actor = actor_of(request)
        done = request.query_params.get("state") == "done"
        rows = queries.done_tasks(actor) if done else queries.open_tasks(actor)
        pages = CursorPages()
        found = pages.paginate_queryset(rows, request, view=self) or []
        names = queries.flow_names(found)
        return pages.get_paginated_response(
            [shown(task, names.get(task.flow_id, "")) for task in found]
        )


class TaskCountView(APIView):
    """The badge: the same query as the list."""

    @extend_schema(responses=CountShape)
    def get(self, request: Request) -> Response:
        return Response({"open": queries.open_tasks(actor_of(request)).count()})


class TaskView(APIView):
    """One task."""

    @extend_schema(responses=TaskDetail)
    def get(self, request: Request, task_id: UUID) -> Response:
        actor = actor_of(request)
        task = queries.get_task(actor, task_id)
        return Response(detailed(task, may_decide=commands.may_decide(actor, task)))


class DecideView(APIView):
    """Answer a task."""

    @extend_schema(request=DecideShape, responses=TaskDetail)
    def post(self, request: Request, task_id: UUID) -> Response:
        shape = DecideShape(data=request.data)
        shape.is_valid(raise_exception=True)
        sent = shape.validated_data
        actor = actor_of(request)
        task = commands.decide_task(
            actor=actor,
            task_id=task_id,
            outcome=sent["outcome"],
            comment=sent["comment"],
            seen=sent.get("seen"),
            now=clock.now(),
        )
        return Response(detailed(task, may_decide=False))


def shown(task: UserTask, flow_name: str) -> dict[str, Any]:
    """A task as lists show it."""
    requester = None
    if task.requester is not None:
        requester = {"name": task.requester.get_full_name(), "email": task.requester.email}
    elif task.requester_text:
        requester = {"name": task.requester_text, "email": task.requester_text}
    return {
        "id": task.pk,
        "run": task.run_id,
        "flow": {"id": task.flow_id, "name": flow_name},
        "step": task.step,
        "status": task.status,
        "title": task.title,
        "requester": requester,
        "opened_at": task.opened_at,
        "due": task.due_at,
        "outcome": task.outcome,
        "decided_at": task.closed_at,
        "decided_by": "",
    }


def detailed(task: UserTask, *, may_decide: bool) -> dict[str, Any]:
    """A task with everything to decide by."""
    decisions = queries.decisions_of(task)
    people = queries.names_of_assignees(task)
    base = shown(task, queries.flow_names([task]).get(task.flow_id, ""))
    if decisions and task.outcome:
        base["decided_by"] = decisions[-1].user.get_full_name()
    return {
        **base,
        "details": task.details,
        "facts": task.facts,
        "seen": task.seen,
        "outcomes": list(rules.OUTCOMES),
        "rule": rules.sentence(task.rule, people),
        "assignees": people,
        "decisions": [
            {
                "by": one.user.get_full_name(),
                "outcome": one.outcome,
                "comment": one.comment,
                "at": one.decided_at,
            }
            for one in decisions
        ],
        "may_decide": may_decide,
    }
