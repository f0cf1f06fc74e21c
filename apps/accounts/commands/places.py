"""Where people stand: who leads them, who stands in, their department, from a day on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django.db import transaction

from apps.accounts import calendars, places, queries
from apps.accounts.actors import Actor
from apps.accounts.chart import Chart
from apps.accounts.commands.people import member_target
from apps.accounts.models import Membership, OwnCalendar, Placement, Team, User, Workspace
from apps.accounts.permissions import require
from apps.audit.commands import record
from apps.audit.records import Target
from apps.core.errors import Invalid, NotFound
from apps.core.models import uuid7

LONGEST_DEPARTMENT = 100


class CircleOfManagers(Invalid):
    """Somebody would lead themself."""

    code = "circle_of_managers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What is to hold of a person."""

    manager_id: UUID | None = None
    deputy_id: UUID | None = None
    department: str = ""
    zone: str = ""

    @classmethod
    def of(cls, row: Placement | None) -> Place:
        """What a stored row says; nothing where there is none."""
        if row is None:
            return cls()
        return cls(
            manager_id=row.manager_id,
            deputy_id=row.deputy_id,
            department=row.department,
            zone=row.zone,
        )


@transaction.atomic
def place_member(
    *,
    actor: Actor,
    membership_id: UUID,
    begins_on: date | None,
    place: Place,
    now: datetime,
    language: str | None = None,
    reason: str = "",
) -> Placement:
    """Say who leads a person, who stands in and where they belong, from a day on.

    What begins later stays as it is. ``begins_on`` is today where None is given. Only the first
    that is known of a person may begin in the past.

    Raises:
        NotFound: No such member, manager or deputy here.
        CircleOfManagers: They would lead themself, on that day or later.
        Invalid: A day that is past, an unknown zone, a manager who is not active.

    Locks:
        The workspace row, so that two changes cannot close a circle together.
    """
    require(actor, "people.manage")
    Workspace.objects.select_for_update(no_key=True).get(pk=actor.workspace_id)
    member = queries.get_member(actor.workspace_id, membership_id)
    day = begins_on or places.today(actor.workspace_id, now)
    others = {one for one in (place.manager_id, place.deputy_id) if one is not None}
    active = Membership.objects.for_workspace(actor.workspace_id).filter(
        pk__in=others, is_active=True, user__is_active=True
    )
    check_place(member, place, set(active.values_list("pk", flat=True)))
    is_known = Placement.objects.filter(membership=member).exists()
    check_day(day, places.today(actor.workspace_id, now), is_known=is_known)
    chart = places.chart(actor.workspace_id)
    check_circle(chart, member, day, place.manager_id)
    return keep_place(
        actor=actor, member=member, day=day, place=place, language=language, reason=reason, now=now
    )


def check_place(member: Membership, place: Place, active: Collection[UUID]) -> None:
    """Refuse what cannot be: people who are not ``active`` here, oneself, an unknown zone."""
    for what, other in (("manager", place.manager_id), ("deputy", place.deputy_id)):
        if other is None:
            continue
        if other == member.pk:
            raise Invalid(f"Nobody is their own {what}; choose somebody else.")
        if other not in active:
            raise Invalid(f"The {what} must be an active person of this workspace.")
    if place.zone and place.zone not in available_timezones():
        raise Invalid(f"“{place.zone[:60]}” is not a time zone; expected one like Europe/Berlin.")
    if len(place.department) > LONGEST_DEPARTMENT or not place.department.isprintable():
        raise Invalid(f"Expected a department of at most {LONGEST_DEPARTMENT} characters.")


def check_day(day: date, today: date, *, is_known: bool) -> None:
    """Refuse to change what has been: the past stays readable as it was."""
    if day < today and is_known:
        raise Invalid("A change can begin today or later; what was before stays as it was.")


def check_circle(chart: Chart, member: Membership, day: date, manager_id: UUID | None) -> None:
    """Enter it into the chart; refuse if the person would then lead themself."""
    chart.set(member.pk, day, manager_id)
    circle = chart.circle(member.pk, day)
    if circle is None:
        return
    when, chain = circle
    names = {
        one.pk: one.user.get_full_name()
        for one in Membership.objects.filter(pk__in=chain).select_related("user")
    }
    way = " → ".join(names[one] for one in (*chain, chain[0]))
    raise CircleOfManagers(
        f"From {when.isoformat()} on they would lead themself: {way}. Choose another manager."
    )


