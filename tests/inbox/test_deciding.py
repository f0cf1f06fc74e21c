"""Decisions: who may, when, once; and what follows (issue sections 2 and 4)."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from apps.accounts.permissions import OutOfScope
from apps.core import clock
from apps.core.errors import Invalid, NotFound
from apps.inbox import commands, duties, permissions, queries
from apps.inbox.models import Decision, UserTask
from apps.inbox.opening import seen_hash
from apps.runs.models import RunCommand
from tests.inbox.support import fresh, move_clock
from tests.support import people

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(desk):
    return desk.someone("ada")


@pytest.fixture
def bob(desk):
    return desk.someone("bob")


def refused(expected, desk, task, user, **more):
    """The refusal, after which nothing has changed."""
    before = fresh(task).status, Decision.objects.count(), RunCommand.objects.count()
    with pytest.raises(expected) as raised:
        desk.decide(task, user, **more)
    assert (fresh(task).status, Decision.objects.count(), RunCommand.objects.count()) == before
    return raised.value


class TestAnAnswer:
    def test_goes_on_to_the_next_step_with_who_and_why(self, desk, ada):
        task = desk.ask_named("ada", body={"amount": 120})
        desk.decide(task, ada, "approved", comment="fine by me")
        run = desk.run_of(task)
        assert run.status == "completed"
        output = desk.output_of(task)
        decided = Decision.objects.get()
        assert output == {
            "outcome": "approved",
            "by": "ada@acme.test",
            "comment": "fine by me",
            "at": decided.decided_at.isoformat(),
            "answers": {},
            "decisions": [
                {
                    "by": "ada@acme.test",
                    "outcome": "approved",
                    "comment": "fine by me",
                    "at": decided.decided_at.isoformat(),
                }
            ],
        }

    def test_a_refusal_leaves_by_rejected(self, desk, ada):
        task = desk.ask_named("ada")
        desk.decide(task, ada, "rejected")
        assert desk.run_of(task).status == "completed"
        assert desk.output_of(task)["outcome"] == "rejected"
        assert "order" not in str(desk.run_of(task).error)

    def test_closes_the_task_and_names_the_outcome(self, desk, ada):
        task = desk.ask_named("ada", "bob")
        desk.decide(task, ada, "rejected")
        task = fresh(task)
        assert (task.status, task.outcome) == ("decided", "rejected")
        assert task.closed_at is not None
        assert not task.assignees.filter(is_open=True).exists()

    def test_waits_for_the_others_where_the_rule_says_so(self, desk, ada, bob):
        task = desk.ask_named("ada", "bob", rule={"all": True})
        desk.decide(task, ada)
        assert fresh(task).status == "open"
        assert desk.run_of(task).status == "waiting"
        desk.decide(task, bob, comment="me too")
        assert desk.run_of(task).status == "completed"
        output = desk.output_of(task)
        assert output["by"] == "bob@acme.test"
        assert [one["by"] for one in output["decisions"]] == ["ada@acme.test", "bob@acme.test"]

    def test_of_two_of_three_ends_when_the_second_no_makes_it_impossible(self, desk, ada, bob):
        task = desk.ask_named("ada", "bob", "cleo", rule={"n": 2})
        desk.decide(task, ada, "rejected")
        assert fresh(task).status == "open"
        desk.decide(task, bob, "rejected")
        assert fresh(task).outcome == "rejected"

    def test_is_a_row_of_the_trail_with_who_outcome_seen_and_reason(self, desk, ada):
        task = desk.ask_named("ada", body={"amount": 7})
        desk.decide(task, ada, "rejected", comment="too dear", seen=task.seen)
        [row] = desk.trail("task.decide")
        assert row.event.actor_id == str(ada.pk)
        assert row.event.flow_id == task.flow_id
        assert row.event.correlation_id == str(task.run_id)
        assert row.event.target_id == str(task.pk)
        assert row.text("actor.label") == "ada@acme.test"
        assert row.text("reason") == "too dear"
        details = row.group("details")
        assert details["outcome"] == details["result"] == "rejected"
        assert details["seen"] == task.seen
        assert details["version"] == str(task.version_id)

    def test_the_hash_is_again_made_from_what_is_stored(self, desk, ada):
        task = desk.ask_named(
            "ada", body={"amount": "1.50"}, fields=[{"label": "a", "value": "= trigger.body"}]
        )
        assert seen_hash(fresh(task)) == task.seen == fresh(task).seen


class TestIsRefused:
    def test_the_second_time(self, desk, ada):
        task = desk.ask_named("ada", "bob", rule={"all": True})
        desk.decide(task, ada)
        assert refused(commands.AlreadyDecided, desk, task, ada).status == 409

    def test_when_somebody_else_has_decided(self, desk, ada, bob):
        task = desk.ask_named("ada", "bob")
        desk.decide(task, ada)
        assert refused(commands.TaskClosed, desk, task, bob, outcome="rejected").status == 409

    def test_when_late_though_the_sweep_has_not_run(self, desk, ada):
        task = desk.ask_named("ada", due="PT1H")
        move_clock(hours=1)
        assert refused(commands.TooLate, desk, task, ada).status == 409
        assert fresh(task).status == "open"

    def test_when_late_by_the_database_though_the_caller_read_the_time_before(self, desk, ada):
        task = desk.ask_named("ada", due="PT1H")
        before = clock.now()
        move_clock(hours=1)
        refused(commands.TooLate, desk, task, ada, now=before)

    def test_when_late_and_swept(self, desk, ada):
        task = desk.ask_named("ada", due="PT1H")
        move_clock(hours=1)
        commands.close_overdue(now=clock.now())
        assert refused(commands.TaskClosed, desk, task, ada).status == 409

    def test_as_the_wrong_person(self, desk, ada, bob):
        task = desk.ask_named("ada")
        assert refused(permissions.NotForYou, desk, task, bob).status == 403

    def test_as_an_administrator(self, desk, ada):
        task = desk.ask_named("ada")
        admin = desk.someone("admin", "admin")
        assert refused(permissions.NotForYou, desk, task, admin).status == 403

    def test_as_the_owner_of_the_installation(self, desk, ada):
        task = desk.ask_named("ada")
        owner = desk.someone("root", "admin")
        owner.is_superuser = True
        owner.save()
        assert refused(permissions.NotForYou, desk, task, owner).status == 403

    def test_as_the_system(self, desk, ada):
        task = desk.ask_named("ada")
        actor = desk.actor(ada).system(desk.workspace.pk)
        assert refused(permissions.NotForYou, desk, task, ada, actor=actor).status == 403

    def test_as_a_stranger_to_the_workspace(self, desk, ada):
        task = desk.ask_named("ada")
        stranger = people.person(people.make_workspace("other"), "approver", "admin")
        actor = people.actor(stranger)
        assert refused(NotFound, desk, task, stranger, actor=actor).status == 404

    def test_as_a_member_of_two_workspaces_working_in_the_other(self, desk, ada):
        task = desk.ask_named("ada")
        other = people.make_workspace("other")
        people.person(other, "approver", email=ada.email)
        refused(NotFound, desk, task, ada, actor=people.actor(ada, other))

    def test_as_the_requester_even_if_named(self, desk, ada, bob):
        task = desk.ask(
            assignees={"users": [ada.email, bob.email], "groups": []}, started_by=ada.email
        )
        assert refused(duties.RequesterMayNot, desk, task, ada).status == 403
        desk.decide(task, bob)

    def test_as_the_requester_that_the_flow_names(self, desk, ada, bob):
        task = desk.ask_named(
            "ada", "bob", requester="trigger.body.who", body={"amount": 1, "who": "ADA@acme.test "}
        )
        refused(duties.RequesterMayNot, desk, task, ada)

    def test_when_the_right_to_decide_is_gone_but_the_sweep_has_not_run(self, desk, ada):
        task = desk.ask_named("ada", "bob")
        from apps.accounts.models import Team

        team = Team.objects.get(workspace=desk.workspace, slug="approver")
        team.group.user_set.remove(ada)
        refused(permissions.NotForYou, desk, task, ada)

    def test_with_another_seen_than_the_tasks(self, desk, ada):
        task = desk.ask_named("ada")
        assert refused(commands.StalePage, desk, task, ada, seen="0" * 64).status == 409
        assert refused(commands.StalePage, desk, task, ada, seen="").status == 409

    def test_with_an_answer_that_there_is_not(self, desk, ada):
        task = desk.ask_named("ada")
        for outcome in ("timeout", "", "Approved", "cancelled"):
            assert refused(Invalid, desk, task, ada, outcome=outcome).status == 422

    def test_with_a_comment_that_cannot_be_kept(self, desk, ada):
        task = desk.ask_named("ada")
        refused(Invalid, desk, task, ada, comment="x" * 5001)
        refused(Invalid, desk, task, ada, comment="a\x00b")

    def test_by_a_key_that_was_not_made_for_it(self, desk, ada):
        from dataclasses import replace

        task = desk.ask_named("ada")
        actor = replace(desk.actor(ada), kind="token", scopes=frozenset({"task.view"}))
        refused(OutOfScope, desk, task, ada, actor=actor)


def test_the_requester_may_where_the_step_says_so(desk, ada):
    task = desk.ask(
        assignees={"users": [ada.email], "groups": []},
        allow_requester=True,
        started_by=ada.email,
    )
    desk.decide(task, ada)
    assert fresh(task).outcome == "approved"


def at_once(*actions):
    """Run each in a thread of its own, let go together; returns what each gave or raised."""
    gate = threading.Barrier(len(actions))
    results: list[object] = [None] * len(actions)

    def work(index, action):
        try:
            gate.wait()
            results[index] = action()
        except Exception as error:  # noqa: BLE001 - looked at below
            results[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=one) for one in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_two_people_give_one_outcome(self, desk, ada, bob):
        for _ in range(3):
            task = desk.ask_named("ada", "bob")
            actors = desk.actor(ada), desk.actor(bob)
            results = at_once(
                lambda t=task, a=actors[0]: desk.decide(t, ada, "approved", actor=a),
                lambda t=task, a=actors[1]: desk.decide(t, bob, "rejected", actor=a),
            )
            lost = [one for one in results if isinstance(one, Exception)]
            assert [type(one) for one in lost] == [commands.TaskClosed], results
            assert task.decisions.count() == 1
            assert RunCommand.objects.filter(run_id=task.run_id).count() == 1
            assert desk.run_of(task).status == "completed"

    def test_one_person_in_two_windows_answers_once(self, desk, ada):
        task = desk.ask_named("ada", "bob", rule={"all": True})
        actor = desk.actor(ada)
        results = at_once(*[lambda: desk.decide(task, ada, actor=actor) for _ in range(4)])
        errors = [type(one) for one in results if isinstance(one, Exception)]
        assert errors == [commands.AlreadyDecided] * 3
        assert task.decisions.count() == 1

    def test_the_last_two_of_all_do_not_both_wait_for_each_other(self, desk, ada, bob):
        task = desk.ask_named("ada", "bob", rule={"all": True})
        actors = desk.actor(ada), desk.actor(bob)
        results = at_once(
            lambda: desk.decide(task, ada, actor=actors[0]),
            lambda: desk.decide(task, bob, actor=actors[1]),
        )
        assert not [one for one in results if isinstance(one, Exception)]
        assert fresh(task).outcome == "approved"
        assert RunCommand.objects.filter(run_id=task.run_id).count() == 1

    def test_a_decision_and_a_leaver_do_not_block_each_other(self, desk, ada, bob):
        for _ in range(3):
            task = desk.ask_named("ada", "bob", "cleo", rule={"all": True})
            bob.is_active = False
            bob.save()
            actor = desk.actor(ada)
            results = at_once(
                lambda t=task, a=actor: desk.decide(t, ada, actor=a),
                lambda: commands.drop_leavers(now=clock.now()),
            )
            assert not [one for one in results if isinstance(one, Exception)], results
            commands.drop_leavers(now=clock.now())
            desk.decide(task, desk.someone("cleo"))
            assert fresh(task).outcome == "approved"
            bob.is_active = True
            bob.save()

    def test_a_decision_and_the_sweep_give_one_outcome(self, desk, ada):
        task = desk.ask_named("ada", due="PT1H")
        actor, just_before = desk.actor(ada), clock.now()
        results = at_once(
            lambda: desk.decide(task, ada, actor=actor, now=just_before),
            lambda: commands.close_overdue(now=just_before + timedelta(hours=2)),
        )
        assert RunCommand.objects.filter(run_id=task.run_id).count() == 1
        kind = fresh(task).status
        assert (kind == "decided") == (not isinstance(results[0], Exception))


class TestTheEndOfTime:
    def test_closes_the_task_and_sends_the_run_on_together(self, desk):
        task = desk.ask_named("ada", due="PT1H")
        now = clock.now() + timedelta(hours=2)
        assert commands.close_overdue(now=now) == 1
        assert fresh(task).status == "timed_out"
        [command] = RunCommand.objects.filter(run_id=task.run_id)
        assert (command.kind, command.payload["port"]) == ("complete", "timeout")
        assert command.payload["output"] == {
            "outcome": "timeout",
            "by": "",
            "comment": "",
            "at": now.isoformat(),
            "answers": {},
            "decisions": [],
        }
        run = desk.run_of(task)
        assert (run.status, run.error["step"]) == ("failed", "late")

    def test_is_undone_whole_where_the_run_cannot_be_told(self, desk, monkeypatch):
        task = desk.ask_named("ada", due="PT1H")

        def fail(**_):
            raise RuntimeError

        monkeypatch.setattr(commands, "resolve_wait", fail)
        with pytest.raises(RuntimeError):
            commands.close_overdue(now=clock.now() + timedelta(hours=2))
        assert fresh(task).status == "open"
        assert not RunCommand.objects.exists()

    def test_is_a_row_of_the_trail(self, desk):
        task = desk.ask_named("ada", due="PT1H")
        commands.close_overdue(now=clock.now() + timedelta(hours=2))
        [row] = desk.trail("task.timeout")
        assert row.event.actor_kind == "system"
        assert row.event.target_id == str(task.pk)
        assert row.event.flow_id == task.flow_id

    def test_keeps_the_answers_that_were_given(self, desk, ada):
        task = desk.ask_named("ada", "bob", rule={"all": True}, due="PT1H")
        desk.decide(task, ada, comment="yes")
        commands.close_overdue(now=clock.now() + timedelta(hours=2))
        output = desk.output_of(task)
        assert (output["outcome"], output["by"]) == ("timeout", "")
        assert [one["comment"] for one in output["decisions"]] == ["yes"]

    def test_leaves_alone_what_has_time_or_no_limit(self, desk):
        desk.ask_named("ada", due="PT1H")
        desk.ask_named("ada", due=None)
        assert commands.close_overdue(now=clock.now()) == 0

    def test_goes_through_more_than_one_batch(self, desk):
        for _ in range(5):
            desk.ask_named("ada", due="PT1H")
        assert commands.close_overdue(now=clock.now() + timedelta(hours=2), limit=2) == 5


class TestPeople:
    def test_come_from_groups_and_names_each_once(self, desk, ada, bob):
        task = desk.ask(assignees={"users": [ada.email], "groups": ["approver"]})
        found = {one.user.email: one.via for one in queries.assignees_of(task)}
        assert found == {"ada@acme.test": "", "bob@acme.test": "approver"}

    def test_from_another_workspace_are_never_asked_nor_named(self, desk, ada):
        other = people.make_workspace("other")
        eve = people.person(other, "approver", email="eve@other.test")
        task = desk.ask_named("ada", requester='"eve@other.test"')
        assert task.requester is None
        assert task.requester_text == eve.email
        run = desk.run(desk_doc(desk, users=[eve.email]), {"amount": 1})
        assert run.error["code"] == "no_assignee"

    @pytest.mark.parametrize(
        "assignees", [{"users": ["gone@acme.test"]}, {"groups": ["nobody-here"]}]
    )
    def test_nobody_fails_the_run_with_step_and_sentence(self, desk, assignees):
        run = desk.run(desk_doc(desk, **assignees), {"amount": 1})
        assert run.status == "failed"
        assert run.error["step"] == "ask"
        assert run.error["code"] == "no_assignee"
        assert run.error["class"] == "permanent"
        assert run.error["message"].startswith("Nobody can decide “Approve order”: no active")
        assert not UserTask.objects.exists()

    def test_only_the_requester_is_nobody(self, desk, ada):
        version = desk.publish(desk_doc(desk, users=[ada.email]))
        run_id = desk.start(version, {"amount": 1}, started_by=ada.email)
        from apps.runs.drive import drive_all
        from apps.runs.models import Run

        drive_all()
        run = Run.objects.get(pk=run_id)
        assert run.error["code"] == "no_assignee"
        assert "the one who asks" in run.error["message"]

    def test_an_auditor_or_an_inactive_person_is_not_asked(self, desk, ada):
        desk.someone("mute", "auditor")
        desk.deactivate(desk.someone("left"))
        task = desk.ask_named("ada", "mute", "left")
        assert [one.user.email for one in queries.assignees_of(task)] == ["ada@acme.test"]


class TestWhoLeaves:
    def test_drops_out_and_the_rule_is_judged_again(self, desk, ada, bob):
        task = desk.ask_named("ada", "bob", rule={"all": True})
        desk.decide(task, ada)
        desk.deactivate(bob)
        assert commands.drop_leavers(now=clock.now()) == 1
        assert fresh(task).outcome == "approved"
        assert desk.run_of(task).status == "completed"
        assert desk.output_of(task)["by"] == "ada@acme.test"
        assert commands.drop_leavers(now=clock.now()) == 0

    def test_leaves_an_answer_that_stays(self, desk, ada, bob):
        task = desk.ask_named("ada", "bob", rule={"all": True})
        desk.decide(task, ada, "approved")
        desk.deactivate(ada)
        commands.drop_leavers(now=clock.now())
        assert fresh(task).status == "open"
        desk.decide(task, bob)
        assert [one["by"] for one in desk.output_of(task)["decisions"]] == [ada.email, bob.email]

    def test_rejects_where_approval_has_become_impossible(self, desk, ada, bob):
        task = desk.ask_named("ada", "bob", rule={"n": 2})
        desk.decide(task, ada, "approved")
        desk.deactivate(bob)
        commands.drop_leavers(now=clock.now())
        assert fresh(task).outcome == "rejected"
        assert desk.output_of(task)["by"] == ""

    def test_last_fails_the_step_with_nobody_left(self, desk, ada):
        task = desk.ask_named("ada")
        desk.deactivate(ada)
        commands.drop_leavers(now=clock.now())
        assert fresh(task).status == "cancelled"
        run = desk.run_of(task)
        assert (run.status, run.error["code"], run.error["step"]) == (
            "failed",
            "no_assignee",
            "ask",
        )
        assert "everybody it was put to has left" in run.error["message"]

    def test_who_may_not_decide_any_more_drops_out_too(self, desk, ada, bob):
        task = desk.ask_named("ada", "bob")
        from apps.accounts.models import Team

        Team.objects.get(workspace=desk.workspace, slug="approver").group.user_set.remove(ada)
        assert commands.drop_leavers(now=clock.now()) == 1
        assert [one.user for one in queries.assignees_of(task)] == [bob]

    def test_is_named_in_the_trail(self, desk, ada, bob):
        task = desk.ask_named("ada", "bob")
        desk.deactivate(bob)
        commands.drop_leavers(now=clock.now())
        [row] = desk.trail("task.drop")
        assert row.event.actor_kind == "system"
        assert row.event.target_id == str(task.pk)
        assert row.group("details")["person"] == bob.email

    def test_a_group_emptied_while_a_task_waits_does_not_hang_it(self, desk):
        three = [desk.someone(name) for name in ("ada", "bob", "cleo")]
        task = desk.ask(rule={"n": 2})
        for one in three:
            desk.deactivate(one)
        commands.drop_leavers(now=clock.now())
        assert desk.run_of(task).status == "failed"


class TestTooFew:
    def test_is_shown_and_is_never_approved(self, desk, ada):
        task = desk.ask_named("ada", rule={"n": 2})
        assert task.status == "open"
        assert (task.needed, len(queries.assignees_of(task))) == (2, 1)
        desk.decide(task, ada, "approved")
        assert fresh(task).outcome == "rejected"


class TestTheEndOfTheRun:
    def test_cancelling_withdraws_its_tasks(self, desk, ada):
        from apps.runs.commands import cancel_run

        task = desk.ask_named("ada")
        other = desk.ask_named("ada")
        operator = desk.actor(desk.someone("op", "operator"))
        cancel_run(actor=operator, run_id=task.run_id, reason="wrong order", now=clock.now())
        assert desk.run_of(task).status == "cancelled"
        assert fresh(task).status == "cancelled"
        assert fresh(other).status == "open"
        assert list(queries.open_tasks(desk.actor(ada))) == [fresh(other)]
        refused(commands.TaskClosed, desk, task, ada)


class TestWhatWasShownAndAnswered:
    @pytest.mark.parametrize(
        "statement",
        [
            "update inbox_decision set outcome = 'rejected'",
            "delete from inbox_decision",
            "truncate inbox_decision",
            "update inbox_usertask set title = 'Something else'",
            "update inbox_usertask set facts = '[]'",
            "update inbox_usertask set seen = ''",
            "update inbox_usertask set status = 'open', closed_at = null, outcome = ''",
            "update inbox_usertask set outcome = 'rejected'",
            "truncate inbox_usertask cascade",
            "update inbox_taskassignee set user_id = gen_random_uuid()",
            "update inbox_taskassignee set workspace_id = gen_random_uuid()",
            "update inbox_taskassignee set is_open = true",
            "delete from inbox_taskassignee",
        ],
    )
    def test_cannot_be_changed_by_anybody(self, desk, ada, statement):
        from django.db import IntegrityError, InternalError, transaction

        task = desk.ask_named("ada")
        desk.decide(task, ada)
        connection.cursor().execute("set constraints all immediate")
        with pytest.raises((IntegrityError, InternalError)), transaction.atomic():
            connection.cursor().execute(statement)
        assert fresh(task).outcome == "approved"


def desk_doc(desk, **assignees):
    from tests.inbox.support import approval

    return approval(assignees={"users": [], "groups": [], **assignees})


class TestAClockThatJumpsBack:
    """A task closes once, whatever the clock shows afterwards."""

    def test_a_task_is_open_until_its_time_and_times_out_once(self, desk):
        task = desk.ask_named("ada")
        assert commands.close_overdue(now=task.due_at - timedelta(days=9)) == 0
        assert commands.close_overdue(now=task.due_at) == 1
        assert commands.close_overdue(now=task.due_at - timedelta(days=9)) == 0
        assert commands.close_overdue(now=task.due_at) == 0
        task.refresh_from_db()
        assert task.status == "timed_out"
