"""The pages on which people decide. Server-rendered; none of them needs a script.

GET and HEAD show, POST decides. Every refusal is a page with one sentence, and with the state of
things for those who may see them.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from apps.accounts.actors import Actor
from apps.accounts.authentication import actor_of
from apps.accounts.callers import ip_of
from apps.accounts.commands import note_refusal
from apps.accounts.models import User
from apps.accounts.permissions import DECIDING_ROLES
from apps.accounts.queries import deciders_in, zone_of
from apps.core import clock
from apps.core.errors import ProductError
from apps.core.sentences import said
from apps.engine.lifecycle import TaskStatus
from apps.inbox import (
    commands,
    course,
    details,
    filling,
    form_views,
    glance,
    handing,
    holding,
    limits,
    queries,
    returning,
    rules,
    stages,
    stale,
    taking_back,
    thread,
    words,
)
from apps.inbox.models import Decision, UserTask
from apps.inbox.recording import origin_of

#: More people than that are not offered to hand over to; the app searches among all.
MOST_NAMED = 500


@dataclass(frozen=True)
class Fact:
    """A line of facts: what a step's author called it, and its value as a person reads it."""

    label: str
    value: words.Shown


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def task_page(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """One task, ready to decide."""
    actor = actor_of(request)
    try:
        if request.method != "POST":
            return task_shown(request, actor, queries.get_task(actor, task_id))
        if is_unsaid(request) and rejects(request, task := queries.get_task(actor, task_id)):
            return task_shown(request, actor, task)
        if form_views.keep(request, actor, task_id):
            return HttpResponseRedirect(reverse("inbox-task", args=[task_id]))
        commands.decide_task(
            actor=actor,
            task_id=task_id,
            outcome=request.POST.get("outcome", ""),
            # Browsers send line breaks as CR LF, whatever was typed.
            comment=request.POST.get("comment", "").replace("\r\n", "\n").strip(),
            seen=request.POST.get("seen", ""),
            heard=heard_on(request),
            now=clock.now(),
            origin=origin_of(request, "page"),
            **form_views.with_answer(request, actor, task_id),
        )
    except ProductError as refused:
        return refused_page(request, actor, task_id, refused)
    return HttpResponseRedirect(reverse("inbox-task", args=[task_id]))


def is_unsaid(request: HttpRequest) -> bool:
    """Whether the page's own form brings an answer without a word.

    A rejection is asked about once: the second form does not carry the field, and neither does a
    program that decides.
    """
    return request.POST.get("ask") == "comment" and not request.POST.get("comment", "").strip()


def rejects(request: HttpRequest, task: UserTask) -> bool:
    """Whether the answer sent is against what was asked."""
    side = rules.side(task.rule, request.POST.get("outcome", ""))
    return task.kind == rules.APPROVAL and side == "against"


def task_shown(
    request: HttpRequest,
    actor: Actor,
    task: UserTask,
    *,
    refused: ProductError | None = None,
    link: str = "",
    by_link: bool = False,
) -> HttpResponse:
    """The page of one task; ``link`` is the value of the mail's link that brought the reader.

    ``by_link`` leaves out what is behind the sign-in; without a value nothing can be decided there.
    """
    queries.read_once(task)
    now, zone = clock.now(), zone_for(request, actor)
    people = queries.assignees_of(task)
    decisions = queries.decisions_of(task)
    why_not = commands.refusal_for(actor, task, now)
    context: dict[str, Any] = {
        "task": task,
        "flow": queries.flow_names([task]).get(task.flow_id, ""),
        "requester": _requester(task),
        "asked_at": words.moment(task.opened_at, zone),
        "time": time_of(task, request, actor, now),
        "details": details.as_markup(task.details) if task.details.strip() else "",
        "facts": [Fact(fact["label"], words.shown(fact["value"], zone)) for fact in task.facts],
        "rule": words.rule_sentence(task.rule, people),
        "is_short": task.status == TaskStatus.OPEN and words.is_short(task.rule, people),
        "people": [one.user.get_full_name() for one in people],
        "why": glance.why_me(actor, task, people),
        **_glance(actor, task, zone, by_link=by_link),
        **_whose(actor, task, why_not, by_link=by_link),
        "answers": words.answers(task, people),
        "without_answer": words.without_answer(task),
        "decisions": _answers(task, decisions, zone),
        "changed": stale.context(task, zone),
        "anew": "" if by_link else queries.anew_for(actor, task),
        "stage": stages.name_of(task),
        "earlier": [
            {"name": stages.name_of(one), "answers": _answers(one, queries.decisions_of(one), zone)}
            for one in queries.earlier_stages(task)
        ],
        "returned": _returned(task, zone),
        "held": holding.said(task, zone),
        "undo": holding.undo_said(task),
        "may_take_back": not by_link and taking_back.may_take_back(actor, task, now),
        "taken_back": [
            {
                **one,
                "word": words.outcome_in_line(task.rule, one["outcome"]),
                "at": words.moment(one["at"], zone),
            }
            for one in taking_back.taken_back(task)
        ],
        "went_on_to": stages.later(task) if task.later else None,
        **thread.context(
            actor,
            task,
            zone,
            may_decide=why_not is None,
            typed=request.POST.get("question", "") if refused else "",
        ),
        "may_decide": why_not is None and (bool(link) or not by_link),
        **(form_views.context(request, actor, task, refused) if why_not is None else {}),
        "link": link,
        "by_link": by_link,
        "action": reverse("decide-by-link") if link else reverse("inbox-task", args=[task.pk]),
        "why_not": _why_not(actor, task, decisions, why_not),
        "state": "" if holding.is_held(task) else state_of(task, _decider(task)),
        "side": rules.side(task.rule, task.outcome),
        "course": course.shown(task, zone),
        "is_urgent": task.status == TaskStatus.OPEN and task.urgency == limits.URGENT,
        "closed_at": words.moment(task.closed_at, zone) if task.closed_at else "",
        "refused": said(refused.message) if refused else "",
        "unsaid": request.POST.get("outcome", "") if refused is None else "",
        # A refused answer keeps what was typed; it is not lost with the page.
        "comment": request.POST.get("comment", "") if refused else "",
        "to": request.POST.get("to", "") if refused else "",
        "reason": request.POST.get("reason", "") if refused else "",
        "max_comment": commands.MAX_COMMENT,
    }
    return render(request, "inbox/task.html", context, status=refused.status if refused else 200)


def _glance(actor: Actor, task: UserTask, zone: ZoneInfo, *, by_link: bool) -> dict[str, Any]:
    """How much it is about, and what was decided before; the latter only behind the sign-in."""
    amount = glance.amount(task)
    return {
        "amount": Fact(amount["label"], words.shown(amount["value"], zone)) if amount else None,
        "similar": []
        if by_link
        else [
            {
                "task": one.task,
                "word": one.word,
                "by": one.by,
                "at": words.moment(one.at, zone),
                "amount": words.shown(one.amount, zone) if one.amount is not None else None,
                "compared": one.compared,
            }
            for one in glance.similar(actor, task)
        ],
    }


def _whose(
    actor: Actor, task: UserTask, refused: ProductError | None, *, by_link: bool
) -> dict[str, Any]:
    """Taking, giving back, handing over and special permission, and whom it can be handed to."""
    if by_link:
        return {}
    offered = handing.offered(actor, task, refused)
    return {
        **offered,
        "claimed_by": queries.claimers([task]).get(task.pk, ""),
        "colleagues": [
            one
            for one in deciders_in(actor.workspace_id, teams=DECIDING_ROLES)[:MOST_NAMED]
            if one.pk != actor.user_id
        ]
        if offered["may_hand_over"]
        else [],
    }


def refused_page(
    request: HttpRequest, actor: Actor, task_id: UUID, refused: ProductError
) -> HttpResponse:
    """The sentence, with the state of things where the actor may see them."""
    if refused.status in {403, 404}:
        note_refusal(
            actor=actor,
            route="inbox/<uuid:task_id>/",
            status=refused.status,
            ip=ip_of(request),
            now=clock.now(),
        )
    try:
        task = queries.get_task(actor, task_id)
    except ProductError:
        return refusal_page(request, refused)
    return task_shown(request, actor, task, refused=refused)


def refusal_page(
    request: HttpRequest, refused: ProductError, *, by_link: bool = False
) -> HttpResponse:
    """One sentence, and nothing of the matter."""
    headings = {
        403: gettext("This is not yours to decide"),
        404: gettext("There is nothing here for you"),
    }
    context = {
        "heading": headings.get(refused.status, gettext("That did not work")),
        "message": said(refused.message),
        "by_link": by_link,
    }
    return render(request, "inbox/refused.html", context, status=refused.status)


def _answers(task: UserTask, given: list[Decision], zone: ZoneInfo) -> list[dict[str, Any]]:
    behind = stale.stale_of(task, given, stages.facts_now(task))
    return [
        {
            "by": _by(one),
            "is_stale": one.pk in behind,
            "at": words.moment(one.decided_at, zone),
            "word": words.outcome_in_line(task.rule, one.outcome),
            "one": one,
            "filled": [
                Fact(each.label, words.shown(each.value, zone))
                for each in filling.filled_in(task, one.answers)
            ],
        }
        for one in given
    ]


def heard_on(request: HttpRequest) -> int | None:
    """How many answers to questions the page showed that is sent back, where it says so."""
    shown = request.POST.get("heard", "")
    return int(shown) if shown.isascii() and shown.isdigit() and len(shown) < 6 else None


def zone_for(request: HttpRequest, actor: Actor) -> ZoneInfo:
    """The reader's own zone, else the workspace's."""
    user = request.user if isinstance(request.user, User) else User.objects.get(email=actor.email)
    return ZoneInfo(user.zone or zone_of(actor.workspace_id))


def _returned(task: UserTask, zone: ZoneInfo) -> dict[str, Any] | None:
    """Why it was sent back before, and what has changed since."""
    found = returning.returned(task)
    if found is None:
        return None

    def read(value: Any) -> words.Shown | None:
        return None if value is returning.ABSENT else words.shown(value, zone)

    return {
        "by": _by(found.decision),
        "at": words.moment(found.at, zone),
        "reason": found.decision.comment,
        "changes": [
            (words.changed_label(one.label), read(one.before), read(one.after))
            for one in found.changes
        ],
    }


def _by(one: Decision) -> str:
    """Who answered, for whom, and whether in spite of a rule."""
    name = one.user.get_full_name()
    if one.on_behalf_of is not None:
        name = gettext("%(name)s on behalf of %(other)s") % {
            "name": name,
            "other": one.on_behalf_of.get_full_name(),
        }
    return (
        gettext("%(name)s (with special permission)") % {"name": name} if one.exception_id else name
    )


def time_of(task: UserTask, request: HttpRequest, actor: Actor, now: Any) -> dict[str, Any]:
    """Time left in words and the exact end; empty where there is no limit or it is over."""
    if task.due_at is None:
        return {}
    return {
        "left": words.time_left(task.due_at, now) if task.status == TaskStatus.OPEN else "",
        "is_over": task.due_at <= now,
        "exact": words.moment(task.due_at, zone_for(request, actor)),
        "at": task.due_at,
    }


def _decider(task: UserTask) -> str:
    return queries.deciders([task]).get(task.pk, "")


def _requester(task: UserTask) -> str:
    if task.requester is not None:
        return task.requester.get_full_name()
    return task.requester_text


def state_of(task: UserTask, decider: str) -> str:
    """How it ended, in a few words; empty while it is to be decided."""
    if holding.is_held(task):
        word = words.outcome_word(task.rule, task.pending)
        return gettext("%(word)s, can still be taken back") % {"word": word}
    if task.status == TaskStatus.DECIDED:
        word = words.outcome_word(task.rule, task.outcome)
        return (
            gettext("%(word)s by %(name)s") % {"word": word, "name": decider} if decider else word
        )
    if task.status == TaskStatus.TIMED_OUT:
        return gettext("Nobody decided in time")
    if task.superseded_at is not None:
        return gettext("Begun anew, because what it is about has changed")
    if task.status == TaskStatus.CANCELLED:
        return gettext("Withdrawn: there is nothing left to decide")
    return ""


def _why_not(
    actor: Actor, task: UserTask, decisions: list[Decision], refused: ProductError | None
) -> str:
    """Why there are no buttons on an open task, said to this reader."""
    if refused is None or task.status != TaskStatus.OPEN or holding.is_held(task):
        return ""
    if any(one.user_id == actor.user_id for one in decisions):
        return gettext("You have answered. The others have not all answered yet.")
    if isinstance(refused, commands.TooLate):
        return gettext("The time to decide this is over.")
    return said(refused.message)
