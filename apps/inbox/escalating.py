"""What happens in the time of open tasks: warnings, and the rungs of their ladders.

The clock calls ``fire_due``; several may. A moment happens once: its task's row is held, its state
is changed with its effect and its row of the trail in one transaction, and what people are told of
it is a message that leaves after that. A task that has ended, stands still or is late has none.
"""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from apps.accounts import places
from apps.accounts.actors import Actor
from apps.accounts.models import User
from apps.accounts.queries import people_in
from apps.audit.commands import Record, record_many
from apps.core import clock, outbox
from apps.engine.lifecycle import TaskStatus
from apps.inbox import course, limits, queries, stages
from apps.inbox.assigning import Found, fallback_people
from apps.inbox.commands import about_task, end_unanswered, target_of
from apps.inbox.duties import Case, kept_apart
from apps.inbox.models import Decision, TaskAssignee, TaskMoment, UserTask
from apps.inbox.opening import groups_of, places_of, publish, tell_too_few, voters_of
from apps.inbox.telling import tell_about
from apps.notices.models import Kind, Urgency
from apps.steps import deciding

#: What the clock could not do is tried again so much later, and holds up nothing else.
LATER = timedelta(minutes=1)
NO_VETO: Mapping[str, Any] = {"users": (), "groups": ()}

_log = logging.getLogger(__name__)


def fire_due(*, now: datetime, limit: int = 200) -> int:
    """Let happen what is due in the time of open tasks; returns how many moments were seen to.

    Of a batch that fails each task is tried alone; one that fails alone is put off by a minute.

    Locks:
        The tasks' rows, by id; those that somebody decides just now are left to the next call.
    """
    seen = 0
    while ids := _due(now, limit):
        count = _fire_apart(ids, now)
        seen += count
        if count == 0 or len(ids) < limit:
            break
    return seen


def _due(now: datetime, limit: int) -> list[UUID]:
    """Tasks in whose time something is due; those that are late are closed by another part."""
    rows = (
        TaskMoment.objects.filter(next_at__lte=now)
        .exclude(task__status=TaskStatus.OPEN, task__due_at__lte=now)
        .order_by("next_at")
        .values_list("task_id", flat=True)[:limit]
    )
    return list(dict.fromkeys(rows))


def _fire_apart(ids: Sequence[UUID], now: datetime) -> int:
    try:
        return _fire(ids, now)
    except Exception:  # noqa: BLE001 - whatever it is, the other tasks go on
        if len(ids) > 1:
            return sum(_fire_apart([one], now) for one in ids)
        _log.exception("what is due in the time of task %s failed and is put off", ids[0])
        TaskMoment.objects.filter(task=ids[0], next_at__lte=now).update(next_at=now + LATER)
        return 1


@transaction.atomic
def _fire(ids: Sequence[UUID], now: datetime) -> int:
    tasks = {
        task.pk: task
        for task in UserTask.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
        .filter(pk__in=ids)
        .select_related("requester")
        .order_by("id")
    }
    # The locks may have been waited for by others: what is due is read after them.
    moments = list(
        TaskMoment.objects.filter(task__in=list(tasks), next_at__lte=now).order_by("at", "number")
    )
    batch = _Batch(tasks, now)
    for moment in moments:
        moment.task = tasks[moment.task_id]
        batch.see_to(moment)
    batch.keep(moments)
    return len(moments)


