"""Registers the package with Django, and with what publishing must check and do."""

from django.apps import AppConfig


class TriggersConfig(AppConfig):
    name = "apps.triggers"
    label = "triggers"

    def ready(self) -> None:
        from apps.flows import ports
        from apps.triggers import checks, commands

        ports.register_check(checks.address_is_free)
        ports.register_release(commands.apply_release)
