"""The trail and its seals, to read and to search."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.audit import queries
from apps.audit.models import AuditEvent, AuditSeal
from apps.operations.governance.base import RecordAdmin
from apps.operations.governance.site import workspace_of


@admin.register(AuditEvent)
class EventAdmin(RecordAdmin):
    """Rows of the trail; the search looks into names, reasons and values."""

    list_display = ("at", "verb", "who", "what", "why")
    list_filter = ("actor_kind",)
    search_fields = ("verb",)
    ordering = ("-id",)
    fields = ("at", "verb", "who", "what", "why", "on_behalf_of", "correlation_id", "commitments")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEvent], search_term: str
    ) -> tuple[QuerySet[AuditEvent], bool]:
        if not search_term:
            return queryset, False
        workspace_id = workspace_of(request)
        found = queryset.filter(verb__startswith=search_term).values("pk")
        if workspace_id is None:
            return queryset.filter(pk__in=found), False
        by_words = queries.audit_rows(workspace_id, search=search_term).values("pk")
        return queryset.filter(pk__in=by_words) | queryset.filter(pk__in=found), False

    @admin.display(description="Who")
    def who(self, row: AuditEvent) -> str:
        return queries.with_values([row])[0].text("actor.label") or row.actor_id

    @admin.display(description="What")
    def what(self, row: AuditEvent) -> str:
        label = queries.with_values([row])[0].text("target.label")
        return f"{row.target_type} {label or row.target_id}"

    @admin.display(description="Why")
    def why(self, row: AuditEvent) -> str:
        return queries.with_values([row])[0].text("reason") or ""


@admin.register(AuditSeal)
class SealAdmin(RecordAdmin):
    """Seals: each signs the rows since the one before."""

    list_display = ("number", "kind", "at", "count", "key")
    workspace_field = ""
    ordering = ("-number",)
