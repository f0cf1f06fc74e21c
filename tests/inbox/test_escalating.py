"""The ladder of a task that nobody answers: each rung once, by whichever clock, with its row."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.commands.places import Place, place_member
from apps.accounts.models import Membership, Team
from apps.core import clock
from apps.core.models import Outbox
from apps.inbox import commands, escalating, limits
from apps.inbox.models import TaskAssignee, TaskMoment, UserTask
from apps.notices.models import Notice
from apps.runs.models import RunCommand
from tests.inbox.support import fresh
from tests.inbox.test_deciding import at_once
from tests.inbox.test_stages import stage

pytestmark = pytest.mark.django_db


def rung(after="PT1H", business=False, **what):
    return {"when": {"after": after, "business": business}, "what": what or {"remind": True}}


def part(percent, of="due", **what):
    return {"when": {"percent": percent, "of": of}, "what": what or {"remind": True}}


def climb(hours, now=None):
    return escalating.fire_due(now=(now or clock.now()) + timedelta(hours=hours))


def ask(desk, *ladder, names=("ada", "bob"), **config):
    return desk.ask_named(*names, warnings=[], escalation=list(ladder), **config)


def emails(task, **of):
    rows = TaskAssignee.objects.filter(task=task, dropped_at__isnull=True, **of)
    return sorted(one.user.email.split("@")[0] for one in rows.select_related("user"))


def others(desk, *names, groups=(), managers=False):
    return {
        "users": [desk.someone(one).email for one in names],
        "groups": list(groups),
        "managers": managers,
    }


def tell_all():
    """What the outbox would do with what has happened."""
    for row in Outbox.objects.filter(topic="task.moment"):
        escalating.tell_of_moment(row.payload)
        row.delete()


def notices(kind):
    rows = Notice.objects.filter(kind=kind, user__isnull=False)
    return sorted(email.split("@")[0] for email in rows.values_list("user__email", flat=True))


def led_by(desk, name, manager):
    member, leads = (
        Membership.objects.get(user=desk.someone(one), workspace=desk.workspace)
        for one in (name, manager)
    )
    place_member(
        actor=desk.actor(desk.someone("admin", "admin")),
        membership_id=member.pk,
        place=Place(manager_id=leads.pk),
        begins_on=None,
        now=clock.now(),
    )


class TestAReminder:
    def test_is_sent_once_to_those_who_have_not_answered(self, desk):
        task = ask(desk, rung(), rule={"all": True})
        desk.decide(task, desk.someone("bob"))
        assert climb(0.5) == 0
        assert climb(1.5) == 1
        assert climb(1.5) == 0
        tell_all()
        assert notices("remind") == ["ada"]
        [row] = desk.trail("task.escalate")
        details = row.group("details")
        assert (details["rung"], details["people"]) == (1, ["ada@acme.test"])
        assert row.event.actor_kind == "system"

    def test_goes_to_who_has_taken_it_alone(self, desk):
        from apps.inbox.handing import claim_task

        task = ask(desk, rung())
        claim_task(actor=desk.actor(desk.someone("bob")), task_id=task.pk, now=clock.now())
        climb(2)
        tell_all()
        assert notices("remind") == ["bob"]

    def test_of_a_limit_is_a_warning_without_a_row_of_the_ladder(self, desk):
        task = desk.ask_named("ada", due="PT10H", warnings=[50, 80, 100])
        assert climb(5.5) == 1
        assert climb(8.5) == 1
        tell_all()
        assert Notice.objects.filter(kind="remind", task_id=task.pk).count() == 2
        assert desk.trail("task.escalate") == []

    def test_is_one_where_the_clock_has_stood_for_long(self, desk):
        desk.ask_named("ada", due="PT10H", warnings=[10, 20, 50, 80], escalation=[rung("PT7H")])
        assert climb(9) == 5
        tell_all()
        assert notices("remind") == ["ada"]

    def test_that_was_folded_is_not_said_to_have_been_sent(self, desk):
        task = desk.ask_named("ada", due="PT10H", warnings=[10, 20, 50, 80])
        assert climb(9) == 4
        assert sorted(task.moments.values_list("number", "state")) == [
            (10, "dropped"),
            (20, "dropped"),
            (50, "dropped"),
            (80, "done"),
        ]

    def test_is_not_sent_to_who_answered_before_it_left(self, desk):
        task = ask(desk, rung(), names=["ada"])
        climb(2)
        desk.decide(task, desk.someone("ada"))
        tell_all()
        assert notices("remind") == []


class TestAFirstReaction:
    def test_that_did_not_come_is_a_row_of_the_trail(self, desk):
        desk.ask_named("ada", respond="PT2H", warnings=[50, 100])
        climb(2.5)
        [row] = desk.trail("task.late")
        assert row.event.target_type == "task"
        tell_all()
        assert "taken it up in the time" in Notice.objects.get(kind="remind").words

    def test_that_came_drops_what_hangs_on_it(self, desk):
        task = ask(desk, part(50, of="respond"), rule={"all": True}, respond="PT2H")
        desk.decide(task, desk.someone("ada"))
        assert climb(3) == 1
        assert task.moments.get().state == "dropped"
        assert desk.trail("task.escalate") == []


class TestAskingOthersAsWell:
    def test_gives_them_a_place_and_tells_them(self, desk):
        task = ask(desk, rung(add=others(desk, "cleo")))
        climb(2)
        assert emails(task) == ["ada", "bob", "cleo"]
        tell_all()
        assert notices("escalated") == ["cleo"]
        desk.decide(task, desk.someone("cleo"))
        assert fresh(task).outcome == "approved"

    def test_asks_the_managers_of_those_who_have_not_answered(self, desk):
        led_by(desk, "ada", "max")
        led_by(desk, "bob", "mia")
        task = ask(desk, rung(add=others(desk, managers=True)), rule={"n": 2})
        desk.decide(task, desk.someone("ada"))
        climb(2)
        assert emails(task) == ["ada", "bob", "mia"]

    def test_judges_the_duties_anew(self, desk):
        requester = desk.someone("req")
        task = ask(
            desk,
            rung(add=others(desk, "req", "cleo")),
            requester=f'"{requester.email}"',
        )
        climb(2)
        assert emails(task) == ["ada", "bob", "cleo"]

    def test_asks_nobody_twice(self, desk):
        task = ask(desk, rung(add=others(desk, "ada", "cleo")), rule={"n": 2})
        desk.decide(task, desk.someone("ada"))
        climb(2)
        assert emails(task) == ["ada", "bob", "cleo"]
        [row] = desk.trail("task.escalate")
        assert row.group("details")["people"] == ["cleo@acme.test"]

    def test_counts_them_where_all_must_approve(self, desk):
        task = ask(desk, rung(add=others(desk, "cleo")), rule={"all": True})
        climb(2)
        for name in ("ada", "bob"):
            desk.decide(task, desk.someone(name))
        assert fresh(task).status == "open"

    def test_opens_again_what_somebody_had_taken(self, desk):
        from apps.inbox.handing import claim_task

        task = ask(desk, rung(add=others(desk, "cleo")))
        claim_task(actor=desk.actor(desk.someone("ada")), task_id=task.pk, now=clock.now())
        climb(2)
        desk.decide(task, desk.someone("cleo"))
        assert fresh(task).outcome == "approved"

    @pytest.mark.parametrize("empty", ["emptied", "deleted", "never"])
    def test_of_whom_nobody_is_left_asks_the_group_that_stands_in(self, desk, empty):
        desk.team("board", "cleo")
        desk.team("backup", "dan")
        task = ask(desk, rung(add=others(desk, groups=["board"])), fallback=["backup"])
        team = Team.objects.get(workspace=desk.workspace, slug="board")
        if empty == "emptied":
            team.group.user_set.clear()
        elif empty == "deleted":
            Group.objects.filter(pk=team.group_id).delete()
        else:
            TaskMoment.objects.filter(task=task).update(
                what={"add": {"users": ["nobody@acme.test"], "groups": [], "managers": False}}
            )
        climb(2)
        assert emails(task) == ["ada", "bob", "dan"]
        assert emails(task, is_fallback=True) == ["dan"]
        assert Outbox.objects.filter(topic="task.rung_empty").count() == 1
        [row] = desk.trail("task.escalate")
        assert row.group("details")["fallback"] == ["backup"]

    def test_of_whom_nobody_is_left_without_such_a_group_tells_the_owner(self, desk):
        task = ask(desk, rung(add=others(desk, groups=["nowhere"])))
        climb(2)
        assert emails(task) == ["ada", "bob"]
        assert Outbox.objects.filter(topic="task.rung_empty").count() == 1


class TestWhoComesLater:
    def test_weighs_what_the_step_says_and_may_veto_where_it_says_so(self, desk):
        cleo = desk.someone("cleo")
        desk.team("board", "dan")
        task = ask(
            desk,
            rung(add=others(desk, "cleo", groups=["board"])),
            rule={"weight": 10},
            weights=[{"who": "board", "weight": 4}, {"who": cleo.email, "weight": 9}],
            veto={"users": [cleo.email], "groups": []},
        )
        climb(2)
        places = {one.user.email: one for one in task.assignees.select_related("user")}
        found = [(places[f"{name}@acme.test"]) for name in ("ada", "cleo", "dan")]
        assert [one.weight for one in found] == [1, 9, 4]
        assert [one.may_veto for one in found] == [False, True, False]
        desk.decide(task, desk.someone("ada"))
        desk.decide(task, cleo, "rejected")
        assert fresh(task).outcome == "rejected"

    def test_does_so_in_a_later_stage_as_that_stage_says(self, desk):
        desk.someone("eve")
        second = stage("bob", rule={"weight": 5}, weights=[{"who": "cleo@acme.test", "weight": 4}])
        task = ask(desk, rung(add=others(desk, "cleo")), names=["eve"], stages=[second])
        desk.someone("bob")
        desk.decide(task, desk.someone("eve"))
        later = UserTask.objects.get(run_id=task.run_id, stage=2)
        climb(2)
        assert later.assignees.get(user__email="cleo@acme.test").weight == 4


class TestAskingOthersInstead:
    def test_takes_it_from_those_who_were_asked(self, desk):
        task = ask(desk, rung(reassign=others(desk, "cleo")))
        climb(2)
        assert emails(task) == ["cleo"]
        [row] = desk.trail("task.escalate")
        details = row.group("details")
        assert details["lost"] == ["ada@acme.test", "bob@acme.test"]
        with pytest.raises(Exception, match="not put to you"):
            desk.decide(task, desk.someone("ada"))
        desk.decide(task, desk.someone("cleo"))
        assert fresh(task).outcome == "approved"

    def test_leaves_their_answers_to_those_who_have_given_them(self, desk):
        task = ask(desk, rung(reassign=others(desk, "cleo")), rule={"all": True})
        desk.decide(task, desk.someone("ada"))
        climb(2)
        assert emails(task) == ["ada", "cleo"]
        assert fresh(task).status == "open"
        desk.decide(task, desk.someone("cleo"))
        assert fresh(task).outcome == "approved"

    def test_never_decides_by_the_going_of_the_silent_alone(self, desk):
        """Half of four must approve; of those left after one the half would be one: approved."""
        task = ask(
            desk,
            rung(reassign=others(desk, "eve")),
            names=["ada", "bob", "cleo", "dan"],
            rule={"percent": 50},
        )
        desk.decide(task, desk.someone("ada"))
        climb(2)
        assert fresh(task).status == "open"
        assert emails(task) == ["ada", "bob", "cleo", "dan", "eve"]

    def test_leaves_it_with_them_where_nobody_else_may(self, desk):
        task = ask(desk, rung(reassign=others(desk, groups=["nowhere"])))
        climb(2)
        assert emails(task) == ["ada", "bob"]

    def test_gives_it_back_to_who_had_lost_it(self, desk):
        task = ask(
            desk,
            rung("PT1H", reassign=others(desk, "cleo")),
            rung("PT2H", reassign=others(desk, "ada")),
        )
        climb(1.5)
        climb(2.5)
        assert emails(task) == ["ada"]
        desk.decide(task, desk.someone("ada"))
        assert fresh(task).outcome == "approved"


class TestMakingItUrgent:
    def test_marks_it_and_passes_quiet_hours(self, desk):
        task = ask(desk, rung(urgent=True))
        assert task.urgency == "normal"
        climb(2)
        assert fresh(task).urgency == "urgent"
        tell_all()
        assert {one.urgency for one in Notice.objects.filter(task_id=task.pk)} == {"urgent"}


class TestTheEndByAnAnswer:
    def test_against_it_sends_the_run_on(self, desk):
        task = ask(desk, rung(outcome="rejected"))
        climb(2)
        assert (fresh(task).status, fresh(task).outcome) == ("decided", "rejected")
        assert not TaskAssignee.objects.filter(task=task, is_open=True).exists()
        output = desk.output_of(task)
        assert (output["outcome"], output["by"], output["decisions"]) == ("rejected", "", [])
        assert desk.run_of(task).status == "completed"
        [row] = desk.trail("task.escalate")
        assert row.group("details")["outcome"] == "rejected"

    def test_drops_what_was_to_come_after_it(self, desk):
        task = ask(desk, rung("PT1H", outcome="rejected"), rung("PT2H"))
        assert climb(3) == 2
        assert list(task.moments.values_list("number", "state")) == [(1, "done"), (2, "dropped")]
        assert len(desk.trail("task.escalate")) == 1

    def test_for_it_is_refused_wherever_it_is_asked_for(self, desk):
        task = ask(desk, rung(outcome="rejected"))
        with pytest.raises(limits.SilenceApproves):
            commands.end_unanswered(task, "approved", clock.now())
        assert fresh(task).status == "open"

    def test_for_it_does_nothing_even_where_it_stands_in_the_table(self, desk):
        task = ask(desk, rung(outcome="rejected"))
        TaskMoment.objects.filter(task=task).update(what={"outcome": "approved"})
        climb(2)
        assert fresh(task).status == "open"
        assert not RunCommand.objects.filter(run_id=task.run_id).exists()
        [row] = desk.trail("task.escalate")
        assert row.group("details")["refused"] == "silence_approves"

    def test_of_a_stage_ends_the_question(self, desk):
        desk.someone("cleo")
        first = ask(
            desk,
            part(50, outcome="rejected"),
            names=["ada"],
            due="PT4H",
            stages=[stage("cleo", title="Board")],
        )
        desk.decide(first, desk.someone("ada"))
        second = UserTask.objects.get(run_id=first.run_id, stage=2)
        assert second.moments.count() == 1
        climb(2.5)
        assert fresh(second).outcome == "rejected"
        assert desk.output_of(first)["outcome"] == "rejected"


class TestARung:
    def test_after_a_decision_does_nothing(self, desk):
        task = ask(desk, rung(add=others(desk, "cleo")))
        desk.decide(task, desk.someone("ada"))
        assert climb(2) == 0
        assert emails(task) == ["ada", "bob"]

    def test_of_a_task_that_stands_still_waits(self, desk):
        task = ask(desk, rung(outcome="rejected"))
        limits.pause([task], now=clock.now())
        assert climb(2) == 0
        assert fresh(task).status == "open"
        limits.resume([task], now=clock.now() + timedelta(hours=5))
        assert climb(5.5) == 0
        assert climb(6.1) == 1

    def test_of_a_task_that_is_late_is_left_to_its_end(self, desk):
        task = ask(desk, rung(outcome="rejected"), due="PT2H")
        later = clock.now() + timedelta(hours=3)
        assert escalating.fire_due(now=later) == 0
        assert commands.close_overdue(now=later) == 1
        assert fresh(task).status == "timed_out"
        assert task.moments.get().state == "dropped"

    def test_happens_once_under_two_clocks(self, desk):
        tasks = [ask(desk, rung(add=others(desk, "cleo"))) for _ in range(3)]
        now = clock.now() + timedelta(hours=2)
        results = at_once(
            lambda: escalating.fire_due(now=now), lambda: escalating.fire_due(now=now)
        )
        assert sum(results) + escalating.fire_due(now=now) == 3
        assert len(desk.trail("task.escalate")) == 3
        assert Outbox.objects.filter(topic="task.moment").count() == 3
        assert all(emails(task) == ["ada", "bob", "cleo"] for task in tasks)

    def test_and_a_decision_at_once_give_one_outcome(self, desk):
        task = ask(desk, rung(outcome="rejected"))
        actor, now = desk.actor(desk.someone("ada")), clock.now()
        at_once(
            lambda: desk.decide(task, desk.someone("ada"), actor=actor, now=now),
            lambda: escalating.fire_due(now=now + timedelta(hours=2)),
        )
        escalating.fire_due(now=now + timedelta(hours=2))
        assert RunCommand.objects.filter(run_id=task.run_id).count() == 1

    def test_is_undone_whole_where_the_clock_is_killed_in_it(self, desk, monkeypatch):
        task = ask(desk, rung(add=others(desk, "cleo")))

        class Killed(BaseException):
            pass

        def kill(**_):
            raise Killed

        monkeypatch.setattr(escalating, "record_many", kill)
        with pytest.raises(Killed):
            climb(2)
        monkeypatch.undo()
        assert emails(task) == ["ada", "bob"]
        assert task.moments.get().state == "waiting"
        assert not Outbox.objects.filter(topic="task.moment").exists()
        assert climb(2) == 1
        assert emails(task) == ["ada", "bob", "cleo"]

    def test_that_cannot_be_done_holds_up_no_other_and_is_tried_again(
        self, desk, monkeypatch, caplog
    ):
        bad, good = ask(desk, rung(urgent=True)), ask(desk, rung(urgent=True))
        kept = escalating._Batch._climb

        def climb_or_fail(self, task, what):
            if task.pk == bad.pk:
                raise RuntimeError("no")
            return kept(self, task, what)

        monkeypatch.setattr(escalating._Batch, "_climb", climb_or_fail)
        now = clock.now() + timedelta(hours=2)
        escalating.fire_due(now=now)
        assert (fresh(bad).urgency, fresh(good).urgency) == ("normal", "urgent")
        assert "is put off" in caplog.text
        monkeypatch.undo()
        assert escalating.fire_due(now=now) == 0
        assert escalating.fire_due(now=now + escalating.LATER) == 1
        assert fresh(bad).urgency == "urgent"

    def test_of_many_tasks_costs_the_same_number_of_queries(self, desk):
        def cost(count):
            for _ in range(count):
                ask(desk, rung())
            with CaptureQueriesContext(connection) as queries:
                assert climb(2) == count
            return len(queries)

        assert cost(6) <= cost(1) + 1

    def test_is_found_by_an_index(self, desk):
        ask(desk, rung())
        with connection.cursor() as cursor:
            cursor.execute("set local enable_seqscan = off")
            due = TaskMoment.objects.filter(next_at__lte=clock.now()).order_by("next_at")
            assert "moment_next" in due.values("task_id")[:200].explain()
