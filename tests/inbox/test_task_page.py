"""The page of a task at a glance, and what can be done there beside answering: without a script."""

from decimal import Decimal

import pytest

from apps.core import clock
from apps.inbox import commands, glance, handing, queries
from apps.inbox.models import DutyException, TaskAssignee, UserTask
from apps.runs.drive import drive_all
from tests.inbox.support import approval, fresh
from tests.inbox.test_bulk import several
from tests.inbox.test_page import text_of
from tests.inbox.test_standing_in import stand_in
from tests.support import people

pytestmark = pytest.mark.django_db


def shown(desk, task, name):
    return people.browser(desk.someone(name)).get(f"/inbox/{task.pk}/")


def told(desk, task, name):
    return people.browser(desk.someone(name)).get(f"/api/v1/tasks/{task.pk}/").json()


def post(desk, name, path, **fields):
    """As the page's form sends it, with the token that the page holds."""
    browser = people.browser(desk.someone(name))
    browser.cookies["csrftoken"] = "a" * 32
    return browser.post(f"/inbox/{path}", {"csrfmiddlewaretoken": "a" * 32, **fields})


class TestWhyMe:
    def why(self, desk, task, name):
        said = told(desk, task, name)["why"]
        page = text_of(shown(desk, task, name))
        assert (said in page) if said else ("Why you" not in page)
        return said

    def test_by_name(self, desk):
        assert self.why(desk, desk.ask_named("ada"), "ada") == "You are asked by name."

    def test_through_a_group(self, desk):
        desk.team("finance", "ada")
        task = desk.ask(assignees={"users": [], "groups": ["finance"]})
        assert self.why(desk, task, "ada") == "You are asked as one of “Finance”."

    def test_as_one_stands_in(self, desk):
        task = desk.ask_named("ada")
        stand_in(desk, "ada", "bob")
        assert self.why(desk, task, "bob").startswith("You stand in for Ada;")

    def test_as_it_was_handed_over(self, desk):
        task = desk.ask_named("ada")
        handing.hand_over_task(
            actor=desk.actor(desk.someone("ada")),
            task_id=task.pk,
            to=desk.someone("bob").email,
            reason="Away",
            now=clock.now(),
        )
        assert self.why(desk, task, "bob") == "Ada handed this over to you."

    def test_as_nobody_else_could_be_asked(self, desk):
        desk.team("board", "bob")
        task = desk.ask_named("ada", started_by=desk.someone("ada").email, fallback=["board"])
        assert "“Board”, which stands in then" in self.why(desk, task, "bob")

    def test_not_at_all(self, desk):
        task = desk.ask_named("ada")
        desk.someone("vera", "viewer")
        assert self.why(desk, task, "vera") == ""


class TestHowMuch:
    def test_is_the_fact_that_the_step_names_else_the_first_number(self, desk):
        fields = [
            {"label": "Vendor", "value": "Acme"},
            {"label": "Days", "value": 3},
            {"label": "Amount", "value": "= trigger.body.amount"},
        ]
        plain = desk.ask_named("ada", fields=fields, body={"amount": 7})
        assert told(desk, plain, "ada")["amount"] == {"label": "Days", "value": 3}
        [named] = several(desk, Decimal("1200.5"), fields=fields)
        assert told(desk, named, "ada")["amount"] == {"label": "Amount", "value": 1200.5}
        assert "1,200.5" in text_of(shown(desk, named, "ada"))

    def test_is_not_said_where_there_is_none(self, desk):
        task = desk.ask_named("ada", fields=[{"label": "Vendor", "value": "Acme"}])
        assert told(desk, task, "ada")["amount"] is None


