"""Forms at a task: the server judges what is filled in, by every door, and keeps it."""

from datetime import timedelta
from decimal import Decimal
from hashlib import sha256

import pytest

from apps.audit.sealing import seal_pending
from apps.connections import vault
from apps.core import clock
from apps.core.errors import Invalid
from apps.core.models import uuid7
from apps.engine import values
from apps.engine.canonical import content_hash
from apps.inbox import bulk, commands, drafts, evidence, filling, telling
from apps.inbox.models import Decision, TaskDraft, UserTask
from apps.inbox.opening import shown_to_deciders
from apps.inbox.permissions import NotForYou
from apps.inbox.recording import Origin
from apps.notices.models import Notice
from apps.runs.drive import drive_all
from apps.runs.models import Run
from tests.inbox.support import approval, fresh, move_clock
from tests.inbox.test_page import page, submit, text_of
from tests.inbox.test_standing_in import stand_in
from tests.support import people

pytestmark = pytest.mark.django_db

FORM = {
    "type": "object",
    "x-order": ["centre", "granted", "why", "lines", "lead"],
    "properties": {
        "granted": {"type": "number", "title": "Granted", "x-widget": "amount", "maximum": 500},
        "centre": {"type": "string", "title": "Cost centre", "enum": ["A1", "B2"]},
        "why": {"type": "string", "title": "Why so much", "x-widget": "text"},
        "lines": {
            "type": "array",
            "title": "Lines",
            "items": {
                "type": "object",
                "properties": {"item": {"type": "string", "title": "Item"}},
                "required": ["item"],
                "additionalProperties": False,
            },
        },
        "lead": {"type": "string", "title": "Lead", "x-widget": "person"},
    },
    "required": ["centre", "granted"],
    # Why is asked from 100 on.
    "allOf": [
        {
            "if": {
                "properties": {"granted": {"type": "number", "minimum": 100}},
                "required": ["granted"],
            },
            "then": {"required": ["why"]},
            "else": {"properties": {"why": False}},
        }
    ],
}
GOOD = {"centre": "A1", "granted": Decimal("99.50"), "lines": [{"item": "Chair"}]}
WITH = {"form": FORM, "initial": {"granted": "= trigger.body.amount", "why": "= null"}}


def refused(desk, task, answers, outcome="approved", **more):
    with pytest.raises(Invalid) as found:
        desk.decide(task, desk.someone("ada"), outcome, answers=answers, **more)
    return found.value


