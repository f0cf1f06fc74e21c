"""Asking for more: whom, what they see, and the clock that stands still until the answer."""

import re
from datetime import timedelta

import pytest
from django.db import IntegrityError, InternalError, connection, transaction

from apps.core import clock
from apps.core.errors import Forbidden, Invalid, NotFound
from apps.inbox import asking, commands
from apps.inbox.models import Question, UserTask
from apps.notices.models import Notice
from apps.runs import verify
from tests.inbox.support import fresh, move_clock
from tests.inbox.test_page import NEVER, page, submit, text_of
from tests.support import people

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(desk):
    return desk.someone("ada")


@pytest.fixture
def rita(desk):
    return desk.someone("rita", "viewer")


@pytest.fixture
def task(desk, ada, rita):
    """Ada decides what Rita asked for, within two days."""
    return desk.ask_named("ada", requester=f'"{rita.email}"')


def ask(desk, task, user, text="Which supplier?", of=""):
    return asking.ask_question(
        actor=desk.actor(user), task_id=task.pk, text=text, of=of, now=clock.now()
    )


def answer(desk, question, user, text="The usual one."):
    return asking.answer_question(
        actor=desk.actor(user), question_id=question.pk, text=text, now=clock.now()
    )


def take_back(desk, question, user):
    return asking.take_back_question(
        actor=desk.actor(user), question_id=question.pk, now=clock.now()
    )


def send(browser, at, path, **fields):
    """Send a form of the page ``at``."""
    source = browser.get(at).content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]*)"', source)
    assert token
    return browser.post(path, {"csrfmiddlewaretoken": token[1], **fields})


class TestTheClock:
    def test_stands_still_until_the_answer_and_then_has_as_much_left(self, desk, task, ada, rita):
        move_clock(days=1)
        question = ask(desk, task, ada)
        move_clock(days=5)
        assert commands.close_overdue(now=clock.now()) == 0
        answer(desk, question, rita)

        due_at = fresh(task).due_at
        assert due_at
        left = due_at - clock.now()
        assert timedelta(hours=23) < left <= timedelta(days=1)
        assert fresh(task).paused_at is None
        assert fresh(task).first_due_at == task.due_at

    def test_waits_for_the_last_of_several(self, desk, task, ada, rita):
        bob = desk.someone("bob")
        first, second = ask(desk, task, ada), ask(desk, task, ada, of=bob.email)
        answer(desk, first, rita)
        assert fresh(task).paused_at is not None
        take_back(desk, second, ada)
        assert fresh(task).paused_at is None

    def test_is_counted_in_working_time_where_the_limit_is(self, desk, ada, rita):
        task = desk.ask_named("ada", requester=f'"{rita.email}"', due="PT8H", business=True)
        question = ask(desk, task, ada)
        move_clock(days=3)
        answer(desk, question, rita)

        due_at = fresh(task).due_at
        assert due_at
        assert due_at > task.due_at
        assert due_at.astimezone().weekday() < 5

    def test_runs_again_and_ends_it(self, desk, task, ada, rita):
        answer(desk, ask(desk, task, ada), rita)
        move_clock(days=2.1)

        assert commands.close_overdue(now=clock.now()) == 1
        assert desk.output_of(task)["outcome"] == "timeout"

    def test_of_a_task_without_a_limit_has_nothing_to_move(self, desk, ada, rita):
        task = desk.ask_named("ada", requester=f'"{rita.email}"', due=None)
        answer(desk, ask(desk, task, ada), rita)

        assert fresh(task).due_at is None

    def test_does_not_keep_anybody_from_deciding(self, desk, task, ada):
        ask(desk, task, ada)
        move_clock(days=9)
        desk.decide(task, ada)

        assert desk.output_of(task)["outcome"] == "approved"
        assert verify.check_runs().problems == []


