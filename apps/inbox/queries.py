"""Every shared read about tasks. A badge and the list it counts are the same query."""

from collections.abc import Collection, Iterable
from typing import Any, Literal
from uuid import UUID

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet, prefetch_related_objects
from django.db.models.functions import Coalesce

from apps.accounts.actors import Actor
from apps.accounts.models import Membership, Team, User
from apps.accounts.permissions import DECIDING_ROLES, has_right
from apps.core import clock
from apps.core.errors import NotFound
from apps.engine.lifecycle import TaskStatus
from apps.flows.models import Flow
from apps.inbox import course, duties, stages, standing_in
from apps.inbox.models import Decision, DutyException, TaskAssignee, UserTask
from apps.inbox.permissions import is_assignee, require_view, stands_in_for

#: More than that are counted as that many; the badge says "999+".
MOST_COUNTED = 1000
#: What waits for a person: all of it, or one of its three parts.
View = Literal["all", "mine", "groups", "delegated"]


def count_open(actor: Actor, view: View = "all") -> int:
    """The badge: how many ``open_tasks`` has, up to 1,000."""
    return counted(open_tasks(actor, view))


def counted(tasks: QuerySet[UserTask]) -> int:
    """How many a list has, up to 1,000; in whatever order is quickest."""
    return tasks.order_by()[:MOST_COUNTED].count()


def open_tasks(actor: Actor, view: View = "all") -> QuerySet[UserTask]:
    """The tasks the actor may act on now, newest first; or those of one view of them.

    ``mine``: put to them by name, or taken by them. ``groups``: put to one of their groups.
    ``delegated``: of those for whom they stand in. Each task is in one of the three. Left out are
    those the actor has answered already while others have not, and what is decided and held.
    """
    require_view(actor)
    if actor.user_id is None:
        return UserTask.objects.none()
    return (
        _waiting(actor, actor.user_id, view)
        .filter(
            ~Exists(answers().filter(_given_by(actor.user_id), task=OuterRef("pk"))),
            status=TaskStatus.OPEN,
            settles_at__isnull=True,
        )
        .select_related("requester")
        .order_by("-id")
    )


def _waiting(actor: Actor, user_id: UUID, view: View) -> QuerySet[UserTask]:
    """Tasks with a place that is the actor's, or that they can take."""
    if view == "mine":
        named = TaskAssignee.objects.filter(
            user=user_id,
            workspace_id=actor.workspace_id,
            via="",
            is_open=True,
            dropped_at__isnull=True,
        )
        taken = UserTask.objects.filter(claimed_by=user_id, status=TaskStatus.OPEN)
        either = named.values("task").union(taken.values("pk"))
        return _own(actor, user_id, Q(pk__in=either))
    if view == "groups":
        return _own(actor, user_id, Q(assignees__via__gt="", claimed_by__isnull=True))
    found = standing_in.reaches(actor.workspace_id, user_id, clock.now())
    if not found:
        return _own(actor, user_id, Q()) if view == "all" else UserTask.objects.none()
    waits = Q(pk__in=[])
    for reach in found:
        waits |= Q(
            Exists(_seats(actor, reach.person_id)),
            ~Exists(answers().filter(task=OuterRef("pk"), place=reach.person_id)),
            ~Q(requester=user_id, allow_requester=False),
            ~Q(requester=reach.person_id, allow_requester=False),
            ~duties.authored_by(user_id),
            reach.condition(),
            _free_for(reach.person_id),
        )
    people = {reach.person_id for reach in found}
    if view == "all":
        waits |= Exists(_seats(actor, user_id)) & _free_for(user_id)
        people.add(user_id)
    else:
        waits &= ~Exists(_seats(actor, user_id)) | ~_free_for(user_id)
    # Says nothing new, but leads to the few tasks of people who have few.
    asked = TaskAssignee.objects.filter(
        user__in=people, workspace_id=actor.workspace_id, is_open=True, dropped_at__isnull=True
    )
    tasks = UserTask.objects.for_workspace(actor.workspace_id).filter(pk__in=asked.values("task"))
    return standing_in.with_amounts(tasks, found).filter(waits)


