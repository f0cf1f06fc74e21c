"""Links in mails: they show on GET, decide on POST alone, once, for one person and one task."""

import json
import logging
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client

from apps.audit.models import AuditCounter, AuditEvent
from apps.core import clock
from apps.core.models import Outbox
from apps.inbox import asking, handing
from apps.inbox.models import Decision, UserTask
from apps.notices import links
from apps.notices.models import DecisionLink, Delivery
from apps.runs.models import RunCommand
from config.logs import JsonFormatter, LineFormatter
from tests.inbox.support import fresh, move_clock
from tests.notices.support import Visitor, ask, link_in, link_to, mails_to, relay
from tests.support import people

pytestmark = pytest.mark.django_db


@pytest.fixture
def visitor():
    return Visitor()


def text_of(answer):
    return answer.content.decode()


class TestALinkDecides:
    def test_shows_the_matter_and_decides_by_its_form(self, desk, visitor):
        task = ask(desk, "ada")
        path = link_to(desk, "ada")
        shown = visitor.client.get(path)
        assert shown.status_code == 200
        assert "Approve the order" in text_of(shown)
        assert "120" in text_of(shown)
        answer = visitor.decide(path)
        assert answer.status_code == 200
        assert "Approved by Ada" in text_of(answer)
        assert fresh(task).outcome == "approved"
        [decision] = Decision.objects.all()
        assert (decision.user, decision.seen) == (desk.someone("ada"), task.seen)
        [row] = desk.trail("link.use")
        assert row.event.actor_id == str(desk.someone("ada").pk)
        [decided] = desk.trail("task.decide")
        assert decided.event.actor_kind == "person"

    def test_asks_once_about_a_rejection_without_a_word(self, desk, visitor):
        task = ask(desk, "ada")
        path = link_to(desk, "ada")
        asked = visitor.decide(path, "rejected", comment="")
        assert "Reject without a reason?" in text_of(asked)
        assert fresh(task).status == "open"
        form = {**visitor.form(path), "outcome": "rejected", "ask": ""}
        assert "Rejected by Ada" in text_of(visitor.send(form))

    def test_what_is_decided_and_held_is_shown_and_cannot_be_decided_again(self, desk, visitor):
        task = ask(desk, "ada", "bob", undo_for="PT1H")
        path, other = link_to(desk, "ada"), link_to(desk, "bob")
        form = visitor.form(other)
        assert "Decided: approved. It passes on at" in text_of(visitor.decide(path))
        assert "Take my answer back" not in text_of(visitor.client.get(path))
        shown = text_of(visitor.client.get(other))
        assert "nobody else can answer" in shown
        assert 'name="outcome"' not in shown
        refused = visitor.send({**form, "outcome": "rejected", "comment": "no"})
        assert refused.status_code == 409
        assert "This is decided and passes on at" in text_of(refused)
        assert fresh(task).pending == "approved"

    def test_leads_a_signed_in_person_to_the_page_behind_it(self, desk):
        task = ask(desk, "ada")
        answer = people.browser(desk.someone("ada")).get(link_to(desk, "ada"))
        assert (answer.status_code, answer["Location"]) == (302, f"/inbox/{task.pk}/")

    def test_speaks_the_language_of_its_person(self, desk, visitor):
        ada = desk.someone("ada")
        ada.language = "de"
        ada.save()
        ask(desk, "ada")
        path = link_to(desk, "ada")
        assert 'lang="de"' in text_of(visitor.client.get(path))
        assert "Anmelden" in text_of(visitor.client.get(path))
        assert mail.outbox[-1].subject.startswith("Zu entscheiden: ")


@pytest.mark.parametrize("risk", ["high", ""])
def test_where_the_risk_is_high_or_not_said_the_mail_leads_to_the_sign_in(desk, risk):
    task = ask(desk, "ada", risk=risk)
    relay()
    [sent] = mails_to(desk.someone("ada"))
    assert link_in(sent) == ""
    assert f"/inbox/{task.pk}/" in sent.body
    assert not DecisionLink.objects.exists()
    assert Client().get(f"/inbox/{task.pk}/")["Location"].startswith("/sign-in/")


def test_a_link_to_what_may_not_be_decided_by_one_leads_to_the_sign_in(desk, visitor, monkeypatch):
    task = ask(desk, "ada")
    path = link_to(desk, "ada")
    form = visitor.form(path)
    monkeypatch.setattr("apps.inbox.link_views.BY_LINK", frozenset())
    assert visitor.client.get(path)["Location"] == f"/inbox/{task.pk}/"
    assert visitor.send({**form, "outcome": "approved"}).status_code == 403
    assert fresh(task).status == "open"


def everything():
    """What may not change by looking."""
    tables = (UserTask, Decision, DecisionLink, Delivery, AuditEvent, AuditCounter, Outbox)
    return [sorted(map(str, model.objects.values_list())) for model in (*tables, RunCommand)]


