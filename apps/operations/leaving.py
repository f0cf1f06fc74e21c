"""Somebody leaves: everything that is theirs is shown, and handed on in one action."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from guardian.models import UserObjectPermission

from apps.accounts import places
from apps.accounts.actors import Actor
from apps.accounts.commands import GrantSubject, Place, change_member, grant_flow
from apps.accounts.commands.people import member_target
from apps.accounts.commands.places import check_circle, keep_place
from apps.accounts.models import ApiToken, Membership, Placement, Team, User, Workspace
from apps.accounts.permissions import GRANTS, require
from apps.accounts.queries import get_member, people_in
from apps.audit.commands import record
from apps.core.errors import Conflict, Invalid, ProductError
from apps.flows.commands import rehome_flows
from apps.flows.models import Flow
from apps.inbox import delegating, handing
from apps.inbox.models import Delegation, UserTask
from apps.triggers.models import Schedule

_RIGHTS = {codename: right for right, (codename, _) in GRANTS.items()}


@dataclass(slots=True)
class Belongings:
    """What is a person's in a workspace. Of tasks also why the successor cannot have one."""

    member: Membership
    flows: list[Flow] = field(default_factory=list)
    #: Those of the flows that start by themselves at set times.
    scheduled: set[UUID] = field(default_factory=set)
    tasks: list[tuple[UserTask, str]] = field(default_factory=list)
    grants: list[tuple[Flow, list[str]]] = field(default_factory=list)
    tokens: list[ApiToken] = field(default_factory=list)
    teams: list[Team] = field(default_factory=list)
    leads: list[Membership] = field(default_factory=list)
    stands_in_for: list[Membership] = field(default_factory=list)
    delegations: list[Delegation] = field(default_factory=list)


def belongings(*, actor: Actor, membership_id: UUID, now: datetime, to: str = "") -> Belongings:
    """Everything a person has here; with ``to``, what that person could not be given.

    Raises:
        Forbidden: Who does not manage people.
        NotFound: There is no such person here.
    """
    require(actor, "people.manage")
    member = get_member(actor.workspace_id, membership_id)
    successor = _successor(actor.workspace_id, member, to) if to else None
    flows = Flow.objects.for_workspace(actor.workspace_id)
    owned = list(flows.filter(owner=member.user).order_by("name"))
    scheduled = Schedule.objects.filter(trigger__flow__in=[one.pk for one in owned])
    today = places.today(actor.workspace_id, now)
    rows = _placements_naming(member, today, actor.workspace_id)
    return Belongings(
        member=member,
        flows=owned,
        scheduled=set(scheduled.values_list("trigger__flow_id", flat=True)),
        tasks=[
            (task, _problem(task, successor, now))
            for task in handing.tasks_of(actor.workspace_id, member.user_id)
        ],
        grants=_grants(actor.workspace_id, member.user_id),
        tokens=list(
            ApiToken.objects.for_workspace(actor.workspace_id).filter(
                user=member.user, revoked_at__isnull=True
            )
        ),
        teams=list(
            Team.objects.for_workspace(actor.workspace_id)
            .filter(group__user=member.user, kind=Team.Kind.TEAM)
            .order_by("name")
        ),
        leads=_members({one.membership_id for one in rows if one.manager_id == member.pk}),
        stands_in_for=_members({one.membership_id for one in rows if one.deputy_id == member.pk}),
        delegations=list(
            Delegation.objects.for_workspace(actor.workspace_id)
            .filter(
                Q(person=member.user) | Q(to=member.user),
                ended_at__isnull=True,
                ends_at__gt=now,
            )
            .select_related("person", "to")
        ),
    )


@transaction.atomic
def rehome(
    *,
    actor: Actor,
    membership_id: UUID,
    to: str,
    reason: str,
    now: datetime,
) -> Belongings:
    """Hand everything of a person to another, end their way in, and tell the trail of the whole.

    Flows get a new owner, rights on flows and places as manager or deputy go over, teams that
    would be left empty get the successor. What a duty forbids them to decide stays with the task:
    the person drops out of it, and the others or the group that stands in are asked. Tokens
    are revoked and delegations end.

    Raises:
        Invalid: Without a reason.
        Conflict: The person is oneself, or the successor is the same.
        LastAdministrator: Nobody would be left to administer.

    Locks:
        The workspace row, then each thing in the order of the list.
    """
    require(actor, "people.manage")
    if not reason.strip():
        raise Invalid("Say why; it is kept with everything that is handed on.")
    Workspace.objects.select_for_update(no_key=True).get(pk=actor.workspace_id)
    found = belongings(actor=actor, membership_id=membership_id, now=now, to=to)
    leaver = found.member
    if leaver.user_id == actor.user_id:
        raise Conflict("You cannot do this to yourself; another administrator has to.")
    successor = _successor(actor.workspace_id, leaver, to)
    rehome_flows(actor=actor, from_id=leaver.user_id, owner_id=successor.pk, now=now)
    found.tasks = [
        (task, _hand(actor, task, leaver.user_id, successor, reason, now))
        for task, _ in found.tasks
    ]
    _move_grants(actor, found, successor, now)
    _move_places(actor, leaver, successor, now)
    _fill_teams(found.teams, leaver.user, successor)
    for row in found.delegations:
        delegating.end_delegation(actor=actor, delegation_id=row.pk, reason=reason, now=now)
    change_member(
        actor=actor,
        membership_id=leaver.pk,
        teams=[],
        is_active=False,
        reason=reason,
        now=now,
    )
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb="member.rehome",
        target=member_target(leaver.user),
        reason=reason,
        details={"to": successor.email, **told(found)},
        now=now,
    )
    return found


