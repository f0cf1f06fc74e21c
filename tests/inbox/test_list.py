"""The list and its badge: one query, whatever has happened (engine F5's invariant)."""

import random
from decimal import Decimal

import pytest

from apps.accounts.queries import actor_of_user
from apps.core import clock
from apps.core.errors import ProductError
from apps.inbox import commands, queries
from tests.inbox.support import fresh, ids, move_clock
from tests.support import people

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(desk):
    return desk.someone("ada")


def get(desk, user, path, **query):
    return people.browser(user).get(f"/api/v1/{path}", query)


def listed(desk, user, **query):
    """Every page of the list."""
    browser, found = people.browser(user), []
    url = "/api/v1/tasks/?limit=2" + "".join(f"&{name}={value}" for name, value in query.items())
    while url:
        answer = browser.get(url).json()
        found += [one["id"] for one in answer["results"]]
        url = answer["next"]
    return found


@pytest.mark.parametrize("seed", range(4))
def test_badge_equals_list_and_everything_is_in_one_of_the_two_lists(desk, seed):
    chance = random.Random(seed)
    crew = [desk.someone(name) for name in ("ada", "bob", "cleo")]
    tasks = []
    for _ in range(14):
        deed = chance.choice(["ask", "ask", "decide", "decide", "late", "leave", "drive"])
        if deed == "ask":
            names = chance.sample(["ada", "bob", "cleo"], chance.randint(1, 3))
            rule = chance.choice([{"any": 1}, {"all": True}, {"n": 2}])
            tasks.append(
                desk.ask_named(*names, rule=rule, due=chance.choice(["PT1H", "P2D", None]))
            )
        elif deed == "decide" and tasks:
            user = chance.choice(crew)
            actor = actor_of_user(user, desk.workspace.pk)
            if actor is None:
                continue
            try:
                outcome = chance.choice(["approved", "rejected"])
                desk.decide(chance.choice(tasks), user, outcome, actor=actor)
            except ProductError:
                pass
        elif deed == "late":
            move_clock(hours=chance.choice([0.1, 1.1]))
            commands.close_overdue(now=clock.now())
        elif deed == "leave" and chance.random() < 0.3:
            desk.deactivate(chance.choice(crew))
            commands.drop_leavers(now=clock.now())
        else:
            desk.settle()
        for user in crew:
            actor = actor_of_user(user, desk.workspace.pk)
            if actor is None:
                continue
            mine = ids(queries.open_tasks(actor))
            assert queries.count_open(actor) == len(mine)
            done = ids(queries.done_tasks(actor))
            assert not set(mine) & set(done)
            asked = [one.pk for one in tasks if one.assignees.filter(user=user).exists()]
            assert sorted(mine + done) == sorted(asked)
            for one in map(fresh, tasks):
                may = commands.refusal_for(actor, one, one.opened_at) is None
                assert may == (one.pk in mine)


def test_the_api_says_the_same_as_the_badge(desk, ada):
    tasks = [desk.ask_named("ada") for _ in range(5)]
    desk.decide(tasks[0], ada)
    assert get(desk, ada, "tasks/count/").json() == {"open": 4}
    assert listed(desk, ada) == [str(one.pk) for one in reversed(tasks[1:])]
    assert listed(desk, ada, state="done") == [str(tasks[0].pk)]


def test_the_badge_stops_counting_where_it_says_that_there_are_more(desk, ada, monkeypatch):
    monkeypatch.setattr(queries, "MOST_COUNTED", 3)
    for _ in range(4):
        desk.ask_named("ada")
    assert get(desk, ada, "tasks/count/").json() == {"open": 3}
    assert b">2+</span>" in people.browser(ada).get("/inbox/list/").content


def test_a_task_i_have_answered_is_done_for_me_while_others_are_asked(desk, ada):
    task = desk.ask_named("ada", "bob", rule={"all": True})
    desk.decide(task, ada)
    assert listed(desk, ada) == []
    assert listed(desk, ada, state="done") == listed(desk, desk.someone("bob")) == [str(task.pk)]


def test_a_row_says_what_lists_show(desk, ada):
    task = desk.ask_named("ada", "bob", requester='"owner@acme.test"')
    [row] = get(desk, ada, "tasks/").json()["results"]
    assert row == {
        "id": str(task.pk),
        "run": str(task.run_id),
        "flow": {"id": str(task.flow_id), "name": "Test"},
        "step": "ask",
        "kind": "approval",
        "status": "open",
        "title": "Approve the order",
        "requester": {"name": "Owner", "email": "owner@acme.test"},
        "opened_at": row["opened_at"],
        "due": row["due"],
        "outcome": "",
        "outcome_word": "",
        "pending_word": "",
        "settles_at": None,
        "decided_at": None,
        "decided_by": "",
        "claimed_by": "",
        "stage": 1,
        "stages": 1,
        "stage_name": "",
        "urgency": "normal",
        "next": None,
        "stands_in_for": "",
        "bulk": None,
    }
    desk.decide(task, desk.someone("bob"), "rejected")
    [row] = get(desk, ada, "tasks/", state="done").json()["results"]
    assert (row["status"], row["outcome"], row["decided_by"]) == ("decided", "rejected", "Bob")
    assert row["outcome_word"] == "Rejected"
    assert row["decided_at"]