@dataclass
class _Batch:
    """The moments of some tasks whose rows are held, and what becomes of them."""

    tasks: Mapping[UUID, UserTask]
    now: datetime
    people: "_People" = field(init=False)
    _asked: dict[UUID, list[TaskAssignee]] = field(init=False)
    _answered: dict[UUID, set[UUID]] = field(init=False)
    _answers: dict[UUID, dict[UUID, str]] = field(init=False)
    _rows: list[Record] = field(default_factory=list)
    _changed: set[UUID] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.people = _People(self.now)
        self._asked = {pk: [] for pk in self.tasks}
        rows = TaskAssignee.objects.filter(task__in=list(self.tasks)).select_related("user")
        for row in rows.order_by("user__email"):
            self._asked[row.task_id].append(row)
        self._answers = {pk: {} for pk in self.tasks}
        self._answered = {pk: set() for pk in self.tasks}
        for one in Decision.objects.filter(task__in=list(self.tasks)):
            self._answers[one.task_id][one.on_behalf_of_id or one.user_id] = one.outcome
            self._answered[one.task_id] |= {one.user_id, one.on_behalf_of_id or one.user_id}

    def see_to(self, moment: TaskMoment) -> None:
        """Let it happen, unless its task has ended or was taken up in time."""
        task = moment.task
        moment.next_at = None
        if task.paused_at is not None and task.status == TaskStatus.OPEN:
            return  # it comes back when the clock goes on
        is_taken_up = moment.limit == limits.RESPOND and task.responded_at is not None
        if task.status != TaskStatus.OPEN or is_taken_up:
            moment.state = TaskMoment.State.DROPPED
            return
        moment.state, moment.done_at = TaskMoment.State.DONE, self.now
        if moment.kind == TaskMoment.Kind.RUNG:
            moment.result = self._climb(task, moment.what)
            self._record("task.escalate", moment)
        elif _is_late(moment):
            self._record("task.late", moment)
        self._changed.add(task.pk)

    def keep(self, moments: Sequence[TaskMoment]) -> None:
        """Write down what has become of them, for the trail and for those who are told."""
        _fold(moments)
        TaskMoment.objects.bulk_update(moments, ["next_at", "state", "done_at", "result"])
        UserTask.objects.filter(pk__in=self._changed).update(updated_at=self.now)
        done = [one.pk for one in moments if one.state == TaskMoment.State.DONE]
        limits.tell_later(done, self.now)
        if self._rows:
            record_many(rows=self._rows, now=self.now)
        publish(self.tasks[pk] for pk in sorted(self._changed))

    def _record(self, verb: str, moment: TaskMoment) -> None:
        task = moment.task
        rung = {"rung": moment.number, "what": moment.what} if moment.what else {}
        self._rows.append(
            Record(
                who=Actor.system(task.workspace_id).who,
                workspace_id=task.workspace_id,
                verb=verb,
                target=target_of(task),
                details={**about_task(task), **rung, "planned": moment.at, **moment.result},
                correlation_id=task.run_id,
                flow_id=task.flow_id,
            )
        )

    def _climb(self, task: UserTask, what: Mapping[str, Any]) -> dict[str, Any]:
        """One rung; returns what came of it."""
        if "add" in what:
            return self._ask(task, what["add"], instead=False)
        if "reassign" in what:
            return self._ask(task, what["reassign"], instead=True)
        if "urgent" in what:
            task.urgency = limits.URGENT
            UserTask.objects.filter(pk=task.pk).update(urgency=task.urgency)
            return {}
        if "outcome" in what:
            return self._end(task, str(what["outcome"]))
        return {"people": [one.user.email for one in self._waiting(task)]}

    def _end(self, task: UserTask, outcome: str) -> dict[str, Any]:
        try:
            end_unanswered(task, outcome, self.now)
        except limits.SilenceApproves as refused:
            return {"refused": refused.code}
        return {"outcome": outcome}

    def _waiting(self, task: UserTask) -> list[TaskAssignee]:
        """Those who are asked and have yet to answer."""
        return [
            one
            for one in self._asked[task.pk]
            if one.dropped_at is None
            and one.user_id not in self._answered[task.pk]
            and task.claimed_by_id in {None, one.user_id}
        ]

    def _ask(self, task: UserTask, whom: Mapping[str, Any], *, instead: bool) -> dict[str, Any]:
        """Put a task to others as well or instead, each judged by the duties anew.

        Where nobody is found, the group that stands in is asked as well, and the flow's owner is
        told. The earlier people keep their places where losing them alone would decide it.
        """
        found = self._fresh(task, self.people.eligible(task, whom, self._waiting(task)))
        by_fallback = not found
        if by_fallback:
            found = self._fresh(task, fallback_people(task, self.now))
            outbox.enqueue(topic="task.rung_empty", payload={"task": str(task.pk)}, now=self.now)
        weighed = self._weighed(task, found)
        seats = [
            self._seat(task, weighed[user.pk], via, is_fallback=by_fallback) for user, via in found
        ]
        lost = self._waiting_but(task, seats) if instead and seats and not by_fallback else []
        if lost and self._is_decided_without(task, lost):
            lost = []
        self._drop(lost)
        if seats and task.claimed_by_id is not None:
            # What somebody has taken for themselves waits for the others again.
            task.claimed_by_id = task.claimed_at = None
            UserTask.objects.filter(pk=task.pk).update(claimed_by=None, claimed_at=None)
        result: dict[str, Any] = {"people": [one.user.email for one in seats]}
        if by_fallback:
            result["fallback"] = list(task.fallback) if seats else []
        if instead:
            result["lost"] = [one.user.email for one in lost]
        self._look_for_too_few(task)
        return result

    def _fresh(self, task: UserTask, people: Iterable[Found]) -> list[Found]:
        """Those who are not asked yet, and have not answered for anybody."""
        asked = {one.user_id for one in self._asked[task.pk] if one.dropped_at is None}
        taken = asked | self._answered[task.pk]
        return [one for one in people if one[0].pk not in taken]

    def _weighed(self, task: UserTask, found: Sequence[Found]) -> dict[UUID, TaskAssignee]:
        """Places with the weight and the veto that the step gives whoever it names."""
        asked_for = stages.asked_for(task)
        request = {"weights": asked_for.get("weights", ()), "veto": asked_for.get("veto", NO_VETO)}
        return places_of(task, request, found)

    def _seat(
        self, task: UserTask, new: TaskAssignee, via: str, *, is_fallback: bool
    ) -> TaskAssignee:
        """A place for somebody; who had lost theirs gets it back."""
        row = next((one for one in self._asked[task.pk] if one.user_id == new.user_id), None)
        if row is None:
            row = new
            self._asked[task.pk].append(row)
        row.weight, row.may_veto = new.weight, new.may_veto
        row.via, row.is_fallback, row.dropped_at, row.handed_by_id = via, is_fallback, None, None
        row.save()
        return row

    def _waiting_but(self, task: UserTask, seats: Sequence[TaskAssignee]) -> list[TaskAssignee]:
        """Everybody who has yet to answer, whoever took it, but those who are asked just now."""
        new = {one.user_id for one in seats}
        return [
            one
            for one in self._asked[task.pk]
            if one.dropped_at is None and one.user_id not in self._answered[task.pk] | new
        ]

    def _is_decided_without(self, task: UserTask, lost: Sequence[TaskAssignee]) -> bool:
        """Whether it would have come to something by their going alone: silence decides nothing."""
        gone = {one.user_id for one in lost}
        rest = [one for one in self._asked[task.pk] if one.user_id not in gone]
        voters = voters_of(rest, self._answers[task.pk])
        return deciding.verdict(deciding.Terms.of(task.rule), voters) is not None

    def _drop(self, lost: Sequence[TaskAssignee]) -> None:
        for one in lost:
            one.dropped_at = self.now
        TaskAssignee.objects.filter(pk__in=[one.pk for one in lost]).update(dropped_at=self.now)

    def _look_for_too_few(self, task: UserTask) -> None:
        """The owner is told where those who are asked now are too few for the rule."""
        here = [one for one in self._asked[task.pk] if one.dropped_at is None]
        voters = voters_of(here)
        if not deciding.is_reachable(deciding.Terms.of(task.rule), voters, "for"):
            tell_too_few(task, found=len(here), now=self.now)


