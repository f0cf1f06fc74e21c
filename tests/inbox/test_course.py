"""What has happened in the time of a task and what will, in words: page, API, waits, German."""

from datetime import timedelta

import pytest
from django.utils import translation

from apps.core import clock
from apps.inbox import commands, course, escalating, queries
from apps.inbox.models import TaskMoment
from apps.runs import queries as run_queries
from tests.inbox.support import fresh
from tests.inbox.test_escalating import ask, climb, others, part, rung
from tests.inbox.test_page import page, text_of
from tests.support import people

pytestmark = pytest.mark.django_db


def said(task):
    return [(one.text, one.is_done) for one in course.course_of(fresh(task))]


@pytest.fixture
def laddered(desk):
    desk.team("board", "cleo")
    return ask(
        desk,
        rung("PT1H"),
        rung("PT2H", add=others(desk, "dan", managers=True)),
        rung("PT3H", reassign=others(desk, groups=["board"])),
        rung("PT4H", urgent=True),
        rung("PT5H", outcome="rejected"),
    )


class TestWhatIsToCome:
    def test_is_said_in_order(self, laddered):
        assert said(laddered) == [
            ("A reminder is sent", False),
            ("To be asked as well: Dan, the managers of those who have not answered", False),
            ("It goes to Board instead", False),
            ("It becomes urgent", False),
            ("It ends as “Rejected”", False),
        ]

    def test_and_what_has_happened_reads_otherwise(self, desk, laddered):
        for hours in (1.5, 2.5, 3.5, 4.5):
            climb(hours)
        assert said(laddered) == [
            ("A reminder was sent", True),
            ("Asked as well: Dan", True),
            ("It went to Cleo instead", True),
            ("It was made urgent", True),
            ("It ends as “Rejected”", False),
        ]
        climb(5.5)
        assert said(laddered)[-1] == ("It was ended as “Rejected” because nobody answered", True)

    def test_names_the_next_of_several_reminders_alone(self, desk):
        task = desk.ask_named("ada", due="PT10H", warnings=[20, 50, 80], escalation=[rung("PT6H")])
        assert said(task) == [("A reminder is sent", False)]
        climb(3)
        assert said(task) == [("A reminder was sent", True), ("A reminder is sent", False)]
        assert course.next_of([fresh(task)])[task.pk].text == "A reminder is sent"
        assert course.next_of([desk.ask_named("ada")]) == {}

    def test_leaves_out_what_cannot_come_any_more(self, desk):
        task = ask(desk, part(50, of="respond"), rung("P5D"), respond="PT2H", rule={"all": True})
        assert [one for one, _ in said(task)] == ["A reminder is sent"]
        desk.decide(task, desk.someone("ada"))
        assert said(task) == []

    def test_is_nothing_once_it_is_decided(self, desk, laddered):
        desk.decide(laddered, desk.someone("ada"))
        assert said(laddered) == []

    def test_names_people_who_are_gone_by_their_address(self, desk):
        task = ask(desk, rung(add=others(desk, "dan")))
        TaskMoment.objects.filter(task=task).update(
            what={"add": {"users": ["gone@acme.test"], "groups": ["closed"], "managers": False}}
        )
        assert said(task) == [("To be asked as well: closed, gone@acme.test", False)]
        climb(2)
        assert said(task) == [("Others were to be asked, but nobody could be found", True)]

    def test_says_that_the_group_that_stands_in_was_asked(self, desk):
        desk.team("backup", "dan")
        task = ask(desk, rung(add=others(desk, groups=["nowhere"])), fallback=["backup"])
        climb(2)
        [(text, _)] = said(task)
        assert text.endswith("the group that stands in was asked: Dan")

    def test_is_german_too(self, laddered):
        with translation.override("de"):
            assert [one for one, _ in said(laddered)] == [
                "Eine Erinnerung wird gesendet",
                "Zusätzlich zu fragen: Dan, die Vorgesetzten derer, die nicht geantwortet haben",
                "Es geht stattdessen an: Board",
                "Es wird dringend",
                "Es endet als „Abgelehnt“",
            ]


class TestWhereItIsShown:
    def test_the_page_says_it(self, desk, laddered):
        climb(4.5)
        shown = text_of(page(desk, laddered, desk.someone("cleo")))
        assert "While nobody answers" in shown
        assert "It went to Cleo instead" in shown
        assert "Urgent" in shown

    def test_the_api_says_it(self, desk, laddered):
        browser = people.browser(desk.someone("ada"))
        [row] = browser.get("/api/v1/tasks/").json()["results"]
        assert row["next"]["words"] == "A reminder is sent"
        assert row["urgency"] == "normal"
        found = browser.get(f"/api/v1/tasks/{laddered.pk}/").json()
        assert [one["done"] for one in found["course"]] == [False] * 5
        assert found["respond_by"] is None

    def test_what_a_run_waits_for_says_what_comes_next(self, desk, laddered):
        drive = desk.run_of(laddered)
        asked = queries.people_asked(laddered.run_id)[("ask", 1)]
        assert asked["next"]["words"] == "A reminder is sent"
        [reason] = run_queries.waiting_for(drive)
        assert reason["next"]["words"] == "A reminder is sent"

    def test_a_list_costs_no_more_for_many(self, desk, laddered, django_assert_num_queries):
        tasks = [ask(desk, rung(), names=["ada"]) for _ in range(3)]
        with django_assert_num_queries(1):
            assert len(course.next_of(tasks)) == 3

    def test_the_time_of_a_first_reaction_is_shown_until_it_came(self, desk):
        task = ask(desk, respond="PT2H", rule={"all": True})
        browser = people.browser(desk.someone("bob"))
        address = f"/api/v1/tasks/{task.pk}/"
        assert browser.get(address).json()["respond_by"] is not None
        desk.decide(task, desk.someone("ada"))
        assert browser.get(address).json()["respond_by"] is None

    def test_the_end_of_time_is_said_once(self, desk):
        task = desk.ask_named("ada", due="PT1H")
        commands.close_overdue(now=clock.now() + timedelta(hours=2))
        escalating.fire_due(now=clock.now() + timedelta(hours=2))
        assert said(task) == [("The time to decide was over; those who were asked were told", True)]
