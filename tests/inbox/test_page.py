"""The page on which people decide, without a script: what it shows, what it refuses, its words."""

import ast
import html
import re
from decimal import Decimal
from pathlib import Path

import pytest
from django.test import Client

from apps.audit.models import AuditCounter
from apps.core import clock
from apps.inbox import commands, queries, words
from apps.inbox.models import Decision
from tests.inbox.support import fresh, move_clock
from tests.support import people

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]
#: design.md, Words: never on inbox, request and mail pages.
NEVER = re.compile(
    r"\b(tokens?|payloads?|json|nodes?|step id|executions?|instances?|workers?|queues?|null|"
    r"schemas?|webhooks?|exceptions?|status code)\b",
    re.IGNORECASE,
)
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture
def ada(desk):
    return desk.someone("ada")


def page(desk, task, user, **more):
    return people.browser(user).get(f"/inbox/{task.pk}/", **more)


def text_of(answer):
    """What a person reads: no markup, one space between words."""
    body = re.sub(r"<(style|script)\b.*?</\1>", " ", answer.content.decode(), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())


def submit(task, user, **fields):
    """Send the form as the page made it; fields given replace its own."""
    browser = people.browser(user)
    path = f"/inbox/{task.pk}/"
    source = browser.get(path).content.decode()
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', source))
    sent = {**hidden, "outcome": "approved", "comment": "", **fields}
    return browser.post(path, {name: one for name, one in sent.items() if one is not None})


class TestShows:
    def test_everything_to_decide_by_at_a_glance(self, desk, ada):
        task = desk.ask_named(
            "ada",
            "bob",
            requester='"owner@acme.test"',
            details="Please look at **the price**.",
            body={"amount": Decimal("12500.50")},
            fields=[
                {"label": "Amount", "value": "= trigger.body.amount"},
                {"label": "Delivery", "value": "2026-12-24"},
                {"label": "Urgent", "value": True},
                {"label": "Note", "value": None},
            ],
            rule={"n": 2},
        )
        answer = page(desk, task, ada)
        text = text_of(answer)
        assert answer.status_code == 200
        for part in (
            "Approve the order",
            "Asked by Owner",
            "1 day 23 hours left until",
            "2 of 2 must approve.",
            "Ada, Bob",
            "Please look at the price .",
            "Amount 12,500.50",
            "Delivery 24 December 2026",
            "Urgent Yes",
            "Note \N{EN DASH}",
            "Approve Next: Place the order, once 2 have approved.",
            "Reject The request ends: Declined.",
            "Nobody answers in time The request ends: Too late.",
        ):
            assert part in text, part
        assert f'name="seen" value="{task.seen}"' in answer.content.decode()

    def test_times_are_the_readers_own_and_say_whose(self, desk, ada):
        ada.zone = "Asia/Tokyo"
        ada.save()
        value = "2026-11-20T23:30:00Z"
        task = desk.ask_named("ada", fields=[{"label": "Starts", "value": value}])
        assert "21 November 2026, 08:30 (Asia/Tokyo)" in text_of(page(desk, task, ada))

    def test_nested_facts_as_lines_and_lists_of_like_things_as_a_table(self, desk, ada):
        order = {
            "ship_to": {"city": "Oslo", "floors": [1, 2]},
            "lines": [{"item": "Chair", "count": 4}, {"item": "Desk", "count": 1200}],
        }
        task = desk.ask_named(
            "ada", body={"o": order}, fields=[{"label": "Order", "value": "= trigger.body.o"}]
        )
        source = page(desk, task, ada).content.decode()
        assert "<table" in source
        assert "1,200</td>" in source
        text = text_of(page(desk, task, ada))
        assert "Ship to City Oslo Floors 1, 2" in text
        assert "Item Count Chair 4 Desk 1,200" in text

    def test_why_me(self, desk, ada):
        task = desk.ask()
        assert "You are asked as one of “Approver”." in text_of(page(desk, task, ada))

    def test_that_too_few_can_answer(self, desk, ada):
        task = desk.ask_named("ada", rule={"n": 2})
        text = text_of(page(desk, task, ada))
        assert "only 1 person can be asked: this cannot be approved." in text
        assert "Approve The request ends: Declined." in text

    def test_an_unknown_requester_as_not_known(self, desk, ada):
        assert "Asked by Not known" in text_of(page(desk, desk.ask_named("ada"), ada))

    def test_how_it_ended_and_no_buttons(self, desk, ada):
        task = desk.ask_named("ada", "bob")
        desk.decide(task, desk.someone("bob"), "rejected", comment="no money")
        answer = page(desk, task, ada)
        assert "Rejected by Bob" in text_of(answer)
        assert "no money" in text_of(answer)
        assert b'name="outcome"' not in answer.content

    def test_a_viewer_of_the_flow_the_facts_but_no_buttons(self, desk, ada):
        task = desk.ask_named("ada")
        answer = page(desk, task, desk.someone("eye", "viewer"))
        assert answer.status_code == 200
        assert b'name="outcome"' not in answer.content

    def test_nothing_to_strangers(self, desk, ada):
        task = desk.ask_named("ada")
        stranger = people.person(people.make_workspace("other"), "admin", "approver")
        for user in (desk.someone("bob"), stranger):
            answer = page(desk, task, user)
            assert answer.status_code == 404
            assert "Approve the order" not in text_of(answer)
            assert "There is no such task, or it is not for you." in text_of(answer)
        answer = Client().get(f"/inbox/{task.pk}/")
        assert answer.status_code == 302
        assert answer["Location"] == f"/sign-in/?next=/inbox/{task.pk}/"

    def test_it_needs_no_script_and_is_small(self, desk, ada):
        facts = [{"label": f"Fact {n}", "value": "x" * 200} for n in range(50)]
        task = desk.ask_named("ada", details="word " * 1900, fields=facts)
        answer = page(desk, task, ada)
        assert b"<script" not in answer.content
        assert b" on" not in re.sub(rb">[^<]*<", b"><", answer.content).replace(b" one", b"")
        sheets = sum((ROOT / "static" / name).stat().st_size for name in ("pages.css", "inbox.css"))
        assert len(answer.content) + sheets < 60_000
        assert "no-cache" in answer["Cache-Control"]


