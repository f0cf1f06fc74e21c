"""The limits of a task in the time of the wall and in working time, and pauses in the middle."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction

from apps.accounts import commands as people_commands
from apps.accounts.models import Team
from apps.core import clock
from apps.core.models import Outbox
from apps.inbox import commands, handing, limits
from apps.inbox.models import TaskMoment, UserTask
from apps.inbox.opening import open_tasks
from apps.runs.ports import TaskRequest
from tests.inbox.support import fresh

pytestmark = pytest.mark.django_db

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = [[{"from": "09:00", "to": "17:00"}]] * 5 + [[], []]
MORNINGS = [[{"from": "08:00", "to": "10:00"}]] * 5 + [[], []]


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


def calendar(desk, hours=OFFICE, holidays=(), **whose):
    content = {
        "zone": "Europe/Berlin",
        "hours": hours,
        "holidays": [{"date": datetime.fromisoformat(one).date(), "name": ""} for one in holidays],
    }
    actor = desk.actor(desk.someone("admin", "admin"))
    if whose:
        people_commands.set_own_calendar(actor=actor, content=content, now=clock.now(), **whose)
    else:
        people_commands.set_calendar(actor=actor, now=clock.now(), **content)


def ask_at(desk, now, **more):
    """A question as the driver puts it at that moment; one of a run that is under way."""
    like = more.pop("like", None) or desk.ask_named("ada")
    request = {
        "title": "Approve",
        "details": "",
        "users": [desk.someone(one).email for one in more.pop("users", ["ada"])],
        "groups": more.pop("groups", []),
        "rule": more.pop("rule", {"any": 1}),
        "weights": [],
        "veto": {"users": [], "groups": []},
        "due_at": None,
        "due_in": None,
        "fields": [],
        "requester": "",
        "allow_requester": True,
        **more.pop("request", {}),
        "limits": {**limits.NOTHING, **more.pop("limits", {})},
        **more,
    }
    number = UserTask.objects.count() + 1
    wanted = TaskRequest(
        workspace_id=like.workspace_id,
        flow_id=like.flow_id,
        version_id=like.version_id,
        run_id=like.run_id,
        lane=like.lane,
        step=like.step,
        visit=number,
        step_title="Ask",
        request=request,
    )
    refused = open_tasks([wanted], now)
    return refused[0] if refused else UserTask.objects.get(run_id=like.run_id, visit=number)


def times(task, **of):
    return {
        (one.limit, one.number): one.at.astimezone(BERLIN).replace(tzinfo=None).isoformat(" ")[:16]
        for one in TaskMoment.objects.filter(task=task, **of)
    }


@pytest.fixture
def office(desk):
    calendar(desk)
    return desk


class TestWarnings:
    def test_stand_at_their_part_of_each_limit(self, desk):
        task = ask_at(
            desk,
            at("2026-03-02 09:00"),
            due_at=at("2026-03-04 09:00").isoformat(),
            limits={"respond": "PT4H", "warnings": [50, 80, 100]},
        )
        assert task.respond_by_at == at("2026-03-02 13:00")
        assert times(task) == {
            ("due", 50): "2026-03-03 09:00",
            ("due", 80): "2026-03-03 23:24",
            ("due", 100): "2026-03-04 09:00",
            ("respond", 50): "2026-03-02 11:00",
            ("respond", 80): "2026-03-02 12:12",
            ("respond", 100): "2026-03-02 13:00",
        }

    def test_of_working_time_stand_at_working_moments(self, office):
        """Eight working hours from Friday noon end on Monday noon; half of them are over at four.

        The second half begins on Monday, so that eighty per cent are over at 10:24.
        """
        calendar(office, team_id=team_of(office, "mondays"))
        task = ask_at(
            office,
            at("2026-03-06 12:00"),
            users=[],
            groups=["mondays"],
            due_in="PT8H",
            limits={"warnings": [50, 80, 100]},
        )
        assert times(task) == {
            ("due", 50): "2026-03-06 16:00",
            ("due", 80): "2026-03-09 10:24",
            ("due", 100): "2026-03-09 12:00",
        }
        assert task.due_at == task.first_due_at == at("2026-03-09 12:00")

    def test_are_those_that_the_step_names(self, desk):
        task = desk.ask_named("ada", warnings=[25])
        assert list(times(task)) == [("due", 25)]
        assert desk.ask_named("ada", warnings=[]).moments.count() == 0

    def test_need_a_limit(self, desk):
        assert desk.ask_named("ada", due=None).moments.count() == 0


class TestWorkingTime:
    def test_passes_over_a_holiday_in_the_middle(self, desk):
        calendar(desk, holidays=["2026-05-14"])
        task = ask_at(
            desk,
            at("2026-05-13 16:00"),
            limits={"respond": "PT2H", "respond_business": True, "warnings": [50]},
        )
        assert task.respond_by_at == at("2026-05-15 10:00")
        assert times(task) == {("respond", 50): "2026-05-13 17:00"}

    def test_is_right_on_the_days_on_which_the_clocks_change(self, desk):
        """In the night to 29 March an hour is missing, to 25 October there is one more."""
        calendar(desk, hours=[[{"from": "00:00", "to": "06:00"}]] * 7)
        spring = ask_at(
            desk,
            at("2026-03-29 00:00"),
            limits={"respond": "PT6H", "respond_business": True},
        )
        assert spring.respond_by_at == at("2026-03-30 01:00")
        autumn = ask_at(
            desk,
            at("2026-10-25 00:00"),
            limits={"respond": "PT6H", "respond_business": True},
        )
        assert autumn.respond_by_at == at("2026-10-25 05:00")

    def test_of_the_wall_is_not_changed_by_them(self, desk):
        task = ask_at(desk, at("2026-03-28 12:00"), limits={"respond": "PT24H"})
        assert task.respond_by_at - task.opened_at == timedelta(hours=24)

    def test_goes_by_the_teams_calendar_beside_the_workspaces(self, office):
        team = team_of(office, "early")
        calendar(office, hours=MORNINGS, team_id=team)
        ours = ask_at(
            office, at("2026-03-02 09:00"), limits={"respond": "PT2H", "respond_business": True}
        )
        theirs = ask_at(
            office,
            at("2026-03-02 09:00"),
            users=[],
            groups=["early"],
            limits={"respond": "PT2H", "respond_business": True},
        )
        assert ours.respond_by_at == at("2026-03-02 11:00")
        assert theirs.respond_by_at == at("2026-03-03 09:00")

    def test_stays_as_it_was_given_when_the_calendar_changes(self, office):
        task = ask_at(
            office, at("2026-03-02 09:00"), limits={"respond": "PT4H", "respond_business": True}
        )
        calendar(office, holidays=["2026-03-02"])
        assert fresh(task).respond_by_at == at("2026-03-02 13:00")

    def test_where_nobody_works_for_a_year_is_refused_and_never_waited_for(self, office):
        """A calendar of old, from before it was refused where it is kept."""
        row = office.workspace.calendar
        day = at("2026-03-02 09:00")
        days = [(day + timedelta(days=n)).date().isoformat() for n in range(400)]
        row.content = {**row.content, "holidays": [{"date": one, "name": ""} for one in days]}
        row.save()
        refused = ask_at(office, day, limits={"respond": "PT4H", "respond_business": True})
        assert refused.code == "no_working_time"
        assert "nobody works for a year" in refused.message


def team_of(desk, slug):
    desk.team(slug, "ada", "bob")
    return Team.objects.get(workspace=desk.workspace, slug=slug).pk


class TestAPause:
    def test_moves_what_is_to_come_by_the_time_that_was_lost(self, desk):
        task = ask_at(
            desk,
            at("2026-03-02 09:00"),
            due_at=at("2026-03-04 09:00").isoformat(),
            limits={"warnings": [50, 80]},
        )
        limits.pause([task], now=at("2026-03-02 12:00"))
        assert not TaskMoment.objects.filter(task=task, next_at__isnull=False).exists()
        limits.resume([task], now=at("2026-03-02 15:00"))
        assert fresh(task).due_at == at("2026-03-04 12:00")
        assert fresh(task).paused_at is None
        assert times(task, next_at__isnull=False) == {
            ("due", 50): "2026-03-03 12:00",
            ("due", 80): "2026-03-04 02:24",
        }

    def test_costs_working_time_only_what_was_worked_in_it(self, office):
        """Paused from Friday at four to Monday at ten: two working hours."""
        team = team_of(office, "office")
        calendar(office, team_id=team)
        task = ask_at(
            office,
            at("2026-03-06 13:00"),
            users=[],
            groups=["office"],
            due_in="PT8H",
            limits={"warnings": [80]},
        )
        assert task.due_at == at("2026-03-09 13:00")
        limits.pause([task], now=at("2026-03-06 16:00"))
        limits.resume([task], now=at("2026-03-09 10:00"))
        assert fresh(task).due_at == at("2026-03-09 15:00")
        assert times(task) == {("due", 80): "2026-03-09 13:24"}

    def test_is_the_same_when_it_is_asked_for_twice(self, desk):
        task = ask_at(desk, at("2026-03-02 09:00"), due_at=at("2026-03-04 09:00").isoformat())
        for _ in range(2):
            limits.pause([task], now=at("2026-03-02 12:00"))
        for _ in range(2):
            limits.resume([task], now=at("2026-03-02 13:00"))
        assert fresh(task).due_at == at("2026-03-04 10:00")
        assert fresh(task).first_due_at == at("2026-03-04 09:00")

    def test_lets_nothing_run_out(self, desk):
        task = ask_at(desk, at("2026-03-02 09:00"), due_at=at("2026-03-04 09:00").isoformat())
        limits.pause([task], now=at("2026-03-02 12:00"))
        assert commands.close_overdue(now=at("2026-03-06 09:00")) == 0
        limits.resume([task], now=at("2026-03-06 12:00"))
        assert commands.close_overdue(now=at("2026-03-08 08:00")) == 0
        assert commands.close_overdue(now=at("2026-03-08 09:00")) == 1

    def test_is_a_reaction(self, desk):
        task = ask_at(desk, at("2026-03-02 09:00"), limits={"respond": "PT4H"})
        limits.pause([task], now=at("2026-03-02 12:00"))
        limits.resume([task], now=at("2026-03-02 13:00"))
        assert fresh(task).responded_at == at("2026-03-02 12:00")

    def test_ends_with_a_refusal_where_nobody_works_any_more(self, office):
        team = team_of(office, "office")
        calendar(office, team_id=team)
        task = ask_at(office, at("2026-03-02 09:00"), users=[], groups=["office"], due_in="PT8H")
        limits.pause([task], now=at("2026-03-02 12:00"))
        own = Team.objects.get(pk=team).calendar
        own.content = {**own.content, "hours": [[]] * 7}
        own.save()
        with pytest.raises(limits.NobodyWorks):
            limits.resume([task], now=at("2026-03-02 13:00"))
        assert UserTask.objects.get(pk=task.pk).paused_at is not None


class TestAFirstReaction:
    def test_is_the_first_answer(self, desk):
        task = desk.ask_named("ada", "bob", rule={"all": True})
        desk.decide(task, desk.someone("ada"))
        first = fresh(task).responded_at
        assert first is not None
        desk.decide(task, desk.someone("bob"))
        assert fresh(task).responded_at == first

    def test_is_who_takes_it(self, desk):
        task = desk.ask_named("ada", "bob")
        assert task.responded_at is None
        handing.claim_task(actor=desk.actor(desk.someone("ada")), task_id=task.pk, now=clock.now())
        first = fresh(task).responded_at
        assert first is not None
        handing.release_task(
            actor=desk.actor(desk.someone("ada")), task_id=task.pk, now=clock.now()
        )
        assert fresh(task).responded_at == first


class TestTheEnd:
    def test_takes_everything_that_was_to_come_with_it(self, desk):
        task = desk.ask_named("ada", escalation=[{"when": {"after": "P1D"}}])
        desk.decide(task, desk.someone("ada"))
        assert set(task.moments.values_list("state", flat=True)) == {"dropped"}

    def test_by_time_tells_those_who_were_asked(self, desk):
        task = desk.ask_named("ada", due="PT1H")
        commands.close_overdue(now=clock.now() + timedelta(hours=2))
        assert sorted(task.moments.values_list("number", "state")) == [
            (50, "dropped"),
            (80, "dropped"),
            (100, "done"),
        ]
        assert Outbox.objects.filter(topic="task.moment").count() == 1

    def test_is_final_in_the_table(self, desk):
        task = desk.ask_named("ada")
        moment = task.moments.first()
        with pytest.raises(IntegrityError), transaction.atomic():
            TaskMoment.objects.filter(pk=moment.pk).update(state="done")
        with pytest.raises(IntegrityError), transaction.atomic():
            TaskMoment.objects.create(
                task=task, kind="warning", limit=moment.limit, number=moment.number, at=moment.at
            )
