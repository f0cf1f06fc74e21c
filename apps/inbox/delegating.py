"""Name somebody who stands in for a while, and end it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from apps.accounts import places
from apps.accounts.actors import Actor
from apps.accounts.models import User, Workspace
from apps.accounts.permissions import has_right, require
from apps.accounts.queries import people_in
from apps.audit.commands import record
from apps.audit.records import Target
from apps.core import live as channel
from apps.core.errors import Forbidden, Invalid, NotFound
from apps.core.models import uuid7
from apps.flows.models import Flow
from apps.inbox import rules, standing_in
from apps.inbox.models import Delegation

LONGEST_REASON = 1000


class CircleOfDelegates(Invalid):
    """The chain of those who stand in would come back to where it began."""

    code = "circle_of_delegates"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What somebody stands in for; empty is everything."""

    kinds: Sequence[str] = ()
    flows: Sequence[UUID] = ()
    amount_label: str = ""
    amount_limit: Decimal | None = None
    without_high_risk: bool = False


@transaction.atomic
def delegate(
    *,
    actor: Actor,
    begins_at: datetime,
    ends_at: datetime,
    now: datetime,
    to: str = "",
    person_id: UUID | None = None,
    scope: Scope | None = None,
    reason: str = "",
) -> Delegation:
    """Let somebody stand in for a person, oneself unless an administrator names another.

    Without ``to`` it is the person's deputy. What is delegated stays the person's own as well.

    Raises:
        Forbidden: For somebody else without the right to manage people.
        CircleOfDelegates: They would stand in for themselves through others at some moment.
        Invalid: No such person, no deputy, a period that is over or upside down.

    Locks:
        The workspace row, so that two cannot close a circle together.
    """
    person = _whose(actor, person_id)
    scope = scope or Scope()
    Workspace.objects.select_for_update(no_key=True).get(pk=actor.workspace_id)
    if ends_at <= begins_at:
        raise Invalid("It ends before it begins; choose a later end.")
    if ends_at <= now:
        raise Invalid("That time is over; choose an end that is to come.")
    if len(reason) > LONGEST_REASON:
        raise Invalid(f"Give a reason of at most {LONGEST_REASON} characters.")
    _check_scope(actor.workspace_id, scope)
    row = Delegation(
        id=uuid7(),
        workspace_id=actor.workspace_id,
        person=person,
        to=_to(actor.workspace_id, person, to),
        begins_at=begins_at,
        ends_at=ends_at,
        kinds=list(scope.kinds),
        flows=[str(one) for one in scope.flows],
        amount_label=scope.amount_label,
        amount_limit=scope.amount_limit,
        without_high_risk=scope.without_high_risk,
        reason=reason.strip(),
        created_by_id=actor.user_id,
        created_at=now,
    )
    _check_circle(row, now)
    row.save(force_insert=True)
    _record(actor, row, "delegation.create", now, reason=reason)
    channel.publish(actor.workspace_id, "task", [])
    return row


@transaction.atomic
def end_delegation(
    *, actor: Actor, delegation_id: UUID, now: datetime, reason: str = ""
) -> Delegation:
    """End it before its time. The person, who stands in, or who manages people may.

    Locks:
        The row.
    """
    row = (
        Delegation.objects.for_workspace(actor.workspace_id)
        .select_for_update(of=("self",), no_key=True)
        .select_related("person", "to")
        .filter(pk=delegation_id)
        .first()
    )
    if row is None or not (
        actor.user_id in {row.person_id, row.to_id} or has_right(actor, "people.manage")
    ):
        raise NotFound("There is no such stand-in, or it is not yours to end.")
    if row.ended_at is None and row.ends_at > now:
        row.ended_at = now
        row.save(update_fields=["ended_at"])
        _record(actor, row, "delegation.end", now, reason=reason)
        channel.publish(actor.workspace_id, "task", [])
    return row


def delegations(actor: Actor, now: datetime) -> QuerySet[Delegation]:
    """Those that are in force or to come: the actor's own, or all for who manages people."""
    rows = Delegation.objects.for_workspace(actor.workspace_id).filter(
        ended_at__isnull=True, ends_at__gt=now
    )
    if not has_right(actor, "people.manage"):
        rows = rows.filter(Q(person=actor.user_id) | Q(to=actor.user_id))
    return rows.select_related("person", "to", "created_by").order_by("-id")