class TestShowsAsText:
    def test_markup_and_line_breaks_wherever_they_come_from(self, desk, ada):
        bob = desk.someone("bob")
        bob.name = EVIL
        bob.save()
        body = {"amount": 1, "evil": EVIL + "\r\nBcc: x", "deep": {EVIL: [{EVIL: EVIL}]}}
        task = desk.ask_named(
            "ada",
            "bob",
            body=body,
            title="= trigger.body.evil",
            details="= trigger.body.evil",
            requester="trigger.body.evil",
            rule={"all": True},
            fields=[
                {"label": EVIL, "value": "= trigger.body.evil"},
                {"label": "deep", "value": "= trigger.body.deep"},
            ],
        )
        flow = desk.flow_of(task)
        flow.name = EVIL
        flow.save()
        desk.decide(task, bob, comment=EVIL + "\nsecond line")
        for path in (f"/inbox/{task.pk}/", "/inbox/list/"):
            source = people.browser(ada).get(path).content.decode()
            assert "<script" not in source
            assert "<img" not in source
            assert "alert(1)" in source
        assert "&lt;script&gt;" in people.browser(ada).get(f"/inbox/{task.pk}/").content.decode()

    def test_template_marks_in_data_are_data(self, desk, ada):
        task = desk.ask_named("ada", title="{{ request.user }} {% csrf_token %}")
        assert "{{ request.user }} {% csrf_token %}" in text_of(page(desk, task, ada))


