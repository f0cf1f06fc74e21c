"""Asking for something: who may, drafts, sending once, what becomes of it, taking it back."""

from base64 import b64encode
from datetime import timedelta
from decimal import Decimal
from importlib import import_module
from secrets import token_bytes

import pytest
from django.apps import apps
from django.db import connection

from apps.accounts import commands as accounts
from apps.audit.models import AuditEvent
from apps.connections import commands as connection_commands
from apps.core import clock
from apps.flows import commands as flows
from apps.inbox.models import UserTask
from apps.requests import commands, drafts
from apps.requests.models import Request, RequestDraft
from apps.runs.drive import drive_all
from apps.runs.models import Run
from tests.requests.support import FORM, Counter, Visitor, asking
from tests.support import people

pytestmark = pytest.mark.django_db(transaction=True)

SMALL = {"what": "A chair", "price": 40}


@pytest.fixture
def counter(transactional_db):
    return Counter()


@pytest.fixture
def ada(counter):
    return Visitor(counter, counter.ada)


@pytest.fixture
def boss(counter):
    return Visitor(counter, counter.boss)


class TestWhoMayAsk:
    def test_every_member_is_offered_what_is_open_to_members(self, ada):
        assert ada.forms() == ["Buy something"]
        assert ada.form().json()["form"]["required"] == ["what", "price"]

    def test_what_is_for_those_who_may_start_it_is_offered_to_them_alone(self, transactional_db):
        counter = Counter(open_to="runners")
        ada = Visitor(counter, counter.ada)
        assert ada.forms() == []
        assert ada.form().status_code == 404
        assert ada.send(SMALL, form_hash="x").status_code == 404
        counter.grant(counter.ada, "run")
        assert ada.forms() == ["Buy something"]
        assert ada.send(SMALL).status_code == 201

    def test_who_only_reads_asks_for_nothing(self, counter):
        auditor = Visitor(counter, counter.someone("rita", "auditor"))
        assert auditor.client.get("/api/v1/request-forms/").status_code == 403
        assert auditor.send(SMALL, form_hash="x").status_code == 403

    def test_a_token_asks_only_where_it_was_made_for_that(self, counter):
        headers = people.bearer(counter.ada, scopes=["task.view"])
        refused = people.browser(counter.ada).get("/api/v1/request-forms/", headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "out_of_scope")

    def test_another_workspace_has_no_such_form(self, counter, ada):
        other = people.make_workspace("other")
        stranger = Visitor(counter, people.person(other, *people.ROLES, email="x@other.test"))
        assert stranger.forms() == []
        assert stranger.form().status_code == 404
        assert stranger.save(SMALL, "x").status_code == 404
        assert stranger.send(SMALL, form_hash="x").status_code == 404
        sent = ada.send(SMALL).json()["id"]
        assert stranger.one(sent).status_code == 404
        assert stranger.withdraw(sent).status_code == 404


