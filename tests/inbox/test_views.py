"""The views of the inbox: each one's number is its length, whatever has happened; what they hold."""

import contextlib
import random
from datetime import timedelta
from decimal import Decimal

import pytest

from apps.accounts.models import Team
from apps.accounts.queries import actor_of_user
from apps.core import clock
from apps.core.errors import ProductError
from apps.inbox import commands, delegating, handing, lists, queries
from apps.inbox.lists import Wanted
from apps.inbox.models import UserTask
from tests.inbox.support import ids, move_clock
from tests.inbox.test_standing_in import stand_in
from tests.support import people

pytestmark = pytest.mark.django_db

CREW = ("ada", "bob", "cleo", "dora")
STAGES = [{"title": "Next", "assignees": {"users": ["cleo@acme.test"], "groups": ["finance"]}}]


def listed(desk, name, view="all", **narrowed):
    actor = desk.actor(desk.someone(name))
    found = ids(lists.tasks_in(actor, Wanted(view, **narrowed)))
    assert lists.count_in(actor, Wanted(view, **narrowed)) == len(found)
    return found


def check(desk, *crew):
    """What must hold for everybody, always."""
    for name in crew:
        actor = actor_of_user(desk.someone(name), desk.workspace.pk)
        if actor is None:
            continue
        rows = {view: list(lists.tasks_in(actor, Wanted(view))) for view in lists.VIEWS}
        found = {view: ids(rows[view]) for view in lists.VIEWS}
        numbers = {view: lists.count_in(actor, Wanted(view)) for view in lists.VIEWS}
        assert numbers == {view: len(one) for view, one in found.items()}
        assert {**lists.counts(actor), "done": numbers["done"]} == numbers
        assert queries.count_open(actor) == numbers["all"]
        for view in lists.VIEWS:
            assert found[view] == sorted(set(found[view]), reverse=True)
        parts = [*found["mine"], *found["groups"], *found["delegated"]]
        assert sorted(parts) == sorted(found["all"])
        assert set(found["overdue"]) <= set(found["all"])
        assert not set(found["done"]) & set(found["all"])
        for one in [*rows["all"], *rows["done"]]:
            assert queries.get_task(actor, one.pk) == one
        # What is listed as to decide can be decided, at least while there is time.
        for one in rows["all"]:
            refused = commands.refusal_for(actor, one, clock.now())
            if not (isinstance(refused, commands.TooLate) and one.pk in found["overdue"]):
                assert refused is None, (name, one.pk, refused)


@pytest.mark.parametrize("seed", range(5))
def test_the_number_of_each_view_is_its_length(desk, seed):
    chance = random.Random(seed)
    desk.team("finance", "ada", "bob")
    desk.team("legal", "cleo", "dora")
    tasks = []

    def anybody():
        return desk.someone(chance.choice(CREW))

    def one_deed():
        deed = chance.choice(
            ["ask", "ask", "ask", "decide", "decide", "claim", "release", "hand", "stand in",
             "late", "leave", "leave group"]
        )  # fmt: skip
        actor = actor_of_user(anybody(), desk.workspace.pk)
        if deed == "ask":
            tasks.append(
                desk.ask(
                    assignees={
                        "users": [f"{one}@acme.test" for one in chance.sample(CREW, 1)],
                        "groups": chance.sample(["finance", "legal"], chance.randint(0, 2)),
                    },
                    rule=chance.choice([{"any": 1}, {"any": 1}, {"all": True}]),
                    due=chance.choice(["PT1H", "P2D", None]),
                    stages=chance.choice([[], STAGES]),
                    started_by=chance.choice(["", anybody().email]),
                )
            )
        elif deed == "late":
            move_clock(hours=chance.choice([0.3, 1.1]))
            if chance.random() < 0.5:
                commands.close_overdue(now=clock.now())
        elif deed == "leave" and chance.random() < 0.3:
            desk.deactivate(anybody())
            commands.drop_leavers(now=clock.now())
        elif deed == "leave group" and chance.random() < 0.5:
            Team.objects.get(slug="finance").group.user_set.remove(anybody())
            commands.drop_leavers(now=clock.now())
        elif actor is None or not tasks:
            return
        elif deed == "stand in":
            delegating.delegate(
                actor=actor,
                to=anybody().email,
                begins_at=clock.now(),
                ends_at=clock.now() + timedelta(hours=2),
                scope=delegating.Scope(kinds=chance.choice([[], ["approval"]])),
                now=clock.now(),
            )
        elif deed == "decide":
            outcome = chance.choice(["approved", "rejected"])
            commands.decide_task(
                actor=actor,
                task_id=chance.choice(tasks).pk,
                outcome=outcome,
                comment="",
                seen=None,
                now=clock.now(),
            )
        elif deed in {"claim", "release"}:
            act = handing.claim_task if deed == "claim" else handing.release_task
            act(actor=actor, task_id=chance.choice(tasks).pk, now=clock.now())
        elif deed == "hand":
            handing.hand_over_task(
                actor=actor,
                task_id=chance.choice(tasks).pk,
                to=anybody().email,
                reason="Away",
                now=clock.now(),
            )

    for turn in range(18):
        with contextlib.suppress(ProductError, UserTask.DoesNotExist):
            one_deed()
        check(desk, CREW[turn % len(CREW)])
    check(desk, *CREW)