def _own(actor: Actor, user_id: UUID, which: Q) -> QuerySet[UserTask]:
    """Tasks in which the person has a place: by a join, so that it is one walk along an index."""
    return UserTask.objects.for_workspace(actor.workspace_id).filter(
        which,
        _free_for(user_id),
        assignees__user=user_id,
        assignees__workspace_id=actor.workspace_id,
        assignees__is_open=True,
        assignees__dropped_at__isnull=True,
    )


def _seats(actor: Actor, user_id: UUID) -> QuerySet[TaskAssignee]:
    """A person's places in tasks that are open."""
    return TaskAssignee.objects.filter(
        task=OuterRef("pk"),
        user_id=user_id,
        workspace_id=actor.workspace_id,
        is_open=True,
        dropped_at__isnull=True,
    )


def _free_for(user_id: UUID) -> Q:
    return Q(claimed_by__isnull=True) | Q(claimed_by=user_id)


def answers() -> QuerySet[Any]:
    """What people have answered, each with ``place``: the id of the one it counts for."""
    return Decision.objects.annotate(place=Coalesce("on_behalf_of_id", "user_id"))


def _given_by(user_id: UUID) -> Q:
    """One's own answers, for whomever, and those that others gave in one's place."""
    return Q(user=user_id) | Q(on_behalf_of=user_id)


def done_tasks(actor: Actor) -> QuerySet[UserTask]:
    """The tasks that were put to the actor, or that they answered, and are not theirs any more.

    What they have handed to somebody else is not shown to them any more.
    """
    require_view(actor)
    if actor.user_id is None:
        return UserTask.objects.none()
    user_id = actor.user_id
    seats = TaskAssignee.objects.filter(
        user=user_id, workspace_id=actor.workspace_id, dropped_at__isnull=True
    )
    given = Decision.objects.filter(task__workspace_id=actor.workspace_id)
    in_my_place = given.filter(on_behalf_of=user_id, task__assignees__in=seats)
    taken = UserTask.objects.filter(
        ~Q(claimed_by=user_id), claimed_by__isnull=False, assignees__in=seats
    )
    held = UserTask.objects.filter(settles_at__isnull=False, assignees__in=seats)
    over = (
        seats.filter(is_open=False)
        .values("task")
        .union(
            given.filter(user=user_id).values("task"),
            in_my_place.values("task"),
            taken.values("pk"),
            held.values("pk"),
        )
    )
    return (
        UserTask.objects.for_workspace(actor.workspace_id)
        .filter(~Exists(open_tasks(actor).filter(pk=OuterRef("pk"))), pk__in=over)
        .select_related("requester")
        .order_by("-id")
    )


def open_waits(run_ids: Collection[UUID]) -> set[tuple[UUID, str, int]]:
    """Run, step and visit of every open task of these runs; see ``runs.ports``."""
    rows = UserTask.objects.filter(run_id__in=run_ids, status=TaskStatus.OPEN)
    return set(rows.values_list("run_id", "step", "visit"))


def people_asked(run_id: UUID) -> dict[tuple[str, int], dict[str, Any]]:
    """Who has yet to answer a run's open tasks, by step and visit; see ``runs.ports``.

    ``groups`` are those through which people were found; ``people`` those who were named. Of what
    is decided and ``held`` nobody has: it is passed on at ``until``.
    """
    tasks = {
        task.pk: task for task in UserTask.objects.filter(run_id=run_id, status=TaskStatus.OPEN)
    }
    answered = answers().filter(task=OuterRef("task_id"), place=OuterRef("user_id"))
    rows = (
        TaskAssignee.objects.filter(~Exists(answered), task__in=tasks, dropped_at__isnull=True)
        .select_related("user")
        .order_by("user__name", "user__email")
    )
    asked: dict[UUID, list[TaskAssignee]] = {pk: [] for pk in tasks}
    for row in rows:
        if tasks[row.task_id].settles_at is None:
            asked[row.task_id].append(row)
    slugs = {row.via for row in rows if row.via}
    workspaces = {task.workspace_id for task in tasks.values()}
    teams = Team.objects.filter(workspace__in=workspaces, slug__in=slugs)
    names = {team.slug: team.shown for team in teams}
    coming = {
        pk: {"at": one.at, "words": one.text} for pk, one in course.next_of(tasks.values()).items()
    }
    return {
        (task.step, task.visit): {
            "task": pk,
            "since": task.opened_at,
            "until": task.settles_at or task.due_at,
            "held": task.settles_at is not None,
            "people": [row.user.get_full_name() for row in asked[pk] if not row.via],
            "groups": sorted({names.get(row.via, row.via) for row in asked[pk] if row.via}),
            "stage": stages.name_of(task),
            "next": coming.get(pk),
        }
        for pk, task in tasks.items()
    }


