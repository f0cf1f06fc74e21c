"""The API about lists of tasks: views, counts, filters that are kept, several answered at once."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api import sent
from apps.accounts.authentication import actor_of
from apps.accounts.callers import ip_of
from apps.accounts.commands import note_refusal
from apps.accounts.schema import PAGE, paged
from apps.core import clock
from apps.core.errors import Invalid
from apps.core.http import CursorPages
from apps.core.sentences import said
from apps.inbox import bulk, filters, glance, holding, lists, queries, words
from apps.inbox.api import TaskShape, shown
from apps.inbox.models import SavedFilter, UserTask
from apps.inbox.recording import origin_of

FILTERS = [
    OpenApiParameter("view", str, enum=list(lists.VIEWS)),
    OpenApiParameter("search", str, description="In titles, flows, who asks, and facts."),
    OpenApiParameter("flow", UUID),
    OpenApiParameter("requester", str, description="The mail address of who asks."),
]


class Counts(serializers.Serializer[Any]):
    """How many tasks each view has; 1,000 stands for more than 999."""

    all = serializers.IntegerField(max_value=queries.MOST_COUNTED)
    mine = serializers.IntegerField(max_value=queries.MOST_COUNTED)
    groups = serializers.IntegerField(max_value=queries.MOST_COUNTED)
    delegated = serializers.IntegerField(max_value=queries.MOST_COUNTED)
    overdue = serializers.IntegerField(max_value=queries.MOST_COUNTED)


class FilterFields(serializers.Serializer[Any]):
    """What narrows a list, as in the address of it."""

    view = serializers.ChoiceField(choices=list(lists.VIEWS), required=False)
    search = serializers.CharField(required=False, allow_blank=True, max_length=200)
    flow = serializers.UUIDField(required=False)
    requester = serializers.CharField(required=False, allow_blank=True, max_length=200)


class FilterSent(serializers.Serializer[Any]):
    """A name, and what it stands for."""

    name = serializers.CharField(max_length=filters.MAX_NAME)
    filter = FilterFields()


class FilterShape(serializers.Serializer[Any]):
    """A filter that is kept."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    filter = FilterFields()


class AmountShape(serializers.Serializer[Any]):
    """How much a task is about: the fact that says so."""

    label = serializers.CharField()  # type: ignore[assignment] # the field's name is the surface's
    value = serializers.JSONField()


class BulkLine(serializers.Serializer[Any]):
    """One task of several; ``problem`` is empty where it is answered, or would be."""

    task = serializers.UUIDField()
    title = serializers.CharField(allow_blank=True)
    requester = serializers.CharField(allow_blank=True)
    amount = AmountShape(allow_null=True)
    seen = serializers.CharField(allow_blank=True)
    then = serializers.CharField(allow_blank=True, help_text="What the answer leads to.")
    problem = serializers.CharField(allow_blank=True)
    code = serializers.CharField(allow_blank=True)


class BulkLines(serializers.Serializer[Any]):
    """What would become of each, or what became of it."""

    results = BulkLine(many=True)


class BulkItem(serializers.Serializer[Any]):
    """A task, and what was shown of it."""

    task = serializers.UUIDField()
    seen = serializers.CharField(max_length=64)


class BulkSent(serializers.Serializer[Any]):
    """One answer to several tasks; ``id`` is made by who sends it, so that it can be repeated."""

    id = serializers.UUIDField()
    outcome = serializers.CharField(max_length=63)
    comment = serializers.CharField(required=False, allow_blank=True, default="", max_length=5000)
    items = BulkItem(many=True, max_length=bulk.MOST)  # type: ignore[call-arg] # the list takes it


class TasksView(APIView):
    """The tasks that the caller may act on, by view; ``state=done`` for the rest."""

    @extend_schema(
        operation_id="tasks_list",
        parameters=[OpenApiParameter("state", str, enum=["open", "done"]), *FILTERS, *PAGE],
        responses=paged(TaskShape),
    )
    def get(self, request: Request) -> Response:
        actor, fields = actor_of(request), request.query_params
        state = fields.get("state") or "open"
        if state not in {"open", "done"}:
            raise Invalid(f"“{state[:30]}” is no state of the list; ask for “open” or “done”.")
        rows = lists.tasks_in(actor, lists.Wanted.of(fields))
        pages = CursorPages()
        found = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response(shown(found, actor))


