"""A step that has failed for good and asks people: what they see, and what each answer does."""

from typing import Any

import pytest

from apps.core import clock
from apps.core.errors import Invalid
from apps.inbox import api, commands
from apps.inbox.models import UserTask
from apps.runs import queries, verify
from apps.runs.commands import add_command, cancel_run
from apps.runs.drive import drive_all
from apps.runs.models import Effect, Run, RunEvent
from apps.runs.ports import NOBODY
from tests.inbox.support import fresh
from tests.inbox.test_page import NEVER, page, submit, text_of
from tests.runs.support import assert_replays, complete, document, journal, outputs

pytestmark = pytest.mark.django_db
REQUEST = {"type": "http.request", "config": {"url": "https://pay.example/charge"}}


def asking(*links: str, **more: Any) -> dict[str, Any]:
    """Charge a card, and say so; whoever runs the flow is asked where that fails."""
    charge = {
        "type": "http.request",
        "title": "Charge the card",
        "config": {
            "url": "https://pay.example/charge",
            "headers": {"Authorization": {"secret": "pay-key", "prefix": "Bearer "}},
            "body": {"amount": "= trigger.body.amount"},
        },
        "on_error": {"then": "ask"},
        **more,
    }
    tell = {
        "type": "map",
        "title": "Tell the customer",
        "config": {"fields": {"paid": "= get or else(steps.charge.output.status, 0)"}},
    }
    return document(
        {"charge": charge, "tell": tell}, ["trigger -> charge", "charge -> tell", *links]
    )


def fail(run_id: Any, step: str, code: str = "declined", error_class: str = "permanent") -> None:
    """What a worker writes when the other side will not have it."""
    effect = Effect.objects.filter(run_id=run_id, step=step, status="queued").get()
    Effect.objects.filter(pk=effect.pk).update(status="failed", attempt=3)
    error = {"step": step, "class": error_class, "code": code, "message": "The card is refused."}
    payload = {"step": step, "visit": effect.visit, "error": error, "output": {"status": 402}}
    add_command(
        run_id=run_id,
        lane=effect.lane,
        kind="fail",
        payload={**payload, "attempts": 3},
        now=clock.now(),
    )
    drive_all()


@pytest.fixture
def olga(desk):
    return desk.someone("olga", "operator")


@pytest.fixture
def held(desk, olga):
    """Publish, start and let the card be refused; returns what people are asked."""

    def make(doc: dict[str, Any] | None = None, step: str = "charge") -> UserTask:
        run_id = desk.start(
            desk.publish(doc or asking()), {"amount": 120}, started_by="olga@acme.test"
        )
        drive_all()
        fail(run_id, step)
        return UserTask.objects.get(run_id=run_id, status="open")

    return make