class TestDecides:
    def test_by_the_form_and_then_shows_how_it_stands(self, desk, ada):
        task = desk.ask_named("ada")
        answer = submit(task, ada, comment="Good.\r\nGo on.")
        assert (answer.status_code, answer["Location"]) == (302, f"/inbox/{task.pk}/")
        assert Decision.objects.get().comment == "Good.\nGo on."
        assert "Approved by Ada" in text_of(page(desk, task, ada))
        assert desk.run_of(task).status == "completed"

    def test_a_rejection_without_a_word_is_asked_about_first(self, desk, ada):
        task = desk.ask_named("ada")
        browser = people.browser(ada)
        path = f"/inbox/{task.pk}/"
        asked = submit(task, ada, outcome="rejected", comment=" ")
        assert asked.status_code == 200
        assert "Reject without a reason? Nothing is decided yet." in text_of(asked)
        assert (fresh(task).status, Decision.objects.count()) == ("open", 0)
        # The form of that page does not ask again.
        hidden = dict(
            re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', asked.content.decode())
        )
        browser.get(path)
        sent = {**hidden, "csrfmiddlewaretoken": browser.cookies["csrftoken"].value}
        answer = browser.post(path, {**sent, "outcome": "rejected", "comment": ""})
        assert (answer.status_code, answer["Location"]) == (302, path)
        assert fresh(task).outcome == "rejected"

    def test_a_rejection_with_a_reason_is_one_step(self, desk, ada):
        task = desk.ask_named("ada")
        assert submit(task, ada, outcome="rejected", comment="too dear").status_code == 302
        assert fresh(task).outcome == "rejected"

    def test_and_says_that_others_are_still_asked(self, desk, ada):
        task = desk.ask_named("ada", "bob", rule={"all": True})
        submit(task, ada)
        text = text_of(page(desk, task, ada))
        assert "You have answered. The others have not all answered yet." in text


