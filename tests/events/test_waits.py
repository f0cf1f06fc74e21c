"""Runs wait for events; each event and each wait looks for the other after its own commit."""

from datetime import timedelta

import pytest

from apps.core import clock
from apps.engine import values
from apps.runs import commands, queries, sweep, verify
from apps.runs.drive import drive_all
from apps.runs.models import Run, RunCommand, Timer
from apps.triggers import envelope, matching, starting
from apps.triggers.matching import match_all
from apps.triggers.models import Event, EventKey, EventPattern, EventSubscription
from tests.events.support import BY_ORDER, EventBench, document, emitting, got, waiting
from tests.runs.support import assert_replays, at_once, journal, outputs, status

pytestmark = pytest.mark.django_db(transaction=True)


class TestMatch:
    def test_the_run_goes_on_with_the_event(self, bench):
        run_id = bench.start(bench.publish(waiting(**BY_ORDER)), {"order": 7})
        bench.settle()
        assert status(run_id) == "waiting"
        event = bench.tell({"order": 7, "amount": 12}, subject="7")
        bench.settle()

        assert status(run_id) == "completed"
        came = outputs(run_id)["wait"]["event"]
        assert came["data"] == {"order": 7, "amount": 12}
        assert came["id"] == event.event_id
        assert (came["type"], came["subject"], came["depth"]) == ("invoice.paid", "7", 1)
        assert_replays(run_id)
        assert verify.check_runs().problems == []

    def test_an_event_that_comes_first_waits(self, bench):
        bench.tell({"order": 7})
        match_all()
        run_id = bench.start(bench.publish(waiting(**BY_ORDER)), {"order": 7})
        bench.settle()

        assert status(run_id) == "completed"

    def test_only_the_one_with_the_key_is_taken(self, bench):
        version = bench.publish(waiting(**BY_ORDER))
        ids = {order: bench.start(version, {"order": order}) for order in (1, 2, 3)}
        bench.settle()
        bench.tell({"order": 2})
        bench.tell({"order": 4})
        bench.tell({"order": "2"})
        bench.settle()

        assert {order: status(one) for order, one in ids.items()} == {
            1: "waiting", 2: "completed", 3: "waiting",
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("key", "came"),
        [
            ("1.0", "1.00"),
            ("100", "1E2"),
            ('"a"', '"a"'),
            ("[1, {b: 2, a: 1}]", '[1.0, {"a": 1, "b": 2}]'),
            ('date("2026-03-01")', '"2026-03-01"'),
            ("false", "false"),
        ],
    )
    def test_keys_are_equal_as_values_are(self, bench, key, came):
        run_id = bench.start(bench.publish(waiting(key=key, key_of="event.data")))
        bench.settle()
        bench.tell(values.loads(came))
        bench.settle()

        assert status(run_id) == "completed"

    def test_without_a_key_any_event_of_the_type_will_do(self, bench):
        run_id = bench.start(bench.publish(waiting()))
        bench.tell({}, "invoice.sent")
        bench.settle()
        assert status(run_id) == "waiting"
        bench.tell(None)
        bench.settle()

        assert status(run_id) == "completed"

    def test_a_filter_reads_the_event_and_the_run(self, bench):
        where = "event.data.amount >= trigger.body.amount and event.data.tier = trigger.body.tier"
        run_id = bench.start(bench.publish(waiting(where=where)), {"amount": 10, "tier": "gold"})
        bench.tell({"amount": 9, "tier": "gold"})
        bench.settle()
        bench.tell({"amount": 11, "tier": "tin"})
        bench.settle()
        assert status(run_id) == "waiting"
        bench.tell({"amount": 10, "tier": "gold"})
        bench.settle()

        assert got(run_id) == {"amount": 10, "tier": "gold"}

    def test_a_filter_finds_the_oldest_event_that_fits_among_many(self, bench, monkeypatch):
        monkeypatch.setattr(matching, "CANDIDATES", 2)
        for amount in range(7):
            bench.tell({"amount": amount})
        match_all()
        run_id = bench.start(bench.publish(waiting(where="event.data.amount >= 5")))
        bench.settle()

        assert got(run_id) == {"amount": 5}

    def test_a_filter_that_fails_is_shown_and_takes_nothing(self, bench):
        run_id = bench.start(bench.publish(waiting(where="event.data.amount > 5")))
        bench.settle()
        event = bench.tell({"sum": 9})
        bench.settle()

        assert status(run_id) == "waiting"
        [reason] = queries.waiting_for(Run.objects.get(pk=run_id))
        assert reason["kind"] == "event"
        assert event.event_id in reason["detail"]
        assert "amount" in reason["detail"]

    def test_an_event_without_the_key_says_so(self, bench):
        bench.start(bench.publish(waiting(**BY_ORDER)), {"order": 1})
        bench.settle()
        event = bench.tell({"number": 1})
        bench.settle()

        [key] = EventKey.objects.filter(event_id=event.pk)
        assert key.key_sha256 is None
        assert "order" in key.fault

    def test_a_key_of_nothing_fails_the_step(self, bench):
        run = bench.run(waiting(key="null", key_of="event.data"))

        assert run.status == "failed"
        assert run.error["code"] == "no_key"

    def test_an_event_of_another_workspace_is_not_seen(self, bench):
        run_id = bench.start(bench.publish(waiting()))
        bench.settle()
        EventBench().tell({})
        bench.settle()

        assert status(run_id) == "waiting"


