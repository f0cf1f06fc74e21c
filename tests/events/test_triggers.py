"""Flows start by events: filtered before there is a run, once, and never in a circle for ever."""

import pytest

from apps.core import outbox
from apps.operations.models import Alert
from apps.runs.models import Run
from apps.triggers.matching import match_all
from apps.triggers.models import Delivery, Event
from tests.events.support import document, emitting, got, starting, waiting
from tests.runs.support import at_once, status
from tests.support import people

pytestmark = pytest.mark.django_db(transaction=True)


def verdicts():
    return list(Delivery.objects.order_by("id").values_list("verdict", flat=True))


def test_each_event_of_the_type_starts_a_run(bench):
    version = bench.release(
        document(
            {
                "note": {
                    "type": "map",
                    "config": {
                        "fields": {
                            "got": "= [trigger.type, trigger.body.n, trigger.event.type,"
                            " trigger.event.subject, trigger.event.depth]"
                        }
                    },
                }
            },
            ["trigger -> note"],
            trigger={"type": "event", "config": {"type": "invoice.paid"}},
        )
    )
    bench.tell({"n": 1}, subject="R-1")
    bench.tell({"n": 2}, "invoice.sent")
    bench.settle()

    [run] = bench.runs_of(version)
    assert run.trigger_type == "event"
    assert got(run.pk) == ["event", 1, "invoice.paid", "R-1", 1]
    assert verdicts() == ["accepted"]


def test_every_flow_of_that_type_and_every_wait_gets_it(bench):
    versions = [bench.release(starting()) for _ in range(3)]
    run_id = bench.start(bench.publish(waiting()))
    bench.settle()
    bench.tell({"n": 1})
    bench.settle()

    assert [len(bench.runs_of(one)) for one in versions] == [1, 1, 1]
    assert status(run_id) == "completed"


def test_a_run_does_not_wait_for_the_event_that_started_it(bench):
    doc = {**waiting(), "trigger": {"type": "event", "config": {"type": "invoice.paid"}}}
    version = bench.release(doc)
    bench.tell({"n": 1})
    bench.settle()
    [run] = bench.runs_of(version)
    assert run.status == "waiting"
    bench.tell({"n": 2})
    bench.settle()

    assert got(run.pk) == {"n": 2}


def test_the_filter_is_asked_before_there_is_a_run(bench):
    version = bench.release(starting(filter="event.data.amount > 10"))
    for amount in (5, 15, 20):
        bench.tell({"amount": amount})
    bench.settle()

    assert len(bench.runs_of(version)) == 2
    assert verdicts() == ["accepted", "accepted"]


@pytest.mark.parametrize(
    ("filter_", "says"),
    [
        ("event.data.sum > 10", "sum"),
        ("event.data.amount", "true or false"),
        ('event.data.amount > "x"', "filter failed"),
    ],
)
def test_a_filter_that_fails_is_shown(bench, filter_, says):
    version = bench.release(starting(filter=filter_))
    bench.tell({"amount": 1})
    bench.settle()

    assert bench.runs_of(version) == []
    delivery = Delivery.objects.get()
    assert (delivery.verdict, delivery.run_id) == ("refused", None)
    assert says in delivery.reason


def test_events_that_are_the_same_start_one_run(bench):
    version = bench.release(starting(dedupe="event.data.order"))
    for order in (1, 1, 2):
        bench.tell({"order": order})
    bench.settle()

    first, _ = bench.runs_of(version)
    assert verdicts() == ["accepted", "duplicate", "accepted"]
    assert Delivery.objects.filter(verdict="duplicate").get().run_id == first.pk


def test_a_key_that_cannot_be_told_is_refused(bench):
    bench.release(starting(dedupe="event.data"))
    bench.tell({"order": 1})
    bench.settle()

    assert "text or a number" in Delivery.objects.get().reason


def test_a_paused_flow_holds_them_and_an_archived_one_takes_none(bench):
    version = bench.release(starting(), state="paused")
    bench.tell({"n": 1})
    bench.settle()
    [run] = bench.runs_of(version)
    assert (run.status, verdicts()) == ("queued", ["held"])
    bench.move(version, "active")
    bench.settle()
    assert Run.objects.get(pk=run.pk).status == "completed"
    bench.move(version, "archived")
    bench.tell({"n": 2})
    bench.settle()

    assert len(bench.runs_of(version)) == 1


def test_several_workers_start_one_run_each(bench):
    version = bench.release(starting())
    for n in range(20):
        bench.tell({"n": n})
    at_once(*[match_all] * 4)
    bench.settle()

    assert sorted(got(run.pk)["n"] for run in bench.runs_of(version)) == list(range(20))


def test_a_circle_ends_and_tells_the_owner(bench):
    bench.workspace = people.make_workspace("ring")
    bench.owner = people.person(bench.workspace, "builder")
    ping = {**emitting("pong"), "trigger": {"type": "event", "config": {"type": "ping"}}}
    pong = {**emitting("ping"), "trigger": {"type": "event", "config": {"type": "pong"}}}
    bench.release(ping)
    bench.release(pong)
    bench.tell({"n": 1}, "ping")
    bench.settle()

    assert Run.objects.count() == 32
    assert set(Run.objects.values_list("status", flat=True)) == {"completed"}
    assert verdicts().count("too_deep") == 1
    last = Event.objects.latest("id")
    assert last.depth == 33
    assert len(set(Event.objects.values_list("correlation", flat=True))) == 1
    outbox.relay()
    alert = Alert.objects.get(kind="too_deep")
    assert alert.user == bench.owner
    assert "ping" in alert.body
    assert "pong" in alert.body
    outbox.relay()
    assert Alert.objects.get().count == 1
