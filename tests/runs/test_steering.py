"""Pause, resume and cancel: one run, many, everything; the global stop."""

from datetime import timedelta

import pytest

from apps.audit.models import AuditEvent
from apps.core import clock
from apps.core.errors import Conflict, Invalid
from apps.core.models import uuid7
from apps.engine.lifecycle import EffectStatus
from apps.runs import (
    commands,
    effects,
    queries,
    replaying,
    slots,
    steering,
    stopping,
    sweep,
    verify,
)
from apps.runs.drive import drive_all
from apps.runs.models import Effect, Limit, Run, RunCommand, Timer, WaitingStart
from apps.runs.steering import Selection
from apps.steps.outcomes import StepError
from tests.runs.support import assert_replays, complete, document, status

pytestmark = pytest.mark.django_db(transaction=True)

CALL = {"type": "http.request", "config": {"url": "http://127.0.0.1:9/", "method": "GET"}}
WAIT = document({"wait": {"type": "delay", "config": {"for": "PT1H"}}}, ["trigger -> wait"])
SEND = document({"call": CALL}, ["trigger -> call"])


@pytest.fixture(autouse=True)
def own_slots(monkeypatch):
    monkeypatch.setattr(effects, "_slots", slots.Slots())


@pytest.fixture
def system(bench, people_of):
    return people_of(bench)


def steer(system, action, reason="Because", **selection):
    count = steering.steer_runs(
        actor=system,
        action=action,
        selection=Selection(**selection),
        reason=reason,
        now=clock.now(),
    )
    drive_all()
    return count


class TestOneRun:
    def test_a_paused_run_keeps_what_comes_and_goes_on_when_resumed(self, bench, system):
        doc = document(
            {"wait": {"type": "delay", "config": {"for": "PT1H"}},
             "then": {"type": "map", "config": {"fields": {}}}},
            ["trigger -> wait", "wait -> then"],
        )  # fmt: skip
        run_id = bench.start(bench.publish(doc))
        drive_all()
        steering.pause_run(actor=system, run_id=run_id, reason="Stocktaking", now=clock.now())
        drive_all()
        assert status(run_id) == "paused"
        [reason] = queries.waiting_for(Run.objects.get(pk=run_id))
        assert reason["kind"] == "paused"
        assert "Stocktaking" in reason["detail"]
        complete(run_id, "wait")
        drive_all()
        assert status(run_id) == "paused"
        assert_replays(run_id)
        commands.resume_run(actor=system, run_id=run_id, now=clock.now())
        drive_all()
        assert status(run_id) == "completed"
        assert_replays(run_id)

    def test_no_effect_of_it_begins_and_its_time_is_kept(self, bench, system):
        run_id = bench.start(bench.publish(SEND))
        drive_all()
        due = Effect.objects.get().available_at
        steering.pause_run(actor=system, run_id=run_id, reason="", now=clock.now())
        drive_all()
        assert effects.claim() is None
        assert not sweep.are_effects_due()
        commands.resume_run(actor=system, run_id=run_id, now=clock.now())
        drive_all()
        assert Effect.objects.get().available_at == due
        assert effects.claim() is not None

    def test_a_run_that_waits_for_its_turn_can_be_paused(self, bench, system):
        doc = {**WAIT, "settings": {"concurrency": {"max": 1}}}
        version = bench.publish(doc)
        first, second = bench.start(version), bench.start(version)
        drive_all()
        steering.pause_run(actor=system, run_id=second, reason="", now=clock.now())
        drive_all()
        assert status(second) == "paused"
        complete(first, "wait")
        drive_all()
        assert status(second) == "paused"
        commands.resume_run(actor=system, run_id=second, now=clock.now())
        drive_all()
        assert status(second) == "waiting"
        assert_replays(second)

    def test_one_that_is_over_is_a_conflict(self, bench, system):
        run = bench.run(
            document({"a": {"type": "map", "config": {"fields": {}}}}, ["trigger -> a"])
        )
        with pytest.raises(Conflict):
            steering.pause_run(actor=system, run_id=run.id, reason="", now=clock.now())


