"""Whom a task is put to beyond those who are named: one of several, a manager, a group instead."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Count

from apps.accounts import places
from apps.accounts.models import User
from apps.accounts.queries import people_in
from apps.audit.commands import record
from apps.audit.records import Target, Who
from apps.core import outbox
from apps.inbox.duties import Case, kept_apart
from apps.inbox.models import LastTurn, TaskAssignee, UserTask
from apps.inbox.standing_in import away

ALL, ROUND_ROBIN, LEAST_LOADED = "all", "round_robin", "least_loaded"

#: Somebody, and the group through which they were found, if any.
Found = tuple[User, str]


def manager_of(workspace_id: UUID, email: str, now: datetime) -> User | None:
    """Who leads that person today and may be asked; None where nobody is known."""
    leads = places.manager_on(workspace_id, email, places.today(workspace_id, now))
    if leads is None:
        return None
    return next(iter(people_in(workspace_id, users=[leads.email])), None)


@dataclass
class Turns:
    """Whose turn it is, over one batch of tasks; ``keep`` writes it down for the next."""

    now: datetime
    _last: dict[tuple[UUID, str, UUID], tuple[datetime, int]] = field(default_factory=dict)
    _load: Counter[tuple[UUID, UUID]] = field(default_factory=Counter)
    _known: set[tuple[UUID, UUID]] = field(default_factory=set)
    _given: set[tuple[UUID, str, UUID]] = field(default_factory=set)

    def one_of(self, pick: str, task: UserTask, people: Sequence[Found]) -> list[Found]:
        """The one whose turn it is, or who has least to do; all where everybody is asked.

        Who is out of office is passed over where others are there.
        """
        if pick == ALL or len(people) < 2:
            return list(people)
        gone = away(task.workspace_id, [user.pk for user, _ in people], self.now)
        here = [one for one in people if one[0].pk not in gone] or list(people)
        ids = [user.pk for user, _ in here]
        self._read(task, ids)
        chosen = min(here, key=lambda one: self._place(pick, task, one[0]))
        key = (task.flow_id, task.step, chosen[0].pk)
        self._last[key] = (self.now, len(self._given) + 1)
        self._given.add(key)
        self._load[(task.workspace_id, chosen[0].pk)] += 1
        return [chosen]

    def keep(self) -> None:
        """Write down who had a turn."""
        rows = [
            LastTurn(flow_id=flow_id, step=step, user_id=user_id, at=self.now)
            for flow_id, step, user_id in sorted(self._given)
        ]
        LastTurn.objects.bulk_create(
            rows,
            update_conflicts=True,
            update_fields=["at"],
            unique_fields=["flow_id", "step", "user"],
        )

    def _read(self, task: UserTask, ids: Collection[UUID]) -> None:
        rows = LastTurn.objects.filter(flow_id=task.flow_id, step=task.step, user__in=ids)
        for user_id, at in rows.values_list("user_id", "at"):
            self._last.setdefault((task.flow_id, task.step, user_id), (at, 0))
        fresh = [one for one in ids if (task.workspace_id, one) not in self._known]
        open_ones = TaskAssignee.objects.filter(
            user__in=fresh,
            workspace_id=task.workspace_id,
            is_open=True,
            dropped_at__isnull=True,
        )
        for row in open_ones.values("user_id").annotate(n=Count("pk")).order_by():
            self._load[(task.workspace_id, row["user_id"])] += row["n"]
        self._known |= {(task.workspace_id, one) for one in fresh}

    def _place(self, pick: str, task: UserTask, user: User) -> tuple[int, bool, float, int, str]:
        load = self._load[(task.workspace_id, user.pk)] if pick == LEAST_LOADED else 0
        last = self._last.get((task.flow_id, task.step, user.pk))
        at, number = last or (self.now, 0)
        return load, last is not None, at.timestamp(), number, user.email


def ask_fallback(task: UserTask, now: datetime) -> bool:
    """Put an open task to the group that stands in, as nobody else can answer; whether it could.

    The flow's owner is told. The caller holds the task's row.
    """
    people = fallback_people(task, now)
    asked = {row.user_id for row in task.assignees.all()}
    fresh = [one for one in people if one[0].pk not in asked]
    if not fresh:
        return False
    TaskAssignee.objects.bulk_create(
        TaskAssignee(
            task=task,
            workspace_id=task.workspace_id,
            user=user,
            via=via,
            is_fallback=True,
        )
        for user, via in fresh
    )
    tell_fallback(task, now)
    outbox.enqueue(topic="task.opened", payload={"task": str(task.pk)}, now=now)
    record(
        who=Who(kind="system", id="system", label="Signalbox"),
        workspace_id=task.workspace_id,
        verb="task.fallback",
        target=Target("task", str(task.pk), task.title),
        details={"groups": task.fallback, "people": [user.email for user, _ in fresh]},
        correlation_id=task.run_id,
        flow_id=task.flow_id,
        now=now,
    )
    return True


def fallback_people(task: UserTask, now: datetime) -> list[Found]:
    """Who may answer of the groups that stand in."""
    found: dict[UUID, Found] = {}
    for group in task.fallback:
        for user in people_in(task.workspace_id, teams=[group]):
            found.setdefault(user.pk, (user, group))
    case = Case.of(task, places.today(task.workspace_id, now))
    apart = kept_apart(case, list(found), unknown_may=True)
    return [one for user_id, one in found.items() if user_id not in apart]


def tell_fallback(task: UserTask, now: datetime) -> None:
    """Let the flow's owner know that the group that stands in was asked."""
    outbox.enqueue(topic="task.fallback", payload={"task": str(task.pk)}, now=now)
