"""Tell people about tasks: what ``notices`` needs to know of one, and what it asks about it.

``tell_about`` is what everybody calls who has something to say about a task.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.accounts.models import User
from apps.accounts.queries import actor_of_user
from apps.core import clock
from apps.engine.lifecycle import TaskStatus
from apps.inbox import queries
from apps.inbox.models import TaskAssignee, UserTask
from apps.notices import links
from apps.notices.commands import Subject, tell
from apps.notices.models import Kind, Notice, Urgency
from apps.notices.ports import About

#: What is told only while the task is open, and while the reader, if asked, has yet to answer.
WHILE_OPEN = frozenset({Kind.DECIDE, Kind.REMIND, Kind.ESCALATED, Kind.CHANGED})
#: The risks of flows whose tasks may be answered from a mail; a flow that says nothing is high.
BY_LINK = frozenset({"low", "medium"})


def tell_about(
    task: UserTask,
    people: Iterable[User],
    *,
    kind: Kind,
    key: str,
    now: datetime,
    urgency: Urgency = Urgency.NORMAL,
    words: Callable[[], str] | str = "",
    path: str = "",
) -> int:
    """Tell people something about a task, each once under one ``key``; see ``notices.commands``.

    To be called inside the transaction of what it tells of. ``key`` names the occasion, for
    instance ``f"limit/80/{task.pk}"``; with ``path`` the reader is led elsewhere than to the
    task's own page.
    """
    return tell(
        people=people,
        kind=kind,
        urgency=urgency,
        about=Subject(
            workspace_id=task.workspace_id,
            title=task.title,
            path=path or f"/inbox/{task.pk}/",
            task_id=task.pk,
            flow_id=task.flow_id,
            run_id=task.run_id,
            due_at=task.due_at,
        ),
        key=key,
        words=words,
        now=now,
    )


def tell_assignees(payload: dict[str, Any]) -> None:
    """Handles ``task.opened``: tells everybody a task was put to. Safe to call twice."""
    task = UserTask.objects.filter(pk=payload["task"], status=TaskStatus.OPEN).first()
    if task is None:
        return
    now = clock.now()
    for one in task.assignees.filter(dropped_at__isnull=True).select_related("user"):
        # Who gets it back from whom they gave it to is told again.
        key = f"task/{task.pk}/{one.handed_by_id or ''}"
        tell_about(task, [one.user], kind=Kind.DECIDE, key=key, now=now)


def is_wanted(notice: Notice) -> bool:
    """Whether there is still something to do about it for its reader."""
    if notice.kind not in WHILE_OPEN or notice.task_id is None:
        return True
    if notice.user_id is None:
        return UserTask.objects.filter(pk=notice.task_id, status=TaskStatus.OPEN).exists()
    waiting = tasks_waiting_for(notice.user_id, notice.workspace_id)
    return waiting.filter(pk=notice.task_id).exists()


def tasks_waiting_for(user_id: UUID, workspace_id: UUID) -> QuerySet[UserTask, Any]:
    """The ids of open tasks that were put to this person and not answered, or not put to them.

    Whoever is told of a task without being asked themselves (a manager, say) is told of it while
    it is open; whoever had a place in it and has lost it, or has answered from it, is not.
    """
    places = TaskAssignee.objects.filter(task=OuterRef("pk"), user=user_id)
    answered = queries.answers().filter(Q(user=user_id) | Q(place=user_id), task=OuterRef("pk"))
    return (
        UserTask.objects.for_workspace(workspace_id)
        .filter(
            ~Exists(places) | Exists(places.filter(dropped_at__isnull=True)),
            ~Exists(answered),
            status=TaskStatus.OPEN,
        )
        .values("pk")
    )


def decision_path(notice: Notice, now: datetime) -> str:
    """A link for this mail alone, where the flow's risk lets people answer without signing in."""
    if notice.kind not in WHILE_OPEN or notice.user is None or notice.task_id is None:
        return ""
    task = UserTask.objects.get(pk=notice.task_id)
    asked = TaskAssignee.objects.filter(task=task, user=notice.user, dropped_at__isnull=True)
    if task.risk not in BY_LINK or not asked.exists():
        return ""
    actor = actor_of_user(notice.user, task.workspace_id)
    if actor is None or actor.workspace_id != task.workspace_id:
        return ""
    value = links.make_link(
        workspace_id=task.workspace_id,
        task_id=task.pk,
        user=notice.user,
        until=task.due_at,
        now=now,
    )
    return f"/decide/{value}/"


ABOUT = About(is_wanted, decision_path)