class TestApproval:
    def test_what_is_filled_in_stays_with_the_decision_everywhere(self, desk, settings, tmp_path):
        settings.CHECKPOINTS = tmp_path / "checkpoints.log"
        task = desk.ask_named("ada", **WITH)
        ada = desk.someone("ada")
        assert task.form_hash == content_hash(FORM)
        assert task.form == {"for": ["approved"], "initial": {"granted": 120}}
        shown = shown_to_deciders(task)
        assert shown["form"]["hash"] == task.form_hash
        assert task.seen == sha256(values.dumps(shown).encode()).hexdigest()

        desk.decide(task, ada, answers=GOOD, form_hash=task.form_hash, seen=task.seen)

        decision = Decision.objects.get(task=task)
        assert decision.answers == GOOD
        output = desk.output_of(task)
        assert output["answers"] == GOOD == output["decisions"][0]["answers"]
        details = desk.trail("task.decide")[0].group("details")
        assert (details["answers"], details["form_hash"]) == (GOOD, task.form_hash)
        assert "Cost centre A1" in text_of(page(desk, task, ada))
        seal_pending(now=clock.now())
        name, file = evidence.signed_file(
            actor=desk.actor(ada), task_id=task.pk, decision_id=decision.pk, now=clock.now()
        )
        assert name.endswith(".html")
        assert all(one in file.decode() for one in ("What they filled in", "99.50", "Chair"))
        read = people.browser(ada).get(f"/api/v1/tasks/{task.pk}/").json()
        assert [one["label"] for one in read["decisions"][0]["filled_in"]] == [
            "Cost centre", "Granted", "Lines",
        ]  # fmt: skip
        with pytest.raises(Exception, match="kept"):
            Decision.objects.filter(pk=decision.pk).update(answers={})

    def test_what_does_not_fit_is_refused_at_its_field_and_changes_nothing(self, desk):
        task = desk.ask_named("ada", **WITH)
        wrong = [
            ({}, {"centre", "granted"}),
            ({**GOOD, "granted": "much"}, {"granted"}),
            ({**GOOD, "granted": 501, "why": "so"}, {"granted"}),
            ({**GOOD, "centre": "C3"}, {"centre"}),
            ({**GOOD, "granted": 100}, {"why"}),
            ({**GOOD, "why": "not asked"}, {"why"}),
            ({**GOOD, "extra": 1}, {"extra"}),
            ({**GOOD, "lines": [{"item": 7}]}, {"lines.0.item"}),
            ({**GOOD, "lead": "nobody@acme.test"}, {"lead"}),
        ]
        for answers, paths in wrong:
            problem = refused(desk, task, answers)
            assert {one["path"] for one in problem.fields["errors"]} == paths, answers
            assert problem.code == "answers_refused"
        assert refused(desk, task, None).code == "form_needed"
        assert "object" in refused(desk, task, [1]).message
        assert "more than a form" in refused(desk, task, {"why": "x" * 500_001}).message
        assert "signs" in refused(desk, task, {**GOOD, "centre": "a\x00"}).message
        assert "takes nothing" in refused(desk, task, GOOD, "rejected").message
        with pytest.raises(filling.FormChanged) as stale:
            desk.decide(task, desk.someone("ada"), answers=GOOD, form_hash="0" * 64)
        assert stale.value.status == 409
        assert not Decision.objects.exists()
        assert fresh(task).status == "open"

        desk.decide(task, desk.someone("ada"), "rejected")
        assert desk.output_of(task)["answers"] == {}
        assert Decision.objects.get(task=task).answers is None

    def test_the_step_says_which_answers_need_it(self, desk):
        task = desk.ask_named("ada", **WITH, form_for=["approved", "rejected"])
        assert refused(desk, task, None, "rejected").code == "form_needed"
        desk.decide(task, desk.someone("ada"), "rejected", answers=GOOD)
        assert desk.output_of(task)["answers"] == GOOD

    def test_without_a_form_nothing_is_taken(self, desk):
        task = desk.ask_named("ada")
        assert (task.form_hash, task.form) == ("", None)
        assert "takes nothing" in refused(desk, task, {"a": 1}).message
        assert "form" not in shown_to_deciders(task)

    def test_who_stands_in_fills_it_in(self, desk):
        stand_in(desk, "ada", "bob")
        task = desk.ask_named("ada", **WITH)
        desk.decide(task, desk.someone("bob"), answers=GOOD)
        given = desk.output_of(task)["decisions"][0]
        assert (given["on_behalf_of"], given["answers"]) == ("ada@acme.test", GOOD)

    def test_of_stages_the_first_has_it_and_the_others_see_it(self, desk):
        second = {"assignees": {"users": [desk.someone("bob").email]}, "title": "Finance"}
        task = desk.ask_named("ada", **WITH, stages=[second])
        desk.decide(task, desk.someone("ada"), answers=GOOD)
        later = UserTask.objects.get(run_id=task.run_id, stage=2)
        assert later.form_hash == ""
        assert shown_to_deciders(later)["before"][0][3] == GOOD
        assert "Cost centre A1" in text_of(page(desk, later, desk.someone("bob")))
        desk.decide(later, desk.someone("bob"))
        assert desk.output_of(task)["answers"] == GOOD

    def test_it_is_answered_alone_and_on_the_page(self, desk):
        together = {"max": 5, "amount_label": "Amount", "amount_limit": 1000, "high_risk": True}
        task = desk.ask_named("ada", **WITH, bulk=together)
        ada = desk.actor(desk.someone("ada"))
        assert bulk.offered(task) is None
        item = bulk.Item(task.pk, task.seen)
        [line] = bulk.decide_tasks(
            actor=ada, bulk_id=uuid7(), items=[item], outcome="approved", comment="",
            now=clock.now(), origin=Origin("bulk"),
        )  # fmt: skip
        assert line.refused is not None
        assert "form" in line.refused.message
        UserTask.objects.filter(pk=task.pk).update(risk="low")
        telling.tell_assignees({"task": str(task.pk)})
        assert telling.decision_path(Notice.objects.get(user=ada.user_id), clock.now()) == ""


