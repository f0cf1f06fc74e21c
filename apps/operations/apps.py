"""Registers the package with Django, and with the outbox what people are told."""

from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "apps.operations"
    label = "operations"

    def ready(self) -> None:
        from apps.core import outbox
        from apps.notices import ports
        from apps.operations import alerts

        outbox.register("run.failed", alerts.tell_of_failed_run)
        outbox.register("run.engine_fault", alerts.tell_of_held_run)
        outbox.register("run.stuck", alerts.tell_of_stuck_run)
        outbox.register("task.too_few", alerts.tell_of_too_few)
        outbox.register("task.fallback", alerts.tell_of_fallback)
        outbox.register("task.rung_empty", alerts.tell_of_empty_rung)
        outbox.register("task.change_failed", alerts.tell_of_failed_change)
        outbox.register("task.unreadable_event", alerts.tell_of_unreadable_event)
        outbox.register("event.too_deep", alerts.tell_of_circle)
        outbox.register("start.refused", alerts.tell_of_refused_start)
        ports.register_app(alerts.show_notice)