class TestOneAndMany:
    def test_one_event_wakes_all_that_wait_each_once(self, bench):
        version = bench.publish(waiting())
        ids = [bench.start(version) for _ in range(5)]
        bench.settle()
        bench.tell({"n": 1})
        bench.tell({"n": 2})
        bench.settle()

        assert [got(one) for one in ids] == [{"n": 1}] * 5
        assert RunCommand.objects.count() == 0
        for one in ids:
            assert [type_ for type_, _ in journal(one)].count("step.completed") == 2
            assert "outcome.ignored" not in dict(journal(one))

    def test_a_run_takes_an_event_only_once_in_a_loop(self, bench):
        doc = document(
            {
                "wait": {"type": "wait.event", "config": {"type": "invoice.paid"}},
                "again": {
                    "type": "decide",
                    "config": {
                        "branches": [{"port": "more", "when": "steps.wait.output.event.data.more"}],
                        "otherwise": "enough",
                    },
                },
                "end": {"type": "stop", "config": {}},
            },
            ["trigger -> wait", "wait -> again", "again.more -> wait", "again.enough -> end"],
        )
        run_id = bench.start(bench.publish(doc))
        bench.tell({"more": True})
        bench.settle()
        assert status(run_id) == "waiting"
        assert len(journal(run_id)) < 10
        bench.tell({"more": False})
        bench.settle()

        assert status(run_id) == "completed"
        assert_replays(run_id)

    def test_two_that_wait_in_one_run_both_take_it(self, bench):
        doc = document(
            {
                "one": {"type": "wait.event", "config": {"type": "invoice.paid"}},
                "two": {"type": "wait.event", "config": {"type": "invoice.paid"}},
            },
            ["trigger -> one", "trigger -> two"],
        )
        run_id = bench.start(bench.publish(doc))
        bench.settle()
        bench.tell({})
        bench.settle()

        assert status(run_id) == "completed"

    def test_events_are_taken_in_the_order_in_which_they_came(self, bench):
        for n in range(3):
            bench.tell({"n": n})
        version = bench.publish(waiting())
        run_id = bench.start(version)
        bench.settle()

        assert got(run_id) == {"n": 0}


class TestTtl:
    def test_an_event_is_gone_after_its_time(self, bench, later):
        bench.tell({}, ttl="PT10M")
        match_all()
        later(minutes=11)
        run_id = bench.start(bench.publish(waiting()))
        bench.settle()

        assert status(run_id) == "waiting"

    def test_the_default_is_an_hour(self, bench):
        event = bench.tell({})
        assert event.expires_at - event.created_at == timedelta(hours=1)
        bench.run(emitting())
        told = Event.objects.latest("id")
        assert told.expires_at - told.created_at == timedelta(hours=1)

    def test_a_transient_one_is_for_those_that_wait_already(self, bench):
        version = bench.publish(waiting())
        before = bench.start(version)
        drive_all()
        bench.tell({}, ttl="PT0S")
        after = bench.start(version)
        drive_all()  # both wait before anything is matched
        bench.settle()

        assert status(before) == "completed"
        assert status(after) == "waiting"

    def test_a_look_that_comes_late_still_finds_what_was_good_at_the_time(self, bench, later):
        bench.tell({}, ttl="PT10M")
        run_id = bench.start(bench.publish(waiting()))
        drive_all()  # no worker looks for an hour
        later(hours=1)
        bench.settle()

        assert status(run_id) == "completed"