class TestRefuses:
    def check(self, answer, status, sentence):
        assert answer.status_code == status
        assert sentence in text_of(answer)
        assert answer["Content-Type"].startswith("text/html")

    def test_the_second_answer_and_shows_the_first(self, desk, ada):
        task = desk.ask_named("ada", "bob")
        browser = people.browser(ada)
        source = browser.get(f"/inbox/{task.pk}/").content.decode()
        csrf, *_ = re.findall(r'csrfmiddlewaretoken" value="(\w+)"', source)
        desk.decide(task, desk.someone("bob"), "rejected")
        sent = {
            "csrfmiddlewaretoken": csrf,
            "seen": task.seen,
            "outcome": "approved",
            "comment": "mine",
        }
        answer = browser.post(f"/inbox/{task.pk}/", sent)
        self.check(answer, 409, "This has been decided or has ended already; nothing was changed.")
        assert "Rejected by Bob" in text_of(answer)
        assert "Your comment, not sent mine" in text_of(answer)
        assert Decision.objects.count() == 1

    def test_a_late_answer(self, desk, ada):
        task = desk.ask_named("ada", due="PT1H")
        move_clock(hours=2)
        self.check(page(desk, task, ada), 200, "The time to decide this is over.")
        browser = people.browser(ada)
        browser.get("/inbox/list/")
        answer = self.forced(browser, task, {"outcome": "approved", "seen": task.seen})
        self.check(answer, 409, "The time to decide this is over; nothing was changed.")

    @pytest.mark.parametrize("seen", ["0" * 64, "", None])
    def test_a_page_that_shows_something_else_and_keeps_the_comment(self, desk, ada, seen):
        task = desk.ask_named("ada")
        answer = submit(task, ada, seen=seen, comment="<b>kept</b>")
        self.check(answer, 409, "What you were shown has changed since")
        assert "&lt;b&gt;kept&lt;/b&gt;</textarea>" in answer.content.decode()
        assert fresh(task).status == "open"

    def test_the_wrong_person_with_a_sentence_and_no_facts(self, desk, ada):
        task = desk.ask_named("ada")
        sent = {"outcome": "approved", "seen": task.seen}
        for user in (desk.someone("bob"), desk.someone("boss", "approver", "admin")):
            answer = self.forced(people.browser(user), task, sent)
            self.check(answer, 403, "This was not put to you; only those it was put to can answer.")
        assert "Amount" not in text_of(self.forced(people.browser(desk.someone("bob")), task, sent))
        assert AuditCounter.objects.filter(key__startswith="access.denied").exists()

    def test_the_requester(self, desk, ada):
        users = {"users": [ada.email, desk.someone("bob").email], "groups": []}
        task = desk.ask(assignees=users, started_by=ada.email)
        sent = {"outcome": "approved", "seen": task.seen}
        answer = self.forced(people.browser(ada), task, sent)
        self.check(answer, 403, "You asked for this yourself; somebody else has to decide.")

    def test_a_stranger(self, desk, ada):
        task = desk.ask_named("ada")
        stranger = people.person(people.make_workspace("other"), "approver")
        answer = self.forced(people.browser(stranger), task, {"outcome": "approved"})
        self.check(answer, 404, "There is no such task, or it is not for you.")

    def test_an_answer_that_there_is_not(self, desk, ada):
        self.check(submit(desk.ask_named("ada"), ada, outcome="maybe"), 422, "Answer with one of")

    def test_a_comment_that_is_too_long(self, desk, ada):
        answer = submit(desk.ask_named("ada"), ada, comment="x" * 5001)
        self.check(answer, 422, "The comment is too long")

    def test_a_form_that_is_not_ours(self, desk, ada):
        task = desk.ask_named("ada")
        answer = people.browser(ada).post(f"/inbox/{task.pk}/", {"outcome": "approved"})
        self.check(answer, 403, "Nothing was changed.")
        assert fresh(task).status == "open"

    def test_to_change_anything_by_looking(self, desk, ada):
        task = desk.ask_named("ada")
        browser = people.browser(ada)
        for look in (browser.get, browser.head):
            for path in (f"/inbox/{task.pk}/", "/inbox/list/"):
                answer = look(path, {"outcome": "approved", "seen": task.seen})
                assert answer.status_code == 200
        for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
            answer = people.send(browser, method, f"/inbox/{task.pk}/", {"outcome": "approved"})
            assert answer.status_code == 405
        assert people.send(browser, "POST", "/inbox/list/").status_code == 405
        assert fresh(task).updated_at == task.updated_at
        assert not Decision.objects.exists()

    @staticmethod
    def forced(browser, task, sent):
        """The form without having been shown it, with a valid proof of origin."""
        browser.cookies["csrftoken"] = "a" * 32
        return browser.post(f"/inbox/{task.pk}/", {"csrfmiddlewaretoken": "a" * 32, **sent})


class TestList:
    def test_shows_what_waits_with_the_badges_number(self, desk, ada):
        first, second = desk.ask_named("ada"), desk.ask_named("ada", title="Pay the bill")
        desk.decide(first, ada)
        answer = people.browser(ada).get("/inbox/list/")
        assert "To decide 1 Put to me 1 Done" in text_of(answer)
        assert "Pay the bill Test 1 day 23 hours left" in text_of(answer)
        assert f"/inbox/{second.pk}/" in answer.content.decode()
        assert str(first.pk) not in answer.content.decode()
        done = people.browser(ada).get("/inbox/list/?state=done")
        assert "Approve the order Test Approved by Ada" in text_of(done)

    def test_says_so_when_it_is_empty(self, desk, ada):
        browser = people.browser(ada)
        assert "Nothing waits for you." in text_of(browser.get("/inbox/list/"))
        assert "Nothing yet." in text_of(browser.get("/inbox/list/?state=done"))

    def test_goes_on_to_older_ones(self, desk, ada, monkeypatch):
        from apps.inbox import list_views

        monkeypatch.setattr(list_views, "PAGE", 2)
        tasks = [desk.ask_named("ada", title=f"Number {n}") for n in range(5)]
        browser, path, seen = people.browser(ada), "/inbox/list/", []
        while path:
            source = browser.get(path).content.decode()
            seen += re.findall(r"Number \d", source)
            older = re.search(r'href="(/inbox/list/\?before=[^"]+)"', source)
            path = older[1] if older else ""
        assert seen == [f"Number {n}" for n in reversed(range(5))]
        assert len(tasks) == 5
        assert browser.get("/inbox/list/?before=x").status_code == 422