def test_a_storm_of_get_head_and_prefetch_changes_nothing(desk):
    task = ask(desk, "ada", "bob", rule={"n": 2})
    path = link_to(desk, "ada")
    before = everything()
    scanner = Client()
    kinds: list[dict[str, Any]] = [
        {},
        {"headers": {"Sec-Purpose": "prefetch;prerender"}},
        {"headers": {"Purpose": "prefetch", "X-Moz": "prefetch"}},
        {"headers": {"User-Agent": "Slackbot-LinkExpanding 1.0"}},
        {"query_params": {"outcome": "approved", "seen": task.seen, "task": str(task.pk)}},
    ]
    for _ in range(8):
        for more in kinds:
            assert scanner.get(path, **more).status_code == 200
            assert scanner.head(path, **more).status_code == 200
    assert scanner.options(path).status_code == 405
    assert scanner.post(path, {"outcome": "approved"}).status_code == 405
    assert scanner.get("/decide/", {"outcome": "approved", "link": path}).status_code == 405
    assert everything() == before
    assert "Approved" in text_of(Visitor().decide(path)) or fresh(task).status == "open"
    assert Decision.objects.count() == 1


class TestIsRefused:
    """Nothing is decided, and nothing but a sentence is shown to whom it does not concern."""

    def refused(self, desk, task, answer, *statuses):
        assert answer.status_code in statuses, answer.status_code
        assert fresh(task).status == "open"
        assert not Decision.objects.filter(task=task).exists()

    def test_where_it_was_changed_on_its_way(self, desk, visitor):
        task = ask(desk, "ada")
        path = link_to(desk, "ada")
        form = visitor.form(path)
        for turned in (form["link"][:-1] + "_", "A" + form["link"][1:], "x", "", "." * 300):
            answer = visitor.client.get(f"/decide/{turned or 'nothing'}/")
            assert answer.status_code == 404
            assert "120" not in text_of(answer)
            sent = visitor.send({**form, "link": turned or "nothing", "outcome": "approved"})
            self.refused(desk, task, sent, 404)

    def test_with_a_value_that_is_well_signed_but_was_never_given_out(self, desk, visitor):
        from django.core.signing import Signer

        task = ask(desk, "ada")
        form = visitor.form(link_to(desk, "ada"))
        made_up = Signer(salt="notices.decision_link", sep=".").sign("made-up")
        answer = visitor.send({**form, "link": made_up, "outcome": "approved"})
        self.refused(desk, task, answer, 404)

    def test_for_another_task(self, desk, visitor):
        first, other = ask(desk, "ada"), ask(desk, "ada", title="Another order")
        relay()
        paths = [link_in(one) for one in mails_to(desk.someone("ada"))]
        forms = [visitor.form(path) for path in paths]
        own = {one["task"]: one for one in forms}
        mixed = {**own[str(first.pk)], "task": str(other.pk), "seen": other.seen}
        answer = visitor.send({**mixed, "outcome": "approved"})
        self.refused(desk, other, answer, 404)
        self.refused(desk, first, answer, 404)
        # What the page showed belongs to the task, too.
        stale = {**own[str(first.pk)], "seen": other.seen, "outcome": "approved"}
        self.refused(desk, first, visitor.send(stale), 409)
        without = {**own[str(first.pk)], "seen": "", "outcome": "approved"}
        self.refused(desk, first, visitor.send(without), 409)

    def test_where_somebody_else_is_signed_in(self, desk):
        task = ask(desk, "ada", "bob", rule={"n": 2})
        path = link_to(desk, "ada")
        form = Visitor().form(path)
        other = Visitor(people.browser(desk.someone("bob")))
        shown = other.client.get(path)
        assert shown.status_code == 403
        assert "120" not in text_of(shown)
        other.client.cookies["csrftoken"] = "a" * 32
        sent = {**form, "outcome": "approved", "csrfmiddlewaretoken": "a" * 32}
        self.refused(desk, task, other.send(sent), 403)

    def test_after_its_time(self, desk, visitor):
        task = ask(desk, "ada", due="P30D")
        path = link_to(desk, "ada")
        form = visitor.form(path)
        move_clock(days=7, seconds=5)
        shown = visitor.client.get(path)
        assert shown.status_code == 410
        assert "120" not in text_of(shown)
        self.refused(desk, task, visitor.send({**form, "outcome": "approved"}), 410)

    def test_after_the_tasks_own_time(self, desk, visitor):
        task = ask(desk, "ada", due="PT1H")
        path = link_to(desk, "ada")
        form = visitor.form(path)
        move_clock(hours=1, seconds=5)
        self.refused(desk, task, visitor.send({**form, "outcome": "approved"}), 410)
        assert visitor.client.get(path).status_code == 410

    def test_the_second_time_and_says_who_decided_what(self, desk, visitor):
        task = ask(desk, "ada")
        path = link_to(desk, "ada")
        form = visitor.form(path)
        visitor.decide(path)
        shown = visitor.client.get(path)
        assert shown.status_code == 200
        assert "Approved by Ada" in text_of(shown)
        again = visitor.send({**form, "outcome": "rejected", "comment": "no"})
        assert again.status_code == 410
        assert "This link has been used" in text_of(again)
        assert fresh(task).outcome == "approved"
        assert Decision.objects.count() == 1

    def test_a_second_link_of_the_same_person_after_they_have_answered(self, desk, visitor):
        task = ask(desk, "ada", "bob", rule={"n": 2})
        path = link_to(desk, "ada")
        other = links.make_link(
            workspace_id=task.workspace_id,
            task_id=task.pk,
            user=desk.someone("ada"),
            until=None,
            now=clock.now(),
        )
        form = visitor.form(path)
        visitor.send({**form, "outcome": "approved"})
        answer = visitor.send({**form, "link": other, "outcome": "rejected", "comment": "no"})
        assert answer.status_code == 409
        assert Decision.objects.count() == 1

    def test_after_it_was_handed_to_somebody_else(self, desk, visitor):
        task = ask(desk, "ada")
        path = link_to(desk, "ada")
        form = visitor.form(path)
        handing.hand_over_task(
            actor=desk.actor(desk.someone("ada")),
            task_id=task.pk,
            to=desk.someone("bob").email,
            reason="I am away",
            now=clock.now(),
        )
        answer = visitor.send({**form, "outcome": "approved"})
        self.refused(desk, task, answer, 403, 404)
        assert "bob@" not in text_of(answer)
        # Bob has a link of his own, which works.
        visitor.decide(link_to(desk, "bob"))
        assert Decision.objects.get().user == desk.someone("bob")

    def test_after_its_person_has_left(self, desk, visitor):
        task = ask(desk, "ada", "bob")
        path = link_to(desk, "ada")
        form = visitor.form(path)
        desk.deactivate(desk.someone("ada"))
        shown = visitor.client.get(path)
        assert shown.status_code == 403
        assert "120" not in text_of(shown)
        self.refused(desk, task, visitor.send({**form, "outcome": "approved"}), 403)

    def test_after_somebody_else_has_decided(self, desk, visitor):
        task = ask(desk, "ada", "bob")
        path = link_to(desk, "ada")
        form = visitor.form(path)
        desk.decide(task, desk.someone("bob"), "rejected")
        assert "Rejected by Bob" in text_of(visitor.client.get(path))
        answer = visitor.send({**form, "outcome": "approved"})
        assert answer.status_code == 409
        assert fresh(task).outcome == "rejected"

    def test_where_a_question_was_answered_since_it_was_opened(self, desk, visitor):
        desk.someone("rita")
        task = ask(desk, "ada", requester='"rita@acme.test"')
        path = link_to(desk, "ada")
        form = visitor.form(path)
        now = clock.now()
        question = asking.ask_question(
            actor=desk.actor(desk.someone("ada")), task_id=task.pk, text="Why?", of="", now=now
        )
        asking.answer_question(
            actor=desk.actor(desk.someone("rita")), question_id=question.pk, text="So.", now=now
        )
        self.refused(desk, task, visitor.send({**form, "outcome": "approved"}), 409)
        form.pop("heard")
        self.refused(desk, task, visitor.send({**form, "outcome": "approved"}), 409)
        assert "Why?" in text_of(visitor.client.get(path))
        assert "/ask/" not in text_of(visitor.client.get(path))
        assert visitor.decide(path).status_code == 200
        assert fresh(task).outcome == "approved"

    def test_without_the_proof_that_the_form_is_ours(self, desk, visitor):
        task = ask(desk, "ada")
        form = visitor.form(link_to(desk, "ada"))
        form.pop("csrfmiddlewaretoken")
        self.refused(desk, task, visitor.send({**form, "outcome": "approved"}), 403)

    def test_with_an_answer_that_there_is_not(self, desk, visitor):
        task = ask(desk, "ada")
        self.refused(desk, task, visitor.decide(link_to(desk, "ada"), "maybe"), 422)

    def test_for_the_requester_as_at_every_other_door(self, desk, visitor):
        task = ask(desk, "ada", "bob", requester='"ada@acme.test"')
        relay()
        assert mails_to(desk.someone("ada")) == []
        value = links.make_link(
            workspace_id=task.workspace_id,
            task_id=task.pk,
            user=desk.someone("ada"),
            until=None,
            now=clock.now(),
        )
        csrf = visitor.form(link_to(desk, "bob"))["csrfmiddlewaretoken"]
        sent = {"link": value, "task": str(task.pk), "seen": task.seen, "outcome": "approved"}
        answer = visitor.send({**sent, "csrfmiddlewaretoken": csrf})
        self.refused(desk, task, answer, 403, 404)

    def test_a_refused_try_does_not_use_it_up(self, desk, visitor):
        ask(desk, "ada")
        path = link_to(desk, "ada")
        visitor.decide(path, "maybe")
        assert DecisionLink.objects.get().used_at is None
        assert "Approved by Ada" in text_of(visitor.decide(path))


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_decides(desk):
    task = ask(desk, "ada", "bob", rule={"n": 2})
    path = link_to(desk, "ada")
    visitors = [Visitor() for _ in range(6)]
    forms = [one.form(path) for one in visitors]
    found = []

    def send(number):
        answer = "approved" if number % 2 else "rejected"
        try:
            answered = visitors[number].send({**forms[number], "outcome": answer, "comment": "x"})
            found.append(answered.status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(found) == [200, 410, 410, 410, 410, 410]
    assert Decision.objects.filter(task=task).count() == 1
    assert DecisionLink.objects.exclude(used_at=None).count() == 1


class TestItsValue:
    def test_is_kept_nowhere_but_in_the_mail(self, desk, visitor, caplog):
        caplog.set_level(logging.DEBUG)
        task = ask(desk, "ada", "bob", rule={"n": 2})
        path = link_to(desk, "ada")
        value = path.split("/")[2]
        random = value.partition(".")[0]
        visitor.decide(path)
        visitor.client.get(path)
        visitor.client.get(f"/decide/{value[:-1]}_/")
        with connection.cursor() as cursor:
            cursor.execute(
                "select table_name from information_schema.tables"
                " where table_schema = 'public' and table_type = 'BASE TABLE'"
            )
            for (table,) in cursor.fetchall():
                cursor.execute(
                    f'select count(*) from "{table}" t where t::text like %s', [f"%{random}%"]
                )
                assert cursor.fetchone()[0] == 0, table
        assert random not in caplog.text
        assert DecisionLink.objects.filter(task_id=task.pk, token_hash__regex="^[0-9a-f]{64}$")

    @pytest.mark.parametrize("formatter", [LineFormatter, JsonFormatter])
    def test_is_masked_where_a_fault_of_ours_would_log_the_address(
        self, desk, monkeypatch, formatter
    ):
        ask(desk, "ada")
        path = link_to(desk, "ada")
        lines = []

        class Kept(logging.Handler):
            def emit(self, record):
                lines.append(formatter().format(record))

        def broken(*_, **__):
            raise RuntimeError(f"no such page {path}")

        monkeypatch.setattr("apps.inbox.views.task_shown", broken)
        kept = Kept()
        logging.getLogger("django.request").addHandler(kept)
        try:
            answer = Client(raise_request_exception=False).get(path)
        finally:
            logging.getLogger("django.request").removeHandler(kept)
        assert answer.status_code == 500
        [line] = lines
        assert "/decide/…" in line
        assert path.split("/")[2].partition(".")[0] not in line
        assert path.split("/")[2].partition(".")[2] not in line

    def test_goes_into_no_referrer_and_no_cache(self, desk, visitor):
        ask(desk, "ada")
        path = link_to(desk, "ada")
        form = visitor.form(path)
        answers = [
            visitor.client.get(path),
            visitor.client.get("/decide/nothing/"),
            visitor.send({**form, "outcome": "maybe"}),
            visitor.send({**form, "outcome": "approved"}),
            visitor.send({**form, "outcome": "approved"}),
        ]
        for answer in answers:
            assert answer["Referrer-Policy"] == "no-referrer"
            assert "no-store" in answer["Cache-Control"]
        # No page after the decision names it, and no link leaves with it.
        assert form["link"] not in text_of(answers[3])
        assert f'href="{path}' not in text_of(answers[0])

    def test_is_another_one_in_every_mail(self, desk):
        ask(desk, "ada", "bob", rule={"n": 2})
        relay()
        found = {link_in(one) for one in mail.outbox}
        assert len(found) == 2
        assert all(len(one) > 60 for one in found)

    def test_is_forgotten_a_while_after_its_end(self, desk):
        ask(desk, "ada")
        relay()
        end = DecisionLink.objects.get().expires_at
        assert links.forget_links(now=end + timedelta(days=6)) == 0
        assert links.forget_links(now=end + timedelta(days=8)) == 1


def test_trail_and_exports_know_the_link_by_its_id_alone(desk, visitor):
    ask(desk, "ada")
    path = link_to(desk, "ada")
    visitor.decide(path)
    [row] = desk.trail("link.use")
    told = json.dumps(row.values, default=str)
    assert str(DecisionLink.objects.get().pk) in told
    assert path.split("/")[2] not in told
