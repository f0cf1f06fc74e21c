"""Put a request to people, drive it in this process, and act as anybody."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings

from apps.accounts import commands as people_commands
from apps.accounts.actors import Actor
from apps.accounts.models import Membership, User
from apps.audit.models import AuditEvent
from apps.audit.queries import Row, with_values
from apps.core import clock
from apps.flows.models import Flow
from apps.inbox import commands
from apps.inbox.models import UserTask
from apps.runs.drive import drive_all
from apps.runs.models import Run
from tests.runs.support import Bench, document, outputs
from tests.support import people

__all__ = ["Desk", "approval"]


def approval(**config: Any) -> dict[str, Any]:
    """A document: ask, then one of three ends. ``config`` is the approval's."""
    asked = {
        "title": "Approve the order",
        "assignees": {"users": [], "groups": ["approver"]},
        "rule": {"any": 1},
        "due": "P2D",
        "fields": [{"label": "Amount", "value": "= trigger.body.amount"}],
        **config,
    }
    return document(
        {
            "ask": {"type": "approval", "title": "Approve order", "config": asked},
            "order": {
                "type": "map",
                "title": "Place the order",
                "config": {"fields": {"ok": True}},
            },
            "declined": {
                "type": "stop",
                "title": "Declined",
                "config": {"outcome": "completed", "message": "no"},
            },
            "late": {
                "type": "stop",
                "title": "Too late",
                "config": {"outcome": "failed", "message": "Nobody answered."},
            },
        },
        [
            "trigger -> ask",
            "ask.approved -> order",
            "ask.rejected -> declined",
            "ask.timeout -> late",
        ],
    )


class Desk(Bench):
    """A workspace in which people are asked; ``someone("ada")`` is made on first mention."""

    def __init__(self) -> None:
        self.workspace = people.make_workspace("acme")
        self.owner = self.someone("owner", "builder")

    def someone(self, name: str, *roles: str) -> User:
        """The member of that name, an approver unless other roles are given."""
        found = User.objects.filter(email=f"{name}@acme.test").first()
        return found or people.person(
            self.workspace, *(roles or ("approver",)), email=f"{name}@acme.test"
        )

    def actor(self, user: User) -> Actor:
        return people.actor(user, self.workspace)

    def ask(self, body: Any = None, *, started_by: str = "", **config: Any) -> UserTask:
        """Publish, start and drive one request; returns its task."""
        version = self.publish(approval(**config))
        run_id = self.start(version, body or {"amount": 120}, started_by=started_by)
        drive_all()
        return UserTask.objects.get(run_id=run_id)

    def ask_named(self, *names: str, body: Any = None, **config: Any) -> UserTask:
        """The same, put to these people by name."""
        users = [self.someone(name).email for name in names]
        return self.ask(body, assignees={"users": users, "groups": []}, **config)

    def decide(
        self, task: UserTask, user: User, outcome: str = "approved", **more: Any
    ) -> UserTask:
        return commands.decide_task(
            actor=more.pop("actor", None) or self.actor(user),
            task_id=task.pk,
            outcome=outcome,
            comment=more.pop("comment", ""),
            seen=more.pop("seen", None),
            form_hash=more.pop("form_hash", None),
            answers=more.pop("answers", None),
            now=more.pop("now", None) or clock.now(),
        )

    def team(self, slug: str, *names: str) -> None:
        """A team of these people."""
        team = people_commands.create_team(
            actor=self.actor(self.someone("admin", "admin")),
            slug=slug,
            name=slug.title(),
            now=clock.now(),
        )
        team.group.user_set.add(*(self.someone(name) for name in names))

    def deactivate(self, user: User) -> None:
        """What an administrator does to a leaver."""
        member = Membership.objects.get(user=user, workspace=self.workspace)
        people_commands.change_member(
            actor=self.actor(self.someone("admin", "admin")),
            membership_id=member.pk,
            is_active=False,
            now=clock.now(),
        )

    def run_of(self, task: UserTask) -> Run:
        drive_all()
        return Run.objects.get(pk=task.run_id)

    def output_of(self, task: UserTask) -> Any:
        drive_all()
        return outputs(task.run_id).get(task.step)

    def flow_of(self, task: UserTask) -> Flow:
        return Flow.objects.get(pk=task.flow_id)

    def trail(self, verb: str) -> list[Row]:
        rows = AuditEvent.objects.filter(workspace_id=self.workspace.pk, verb=verb)
        return with_values(rows.order_by("id"))


def move_clock(days: float = 0, **more: float) -> None:
    """Business time goes on, for every process; the sweep does not run."""
    settings.TEST_CLOCK = True
    try:
        clock.advance(by=timedelta(days=days, **more))
    finally:
        settings.TEST_CLOCK = False


def fresh(task: UserTask) -> UserTask:
    return UserTask.objects.get(pk=task.pk)


def ids(values: Any) -> list[UUID]:
    return [one.pk for one in values]
