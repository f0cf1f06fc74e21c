from django.apps import AppConfig


class RunsConfig(AppConfig):
    name = "apps.runs"
    label = "runs"

    def ready(self) -> None:
        from apps.core import outbox
        from apps.flows import ports
        from apps.runs import again, samples

        outbox.register(again.TOPIC, again.start_ordered)
        ports.register_begun(samples.keep_trials)
