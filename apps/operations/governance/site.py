"""The admin site: who gets in, and the front page of numbers to act on."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from apps.accounts.actors import Actor
from apps.accounts.authentication import actor_of
from apps.accounts.queries import administrators
from apps.core import clock

#: What stands together on the front page: a heading and ``app.Model`` with the word people use.
GROUPS: Mapping[str, Mapping[str, str]] = {
    "People": {
        "accounts.Membership": "People and roles",
        "accounts.Team": "Roles and teams",
        "accounts.ApiToken": "Tokens",
        "accounts.Workspace": "Workspaces",
    },
    "Flows": {
        "flows.Flow": "Flows",
        "flows.FlowVersion": "Versions",
        "triggers.Trigger": "Triggers",
    },
    "Work": {"runs.Run": "Runs", "inbox.UserTask": "Tasks"},
    "Trail": {"audit.AuditEvent": "What happened", "audit.AuditSeal": "Seals"},
}


class GovernanceSite(AdminSite):
    """For superusers and for the administrators and auditors of a workspace."""

    site_header = _("Signalbox governance")
    site_title = _("Signalbox")
    index_title = _("What needs attention")
    site_url = "/"
    index_template = "admin/front.html"
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        if not request.user.is_active:
            return False
        actor = _actor(request)
        return actor is not None and (
            actor.is_superuser or bool(actor.roles & {"admin", "auditor"})
        )

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The product's own sign-in, so that its throttling holds here too."""
        if request.user.is_authenticated:
            return HttpResponseRedirect("/") if self.has_permission(request) else _no_right(request)
        target = request.GET.get("next") or request.get_full_path()
        return HttpResponseRedirect(f"{resolve_url('/sign-in/')}?{urlencode({'next': target})}")

    def logout(  # type: ignore[override] # a redirect will do; Django asks for a page
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return HttpResponseRedirect("/sign-out/")

    def password_change(  # type: ignore[override] # as above
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The product's own page, whose command ends the other sessions and writes the trail."""
        return HttpResponseRedirect("/account/")

    def get_app_list(
        self, request: HttpRequest, app_label: str | None = None
    ) -> list[dict[str, Any]]:
        """Our groups and words in the place of Django's applications and model names."""
        models = {
            f"{app['app_label']}.{model['object_name']}": model
            for app in super().get_app_list(request, app_label)
            for model in app["models"]
        }
        groups = [
            {
                "name": heading,
                "app_label": heading.lower(),
                "app_url": "",
                "has_module_perms": True,
                "models": [
                    {**models[name], "name": words}
                    for name, words in named.items()
                    if name in models
                ],
            }
            for heading, named in GROUPS.items()
        ]
        return [group for group in groups if group["models"]]

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        # Its models exist only once the applications are loaded; the site is made before.
        from apps.operations.governance import numbers  # noqa: PLC0415

        found = numbers.front_page(workspace_of(request), now=clock.now())
        return super().index(request, {**(extra_context or {}), "numbers": found})

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Every page says where everything is stopped."""
        from apps.runs import stopping  # noqa: PLC0415 - as above

        actor = _actor(request)
        stop = stopping.stop_of(actor.workspace_id) if actor else None
        return {**super().each_context(request), "stop": stop}


def words_for(label: str) -> str:
    """What people call a model, as the front page lists it; ``label`` is ``app.Model``."""
    return next((named[label] for named in GROUPS.values() if label in named), "")


def _no_right(request: HttpRequest) -> HttpResponse:
    """What the console needs and whom to ask; it names nothing that is inside."""
    actor = _actor(request)
    context = {"admins": administrators(actor.workspace_id) if actor else []}
    return render(request, "admin/no_right.html", context, status=403)


def _actor(request: HttpRequest) -> Actor | None:
    actor: Actor | None = getattr(request, "actor", None)
    return actor


def actor_in_admin(request: HttpRequest) -> Actor:
    """Who acts; the site lets nobody else in."""
    return actor_of(request)


def workspace_of(request: HttpRequest) -> UUID | None:
    """The workspace whose rows are shown; ``None`` for superusers, who see all."""
    actor = _actor(request)
    if actor is None or actor.is_superuser:
        return None
    return actor.workspace_id


def now() -> datetime:
    """Business time for the commands called from here."""
    return clock.now()
