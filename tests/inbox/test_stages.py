"""One approval after the other: stages of one question."""

import pytest

from apps.audit.models import AuditEvent
from apps.core import clock
from apps.core.errors import Forbidden
from apps.core.models import Outbox
from apps.inbox import commands, queries, stages
from apps.inbox.commands import AlreadyDecided, TaskClosed
from apps.inbox.models import TaskAssignee, UserTask
from apps.inbox.opening import seen_hash
from apps.runs import queries as run_queries
from apps.runs import verify
from apps.runs.commands import cancel_run
from apps.runs.drive import drive_all
from apps.runs.models import Run
from tests.inbox.support import fresh, move_clock
from tests.inbox.test_deciding import at_once
from tests.inbox.test_page import page, text_of
from tests.support import people

pytestmark = pytest.mark.django_db


def stage(*names, **more):
    return {"assignees": {"users": [f"{one}@acme.test" for one in names]}, **more}


def next_of(task):
    return UserTask.objects.get(run_id=task.run_id, step=task.step, stage=task.stage + 1)


def emails(task):
    rows = TaskAssignee.objects.filter(task=task).order_by("user__email")
    return [one.user.email.split("@")[0] for one in rows.select_related("user")]


@pytest.fixture
def asked(desk):
    """Ada, then two of bob, cleo and dan, then eve; each stage is one of three."""
    for name in ("bob", "cleo", "dan", "eve"):
        desk.someone(name)
    return desk.ask_named(
        "ada",
        stages=[
            stage("bob", "cleo", "dan", rule={"n": 2}, title="Finance"),
            stage("eve", due="P1D", title="Board"),
        ],
    )


def through_first(desk, asked):
    desk.decide(asked, desk.someone("ada"), comment="Needed.")
    return next_of(asked)


class TestTheWay:
    def test_the_next_stage_is_asked_once_the_one_before_has_approved(self, desk, asked):
        assert (asked.stage, asked.stages, emails(asked)) == (1, 3, ["ada"])
        second = through_first(desk, asked)

        assert fresh(asked).outcome == "approved"
        assert (second.stage, second.stage_title, second.status) == (2, "Finance", "open")
        assert emails(second) == ["bob", "cleo", "dan"]
        assert (second.title, second.facts, second.needed) == (asked.title, asked.facts, 2)
        assert desk.run_of(asked).status == "waiting"
        assert desk.output_of(asked) is None

    def test_what_the_last_one_says_is_the_result_with_everybodys_answers(self, desk, asked):
        second = through_first(desk, asked)
        for name in ("bob", "dan"):
            desk.decide(second, desk.someone(name))
        desk.decide(next_of(second), desk.someone("eve"), comment="Go.")

        output = desk.output_of(asked)
        assert (output["outcome"], output["by"], output["comment"]) == (
            "approved",
            "eve@acme.test",
            "Go.",
        )
        assert [(one["stage"], one["by"]) for one in output["decisions"]] == [
            (1, "ada@acme.test"),
            (2, "bob@acme.test"),
            (2, "dan@acme.test"),
            (3, "eve@acme.test"),
        ]
        assert desk.run_of(asked).status == "completed"
        assert verify.check_runs().problems == []

    def test_one_rejection_ends_it_and_nobody_later_is_asked(self, desk, asked):
        second = through_first(desk, asked)
        for name in ("bob", "cleo"):
            desk.decide(second, desk.someone(name), "rejected")

        assert UserTask.objects.filter(run_id=asked.run_id).count() == 2
        assert desk.output_of(asked)["outcome"] == "rejected"

    def test_a_stage_that_runs_out_of_time_ends_it(self, desk, asked):
        second = through_first(desk, asked)
        move_clock(days=3)

        assert commands.close_overdue(now=clock.now()) == 1
        assert fresh(second).status == "timed_out"
        output = desk.output_of(asked)
        assert output["outcome"] == "timeout"
        assert [one["stage"] for one in output["decisions"]] == [1]

    def test_the_time_of_a_stage_begins_when_it_does(self, desk, asked):
        move_clock(days=1.5)
        second = through_first(desk, asked)
        for name in ("bob", "cleo"):
            desk.decide(second, desk.someone(name))
        third = next_of(second)

        assert (second.due_at - second.opened_at).days == 2
        assert (third.due_at - third.opened_at).days == 1

    def test_a_step_of_one_stage_is_as_it_was(self, desk):
        task = desk.ask_named("ada")
        desk.decide(task, desk.someone("ada"))

        assert "stage" not in desk.output_of(task)["decisions"][0]
        assert stages.as_shown(task) == {}


