from django.apps import AppConfig


class RunsConfig(AppConfig):
    name = "apps.runs"
    label = "runs"

    def ready(self) -> None:
        from apps.core import outbox
        from apps.runs import again

        outbox.register(again.TOPIC, again.start_ordered)