def _fold(moments: Sequence[TaskMoment]) -> None:
    """Of several reminders of a task at once, as after the clock has stood, send only the last.

    What stands in the trail is told in any case; of the rest nothing is left.
    """
    done = [one for one in moments if one.state == TaskMoment.State.DONE]
    reminded = {one.task_id for one in done if "remind" in one.what or _is_late(one)}
    for one in reversed(done):
        if one.kind == TaskMoment.Kind.RUNG or _is_late(one):
            continue
        if one.task_id in reminded:
            one.state, one.done_at = TaskMoment.State.DROPPED, None
        reminded.add(one.task_id)


def _is_late(moment: TaskMoment) -> bool:
    """Whether the time for a first reaction has run out with it."""
    is_warning = moment.kind == TaskMoment.Kind.WARNING
    return is_warning and moment.limit == limits.RESPOND and moment.number == 100


@dataclass
class _People:
    """Whom the rungs of one batch name, each looked up once."""

    now: datetime
    _found: dict[Any, list[Found]] = field(default_factory=dict)

    def eligible(
        self, task: UserTask, whom: Mapping[str, Any], waiting: Sequence[TaskAssignee]
    ) -> list[Found]:
        """The people, groups and managers of a rung whom no duty keeps apart."""
        users = list(whom.get("users") or ())
        if whom.get("managers"):
            users += self._managers(task.workspace_id, [one.user_id for one in waiting])
        groups = tuple(whom.get("groups") or ())
        key = (task.workspace_id, tuple(sorted(users)), groups)
        if key not in self._found:
            people = people_in(task.workspace_id, users=users, teams=groups)
            named, via = {one.strip().lower() for one in users}, groups_of(key[0], groups)
            self._found[key] = [
                (one, "" if one.email in named else via.get(one.pk, "")) for one in people
            ]
        found = self._found[key]
        case = Case.of(task, places.today(task.workspace_id, self.now))
        apart = kept_apart(case, [user.pk for user, _ in found])
        return [one for one in found if one[0].pk not in apart]

    def _managers(self, workspace_id: UUID, people: Collection[UUID]) -> list[str]:
        """The addresses of those who lead these people today."""
        day = places.today(workspace_id, self.now)
        found = places.places_on(workspace_id, day, people)
        return sorted({one.manager.user.email for one in found.values() if one.manager})


