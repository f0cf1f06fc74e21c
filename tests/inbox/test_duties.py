"""Who is kept from deciding, by every door; who is asked instead; how a duty is set aside."""

from datetime import timedelta

import pytest

from apps.accounts import commands as people_commands
from apps.accounts.commands import Place
from apps.accounts.models import Membership, Team
from apps.core import clock
from apps.core.errors import Conflict, Forbidden, Invalid
from apps.core.models import Outbox
from apps.inbox import commands, duties, handing
from apps.inbox.models import Decision, TaskAssignee, UserTask
from apps.runs.drive import drive_all
from tests.inbox.support import approval, fresh

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(desk):
    """The owner of the flows has also written them."""
    desk.author = desk.owner
    return desk


def place(desk, name, *roles, **fields):
    """Where somebody stands from today on; ``manager`` by name."""
    user = desk.someone(name, *roles)
    if "manager" in fields:
        led_by = desk.someone(fields.pop("manager"))
        fields["manager_id"] = Membership.objects.get(user=led_by, workspace=desk.workspace).pk
    people_commands.place_member(
        actor=desk.actor(desk.someone("admin", "admin")),
        membership_id=Membership.objects.get(user=user, workspace=desk.workspace).pk,
        begins_on=None,
        place=Place(**fields),
        now=clock.now(),
    )
    return user


def asked(task):
    rows = TaskAssignee.objects.filter(task=task, dropped_at__isnull=True)
    return sorted(row.user.email.partition("@")[0] for row in rows.select_related("user"))


def named(desk, *names, **more):
    return {"users": [desk.someone(name).email for name in names], "groups": [], **more}


class TestKeptApart:
    def test_who_wrote_the_flow_where_its_risk_is_not_said(self, desk):
        task = desk.ask(assignees=named(desk, "owner", "bob"))

        assert task.risk == "high"
        assert asked(task) == ["bob"]
        with pytest.raises(duties.AuthorMayNot):
            desk.decide(task, desk.owner)

    def test_not_where_the_risk_is_low_or_the_step_allows_it(self, desk):
        allowed = desk.ask(assignees=named(desk, "owner"), duties={"author": "no"})

        assert asked(allowed) == ["owner"]

    def test_who_answered_another_question_of_the_run(self, desk):
        document = approval(assignees=named(desk, "ada", "bob"))
        document["steps"]["second"] = {
            **document["steps"]["ask"],
            "title": "Approve again",
            "config": {**document["steps"]["ask"]["config"], "duties": {"twice": True}},
        }
        for link in document["links"]:
            if link.get("port") == "approved":
                link["to"] = "second"
        document["links"] += [
            {"from": "second", "port": "approved", "to": "order"},
            {"from": "second", "port": "rejected", "to": "declined"},
            {"from": "second", "port": "timeout", "to": "late"},
        ]
        run_id = desk.start(desk.publish(document), {"amount": 1})
        drive_all()
        desk.decide(UserTask.objects.get(run_id=run_id, step="ask"), desk.someone("ada"))
        drive_all()
        second = UserTask.objects.get(run_id=run_id, step="second")

        assert asked(second) == ["bob"]
        with pytest.raises(duties.TwiceMayNot):
            desk.decide(second, desk.someone("ada"))

    def test_who_is_of_the_requesters_department(self, desk):
        place(desk, "rita", department="Buying")
        place(desk, "ada", department="buying")
        place(desk, "bob", department="Sales")

        task = desk.ask(
            assignees=named(desk, "ada", "bob"),
            duties={"department": True},
            started_by="rita@acme.test",
        )

        assert asked(task) == ["bob"]
        with pytest.raises(duties.DepartmentMayNot):
            desk.decide(task, desk.someone("ada"))

    def test_four_eyes_are_two_people_whatever_the_rule(self, desk):
        task = desk.ask(assignees=named(desk, "ada", "bob"), duties={"four_eyes": True})

        desk.decide(task, desk.someone("ada"))
        assert fresh(task).status == "open"
        desk.decide(task, desk.someone("bob"))
        assert fresh(task).outcome == "approved"

    def test_an_administrator_like_everybody(self, desk):
        admin = desk.someone("admin", "admin")
        task = desk.ask(assignees=named(desk, "admin", "bob"), started_by=admin.email)

        with pytest.raises(duties.RequesterMayNot):
            desk.decide(task, admin)