def keep_place(
    *,
    actor: Actor,
    member: Membership,
    day: date,
    place: Place,
    now: datetime,
    language: str | None = None,
    reason: str = "",
) -> Placement:
    """Store a checked place and tell the trail; the caller has the right and the lock."""
    before = places.places_on(actor.workspace_id, day, [member.user_id]).get(member.user_id)
    shown_before = _shown(before, member.user)
    if language is not None and language != member.user.language:
        if language not in User.Language.values:
            raise Invalid(f"“{language[:20]}” is no language that the pages are written in.")
        User.objects.filter(pk=member.user_id).update(language=language)
        member.user.language = language
    row, _ = Placement.objects.update_or_create(
        membership=member,
        begins_on=day,
        defaults={
            "workspace_id": actor.workspace_id,
            "manager_id": place.manager_id,
            "deputy_id": place.deputy_id,
            "department": place.department.strip(),
            "zone": place.zone,
            "created_at": now,
        },
        create_defaults={
            "id": uuid7(),
            "workspace_id": actor.workspace_id,
            "manager_id": place.manager_id,
            "deputy_id": place.deputy_id,
            "department": place.department.strip(),
            "zone": place.zone,
            "created_at": now,
        },
    )
    row = places.placements(actor.workspace_id).get(pk=row.pk)
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb="member.place",
        target=member_target(member.user),
        before=shown_before,
        after={**_shown(row, member.user), "from": day.isoformat()},
        reason=reason,
        now=now,
    )
    return row


@transaction.atomic
def set_own_calendar(
    *,
    actor: Actor,
    team_id: UUID | None = None,
    membership_id: UUID | None = None,
    content: Mapping[str, Any] | None,
    now: datetime,
) -> calendars.Content:
    """Give a team or a person a calendar of their own, or with None the workspace's again.

    Raises:
        NotFound: There is no such team or person here.
        Invalid: Nobody could work by it.

    Locks:
        The workspace's row.
    """
    require(actor, "settings.manage")
    Workspace.objects.select_for_update(no_key=True).get(pk=actor.workspace_id)
    whose, target = _owner(actor.workspace_id, team_id, membership_id)
    row = OwnCalendar.objects.for_workspace(actor.workspace_id).filter(**whose).first()
    if row is None and content is None:
        raise NotFound("There is no calendar of their own; that of the workspace holds.")
    before = row.content if row else None
    wanted = (
        None
        if content is None
        else calendars.checked(
            zone=content["zone"], hours=content["hours"], holidays=content["holidays"]
        )
    )
    if wanted is not None:
        calendars.check_works(wanted, now)
    if wanted != before:
        if wanted is None:
            OwnCalendar.objects.for_workspace(actor.workspace_id).filter(**whose).delete()
        else:
            OwnCalendar.objects.update_or_create(
                **whose,
                defaults={
                    "workspace_id": actor.workspace_id,
                    "content": wanted,
                    "updated_at": now,
                },
            )
        record(
            who=actor.who,
            workspace_id=actor.workspace_id,
            verb="settings.change",
            target=target,
            before=before,
            after=wanted,
            now=now,
        )
    return wanted or queries.calendar_shown(actor.workspace_id)


def _owner(
    workspace_id: UUID, team_id: UUID | None, membership_id: UUID | None
) -> tuple[dict[str, Any], Target]:
    if team_id is not None:
        team = Team.objects.for_workspace(workspace_id).filter(pk=team_id).first()
        if team is None:
            raise NotFound("There is no such team in this workspace.")
        return {"team": team}, Target("calendar", str(team.pk), team.name)
    if membership_id is None:
        raise Invalid("Say whose calendar it is: a team's or a person's.")
    member = queries.get_member(workspace_id, membership_id)
    return {"membership_id": member.pk}, Target("calendar", str(member.pk), member.user.email)


def _shown(row: Placement | None, user: User) -> dict[str, str]:
    """A place as the trail tells it."""
    return {
        "manager": row.manager.user.email if row and row.manager else "",
        "deputy": row.deputy.user.email if row and row.deputy else "",
        "department": row.department if row else "",
        "zone": row.zone if row else "",
        "language": user.language,
    }