class TestMany:
    def test_those_of_a_flow_with_one_row_in_the_trail(self, bench, system):
        version, other = bench.publish(WAIT), bench.publish(WAIT)
        ids = [bench.start(version) for _ in range(3)]
        spared = bench.start(other)
        drive_all()

        assert steer(system, "pause", "Prices are wrong", flow=version.flow_id) == 3
        assert {status(one) for one in ids} == {"paused"}
        assert status(spared) == "waiting"
        row = AuditEvent.objects.get(verb="run.pause")
        assert row.target_type == "workspace"
        assert steer(system, "resume", flow=version.flow_id) == 3
        assert {status(one) for one in ids} == {"waiting"}

    def test_by_ids_a_filter_and_all(self, bench, system):
        version = bench.publish(WAIT)
        ids = [bench.start(version) for _ in range(4)]
        drive_all()
        assert steer(system, "cancel", ids=tuple(ids[:1])) == 1
        assert (
            steer(system, "pause", filter={"status": "waiting", "flow": str(version.flow_id)}) == 3
        )
        assert steer(system, "cancel", everything=True) == 3
        assert {status(one) for one in ids} == {"cancelled"}
        assert verify.check_runs().problems == []

    def test_cancels_those_that_wait_for_their_turn_too(self, bench, system):
        version = bench.publish({**WAIT, "settings": {"concurrency": {"max": 1}}})
        ids = [bench.start(version) for _ in range(3)]
        drive_all()
        assert steer(system, "cancel", everything=True) == 3
        drive_all()
        assert {status(one) for one in ids} == {"cancelled"}
        assert Limit.objects.get().used == 0
        assert not WaitingStart.objects.exists()

    @pytest.mark.parametrize(
        "selection",
        [
            {},
            {"ids": (uuid7(),), "everything": True},
            {"flow": uuid7(), "filter": {"status": "queued"}},
        ],
    )
    def test_none_or_several_ways_to_say_which_are_refused(self, selection):
        with pytest.raises(Invalid):
            Selection(**selection)

    def test_a_reason_is_asked_for_and_an_unknown_filter_refused(self, bench, system):
        with pytest.raises(Invalid):
            steer(system, "cancel", reason=" ", everything=True)
        with pytest.raises(Invalid):
            steer(system, "cancel", filter={"colour": "red"})
        with pytest.raises(Invalid):
            steer(system, "cancel", filter={"status": "asleep"})


