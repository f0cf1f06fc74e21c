"""Every shared read about tasks. A badge and the list it counts are the same query."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from apps.accounts.actors import Actor
from apps.accounts.permissions import has_right
from apps.core.errors import NotFound
from apps.flows.models import Flow
from apps.inbox.models import Decision, TaskAssignee, UserTask


def open_tasks(actor: Actor) -> QuerySet[UserTask]:
    """The tasks the actor may act on now, newest first.

    Left out are those the actor has answered already while others have not.
    """
    if actor.user_id is None:
        return UserTask.objects.none()
    mine = TaskAssignee.objects.filter(
        task=OuterRef("pk"), user_id=actor.user_id, is_open=True, dropped_at__isnull=True
    )
    answered = Decision.objects.filter(task=OuterRef("pk"), user_id=actor.user_id)
    return (
        UserTask.objects.for_workspace(actor.workspace_id)
        .filter(Exists(mine), ~Exists(answered), status="open")
        .select_related("requester")
        .order_by("-id")
    )


def done_tasks(actor: Actor) -> QuerySet[UserTask]:
    """The tasks that were put to the actor and are not theirs to act on any more."""
    if actor.user_id is None:
        return UserTask.objects.none()
    mine = TaskAssignee.objects.filter(task=OuterRef("pk"), user_id=actor.user_id)
    return (
        UserTask.objects.for_workspace(actor.workspace_id)
        .filter(Exists(mine))
        .exclude(pk__in=open_tasks(actor).values("pk"))
        .select_related("requester")
        .order_by("-id")
    )


def get_task(actor: Actor, task_id: UUID) -> UserTask:
    """One task, for those it was put to and those who may view its flow's runs.

    Raises:
        NotFound: There is none, or not for this actor.
    """
    task = (
        UserTask.objects.for_workspace(actor.workspace_id)
        .select_related("requester")
        .filter(pk=task_id)
        .first()
    )
    if task is None or not (is_assignee(actor, task) or has_right(actor, "run.view", task.flow_id)):
        raise NotFound("There is no such task, or it is not for you.")
    return task


def is_assignee(actor: Actor, task: UserTask) -> bool:
    """Whether the task was put to the actor and they have not lost it."""
    return (
        actor.user_id is not None
        and TaskAssignee.objects.filter(
            task=task, user_id=actor.user_id, dropped_at__isnull=True
        ).exists()
    )


def flow_names(tasks: Iterable[UserTask]) -> dict[UUID, str]:
    """Names of the flows of a page of tasks."""
    ids = {task.flow_id for task in tasks}
    return dict(Flow.objects.filter(pk__in=ids).values_list("pk", "name"))


def decisions_of(task: UserTask) -> list[Decision]:
    """What people have answered, oldest first."""
    return list(task.decisions.select_related("user"))


def names_of_assignees(task: UserTask) -> list[str]:
    """Names of those who may answer."""
    rows = task.assignees.filter(dropped_at__isnull=True).select_related("user")
    return [row.user.get_full_name() for row in rows.order_by("user__name", "user__email")]