class TestAsksInstead:
    def test_the_manager_who_leads_today(self, desk):
        place(desk, "rita", manager="mia")

        task = desk.ask(
            assignees={"users": [], "groups": [], "manager_of": '"rita@acme.test"'},
            started_by="rita@acme.test",
        )

        assert asked(task) == ["mia"]

    @pytest.mark.parametrize("led", ['"rita@acme.test"', '"nobody@acme.test"', "null"])
    def test_the_group_that_stands_in_where_no_manager_is_known(self, desk, led):
        desk.someone("rita")
        desk.team("desk", "dora")

        task = desk.ask(assignees={"users": [], "groups": [], "manager_of": led}, fallback=["desk"])

        assert asked(task) == ["dora"]
        assert Outbox.objects.filter(topic="task.fallback").count() == 1

    def test_where_the_department_is_not_known(self, desk):
        desk.team("desk", "dora")

        task = desk.ask(
            assignees=named(desk, "ada"),
            duties={"department": True},
            fallback=["desk"],
            started_by="rita@acme.test",
        )

        assert asked(task) == ["dora"]
        desk.decide(task, desk.someone("dora"))
        assert fresh(task).outcome == "approved"

    def test_where_everybody_named_has_left(self, desk):
        desk.team("desk", "dora")
        desk.deactivate(desk.someone("ada"))

        task = desk.ask(assignees=named(desk, "ada"), fallback=["desk"])

        assert asked(task) == ["dora"]

    @pytest.mark.parametrize("how", ["emptied", "deleted"])
    def test_where_the_group_is_gone_while_the_task_waits(self, desk, how):
        desk.team("finance", "ada", "bob")
        desk.team("desk", "dora")
        task = desk.ask(assignees={"users": [], "groups": ["finance"]}, fallback=["desk"])
        assert asked(task) == ["ada", "bob"]

        finance = Team.objects.get(workspace=desk.workspace, slug="finance")
        if how == "emptied":
            finance.group.user_set.clear()
        else:
            people_commands.delete_team(
                actor=desk.actor(desk.someone("admin", "admin")),
                team_id=finance.pk,
                now=clock.now(),
            )
        commands.drop_leavers(now=clock.now())

        assert asked(task) == ["dora"]
        assert len(desk.trail("task.fallback")) == 1
        with pytest.raises(Forbidden):
            desk.decide(task, desk.someone("ada"))

    def test_nobody_waits_in_silence_where_there_is_no_such_group(self, desk):
        desk.team("finance", "ada")
        task = desk.ask(assignees={"users": [], "groups": ["finance"]})
        desk.someone("ada").groups.filter(team__slug="finance").get().user_set.clear()

        commands.drop_leavers(now=clock.now())

        assert fresh(task).status == "cancelled"
        assert desk.run_of(task).error["code"] == "no_assignee"


class TestPicksOne:
    def test_one_after_the_other(self, desk):
        who = named(desk, "ada", "bob", "cleo", pick="round_robin")
        version = desk.publish(approval(assignees=who))

        turns = []
        for _ in range(4):
            run_id = desk.start(version, {"amount": 1})
            drive_all()
            turns += asked(UserTask.objects.get(run_id=run_id))

        assert sorted(turns[:3]) == ["ada", "bob", "cleo"]
        assert turns[3] == turns[0]

    def test_who_has_least_to_do(self, desk):
        desk.ask(assignees=named(desk, "ada"))

        task = desk.ask(assignees=named(desk, "ada", "bob", pick="least_loaded"))

        assert asked(task) == ["bob"]


class TestWorkingTime:
    def test_is_that_of_the_team_that_is_asked(self, desk):
        desk.team("night", "ada", "bob")
        at_all_hours = [[{"from": "00:00", "to": "24:00"}]] * 7
        people_commands.set_own_calendar(
            actor=desk.actor(desk.someone("admin", "admin")),
            team_id=Team.objects.get(workspace=desk.workspace, slug="night").pk,
            content={"zone": "UTC", "hours": at_all_hours, "holidays": []},
            now=clock.now(),
        )

        task = desk.ask(assignees={"users": [], "groups": ["night"]}, due="PT10H", business=True)
        other = desk.ask(assignees=named(desk, "ada", "bob"), due="PT10H", business=True)

        assert task.due_at - task.opened_at == timedelta(hours=10)
        assert other.due_at - other.opened_at > timedelta(hours=10)


class TestIsSetAside:
    def test_by_two_people_with_a_reason_and_marked(self, desk):
        owner, admin = desk.owner, desk.someone("admin", "admin")
        task = desk.ask(assignees=named(desk, "ada"))
        asks = handing.ask_exception(
            actor=desk.actor(owner), task_id=task.pk, reason="Ada is ill", now=clock.now()
        )
        with pytest.raises(duties.AuthorMayNot):
            desk.decide(task, owner)

        handing.allow_exception(
            actor=desk.actor(admin), task_id=task.pk, exception_id=asks.pk, now=clock.now()
        )
        desk.decide(task, owner)

        given = Decision.objects.get(task=task)
        assert given.exception_id == asks.pk
        assert desk.output_of(task)["decisions"][0]["in_exception"] is True
        assert desk.trail("task.decide")[0].group("details")["exception"] == {
            "reason": "Ada is ill",
            "allowed_by": admin.email,
        }

    def test_not_alone_and_not_without_a_reason(self, desk):
        admin = desk.someone("admin", "admin")
        task = desk.ask(assignees=named(desk, "ada"), started_by=admin.email)

        with pytest.raises(Invalid):
            handing.ask_exception(
                actor=desk.actor(admin), task_id=task.pk, reason=" ", now=clock.now()
            )
        asks = handing.ask_exception(
            actor=desk.actor(admin), task_id=task.pk, reason="Urgent", now=clock.now()
        )
        with pytest.raises(Conflict, match="second person"):
            handing.allow_exception(
                actor=desk.actor(admin), task_id=task.pk, exception_id=asks.pk, now=clock.now()
            )
        with pytest.raises(duties.RequesterMayNot):
            desk.decide(task, admin)

    def test_only_by_who_manages_people(self, desk):
        task = desk.ask(assignees=named(desk, "ada"))
        asks = handing.ask_exception(
            actor=desk.actor(desk.owner), task_id=task.pk, reason="Urgent", now=clock.now()
        )

        with pytest.raises(Forbidden):
            handing.allow_exception(
                actor=desk.actor(desk.someone("ada")),
                task_id=task.pk,
                exception_id=asks.pk,
                now=clock.now(),
            )
