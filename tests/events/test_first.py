"""The first of several things is taken, and withdraws the others."""

import pytest

from apps.core import clock
from apps.engine.working_time import STANDARD
from apps.runs import queries, sweep, verify
from apps.runs.models import Run, RunEvent, Timer
from apps.steps.working import after_working
from apps.triggers.matching import match_all
from apps.triggers.models import EventSubscription
from tests.events.support import document
from tests.runs.support import assert_replays, at_once, journal, outputs, status

pytestmark = pytest.mark.django_db(transaction=True)

PAID = {"type": "paid", "key": "trigger.body.order", "key_of": "event.data.order"}
GONE = {"type": "gone", "key": "trigger.body.order", "key_of": "event.data.order"}


def first_of(*ways, **more):
    """A flow with a note behind each way."""
    ports = [one["port"] for one in ways]
    steps = {
        "wait": {"type": "wait.first", "config": {"ways": list(ways)}, **more},
        **{port: {"type": "map", "config": {"fields": {}}} for port in ports},
    }
    links = ["trigger -> wait", *(f"wait.{port} -> {port}" for port in ports)]
    return document(steps, links)


WAYS = [
    {"port": "paid", "event": PAID},
    {"port": "gone", "event": GONE},
    {"port": "late", "for": "PT1H"},
    {"port": "never", "until": 'date("2999-01-01")'},
]


def clock_of(run_id):
    return RunEvent.objects.get(run_id=run_id, type="step.started").at


def taken(run_id):
    return [step for type_, step in journal(run_id) if type_ == "step.completed"]


@pytest.mark.parametrize(("type_", "port"), [("paid", "paid"), ("gone", "gone")])
def test_an_event_that_is_first(bench, type_, port):
    run_id = bench.start(bench.publish(first_of(*WAYS)), {"order": 7})
    bench.settle()
    bench.tell({"order": 7}, type_)
    bench.settle()

    assert taken(run_id) == ["wait", port]
    assert outputs(run_id)["wait"]["port"] == port
    assert outputs(run_id)["wait"]["event"]["data"] == {"order": 7}
    assert sorted(EventSubscription.objects.values_list("status", flat=True)) == [
        "closed",
        "matched",
    ]
    assert Timer.objects.get().status == "closed"
    assert verify.check_runs().problems == []
    assert_replays(run_id)


def test_a_time_that_is_first_leaves_by_its_own_way(bench, later):
    run_id = bench.start(bench.publish(first_of(*WAYS)), {"order": 7})
    bench.settle()
    later(hours=2)
    bench.settle()
    bench.tell({"order": 7}, "paid")
    bench.settle()

    assert taken(run_id) == ["wait", "late"]
    assert outputs(run_id)["wait"]["event"] is None
    assert set(EventSubscription.objects.values_list("status", flat=True)) == {"closed"}
    assert verify.check_runs().problems == []


def test_a_time_limit_of_the_step_ends_all_ways(bench, later):
    doc = first_of(*WAYS[:2], time_limit="PT1M")
    doc["steps"]["over"] = {"type": "map", "version": 1, "config": {"fields": {}}}
    doc["links"].append({"from": "wait", "port": "timeout", "to": "over"})
    run_id = bench.start(bench.publish(doc), {"order": 7})
    bench.settle()
    later(minutes=2)
    bench.settle()

    assert taken(run_id) == ["wait", "over"]
    assert set(EventSubscription.objects.values_list("status", flat=True)) == {"closed"}
    assert verify.check_runs().problems == []


def test_all_at_once_one_is_taken_and_nobody_is_told_twice(bench, later):
    version = bench.publish(first_of(*WAYS))
    ids = [bench.start(version, {"order": n}) for n in range(12)]
    bench.settle()
    later(hours=2)
    for n in range(12):
        bench.tell({"order": n}, "paid")
        bench.tell({"order": n}, "gone")
    at_once(match_all, lambda: sweep.fire_timers(now=clock.now()), match_all)
    bench.settle()

    for run_id in ids:
        assert len(taken(run_id)) == 2
        assert "outcome.ignored" not in dict(journal(run_id))
    assert verify.check_runs().problems == []


def test_an_event_that_lost_is_left_for_the_next_wait(bench):
    doc = document(
        {
            "wait": {
                "type": "wait.first",
                "config": {
                    "ways": [{"port": "paid", "event": PAID}, {"port": "gone", "event": GONE}]
                },
            },
            "next": {"type": "wait.event", "config": GONE},
        },
        ["trigger -> wait", "wait.paid -> next"],
    )
    run_id = bench.start(bench.publish(doc), {"order": 1})
    bench.settle()
    bench.tell({"order": 1}, "paid")
    bench.tell({"order": 1}, "gone")
    bench.settle()

    assert taken(run_id) == ["wait", "next"]
    assert status(run_id) == "completed"


def test_what_came_before_is_found_by_the_first_way_in_order_of_time(bench):
    bench.tell({"order": 1}, "gone")
    bench.tell({"order": 1}, "paid")
    match_all()
    run_id = bench.start(bench.publish(first_of(*WAYS)), {"order": 1})
    bench.settle()

    assert taken(run_id) == ["wait", "gone"]


def test_one_event_that_fits_two_ways_takes_the_one_drawn_first(bench):
    ways = [
        {"port": "big", "event": {"type": "paid", "where": "event.data.amount > 10"}},
        {"port": "any", "event": {"type": "paid"}},
    ]
    version = bench.publish(first_of(*ways))
    one, two = bench.start(version), bench.start(version)
    bench.settle()
    bench.tell({"amount": 11}, "paid")
    bench.settle()
    assert {*taken(one), *taken(two)} == {"wait", "big"}

    small = bench.start(version)
    bench.tell({"amount": 1}, "paid")
    bench.settle()
    assert status(small) == "completed"


def test_why_it_waits_names_every_way(bench):
    run_id = bench.start(bench.publish(first_of(*WAYS)), {"order": 7})
    bench.settle()

    [reason] = queries.waiting_for(Run.objects.get(pk=run_id))
    assert (reason["kind"], reason["type"], reason["key"]) == ("event", "paid", 7)
    assert [way["port"] for way in reason["ways"]] == ["paid", "gone", "late", "never"]
    assert reason["until"] == Timer.objects.get().fires_at


def test_times_alone_are_a_wait_for_time(bench):
    run_id = bench.start(bench.publish(first_of(*WAYS[2:])))
    bench.settle()

    [reason] = queries.waiting_for(Run.objects.get(pk=run_id))
    assert reason["kind"] == "time"
    assert Timer.objects.get().port == "late"


def test_a_way_in_working_time_counts_by_the_calendar(bench):
    ways = [
        {"port": "plain", "for": "P30D"},
        {"port": "office", "for": "PT40H", "business": True},
    ]
    run_id = bench.start(bench.publish(first_of(*ways)))
    bench.settle()

    timer = Timer.objects.get(run_id=run_id)
    assert timer.port == "office"
    assert timer.fires_at == after_working(STANDARD, clock_of(run_id), "PT40H")