class CountsView(APIView):
    """How many each view has, each by the query of its list."""

    @extend_schema(responses=Counts)
    def get(self, request: Request) -> Response:
        return Response(lists.counts(actor_of(request)))


class FiltersView(APIView):
    """The filters that the caller has kept."""

    @extend_schema(operation_id="task_filters_list", responses=paged(FilterShape))
    def get(self, request: Request) -> Response:
        pages = _ByName()
        found = pages.paginate_queryset(filters.filters_of(actor_of(request)), request, view=self)
        return pages.get_paginated_response([_filter(one) for one in found or []])

    @extend_schema(request=FilterSent, responses={201: FilterShape})
    def post(self, request: Request) -> Response:
        wanted = sent(FilterSent, request)
        kept = filters.save_filter(
            actor=actor_of(request), name=wanted["name"], fields=wanted["filter"], now=clock.now()
        )
        return Response(_filter(kept), status=201)


class FilterView(APIView):
    """One of them."""

    @extend_schema(responses={204: None})
    def delete(self, request: Request, filter_id: UUID) -> Response:
        filters.delete_filter(actor=actor_of(request), filter_id=filter_id, now=clock.now())
        return Response(status=204)


class BulkView(APIView):
    """Several tasks of one kind: what would become of them, and answering them."""

    @extend_schema(
        operation_id="tasks_bulk_preview",
        parameters=[
            OpenApiParameter("tasks", str, required=True, description="Ids, with commas."),
            OpenApiParameter("outcome", str, required=True),
        ],
        responses=BulkLines,
    )
    def get(self, request: Request) -> Response:
        outcome = request.query_params.get("outcome", "")
        lines = bulk.preview(actor_of(request), _ids(request), clock.now())
        return Response({"results": [line_shown(one, outcome) for one in lines]})

    @extend_schema(operation_id="tasks_bulk_decide", request=BulkSent, responses=BulkLines)
    def post(self, request: Request) -> Response:
        wanted = sent(BulkSent, request)
        lines = bulk.decide_tasks(
            actor=actor_of(request),
            bulk_id=wanted["id"],
            items=[bulk.Item(one["task"], one["seen"]) for one in wanted["items"]],
            outcome=wanted["outcome"],
            comment=wanted["comment"],
            now=clock.now(),
            origin=origin_of(request, "api"),
        )
        note_refusals(request, lines)
        return Response({"results": [line_shown(one, wanted["outcome"]) for one in lines]})


def note_refusals(request: Any, lines: Sequence[bulk.Line]) -> None:
    """Put what was denied among several into the trail, as it would be if it were alone."""
    for status in sorted({one.refused.status for one in lines if one.refused} & {403, 404}):
        note_refusal(
            actor=actor_of(request),
            route="api/v1/tasks/bulk/",
            status=status,
            ip=ip_of(request),
            now=clock.now(),
        )


def line_shown(line: bulk.Line, outcome: str) -> dict[str, Any]:
    """A task of several, as the preview and the result say it."""
    task = line.task
    return {
        "task": line.task_id,
        "title": task.title if task else "",
        "requester": words.requester_name(task) if task else "",
        "amount": glance.amount(task) if task else None,
        "seen": task.seen if task else "",
        "then": _then(task, outcome) if task and not line.refused else "",
        "problem": said(line.refused.message) if line.refused else "",
        "code": line.refused.code if line.refused else "",
    }


def _then(task: UserTask, outcome: str) -> str:
    """What the answer leads to, and for how long it can be taken back before."""
    return " ".join(filter(None, (words.then_of(task, outcome), holding.undo_said(task))))


def _ids(request: Request) -> list[UUID]:
    text = request.query_params.get("tasks", "")
    try:
        return [UUID(one) for one in text.split(",") if one]
    except ValueError:
        raise Invalid("Tasks are named by their ids, with commas between.") from None


class _ByName(CursorPages):
    ordering = "name"


def _filter(one: SavedFilter) -> dict[str, Any]:
    return {"id": one.pk, "name": one.name, "filter": one.fields}