POINTS = {
    "before it is claimed": "select id from event where keyed_at is null",
    "before its keys are written": 'INSERT INTO "event_key"',
    "before it looks": "select id from event where keyed_at is not null",
    "among those that wait": "join event_subscription s on s.pattern_id",
}
WAIT_POINTS = {
    "before its pattern is made": "select workspace_id, type, key_of, min(opened_at)",
    "before it is bound": "update event_subscription set pattern_id",
    "before it looks": "pattern_id is not null and status = 'open' and look_at",
    "among the events": "cross join lateral",
}


class TestNothingPassesBy:
    """Both commits, interleaved at each point of either look."""

    @pytest.mark.parametrize("is_known", [True, False], ids=["known key", "first of its kind"])
    @pytest.mark.parametrize("point", POINTS.values(), ids=POINTS.keys())
    def test_a_wait_that_opens_while_the_event_looks(self, bench, stop_at, point, is_known):
        version = bench.publish(waiting(**BY_ORDER))
        if is_known:
            bench.start(version, {"order": 1})
            bench.settle()
        else:
            EventPattern.objects.create(
                workspace_id=bench.workspace.pk, type="invoice.paid", created_at=clock.now()
            )
        bench.tell({"order": 7})
        with stop_at(point):
            run_id = bench.start(version, {"order": 7})
            drive_all()
            if is_known:  # else its look waits for the event's keys
                match_all()
        bench.settle()

        assert status(run_id) == "completed"
        assert verify.check_runs().problems == []

    @pytest.mark.parametrize("point", WAIT_POINTS.values(), ids=WAIT_POINTS.keys())
    def test_an_event_that_comes_while_the_first_wait_of_its_kind_looks(
        self, bench, stop_at, point
    ):
        run_id = bench.start(bench.publish(waiting(**BY_ORDER)), {"order": 7})
        drive_all()
        with stop_at(point):
            bench.tell({"order": 7})
            match_all()
        bench.settle()

        assert status(run_id) == "completed"
        assert verify.check_runs().problems == []

    # A known pattern is bound when the wait is opened; the first two points are not passed.
    @pytest.mark.parametrize("point", list(WAIT_POINTS.values())[2:], ids=list(WAIT_POINTS)[2:])
    def test_an_event_that_comes_while_a_wait_looks(self, bench, stop_at, point):
        version = bench.publish(waiting(**BY_ORDER))
        bench.start(version, {"order": 1})
        bench.settle()
        run_id = bench.start(version, {"order": 7})
        drive_all()
        with stop_at(point):
            bench.tell({"order": 7})
            match_all()
        bench.settle()

        assert status(run_id) == "completed"
        assert verify.check_runs().problems == []

    def test_many_of_each_at_once_each_finds_its_own_once(self, bench):
        version = bench.publish(waiting(**BY_ORDER))
        ids = {}

        def wait(first):
            for order in range(first, first + 15):
                ids[order] = bench.start(version, {"order": order})
                drive_all()
                match_all()

        def tell(first):
            for order in range(first, first + 15):
                bench.tell({"order": order})
                match_all()

        at_once(lambda: wait(0), lambda: tell(0), lambda: wait(15), lambda: tell(15))
        bench.settle()

        assert {status(one) for one in ids.values()} == {"completed"}
        assert {order: got(one)["order"] for order, one in ids.items()} == {n: n for n in range(30)}
        assert not EventSubscription.objects.filter(status="open").exists()

    def test_what_a_killed_worker_left_is_found_by_the_clock(self, bench, valkey, monkeypatch):
        # Else bells of the thread that rings come into the count whenever it gets to them.
        monkeypatch.setattr("apps.runs.doorbell.ring", lambda _queue: None)
        bench.start(bench.publish(waiting()))
        drive_all()
        valkey.flushdb()
        matching.ring_if_due()

        assert valkey.llen("drive") == 1
        match_all()
        valkey.flushdb()
        matching.ring_if_due()
        assert valkey.llen("drive") == 0

    def test_an_event_that_a_fault_of_ours_stops_does_not_stop_the_others(
        self, bench, monkeypatch, later
    ):
        run_id = bench.start(bench.publish(waiting(**BY_ORDER)), {"order": 2})
        bench.settle()
        plain = starting.start_flows

        def start(events, *, now):
            if any(event.data["order"] == 1 for event in events):
                raise RuntimeError("planted")
            plain(events, now=now)

        monkeypatch.setattr(starting, "start_flows", start)
        bad = bench.tell({"order": 1})
        bench.tell({"order": 2})
        bench.settle()
        assert status(run_id) == "completed"
        assert Event.objects.get(pk=bad.pk).look_at is not None
        monkeypatch.undo()
        later(minutes=2)
        match_all()

        assert Event.objects.get(pk=bad.pk).look_at is None

    def test_nor_does_one_whose_keys_or_a_wait_whose_filter_is_a_fault_of_ours(
        self, bench, monkeypatch, later
    ):
        version = bench.publish(waiting(where="event.data.ok", **BY_ORDER))
        first = bench.start(version, {"order": 1})
        bench.settle()
        plain, broken = envelope.as_feel, {"key", "filter"}

        def as_feel(event):
            if event.data["order"] in broken:
                raise RuntimeError("planted")
            return plain(event)

        monkeypatch.setattr(matching, "as_feel", as_feel)
        bad = bench.tell({"order": "key", "ok": True})
        bench.tell({"order": 1, "ok": True})
        bench.settle()
        assert status(first) == "completed"
        broken.clear()
        bench.tell({"order": "filter", "ok": True})
        bench.settle()
        broken.add("filter")
        second, third = (bench.start(version, {"order": one}) for one in ("filter", 3))
        bench.tell({"order": 3, "ok": True})
        bench.settle()
        assert (status(second), status(third)) == ("waiting", "completed")
        monkeypatch.undo()
        later(minutes=3)
        bench.settle()

        assert status(second) == "completed"
        assert Event.objects.get(pk=bad.pk).look_at is None


