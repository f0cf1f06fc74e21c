"""Registers the package with Django, and its mails with the outbox."""

from typing import Any

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "apps.accounts"
    label = "accounts"

    def ready(self) -> None:
        from apps.accounts import commands
        from apps.core import clock, outbox

        def send_invitation(payload: dict[str, Any]) -> None:
            commands.send_invitation(invitation_id=payload["invitation_id"], now=clock.now())

        def send_reset(payload: dict[str, Any]) -> None:
            commands.send_reset(email=payload["email"], now=clock.now())

        outbox.register("accounts.invitation", send_invitation)
        outbox.register("accounts.reset", send_reset)
