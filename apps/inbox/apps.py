"""Registers the package with Django, and with the runs whose questions it puts to people."""

from django.apps import AppConfig


class InboxConfig(AppConfig):
    name = "apps.inbox"
    label = "inbox"

    def ready(self) -> None:
        from apps.connections import rotation
        from apps.core import outbox
        from apps.inbox import commands, drafts, escalating, opening, queries, telling
        from apps.inbox.watching import WATCHES
        from apps.notices import ports as notices
        from apps.runs import ports
        from apps.runs.event_ports import register_watches

        ports.register_tasks(
            open_tasks=opening.open_tasks,
            close_tasks=commands.close_tasks,
            close_visits=commands.close_visits,
            find_tasks=queries.open_waits,
            people_asked=queries.people_asked,
        )
        rotation.register(rotation.SealedColumn("inbox.TaskDraft", "answers", drafts.draft_context))
        notices.register_tasks(telling.ABOUT)
        register_watches(WATCHES)
        outbox.register("task.opened", telling.tell_assignees)
        outbox.register("task.moment", escalating.tell_of_moment)
