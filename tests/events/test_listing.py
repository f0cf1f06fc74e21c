"""The list of events: where each stands, what it did, and which types are known."""

import pytest

from apps.triggers import takers
from apps.triggers.models import Event
from tests.events.support import BY_ORDER, document, emitting, starting, waiting
from tests.support import people

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client(bench):
    bench.workspace = people.make_workspace("list")
    bench.owner = people.person(bench.workspace, "operator", "builder")
    return people.browser(bench.owner)


def rows(client, query=""):
    answer = client.get(f"/api/v1/events/{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def states(client, query=""):
    return [one["state"] for one in rows(client, query)]


class TestWhereAnEventStands:
    def test_taken_by_a_flow_that_it_started(self, bench, client):
        version = bench.release(starting())
        bench.tell({"n": 1})
        bench.settle()
        [row] = rows(client)
        [run] = bench.runs_of(version)
        assert row["state"] == "taken"
        assert row["takers"] == [
            {
                "what": "accepted",
                "flow": str(version.flow_id),
                "flow_name": "Test",
                "run": str(run.pk),
                "step": "",
                "reason": "",
            }
        ]

    def test_taken_by_a_run_that_waited(self, bench, client):
        run_id = bench.start(bench.publish(waiting(**BY_ORDER)), {"order": 7})
        bench.settle()
        bench.tell({"order": 7})
        bench.settle()
        [row] = rows(client)
        [taker] = row["takers"]
        assert (row["state"], taker["what"], taker["step"]) == ("taken", "woke", "wait")
        assert taker["run"] == str(run_id)

    def test_refused_with_the_reason(self, bench, client):
        bench.release(starting(filter="event.data.sum > 10"))
        bench.tell({"n": 1})
        bench.settle()
        [row] = rows(client)
        [taker] = row["takers"]
        assert (row["state"], taker["what"], taker["run"]) == ("refused", "refused", None)
        assert "sum" in taker["reason"]

    def test_waiting_for_somebody_until_it_is_too_old(self, bench, client, later):
        bench.tell({"n": 1}, ttl="PT1H")
        bench.tell({"n": 2}, ttl="PT0S")
        bench.settle()
        assert states(client) == ["expired", "waiting"]
        later(hours=2)
        assert states(client) == ["expired", "expired"]

    def test_from_a_flow_or_from_outside(self, bench, client):
        version = bench.publish(emitting("pong"))
        bench.start(version, {"n": 1})
        bench.settle()
        bench.tell({"n": 2}, "ping")
        inside, outside = rows(client, "?from_outside=false"), rows(client, "?from_outside=true")
        assert [(one["type"], one["flow_name"]) for one in inside] == [("pong", "Test")]
        assert [(one["type"], one["flow_name"]) for one in outside] == [("ping", "")]

    @pytest.mark.parametrize("state", takers.STATES)
    def test_can_be_asked_for(self, bench, client, state):
        bench.release(starting("good"))
        bench.release(starting("bad", filter="1 / 0 > 1"))
        bench.tell({}, "good")
        bench.tell({}, "bad")
        bench.tell({}, "nobody")
        bench.tell({}, "gone", ttl="PT0S")
        bench.settle()
        assert states(client, f"?state={state}") == [state]

    @pytest.mark.parametrize("query", ["?state=lost", "?from_outside=maybe", "?run=x"])
    def test_a_filter_that_is_none_is_refused(self, bench, client, query):
        assert client.get(f"/api/v1/events/{query}").status_code == 422


class TestKnownTypes:
    def known(self, client):
        answer = client.get("/api/v1/event-types/")
        assert answer.status_code == 200
        return answer.json()["types"]

    def test_are_those_that_came_start_a_flow_or_are_published(self, bench, client):
        assert self.known(client) == []
        bench.tell({}, "b.came")
        bench.tell({}, "b.came")
        bench.release(starting("c.starts"))
        ways = [
            {"port": "one", "event": {"type": "e.waited"}},
            {"port": "late", "for": "P1D"},
        ]
        doc = document(
            {
                "tell": {"type": "emit", "config": {"type": "d.told"}},
                "any": {"type": "emit", "config": {"type": "= trigger.body.type"}},
                "wait": {"type": "wait.first", "config": {"ways": ways}},
            },
            ["trigger -> tell", "tell -> any", "any -> wait"],
        )
        bench.publish(doc)
        assert self.known(client) == ["b.came", "c.starts", "d.told", "e.waited"]

    def test_are_those_of_the_own_workspace_alone(self, bench, client):
        bench.tell({}, "mine")
        other = people.make_workspace("other")
        stranger = people.browser(people.person(other, "builder"))
        assert self.known(stranger) == []
        Event.objects.filter(type="mine").update(workspace_id=other.pk)
        assert self.known(client) == []
        assert self.known(stranger) == ["mine"]

    @pytest.mark.parametrize(
        "broken", [[], {"steps": []}, {"steps": {"a": 1}}, {"steps": {"a": {"type": "emit"}}}]
    )
    def test_a_document_of_any_shape_is_no_reason_to_fail(self, bench, client, broken):
        assert list(takers._named_in(broken)) == []


def test_a_run_lists_the_runs_that_it_started(bench, client):
    called = bench.publish(document({"end": {"type": "stop", "config": {}}}, ["trigger -> end"]))
    config = {"flow": str(called.flow_id)}
    caller = bench.publish(
        document({"call": {"type": "subflow", "config": config}}, ["trigger -> call"])
    )
    run_id = bench.start(caller, {})
    bench.settle()
    found = client.get(f"/api/v1/runs/?parent={run_id}").json()["results"]
    assert [one["flow"]["id"] for one in found] == [str(called.flow_id)]
    child = client.get(f"/api/v1/runs/{found[0]['id']}/").json()
    assert child["parent"] == str(run_id)
    assert client.get("/api/v1/runs/?parent=x").status_code == 422