def get_task(actor: Actor, task_id: UUID) -> UserTask:
    """One task, for those it was put to, who stands in for them, and who may view the flow's runs.

    Raises:
        NotFound: There is none, or not for this actor.
    """
    require_view(actor)
    task = (
        UserTask.objects.for_workspace(actor.workspace_id)
        .select_related("requester")
        .filter(pk=task_id)
        .first()
    )
    if task is None or not (
        is_assignee(actor, task)
        or has_right(actor, "run.view", task.flow_id)
        or task.decisions.filter(user=actor.user_id).exists()
        or stands_in_for(actor, task, clock.now())
    ):
        raise NotFound("There is no such task, or it is not for you.")
    return task


def anew_for(actor: Actor, task: UserTask) -> str:
    """The id of what is asked instead of a task that began anew, for who may see it; else empty."""
    found = stages.anew(task)
    if found is None:
        return ""
    try:
        return str(get_task(actor, found.pk).pk)
    except NotFound:
        return ""


def leavers() -> QuerySet[TaskAssignee]:
    """People with open tasks who belong to the workspace no more, or may not decide any more.

    Asked every few seconds: looks at people, of whom there are few, and then at their tasks.
    """
    waiting = TaskAssignee.objects.filter(is_open=True, dropped_at__isnull=True)
    people = set(waiting.values_list("user_id", "workspace_id").distinct())
    decides = Team.objects.filter(
        workspace_id=OuterRef("workspace_id"),
        group__user=OuterRef("user_id"),
        kind=Team.Kind.ROLE,
        slug__in=DECIDING_ROLES,
    )
    able = Membership.objects.filter(
        Exists(decides),
        user__in={user_id for user_id, _ in people},
        user__is_active=True,
        is_active=True,
    )
    gone = Q(pk__in=[])
    for user_id, workspace_id in people - set(able.values_list("user_id", "workspace_id")):
        gone |= Q(user_id=user_id, workspace_id=workspace_id)
    # Asked through a group that they are not in any more, or that is not there any more.
    asked = set(waiting.exclude(via="").values_list("user_id", "workspace_id", "via").distinct())
    if asked:
        groups = Team.objects.filter(group__user__in={user_id for user_id, _, _ in asked})
        held = set(groups.values_list("group__user", "workspace_id", "slug"))
        for user_id, workspace_id, via in asked - held:
            gone |= Q(user_id=user_id, workspace_id=workspace_id, via=via)
    return waiting.filter(gone)


def by_places(tasks: Collection[UserTask], actor: Actor) -> dict[UUID, str]:
    """For the tasks of a page that the actor only has for somebody else: that person's name."""
    if actor.user_id is None or not tasks:
        return {}
    found = standing_in.reaches(actor.workspace_id, actor.user_id, clock.now())
    if not found:
        return {}
    asked: dict[UUID, dict[UUID, str]] = {task.pk: {} for task in tasks}
    rows = TaskAssignee.objects.filter(task__in=list(asked), dropped_at__isnull=True)
    for row in rows.filter(
        user__in=[actor.user_id, *(one.person_id for one in found)]
    ).select_related("user"):
        asked[row.task_id][row.user_id] = row.user.get_full_name()
    named = {}
    for task in tasks:
        seats = asked[task.pk]
        if actor.user_id in seats or task.status != TaskStatus.OPEN:
            continue
        covered = (one.person_id for one in found if one.person_id in seats and one.covers(task))
        if (person := next(covered, None)) is not None:
            named[task.pk] = seats[person]
    return named