def told(found: Belongings) -> dict[str, Any]:
    """The whole of it as the trail tells it."""
    return {
        "flows": [one.name for one in found.flows],
        "tasks": [str(task.pk) for task, problem in found.tasks if not problem],
        "tasks_kept_apart": [str(task.pk) for task, problem in found.tasks if problem],
        "grants": [one.name for one, _ in found.grants],
        "tokens": [one.name for one in found.tokens],
        "teams": [one.slug for one in found.teams],
        "manager_of": [one.user.email for one in found.leads],
        "deputy_of": [one.user.email for one in found.stands_in_for],
        "delegations": [str(one.pk) for one in found.delegations],
    }


def _successor(workspace_id: UUID, leaver: Membership, to: str) -> User:
    found = next(iter(people_in(workspace_id, users=[to])), None)
    if found is None:
        raise Invalid(f"There is no active person “{to[:80]}” here who may decide.")
    if found.pk == leaver.user_id:
        raise Conflict("Choose somebody else than the person who leaves.")
    return found


def _problem(task: UserTask, successor: User | None, now: datetime) -> str:
    refused = handing.refusal_of(task, successor, now) if successor else None
    return refused.message if refused else ""


def _hand(  # noqa: PLR0917 - the parts of one sentence
    actor: Actor, task: UserTask, from_id: UUID, to: User, reason: str, now: datetime
) -> str:
    moved = handing.reassign_tasks(
        actor=actor,
        person_id=from_id,
        to=to.email,
        reason=reason,
        task_ids=[task.pk],
        now=now,
    )
    return moved[0].problem if moved else ""


def _grants(workspace_id: UUID, user_id: UUID) -> list[tuple[Flow, list[str]]]:
    rows = UserObjectPermission.objects.filter(
        user_id=user_id,
        permission__content_type__app_label="flows",
        permission__content_type__model="flow",
    ).values_list("object_pk", "permission__codename")
    by_flow: dict[str, list[str]] = {}
    for object_pk, codename in rows:
        if codename in _RIGHTS:
            by_flow.setdefault(object_pk, []).append(_RIGHTS[codename])
    flows = Flow.objects.for_workspace(workspace_id).filter(pk__in=list(by_flow))
    return [(flow, sorted(by_flow[str(flow.pk)])) for flow in flows.order_by("name")]


def _move_grants(actor: Actor, found: Belongings, successor: User, now: datetime) -> None:
    held = {flow.pk: rights for flow, rights in _grants(actor.workspace_id, successor.pk)}
    for flow, rights in found.grants:
        for subject, wanted in (
            (successor.pk, {*rights, *held.get(flow.pk, [])}),
            (found.member.user_id, set()),
        ):
            grant_flow(
                actor=actor,
                flow_id=flow.pk,
                subject=GrantSubject("user", subject),
                rights=wanted,
                now=now,
            )


def _placements_naming(member: Membership, today: Any, workspace_id: UUID) -> list[Placement]:
    """What is in force or to come and names the person as manager or deputy."""
    current = places.places_on(workspace_id, today)
    later = places.placements(workspace_id).filter(begins_on__gt=today)
    return [
        one
        for one in (*current.values(), *later)
        if member.pk in {one.manager_id, one.deputy_id} and one.membership_id != member.pk
    ]


def _move_places(actor: Actor, leaver: Membership, successor: User, now: datetime) -> None:
    """From today on the successor leads whom the leaver led, and stands in for the same."""
    today = places.today(actor.workspace_id, now)
    new = Membership.objects.get(workspace_id=actor.workspace_id, user=successor)
    for row in _placements_naming(leaver, today, actor.workspace_id):
        after = new.pk if new.pk != row.membership_id else None
        place = Place.of(row)
        place = Place(
            manager_id=after if row.manager_id == leaver.pk else place.manager_id,
            deputy_id=after if row.deputy_id == leaver.pk else place.deputy_id,
            department=place.department,
            zone=place.zone,
        )
        day = max(row.begins_on, today)
        try:
            check_circle(places.chart(actor.workspace_id), row.membership, day, place.manager_id)
        except ProductError:
            # The successor is led by this person; nobody leads both ways.
            place = Place(
                manager_id=None,
                deputy_id=place.deputy_id,
                department=place.department,
                zone=place.zone,
            )
        keep_place(actor=actor, member=row.membership, day=day, place=place, now=now)


def _fill_teams(teams: list[Team], leaver: User, successor: User) -> None:
    """No team is left without anybody who is active."""
    for team in teams:
        others = team.group.user_set.exclude(pk=leaver.pk).filter(
            memberships__workspace=team.workspace_id, memberships__is_active=True, is_active=True
        )
        if not others.exists():
            team.group.user_set.add(successor)


def _members(ids: set[UUID]) -> list[Membership]:
    return list(
        Membership.objects.filter(pk__in=ids).select_related("user").order_by("user__email")
    )
