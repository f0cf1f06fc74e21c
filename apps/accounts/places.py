"""Every shared read about where people stand: manager, deputy, department, zone, calendar."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from apps.accounts import calendars, queries
from apps.accounts.chart import Chart
from apps.accounts.models import Membership, OwnCalendar, Placement, User
from apps.engine.working_time import Calendar


def today(workspace_id: UUID, now: datetime) -> date:
    """The day it is where the workspace is."""
    return now.astimezone(ZoneInfo(queries.zone_of(workspace_id))).date()


def placements(workspace_id: UUID) -> QuerySet[Placement]:
    """All that is known, each with ``manager`` and ``deputy``, in the order in which it begins."""
    return (
        Placement.objects.for_workspace(workspace_id)
        .select_related("membership__user", "manager__user", "deputy__user")
        .order_by("membership_id", "begins_on")
    )


def places_on(
    workspace_id: UUID, day: date, user_ids: Collection[UUID] | None = None
) -> dict[UUID, Placement]:
    """What was in force on that day, by the ids of people; those of whom nothing is known lack."""
    rows = placements(workspace_id).filter(begins_on__lte=day)
    if user_ids is not None:
        rows = rows.filter(membership__user__in=list(user_ids))
    latest = rows.order_by("membership_id", "-begins_on").distinct("membership_id")
    return {one.membership.user_id: one for one in latest}


def manager_on(workspace_id: UUID, email: str, day: date) -> User | None:
    """Who led the member with that address on that day, active now or not; None if unknown."""
    member = (
        Membership.objects.for_workspace(workspace_id)
        .filter(user__email=email.strip().lower())
        .first()
    )
    if member is None:
        return None
    place = places_on(workspace_id, day, [member.user_id]).get(member.user_id)
    return place.manager.user if place and place.manager else None


def departments_on(workspace_id: UUID, day: date, user_ids: Collection[UUID]) -> dict[UUID, str]:
    """The departments of those of these people whose department is known."""
    found = places_on(workspace_id, day, user_ids)
    return {user_id: one.department for user_id, one in found.items() if one.department}


def chart(workspace_id: UUID) -> Chart:
    """Who leads whom, on every day."""
    rows = Placement.objects.for_workspace(workspace_id)
    return Chart(rows.values_list("membership_id", "begins_on", "manager_id"))


def own_calendars(workspace_id: UUID) -> QuerySet[OwnCalendar]:
    """The calendars of teams and people that have one of their own."""
    return OwnCalendar.objects.for_workspace(workspace_id).select_related(
        "team", "membership__user"
    )


def calendar_for(
    workspace_id: UUID, *, user_id: UUID | None = None, team: str = ""
) -> Calendar | None:
    """The calendar of a person, else that of a team, where either has one of its own."""
    own = own_calendars(workspace_id)
    found = own.filter(membership__user=user_id).first() if user_id else None
    found = found or (own.filter(team__slug=team).first() if team else None)
    return calendars.read(found.content) if found else None
