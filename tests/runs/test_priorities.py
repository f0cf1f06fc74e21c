"""Which runs go first: high, normal, low, and bulk work behind them; none starves."""

from typing import Any
from uuid import UUID

import pytest

from apps.core import clock
from apps.core.errors import Invalid
from apps.runs import (
    commands,
    drive,
    effect_claims,
    effects,
    limits,
    priorities,
    queries,
    replaying,
    steering,
    verify,
)
from apps.runs.drive import drive_all, drive_batch
from apps.runs.models import Effect, Run, RunCommand, RunState, WaitingStart
from apps.runs.priorities import Priority
from apps.runs.slots import Slots
from apps.steps.check import check_document
from tests.runs.support import complete, document, flood, status

pytestmark = pytest.mark.django_db(transaction=True)

MAP = {"type": "map", "config": {"fields": {}}}
WAIT = {"type": "delay", "config": {"for": "P1D"}}
CALL = {"type": "http.request", "config": {"url": "https://shop.example/orders"}}
BULK = {"priority": Priority.BULK}


def flow(step: dict[str, Any] = MAP, **settings: Any) -> dict[str, Any]:
    return document({"a": step}, ["trigger -> a"], settings=settings)


def priority_of(run_id: UUID) -> int:
    found: int = RunState.objects.values_list("priority", flat=True).get(run_id=run_id)
    return found


def done(run_ids: list[UUID]) -> int:
    return Run.objects.filter(pk__in=run_ids, status="completed").count()


@pytest.fixture(autouse=True)
def own_slots(monkeypatch):
    monkeypatch.setattr(effects, "_slots", Slots())
    monkeypatch.setattr(effect_claims, "BY_LOT", 0)
    monkeypatch.setattr(limits, "BY_AGE", 0)


class TestWhatAFlowSays:
    @pytest.mark.parametrize(
        ("settings", "priority"),
        [
            ({}, Priority.NORMAL),
            ({"priority": "high"}, Priority.HIGH),
            ({"priority": "normal"}, Priority.NORMAL),
            ({"priority": "low"}, Priority.LOW),
            # Published before flows had priorities, when any name was kept as it was.
            ({"priority": "bulk"}, Priority.NORMAL),
            ({"priority": "first"}, Priority.NORMAL),
            ({"priority": 7}, Priority.NORMAL),
            ({"priority": None}, Priority.NORMAL),
            ({"priority": ["low"]}, Priority.NORMAL),
            (None, Priority.NORMAL),
        ],
    )
    def test_is_that_of_its_runs(self, settings, priority):
        assert priorities.of_settings(settings) == priority

    @pytest.mark.parametrize("odd", ["bulk", "urgent", "High", 1, ["low"], True])
    def test_another_value_is_a_finding(self, odd):
        [found] = [one for one in check_document(flow(priority=odd)) if one.severity == "error"]
        assert (found.code, found.path) == ("bad_settings", "/settings/priority")

    @pytest.mark.parametrize("name", ["high", "normal", "low", None])
    def test_what_is_known_is_none(self, name):
        assert not [one for one in check_document(flow(priority=name)) if one.severity == "error"]

    def test_commands_effects_and_waiting_starts_have_the_runs(self, bench, people_of):
        started = []
        for step in (WAIT, CALL):
            version = bench.publish(flow(step, priority="low", concurrency={"max": 1}))
            for _ in range(2):
                run = commands.start_run(
                    actor=people_of(bench), flow_id=version.flow_id, input={}, now=clock.now()
                )
                started.append(run.pk)
        assert {priority_of(one) for one in started} == {Priority.LOW}
        assert set(RunCommand.objects.values_list("priority", flat=True)) == {Priority.LOW}
        drive_all()
        assert set(WaitingStart.objects.values_list("priority", flat=True)) == {Priority.LOW}
        assert Effect.objects.get().priority == Priority.LOW
        complete(started[0], "a")
        assert RunCommand.objects.get().priority == Priority.LOW
        drive_batch()
        assert RunCommand.objects.get(kind="admit").priority == Priority.LOW
        drive_all()
        assert not verify.check_runs().problems


