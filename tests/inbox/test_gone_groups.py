"""A group or role that goes while tasks wait on it: somebody else is asked, or it fails loudly."""

import pytest

from apps.accounts import commands as people_commands
from apps.accounts.models import Membership, Team
from apps.core import clock
from apps.core.errors import Conflict
from apps.core.models import Outbox
from apps.inbox import commands
from apps.operations import alerts
from apps.operations.models import Alert
from tests.inbox.support import fresh

pytestmark = pytest.mark.django_db


def admin(desk):
    return desk.actor(desk.someone("admin", "admin"))


def team(desk, slug):
    return Team.objects.get(workspace=desk.workspace, slug=slug)


def delete(desk, slug):
    people_commands.delete_team(actor=admin(desk), team_id=team(desk, slug).pk, now=clock.now())


def empty(desk, slug):
    team(desk, slug).group.user_set.clear()


def asked(task):
    rows = task.assignees.filter(dropped_at__isnull=True).select_related("user")
    return sorted(one.user.email.partition("@")[0] for one in rows)


@pytest.mark.parametrize("gone", [empty, delete])
class TestTheGroupThatWasAsked:
    def test_its_people_lose_it_the_one_that_stands_in_has_it_and_the_owner_is_told(
        self, desk, gone
    ):
        desk.team("finance", "ada", "bob")
        desk.team("desk", "dora")
        task = desk.ask(assignees={"users": [], "groups": ["finance"]}, fallback=["desk"])

        gone(desk, "finance")
        commands.drop_leavers(now=clock.now())

        assert asked(task) == ["dora"]
        [told] = Outbox.objects.filter(topic="task.fallback")
        alerts.tell_of_fallback(told.payload)
        [alert] = Alert.objects.filter(run_id=task.run_id)
        assert alert.user == desk.flow_of(task).owner
        assert "The group that stands in was asked" in alert.title
        desk.decide(task, desk.someone("dora"))
        assert fresh(task).outcome == "approved"

    def test_who_was_named_beside_it_keeps_it(self, desk, gone):
        desk.team("finance", "ada")
        task = desk.ask(assignees={"users": [desk.someone("cleo").email], "groups": ["finance"]})

        gone(desk, "finance")
        commands.drop_leavers(now=clock.now())

        assert asked(task) == ["cleo"]
        assert fresh(task).status == "open"

    def test_answers_that_were_given_before_still_count(self, desk, gone):
        desk.team("finance", "ada", "bob")
        users = [desk.someone("cleo").email]
        task = desk.ask(assignees={"users": users, "groups": ["finance"]}, rule={"n": 2})
        desk.decide(task, desk.someone("ada"))

        gone(desk, "finance")
        commands.drop_leavers(now=clock.now())
        assert fresh(task).status == "open"
        desk.decide(task, desk.someone("cleo"))

        assert fresh(task).outcome == "approved"

    def test_the_one_that_stands_in_goes_as_well_and_the_run_says_why(self, desk, gone):
        desk.team("finance", "ada")
        desk.team("desk", "dora")
        task = desk.ask(assignees={"users": [], "groups": ["finance"]}, fallback=["desk"])
        gone(desk, "finance")
        commands.drop_leavers(now=clock.now())

        gone(desk, "desk")
        commands.drop_leavers(now=clock.now())

        assert fresh(task).status == "cancelled"
        run = desk.run_of(task)
        assert (run.status, run.error["code"]) == ("failed", "no_assignee")
        assert "everybody it was put to has left" in run.error["message"]

    def test_what_is_asked_later_goes_to_the_one_that_stands_in(self, desk, gone):
        desk.team("finance", "ada")
        desk.team("desk", "dora")
        gone(desk, "finance")

        task = desk.ask(assignees={"users": [], "groups": ["finance"]}, fallback=["desk"])

        assert asked(task) == ["dora"]


class TestTheRole:
    def test_who_loses_it_loses_the_task_and_the_fallback_has_it(self, desk):
        ada = desk.someone("ada")
        desk.team("desk", "dora")
        task = desk.ask(assignees={"users": [ada.email], "groups": []}, fallback=["desk"])
        people_commands.change_member(
            actor=admin(desk),
            membership_id=Membership.objects.get(user=ada, workspace=desk.workspace).pk,
            roles=["auditor"],
            now=clock.now(),
        )

        commands.drop_leavers(now=clock.now())

        assert asked(task) == ["dora"]

    def test_it_cannot_be_deleted_or_called_otherwise(self, desk):
        role = team(desk, "approver")
        with pytest.raises(Conflict, match="roles stay as they are"):
            delete(desk, "approver")
        with pytest.raises(Conflict, match="roles stay as they are"):
            people_commands.rename_team(
                actor=admin(desk), team_id=role.pk, name="Deciders", now=clock.now()
            )