class TestDrafts:
    def test_are_kept_as_they_are_and_seen_by_nobody_else(self, ada, boss):
        saved = ada.save({"what": "A ch", "price": -3})
        assert saved.status_code == 200, saved.content
        assert ada.form().json()["draft"]["answers"] == {"what": "A ch", "price": -3}
        assert boss.form().json()["draft"] is None

    def test_the_last_save_counts_and_there_is_one(self, ada):
        ada.save({"what": "a"})
        ada.save({"what": "b"})
        assert drafts.opened(RequestDraft.objects.get()) == {"what": "b"}

    def test_are_sealed_where_they_lie_and_by_the_key_of_now(self, ada, settings):
        ada.save({"what": "planted-7f3a", "price": "1.50"})
        with connection.cursor() as cursor:
            cursor.execute("select requests_requestdraft::text from requests_requestdraft")
            assert "planted" not in cursor.fetchone()[0]
        old = settings.ENCRYPTION_KEYS
        settings.ENCRYPTION_KEYS = [b64encode(token_bytes(32)).decode(), *old]
        [done] = [
            one
            for one in connection_commands.rotate_keys(now=clock.now())
            if one.column == "requests.RequestDraft.sealed"
        ]
        assert (done.resealed, done.lost) == (1, 0)
        settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEYS[:1]
        assert ada.form().json()["draft"]["answers"] == {"what": "planted-7f3a", "price": "1.50"}
        # Without its key it is as if nothing had been filled in.
        settings.ENCRYPTION_KEYS = old
        assert ada.form().json()["draft"] is None
        assert ada.save({"what": "new"}).status_code == 200
        assert ada.form().json()["draft"]["answers"] == {"what": "new"}

    def test_what_the_release_before_kept_in_the_clear_is_read_and_sealed(self, ada):
        ada.save({"what": "a"})
        RequestDraft.objects.update(answers={"what": "by the release before"})
        assert ada.form().json()["draft"]["answers"]["what"] == "by the release before"
        assert (commands.seal_drafts(), commands.seal_drafts()) == (1, 0)
        draft = RequestDraft.objects.get()
        assert draft.answers == {}
        assert drafts.opened(draft) == {"what": "by the release before"}

    def test_the_migration_seals_what_is_there_and_back(self, ada):
        migration = import_module("apps.requests.migrations.0003_sealed_drafts")
        ada.save({"what": "a"})
        RequestDraft.objects.update(answers={"what": "kept", "price": Decimal("1.50")}, sealed=None)
        migration.seal(apps, None)
        draft = RequestDraft.objects.get()
        assert (draft.answers, bool(draft.sealed)) == ({}, True)
        assert drafts.opened(draft) == {"what": "kept", "price": Decimal("1.50")}
        migration.unseal(apps, None)
        assert RequestDraft.objects.get().answers["what"] == "kept"

    def test_goes_with_what_is_sent(self, ada):
        ada.save(SMALL)
        ada.send(SMALL)
        assert not RequestDraft.objects.exists()

    def test_can_be_thrown_away(self, ada):
        ada.save(SMALL)
        path = f"/api/v1/request-forms/{ada.flow.pk}/draft/"
        assert people.send(ada.client, "DELETE", path).status_code == 204
        assert ada.form().json()["draft"] is None

    @pytest.mark.parametrize("answers", [[], "text", {"what": "x" * 600_000}])
    def test_what_is_no_set_of_answers_is_refused(self, ada, answers):
        assert ada.save(answers).status_code == 422

    def test_that_nobody_touches_are_forgotten(self, ada):
        ada.save(SMALL)
        assert commands.forget_drafts(now=clock.now()) == 0
        assert commands.forget_drafts(now=clock.now() + timedelta(days=31)) == 1