class TestPeople:
    def test_of_a_stage_get_a_mail_and_its_badge_when_it_begins(self, desk, asked):
        bob = desk.actor(desk.someone("bob"))
        assert queries.count_open(bob) == 0
        second = through_first(desk, asked)

        assert queries.count_open(bob) == 1 == len(queries.open_tasks(bob))
        assert Outbox.objects.filter(topic="task.opened", payload__task=str(second.pk)).exists()

    def test_who_answered_a_stage_is_not_asked_again_where_nobody_decides_twice(self, desk):
        desk.someone("bob")
        task = desk.ask_named("ada", duties={"twice": True}, stages=[stage("ada", "bob")])
        desk.decide(task, desk.someone("ada"))

        assert emails(next_of(task)) == ["bob"]
        with pytest.raises(Forbidden):
            desk.decide(next_of(task), desk.someone("ada"))

    def test_may_decide_in_two_stages_where_nothing_forbids_it(self, desk):
        task = desk.ask_named("ada", stages=[stage("ada")])
        desk.decide(task, desk.someone("ada"))
        desk.decide(next_of(task), desk.someone("ada"))

        assert desk.output_of(task)["outcome"] == "approved"

    def test_the_group_that_stands_in_is_asked_where_a_stage_has_nobody(self, desk):
        desk.team("board", "gus")
        task = desk.ask_named(
            "ada", duties={"twice": True}, stages=[stage("ada", fallback=["board"])]
        )
        desk.decide(task, desk.someone("ada"))

        assert emails(next_of(task)) == ["gus"]
        assert Outbox.objects.filter(topic="task.fallback").exists()

    def test_a_stage_with_nobody_fails_the_step_and_says_so(self, desk):
        task = desk.ask_named("ada", duties={"twice": True}, stages=[stage("ada")])
        desk.decide(task, desk.someone("ada"))

        run = desk.run_of(task)
        assert run.status == "failed"
        assert (run.error["code"], "Nobody can decide" in run.error["message"]) == (
            "no_assignee",
            True,
        )
        assert verify.check_runs().problems == []

    def test_a_stage_emptied_while_it_waits_fails_it_too(self, desk):
        desk.someone("bob")
        task = desk.ask_named("ada", stages=[stage("bob")])
        desk.decide(task, desk.someone("ada"))
        desk.deactivate(desk.someone("bob"))
        commands.drop_leavers(now=clock.now())

        assert desk.run_of(task).error["code"] == "no_assignee"

    def test_a_leaver_can_be_what_the_next_stage_waited_for(self, desk):
        desk.someone("cleo")
        task = desk.ask_named("ada", "bob", rule={"all": True}, stages=[stage("cleo")])
        desk.decide(task, desk.someone("ada"))
        desk.deactivate(desk.someone("bob"))
        commands.drop_leavers(now=clock.now())

        assert emails(next_of(task)) == ["cleo"]


class TestIsRefused:
    def test_a_stage_that_is_over(self, desk, asked):
        desk.decide(asked, desk.someone("ada"))
        for name in ("ada", "bob"):
            with pytest.raises((TaskClosed, AlreadyDecided, Forbidden)):
                desk.decide(asked, desk.someone(name), "rejected")

        assert fresh(asked).outcome == "approved"

    def test_somebody_of_a_later_stage_before_it_begins(self, desk, asked):
        with pytest.raises(Forbidden):
            desk.decide(asked, desk.someone("eve"))

    def test_with_what_an_earlier_stage_was_shown(self, desk, asked):
        second = through_first(desk, asked)
        with pytest.raises(commands.StalePage):
            desk.decide(second, desk.someone("bob"), seen=asked.seen)


class TestIsKept:
    def test_the_hash_holds_the_stage_and_what_was_said_before(self, desk, asked):
        second = through_first(desk, asked)

        assert seen_hash(second) == second.seen != asked.seen
        assert seen_hash(fresh(asked)) == asked.seen

    def test_the_trail_says_which_stage(self, desk, asked):
        through_first(desk, asked)

        assert desk.trail("task.decide")[0].group("details")["stage"] == "1/3"
        assert AuditEvent.objects.filter(verb="task.decide").count() == 1


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_two_of_one_stage_open_the_next_once(self, desk):
        for name in ("bob", "cleo"):
            desk.someone(name)
        task = desk.ask_named("ada", "bob", stages=[stage("cleo")])
        ada, bob = desk.someone("ada"), desk.someone("bob")
        actors = desk.actor(ada), desk.actor(bob)
        at_once(
            lambda: desk.decide(task, ada, actor=actors[0]),
            lambda: desk.decide(task, bob, actor=actors[1]),
        )

        assert UserTask.objects.filter(run_id=task.run_id, stage=2).count() == 1

    def test_a_run_that_is_cancelled_just_then_leaves_nothing_open(self, desk):
        desk.someone("bob")
        task = desk.ask_named("ada", stages=[stage("bob")])
        operator = desk.actor(desk.someone("olga", "operator"))
        cancel_run(actor=operator, run_id=task.run_id, reason="Not needed", now=clock.now())
        ada = desk.someone("ada")
        actor = desk.actor(ada)
        at_once(lambda: desk.decide(task, ada, actor=actor), drive_all)
        drive_all()

        assert not UserTask.objects.filter(run_id=task.run_id, status="open").exists()
        assert verify.check_runs().problems == []


class TestIsShown:
    def test_on_the_page_with_what_was_said_before(self, desk, asked):
        assert "Stage 1 of 3" in text_of(page(desk, asked, desk.someone("ada")))
        second = through_first(desk, asked)
        text = text_of(page(desk, second, desk.someone("bob")))

        for part in (
            "Stage 2 of 3: Finance",
            "Stages before Stage 1 of 3",
            "Needed.",
            "Next: stage 3 of 3 is asked, Board, once 2 have approved.",
        ):
            assert part in text, part
        assert "Then the next stage was asked." in text_of(page(desk, asked, desk.someone("ada")))

    def test_by_the_api(self, desk, asked):
        second = through_first(desk, asked)
        shown = people.browser(desk.someone("bob")).get(f"/api/v1/tasks/{second.pk}/").json()

        assert (shown["stage"], shown["stages"]) == (2, 3)
        assert shown["stage_name"] == "Stage 2 of 3: Finance"
        assert [one["by"] for one in shown["earlier"][0]["decisions"]] == ["Ada"]

    def test_to_who_looks_at_the_run(self, desk, asked):
        through_first(desk, asked)
        (reason,) = run_queries.waiting_for(Run.objects.get(pk=asked.run_id))

        assert reason["detail"] == "Stage 2 of 3: Finance. Waits for Bob, Cleo, Dan."