class TestHolds:
    def test_mine_what_was_put_to_me_by_name_or_taken_by_me(self, desk):
        desk.team("finance", "ada", "bob")
        named = desk.ask_named("ada")
        shared = desk.ask(assignees={"users": [], "groups": ["finance"]})
        assert (listed(desk, "ada", "mine"), listed(desk, "ada", "groups")) == (
            [named.pk],
            [shared.pk],
        )
        ada = desk.actor(desk.someone("ada"))
        handing.claim_task(actor=ada, task_id=shared.pk, now=clock.now())
        assert listed(desk, "ada", "mine") == [shared.pk, named.pk]
        assert listed(desk, "ada", "groups") == listed(desk, "bob", "groups") == []
        assert listed(desk, "bob", "done") == [shared.pk]

    def test_delegated_what_is_only_mine_as_i_stand_in(self, desk):
        theirs, both = desk.ask_named("ada"), desk.ask_named("ada", "bob")
        stand_in(desk, "ada", "bob")
        assert listed(desk, "bob", "delegated") == [theirs.pk]
        assert listed(desk, "bob", "mine") == [both.pk]
        assert listed(desk, "bob") == [both.pk, theirs.pk]

    def test_overdue_what_is_past_its_time_while_it_is_open(self, desk):
        soon, later = desk.ask_named("ada", due="PT1H"), desk.ask_named("ada", due="P2D")
        assert listed(desk, "ada", "overdue") == []
        move_clock(hours=2)
        assert listed(desk, "ada", "overdue") == [soon.pk]
        commands.close_overdue(now=clock.now())
        assert listed(desk, "ada", "overdue") == []
        assert listed(desk, "ada") == [later.pk]

    def test_overdue_what_nobody_has_taken_up_in_time(self, desk):
        task = desk.ask_named("ada", "bob", respond="PT1H", due="P2D")
        move_clock(hours=2)
        assert listed(desk, "ada", "overdue") == [task.pk]
        handing.claim_task(actor=desk.actor(desk.someone("ada")), task_id=task.pk, now=clock.now())
        assert listed(desk, "ada", "overdue") == []
        assert listed(desk, "ada", "mine") == [task.pk]

    def test_nothing_any_more_that_was_handed_to_somebody_else(self, desk):
        task = desk.ask_named("ada")
        handing.hand_over_task(
            actor=desk.actor(desk.someone("ada")),
            task_id=task.pk,
            to=desk.someone("bob").email,
            reason="Away",
            now=clock.now(),
        )
        assert listed(desk, "ada") == listed(desk, "ada", "done") == []
        assert listed(desk, "bob", "mine") == [task.pk]

    def test_done_what_i_answered_for_somebody_else(self, desk):
        task = desk.ask_named("ada")
        stand_in(desk, "ada", "bob")
        desk.decide(task, desk.someone("bob"))
        assert listed(desk, "ada", "done") == listed(desk, "bob", "done") == [task.pk]


class TestSearches:
    @pytest.fixture
    def tasks(self, desk):
        asked = {
            "fields": [
                {"label": "Amount", "value": "= trigger.body.amount"},
                {"label": "Vendor", "value": "= trigger.body.vendor"},
            ],
            "requester": "trigger.body.by",
        }
        rita = desk.someone("rita").email
        bodies = [
            {"amount": 120, "vendor": 'Acme "Nord" GmbH', "by": rita},
            {"amount": Decimal("7300.5"), "vendor": "Müller & Söhne", "by": "kim@elsewhere.test"},
        ]
        return [desk.ask_named("ada", body=body, **asked).pk for body in bodies]

    @pytest.mark.parametrize(
        ("text", "which"),
        [
            ("acme", [0]),
            ('"nord"', [0]),
            ("MÜLLER", [1]),
            ("7300.5", [1]),
            ("rita", [0]),
            ("kim@else", [1]),
            ("approve the ORDER", [1, 0]),
            ("100%", []),
            ("%", []),
            ("_", []),
            ("Vendor", []),
            ("\\", []),
            ("zebra", []),
        ],
    )
    def test_titles_people_and_the_values_of_facts(self, desk, tasks, text, which):
        assert listed(desk, "ada", search=text) == [tasks[one] for one in which]

    def test_the_name_of_the_flow(self, desk, tasks):
        assert listed(desk, "ada", search="test") == tasks[::-1]

    def test_only_what_one_may_see(self, desk, tasks):
        assert listed(desk, "bob", search="acme") == []
        assert listed(desk, "bob", "done", search="acme") == []

    def test_by_flow_and_by_who_asks(self, desk, tasks):
        first = queries.get_task(desk.actor(desk.someone("ada")), tasks[0])
        assert listed(desk, "ada", flow_id=first.flow_id) == [tasks[0]]
        assert listed(desk, "ada", requester="RITA@acme.test") == [tasks[0]]
        assert listed(desk, "ada", requester="kim@elsewhere.test") == [tasks[1]]
        assert listed(desk, "ada", requester="kim") == []


