"""The ledger: who did what to what, and why."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "apps.audit"
    label = "audit"

    def ready(self) -> None:
        from apps.audit.keys import signing_keys

        # A key that is none is found at the start, not when the first seal is due.
        signing_keys()
