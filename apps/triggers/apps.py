"""Registers the package with Django, and with what publishing must check and do."""

from django.apps import AppConfig


class TriggersConfig(AppConfig):
    name = "apps.triggers"
    label = "triggers"

    def ready(self) -> None:
        from apps.connections import rotation
        from apps.flows import ports
        from apps.runs.event_ports import register_events
        from apps.triggers import checks, commands, queries, subscriptions
        from apps.triggers.calls import body_context

        ports.register_check(checks.address_is_free)
        ports.register_release(commands.apply_release)
        ports.register_held(queries.held_signals)
        register_events(subscriptions.EVENTS)
        rotation.register(rotation.SealedColumn("triggers.Delivery", "body", body_context))
