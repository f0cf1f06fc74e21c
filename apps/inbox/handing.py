"""Take a task, give it back, hand it to somebody; set a duty aside, two together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from apps.accounts import places
from apps.accounts.actors import Actor
from apps.accounts.models import User
from apps.accounts.permissions import has_right, require
from apps.accounts.queries import people_in
from apps.audit.commands import record
from apps.audit.records import Target
from apps.core import clock, outbox
from apps.core.errors import Conflict, Invalid, NotFound, ProductError
from apps.core.models import uuid7
from apps.engine.lifecycle import TaskStatus
from apps.inbox import limits, queries, rules
from apps.inbox.commands import MAX_COMMENT, TaskClosed, TooLate
from apps.inbox.duties import FOUR_EYES, Case, KeptApart, kept_apart
from apps.inbox.holding import refuse_held
from apps.inbox.models import DutyException, TaskAssignee, UserTask
from apps.inbox.opening import publish
from apps.inbox.pausing import is_late
from apps.inbox.permissions import NotForYou, require_decider

MOST_AT_ONCE = 500


class NotToBeTaken(Conflict):
    """Several people must answer, so that one cannot take it for themselves."""

    code = "not_to_be_taken"


class CannotHave(Conflict):
    """The person named may not be given the task."""

    code = "cannot_have"


@transaction.atomic
def claim_task(*, actor: Actor, task_id: UUID, now: datetime) -> UserTask:
    """Take a task of several people: it leaves the others' lists until it is given back.

    Raises:
        NotForYou, KeptApart, Claimed: As for deciding.
        NotToBeTaken: One answer does not decide it.

    Locks:
        The task's row.
    """
    task = _locked(actor, task_id)
    seat = require_decider(actor, task, now)
    _check_open(task, now)
    if not _one_decides(task):
        raise NotToBeTaken("Several people must answer this; nobody can take it alone.")
    if task.claimed_by_id != seat.place:
        _set_claim(task, seat.place, now)
        _record(actor, task, "task.claim", now)
    return task


@transaction.atomic
def release_task(*, actor: Actor, task_id: UUID, now: datetime, reason: str = "") -> UserTask:
    """Give a task back that one has taken; an administrator may do it for who does not.

    Locks:
        The task's row.
    """
    task = _locked(actor, task_id)
    if not has_right(actor, "people.manage"):
        require_decider(actor, task, now)
    _check_open(task, now)
    if task.claimed_by_id is None:
        raise Conflict("Nobody has taken this; there is nothing to give back.")
    _set_claim(task, None, now)
    _record(actor, task, "task.release", now, reason=reason)
    return task


@transaction.atomic
def hand_over_task(*, actor: Actor, task_id: UUID, to: str, reason: str, now: datetime) -> UserTask:
    """Give one's place in a task to a named person. The duties are judged for them anew.

    Raises:
        NotForYou, KeptApart, Claimed: As for deciding.
        Invalid: Without a reason.
        CannotHave: Nobody active of that address, or somebody whom a duty keeps apart.

    Locks:
        The task's row.
    """
    task = _locked(actor, task_id)
    seat = require_decider(actor, task, now)
    _check_open(task, now)
    move_seat(actor, task, from_id=seat.place, to=to, reason=reason, now=now)
    return task


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of one task of several. ``problem`` is empty where it was handed over."""

    task: UserTask
    problem: str = ""


def reassign_tasks(
    *,
    actor: Actor,
    person_id: UUID,
    to: str,
    reason: str,
    now: datetime,
    task_ids: Sequence[UUID] | None = None,
) -> list[Moved]:
    """Hand a person's open tasks, or some of them, to somebody else; one result each.

    For who manages people. What a duty forbids stays where it is and says why.

    Raises:
        Invalid: Without a reason.
        CannotHave: Nobody active of that address.

    Locks:
        One task's row at a time.
    """
    require(actor, "people.manage")
    _check_reason(reason)
    _person(actor.workspace_id, to)
    tasks = tasks_of(actor.workspace_id, person_id)
    if task_ids is not None:
        tasks = [one for one in tasks if one.pk in set(task_ids)]
    return [
        _try_move(actor, one, from_id=person_id, to=to, reason=reason, now=now)
        for one in tasks[:MOST_AT_ONCE]
    ]


def tasks_of(workspace_id: UUID, person_id: UUID) -> list[UserTask]:
    """The open tasks that were put to a person and wait for their answer, the oldest first."""
    seats = TaskAssignee.objects.filter(
        user=person_id, workspace_id=workspace_id, is_open=True, dropped_at__isnull=True
    )
    answered = queries.answers().filter(place=person_id).values("task")
    return list(
        UserTask.objects.for_workspace(workspace_id)
        .filter(~Q(pk__in=answered), pk__in=seats.values("task"), status=TaskStatus.OPEN)
        .filter(settles_at__isnull=True)
        .select_related("requester")
        .order_by("id")
    )


