"""Somebody leaves: what they had is shown, handed on in one action, and the trail tells of it."""

import pytest

from apps.accounts import commands as people_commands
from apps.accounts import places
from apps.accounts.commands import GrantSubject, Place
from apps.accounts.models import ApiToken, Membership
from apps.core import clock
from apps.core.errors import Conflict, Forbidden, Invalid
from apps.flows.models import Flow
from apps.inbox import delegating, queries
from apps.inbox.models import Delegation
from apps.operations import leaving
from tests.inbox.support import Desk, fresh

pytestmark = pytest.mark.django_db


class Office(Desk):
    """A desk with an administrator, who leads leavers out."""

    def __init__(self):
        super().__init__()
        self.admin = self.actor(self.someone("admin", "admin"))


@pytest.fixture
def desk(db):
    return Office()


def member(desk, name, *roles):
    return Membership.objects.get(user=desk.someone(name, *roles), workspace=desk.workspace)


def laden(desk):
    """Ada leads Bob, owns a flow, has a task, a token, a right, a team and a stand-in."""
    now = clock.now()
    ada = desk.someone("ada", "builder", "approver")
    task = desk.ask_named("ada")
    Flow.objects.filter(pk=task.flow_id).update(owner=ada)
    desk.team("finance", "ada")
    people_commands.grant_flow(
        actor=desk.admin,
        flow_id=task.flow_id,
        subject=GrantSubject("user", ada.pk),
        rights=["edit"],
        now=now,
    )
    people_commands.create_token(actor=desk.actor(ada), name="ci", days=1, now=now)
    people_commands.place_member(
        actor=desk.admin,
        membership_id=member(desk, "bob").pk,
        begins_on=None,
        place=Place(manager_id=member(desk, "ada").pk),
        now=now,
    )
    delegating.delegate(
        actor=desk.actor(ada),
        to=desk.someone("bob").email,
        begins_at=now,
        ends_at=now.replace(year=now.year + 1, day=1),
        now=now,
    )
    return task


def rehome(desk, to="cleo", **more):
    return leaving.rehome(
        **{
            "actor": desk.admin,
            "membership_id": member(desk, "ada").pk,
            "to": to if "@" in to else desk.someone(to).email,
            "reason": "Leaves the company",
            "now": clock.now(),
            **more,
        }
    )


def test_everything_is_shown_and_nothing_is_changed_by_looking(desk):
    task = laden(desk)

    found = leaving.belongings(
        actor=desk.admin, membership_id=member(desk, "ada").pk, now=clock.now()
    )

    assert [one.pk for one in found.flows] == [task.flow_id]
    assert [one for one, _ in found.tasks] == [task]
    assert [rights for _, rights in found.grants] == [["edit"]]
    assert [one.name for one in found.tokens] == ["ci"]
    assert [one.slug for one in found.teams] == ["finance"]
    assert [one.user.email for one in found.leads] == ["bob@acme.test"]
    assert len(found.delegations) == 1
    assert Flow.objects.get(pk=task.flow_id).owner == desk.someone("ada")


def test_everything_is_handed_on_in_one_action(desk):
    task = laden(desk)
    cleo = desk.someone("cleo")

    rehome(desk)

    assert Flow.objects.get(pk=task.flow_id).owner == cleo
    assert list(queries.open_tasks(desk.actor(cleo))) == [task]
    assert leaving._grants(desk.workspace.pk, cleo.pk)[0][1] == ["edit"]
    assert not ApiToken.objects.filter(user=desk.someone("ada"), revoked_at__isnull=True).exists()
    assert cleo.groups.filter(team__slug="finance").exists()
    today = places.today(desk.workspace.pk, clock.now())
    assert places.manager_on(desk.workspace.pk, "bob@acme.test", today) == cleo
    assert not Delegation.objects.filter(ended_at__isnull=True).exists()
    assert member(desk, "ada").is_active is False
    assert len(desk.trail("member.rehome")) == 1
    left = leaving.belongings(
        actor=desk.admin, membership_id=member(desk, "ada").pk, now=clock.now()
    )
    assert not any(leaving.told(left).values())


def test_what_the_successor_may_not_decide_is_told_before_and_never_given(desk):
    desk.ask_named("ada", started_by=desk.someone("cleo").email)

    before = leaving.belongings(
        actor=desk.admin,
        membership_id=member(desk, "ada").pk,
        to="cleo@acme.test",
        now=clock.now(),
    )
    after = rehome(desk)

    assert "asked for this" in before.tasks[0][1]
    assert "asked for this" in after.tasks[0][1]
    assert list(queries.open_tasks(desk.actor(desk.someone("cleo")))) == []
    assert fresh(after.tasks[0][0]).status == "open"


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"reason": " "}, Invalid),
        ({"to": "nobody@acme.test"}, Invalid),
        ({"to": "ada@acme.test"}, Conflict),
    ],
)
def test_what_cannot_be_changes_nothing(desk, more, error):
    desk.someone("ada")

    with pytest.raises(error):
        rehome(desk, **more)

    assert member(desk, "ada").is_active


def test_not_to_oneself_and_only_by_who_manages_people(desk):
    with pytest.raises(Conflict):
        rehome(desk, membership_id=member(desk, "admin").pk)
    with pytest.raises(Forbidden):
        rehome(desk, actor=desk.actor(desk.someone("bob")))
