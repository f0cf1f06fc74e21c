"""Registers the package with Django."""

from django.apps import AppConfig


class FlowsConfig(AppConfig):
    name = "apps.flows"
    label = "flows"

    def ready(self) -> None:
        from apps.steps import registry

        # Loading the step types takes most of a second; no request and no driver waits for it.
        registry.catalogue()
