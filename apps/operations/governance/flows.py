"""Flows with owner, state, versions and last run; triggers; runs and tasks."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import formats
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from apps.accounts.actors import Actor
from apps.accounts.models import User
from apps.accounts.queries import grants_on
from apps.flows import commands
from apps.flows.models import Flow, FlowState, FlowVersion
from apps.inbox.models import UserTask
from apps.operations.governance import numbers
from apps.operations.governance.base import CommandAdmin, CommandForm, RecordAdmin
from apps.operations.governance.site import now, workspace_of
from apps.runs.models import Run
from apps.runs.queries import real
from apps.triggers.models import Trigger

BREAK = SafeString("<br>")  # a constant of ours; names and notes beside it are escaped


class OwnerFilter(admin.SimpleListFilter):
    """Flows that nobody answers for."""

    title = "owner"
    parameter_name = "owner"

    def lookups(self, _request: HttpRequest, _admin: Any) -> list[tuple[str, str]]:
        return [("none", "Nobody")]

    def queryset(self, request: HttpRequest, rows: QuerySet[Model]) -> QuerySet[Model]:
        if self.value() == "none":
            ownerless = numbers.ownerless_flows(workspace_of(request))
            return rows.filter(pk__in=ownerless.values("pk"))
        return rows


class FlowForm(CommandForm):
    """State and owner."""

    class Meta:
        model = Flow
        fields: ClassVar = ["state", "owner"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "owner" in self.fields:
            owners: forms.ModelChoiceField[User] = self.fields["owner"]  # type: ignore[assignment]
            owners.queryset = User.objects.filter(
                memberships__workspace_id=self.instance.workspace_id,
                memberships__is_active=True,
                is_active=True,
            )


@admin.register(Flow)
class FlowAdmin(CommandAdmin):
    """Flows. What they do is drawn and published in the app; who answers for them is set here."""

    form = FlowForm
    list_display = ("name", "owner", "state", "version", "last_run", "updated_at")
    list_filter = ("state", OwnerFilter)
    search_fields = ("name", "owner__email")
    list_select_related = ("owner", "active_version")
    readonly_fields = ("name", "version", "versions", "last_run", "who_may")
    fields = ("name", "state", "owner", "version", "versions", "last_run", "who_may", "reason")

    @admin.display(description="Active version")
    def version(self, row: Flow) -> str:
        return str(row.active_version.number) if row.active_version else "none"

    @admin.display(description="Versions")
    def versions(self, row: Flow) -> SafeString | str:
        lines = FlowVersion.objects.filter(flow=row).select_related("author")[:20]
        return (
            format_html_join(
                BREAK,
                "{} · {} · {} · {}",
                ((one.number, one.hash[:12], one.author or "", one.note) for one in lines),
            )
            or "none"
        )

    @admin.display(description="Last run")
    def last_run(self, row: Flow) -> str:
        run = real(Run.objects.filter(flow_id=row.pk)).order_by("-id").first()
        if run is None:
            return "none"
        return f"{run.status}, {formats.date_format(run.created_at, 'DATETIME_FORMAT')}"

    @admin.display(description="Who may do what")
    def who_may(self, row: Flow) -> SafeString | str:
        granted = grants_on(row.workspace_id, row.pk)
        return (
            format_html_join(
                BREAK,
                "{}: {}",
                (
                    (one["subject"].get("name") or one["subject"]["id"], ", ".join(one["rights"]))
                    for one in granted
                ),
            )
            or "Roles only; no rights of its own."
        )

    def command(self, actor: Actor, obj: Model, wanted: dict[str, Any]) -> None:
        before = Flow.objects.get(pk=obj.pk)
        do = {
            FlowState.PAUSED: commands.pause_flow,
            FlowState.ACTIVE: commands.resume_flow,
            FlowState.ARCHIVED: commands.archive_flow,
        }
        owner = wanted.get("owner")
        if owner is not None and owner.pk != before.owner_id:
            commands.give_flow(actor=actor, flow_id=obj.pk, owner_id=owner.pk, now=now())
        if wanted["state"] != before.state:
            do[wanted["state"]](actor=actor, flow_id=obj.pk, reason=wanted["reason"], now=now())


@admin.register(FlowVersion)
class VersionAdmin(RecordAdmin):
    """Published versions; the database refuses every change of one."""

    list_display = ("flow", "number", "hash", "author", "note", "created_at")
    search_fields = ("flow__name", "hash")
    list_select_related = ("flow", "author")


@admin.register(Trigger)
class TriggerAdmin(RecordAdmin):
    """How signals reach flows; changed by publishing."""

    list_display = ("flow", "type", "path", "enabled", "secret_name", "updated_at")
    list_filter = ("type", "enabled")
    search_fields = ("flow__name", "path")
    list_select_related = ("flow",)


class FailedFilter(admin.SimpleListFilter):
    """Runs that failed since midnight."""

    title = "failed"
    parameter_name = "failed"

    def lookups(self, _request: HttpRequest, _admin: Any) -> list[tuple[str, str]]:
        return [("today", "Today")]

    def queryset(self, request: HttpRequest, rows: QuerySet[Model]) -> QuerySet[Model]:
        if self.value() == "today":
            failed = numbers.failed_today(workspace_of(request), now())
            return rows.filter(pk__in=failed.values("pk"))
        return rows


class StuckFilter(admin.SimpleListFilter):
    """Runs that make no progress for too long."""

    title = "stuck"
    parameter_name = "stuck"

    def lookups(self, _request: HttpRequest, _admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Yes")]

    def queryset(self, request: HttpRequest, rows: QuerySet[Model]) -> QuerySet[Model]:
        if self.value() == "yes":
            return rows.filter(pk__in=numbers.stuck_runs(workspace_of(request)).values("pk"))
        return rows


@admin.register(Run)
class RunAdmin(RecordAdmin):
    """Runs; what happened in one is shown in the app."""

    list_display = ("id", "status", "trigger_type", "started_by", "created_at", "finished_at")
    list_filter = ("status", FailedFilter, StuckFilter)
    ordering = ("-id",)


class OverdueFilter(admin.SimpleListFilter):
    """Open tasks whose time is over."""

    title = "overdue"
    parameter_name = "overdue"

    def lookups(self, _request: HttpRequest, _admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Yes")]

    def queryset(self, request: HttpRequest, rows: QuerySet[Model]) -> QuerySet[Model]:
        if self.value() == "yes":
            overdue = numbers.overdue_tasks(workspace_of(request), now())
            return rows.filter(pk__in=overdue.values("pk"))
        return rows


@admin.register(UserTask)
class TaskAdmin(RecordAdmin):
    """Questions put to people; answered in the inbox, by those they were put to."""

    list_display = ("title", "status", "outcome", "due_at", "opened_at", "closed_at")
    list_filter = ("status", OverdueFilter)
    search_fields = ("title",)
    ordering = ("-id",)
