"""Registers the package with Django, and who checks files with the outbox."""

from django.apps import AppConfig


class RequestsConfig(AppConfig):
    name = "apps.requests"
    label = "requests"

    def ready(self) -> None:
        from apps.core import outbox
        from apps.requests import uploads

        outbox.register("file.check", uploads.check_file)