def refusal_of(task: UserTask, to: User, now: datetime) -> ProductError | None:
    """Why a task cannot be given to this person; None where it can."""
    if TaskAssignee.objects.filter(task=task, user=to, dropped_at__isnull=True).exists():
        return CannotHave(f"{to.get_full_name()} has been asked already.")
    if task.decisions.filter(user=to).exists():
        return CannotHave(f"{to.get_full_name()} has answered already.")
    case = Case.of(task, places.today(task.workspace_id, now))
    apart = kept_apart(case, [to.pk]).get(to.pk)
    return _cannot_have(apart.code, to.get_full_name()) if apart else None


def _cannot_have(code: str, name: str) -> CannotHave:
    """Why a duty keeps somebody from being given a task."""
    if code == "requester":
        return CannotHave(f"{name} asked for this and may not decide it. Choose somebody else.")
    if code == "author":
        return CannotHave(f"{name} helped to write the flow. Choose somebody else.")
    if code == "twice":
        return CannotHave(f"{name} answered another question of this. Choose somebody else.")
    return CannotHave(
        f"{name} is of the same department, or it is not known of which. Choose somebody else."
    )


@transaction.atomic
def ask_exception(*, actor: Actor, task_id: UUID, reason: str, now: datetime) -> DutyException:
    """Ask that a duty be set aside for oneself and this task; somebody else has to allow it.

    Raises:
        Invalid: Without a reason.
        Conflict: No duty keeps the actor from deciding.

    Locks:
        The task's row.
    """
    task = _locked(actor, task_id)
    queries.get_task(actor, task_id)
    _check_open(task, now)
    _check_reason(reason)
    if actor.user_id is None or not has_right(actor, "task.decide"):
        raise NotForYou("Your role does not let you decide; nothing was changed.")
    case = Case.of(task, places.today(task.workspace_id, now))
    if actor.user_id not in kept_apart(case, [actor.user_id]):
        raise Conflict("No rule keeps you from deciding this; there is nothing to set aside.")
    found, created = DutyException.objects.get_or_create(
        task=task,
        user_id=actor.user_id,
        defaults={"id": uuid7(), "reason": reason.strip(), "asked_at": now},
    )
    if not created:
        raise Conflict("You have asked for this already; somebody else has to allow it.")
    _record(actor, task, "task.exception_ask", now, reason=reason)
    publish([task])
    return found


@transaction.atomic
def allow_exception(
    *, actor: Actor, task_id: UUID, exception_id: UUID, now: datetime
) -> DutyException:
    """Set a duty aside for who asked. The second person: an administrator, and not the same.

    Raises:
        Forbidden: Who does not manage people.
        Conflict: One's own, or the requester of the matter.

    Locks:
        The task's row.
    """
    require(actor, "people.manage")
    task = _locked(actor, task_id)
    _check_open(task, now)
    found = task.exceptions.filter(pk=exception_id).select_related("user").first()
    if found is None:
        raise NotFound("Nobody has asked for this permission.")
    if found.user_id == actor.user_id:
        raise Conflict("You asked for this yourself; a second person has to allow it.")
    if actor.user_id is None or actor.user_id == task.requester_id:
        raise Conflict("You asked for the matter itself; somebody else has to allow it.")
    if found.allowed_at is not None:
        return found
    found.allowed_by_id, found.allowed_at = actor.user_id, now
    found.save(update_fields=["allowed_by", "allowed_at"])
    _seat_in_exception(task, found.user)
    _record(
        actor,
        task,
        "task.exception_allow",
        now,
        reason=found.reason,
        details={"person": found.user.email, "duties": task.duties, "risk": task.risk},
    )
    publish([task])
    return found


def offered(actor: Actor, task: UserTask, refused: ProductError | None) -> dict[str, Any]:
    """What a page offers beside the answers; ``refused`` is why the actor may not answer."""
    is_open, may = task.status == TaskStatus.OPEN, refused is None
    manages = has_right(actor, "people.manage")
    asked = list(task.exceptions.all())
    return {
        "may_claim": may and task.claimed_by_id is None and may_claim(task),
        "may_release": is_open
        and task.settles_at is None
        and task.claimed_by_id is not None
        and (may or manages),
        "may_hand_over": may,
        "may_ask_exception": is_open
        and isinstance(refused, KeptApart)
        and all(one.user_id != actor.user_id for one in asked),
        "exceptions": [
            {
                "id": one.pk,
                "by": one.user.get_full_name(),
                "reason": one.reason,
                "asked_at": one.asked_at,
                "allowed_by": one.allowed_by.get_full_name() if one.allowed_by else "",
                "may_allow": is_open
                and task.settles_at is None
                and manages
                and one.allowed_at is None
                and actor.user_id not in {one.user_id, task.requester_id},
            }
            for one in asked
        ],
    }