def test_one_task_has_everything_to_decide_by(desk, ada):
    task = desk.ask_named("ada", "bob", rule={"n": 2}, body={"amount": Decimal("120.5")})
    shown = get(desk, ada, f"tasks/{task.pk}/").json()
    assert shown["facts"] == [{"label": "Amount", "value": 120.5}]
    assert shown["seen"] == task.seen
    assert shown["outcomes"] == ["approved", "rejected"]
    assert shown["answers"] == [
        {
            "outcome": "approved",
            "label": "Approve",
            "then": "Next: Place the order, once 2 have approved.",
            "side": "for",
        },
        {
            "outcome": "rejected",
            "label": "Reject",
            "then": "The request ends: Declined.",
            "side": "against",
        },
    ]
    assert shown["without_answer"] == "The request ends: Too late."
    assert shown["rule"] == "2 of 2 must approve."
    assert shown["assignees"] == ["Ada", "Bob"]
    assert (shown["may_decide"], shown["why_not"]) == (True, None)


def test_the_number_of_queries_does_not_grow_with_the_list(
    desk, ada, django_assert_max_num_queries
):
    for _ in range(8):
        desk.decide(desk.ask_named("ada"), ada)
    browser = people.browser(ada)
    browser.get("/api/v1/tasks/?state=done")
    # Two of them ask for whom the reader stands in.
    with django_assert_max_num_queries(10):
        assert len(browser.get("/api/v1/tasks/?state=done").json()["results"]) == 8


def test_opening_many_does_not_look_the_same_people_up_again(desk, django_assert_max_num_queries):
    from apps.inbox.models import UserTask
    from apps.inbox.opening import open_tasks
    from tests.inbox.test_opening import request_like

    task = desk.ask_named("ada", requester='"owner@acme.test"')
    requests = [request_like(task, visit) for visit in range(2, 42)]
    with django_assert_max_num_queries(8):
        assert open_tasks(requests, clock.now()) == []
    assert UserTask.objects.count() == 41


class TestOverTheApi:
    def test_decides(self, desk, ada):
        task = desk.ask_named("ada")
        body = {"outcome": "approved", "comment": "ok", "seen": task.seen}
        answer = people.send(people.browser(ada), "POST", f"/api/v1/tasks/{task.pk}/decide/", body)
        assert answer.status_code == 200, answer.content
        assert answer.json()["decisions"][0]["comment"] == "ok"
        assert answer.json()["may_decide"] is False

    @pytest.mark.parametrize(
        ("who", "status", "code"),
        [
            ("bob", 403, "not_assignee"),
            ("admin", 403, "not_assignee"),
            ("stranger", 404, "not_found"),
        ],
    )
    def test_others_are_refused(self, desk, who, status, code):
        task = desk.ask_named("ada")
        user = {
            "bob": lambda: desk.someone("bob"),
            "admin": lambda: desk.someone("admin", "admin"),
            "stranger": lambda: people.person(people.make_workspace("other"), "approver"),
        }[who]()
        answer = people.send(
            people.browser(user),
            "POST",
            f"/api/v1/tasks/{task.pk}/decide/",
            {"outcome": "approved"},
        )
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert fresh(task).status == "open"

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ({"outcome": "approved", "seen": "0" * 64}, 409, "stale_page"),
            ({"outcome": "maybe"}, 422, "invalid"),
            ({}, 422, "invalid"),
            ({"outcome": "approved", "comment": "x" * 5001}, 422, "invalid"),
        ],
    )
    def test_bad_answers_are_refused(self, desk, ada, body, status, code):
        task = desk.ask_named("ada")
        answer = people.send(people.browser(ada), "POST", f"/api/v1/tasks/{task.pk}/decide/", body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert fresh(task).status == "open"

    def test_needs_csrf_and_post(self, desk, ada):
        task = desk.ask_named("ada")
        browser, path = people.browser(ada), f"/api/v1/tasks/{task.pk}/decide/"
        assert browser.post(path, {"outcome": "approved"}, "application/json").status_code == 403
        for method in (browser.get, browser.head):
            assert method(path, {"outcome": "approved"}).status_code == 405
        assert people.send(browser, "PUT", path, {"outcome": "approved"}).status_code == 405
        assert fresh(task).status == "open"

    def test_a_key_without_the_scope_neither_sees_nor_decides(self, desk, ada, client):
        task = desk.ask_named("ada")
        headers = people.bearer(ada, scopes=["flow.view"])
        for path in ("tasks/", "tasks/count/", f"tasks/{task.pk}/"):
            assert client.get(f"/api/v1/{path}", headers=headers).json()["code"] == "out_of_scope"
        headers = people.bearer(ada, scopes=["task.view"])
        assert client.get("/api/v1/tasks/count/", headers=headers).json() == {"open": 1}
        answer = client.post(
            f"/api/v1/tasks/{task.pk}/decide/",
            {"outcome": "approved"},
            "application/json",
            headers=headers,
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "out_of_scope")

    def test_an_approver_sees_only_what_was_put_to_them(self, desk, ada):
        task = desk.ask_named("ada")
        assert get(desk, desk.someone("bob"), f"tasks/{task.pk}/").status_code == 404
        assert get(desk, desk.someone("eye", "viewer"), f"tasks/{task.pk}/").status_code == 200
        stranger = people.person(people.make_workspace("other"), "admin", "viewer")
        assert get(desk, stranger, f"tasks/{task.pk}/").status_code == 404

    def test_there_is_no_third_state(self, desk, ada):
        assert get(desk, ada, "tasks/", state="all").json()["code"] == "invalid"