class TestRule7:
    """A wait is resolved once."""

    def test_the_time_limit_and_the_event_at_once(self, bench, later):
        version = bench.publish(waiting(limit="PT1M", **BY_ORDER))
        ids = [bench.start(version, {"order": n}) for n in range(12)]
        bench.settle()
        later(minutes=2)
        for n in range(12):
            bench.tell({"order": n})
        at_once(match_all, lambda: sweep.fire_timers(now=clock.now()), match_all)
        assert RunCommand.objects.count() == 12
        bench.settle()

        assert {status(one) for one in ids} == {"completed"}
        assert not Timer.objects.filter(status="open").exists()
        assert not any("outcome.ignored" in dict(journal(one)) for one in ids)
        assert verify.check_runs().problems == []

    def test_a_time_limit_that_is_over_leaves_by_its_port(self, bench, later):
        run_id = bench.start(bench.publish(waiting(limit="PT1M")))
        bench.settle()
        later(minutes=2)
        bench.settle()

        assert status(run_id) == "completed"
        assert outputs(run_id)["wait"] == {"reason": "time_limit"}
        assert EventSubscription.objects.get().status == "closed"
        assert verify.check_runs().problems == []

    @pytest.mark.parametrize("how", ["cancel", "stop"])
    def test_the_end_of_the_run_closes_what_it_waited_for(self, bench, how):
        doc = document(
            {
                "wait": {"type": "wait.event", "config": {"type": "invoice.paid"}},
                "pause": {"type": "delay", "config": {"for": "PT0S"}},
                "end": {"type": "stop", "config": {}},
            },
            ["trigger -> wait", "trigger -> pause", "pause -> end"],
        )
        run_id = bench.start(bench.publish(doc))
        drive_all()
        if how == "cancel":
            commands.cancel_run(actor=bench.actor, run_id=run_id, reason="", now=clock.now())
        bench.settle()
        bench.tell({})
        bench.settle()

        assert EventSubscription.objects.get().status == "closed"
        assert verify.check_runs().problems == []

    def test_work_that_is_withdrawn_waits_no_more(self, bench):
        doc = document(
            {
                "wait": {"type": "wait.event", "config": {"type": "invoice.paid"}},
                "other": {"type": "wait.event", "config": {"type": "invoice.gone"}},
                "drop": {"type": "cancel", "config": {"steps": ["wait"]}},
                "last": {"type": "delay", "config": {"for": "PT1H"}},
            },
            ["trigger -> wait", "trigger -> other", "other -> drop", "drop -> last"],
        )
        run_id = bench.start(bench.publish(doc))
        bench.settle()
        bench.tell({}, "invoice.gone")
        bench.settle()

        assert status(run_id) == "waiting"
        found = dict(EventSubscription.objects.values_list("step", "status"))
        assert found == {"wait": "closed", "other": "matched"}
        assert verify.check_runs().problems == []

    def test_check_runs_knows_a_subscription_that_is_lost_or_left_over(self, bench):
        bench.start(bench.publish(waiting()))
        bench.settle()
        EventSubscription.objects.update(status="closed", closed_at=clock.now(), look_at=None)

        [problem] = verify.check_runs().problems
        assert "nothing is open there" in problem.message

        EventSubscription.objects.update(status="open", closed_at=None, step="gone")
        messages = [one.message for one in verify.check_runs().problems]
        assert any("An event is looked for at “gone”" in one for one in messages)