class TestAsks:
    def test_operators_and_the_owner_with_what_failed_and_how_often(self, desk, olga, held):
        task = held()
        assert task.kind == "exception"
        assert task.title == "“Charge the card” went wrong"
        assert {one.user.email for one in task.assignees.all()} == {
            "olga@acme.test",
            "owner@acme.test",
        }
        facts = {one["label"]: one["value"] for one in task.facts}
        assert facts["What went wrong"] == "The card is refused."
        assert facts["How often it was tried"] == 3
        given = facts["What the step was given"]
        assert given["body"] == {"amount": 120}
        assert given["headers"] == {"Authorization": "the secret “pay-key”"}
        assert task.due_at is None

    def test_the_run_waits_for_a_person_and_says_why(self, held):
        run = Run.objects.get(pk=held().run_id)
        assert run.status == "waiting"
        (reason,) = queries.waiting_for(run)
        assert (reason["kind"], reason["step"]) == ("person", "charge")
        assert reason["detail"] == "The card is refused."
        steps = queries.steps_of(run, queries.journal(run))
        assert steps["charge"]["status"] == "waiting"
        assert steps["charge"]["error"]["code"] == "declined"
        assert not verify.check_runs().problems
        assert_replays(run.pk)

    def test_where_nobody_can_be_asked_the_step_fails_as_it_failed(self, desk):
        desk.deactivate(desk.owner)
        run_id = desk.start(desk.publish(asking()), {"amount": 1})
        drive_all()
        fail(run_id, "charge")
        run = Run.objects.get(pk=run_id)
        assert run.status == "failed"
        assert run.error["code"] == "declined"
        assert "Nobody could be asked" in run.error["message"]
        assert last_failure(run_id)["by"] == NOBODY

    def test_when_the_last_of_them_leaves_the_step_fails(self, desk, olga, held):
        task = held()
        desk.deactivate(olga)
        desk.deactivate(desk.owner)
        commands.drop_leavers(now=clock.now())
        assert desk.run_of(task).status == "failed"
        assert fresh(task).status == "cancelled"

    def test_an_error_that_needs_a_person_asks_though_the_step_says_nothing(self, desk, olga):
        doc = asking()
        del doc["steps"]["charge"]["on_error"]
        run_id = desk.start(desk.publish(doc), {"amount": 1})
        drive_all()
        fail(run_id, "charge", error_class="human")
        assert UserTask.objects.get(run_id=run_id).kind == "exception"

    def test_a_step_that_is_late_asks_too_and_what_it_waited_for_is_closed(self, desk, olga):
        run_id = desk.start(desk.publish(asking(time_limit="PT1S")), {"amount": 1})
        drive_all()
        effect = Effect.objects.get(run_id=run_id)
        add_command(
            run_id=run_id,
            lane=effect.lane,
            kind="expire",
            payload={"step": "charge", "visit": 1},
            now=clock.now(),
        )
        drive_all()
        task = UserTask.objects.get(run_id=run_id)
        assert (task.status, task.kind) == ("open", "exception")
        assert Effect.objects.get(run_id=run_id).status == "dropped"
        desk.decide(task, olga, "retry")
        drive_all()
        assert Effect.objects.filter(run_id=run_id, status="queued").count() == 1
        assert not verify.check_runs().problems

    def test_a_mapping_that_fails_asks_and_can_be_skipped(self, desk, olga):
        doc = asking()
        doc["steps"]["tell"]["config"] = {"fields": {"x": "= trigger.body.missing.path"}}
        doc["steps"]["tell"]["on_error"] = {"then": "ask", "output": {"x": "= 1 + 1"}}
        doc["links"] = [{"from": "trigger", "to": "tell"}]
        doc["steps"].pop("charge")
        run_id = desk.start(desk.publish(doc), {"amount": 1})
        drive_all()
        task = UserTask.objects.get(run_id=run_id)
        desk.decide(task, olga, "skip")
        assert desk.run_of(task).status == "completed"
        assert outputs(run_id)["tell"] == {"x": 2}


class TestAnswers:
    def test_retry_does_it_again_under_a_new_key(self, desk, olga, held):
        task = held()
        first = Effect.objects.get(run_id=task.run_id)
        desk.decide(task, olga, "retry")
        drive_all()
        second = Effect.objects.get(run_id=task.run_id, generation=2)
        assert second.idempotency_key != first.idempotency_key
        assert ("step.repeated", "charge") in journal(task.run_id)
        assert_replays(task.run_id)
        fail(task.run_id, "charge")
        again = UserTask.objects.get(run_id=task.run_id, status="open")
        assert again.generation == 2
        desk.decide(again, olga, "fail")
        assert desk.run_of(task).status == "failed"

    def test_skip_goes_on_by_the_first_way_out_and_later_steps_find_nothing(self, desk, olga, held):
        task = held()
        desk.decide(task, olga, "skip")
        assert desk.run_of(task).status == "completed"
        assert outputs(task.run_id) == {"charge": None, "tell": {"paid": 0}}

    def test_skip_with_an_output_of_its_own_is_read_by_later_steps(self, desk, olga, held):
        task = held(asking(on_error={"then": "ask", "output": {"status": "= 200 + 9"}}))
        desk.decide(task, olga, "skip")
        assert desk.run_of(task).status == "completed"
        assert outputs(task.run_id)["tell"] == {"paid": 209}
        assert last_failure(task.run_id)["by"] == "olga@acme.test"

    def test_fail_ends_the_run_with_the_error_that_was_there(self, desk, olga, held):
        task = held()
        desk.decide(task, olga, "fail", comment="It is a stolen card.")
        run = desk.run_of(task)
        assert (run.status, run.error["code"]) == ("failed", "declined")
        (row,) = desk.trail("task.decide")
        assert row.group("details")["outcome"] == "fail"
        assert row.group("details")["kind"] == "exception"
        assert row.text("reason") == "It is a stolen card."

    def test_fail_leaves_by_error_where_that_is_linked_with_what_came_back(self, desk, olga, held):
        doc = asking()
        doc["steps"]["say"] = {
            "type": "map",
            "config": {"fields": {"got": "= steps.charge.output.status"}},
        }
        doc["links"].append({"from": "charge", "port": "error", "to": "say"})
        task = held(doc)
        desk.decide(task, olga, "fail")
        assert desk.run_of(task).status == "completed"
        assert outputs(task.run_id)["say"] == {"got": 402}

    def test_whoever_started_the_run_may_answer(self, desk, olga, held):
        assert commands.refusal_for(desk.actor(olga), held(), clock.now()) is None

    def test_others_may_not(self, desk, held):
        refused = commands.refusal_for(desk.actor(desk.someone("ada")), held(), clock.now())
        assert refused is not None
        assert refused.code == "not_assignee"

    @pytest.mark.parametrize("outcome", ["approved", "rejected", "", "again"])
    def test_any_other_answer_is_refused(self, desk, olga, held, outcome):
        with pytest.raises(Invalid, match="retry, skip, fail"):
            desk.decide(held(), olga, outcome)

    def test_a_late_result_of_the_work_changes_nothing_while_people_are_asked(self, desk, held):
        task = held()
        complete(task.run_id, "charge", output={"status": 200})
        drive_all()
        row = RunEvent.objects.filter(run_id=task.run_id).latest("seq")
        assert (row.type, row.data["reason"]) == ("outcome.ignored", "held")
        assert fresh(task).status == "open"

    def test_cancelling_the_run_withdraws_the_question(self, desk, held):
        task = held()
        boss = desk.actor(desk.someone("olga", "operator"))
        cancel_run(actor=boss, run_id=task.run_id, reason="", now=clock.now())
        assert desk.run_of(task).status == "cancelled"
        assert fresh(task).status == "cancelled"
        assert not verify.check_runs().problems


