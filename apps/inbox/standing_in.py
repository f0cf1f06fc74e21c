"""For whom a person can act just now: delegations, chained, each within its limits."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import DecimalField, F, Func, Q, QuerySet, Value

from apps.accounts import places
from apps.inbox.duties import HIGH
from apps.inbox.models import Delegation, UserTask

#: Longer chains are not followed; a circle ends where it comes back.
LONGEST_CHAIN = 5


@dataclass(frozen=True, slots=True)
class Reach:
    """A person for whom somebody can act, and through which delegations; each must cover a task."""

    person_id: UUID
    #: From the one who was asked to the one who acts.
    through: tuple[Delegation, ...]

    def covers(self, task: UserTask) -> bool:
        """Whether all of them are for this task."""
        return all(covers(one, task) for one in self.through)

    def condition(self) -> Q:
        """The same of rows of tasks; wants them by ``with_amounts``."""
        found = Q()
        for one in self.through:
            found &= _condition(one)
        return found


def live(workspace_id: UUID, now: datetime) -> QuerySet[Delegation]:
    """The delegations in force."""
    return Delegation.objects.for_workspace(workspace_id).filter(
        begins_at__lte=now, ends_at__gt=now, ended_at__isnull=True
    )


def reaches(workspace_id: UUID, user_id: UUID, now: datetime) -> list[Reach]:
    """Everybody for whom the person can act now. One query, two where deputies are asked."""
    rows = list(live(workspace_id, now).order_by("id"))
    if not rows:
        return []
    to = delegates(workspace_id, rows, places.today(workspace_id, now))
    by_delegate: dict[UUID, list[Delegation]] = {}
    for row in rows:
        if (delegate := to.get(row.pk)) is not None:
            by_delegate.setdefault(delegate, []).append(row)
    found: list[Reach] = []
    _follow(user_id, (), {user_id}, by_delegate, found)
    return found


def stand_ins(task: UserTask, people: Iterable[UUID], now: datetime) -> dict[UUID, list[UUID]]:
    """Who can act for these people in this task now: by who stands in, those for whom."""
    rows = list(live(task.workspace_id, now))
    if not rows:
        return {}
    wanted = set(people)
    to = delegates(task.workspace_id, rows, places.today(task.workspace_id, now))
    found: dict[UUID, list[UUID]] = {}
    for user_id in sorted({one for one in to.values() if one is not None}):
        ways = reaches(task.workspace_id, user_id, now)
        covered = {one.person_id for one in ways if one.person_id in wanted and one.covers(task)}
        if covered - {user_id}:
            found[user_id] = sorted(covered - {user_id})
    return found


def _follow(
    user_id: UUID,
    through: tuple[Delegation, ...],
    met: set[UUID],
    by_delegate: Mapping[UUID, list[Delegation]],
    found: list[Reach],
) -> None:
    if len(through) == LONGEST_CHAIN:
        return
    for one in by_delegate.get(user_id, ()):
        if one.person_id in met:
            continue
        chain = (one, *through)
        found.append(Reach(one.person_id, chain))
        _follow(one.person_id, chain, met | {one.person_id}, by_delegate, found)


def delegates(workspace_id: UUID, rows: Iterable[Delegation], day: date) -> dict[UUID, UUID | None]:
    """By the ids of delegations, who stands in: who is named, else the deputy on that day."""
    rows = list(rows)
    open_ones = {one.person_id for one in rows if one.to_id is None}
    known = places.places_on(workspace_id, day, open_ones) if open_ones else {}
    found: dict[UUID, UUID | None] = {}
    for one in rows:
        place = known.get(one.person_id)
        deputy = place.deputy.user_id if place and place.deputy else None
        found[one.pk] = one.to_id or deputy
    return found


def away(workspace_id: UUID, user_ids: Iterable[UUID], now: datetime) -> set[UUID]:
    """Those of these people who have handed everything to somebody just now."""
    rows = live(workspace_id, now).filter(
        person__in=list(user_ids),
        kinds=[],
        flows=[],
        amount_limit__isnull=True,
        without_high_risk=False,
    )
    return set(rows.values_list("person_id", flat=True))


def covers(one: Delegation, task: UserTask) -> bool:
    """Whether a delegation is for this task. Where the amount is not known it is not."""
    if one.kinds and task.kind not in one.kinds:
        return False
    if one.flows and str(task.flow_id) not in one.flows:
        return False
    if one.without_high_risk and task.risk == HIGH:
        return False
    if one.amount_limit is not None:
        amount = amount_of(task.facts, one.amount_label)
        return amount is not None and amount <= one.amount_limit
    return True


def amount_of(facts: Iterable[Mapping[str, Any]], label: str) -> Decimal | None:
    """The number in the fact of that label; None where there is none, or it is no number."""
    for fact in facts:
        if fact["label"] == label:
            value = fact["value"]
            is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
            return Decimal(value) if is_number else None
    return None


def with_amounts(tasks: QuerySet[UserTask], found: Iterable[Reach]) -> QuerySet[UserTask]:
    """Tasks with the amounts that the limits of these delegations go by."""
    limits = {row for reach in found for row in reach.through if row.amount_limit is not None}
    return tasks.alias(
        **{
            _alias(row): Func(
                F("facts"),
                Value(row.amount_label),
                function="inbox_amount",
                output_field=DecimalField(max_digits=40, decimal_places=10),
            )
            for row in limits
        }
    )


def _alias(one: Delegation) -> str:
    return f"amount_{one.pk.hex}"


def _condition(one: Delegation) -> Q:
    found = Q()
    if one.kinds:
        found &= Q(kind__in=one.kinds)
    if one.flows:
        found &= Q(flow_id__in=one.flows)
    if one.without_high_risk:
        found &= ~Q(risk=HIGH)
    if one.amount_limit is not None:
        found &= Q(**{f"{_alias(one)}__lte": one.amount_limit})
    return found