class TestOneStartedWithAPriority:
    @pytest.fixture
    def start(self, bench, people_of):
        version = bench.publish(flow(WAIT, priority="normal"))

        def begin(priority):
            return commands.start_run(
                actor=people_of(bench),
                flow_id=version.flow_id,
                input={},
                priority=priority,
                now=clock.now(),
            )

        return begin

    @pytest.mark.parametrize(
        ("asked", "expected"), [("", 0), ("normal", 0), ("low", 10), ("bulk", 20)]
    )
    def test_may_be_put_behind(self, start, asked, expected):
        assert priority_of(start(asked).pk) == expected

    @pytest.mark.parametrize("asked", ["high", "first", "HIGH", "0"])
    def test_not_before_and_not_anything(self, start, asked):
        with pytest.raises(Invalid):
            start(asked)
        assert not Run.objects.exists()


class TestDriving:
    def test_the_higher_gets_more_of_a_batch_and_the_lower_a_part(self, bench):
        by = {
            name: [
                bench.start(version, priority=Priority[name.upper()])
                for version in [bench.publish(flow())]
                for _ in range(40)
            ]
            for name in ("high", "normal", "low", "bulk")
        }
        drive_batch(limit=30)
        assert [done(by[name]) for name in ("high", "normal", "low", "bulk")] == [16, 8, 4, 2]

    def test_the_lowest_comes_to_its_turn_however_much_is_above_it(self, bench):
        last = bench.start(bench.publish(flow()), priority=Priority.LOW)
        for _ in range(30):
            bench.start(bench.publish(flow()), priority=Priority.HIGH)
        drive_batch(limit=10)
        assert status(last) == "completed"

    def test_a_single_place_is_enough_for_each(self, bench):
        runs = [bench.start(bench.publish(flow()), priority=one) for one in Priority]
        while drive_batch(limit=1):
            pass
        assert done(runs) == len(runs)

    def test_what_one_person_orders_for_one_run_goes_before_a_flood(self, bench, people_of):
        version = bench.publish(flow(WAIT))
        one = bench.start(version)
        drive_all()
        flood = [bench.start(version) for _ in range(60)]
        actor = people_of(bench)
        commands.cancel_run(actor=actor, run_id=one, reason="", now=clock.now())
        paused = flood[-1]
        steering.pause_run(actor=actor, run_id=paused, reason="Look", now=clock.now())
        drive_batch(limit=10)
        assert status(one) == "cancelled"
        assert status(paused) == "paused"