class TestUndoing:
    @pytest.fixture
    def stuck(self, desk, olga):
        """A card was charged, the parcel cannot be sent, and the money cannot be given back."""
        doc = document(
            {
                "charge": {**REQUEST, "undo": "refund"},
                "send": REQUEST,
                "refund": {**REQUEST, "title": "Give the money back"},
            },
            ["trigger -> charge", "charge -> send"],
        )
        run_id = desk.start(desk.publish(doc), {})
        drive_all()
        Effect.objects.filter(run_id=run_id).update(status="succeeded")
        complete(run_id, "charge", output={"status": 200})
        drive_all()
        fail(run_id, "send")
        fail(run_id, "refund")
        return UserTask.objects.get(run_id=run_id)

    def test_what_cannot_be_undone_asks_by_itself(self, stuck):
        assert stuck.title == "“Give the money back” went wrong"
        assert Run.objects.get(pk=stuck.run_id).status == "waiting"
        assert_replays(stuck.run_id)

    @pytest.mark.parametrize(("answer", "said"), [("skip", False), ("fail", True)])
    def test_skipped_it_counts_as_undone_and_failed_it_is_written_down(
        self, desk, olga, stuck, answer, said
    ):
        desk.decide(stuck, olga, answer)
        run = desk.run_of(stuck)
        assert run.status == "failed"
        assert run.error["step"] == "send"
        assert ("could not undo" in run.error["message"]) is said

    def test_tried_again_it_has_a_new_key(self, desk, olga, stuck):
        desk.decide(stuck, olga, "retry")
        drive_all()
        keys = Effect.objects.filter(run_id=stuck.run_id, step="refund")
        assert len({one.idempotency_key for one in keys}) == 2


class TestPage:
    def test_says_what_each_answer_does_in_plain_words(self, desk, olga, held):
        answer = page(desk, held(), olga)
        text = text_of(answer)
        assert answer.status_code == 200
        for part in (
            "“Charge the card” went wrong",
            "The card is refused.",
            "Try again “Charge the card” is done once more.",
            "Whoever it is sent to takes it as something new.",
            "Skip this step Next: Tell the customer. Later steps find its result empty.",
            "Let it fail The request ends as failed.",
        ):
            assert part in text, part
        assert not NEVER.findall(text)
        assert "Asked by" not in text

    def test_is_answered_without_a_script(self, desk, olga, held):
        task = held()
        assert submit(task, olga, outcome="retry", comment="The card is new.").status_code == 302
        text = text_of(page(desk, task, olga))
        assert "Tried again by Olga" in text
        assert "The card is new." in text

    def test_the_interface_for_programs_says_the_same(self, desk, olga, held):
        shown = api.detailed(desk.actor(olga), held())
        assert shown["kind"] == "exception"
        assert shown["outcomes"] == ["retry", "skip", "fail"]
        assert [one["label"] for one in shown["answers"]] == [
            "Try again",
            "Skip this step",
            "Let it fail",
        ]
        assert shown["may_decide"]


def last_failure(run_id: Any) -> dict[str, Any]:
    data: dict[str, Any] = (
        RunEvent.objects.filter(run_id=run_id, type="step.failed").latest("seq").data
    )
    return data
