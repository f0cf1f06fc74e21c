"""Whose task it is, on its page: take it, give it back, hand it over, ask for special permission.

One POST each, without a script; what is refused is the task's page with the sentence.
"""

from collections.abc import Callable
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from apps.accounts.actors import Actor
from apps.accounts.authentication import actor_of
from apps.core import clock
from apps.core.errors import ProductError
from apps.inbox import handing, views

Act = Callable[[HttpRequest, Actor, UUID], object]


def _done(request: HttpRequest, task_id: UUID, act: Act, *, to_list: bool = False) -> HttpResponse:
    actor = actor_of(request)
    try:
        act(request, actor, task_id)
    except ProductError as refused:
        return views.refused_page(request, actor, task_id, refused)
    if to_list:
        return HttpResponseRedirect(reverse("inbox-list"))
    return HttpResponseRedirect(reverse("inbox-task", args=[task_id]))


@never_cache
@require_POST
@login_required
def claim(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Take a task of several people."""
    return _done(
        request,
        task_id,
        lambda _, actor, pk: handing.claim_task(actor=actor, task_id=pk, now=clock.now()),
    )


@never_cache
@require_POST
@login_required
def release(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Give a task back."""
    return _done(
        request,
        task_id,
        lambda _, actor, pk: handing.release_task(actor=actor, task_id=pk, now=clock.now()),
    )


@never_cache
@require_POST
@login_required
def hand_over(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Give one's place to a named person."""
    return _done(
        request,
        task_id,
        lambda sent, actor, pk: handing.hand_over_task(
            actor=actor,
            task_id=pk,
            to=sent.POST.get("to", "").strip(),
            reason=_reason(sent),
            now=clock.now(),
        ),
        to_list=True,
    )


@never_cache
@require_POST
@login_required
def ask_exception(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Ask to decide in spite of a rule."""
    return _done(
        request,
        task_id,
        lambda sent, actor, pk: handing.ask_exception(
            actor=actor, task_id=pk, reason=_reason(sent), now=clock.now()
        ),
    )


@never_cache
@require_POST
@login_required
def allow_exception(request: HttpRequest, task_id: UUID, exception_id: UUID) -> HttpResponse:
    """Be the second person who sets a rule aside."""
    return _done(
        request,
        task_id,
        lambda _, actor, pk: handing.allow_exception(
            actor=actor, task_id=pk, exception_id=exception_id, now=clock.now()
        ),
    )


def _reason(request: HttpRequest) -> str:
    return request.POST.get("reason", "").replace("\r\n", "\n").strip()