class TestWords:
    """The user's words, never the engine's (design.md, Words)."""

    def sources(self):
        folders = [ROOT / "templates" / "inbox", ROOT / "apps/notices/templates/notices/mail"]
        return [path for folder in folders for path in sorted(folder.rglob("*.*"))]

    def test_of_the_templates(self):
        found = self.sources()
        assert found
        for path in found:
            source = re.sub(r'{%\s*trans\s+"([^"]*)"\s*%}', r"\1", path.read_text())
            source = re.sub(r"<style>.*?</style>", " ", source, flags=re.DOTALL)
            words = re.sub(r"<[^>]*>", " ", re.sub(r"{[%{].*?[%}]}", " ", source))
            assert not NEVER.search(words), (path.name, NEVER.search(words))

    @pytest.mark.parametrize(
        "module",
        ["inbox/commands.py", "inbox/permissions.py", "inbox/queries.py", "inbox/views.py",
         "inbox/words.py", "inbox/opening.py", "inbox/link_views.py", "inbox/lists.py",
         "inbox/bulk.py", "inbox/glance.py", "inbox/filters.py", "inbox/list_views.py",
         "inbox/handing.py", "operations/alerts.py",
         "notices/words.py", "notices/links.py"],
    )  # fmt: skip
    def test_of_every_sentence_in_the_code(self, module):
        tree = ast.parse((ROOT / "apps" / module).read_text())
        said = [
            one.value
            for call in ast.walk(tree)
            if isinstance(call, ast.Call | ast.Raise)
            for one in ast.walk(call)
            if isinstance(one, ast.Constant) and isinstance(one.value, str) and " " in one.value
        ]
        assert said
        for sentence in said:
            assert not NEVER.search(sentence), sentence

    def test_of_pages_in_every_state(self, desk, ada):
        task = desk.ask_named("ada", "bob", rule={"all": True}, due="PT1H")
        pages = [page(desk, task, ada), page(desk, task, desk.someone("cleo"))]
        submit(task, ada)
        pages.append(page(desk, task, ada))
        move_clock(hours=2)
        pages.append(page(desk, task, desk.someone("bob")))
        commands.close_overdue(now=clock.now())
        pages += [page(desk, task, ada), people.browser(ada).get("/inbox/list/?state=done")]
        for answer in pages:
            assert not NEVER.search(text_of(answer)), text_of(answer)


class TestIsToldToBrowsers:
    def test_safely(self, desk, ada):
        answer = page(desk, desk.ask_named("ada"), ada)
        assert "script-src 'self'" in answer["Content-Security-Policy"]
        assert answer["Referrer-Policy"] == "same-origin"
        assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("rule", "approve", "reject"),
    [
        ({"any": 1}, "Next: Place the order.", "The request ends: Declined."),
        (
            {"all": True},
            "Next: Place the order, once 3 have approved.",
            "The request ends: Declined.",
        ),
        (
            {"n": 2},
            "Next: Place the order, once 2 have approved.",
            "The request ends: Declined, once 2 have rejected.",
        ),
    ],
)
def test_what_an_answer_leads_to_is_said_as_the_rule_has_it(desk, rule, approve, reject):
    task = desk.ask_named("ada", "bob", "cleo", rule=rule)
    assert [one.then for one in words.answers(task, queries.assignees_of(task))] == [
        approve,
        reject,
    ]