def _whose(actor: Actor, person_id: UUID | None) -> User:
    if actor.user_id is None:
        raise Forbidden("Only a person can name somebody to stand in.")
    own = person_id in {None, actor.user_id}
    require(actor, "task.decide" if own else "people.manage")
    wanted = person_id or actor.user_id
    found = User.objects.filter(
        pk=wanted, memberships__workspace=actor.workspace_id, memberships__is_active=True
    ).first()
    if found is None:
        raise NotFound("There is no such person in this workspace.")
    return found


def _to(workspace_id: UUID, person: User, to: str) -> User | None:
    if not to:
        return None
    found = next(iter(people_in(workspace_id, users=[to])), None)
    if found is None:
        raise Invalid(f"There is no active person “{to[:80]}” here who may decide.")
    if found.pk == person.pk:
        raise CircleOfDelegates("Nobody stands in for themselves; choose somebody else.")
    return found


def _check_scope(workspace_id: UUID, scope: Scope) -> None:
    if unknown := set(scope.kinds) - set(rules.OUTCOMES):
        raise Invalid(f"There is no kind of task “{min(unknown)[:40]}”.")
    found = Flow.objects.for_workspace(workspace_id).filter(pk__in=scope.flows).count()
    if found != len(set(scope.flows)):
        raise Invalid("One of the flows is not in this workspace.")
    if (scope.amount_limit is None) != (not scope.amount_label.strip()):
        raise Invalid("A limit needs the name of the fact it goes by, and a fact needs a limit.")
    if scope.amount_limit is not None and scope.amount_limit < 0:
        raise Invalid("The limit of the amount is at least 0.")


def _check_circle(new: Delegation, now: datetime) -> None:
    """Refuse a chain that comes back, at any moment at which all its links are in force.

    Deputies count as they are on the day on which the new one begins.
    """
    rows = list(
        Delegation.objects.for_workspace(new.workspace_id)
        .filter(ended_at__isnull=True, ends_at__gt=new.begins_at, begins_at__lt=new.ends_at)
        .select_related("person")
    )
    day = places.today(new.workspace_id, max(new.begins_at, now))
    to = standing_in.delegates(new.workspace_id, [*rows, new], day)
    first = to[new.pk]
    if first is None:
        raise Invalid("No deputy is known who could stand in; name somebody.")
    period = (new.begins_at, new.ends_at)
    names = _way_back(new, rows, to, at=first, period=period, met=(new.person_id,))
    if names:
        known = {one.pk: one.get_full_name() for one in User.objects.filter(pk__in=names)}
        way = " → ".join(known[one] for one in (*names, names[0]))
        raise CircleOfDelegates(
            f"The chain would come back to where it began: {way}. Choose somebody else."
        )


def _way_back(
    new: Delegation,
    rows: Sequence[Delegation],
    to: dict[UUID, UUID | None],
    *,
    at: UUID,
    period: tuple[datetime, datetime],
    met: tuple[UUID, ...],
) -> tuple[UUID, ...]:
    """The people of a circle through ``new``; empty where there is none."""
    if at == new.person_id:
        return met
    for one in rows:
        begins, ends = max(period[0], one.begins_at), min(period[1], one.ends_at)
        after = to[one.pk]
        if one.person_id != at or after is None or begins >= ends or at in met:
            continue
        if found := _way_back(new, rows, to, at=after, period=(begins, ends), met=(*met, at)):
            return found
    return ()


def _record(actor: Actor, row: Delegation, verb: str, now: datetime, *, reason: str) -> None:
    record(
        who=actor.who,
        workspace_id=row.workspace_id,
        verb=verb,
        target=Target("delegation", str(row.pk), row.person.email),
        reason=reason,
        details={
            "person": row.person.email,
            "to": row.to.email if row.to else "deputy",
            "from": row.begins_at,
            "until": row.ends_at,
            "kinds": row.kinds,
            "flows": row.flows,
            "amount": [row.amount_label, row.amount_limit],
            "without_high_risk": row.without_high_risk,
        },
        now=now,
    )