class TestBulkWork:
    def test_live_runs_go_first_with_10000_bulk_commands_open(self, bench):
        bulk = bench.publish(flow())
        flood(bulk, 10_000, priority=Priority.BULK)
        live = bench.publish(flow())
        runs = [bench.start(live) for _ in range(50)]
        drive_batch()
        assert done(runs) == 50
        assert 0 < Run.objects.filter(flow_id=bulk.flow_id, status="completed").count() <= 20

    def test_takes_a_tenth_of_a_batch_also_where_it_is_alone(self, bench):
        version = bench.publish(flow())
        for _ in range(40):
            bench.start(version, **BULK)
        assert drive_batch(limit=100) == 10
        drive_all(limit=100)
        assert not RunCommand.objects.exists()

    def test_is_decided_after_what_is_live_and_put_off_where_it_takes_long(
        self, bench, monkeypatch
    ):
        monkeypatch.setattr(drive, "MAX_SECONDS_OF_BULK", 0.0)
        version = bench.publish(flow())
        bulk = [bench.start(version, **BULK) for _ in range(5)]
        live = [bench.start(version) for _ in range(5)]
        drive_batch()
        assert (done(live), done(bulk)) == (5, 0)
        drive_all()
        assert done(bulk) == 5

    @pytest.mark.parametrize("action", ["pause", "cancel"])
    def test_is_what_is_ordered_for_many_runs(self, bench, people_of, action):
        version = bench.publish(flow(WAIT, priority="high"))
        waiting = [bench.start(version, priority=Priority.HIGH) for _ in range(30)]
        drive_all()
        steering.steer_runs(
            actor=people_of(bench),
            action=action,
            selection=steering.Selection(flow=version.flow_id),
            reason="All of them",
            now=clock.now(),
        )
        assert set(RunCommand.objects.values_list("priority", flat=True)) == {Priority.BULK}
        live = bench.start(bench.publish(flow()))
        drive_batch(limit=20)
        assert status(live) == "completed"
        over = {"pause": "paused", "cancel": "cancelled"}[action]
        assert 0 < Run.objects.filter(pk__in=waiting, status=over).count() <= 2
        drive_all()
        assert Run.objects.filter(pk__in=waiting, status=over).count() == 30

    def test_many_that_are_resumed_go_behind_what_is_live(self, bench, people_of):
        version = bench.publish(flow(WAIT))
        waiting = [bench.start(version) for _ in range(30)]
        everything = {"actor": people_of(bench), "reason": "So", "now": clock.now()}
        of_flow = steering.Selection(flow=version.flow_id)
        steering.steer_runs(action="pause", selection=of_flow, **everything)
        drive_all()
        for run_id in waiting:
            complete(run_id, "a")
        drive_all()
        steering.steer_runs(action="resume", selection=of_flow, **everything)
        assert set(RunCommand.objects.values_list("priority", flat=True)) == {Priority.BULK}
        drive_all()
        assert done(waiting) == 30

    def test_is_what_is_done_again(self, bench, people_of):
        first = bench.run(flow(priority="high"))
        again = replaying.replay_run(
            actor=people_of(bench),
            run_id=first.pk,
            from_step="",
            version="own",
            mode="live",
            now=clock.now(),
        )
        assert priority_of(again.pk) == Priority.BULK
        drive_all()
        assert status(again.pk) == "completed"

    def test_is_what_bulk_work_starts(self, bench):
        version = bench.publish(flow(WAIT, priority="high"))
        caller = document(
            {"sub": {"type": "subflow", "config": {"flow": str(version.flow_id)}}},
            ["trigger -> sub"],
        )
        version = bench.publish(caller)
        for priority, expected in (
            (Priority.BULK, 20),
            (Priority.LOW, -10),
            (Priority.NORMAL, -10),
        ):
            run_id = bench.start(version, priority=priority)
            drive_all()
            child = RunState.objects.get(parent_id=run_id)
            assert child.priority == expected

    def test_a_call_of_it_may_be_cancelled_with_its_caller(self, bench, people_of):
        version = bench.publish(flow(CALL))
        run_id = bench.start(version, **BULK)
        drive_all()
        assert Effect.objects.get().priority == Priority.BULK
        commands.cancel_run(actor=people_of(bench), run_id=run_id, reason="", now=clock.now())
        drive_all()
        assert status(run_id) == "cancelled"
        assert Effect.objects.get().status == "dropped"


class TestUnderALimit:
    def started(self, bench, **settings):
        version = bench.publish(flow(WAIT, concurrency={"max": 1, **settings}))
        holder = bench.start(version, {"k": 1})
        drive_all()
        return version, holder

    @pytest.mark.parametrize("settings", [{}, {"key": "trigger.body.k"}], ids=["flow", "key"])
    def test_a_live_start_goes_before_bulk_starts_that_wait_longer(self, bench, settings):
        version, holder = self.started(bench, **settings)
        bulk = [bench.start(version, {"k": 1}, **BULK) for _ in range(5)]
        drive_all()
        live = bench.start(version, {"k": 1})
        drive_all()
        assert WaitingStart.objects.count() == 6
        complete(holder, "a")
        drive_all()
        assert status(live) == "waiting"
        complete(live, "a")
        drive_all()
        assert [status(one) for one in bulk] == ["waiting"] + ["queued"] * 4  # in their order
        assert not verify.check_runs().problems

    def test_a_place_goes_by_age_alone_often_enough(self, bench, monkeypatch):
        version, holder = self.started(bench)
        bulk = bench.start(version, **BULK)
        drive_all()
        live = bench.start(version)
        drive_all()
        monkeypatch.setattr(limits, "BY_AGE", 1)
        complete(holder, "a")
        drive_all()
        assert (status(bulk), status(live)) == ("waiting", "queued")

    def test_a_live_start_with_a_key_does_not_wait_for_a_bulk_start_in_line(self, bench):
        version, _ = self.started(bench, key="trigger.body.k")
        for _ in range(30):
            bench.start(version, {"k": 1}, **BULK)
        live = bench.start(version, {"k": 2})
        drive_batch(limit=20)
        assert status(live) == "waiting"  # it has begun, and waits for its day