class TestDecidedBefore:
    def test_the_last_five_of_the_same_step_with_outcome_and_amount(self, desk):
        tasks = several(desk, *range(10, 80, 10))
        for one in tasks[:-1]:
            outcome = "rejected" if one == tasks[0] else "approved"
            desk.decide(one, desk.someone("ada"), outcome)
        before = told(desk, tasks[-1], "ada")["similar"]
        assert [one["id"] for one in before] == [str(one.pk) for one in reversed(tasks[1:6])]
        assert {one["word"] for one in before} == {"Approved"}
        assert {one["compared"] for one in before} == {"less"}
        assert [one["amount"] for one in before] == [60, 50, 40, 30, 20]
        assert {one["by"] for one in before} == {"Ada"}
        page = text_of(shown(desk, tasks[-1], "ada"))
        assert "Decided before" in page
        assert "less than this" in page

    def test_says_how_it_compares(self, desk):
        first, second, third, now = several(desk, 5, 50, 500, 50)
        for one in (first, second, third):
            desk.decide(one, desk.someone("bob"), "rejected")
        found = [one["compared"] for one in told(desk, now, "bob")["similar"]]
        assert found == ["more", "same", "less"]

    def test_only_what_the_reader_may_see(self, desk):
        [mine, theirs, now] = several(desk, 5, 50, 500)
        TaskAssignee.objects.filter(task=theirs, user=desk.someone("ada")).update(
            dropped_at=clock.now()
        )
        for one in (mine, theirs):
            desk.decide(one, desk.someone("bob"))
        assert [one["id"] for one in told(desk, now, "ada")["similar"]] == [str(mine.pk)]
        desk.someone("vera", "viewer")
        assert len(told(desk, now, "vera")["similar"]) == 2

    def test_not_of_other_steps_versions_of_others_or_what_is_open(self, desk):
        desk.decide(desk.ask_named("ada"), desk.someone("ada"))
        _, now = several(desk, 5, 50)
        assert told(desk, now, "ada")["similar"] == []

    def test_costs_as_much_whatever_there_is(self, desk, django_assert_max_num_queries):
        tasks = several(desk, *range(1, 9))
        for one in tasks[:-1]:
            desk.decide(one, desk.someone("ada"))
        actor = desk.actor(desk.someone("ada"))
        with django_assert_max_num_queries(4):
            assert len(glance.similar(actor, tasks[-1])) == 5


class TestActs:
    def test_take_and_give_back(self, desk):
        task = desk.ask_named("ada", "bob")
        assert "Take it" in text_of(shown(desk, task, "ada"))
        assert post(desk, "ada", f"{task.pk}/claim/").status_code == 302
        assert fresh(task).claimed_by == desk.someone("ada")
        assert "Ada has taken this" in text_of(shown(desk, task, "bob"))
        assert post(desk, "bob", f"{task.pk}/claim/").status_code == 409
        assert post(desk, "ada", f"{task.pk}/release/").status_code == 302
        assert fresh(task).claimed_by is None

    def test_hand_over_to_a_named_person_with_a_reason(self, desk):
        task = desk.ask_named("ada")
        desk.someone("bob")
        page = shown(desk, task, "ada").content.decode()
        assert 'value="bob@acme.test"' in page
        assert 'value="ada@acme.test"' not in page
        refused = post(desk, "ada", f"{task.pk}/hand-over/", to="bob@acme.test", reason="  ")
        assert refused.status_code == 422
        answer = post(desk, "ada", f"{task.pk}/hand-over/", to="bob@acme.test", reason="Away")
        assert (answer.status_code, answer["Location"]) == (302, "/inbox/list/")
        assert queries.count_open(desk.actor(desk.someone("bob"))) == 1

    def test_hand_over_is_refused_as_elsewhere_and_keeps_what_was_typed(self, desk):
        task = desk.ask_named("ada", started_by=desk.someone("rita").email)
        answer = post(desk, "ada", f"{task.pk}/hand-over/", to="rita@acme.test", reason="Yours")
        assert answer.status_code == 409
        assert "asked for this and may not decide" in text_of(answer)
        assert "Yours" in answer.content.decode()
        assert not desk.trail("task.hand_over")

    def test_special_permission_is_not_asked_for_without_need_or_reason(self, desk):
        task = desk.ask_named("ada", "bob", started_by=desk.someone("ada").email)
        assert post(desk, "ada", f"{task.pk}/exceptions/", reason="").status_code != 302
        asked = post(desk, "bob", f"{task.pk}/exceptions/", reason="Urgent")
        assert asked.status_code == 409, "no rule keeps Bob from it"

    def test_get_changes_nothing_and_a_form_that_is_not_ours_neither(self, desk):
        task = desk.ask_named("ada", "bob")
        browser = people.browser(desk.someone("ada"))
        for act in ("claim", "release", "hand-over", "exceptions"):
            for method in (browser.get, browser.head):
                assert method(f"/inbox/{task.pk}/{act}/").status_code == 405
            assert browser.post(f"/inbox/{task.pk}/{act}/").status_code == 403
        assert fresh(task).claimed_by is None

    def test_nothing_for_strangers(self, desk):
        task = desk.ask_named("ada", "bob")
        for act in ("claim", "release", "hand-over", "exceptions"):
            answer = post(desk, "eve", f"{task.pk}/{act}/", to="bob@acme.test", reason="x")
            assert answer.status_code in {403, 404}, act
            assert task.title not in answer.content.decode()