def may_claim(task: UserTask) -> bool:
    """Whether one of several can take it for themselves."""
    return _one_decides(task) and sum(one.dropped_at is None for one in task.assignees.all()) > 1


def _seat_in_exception(task: UserTask, user: User) -> None:
    row, created = TaskAssignee.objects.get_or_create(
        task=task, user=user, defaults={"workspace_id": task.workspace_id}
    )
    if not created and row.dropped_at is not None:
        row.dropped_at = None
        row.save(update_fields=["dropped_at"])


def _try_move(
    actor: Actor, task: UserTask, *, from_id: UUID, to: str, reason: str, now: datetime
) -> Moved:
    try:
        with transaction.atomic():
            held = _locked(actor, task.pk)
            _check_open(held, now)
            move_seat(actor, held, from_id=from_id, to=to, reason=reason, now=now)
    except ProductError as refused:
        return Moved(task, refused.message)
    return Moved(task)


def move_seat(
    actor: Actor, task: UserTask, *, from_id: UUID, to: str, reason: str, now: datetime
) -> None:
    """Give one person's place to another; the caller holds the task's row."""
    _check_reason(reason)
    person = _person(task.workspace_id, to)
    if queries.answers().filter(task=task, place=from_id).exists():
        raise Conflict("This place has answered already; there is nothing to hand over.")
    if refused := refusal_of(task, person, now):
        raise refused
    seat = task.assignees.filter(user=from_id, dropped_at__isnull=True).first()
    if seat is None:
        raise NotForYou("This was not put to that person, or is not theirs any more.")
    before = User.objects.get(pk=from_id)
    seat.dropped_at = now
    seat.save(update_fields=["dropped_at"])
    row, created = TaskAssignee.objects.get_or_create(
        task=task,
        user=person,
        defaults={
            "workspace_id": task.workspace_id,
            "weight": seat.weight,
            "may_veto": seat.may_veto,
            "handed_by_id": from_id,
        },
    )
    if not created:
        row.dropped_at, row.handed_by_id = None, from_id
        row.weight, row.may_veto = seat.weight, seat.may_veto
        row.save(update_fields=["dropped_at", "handed_by", "weight", "may_veto"])
    if task.claimed_by_id == from_id:
        _set_claim(task, None, now)
    outbox.enqueue(
        topic="task.opened", payload={"task": str(task.pk), "to": str(person.pk)}, now=now
    )
    _record(
        actor,
        task,
        "task.hand_over",
        now,
        reason=reason,
        details={"from": before.email, "to": person.email},
    )
    UserTask.objects.filter(pk=task.pk).update(updated_at=now)
    publish([task])


def _person(workspace_id: UUID, email: str) -> User:
    found = people_in(workspace_id, users=[email])
    if not found:
        raise CannotHave(f"There is no active person “{email[:80]}” here who may decide.")
    return found[0]


def _check_reason(reason: str) -> None:
    if not reason.strip() or len(reason) > MAX_COMMENT or "\x00" in reason:
        raise Invalid(f"Say why, in at most {MAX_COMMENT} characters; it is kept with the task.")


def _check_open(task: UserTask, now: datetime) -> None:
    if task.status != TaskStatus.OPEN:
        raise TaskClosed("This has been decided or has ended already; nothing was changed.")
    refuse_held(task)
    if is_late(task, max(now, clock.now())):
        raise TooLate("The time to decide this is over; nothing was changed.")


def _one_decides(task: UserTask) -> bool:
    return task.kind == rules.EXCEPTION or (
        "any" in task.rule and not task.rule.get("rejection") and FOUR_EYES not in task.duties
    )


def _set_claim(task: UserTask, user_id: UUID | None, now: datetime) -> None:
    task.claimed_by_id, task.claimed_at = user_id, now if user_id else None
    task.updated_at = now
    if user_id:
        limits.respond(task, now)
    task.save(update_fields=["claimed_by", "claimed_at", "updated_at"])
    publish([task])


def _locked(actor: Actor, task_id: UUID) -> UserTask:
    task = (
        UserTask.objects.for_workspace(actor.workspace_id)
        .select_for_update(of=("self",), no_key=True)
        .select_related("requester")
        .filter(pk=task_id)
        .first()
    )
    if task is None:
        raise NotFound("There is no such task, or it is not for you.")
    return task


def _record(
    actor: Actor,
    task: UserTask,
    verb: str,
    now: datetime,
    *,
    reason: str = "",
    details: dict[str, object] | None = None,
) -> None:
    record(
        who=actor.who,
        workspace_id=task.workspace_id,
        verb=verb,
        target=Target("task", str(task.pk), task.title),
        reason=reason,
        details={"run": str(task.run_id), "flow": str(task.flow_id), **(details or {})},
        correlation_id=task.run_id,
        flow_id=task.flow_id,
        now=now,
    )
