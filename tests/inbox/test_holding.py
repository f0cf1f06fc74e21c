"""What is decided is held where the step says so; until it passes on it can be taken back."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, InternalError, connection, transaction
from django.urls import reverse

from apps.core import clock
from apps.core.errors import ProductError
from apps.core.models import uuid7
from apps.inbox import (
    asking,
    bulk,
    commands,
    escalating,
    handing,
    holding,
    lists,
    opening,
    queries,
    settling,
)
from apps.inbox.models import TaskMoment
from apps.notices.models import Notice
from apps.operations.ticking import parts
from apps.requests import progress
from apps.runs import commands as runs
from apps.runs import verify
from apps.runs.commands import cancel_run
from apps.runs.drive import drive_all
from apps.runs.models import Run, RunCommand
from apps.runs.queries import waiting_for
from tests.inbox.support import approval, fresh, move_clock
from tests.inbox.test_deciding import at_once
from tests.inbox.test_page import page, text_of
from tests.inbox.test_taking_back import back
from tests.support import people

pytestmark = pytest.mark.django_db

HELD = {"undo_for": "PT1H"}


@pytest.fixture
def ada(desk):
    return desk.someone("ada")


@pytest.fixture
def bob(desk):
    return desk.someone("bob")


def settle(hours=0.0):
    return settling.settle_due(now=clock.now() + timedelta(hours=hours))


class TestAfterTheAnswers:
    def test_nothing_follows_before_the_time_is_over_and_then_it_does(self, desk, ada):
        task = desk.ask_named("ada", "bob", **HELD)
        desk.decide(task, ada, comment="yes")
        held = fresh(task)
        assert (held.status, held.pending, held.outcome) == ("open", "approved", "")
        assert held.settles_at is not None
        assert held.settles_at == held.decisions.get().decided_at + timedelta(hours=1)
        assert settle(0.99) == 0
        assert desk.run_of(task).status == "waiting"

        move_clock(hours=1)
        assert settle() == 1
        assert settle() == 0
        done = fresh(task)
        assert (done.status, done.outcome, done.pending) == ("decided", "approved", "")
        assert done.closed_at is not None
        assert done.closed_at >= held.settles_at
        assert desk.run_of(task).status == "completed"
        assert desk.output_of(task)["by"] == "ada@acme.test"
        [row], [given] = desk.trail("task.settle"), desk.trail("task.decide")
        assert row.event.actor_kind == "system"
        assert row.group("details")["outcome"] == "approved"
        assert given.group("details")["held"] == "approved"
        assert given.group("details")["result"] == ""
        assert verify.check_runs().problems == []

    def test_without_the_setting_it_passes_on_at_once(self, desk, ada):
        task = desk.ask_named("ada")
        desk.decide(task, ada)
        assert fresh(task).status == "decided"
        assert "undo_for" not in opening.shown_to_deciders(fresh(task))

    def test_the_clock_of_the_house_does_it(self, desk):
        part = next(one for one in parts() if one.name == "decisions held")
        task = desk.ask_named("ada", **HELD)
        desk.decide(task, desk.someone("ada"))
        move_clock(hours=1)
        part.do()
        assert fresh(task).outcome == "approved"

    def test_it_is_taken_back_and_decided_anew(self, desk, ada, bob):
        task = desk.ask_named("ada", "bob", **HELD)
        desk.decide(task, ada)
        back(desk, task, ada, reason="wrong line")
        open_again = fresh(task)
        assert (open_again.pending, open_again.settles_at) == ("", None)
        assert settle(2) == 0
        desk.decide(task, bob, "rejected")
        assert settle(2) == 1
        assert desk.output_of(task)["outcome"] == "rejected"
        [row] = desk.trail("task.take_back")
        assert row.text("reason") == "wrong line"
        assert row.group("details")["held"] == "approved"
        assert verify.check_runs().problems == []

    def test_those_who_had_no_need_to_answer_are_told_again(self, desk, ada, bob):
        task = desk.ask_named("ada", "bob", **HELD)
        desk.decide(task, ada)
        back(desk, task, ada)
        notices = Notice.objects.filter(task_id=task.pk, key__startswith="again/")
        assert [one.user_id for one in notices] == [bob.pk]

    def test_an_answer_that_changes_nothing_leaves_it_held(self, desk, ada, bob):
        cleo = desk.someone("cleo")
        task = desk.ask_named("ada", "bob", "cleo", rule={"n": 2}, **HELD)
        desk.decide(task, ada, "rejected")
        desk.decide(task, bob)
        desk.decide(task, cleo)
        until = fresh(task).settles_at
        back(desk, task, ada)
        assert (fresh(task).pending, fresh(task).settles_at) == ("approved", until)
        back(desk, task, bob)
        assert fresh(task).settles_at is None

    def test_who_lost_their_place_meanwhile_leaves_it_to_others(self, desk, ada):
        desk.team("second", "eve")
        task = desk.ask_named("ada", fallback=["second"], **HELD)
        desk.decide(task, ada)
        task.assignees.update(dropped_at=clock.now())
        back(desk, task, ada)
        asked = queries.assignees_of(fresh(task))
        assert [one.user.email for one in asked] == ["eve@acme.test"]


class TestWhileItIsHeld:
    def test_nobody_else_can_do_anything_with_it(self, desk, ada, bob):
        task = desk.ask_named("ada", "bob", bulk=None, **HELD)
        desk.decide(task, ada)
        now = clock.now()
        them = desk.actor(bob)
        for action in (
            lambda: desk.decide(task, bob, "rejected"),
            lambda: desk.decide(task, ada, "rejected"),
            lambda: handing.claim_task(actor=them, task_id=task.pk, now=now),
            lambda: handing.hand_over_task(
                actor=them, task_id=task.pk, to="ada@acme.test", reason="x", now=now
            ),
            lambda: asking.ask_question(
                actor=them, task_id=task.pk, text="Why?", of="owner@acme.test", now=now
            ),
        ):
            with pytest.raises(holding.Held, match="passes on at"):
                action()
        [line] = bulk.preview(them, [task.pk], now)
        assert line.refused is not None
        assert bulk.offered(fresh(task)) is None
        assert fresh(task).decisions.count() == 1

    def test_several_at_once_are_held_each(self, desk, ada):
        together = {
            "max": 5, "amount_label": "Amount", "amount_limit": 1000, "high_risk": True,
        }  # fmt: skip
        task = desk.ask_named("ada", bulk=together, **HELD)
        browser, path = people.browser(ada), "/api/v1/tasks/bulk/"
        asked = {"tasks": str(task.pk), "outcome": "approved"}
        [line] = browser.get(path, asked).json()["results"]
        assert line["then"].endswith(holding.undo_said(fresh(task)))
        item = {"task": str(task.pk), "seen": line["seen"]}
        sent = {"id": str(uuid7()), "outcome": "approved", "items": [item]}
        [line] = people.send(browser, "POST", path, sent).json()["results"]
        assert line["problem"] == ""
        assert fresh(task).pending == "approved"

    def test_it_waits_for_nobody_and_is_among_what_is_done(self, desk, ada, bob):
        task = desk.ask_named("ada", "bob", **HELD)
        desk.decide(task, ada)
        for user in (ada, bob):
            actor = desk.actor(user)
            assert queries.count_open(actor) == 0
            assert lists.counts(actor)["all"] == 0
            done = lists.tasks_in(actor, lists.Wanted("done"))
            assert [one.pk for one in done] == [task.pk]
        assert handing.tasks_of(desk.workspace.pk, bob.pk) == []
        [reason] = waiting_for(desk.run_of(task))
        assert reason["held"] is True
        assert reason["until"] == fresh(task).settles_at
        assert (reason["people"], "decided" in reason["detail"]) == ([], True)
        assert progress._under_way(desk.run_of(task)).state == "working"

    def test_its_limit_its_reminders_and_its_ladder_stand_still(self, desk, ada, bob):
        ladder = [{"when": {"after": "PT90M"}, "what": {"urgent": True}}]
        task = desk.ask_named("ada", "bob", due="PT2H", escalation=ladder, undo_for="PT12H")
        due = fresh(task).due_at
        desk.decide(task, ada)
        move_clock(hours=6)
        assert commands.close_overdue(now=clock.now()) == 0
        assert escalating.fire_due(now=clock.now()) == 0
        back(desk, task, ada)
        now_due = fresh(task).due_at
        assert now_due
        assert due
        assert now_due >= due + timedelta(hours=6)
        assert TaskMoment.objects.filter(task=task, next_at__isnull=False).exists()
        move_clock(hours=3)
        escalating.fire_due(now=clock.now())
        assert commands.close_overdue(now=clock.now()) == 1

    def test_an_answer_to_a_question_does_not_start_the_clock(self, desk, ada):
        task = desk.ask_named("ada", "bob", **HELD)
        owner = desk.owner
        question = asking.ask_question(
            actor=desk.actor(ada), task_id=task.pk, text="?", of=owner.email, now=clock.now()
        )
        desk.decide(task, ada)
        assert asking.questions_for(desk.actor(owner)).count() == 0
        asking.answer_question(
            actor=desk.actor(owner), question_id=question.pk, text="so", now=clock.now()
        )
        assert fresh(task).paused_at is not None
        back(desk, task, ada)
        assert fresh(task).paused_at is None

    def test_who_leaves_takes_nothing_with_them(self, desk, ada, bob):
        task = desk.ask_named("ada", "bob", **HELD)
        desk.decide(task, ada)
        for user in (ada, bob):
            desk.deactivate(user)
        commands.drop_leavers(now=clock.now())
        assert fresh(task).pending == "approved"
        assert settle(1) == 1
        assert desk.output_of(task)["outcome"] == "approved"

    def test_a_run_that_is_cancelled_ends_it(self, desk, ada):
        task = desk.ask_named("ada", **HELD)
        desk.decide(task, ada)
        admin = desk.actor(desk.someone("admin", "admin", "operator"))
        cancel_run(actor=admin, run_id=task.run_id, reason="x", now=clock.now())
        assert desk.run_of(task).status == "cancelled"
        ended = fresh(task)
        assert (ended.status, ended.settles_at, ended.pending) == ("cancelled", None, "")
        assert settle(2) == 0
        with pytest.raises(commands.TaskClosed):
            back(desk, task, ada)
        assert verify.check_runs().problems == []

    def test_the_page_and_the_api_say_so(self, desk, ada, bob):
        task = desk.ask_named("ada", "bob", **HELD)
        assert "Once it is decided It goes on 1 hour later." in text_of(page(desk, task, bob))
        desk.decide(task, ada)
        text = text_of(page(desk, task, ada))
        assert "Decided: approved. It passes on at" in text
        assert "Take my answer back" in text
        assert "The others have not all answered" not in text
        assert "A reminder is sent" not in text
        theirs = text_of(page(desk, task, bob))
        assert "nobody else can answer" in theirs
        assert "Take my answer back" not in theirs
        assert "Approved, can still be taken back" in text_of(
            people.browser(bob).get(reverse("inbox-list"), {"view": "done"})
        )
        shown = people.browser(bob).get(f"/api/v1/tasks/{task.pk}/").json()
        assert (shown["pending_word"], shown["may_decide"]) == ("Approved", False)
        assert shown["settles_at"]
        assert shown["paused_at"] is None
        ada.language = "de"
        ada.save()
        german = text_of(page(desk, task, ada))
        assert "Entschieden: genehmigt. Weiter geht es am" in german
        assert "Warum Sie Ihre Antwort zurücknehmen" in german
        auditor = desk.someone("auditor", "auditor")
        evidence = text_of(people.browser(auditor).get(f"/inbox/{task.pk}/evidence/"))
        assert "It was held until" in evidence
        assert "It goes on 1 hour later." in evidence
        [asked] = (
            people.browser(auditor).get(f"/api/v1/runs/{task.run_id}/tasks/").json()["results"]
        )
        assert (asked["status"], asked["pending_word"]) == ("open", "Approved")


class TestStages:
    def test_each_is_held_before_the_next_is_asked(self, desk, ada, bob):
        stage = {"assignees": {"users": [bob.email], "groups": []}}
        task = desk.ask_named("ada", stages=[stage], **HELD)
        desk.decide(task, ada)
        assert queries.count_open(desk.actor(bob)) == 0
        back(desk, task, ada)
        desk.decide(task, ada)
        assert settle(1) == 1
        second = queries.open_tasks(desk.actor(bob)).get()
        assert second.undo_seconds == 3600
        desk.decide(second, bob)
        assert settle(1) == 1
        assert len(desk.output_of(task)["decisions"]) == 2


class TestIsRefused:
    def test_when_its_time_is_over_though_the_clock_has_not_noticed(self, desk, ada):
        task = desk.ask_named("ada", **HELD)
        desk.decide(task, ada)
        move_clock(hours=1)
        with pytest.raises(commands.TooLate):
            back(desk, task, ada)
        assert "Take my answer back" not in text_of(page(desk, task, ada))
        settle()
        with pytest.raises(commands.TaskClosed):
            back(desk, task, ada)

    def test_a_time_that_is_none_or_too_long(self, desk):
        for text in ('= "P2D"', '= "soon"', '= "PT0S"'):
            whom = {"users": [desk.someone("ada").email], "groups": []}
            version = desk.publish(approval(assignees=whom, undo_for=text))
            run_id = desk.start(version, {"amount": 1})
            drive_all()
            assert Run.objects.get(pk=run_id).status == "failed"

    @pytest.mark.parametrize(
        "change",
        ["pending = 'approved'", "settles_at = now()", "undo_seconds = 60"],
    )
    def test_behind_the_products_back(self, desk, change):
        desk.ask_named("ada", **HELD)
        connection.cursor().execute("set constraints all immediate")
        with pytest.raises((IntegrityError, InternalError)), transaction.atomic():
            connection.cursor().execute(f"update inbox_usertask set {change}")


class TestTheSweep:
    def test_goes_through_more_than_one_batch_and_several_may_run(self, desk, ada):
        tasks = [desk.ask_named("ada", **HELD) for _ in range(3)]
        for task in tasks:
            desk.decide(task, ada)
        now = clock.now() + timedelta(hours=1)
        assert settling.settle_due(now=now, limit=2) == 3
        assert settling.settle_due(now=now) == 0

    def test_what_cannot_pass_on_is_put_off_and_holds_up_nothing(self, desk, ada, monkeypatch):
        bad, good = desk.ask_named("ada", **HELD), desk.ask_named("ada", **HELD)
        for task in (bad, good):
            desk.decide(task, ada)
        real = runs.resolve_wait

        def fail(**values):
            if values["run_id"] == bad.run_id:
                raise RuntimeError
            real(**values)

        monkeypatch.setattr(commands, "resolve_wait", fail)
        now = clock.now() + timedelta(hours=1)
        assert settling.settle_due(now=now) == 2
        assert fresh(good).status == "decided"
        assert fresh(bad).settles_at == now + settling.LATER
        monkeypatch.setattr(commands, "resolve_wait", real)
        assert settling.settle_due(now=now + settling.LATER) == 1
        assert fresh(bad).status == "decided"


@pytest.mark.django_db(transaction=True)
def test_taking_back_and_passing_on_at_once_give_one_of_both(desk, ada):
    task = desk.ask_named("ada", **HELD)
    desk.decide(task, ada)
    actor = desk.actor(ada)
    results = at_once(
        lambda: back(desk, task, ada, actor=actor),
        lambda: settling.settle_due(now=clock.now() + timedelta(hours=1)),
        lambda: settling.settle_due(now=clock.now() + timedelta(hours=1)),
    )

    errors = [one for one in results if isinstance(one, Exception)]
    assert all(isinstance(one, ProductError) for one in errors), results
    passed_on = fresh(task).status == "decided"
    assert passed_on == (task.decisions.count() == 1)
    assert RunCommand.objects.filter(run_id=task.run_id).count() == int(passed_on)
