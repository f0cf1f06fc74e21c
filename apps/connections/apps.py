"""Registers the package with Django, and its sealed columns with the rotation."""

from django.apps import AppConfig


class ConnectionsConfig(AppConfig):
    name = "apps.connections"
    label = "connections"

    def ready(self) -> None:
        from apps.connections import rotation, vault
        from apps.connections.queries import value_context

        for column in ("ciphertext", "previous"):
            rotation.register(rotation.SealedColumn("connections.Secret", column, value_context))
        # A key that is none is found at the start, not when the first secret is needed.
        vault.current_mark()
