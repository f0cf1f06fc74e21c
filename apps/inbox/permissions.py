"""Who may answer a task. Asked at every door: page, API, and whatever comes later."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.accounts import places
from apps.accounts.actors import Actor
from apps.accounts.permissions import has_right, in_scope, require
from apps.core.errors import Conflict, Forbidden
from apps.inbox.duties import Case, kept_apart
from apps.inbox.models import Delegation, DutyException, TaskAssignee, UserTask
from apps.inbox.standing_in import reaches


class NotForYou(Forbidden):
    """The task was not put to this person."""

    code = "not_assignee"


class Claimed(Conflict):
    """Somebody else has taken it and not given it back."""

    code = "claimed"


class HandedOver(Forbidden):
    """It was this person's and has been handed to somebody else."""

    code = "handed_over"


@dataclass(frozen=True, slots=True)
class Seat:
    """As what a person answers: their own place, or that of somebody for whom they stand in."""

    person_id: UUID
    #: Those for whom, from the one who was asked on; empty where it is the person's own.
    through: tuple[Delegation, ...] = ()
    exception: DutyException | None = None

    @property
    def on_behalf_of(self) -> UUID | None:
        """Whose place it is, where it is not the person's own."""
        return self.through[0].person_id if self.through else None

    @property
    def place(self) -> UUID:
        """Whose answer it counts as."""
        return self.on_behalf_of or self.person_id


def is_assignee(actor: Actor, task: UserTask) -> bool:
    """Whether the task was put to the actor and they have not lost it."""
    return (
        actor.user_id is not None
        and TaskAssignee.objects.filter(
            task=task, user_id=actor.user_id, dropped_at__isnull=True
        ).exists()
    )


def require_decider(actor: Actor, task: UserTask, now: datetime) -> Seat:
    """Refuse everybody but those the task was put to and who stands in for them.

    No role opens this door, and the duties hold for everybody; an exception that a second person
    has allowed is the only way past them.

    Raises:
        OutOfScope: A token that was not made for deciding.
        KeptApart: A duty of the step forbids it, see ``duties``.
        HandedOver: It was the actor's and is somebody else's now.
        NotForYou: It was not put to the actor, or they have lost the right to decide.
        Claimed: Somebody else has taken it.
    """
    if not in_scope(actor, "task.decide"):
        require(actor, "task.decide")
    if actor.user_id is None or not has_right(actor, "task.decide"):
        raise NotForYou("Your role does not let you decide; nothing was changed.")
    seats = {row.user_id: row for row in task.assignees.all()}
    own = seats.get(actor.user_id)
    exception = _exception(task, actor.user_id)
    day = places.today(task.workspace_id, now)
    case = Case.of(task, day)
    refused = kept_apart(
        case, [actor.user_id], unknown_may=own is not None and own.is_fallback
    ).get(actor.user_id)
    if refused is not None and exception is None:
        raise refused
    seat = _seat(actor.user_id, task, seats, now, exception if refused is not None else None)
    if task.claimed_by_id is not None and task.claimed_by_id != seat.place:
        raise Claimed("Somebody else has taken this; they can give it back.")
    return seat


def _seat(
    user_id: UUID,
    task: UserTask,
    seats: Mapping[UUID, TaskAssignee],
    now: datetime,
    exception: DutyException | None,
) -> Seat:
    """The person's own place, else the first they can take that nobody has answered from."""
    own = seats.get(user_id)
    if own is not None and own.dropped_at is None:
        return Seat(user_id, exception=exception)
    answered = {one.on_behalf_of_id or one.user_id for one in task.decisions.all()}
    covered = [
        reach
        for reach in reaches(task.workspace_id, user_id, now)
        if reach.person_id in seats
        and seats[reach.person_id].dropped_at is None
        and reach.covers(task)
    ]
    # Where somebody asked for it themselves, nobody decides in their place either.
    apart = kept_apart(
        Case.of(task, places.today(task.workspace_id, now)),
        [reach.person_id for reach in covered],
        unknown_may=True,
    )
    covered = [reach for reach in covered if reach.person_id not in apart]
    covered.sort(key=lambda reach: (reach.person_id in answered, len(reach.through)))
    if covered:
        return Seat(user_id, covered[0].through, exception)
    if own is not None and any(one.handed_by_id == user_id for one in seats.values()):
        raise HandedOver("This was handed to somebody else; nothing was changed.")
    raise NotForYou("This was not put to you; only those it was put to can answer.")


def stands_in_for(actor: Actor, task: UserTask, now: datetime) -> bool:
    """Whether the actor stands in, for this task, for somebody it was put to."""
    if actor.user_id is None:
        return False
    asked = set(task.assignees.filter(dropped_at__isnull=True).values_list("user_id", flat=True))
    return any(
        reach.person_id in asked and reach.covers(task)
        for reach in reaches(task.workspace_id, actor.user_id, now)
    )


def _exception(task: UserTask, user_id: UUID) -> DutyException | None:
    allowed = (one for one in task.exceptions.all() if one.allowed_at is not None)
    return next((one for one in allowed if one.user_id == user_id), None)


def require_view(actor: Actor) -> None:
    """Refuse a token that was not made for looking at tasks.

    Raises:
        OutOfScope: See there.
    """
    if not in_scope(actor, "task.view"):
        require(actor, "task.view")
