"""Registers the package with Django, and who checks files with the outbox."""

from django.apps import AppConfig


class RequestsConfig(AppConfig):
    name = "apps.requests"
    label = "requests"

    def ready(self) -> None:
        from apps.connections import rotation
        from apps.core import outbox
        from apps.requests import drafts, uploads

        rotation.register(
            rotation.SealedColumn("requests.RequestDraft", "sealed", drafts.draft_context)
        )
        outbox.register("file.check", uploads.check_file)
