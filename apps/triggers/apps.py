"""Registers the package with Django, and with what publishing must check and do."""

from django.apps import AppConfig


class TriggersConfig(AppConfig):
    name = "apps.triggers"
    label = "triggers"

    def ready(self) -> None:
        from apps.connections import rotation
        from apps.flows import ports
        from apps.triggers import checks, commands
        from apps.triggers.calls import body_context

        ports.register_check(checks.address_is_free)
        ports.register_release(commands.apply_release)
        rotation.register(rotation.SealedColumn("triggers.Delivery", "body", body_context))