def flow_names(tasks: Iterable[UserTask]) -> dict[UUID, str]:
    """Names of the flows of a page of tasks."""
    ids = {task.flow_id for task in tasks}
    return dict(Flow.objects.filter(pk__in=ids).values_list("pk", "name"))


def read_once(task: UserTask) -> None:
    """Keep with the task whom it was put to and what they said, for a page that is made of it.

    What is written afterwards is not seen on this object any more.
    """
    prefetch_related_objects(
        [task],
        Prefetch("assignees", _in_order(TaskAssignee.objects.all())),
        Prefetch("decisions", _with_people(Decision.objects.all())),
        Prefetch("exceptions", DutyException.objects.select_related("user", "allowed_by")),
    )


def _is_read(task: UserTask) -> bool:
    return "decisions" in getattr(task, "_prefetched_objects_cache", {})


def _in_order(rows: QuerySet[TaskAssignee]) -> QuerySet[TaskAssignee]:
    return rows.select_related("user", "handed_by").order_by("user__name", "user__email")


def _with_people(rows: QuerySet[Decision]) -> QuerySet[Decision]:
    return rows.select_related("user", "on_behalf_of", "exception__allowed_by")


def decisions_of(task: UserTask) -> list[Decision]:
    """What people have answered, oldest first."""
    given = task.decisions.all()
    return list(given if _is_read(task) else _with_people(given))


def with_lapsed(task: UserTask) -> list[Decision]:
    """The same with those that lapsed because the facts had changed."""
    standing = Q(taken_back_at__isnull=True) | Q(lapsed_by__isnull=False)
    rows = Decision.every.filter(standing, task=task)
    return list(
        rows.select_related("user", "on_behalf_of", "exception__allowed_by", "lapsed_by").order_by(
            "decided_at", "id"
        )
    )


def earlier_stages(task: UserTask) -> list[UserTask]:
    """The stages that a question has passed before this one."""
    return list(stages.earlier(task)) if task.stage > 1 else []


def decisions_by_task(tasks: Collection[UserTask]) -> dict[UUID, list[Decision]]:
    """What people have answered on each of several tasks, oldest first; one query."""
    found: dict[UUID, list[Decision]] = {}
    rows = Decision.objects.filter(task__in=[task.pk for task in tasks]).select_related(
        "user", "on_behalf_of"
    )
    for row in rows:
        found.setdefault(row.task_id, []).append(row)
    return found


def deciders(tasks: Collection[UserTask]) -> dict[UUID, str]:
    """For each decided task of a page, the name of the person whose answer settled it."""
    decided = [task for task in tasks if task.outcome]
    given = decisions_by_task(decided)
    names = {}
    for task in decided:
        fitting = [one for one in given.get(task.pk, []) if one.outcome == task.outcome]
        if fitting:
            names[task.pk] = fitting[-1].user.get_full_name()
    return names


def claimers(tasks: Collection[UserTask]) -> dict[UUID, str]:
    """For the tasks of a page that somebody has taken: that person's name."""
    ids = {one.claimed_by_id for one in tasks if one.claimed_by_id}
    if not ids:
        return {}
    names = {one.pk: one.get_full_name() for one in User.objects.filter(pk__in=ids)}
    return {one.pk: names[one.claimed_by_id] for one in tasks if one.claimed_by_id}


def assignees_of(task: UserTask) -> list[TaskAssignee]:
    """Those who may answer, by name, with ``user``."""
    rows = task.assignees.all()
    rows = rows if _is_read(task) else _in_order(rows)
    return [one for one in rows if one.dropped_at is None]


def group_of(actor: Actor, people: Iterable[TaskAssignee]) -> str:
    """The name of the group through which the actor was asked; empty where they were named."""
    via = next((one.via for one in people if one.user_id == actor.user_id), "")
    if not via:
        return ""
    teams = Team.objects.for_workspace(actor.workspace_id).filter(slug=via)
    team = teams.first()
    return team.shown if team else via