def tell_of_moment(payload: dict[str, Any]) -> None:
    """Handles ``task.moment``: tells people what has happened in a task's time. Safe twice."""
    moment = (
        TaskMoment.objects.select_related("task")
        .filter(pk=payload["moment"], state=TaskMoment.State.DONE)
        .first()
    )
    if moment is None:
        return
    task = moment.task
    is_over = task.status != TaskStatus.OPEN
    kind = Kind.REMIND
    if is_over:
        kind = Kind.LATE
    elif "add" in moment.what or "reassign" in moment.what:
        kind = Kind.ESCALATED
    tell_about(
        task,
        _told(moment, is_over=is_over),
        kind=kind,
        key=f"moment/{moment.pk}",
        now=clock.now(),
        urgency=Urgency.URGENT if task.urgency == limits.URGENT else Urgency.NORMAL,
        words=lambda: course.told(moment),
    )


def _told(moment: TaskMoment, *, is_over: bool) -> QuerySet[User]:
    """Who is told: those who were asked just now, else those who have yet to answer."""
    task = moment.task
    if task.status not in {TaskStatus.OPEN, TaskStatus.TIMED_OUT} and "outcome" not in moment.what:
        return User.objects.none()  # answered meanwhile
    if "people" in moment.result and not is_over:
        return User.objects.filter(email__in=moment.result["people"])
    seats = TaskAssignee.objects.filter(task=task, dropped_at__isnull=True)
    answered = queries.answers().filter(task=task)
    seats = seats.exclude(user__in=answered.values("place"))
    if task.claimed_by_id is not None:
        seats = seats.filter(user=task.claimed_by_id)
    return User.objects.filter(pk__in=seats.values("user"))