class TestWhoIsAsked:
    def test_is_told_where_to_answer_and_who_asked_is_told_of_the_answer(
        self, desk, task, ada, rita
    ):
        question = ask(desk, task, ada)
        assert Notice.objects.get(kind="question").user == rita
        assert Notice.objects.get(kind="question").path == f"/inbox/questions/{question.pk}/"
        answer(desk, question, rita)
        assert Notice.objects.get(kind="answer").user == ada

    def test_may_be_anybody_by_name(self, desk, task, ada):
        bob = desk.someone("bob", "viewer")
        question = ask(desk, task, ada, of=" BOB@acme.test ")

        assert question.asked_of == bob
        assert list(asking.questions_for(desk.actor(bob))) == [question]

    def test_sees_the_question_and_not_the_facts(self, desk, ada, rita):
        task = desk.ask_named(
            "ada", requester=f'"{rita.email}"', fields=[{"label": "Salary", "value": 98765}]
        )
        bob = desk.someone("bob")
        question = ask(desk, task, ada, of=bob.email)
        browser = people.browser(bob)

        text = text_of(browser.get(f"/inbox/questions/{question.pk}/"))
        assert "Which supplier?" in text
        assert "Salary" not in text
        assert browser.get(f"/inbox/{task.pk}/").status_code == 404
        assert "Salary" not in browser.get(f"/api/v1/questions/{question.pk}/").content.decode()

    def test_who_leaves_is_waited_for_no_more_and_who_asked_hears_of_it(
        self, desk, task, ada, rita
    ):
        ask(desk, task, ada)
        desk.deactivate(rita)
        assert "Rita has left and cannot answer any more." in text_of(page(desk, task, ada))

        assert asking.close_unanswerable(now=clock.now()) == 1
        assert asking.close_unanswerable(now=clock.now()) == 0
        assert fresh(task).paused_at is None
        assert "Rita has left" in Notice.objects.get(kind="answer").words
        assert desk.trail("task.unask")[0].event.actor_kind == "system"

    def test_has_it_in_a_list_until_it_is_decided(self, desk, task, ada, rita):
        ask(desk, task, ada)
        browser = people.browser(rita)

        assert len(browser.get("/api/v1/questions/").json()["results"]) == 1
        assert "Questions to you 1" in text_of(browser.get("/inbox/list/"))
        desk.decide(task, ada)
        assert browser.get("/api/v1/questions/").json()["results"] == []


class TestIsRefused:
    def test_to_ask_oneself(self, desk, ada):
        task = desk.ask_named("ada", requester='"ada@acme.test"', allow_requester=True)
        for of in ("", "ada@acme.test"):
            with pytest.raises(asking.CannotAsk, match="yourself"):
                ask(desk, task, ada, of=of)

    def test_to_ask_somebody_who_is_not_here_or_not_any_more(self, desk, task, ada, rita):
        with pytest.raises(asking.CannotAsk, match="nobody"):
            ask(desk, task, ada, of="who@elsewhere.test")
        desk.deactivate(rita)
        with pytest.raises(asking.CannotAsk, match="not here any more"):
            ask(desk, task, ada)

    def test_to_ask_where_nobody_knows_who_asked(self, desk, ada):
        task = desk.ask_named("ada")
        with pytest.raises(asking.CannotAsk, match="not known who"):
            ask(desk, task, ada)

    def test_to_ask_nothing_or_what_cannot_be_kept(self, desk, task, ada):
        for text in ("", "  \n", "x" * 5001, "a\x00b"):
            with pytest.raises(Invalid):
                ask(desk, task, ada, text=text)

    def test_to_ask_as_somebody_who_does_not_decide(self, desk, task, rita):
        for user in (rita, desk.someone("bob"), desk.someone("admin", "admin")):
            with pytest.raises(Forbidden):
                ask(desk, task, user, of="ada@acme.test")

    def test_to_ask_when_it_is_over(self, desk, task, ada):
        move_clock(days=3)
        with pytest.raises(commands.TooLate):
            ask(desk, task, ada)
        commands.close_overdue(now=clock.now())
        with pytest.raises(commands.TaskClosed):
            ask(desk, task, ada)

    def test_to_answer_as_somebody_else(self, desk, task, ada):
        question = ask(desk, task, ada)
        for user in (ada, desk.someone("bob")):
            with pytest.raises(asking.NotAskedYou):
                answer(desk, question, user)

    def test_to_answer_from_another_workspace(self, desk, task, ada, rita):
        question = ask(desk, task, ada)
        other = people.make_workspace("other")
        stranger = people.person(other, "approver", email="x@other.test")
        with pytest.raises(NotFound):
            asking.answer_question(
                actor=people.actor(stranger, other),
                question_id=question.pk,
                text="Yes",
                now=clock.now(),
            )

    def test_to_answer_twice_or_when_it_is_over(self, desk, task, ada, rita):
        first, second, third = (ask(desk, task, ada, text=one) for one in "abc")
        answer(desk, first, rita)
        take_back(desk, second, ada)
        for question in (first, second):
            with pytest.raises(asking.QuestionOver):
                answer(desk, question, rita)
            with pytest.raises(asking.QuestionOver):
                take_back(desk, question, ada)
        desk.decide(task, ada)
        with pytest.raises(commands.TaskClosed):
            answer(desk, third, rita)

    def test_to_decide_on_a_page_without_the_answer(self, desk, task, ada, rita):
        answer(desk, ask(desk, task, ada), rita)

        assert submit(task, ada, heard="0").status_code == 409
        assert fresh(task).status == "open"
        assert submit(task, ada).status_code == 302
        assert desk.trail("task.decide")[0].group("details")["answers_heard"] == 1

    @pytest.mark.parametrize(
        "statement",
        [
            "update inbox_question set text = 'Something else'",
            "update inbox_question set answer = 'Something else'",
            "update inbox_question set answered_at = null, answer = ''",
            "delete from inbox_question",
            "truncate inbox_question",
        ],
    )
    def test_to_change_what_was_said(self, desk, task, ada, rita, statement):
        answer(desk, ask(desk, task, ada), rita)
        connection.cursor().execute("set constraints all immediate")
        with pytest.raises((IntegrityError, InternalError)), transaction.atomic():
            connection.cursor().execute(statement)


