"""The page of a task's evidence, to be read and printed. Server-rendered; needs no script."""

from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.accounts.actors import Actor
from apps.accounts.authentication import actor_of
from apps.accounts.callers import ip_of
from apps.accounts.commands import note_refusal
from apps.accounts.models import User
from apps.accounts.permissions import has_right
from apps.accounts.queries import zone_of
from apps.core import clock
from apps.core.errors import ProductError
from apps.inbox import evidence


@never_cache
@require_safe
@login_required
def evidence_page(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Who decided, for whom, by which grant, on what, and what else happened to the task."""
    actor = actor_of(request)
    try:
        found = evidence.evidence_of(actor, task_id)
    except ProductError as refused:
        note_refusal(
            actor=actor,
            route="inbox/<uuid:task_id>/evidence/",
            status=refused.status,
            ip=ip_of(request),
            now=clock.now(),
        )
        said = {"heading": gettext("There is nothing here for you"), "message": refused.message}
        return render(request, "inbox/refused.html", said, status=refused.status)
    is_auditor = has_right(actor, "audit.view")
    context = {
        **evidence.page_of(found, zone=_zone(request, actor)),
        "is_auditor": is_auditor,
        "may_take": not is_auditor or has_right(actor, "export.read"),
        "sees_run": has_right(actor, "run.view", found.task.flow_id),
    }
    return render(request, "inbox/evidence.html", context)


def _zone(request: HttpRequest, actor: Actor) -> ZoneInfo:
    own = request.user.zone if isinstance(request.user, User) else ""
    return ZoneInfo(own or zone_of(actor.workspace_id))
