"""What every list of the console shares: nothing can be added, changed or deleted by itself."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst

from apps.accounts.actors import Actor
from apps.core.errors import ProductError
from apps.operations.governance.site import actor_in_admin, words_for, workspace_of


class RecordAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A list to read. No add, change, delete or bulk action; only the caller's workspace."""

    actions: Any = None
    list_per_page = 50
    show_full_result_count = False
    #: The path from the model to its workspace's id; empty where rows belong to all.
    workspace_field = "workspace_id"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        rows = super().get_queryset(request)
        workspace_id = workspace_of(request)
        if workspace_id is None or not self.workspace_field:
            return rows
        return rows.filter(**{self.workspace_field: workspace_id})

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list under the words of the front page; nothing is selected in it."""
        more = {"title": self._list_title(), **(extra_context or {})}
        return super().changelist_view(request, more)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """One row under what it is; its name stands below."""
        words = capfirst(self.opts.verbose_name)
        more = {"title": words, "list_title": self._list_title(), **(extra_context or {})}
        answer: HttpResponse = super().changeform_view(request, object_id, form_url, more)
        return answer

    def _list_title(self) -> str:
        return words_for(self.opts.label) or str(capfirst(self.opts.verbose_name_plural))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.admin_site.has_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.admin_site.has_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def log_addition(self, *_args: Any) -> Any:
        return None

    def log_change(self, *_args: Any) -> Any:
        """Django's own log is not written: the trail has the row, from the command."""
        return None


class CommandForm(forms.ModelForm):  # type: ignore[type-arg]
    """A change with a reason; saving it calls a command, never the model."""

    reason = forms.CharField(
        max_length=500, help_text="Stands in the trail.", widget=forms.TextInput({"size": 60})
    )


class CommandAdmin(RecordAdmin):
    """A list whose rows can be changed, each change through the app's own command."""

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        actor = actor_in_admin(request)
        return actor.is_superuser or "admin" in actor.roles

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        actor = actor_for(request, getattr(obj, "workspace_id"))  # noqa: B009 - models differ
        try:
            self.command(actor, obj, form.cleaned_data)
        except ProductError as refused:
            messages.error(request, refused.message)
            request._refused = True  # type: ignore[attr-defined]  # noqa: SLF001 - read below

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Nothing beside the command writes."""

    def message_user(self, request: HttpRequest, message: Any, *args: Any, **more: Any) -> None:
        if not getattr(request, "_refused", False):
            super().message_user(request, message, *args, **more)

    def command(self, actor: Actor, obj: Model, wanted: dict[str, Any]) -> None:
        """Do the change. Raises ``ProductError`` where it is refused."""
        raise NotImplementedError


def actor_for(request: HttpRequest, workspace_id: UUID) -> Actor:
    """Who acts, in the workspace of what is changed; superusers act as its administrators."""
    actor = actor_in_admin(request)
    if actor.is_superuser and actor.workspace_id != workspace_id:
        return replace(actor, workspace_id=workspace_id, roles=actor.roles | {"admin"})
    return actor