class TestGlobalStop:
    def stop(self, system):
        return stopping.stop_everything(actor=system, reason="Breach", now=clock.now())

    def lift(self, system):
        count = stopping.lift_stop(actor=system, reason="", now=clock.now())
        drive_all()
        return count

    def test_holds_starts_in_their_order_and_lets_them_go(self, bench, system):
        self.stop(system)
        version = bench.publish(WAIT)
        ids = [bench.start(version) for _ in range(3)]
        drive_all()
        assert {status(one) for one in ids} == {"queued"}
        assert not RunCommand.objects.exists()  # nothing that back-pressure would count
        [reason] = queries.waiting_for(Run.objects.get(pk=ids[0]))
        assert (reason["kind"], "Breach" in reason["detail"]) == ("stopped", True)
        assert verify.check_runs().problems == []
        assert self.lift(system) == 3
        assert {status(one) for one in ids} == {"waiting"}

    def test_no_effect_begins_and_what_runs_goes_on(self, bench, system):
        doc = document(
            {"wait": {"type": "delay", "config": {"for": "PT1H"}}, "call": CALL},
            ["trigger -> wait", "wait -> call"],
        )
        run_id = bench.start(bench.publish(doc))
        drive_all()
        self.stop(system)
        complete(run_id, "wait")
        drive_all()
        assert Effect.objects.get().status == "queued"
        assert effects.claim() is None
        assert not sweep.are_effects_due()
        assert queries.waiting_for(Run.objects.get(pk=run_id))[0]["kind"] == "stopped"
        self.lift(system)
        assert effects.claim() is not None

    def test_limited_effects_do_not_begin_either(self, bench, system):
        doc = document({"call": {**CALL, "concurrency": {"max": 1}}}, ["trigger -> call"])
        bench.start(bench.publish(doc))
        drive_all()
        self.stop(system)
        assert effects.claim() is None
        self.lift(system)
        assert effects.claim() is not None

    def test_one_that_runs_alone_does_not_begin_either(self, bench, system):
        bench.start(bench.publish(SEND))
        drive_all()
        Effect.objects.update(deaths=2)
        self.stop(system)
        assert effects.claim() is None
        assert not slots.reserve_one()
        self.lift(system)
        assert effects.claim() is not None

    @pytest.mark.parametrize("ended", ["it failed", "its worker died"])
    def test_one_under_way_ends_and_is_not_begun_anew(self, bench, system, ended):
        run_id = bench.start(bench.publish(SEND))
        drive_all()
        effect = effects.claim()
        assert effect is not None
        self.stop(system)
        if ended == "it failed":
            busy = StepError("busy", "Busy.", error_class="transient")
            effects._report_failure(effect, effects.Context(effect), busy)
        else:
            Effect.objects.update(lease_until=clock.real_now() - timedelta(seconds=1))
            assert effects.expire_leases() == 1
        Effect.objects.update(available_at=clock.now())
        drive_all()
        assert Effect.objects.get().status == "queued"
        assert effects.work_effects() == 0
        assert queries.waiting_for(Run.objects.get(pk=run_id))[0]["kind"] == "stopped"
        self.lift(system)
        again = effects.claim()
        assert again is not None
        assert again.attempt == 2

    def test_what_one_under_way_gives_is_taken(self, bench, system):
        run_id = bench.start(bench.publish(SEND))
        drive_all()
        effect = effects.claim()
        assert effect is not None
        self.stop(system)
        payload = {"step": "call", "visit": 1, "port": "done", "output": {"status": 200}}
        effects._report(effect, EffectStatus.SUCCEEDED, "complete", payload)
        drive_all()
        assert status(run_id) == "completed"

    def test_a_timer_fires_and_what_it_leads_to_does_not_begin(self, bench, system):
        doc = document(
            {"wait": {"type": "delay", "config": {"for": "PT1H"}}, "call": CALL},
            ["trigger -> wait", "wait -> call"],
        )
        bench.start(bench.publish(doc))
        drive_all()
        self.stop(system)
        Timer.objects.update(fires_at=clock.now())
        assert sweep.fire_timers(now=clock.now()) == 1
        drive_all()
        assert Effect.objects.get().status == "queued"
        assert effects.work_effects() == 0

    def test_a_run_that_another_starts_is_held_and_so_is_one_done_again(self, bench, system):
        over = bench.run(
            document({"a": {"type": "map", "config": {"fields": {}}}}, ["trigger -> a"])
        )
        doc = document(
            {"wait": {"type": "delay", "config": {"for": "PT1H"}},
             "sub": {"type": "subflow", "config": {"flow": str(over.flow_id)}}},
            ["trigger -> wait", "wait -> sub"],
        )  # fmt: skip
        run_id = bench.start(bench.publish(doc))
        drive_all()
        self.stop(system)
        complete(run_id, "wait")
        again = replaying.replay_run(
            actor=system, run_id=over.pk, from_step="", version="own", mode="live", now=clock.now()
        )
        drive_all()
        child = Run.objects.get(parent_id=run_id)
        assert (status(child.pk), status(again.pk)) == ("queued", "queued")
        assert WaitingStart.objects.filter(reason="stopped").count() == 2
        self.lift(system)
        assert {status(one) for one in (run_id, child.pk, again.pk)} == {"completed"}

    def test_of_one_workspace_is_not_that_of_another(self, bench, system):
        from tests.runs.support import Bench

        self.stop(system)
        other = Bench()
        run_id = other.start(other.publish(SEND))
        drive_all()
        assert status(run_id) == "running"
        assert effects.claim() is not None

    def test_an_admitted_run_keeps_its_slot(self, bench, system):
        version = bench.publish({**WAIT, "settings": {"concurrency": {"max": 1}}})
        first, second = bench.start(version), bench.start(version)
        drive_all()
        self.stop(system)
        complete(first, "wait")
        drive_all()
        drive_all()
        assert (status(first), status(second)) == ("completed", "queued")
        assert Limit.objects.get().used == 1
        self.lift(system)
        assert status(second) == "waiting"
        assert Limit.objects.get().used == 1
        assert verify.check_runs().problems == []

    def test_a_held_run_can_be_cancelled(self, bench, system):
        self.stop(system)
        run_id = bench.start(bench.publish(WAIT))
        drive_all()
        commands.cancel_run(actor=system, run_id=run_id, reason="", now=clock.now())
        drive_all()
        assert status(run_id) == "cancelled"

    def test_twice_is_a_conflict_and_so_is_going_on_when_nothing_is_stopped(self, bench, system):
        self.stop(system)
        with pytest.raises(stopping.AlreadyStopped):
            self.stop(system)
        self.lift(system)
        with pytest.raises(Conflict):
            self.lift(system)
        with pytest.raises(Invalid):
            stopping.stop_everything(actor=system, reason=" ", now=clock.now())

    def test_is_in_the_trail(self, bench, system):
        self.stop(system)
        self.lift(system)
        verbs = AuditEvent.objects.filter(verb__startswith="operations.").order_by("at")
        assert list(verbs.values_list("verb", flat=True)) == [
            "operations.stop",
            "operations.resume",
        ]
