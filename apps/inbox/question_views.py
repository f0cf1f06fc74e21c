"""The pages on which people ask for more and answer. Server-rendered; none needs a script."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.actors import Actor
from apps.accounts.authentication import actor_of
from apps.accounts.callers import ip_of
from apps.accounts.commands import note_refusal
from apps.core import clock
from apps.core.errors import ProductError
from apps.inbox import asking, queries, thread, words
from apps.inbox.commands import MAX_COMMENT
from apps.inbox.models import Question
from apps.inbox.views import refusal_page, task_shown, zone_for


@never_cache
@require_POST
@login_required
def ask(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Ask somebody for more; the page of the task again."""
    actor = actor_of(request)
    try:
        asking.ask_question(
            actor=actor,
            task_id=task_id,
            text=request.POST.get("question", ""),
            of=request.POST.get("of", ""),
            now=clock.now(),
        )
    except ProductError as refused:
        _note(request, actor, "inbox/<uuid:task_id>/ask/", refused)
        return _task_again(request, actor, task_id, refused)
    return HttpResponseRedirect(reverse("inbox-task", args=[task_id]) + "#questions")


@never_cache
@require_POST
@login_required
def take_back(request: HttpRequest, question_id: UUID) -> HttpResponse:
    """Do without an answer; the page of the task again."""
    actor = actor_of(request)
    try:
        question = asking.take_back_question(actor=actor, question_id=question_id, now=clock.now())
    except ProductError as refused:
        _note(request, actor, "inbox/questions/<uuid:question_id>/take-back/", refused)
        return refusal_page(request, refused)
    return HttpResponseRedirect(reverse("inbox-task", args=[question.task_id]) + "#questions")


@never_cache
@require_safe
@login_required
def questions_page(request: HttpRequest) -> HttpResponse:
    """What waits for the reader's answer."""
    actor = actor_of(request)
    try:
        found = list(asking.questions_for(actor)[: queries.MOST_COUNTED])
    except ProductError as refused:
        return refusal_page(request, refused)
    zone = zone_for(request, actor)
    rows = [{"one": one, "asked": words.moment(one.asked_at, zone)} for one in found]
    return render(request, "inbox/questions.html", {"rows": rows})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def question_page(request: HttpRequest, question_id: UUID) -> HttpResponse:
    """One question, ready to answer."""
    actor = actor_of(request)
    refused: ProductError | None = None
    try:
        if request.method == "POST":
            text = request.POST.get("answer", "")
            asking.answer_question(actor=actor, question_id=question_id, text=text, now=clock.now())
            return HttpResponseRedirect(request.path)
    except ProductError as error:
        _note(request, actor, "inbox/questions/<uuid:question_id>/", refused := error)
    try:
        question = asking.get_question(actor, question_id)
    except ProductError as error:
        if refused is None:
            _note(request, actor, "inbox/questions/<uuid:question_id>/", error)
        return refusal_page(request, error)
    return render(
        request,
        "inbox/question.html",
        _question(request, actor, question, refused),
        status=refused.status if refused else 200,
    )


def _note(request: HttpRequest, actor: Actor, route: str, refused: ProductError) -> None:
    """Who was turned away is in the trail."""
    if refused.status in {403, 404}:
        note_refusal(
            actor=actor, route=route, status=refused.status, ip=ip_of(request), now=clock.now()
        )


def _question(
    request: HttpRequest, actor: Actor, question: Question, refused: ProductError | None
) -> dict[str, Any]:
    zone = zone_for(request, actor)
    (row,) = thread.shown(actor, question.task, [question], may_decide=False)
    return {
        "task": question.task,
        "flow": queries.flow_names([question.task]).get(question.task.flow_id, ""),
        "row": row,
        "asked": words.moment(question.asked_at, zone),
        "answered": words.moment(question.answered_at, zone) if question.answered_at else "",
        "typed": request.POST.get("answer", "") if refused else "",
        "refused": refused.message if refused else "",
        "max_comment": MAX_COMMENT,
    }


def _task_again(
    request: HttpRequest, actor: Actor, task_id: UUID, refused: ProductError
) -> HttpResponse:
    try:
        task = queries.get_task(actor, task_id)
    except ProductError:
        return refusal_page(request, refused)
    return task_shown(request, actor, task, refused=refused)
