"""Tell people about tasks: what ``notices`` needs to know of one, and what it asks about it.

``tell_about`` is what everybody calls who has something to say about a task.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.accounts.queries import actor_of_user
from apps.core import clock
from apps.core.errors import ProductError
from apps.engine.lifecycle import TaskStatus
from apps.inbox import queries, rules, standing_in
from apps.inbox.models import TaskAssignee, UserTask
from apps.inbox.permissions import require_decider
from apps.notices import links
from apps.notices.commands import Subject, tell
from apps.notices.models import Kind, Notice, Urgency
from apps.notices.ports import About

#: What is told only while the task is open, and while the reader, if asked, has yet to answer.
WHILE_OPEN = frozenset({Kind.DECIDE, Kind.FILL_IN, Kind.REMIND, Kind.ESCALATED})
#: As what that is told of a task at which nobody decides: somebody fills in a form.
OF_FORM = dict.fromkeys((Kind.DECIDE, Kind.REMIND, Kind.ESCALATED), Kind.FILL_IN)
#: At the end of the key of what is told to who stands in for somebody.
FOR = "/for"
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
    task's own page. What somebody is told as they are to decide, those who stand in for them and
    may decide are told as well, with the name of whom it is for.
    """
    if task.kind == rules.FILL_IN:
        kind = OF_FORM.get(kind, kind)
    told = list(people)
    about = Subject(
        workspace_id=task.workspace_id,
        title=task.title,
        path=path or f"/inbox/{task.pk}/",
        task_id=task.pk,
        flow_id=task.flow_id,
        run_id=task.run_id,
        due_at=task.due_at,
    )
    count = tell(
        people=told, kind=kind, urgency=urgency, about=about, key=key, words=words, now=now
    )
    if kind not in WHILE_OPEN:
        return count
    for user, names in _stand_ins(task, told, now):
        count += tell(
            people=[user],
            kind=kind,
            urgency=urgency,
            about=about,
            key=f"{key}{FOR}",
            words=partial(_said_for, names, words),
            in_chat=False,
            now=now,
        )
    return count


def _stand_ins(
    task: UserTask, people: Collection[User], now: datetime
) -> Iterator[tuple[User, list[str]]]:
    """Who stands in for these people and may decide now, with their names; not who is asked too."""
    names = {one.pk: one.get_full_name() for one in people}
    found = standing_in.stand_ins(task, names, now)
    if not found:
        return
    asked = set(task.assignees.filter(dropped_at__isnull=True).values_list("user_id", flat=True))
    for user in User.objects.filter(pk__in=set(found) - asked).order_by("email"):
        if _may_decide_for_others(user, task, now):
            yield user, [names[one] for one in found[user.pk]]


def _may_decide_for_others(user: User, task: UserTask, now: datetime) -> bool:
    """Whether somebody who is not asked can answer in the place of one who has yet to."""
    actor = actor_of_user(user, task.workspace_id)
    if actor is None or actor.workspace_id != task.workspace_id:
        return False
    try:
        seat = require_decider(actor, task, now)
    except ProductError:
        return False
    given = queries.answers().filter(task=task)
    return not given.filter(Q(user=user) | Q(place=seat.place)).exists()


def _said_for(names: Sequence[str], words: Callable[[], str] | str) -> str:
    said = words() if callable(words) else words
    whom = gettext("This is for %(names)s, for whom you stand in.") % {"names": ", ".join(names)}
    return f"{whom}\n\n{said}" if said else whom


def tell_assignees(payload: dict[str, Any]) -> None:
    """Handles ``task.opened``: tells everybody a task was put to. Safe to call twice."""
    task = UserTask.objects.filter(pk=payload["task"], status=TaskStatus.OPEN).first()
    if task is None:
        return
    by_key: dict[str, list[User]] = {}
    for one in task.assignees.filter(dropped_at__isnull=True).select_related("user"):
        # Who gets it back from whom they gave it to is told again.
        by_key.setdefault(f"task/{task.pk}/{one.handed_by_id or ''}", []).append(one.user)
    for key, people in by_key.items():
        tell_about(task, people, kind=Kind.DECIDE, key=key, now=clock.now())


def is_wanted(notice: Notice) -> bool:
    """Whether there is still something to do about it for its reader."""
    if notice.kind not in WHILE_OPEN or notice.task_id is None:
        return True
    if notice.user_id is None:
        open_now = UserTask.objects.filter(status=TaskStatus.OPEN, settles_at__isnull=True)
        return open_now.filter(pk=notice.task_id).exists()
    waiting = tasks_waiting_for(notice.user_id, notice.workspace_id)
    if notice.user is not None and notice.key.endswith(f"{FOR}/{notice.user_id}"):
        task = UserTask.objects.filter(pk__in=waiting).filter(pk=notice.task_id).first()
        return task is not None and _may_decide_for_others(notice.user, task, clock.now())
    return waiting.filter(pk=notice.task_id).exists()


def tasks_waiting_for(user_id: UUID, workspace_id: UUID) -> QuerySet[UserTask, Any]:
    """The ids of tasks to decide that were put to this person and not answered, or not to them.

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
            settles_at__isnull=True,
        )
        .values("pk")
    )


def decision_path(notice: Notice, now: datetime) -> str:
    """A link for this mail alone, where the flow's risk lets people answer without signing in."""
    if notice.kind not in WHILE_OPEN or notice.user is None or notice.task_id is None:
        return ""
    task = UserTask.objects.get(pk=notice.task_id)
    asked = TaskAssignee.objects.filter(task=task, user=notice.user, dropped_at__isnull=True)
    # What is to be filled in is filled in on the page.
    if task.form_hash or task.risk not in BY_LINK or not asked.exists():
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
