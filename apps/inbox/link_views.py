"""Where a mail's link leads: one person looks at one task, and answers it once.

GET and HEAD show and change nothing, however often and by whatever they are sent: programs that
look through mails open every link. Only a POST with the link's value decides, through the same
command as every other door. The value is in the address of the GET alone, which no page is told
of as a referrer and no log keeps.
"""

from datetime import datetime

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.actors import Actor
from apps.accounts.callers import ip_of
from apps.accounts.commands import note_refusal
from apps.accounts.queries import actor_of_user
from apps.audit.commands import record
from apps.audit.records import Target
from apps.core import clock
from apps.core.errors import Forbidden, ProductError
from apps.inbox import commands, queries, views
from apps.inbox.models import UserTask
from apps.inbox.recording import origin_of
from apps.inbox.telling import BY_LINK
from apps.notices import links
from apps.notices.models import DecisionLink


class SignInFirst(Forbidden):
    """The matter's risk does not let it be answered from a mail alone."""

    code = "sign_in_first"


class LinkOfAnother(Forbidden):
    """Somebody else is signed in in this browser."""

    code = "link_of_another"


@never_cache
@require_safe
def link_page(request: HttpRequest, value: str) -> HttpResponse:
    """The task as the link's person sees it, ready to decide."""
    now = clock.now()
    try:
        link = links.link_of(value)
        if getattr(request.user, "pk", None) == link.user_id:
            return _kept_secret(HttpResponseRedirect(_task_address(link)))
        actor = _actor(request, link)
        task = queries.get_task(actor, link.task_id)
        if task.risk not in BY_LINK or task.form_hash:
            return _kept_secret(HttpResponseRedirect(_task_address(link)))
        if link.expires_at <= now:
            links.require_good(link, now)
        return _shown(request, actor, link, task, value=value if link.used_at is None else "")
    except ProductError as refused:
        return _kept_secret(views.refusal_page(request, refused, by_link=True))


@never_cache
@require_POST
def decide_by_link(request: HttpRequest) -> HttpResponse:
    """Answer with a link's value, once."""
    now, value = clock.now(), request.POST.get("link", "")
    try:
        link = links.link_of(value)
        actor = _actor(request, link)
    except ProductError as refused:
        return _kept_secret(views.refusal_page(request, refused, by_link=True))
    try:
        task = queries.get_task(actor, link.task_id)
        if link.used_at is None and views.is_unsaid(request) and views.rejects(request, task):
            return _shown(request, actor, link, task, value=value)
        decide_with(actor=actor, value=value, request=request, now=now)
    except ProductError as refused:
        if refused.status in {403, 404}:
            note_refusal(
                actor=actor,
                route="decide/",
                status=refused.status,
                ip=ip_of(request),
                now=now,
                rule=refused.code,
            )
        return _after_refusal(request, actor, link, refused)
    return _shown(request, actor, link, queries.get_task(actor, link.task_id), value="")


@transaction.atomic
def decide_with(*, actor: Actor, value: str, request: HttpRequest, now: datetime) -> UserTask:
    """Use the link up and decide, both or neither.

    Raises:
        BadLink, LinkOver: See there.
        SignInFirst: The flow's risk is high, or not said.
        ProductError: Whatever ``decide_task`` refuses.

    Locks:
        The link's row, then the task's.
    """
    link = links.link_of(value, for_update=True)
    links.require_good(link, now)
    if request.POST.get("task", "") != str(link.task_id):
        raise links.BadLink("This link is for something else. Open the mail again.")
    task = queries.get_task(actor, link.task_id)
    if task.risk not in BY_LINK:
        raise SignInFirst("This is to be decided after signing in only; nothing was changed.")
    if task.form_hash:
        raise SignInFirst("There is a form to fill in; sign in, then answer. Nothing was changed.")
    task = commands.decide_task(
        actor=actor,
        task_id=link.task_id,
        outcome=request.POST.get("outcome", ""),
        comment=request.POST.get("comment", "").replace("\r\n", "\n").strip(),
        # What was shown is always asked for here: the link is for that and nothing else.
        seen=request.POST.get("seen", ""),
        heard=views.heard_on(request) or 0,
        now=now,
        origin=origin_of(request, "mail"),
    )
    links.use_link(link, now)
    record(
        who=actor.who,
        workspace_id=task.workspace_id,
        verb="link.use",
        target=Target("task", str(task.pk), task.title),
        details={
            "run": str(task.run_id),
            "link": str(link.pk),
            "ip": ip_of(request),
            "given_at": link.created_at,
        },
        correlation_id=task.run_id,
        flow_id=task.flow_id,
        now=now,
    )
    return task


def _actor(request: HttpRequest, link: DecisionLink) -> Actor:
    """The link's person, if they still belong here and nobody else is signed in."""
    if request.user.is_authenticated and request.user.pk != link.user_id:
        raise LinkOfAnother(
            "This link was sent to somebody else. What waits for you is in your own inbox."
        )
    actor = actor_of_user(link.user, link.workspace_id)
    if actor is None or actor.workspace_id != link.workspace_id:
        raise Forbidden("The person to whom this link was sent has no access any more.")
    return actor


def _shown(
    request: HttpRequest, actor: Actor, link: DecisionLink, task: UserTask, *, value: str
) -> HttpResponse:
    with translation.override(link.user.language or translation.get_language()):
        page = views.task_shown(request, actor, task, link=value, by_link=True)
        page["Content-Language"] = translation.get_language() or ""
    return _kept_secret(page)


def _after_refusal(
    request: HttpRequest, actor: Actor, link: DecisionLink, refused: ProductError
) -> HttpResponse:
    """The sentence with the state of things, for who may still see them, and else alone."""
    try:
        task = queries.get_task(actor, link.task_id)
    except ProductError:
        return _kept_secret(views.refusal_page(request, refused, by_link=True))
    if task.risk not in BY_LINK or isinstance(refused, links.BadLink):
        return _kept_secret(views.refusal_page(request, refused, by_link=True))
    may_try = link.used_at is None and not isinstance(refused, links.LinkOver)
    with translation.override(link.user.language or translation.get_language()):
        page = views.task_shown(
            request,
            actor,
            task,
            refused=refused,
            link=request.POST.get("link", "") if may_try else "",
            by_link=True,
        )
    return _kept_secret(page)


def _task_address(link: DecisionLink) -> str:
    return reverse("inbox-task", args=[link.task_id])


def _kept_secret(response: HttpResponse) -> HttpResponse:
    # The address of the page is a key; not even our own files need to be told it.
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
