"""An answer is taken back while its question is open, and never afterwards."""

import pytest
from django.db import IntegrityError, InternalError, connection, transaction

from apps.core import clock
from apps.core.errors import Invalid, NotFound, ProductError
from apps.inbox import commands, queries, taking_back
from apps.inbox.models import Decision
from apps.runs import verify
from tests.inbox.support import fresh, move_clock
from tests.inbox.test_asking import send
from tests.inbox.test_deciding import at_once
from tests.inbox.test_page import page, text_of
from tests.support import people

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(desk):
    return desk.someone("ada")


@pytest.fixture
def task(desk, ada):
    return desk.ask_named("ada", "bob", rule={"all": True})


def back(desk, task, user, reason="", **more):
    return taking_back.take_answer_back(
        actor=more.get("actor") or desk.actor(user),
        task_id=task.pk,
        reason=reason,
        now=clock.now(),
    )


class TestWhileItIsOpen:
    def test_it_counts_no_more_and_one_may_answer_anew(self, desk, task, ada):
        desk.decide(task, ada, "approved")
        back(desk, task, ada)
        desk.decide(task, desk.someone("bob"), "approved")
        assert fresh(task).status == "open"
        desk.decide(task, ada, "rejected")

        assert desk.output_of(task)["outcome"] == "rejected"
        assert [one["by"] for one in desk.output_of(task)["decisions"]] == [
            "bob@acme.test",
            "ada@acme.test",
        ]
        assert verify.check_runs().problems == []

    def test_it_waits_for_the_person_again(self, desk, task, ada):
        desk.decide(task, ada)
        assert queries.count_open(desk.actor(ada)) == 0
        back(desk, task, ada)
        assert queries.count_open(desk.actor(ada)) == 1

    def test_again_and_again(self, desk, task, ada):
        for _ in range(3):
            desk.decide(task, ada)
            back(desk, task, ada)
        assert Decision.objects.count() == 0
        assert Decision.every.count() == 3

    def test_the_trail_has_it_with_the_reason(self, desk, task, ada):
        desk.decide(task, ada)
        back(desk, task, ada, reason="I read the wrong line.")
        [row] = desk.trail("task.take_back")
        assert row.text("reason") == "I read the wrong line."
        assert row.group("details")["outcome"] == "approved"

    def test_on_the_page_and_by_the_api(self, desk, task, ada):
        desk.decide(task, ada)
        browser, path = people.browser(ada), f"/inbox/{task.pk}/"
        assert "Take my answer back" in text_of(browser.get(path))
        assert send(browser, path, f"{path}take-back/").status_code == 302
        text = text_of(page(desk, task, desk.someone("bob")))
        assert "Ada · approved · taken back" in text
        assert "Take my answer back" not in text

        desk.decide(task, ada)
        sent = people.send(browser, "POST", f"/api/v1/tasks/{task.pk}/take-back/", {})
        assert sent.status_code == 200
        assert sent.json()["may_decide"]
        assert len(sent.json()["taken_back"]) == 2


class TestIsRefused:
    def test_when_it_is_decided(self, desk, ada):
        task = desk.ask_named("ada")
        desk.decide(task, ada)
        with pytest.raises(commands.TaskClosed):
            back(desk, task, ada)
        assert "Take my answer back" not in text_of(page(desk, task, ada))

    def test_when_its_time_is_over(self, desk, task, ada):
        desk.decide(task, ada)
        move_clock(days=3)
        with pytest.raises(commands.TooLate):
            back(desk, task, ada)
        commands.close_overdue(now=clock.now())
        with pytest.raises(commands.TaskClosed):
            back(desk, task, ada)

    def test_somebody_elses_or_none_or_a_second_time(self, desk, task, ada):
        desk.decide(task, ada)
        for user in (desk.someone("bob"), desk.someone("admin", "admin")):
            with pytest.raises(taking_back.NothingToTakeBack):
                back(desk, task, user)
        back(desk, task, ada)
        with pytest.raises(taking_back.NothingToTakeBack):
            back(desk, task, ada)

    def test_from_another_workspace(self, desk, task, ada):
        desk.decide(task, ada)
        other = people.make_workspace("other")
        stranger = people.person(other, "approver", email="x@other.test")
        with pytest.raises(NotFound):
            back(desk, task, stranger, actor=people.actor(stranger, other))

    def test_with_a_reason_that_cannot_be_kept(self, desk, task, ada):
        desk.decide(task, ada)
        with pytest.raises(Invalid):
            back(desk, task, ada, reason="x" * 5001)

    def test_by_looking(self, desk, task, ada):
        desk.decide(task, ada)
        browser = people.browser(ada)
        for method in ("get", "head"):
            answer = getattr(browser, method)(f"/inbox/{task.pk}/take-back/")
            assert answer.status_code == 405
        assert task.decisions.count() == 1

    @pytest.mark.parametrize(
        "change",
        ["taken_back_at = null", "taken_back_at = now()", "outcome = 'rejected'", "comment = 'x'"],
    )
    def test_behind_the_products_back(self, desk, task, ada, change):
        desk.decide(task, ada)
        if "taken_back_at" in change:
            back(desk, task, ada)
        connection.cursor().execute("set constraints all immediate")
        with pytest.raises((IntegrityError, InternalError)), transaction.atomic():
            connection.cursor().execute(f"update inbox_decision set {change}")

    def test_by_the_database_once_the_question_has_ended(self, desk, ada):
        task = desk.ask_named("ada")
        desk.decide(task, ada)
        connection.cursor().execute("set constraints all immediate")
        with pytest.raises((IntegrityError, InternalError)), transaction.atomic():
            connection.cursor().execute("update inbox_decision set taken_back_at = now()")


@pytest.mark.django_db(transaction=True)
def test_taking_back_and_the_last_answer_at_once_give_one_outcome(desk, ada):
    task = desk.ask_named("ada", "bob", rule={"all": True})
    bob = desk.someone("bob")
    desk.decide(task, ada)
    actors = desk.actor(ada), desk.actor(bob)
    results = at_once(
        lambda: back(desk, task, ada, actor=actors[0]),
        lambda: desk.decide(task, bob, actor=actors[1]),
    )

    errors = [one for one in results if isinstance(one, Exception)]
    assert all(isinstance(one, ProductError) for one in errors), results
    is_closed = fresh(task).status == "decided"
    assert is_closed == (task.decisions.count() == 2)
    assert verify.check_runs().problems == []
