"""The inbox as pages that need no script: its views, searching, several tasks answered at once."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from apps.accounts.authentication import actor_of
from apps.core import clock
from apps.core.errors import Invalid, ProductError
from apps.core.models import uuid7
from apps.core.sentences import said
from apps.inbox import asking, bulk, commands, filters, glance, lists, queries, views, words
from apps.inbox.list_api import note_refusals
from apps.inbox.models import UserTask
from apps.inbox.recording import origin_of

PAGE = 50
NAMES = {
    "all": gettext_lazy("To decide"),
    "mine": gettext_lazy("Put to me"),
    "groups": gettext_lazy("My groups"),
    "delegated": gettext_lazy("I stand in"),
    "overdue": gettext_lazy("Overdue"),
    "done": gettext_lazy("Done"),
}


@never_cache
@require_safe
@login_required
def list_page(request: HttpRequest) -> HttpResponse:
    """What waits for the reader, by view, or what is over; a page at a time."""
    actor = actor_of(request)
    try:
        wanted = lists.Wanted.of(request.GET)
        rows = lists.tasks_in(actor, wanted)
        found = list(_before(rows, request.GET.get("before", ""))[: PAGE + 1])
    except ProductError as refused:
        return views.refusal_page(request, refused)
    tasks, now = found[:PAGE], clock.now()
    flows, deciders = queries.flow_names(tasks), queries.deciders(tasks)
    numbers = lists.counts(actor)
    context = {
        "done": wanted.view == "done",
        "wanted": wanted,
        "is_narrowed": bool(wanted.search or wanted.flow_id or wanted.requester),
        "views": [
            {
                "name": NAMES[view],
                "address": _address(lists.Wanted(view)),
                "count": _count(numbers[view]) if view in numbers else "",
                "is_open": view == wanted.view,
            }
            for view in lists.VIEWS
            # Who stands in for nobody, and whose time has not run out, need not read of it.
            if view in {"all", "done", wanted.view} or numbers.get(view)
        ],
        "filters": [
            {"name": one.name, "address": "?" + urlencode(one.fields)}
            for one in filters.filters_of(actor)
        ],
        "question_count": asking.questions_for(actor).count(),
        "older": _address(wanted, before=str(tasks[-1].pk)) if len(found) > PAGE else "",
        "can_bulk": any(bulk.offered(task) for task in tasks),
        "tasks": [
            {
                "task": task,
                "flow": flows.get(task.flow_id, ""),
                "time": views.time_of(task, request, actor, now),
                "state": views.state_of(task, deciders.get(task.pk, "")),
                "bulk": bulk.offered(task),
            }
            for task in tasks
        ],
    }
    return render(request, "inbox/list.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def bulk_page(request: HttpRequest) -> HttpResponse:
    """Several tasks of one kind: what an answer would do to each, and then what it did."""
    actor = actor_of(request)
    try:
        if request.method != "POST":
            return _preview(request, bulk.preview(actor, _chosen(request.GET), clock.now()))
        items = _items(request)
        if _is_unsaid(request):
            lines = bulk.preview(actor, [one.task_id for one in items], clock.now())
            if any(one.task and views.rejects(request, one.task) for one in lines):
                return _preview(request, lines, unsaid=request.POST.get("outcome", ""))
        lines = bulk.decide_tasks(
            actor=actor,
            bulk_id=_id(request.POST.get("id", "")),
            items=items,
            outcome=request.POST.get("outcome", ""),
            comment=request.POST.get("comment", "").replace("\r\n", "\n").strip(),
            now=clock.now(),
            origin=origin_of(request, "page"),
        )
    except ProductError as refused:
        return views.refusal_page(request, refused)
    note_refusals(request, lines)
    context = {
        "lines": [_line(request, one) for one in lines],
        "answered": sum(one.refused is None for one in lines),
        "word": next(
            (
                words.outcome_word(one.task.rule, request.POST.get("outcome", ""))
                for one in lines
                if one.task and one.refused is None
            ),
            "",
        ),
        "is_result": True,
    }
    return render(request, "inbox/bulk.html", context)


def _preview(request: HttpRequest, lines: list[bulk.Line], *, unsaid: str = "") -> HttpResponse:
    tasks = [one.task for one in lines if one.task is not None and one.refused is None]
    context = {
        "lines": [_line(request, one) for one in lines],
        "count": len(tasks),
        "id": uuid7(),
        "answers": words.answers(tasks[0], queries.assignees_of(tasks[0])) if tasks else [],
        "unsaid": unsaid,
        "max_comment": commands.MAX_COMMENT,
    }
    return render(request, "inbox/bulk.html", context)


def _line(request: HttpRequest, line: bulk.Line) -> dict[str, Any]:
    task, zone = line.task, views.zone_for(request, actor_of(request))
    amount = glance.amount(task) if task else None
    return {
        "task": task,
        "seen": f"{line.task_id}:{task.seen}" if task else "",
        "requester": words.requester_name(task) if task else "",
        "label": amount["label"] if amount else "",
        "amount": words.shown(amount["value"], zone) if amount else None,
        "problem": said(line.refused.message) if line.refused else "",
    }


def _is_unsaid(request: HttpRequest) -> bool:
    """A rejection of many without a word is asked about once, as one is."""
    return views.is_unsaid(request)


def _chosen(fields: Any) -> list[UUID]:
    return [_id(one) for one in fields.getlist("task")]


def _items(request: HttpRequest) -> list[bulk.Item]:
    """Each task with what was shown of it."""
    found = []
    for one in request.POST.getlist("item"):
        task_id, _, seen = one.partition(":")
        found.append(bulk.Item(_id(task_id), seen[:64]))
    return found


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid(
            "This page is damaged; go back to the inbox and choose the tasks again."
        ) from None


def _address(wanted: lists.Wanted, **more: str) -> str:
    fields = {**wanted.as_fields(), **more}
    return reverse("inbox-list") + (f"?{urlencode(fields)}" if fields else "")


def _before(rows: QuerySet[UserTask], text: str) -> QuerySet[UserTask]:
    if not text:
        return rows
    try:
        return rows.filter(pk__lt=UUID(text))
    except ValueError:
        raise Invalid("This link is damaged; go back to the first page of the list.") from None


def _count(number: int) -> str:
    """The badge's number as it is shown."""
    return str(number) if number < queries.MOST_COUNTED else f"{queries.MOST_COUNTED - 1}+"
