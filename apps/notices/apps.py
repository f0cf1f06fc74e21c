"""Registers the package with Django, its sending with the outbox, its seals with the rotation."""

from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "apps.notices"
    label = "notices"

    def ready(self) -> None:
        from apps.connections import rotation
        from apps.core import outbox
        from apps.notices import models, sending

        outbox.register("notice.deliver", sending.deliver)
        for model, context in (
            ("PushSubscription", models.subscription_context),
            ("ChatHook", models.hook_context),
            ("PushKey", models.key_context),
        ):
            rotation.register(rotation.SealedColumn(f"notices.{model}", "sealed", context))