class TestSending:
    def test_starts_a_run_whose_requester_is_the_person(self, ada):
        sent = ada.send(SMALL)
        assert sent.status_code == 201, sent.content
        request = Request.objects.get()
        run = Run.objects.get(pk=request.run_id)
        assert (run.trigger_type, run.started_by) == ("form", "ada@acme.test")
        task = UserTask.objects.get(run_id=run.pk)
        assert task.requester == ada.user
        assert task.facts == [{"label": "From", "value": "ada@acme.test"}]
        assert (request.version_id, request.version_hash) == (
            run.version_id,
            ada.flow.active_version.hash,
        )

    def test_who_asks_is_not_asked(self, ada, boss):
        ada.send(SMALL)
        assert ada.client.get("/api/v1/tasks/").json()["results"] == []
        task = UserTask.objects.get()
        path = f"/api/v1/tasks/{task.pk}/decide/"
        refused = people.send(ada.client, "POST", path, {"outcome": "approved"})
        assert refused.status_code == 403
        assert len(boss.client.get("/api/v1/tasks/").json()["results"]) == 1

    def test_twice_under_a_key_is_one_request(self, ada):
        first = ada.send(SMALL, key="k1")
        again = ada.send(SMALL, key="k1")
        assert first.json()["id"] == again.json()["id"]
        assert Request.objects.count() == Run.objects.count() == 1

    def test_a_key_holds_even_where_the_answer_was_not_kept(self, counter, ada):
        form_hash = ada.form().json()["form_hash"]
        made = [
            commands.send_request(
                actor=people.actor(ada.user),
                flow_id=ada.flow.pk,
                form_hash=form_hash,
                answers=SMALL,
                key="k1",
                now=clock.now(),
            ).pk
            for _ in range(2)
        ]
        assert made[0] == made[1]
        assert Run.objects.count() == 1

    def test_a_draft_is_sent_once_from_however_many_windows(self, ada):
        draft = ada.save(SMALL).json()["id"]
        assert ada.send(SMALL, draft=draft, key="one").status_code == 201
        again = ada.send(SMALL, draft=draft, key="two")
        assert (again.status_code, again.json()["code"]) == (409, "sent_already")
        assert Run.objects.count() == 1

    @pytest.mark.parametrize(
        ("answers", "path"),
        [
            ({"price": 40}, "what"),
            ({"what": "  ", "price": 40}, "what"),
            ({"what": "x" * 61, "price": 40}, "what"),
            ({"what": "A chair", "price": "40"}, "price"),
            ({"what": "A chair", "price": 1001, "why": "x"}, "price"),
            ({"what": "A chair", "price": 100}, "why"),
            ({"what": "A chair", "price": 40, "why": "Old"}, "why"),
            ({"what": "A chair", "price": 40, "more": 1}, "more"),
        ],
        ids=["lacks", "blank", "long", "kind", "large", "condition", "not-asked", "unknown"],
    )
    def test_what_does_not_fit_is_refused_at_its_place(self, ada, answers, path):
        refused = ada.send(answers)
        assert (refused.status_code, refused.json()["code"]) == (422, "answers_refused")
        assert [one["path"] for one in refused.json()["errors"]] == [path]
        assert not Run.objects.exists()

    def test_what_is_asked_under_a_condition_is_taken_with_it(self, ada):
        assert ada.send({"what": "A desk", "price": 100, "why": "Old"}).status_code == 201

    def test_a_form_that_was_changed_meanwhile_says_what_to_do(self, counter, ada):
        old = ada.form().json()["form_hash"]
        ada.save(SMALL)
        changed = {**FORM, "properties": {**FORM["properties"], "when": {"type": "string"}}}
        counter.publish(asking(changed), counter.flow)
        refused = ada.send(SMALL, form_hash=old)
        assert (refused.status_code, refused.json()["code"]) == (409, "form_changed")
        assert "Open it again" in refused.json()["detail"]
        assert ada.save(SMALL, old).json()["code"] == "form_changed"
        now = ada.form().json()
        assert now["draft"]["is_stale"] is True
        assert now["draft"]["answers"] == SMALL
        assert ada.send(SMALL).status_code == 201

    def test_another_step_does_not_make_the_form_another(self, counter, ada):
        old = ada.form().json()["form_hash"]
        doc = asking()
        doc["steps"]["ask"]["config"]["title"] = "Buy it?"
        counter.publish(doc, counter.flow)
        assert ada.send(SMALL, form_hash=old).status_code == 201

    def test_a_flow_that_is_gone_takes_nothing(self, counter, ada):
        form_hash = ada.form().json()["form_hash"]
        admin = people.actor(people.person(counter.workspace, "admin"))
        flows.archive_flow(actor=admin, flow_id=counter.flow.pk, now=clock.now())
        assert ada.forms() == []
        assert ada.send(SMALL, form_hash=form_hash).status_code == 404
        assert ada.save(SMALL, form_hash).status_code == 404

    def test_a_flow_that_is_paused_holds_it_until_it_goes_on(self, counter, ada):
        admin = people.actor(people.person(counter.workspace, "admin"))
        flows.pause_flow(actor=admin, flow_id=counter.flow.pk, now=clock.now())
        assert ada.form().json()["is_paused"] is True
        sent = ada.send(SMALL).json()
        assert sent["progress"]["state"] == "on_hold"
        assert {one["name"]: one["value"] for one in sent["answers"]} == SMALL
        flows.resume_flow(actor=admin, flow_id=counter.flow.pk, now=clock.now())
        drive_all()
        assert ada.mine()[0]["progress"]["state"] == "waiting"

    def test_is_in_the_trail(self, ada):
        ada.send(SMALL)
        row = AuditEvent.objects.get(verb="request.send")
        assert (row.actor_id, row.flow_id) == (str(ada.user.pk), ada.flow.pk)

    def test_people_who_are_named_are_members(self, counter, transactional_db):
        form = {
            "type": "object",
            "properties": {
                "what": {"type": "string"},
                "for": {"type": "string", "x-widget": "person"},
            },
        }
        counter.publish(asking(form), counter.flow)
        ada = Visitor(counter, counter.ada)
        refused = ada.send({"what": "x", "for": "stranger@other.test"})
        assert refused.json()["errors"] == [
            {"path": "for", "message": "It must be a member of this workspace."}
        ]
        assert ada.send({"what": "x", "for": "boss@acme.test"}).status_code == 201

    def test_started_by_hand_it_is_judged_alike(self, counter):
        builder = people.browser(counter.someone("bob", "builder"))
        path = f"/api/v1/flows/{counter.flow.pk}/runs/"
        refused = people.send(builder, "POST", path, {"input": {"what": "x", "price": 100}})
        assert refused.json()["errors"][0]["path"] == "why"
        assert people.send(builder, "POST", path, {"input": SMALL}).status_code == 201
        drive_all()
        assert getattr(UserTask.objects.get().requester, "email", "") == "bob@acme.test"