class TestDrafts:
    def test_are_the_persons_own_sealed_and_gone_with_the_answer_or_the_task(self, desk):
        task = desk.ask_named("ada", "bob", **WITH, rule={"all": True})
        ada, bob = desk.someone("ada"), desk.someone("bob")
        half = {"centre": "A1", "why": "A secret word"}

        def put(user, body):
            return people.send(people.browser(user), "PUT", f"/api/v1/tasks/{task.pk}/draft/", body)

        saved = put(ada, {"form_hash": task.form_hash, "answers": half})
        assert saved.json()["answers"] == half
        put(bob, {"form_hash": task.form_hash, "answers": {}})
        row = TaskDraft.objects.get(person=ada)
        assert b"secret" not in bytes(row.answers)
        assert vault.open(row.answers, drafts.draft_context(row.pk)) == values.dumps(half).encode()
        mine = people.browser(ada).get(f"/api/v1/tasks/{task.pk}/").json()["form"]
        theirs = people.browser(bob).get(f"/api/v1/tasks/{task.pk}/").json()["form"]
        assert (mine["draft"]["answers"], theirs["draft"]["answers"]) == (half, {})
        assert mine["initial"] == {"granted": 120}

        assert put(ada, {"form_hash": "0" * 64, "answers": half}).status_code == 409
        assert put(ada, {"form_hash": task.form_hash, "answers": [1]}).status_code == 422
        stranger = put(desk.someone("eve"), {"form_hash": task.form_hash, "answers": {}})
        assert stranger.status_code == 403
        kept = drafts.draft_of(desk.actor(ada), fresh(task))
        assert kept is not None
        assert kept.answers == half

        desk.decide(task, ada, answers=GOOD)
        assert [one.person for one in TaskDraft.objects.all()] == [bob]
        move_clock(days=3)
        commands.close_overdue(now=clock.now())
        assert not TaskDraft.objects.exists()
        assert put(bob, {"form_hash": task.form_hash, "answers": {}}).status_code == 409

    def test_can_be_thrown_away(self, desk):
        task, ada = desk.ask_named("ada", **WITH), desk.someone("ada")
        drafts.save_draft(
            actor=desk.actor(ada), task_id=task.pk, form_hash=task.form_hash, answers={"why": "x"},
            now=clock.now(),
        )  # fmt: skip
        gone = people.send(people.browser(ada), "DELETE", f"/api/v1/tasks/{task.pk}/draft/")
        assert gone.status_code == 204
        assert not TaskDraft.objects.exists()


class TestPage:
    def test_without_a_script_errors_stand_beside_what_was_typed(self, desk):
        task, ada = desk.ask_named("ada", **WITH), desk.someone("ada")
        source = page(desk, task, ada).content.decode()
        assert 'name="granted"' in source
        assert 'value="120"' in source
        assert "Only if “Granted” is 100 or more." in text_of(page(desk, task, ada))

        answer = submit(task, ada, granted="900,5", centre="A1", **{"lines-0-item": "Desk"})
        source = answer.content.decode()
        assert answer.status_code == 422
        assert 'value="900.5"' in source
        assert 'id="f-granted-error"' in source
        assert "must be 500 or less" in text_of(answer)
        assert 'value="Desk"' in source
        assert not Decision.objects.exists()

        assert submit(task, ada, keep="1", granted="50", centre="A1").status_code == 302
        assert "What you kept for later is filled in." in text_of(page(desk, task, ada))
        assert submit(task, ada, form_hash="0" * 64, granted="50").status_code == 409
        answer = submit(task, ada, granted="50", centre="A1", why="", **{"lines-0-item": "Desk"})
        assert answer.status_code == 302
        assert Decision.objects.get(task=task).answers == {
            "centre": "A1", "granted": 50, "lines": [{"item": "Desk"}],
        }  # fmt: skip

    def test_what_needs_no_form_is_answered_without(self, desk):
        task, ada = desk.ask_named("ada", **WITH), desk.someone("ada")
        answer = submit(task, ada, outcome="rejected", comment="No.", granted="900")
        assert answer.status_code == 302
        assert Decision.objects.get(task=task).answers is None