class TestExceptions:
    @pytest.fixture
    def task(self, desk):
        """Bob wrote the version; its risk is not said, so that he may not decide."""
        desk.author = desk.someone("bob", "builder", "approver")
        try:
            return desk.ask_named("ada", "bob")
        finally:
            desk.author = None

    def test_are_asked_for_and_allowed_on_the_page(self, desk, task):
        desk.someone("admin", "admin")
        TaskAssignee.objects.get_or_create(
            task=task, user=desk.someone("bob"), defaults={"workspace_id": task.workspace_id}
        )
        assert "Ask for special permission" in text_of(shown(desk, task, "bob"))
        assert post(desk, "bob", f"{task.pk}/exceptions/", reason="Urgent").status_code == 302
        asked = DutyException.objects.get(task=task)
        path = f"{task.pk}/exceptions/{asked.pk}/allow/"
        assert "Allow this once" in text_of(shown(desk, task, "admin"))
        assert post(desk, "bob", path).status_code == 403
        assert post(desk, "admin", path).status_code == 302
        desk.decide(task, desk.someone("bob"))
        assert desk.trail("task.decide")[0].group("details")["exception"]["reason"] == "Urgent"


class TestSeveralWithoutAScript:
    def items(self, tasks):
        return [f"{one.pk}:{one.seen}" for one in tasks]

    def test_are_chosen_looked_at_and_answered(self, desk):
        tasks = several(desk, 10, 20, 5000)
        browser = people.browser(desk.someone("ada"))
        listed = browser.get("/inbox/list/").content.decode()
        assert listed.count('type="checkbox"') == 2
        query = "&".join(f"task={one.pk}" for one in tasks)
        page = browser.get(f"/inbox/bulk/?{query}")
        assert "goes to 2 tasks" in text_of(page)
        assert "below 1000" in text_of(page)
        fields = {"outcome": "approved", "comment": "Fits", "item": self.items(tasks[:2])}
        fields["id"] = str(page.context["id"])
        for _ in range(2):
            answer = post(desk, "ada", "bulk/", **fields)
            assert answer.status_code == 200
            assert "2 tasks are answered" in text_of(answer)
        assert [fresh(one).status for one in tasks] == ["decided", "decided", "open"]
        assert len(desk.trail("task.decide")) == 2

    def test_a_rejection_without_a_word_is_asked_about_first(self, desk):
        tasks = several(desk, 10, 20)
        fields = {
            "outcome": "rejected",
            "item": self.items(tasks),
            "id": "019a2f3c-0000-7000-8000-000000000000",
        }
        answer = post(desk, "ada", "bulk/", **fields, ask="comment", comment=" ")
        assert "Say no without a reason?" in text_of(answer)
        assert [fresh(one).status for one in tasks] == ["open", "open"]
        post(desk, "ada", "bulk/", **fields, comment="")
        assert [fresh(one).outcome for one in tasks] == ["rejected", "rejected"]

    @pytest.mark.parametrize("query", ["", "task=x", "task=019a2f3c-0000-7000-8000-00000000000"])
    def test_a_damaged_page_is_refused(self, desk, query):
        browser = people.browser(desk.someone("ada"))
        assert browser.get(f"/inbox/bulk/?{query}").status_code == 422

    def test_needs_csrf(self, desk):
        [task] = several(desk, 10)
        browser = people.browser(desk.someone("ada"))
        sent = {"outcome": "approved", "item": self.items([task]), "id": str(task.pk)}
        assert browser.post("/inbox/bulk/", sent).status_code == 403
        assert fresh(task).status == "open"


class TestListWithoutAScript:
    def test_has_the_views_search_and_kept_filters(self, desk):
        desk.team("finance", "ada")
        desk.ask_named("ada", title="Vendor Acme")
        desk.ask(assignees={"users": [], "groups": ["finance"]}, title="Laptop for Kim")
        browser = people.browser(desk.someone("ada"))
        people.send(
            browser,
            "POST",
            "/api/v1/task-filters/",
            {"name": "Laptops", "filter": {"search": "laptop"}},
        )
        page = text_of(browser.get("/inbox/list/"))
        assert "Put to me 1" in page
        assert "My groups 1" in page
        assert "Overdue" not in page
        assert "Laptops" in page
        assert "Vendor Acme" not in text_of(browser.get("/inbox/list/?view=groups"))
        found = text_of(browser.get("/inbox/list/?search=laptop"))
        assert "Laptop for Kim" in found
        assert "Vendor Acme" not in found
        assert "Nothing fits" in text_of(browser.get("/inbox/list/?search=zebra"))
        assert browser.get("/inbox/list/?view=everything").status_code == 422


def test_what_a_delegate_of_the_requester_sees_has_no_buttons(desk):
    version = desk.publish(
        approval(
            assignees={"users": [desk.someone("ada").email], "groups": []}, allow_requester=False
        )
    )
    run = desk.start(version, {"amount": 1}, started_by=desk.someone("rita").email)
    drive_all()
    task = UserTask.objects.get(run_id=run)
    stand_in(desk, "ada", "rita")
    assert commands.refusal_for(desk.actor(desk.someone("rita")), task, clock.now()) is not None