class TestWhatBecomesOfIt:
    def test_says_who_has_it_since_when_and_until_when(self, ada):
        sent = ada.send(SMALL).json()
        [mine] = ada.mine()
        task = UserTask.objects.get()
        assert mine["id"] == sent["id"]
        assert mine["progress"]["state"] == "waiting"
        assert len(mine["progress"]["who"]) == 1
        assert mine["progress"]["who"][0] in mine["progress"]["said"]
        assert mine["progress"]["since"][:19] == task.opened_at.isoformat()[:19]
        assert task.due_at is not None
        assert mine["progress"]["until"][:19] == task.due_at.isoformat()[:19]
        assert mine["progress"]["may_withdraw"] is True

    def test_says_how_it_ended_and_what_was_said(self, ada, boss):
        sent = ada.send(SMALL).json()["id"]
        boss.decide("rejected", "Too dear")
        shown = ada.one(sent).json()
        assert shown["progress"]["state"] == "done"
        [said] = shown["answered"]
        assert (said["word"], said["by"], said["comments"]) == ("Rejected", ["Boss"], ["Too dear"])

    def test_a_question_is_answered_there(self, ada, boss):
        sent = ada.send(SMALL).json()["id"]
        task = UserTask.objects.get()
        path = f"/api/v1/tasks/{task.pk}/questions/"
        asked = people.send(boss.client, "POST", path, {"text": "Which colour?", "of": ""})
        assert asked.status_code == 201, asked.content
        shown = ada.one(sent).json()
        assert shown["progress"]["who"] == ["You"]
        assert shown["progress"]["said"].startswith("Boss asks you something")
        [question] = shown["questions"]
        assert (question["by"], question["text"]) == ("Boss", "Which colour?")
        answer = f"/api/v1/questions/{question['id']}/answer/"
        assert people.send(ada.client, "POST", answer, {"text": "Red"}).status_code == 200
        after = ada.one(sent).json()
        assert after["questions"] == []
        assert after["progress"]["who"] != ["You"]

    def test_is_read_by_who_asked_alone(self, ada, boss):
        sent = ada.send(SMALL).json()["id"]
        assert boss.one(sent).status_code == 404
        assert boss.mine() == []
        assert boss.withdraw(sent).status_code == 404

    def test_speaks_german_to_who_reads_german(self, ada):
        sent = ada.send(SMALL).json()["id"]
        shown = ada.client.get(f"/api/v1/requests/{sent}/", headers={"Accept-Language": "de"})
        assert shown.json()["progress"]["said"].startswith("Wartet auf eine Antwort")

    def test_has_no_word_of_the_engine(self, ada, boss):
        sent = ada.send(SMALL).json()["id"]
        said = [ada.one(sent).json()["progress"]["said"]]
        boss.decide("approved")
        said.append(ada.one(sent).json()["progress"]["said"])
        words = {"token", "payload", "json", "node", "execution", "instance", "worker", "queue"}
        assert not [one for one in said for word in words if word in one.lower()]


class TestTakingBack:
    def test_ends_the_run_and_closes_what_waits(self, ada, boss):
        sent = ada.send(SMALL).json()["id"]
        taken = ada.withdraw(sent)
        assert taken.status_code == 200, taken.content
        assert Run.objects.get().status == "cancelled"
        assert UserTask.objects.get().status == "cancelled"
        assert boss.client.get("/api/v1/tasks/").json()["results"] == []
        shown = ada.one(sent).json()["progress"]
        assert (shown["state"], shown["may_withdraw"]) == ("withdrawn", False)
        row = AuditEvent.objects.get(verb="request.withdraw")
        assert row.actor_id == str(ada.user.pk)

    def test_twice_is_once(self, ada):
        sent = ada.send(SMALL).json()["id"]
        assert [ada.withdraw(sent).status_code for _ in range(2)] == [200, 200]
        assert AuditEvent.objects.filter(verb="request.withdraw").count() == 1

    def test_is_too_late_once_it_is_over(self, ada, boss):
        sent = ada.send(SMALL).json()["id"]
        boss.decide("approved")
        late = ada.withdraw(sent)
        assert (late.status_code, late.json()["code"]) == (409, "run_over")
        assert Run.objects.get().status == "completed"

    def test_a_member_who_was_removed_asks_no_more(self, counter, ada):
        sent = ada.send(SMALL).json()["id"]
        member = counter.ada.memberships.get()
        accounts.change_member(
            actor=people.actor(people.person(counter.workspace, "admin")),
            membership_id=member.pk,
            is_active=False,
            now=clock.now(),
        )
        assert ada.one(sent).status_code in {401, 403}