class TestEffects:
    def queue(self, bench, priority: int, count: int = 1, **fields: Any) -> list[UUID]:
        version = bench.publish(document({"a": {**CALL, **fields}}, ["trigger -> a"]))
        runs = [bench.start(version, priority=priority) for _ in range(count)]
        drive_all()
        return runs

    @pytest.mark.parametrize("limit", [None, {"max": 50}], ids=["free", "limited"])
    def test_the_higher_go_first(self, bench, limit):
        fields = {"concurrency": limit} if limit else {}
        expected = []
        for priority in (Priority.BULK, Priority.LOW, Priority.HIGH, Priority.NORMAL):
            self.queue(bench, priority, 2, **fields)
            expected += [int(priority)] * 2
        claimed = [one.priority for _ in range(8) if (one := effects.claim())]
        assert claimed == sorted(expected)

    def test_of_both_kinds_the_higher_go_first(self, bench):
        for priority, fields in (
            (Priority.HIGH, {}),
            (Priority.NORMAL, {"concurrency": {"max": 5}}),
            (Priority.LOW, {}),
            (Priority.BULK, {"concurrency": {"max": 5}}),
        ):
            self.queue(bench, priority, 3, **fields)
        claimed = [one.priority for _ in range(12) if (one := effects.claim())]
        assert claimed == sorted(claimed)
        assert len(claimed) == 12

    def test_in_one_limit_too(self, bench):
        version = bench.publish(flow({**CALL, "concurrency": {"max": 1}}))
        bulk = bench.start(version, **BULK)
        live = bench.start(version)
        drive_all()
        first = effects.claim()
        assert first is not None
        assert (first.run_id, effects.claim()) == (live, None)
        assert bulk in set(Effect.objects.filter(status="queued").values_list("run_id", flat=True))

    def test_one_in_ten_goes_by_lot(self, bench, monkeypatch):
        monkeypatch.setattr(effect_claims, "BY_LOT", 1)
        self.queue(bench, Priority.NORMAL, 30)
        self.queue(bench, Priority.LOW, 30)
        claimed = [one.priority for _ in range(20) if (one := effects.claim())]
        assert Priority.LOW in claimed  # that it is not: one in a million

    def test_bulk_work_has_at_most_half_of_the_threads(self, bench, settings):
        settings.EFFECT_THREADS = 6
        self.queue(bench, Priority.BULK, 10)
        claimed = [one for _ in range(6) if (one := effects.claim())]
        assert len(claimed) == 3
        self.queue(bench, Priority.NORMAL, 3)
        assert sum(effects.claim() is not None for _ in range(4)) == 3
        effects._slots.leave_bulk()
        last = effects.claim()
        assert last is not None
        assert last.is_bulk

    def test_a_group_of_threads_gets_no_more_of_it_than_they_may(self, bench):
        self.queue(bench, Priority.BULK, 10)
        self.queue(bench, Priority.NORMAL, 2)
        dealt = effect_claims._claim_for([True, False, False, True, False, True])
        assert [one and one.is_bulk for one in dealt].count(True) == 3
        assert [one and one.is_bulk for one in dealt].count(False) == 2
        assert not any(one.is_bulk for one in (dealt[1], dealt[2], dealt[4]) if one)


class TestWhyItWaits:
    def test_one_behind_others_says_so(self, bench):
        version = bench.publish(flow())
        bench.start(version, priority=Priority.HIGH)
        run_id = bench.start(version, **BULK)
        [reason] = queries.waiting_for(Run.objects.get(pk=run_id))
        assert (reason["kind"], reason["priority"]) == ("worker", "bulk")
        assert reason["ahead"] == 1