class TestOverTheApi:
    def get(self, desk, name, path):
        return people.browser(desk.someone(name)).get(f"/api/v1/{path}")

    def test_says_the_same_as_the_queries(self, desk):
        desk.team("finance", "ada", "bob")
        desk.ask_named("ada")
        desk.ask(assignees={"users": [], "groups": ["finance"]})
        stand_in(desk, "cleo", "ada")
        desk.ask_named("cleo", due="PT1H")
        move_clock(hours=2)
        numbers = self.get(desk, "ada", "tasks/counts/").json()
        assert numbers == {"all": 3, "mine": 1, "groups": 1, "delegated": 1, "overdue": 1}
        for view, number in numbers.items():
            rows = self.get(desk, "ada", f"tasks/?view={view}").json()["results"]
            assert len(rows) == number

    @pytest.mark.parametrize(
        "query", ["view=everything", "flow=x", f"search={'x' * 201}", "state=all", "search=%00"]
    )
    def test_refuses_what_no_list_has(self, desk, query):
        answer = self.get(desk, "ada", f"tasks/?{query}")
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")

    def test_goes_on_by_pages_in_each_view(self, desk):
        tasks = [desk.ask_named("ada").pk for _ in range(3)]
        found, path = [], "tasks/?view=mine&search=order&limit=1"
        while path:
            page = self.get(desk, "ada", path).json()
            found += [one["id"] for one in page["results"]]
            path = (page["next"] or "").partition("/api/v1/")[2]
        assert found == [str(one) for one in reversed(tasks)]

    def test_a_key_without_the_scope_counts_nothing(self, desk, client):
        headers = people.bearer(desk.someone("ada"), scopes=["flow.view"])
        answer = client.get("/api/v1/tasks/counts/", headers=headers)
        assert answer.json()["code"] == "out_of_scope"


class TestFilters:
    def send(self, desk, name, method, path="", body=None):
        browser = people.browser(desk.someone(name))
        return people.send(browser, method, f"/api/v1/task-filters/{path}", body)

    def test_are_kept_for_the_person_alone(self, desk):
        kept = {"view": "groups", "search": "acme"}
        answer = self.send(desk, "ada", "POST", body={"name": "  Big ones ", "filter": kept})
        assert answer.status_code == 201, answer.content
        assert answer.json()["name"] == "Big ones"
        assert answer.json()["filter"] == kept
        assert self.send(desk, "ada", "GET").json()["results"] == [answer.json()]
        assert self.send(desk, "bob", "GET").json()["results"] == []
        assert len(desk.trail("filter.save")) == 1

    def test_a_name_is_given_anew(self, desk):
        for search in ("one", "two"):
            self.send(desk, "ada", "POST", body={"name": "Mine", "filter": {"search": search}})
        [only] = self.send(desk, "ada", "GET").json()["results"]
        assert only["filter"] == {"search": "two"}

    def test_are_forgotten_by_their_person_alone(self, desk):
        kept = self.send(desk, "ada", "POST", body={"name": "Mine", "filter": {}}).json()
        assert self.send(desk, "bob", "DELETE", f"{kept['id']}/").status_code == 404
        assert self.send(desk, "ada", "DELETE", f"{kept['id']}/").status_code == 204
        assert self.send(desk, "ada", "GET").json()["results"] == []
        assert desk.trail("filter.delete")

    @pytest.mark.parametrize(
        "body",
        [
            {"name": "", "filter": {}},
            {"name": " ", "filter": {}},
            {"name": "x" * 61, "filter": {}},
            {"name": "x", "filter": {"view": "everything"}},
            {"name": "x", "filter": {"flow": "x"}},
            {"name": "x", "filter": {"search": "x" * 201}},
            {"name": "x"},
        ],
    )
    def test_that_cannot_be_are_refused(self, desk, body):
        assert self.send(desk, "ada", "POST", body=body).status_code == 422

    def test_are_not_without_end(self, desk, monkeypatch):
        monkeypatch.setattr("apps.inbox.filters.MOST", 1)
        assert self.send(desk, "ada", "POST", body={"name": "a", "filter": {}}).status_code == 201
        answer = self.send(desk, "ada", "POST", body={"name": "b", "filter": {}})
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")

    def test_an_auditor_changes_nothing(self, desk):
        desk.someone("eve", "auditor")
        answer = self.send(desk, "eve", "POST", body={"name": "a", "filter": {}})
        assert answer.status_code == 403