class TestThePages:
    def test_ask_answer_and_read_it_without_a_script(self, desk, task, ada, rita):
        asker, asked = people.browser(ada), people.browser(rita)
        sent = send(
            asker, f"/inbox/{task.pk}/", f"/inbox/{task.pk}/ask/", question="Which one?", of=""
        )
        assert sent.status_code == 302
        text = text_of(page(desk, task, ada))
        assert "Rita has not answered yet." in text
        assert "The time to decide has stood still since" in text

        question = Question.objects.get()
        assert "Ada asks" in text_of(asked.get("/inbox/questions/"))
        path = f"/inbox/questions/{question.pk}/"
        assert send(asked, path, path, answer="This one.").status_code == 302
        assert "Rita has answered" in text_of(asked.get(path))
        assert "This one." in text_of(page(desk, task, ada))
        assert "Nobody waits for an answer of yours." in text_of(asked.get("/inbox/questions/"))

    def test_looking_changes_nothing(self, desk, task, ada, rita):
        question = ask(desk, task, ada)
        for user in (ada, rita):
            for method in ("get", "head"):
                browser = people.browser(user)
                assert (
                    getattr(browser, method)(f"/inbox/questions/{question.pk}/").status_code == 200
                )
                for path in (
                    f"/inbox/{task.pk}/ask/",
                    f"/inbox/questions/{question.pk}/take-back/",
                ):
                    assert getattr(browser, method)(path).status_code == 405
        assert Question.objects.get().answered_at is None

    def test_a_refusal_keeps_what_was_typed(self, desk, task, ada):
        answer_ = send(
            people.browser(ada),
            f"/inbox/{task.pk}/",
            f"/inbox/{task.pk}/ask/",
            question="Which one?",
            of="nobody@x.test",
        )
        assert answer_.status_code == 409
        assert "There is nobody “nobody@x.test” here" in text_of(answer_)
        assert "Which one?" in answer_.content.decode()

    def test_do_without_an_answer(self, desk, task, ada):
        question = ask(desk, task, ada)
        path = f"/inbox/questions/{question.pk}/take-back/"
        back = send(people.browser(ada), f"/inbox/{task.pk}/", path)
        assert back.status_code == 302
        assert "Taken back without an answer." in text_of(page(desk, task, ada))

    def test_markup_is_text_and_the_words_are_the_readers(self, desk, task, ada, rita):
        evil = "<script>alert(1)</script>"
        question = ask(desk, task, ada, text=evil)
        for answer_ in (
            people.browser(rita).get(f"/inbox/questions/{question.pk}/"),
            page(desk, task, ada),
        ):
            assert evil not in answer_.content.decode()
            assert not NEVER.search(text_of(answer_).replace(evil, "").lower())

    def test_the_api_does_the_same(self, desk, task, ada, rita):
        asker, asked = people.browser(ada), people.browser(rita)
        made = people.send(asker, "POST", f"/api/v1/tasks/{task.pk}/questions/", {"text": "Which?"})
        assert made.status_code == 201, made.content
        shown = asker.get(f"/api/v1/tasks/{task.pk}/").json()
        assert shown["paused_at"]
        assert shown["questions"][0]["may_take_back"]
        path = f"/api/v1/questions/{made.json()['id']}/answer/"
        sent = people.send(asked, "POST", path, {"text": "That one"})
        assert sent.json()["answer"] == "That one"
        assert asker.get(f"/api/v1/tasks/{task.pk}/").json()["heard"] == 1


def test_the_trail_has_question_and_answer(desk, task, ada, rita):
    answer(desk, ask(desk, task, ada), rita)
    assert desk.trail("task.ask")[0].text("reason") == "Which supplier?"
    assert desk.trail("task.answer")[0].text("reason") == "The usual one."
    assert UserTask.objects.get(pk=task.pk).status == "open"