class TestWhyItWaits:
    def test_type_and_key_and_until(self, bench):
        run_id = bench.start(bench.publish(waiting(limit="PT1H", **BY_ORDER)), {"order": "A-7"})
        bench.settle()

        [reason] = queries.waiting_for(Run.objects.get(pk=run_id))
        assert (reason["kind"], reason["type"], reason["key"]) == ("event", "invoice.paid", "A-7")
        assert reason["step"] == "wait"
        assert reason["until"] == Timer.objects.get().fires_at


class TestInside:
    def test_each_item_of_a_list_waits_for_its_own(self, bench):
        doc = document(
            {
                "all": {
                    "type": "for_each",
                    "config": {
                        "items": "trigger.body",
                        "result": "steps.wait.output.event.data.amount",
                    },
                },
                "wait": {
                    "type": "wait.event",
                    "in": "all",
                    "config": {
                        "type": "invoice.paid",
                        "key": "item.order",
                        "key_of": "event.data.order",
                        "where": "event.data.amount >= item.least",
                    },
                },
            },
            ["trigger -> all", "all.body -> wait"],
        )
        orders = [{"order": n, "least": n * 10} for n in range(4)]
        run_id = bench.start(bench.publish(doc), orders)
        bench.settle()
        reasons = queries.waiting_for(Run.objects.get(pk=run_id))
        assert [one["kind"] for one in reasons] == ["items", *["event"] * 4]
        for n in (3, 2, 1, 0):
            bench.tell({"order": n, "amount": n * 10 - 1})
            bench.tell({"order": n, "amount": n * 10})
        bench.settle()

        assert outputs(run_id)["all"]["results"] == [0, 10, 20, 30]
        assert verify.check_runs().problems == []
        assert_replays(run_id)

    def test_a_block_that_is_late_waits_no_more(self, bench, later):
        doc = document(
            {
                "part": {"type": "block", "config": {}, "time_limit": "PT1M"},
                "wait": {"type": "wait.event", "in": "part", "config": {"type": "invoice.paid"}},
                "late": {"type": "map", "config": {"fields": {}}},
            },
            ["trigger -> part", "part.body -> wait", "part.timeout -> late"],
        )
        run_id = bench.start(bench.publish(doc))
        bench.settle()
        later(minutes=2)
        bench.settle()

        assert status(run_id) == "completed"
        assert EventSubscription.objects.get().status == "closed"
        assert verify.check_runs().problems == []