class TestFillIn:
    def asking(self, **config):
        asked = {
            "title": "Please correct it",
            "form": FORM,
            "initial": {"granted": "= trigger.body.amount"},
            "fields": [{"label": "Said", "value": "Too much"}],
            "due": "P2D",
            **config,
        }
        made = approval()
        made["steps"]["ask"] = {"type": "fill_in", "title": "Correct it", "config": asked}
        for one in made["links"]:
            if one.get("port") == "approved":
                one["port"] = "submitted"
        made["links"] = [one for one in made["links"] if one.get("port") != "rejected"]
        del made["steps"]["declined"]
        return made

    def start(self, desk, started_by="", **config):
        run = desk.start(desk.publish(self.asking(**config)), {"amount": 70}, started_by=started_by)
        drive_all()
        return list(UserTask.objects.filter(run_id=run))

    def test_who_asked_fills_it_in_though_nobody_else_may(self, desk):
        ada = desk.someone("ada")
        [task] = self.start(desk, ada.email)
        assert (task.kind, task.duties, task.form["initial"]) == ("fill_in", [], {"granted": 70})
        telling.tell_assignees({"task": str(task.pk)})
        assert Notice.objects.get(user=ada).kind == "fill_in"
        read = text_of(page(desk, task, ada))
        assert all(one in read for one in ("Submit", "Who fills it in", "Time to answer", "Said"))
        assert "Approve" not in read
        with pytest.raises(NotForYou):
            desk.decide(task, desk.someone("bob"), "submitted", answers=GOOD)
        assert refused(desk, task, GOOD, "approved").status == 422
        assert refused(desk, task, {}, "submitted").code == "answers_refused"
        desk.decide(task, ada, "submitted", answers=GOOD)
        output = desk.output_of(task)
        assert (output["outcome"], output["answers"], output["by"]) == (
            "submitted",
            GOOD,
            ada.email,
        )
        assert desk.run_of(task).status == "completed"
        assert "Submitted by" in text_of(page(desk, task, ada))

    def test_silence_is_never_taken_for_it(self, desk):
        [task] = self.start(desk, desk.someone("ada").email)
        move_clock(days=3)
        commands.close_overdue(now=clock.now())
        assert fresh(task).status == "timed_out"
        assert desk.output_of(task)["outcome"] == "timeout"
        assert desk.output_of(task)["answers"] == {}
        assert desk.run_of(task).status == "failed"

    def test_where_nobody_is_known_a_group_stands_in_and_without_one_it_fails(self, desk):
        ada = desk.someone("ada")
        [task] = self.start(desk, fallback=["approver"])
        assert [one.user for one in task.assignees.all() if one.is_fallback] == [ada]
        assert self.start(desk) == []
        failed = Run.objects.latest("id")
        assert (failed.status, failed.error["code"]) == ("failed", "no_assignee")

    def test_a_ladder_reminds_and_asks_others(self, desk):
        rung = {"when": {"after": "P1D"}, "what": {"add": {"users": ["bob@acme.test"]}}}
        desk.someone("bob")
        [task] = self.start(desk, desk.someone("ada").email, escalation=[rung])
        assert task.moments.filter(kind="rung").get().at == task.opened_at + timedelta(days=1)
