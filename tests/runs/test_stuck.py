"""Runs without progress are noted with their cause: three times the usual time, a minute at least."""

from datetime import timedelta

import pytest

from apps.core import clock
from apps.core.models import Outbox
from apps.engine import events as ev
from apps.runs import commands, effects, queries, stopping, stuck
from apps.runs.drive import drive_all
from apps.runs.models import Effect, RunState, StepTime, StuckRun
from tests.runs.support import complete, document, status

pytestmark = pytest.mark.django_db(transaction=True)

CALL = {"type": "http.request", "config": {"url": "http://127.0.0.1:9/", "method": "GET"}}
SEND = document({"call": CALL}, ["trigger -> call"])
LISTEN = document(
    {"wait": {"type": "wait.event", "config": {"type": "order.paid"}}}, ["trigger -> wait"]
)
MINUTE = timedelta(minutes=1)


def look(after):
    return stuck.note_stuck(now=clock.now() + after)


def listed(bench, people_of):
    runs = queries.visible_runs(people_of(bench))
    return {run.pk for run in queries.filtered(runs, {"stuck": "true"})}


class TestWork:
    def test_is_stuck_after_a_minute_with_its_cause_and_told_once(self, bench, people_of):
        run_id = bench.start(bench.publish(SEND))
        drive_all()
        assert look(MINUTE / 2) == 0
        assert look(MINUTE * 2) == 1
        assert look(MINUTE * 3) == 0

        assert listed(bench, people_of) == {run_id}
        noted = StuckRun.objects.get()
        assert (noted.step, noted.cause["kind"]) == ("call", "effect")
        assert noted.cause["detail"] == "Waits for a free worker."
        assert Outbox.objects.filter(topic="run.stuck").count() == 1

    def test_is_not_stuck_any_more_once_it_moves(self, bench, people_of):
        run_id = bench.start(bench.publish(SEND))
        drive_all()
        look(MINUTE * 2)
        effects.claim()
        complete(run_id, "call")
        drive_all()
        assert status(run_id) == "completed"
        assert listed(bench, people_of) == set()
        look(MINUTE * 2)
        assert not StuckRun.objects.exists()

    def test_that_is_never_taken_up_is_stuck_too(self, bench):
        bench.start(bench.publish(SEND))
        assert look(MINUTE * 2) == 1
        assert StuckRun.objects.get().cause["kind"] == "worker"

    def test_waits_three_times_as_long_as_the_step_usually_takes(self, bench):
        version = bench.publish(SEND)
        for _ in range(3):
            run_id = bench.start(version)
            drive_all()
            complete(run_id, "call")
            drive_all()
        now = clock.now()
        usual = stuck.usual_time(flow_id=version.flow_id, step="call", now=now)
        assert usual is not None
        StepTime.objects.update(usual_s=100.0, counted_at=now)
        bench.start(version)
        drive_all()
        assert look(timedelta(seconds=290)) == 0
        assert look(timedelta(seconds=310)) == 1
        assert StuckRun.objects.get().usual_s == 100.0


class TestStatedEnds:
    def test_are_waited_for(self, bench):
        doc = document({"a": {"type": "delay", "config": {"for": "PT1H"}}}, ["trigger -> a"])
        bench.start(bench.publish(doc))
        drive_all()
        assert look(timedelta(minutes=59)) == 0

    def test_so_is_the_next_try(self, bench):
        run_id = bench.start(bench.publish(SEND))
        drive_all()
        next_at = clock.now() + timedelta(minutes=30)
        Effect.objects.update(attempt=1, available_at=next_at)
        error = ev.Error("call", "transient", "http_status", "It answered 503.").as_json()
        commands.add_command(
            run_id=run_id,
            lane=RunState.objects.get().lane,
            kind="retry",
            payload={
                "step": "call",
                "visit": 1,
                "attempt": 1,
                "error": error,
                "next_at": next_at.isoformat(),
            },
            now=clock.now(),
        )
        drive_all()
        assert look(timedelta(minutes=29)) == 0
        assert look(timedelta(minutes=32)) == 1


class TestOthers:
    def test_who_answers_in_their_own_time_is_not_stuck_without_a_history(self, bench):
        version = bench.publish(LISTEN)
        bench.start(version)
        drive_all()
        assert look(timedelta(days=2)) == 0

        StepTime.objects.update_or_create(
            flow_id=version.flow_id,
            step="wait",
            defaults={"usual_s": 60.0, "visits": 5, "counted_at": clock.now() + timedelta(days=2)},
        )
        assert look(timedelta(days=2)) == 1
        assert StuckRun.objects.get().cause["kind"] == "event"

    def test_what_people_have_paused_or_stopped_is_not_stuck(self, bench, people_of):
        bench.start(bench.publish(SEND))
        drive_all()
        stopping.stop_everything(actor=people_of(bench), reason="x", now=clock.now())
        assert look(MINUTE * 5) == 0


def test_looks_more_seldom_where_there_is_much_to_look_at(monkeypatch):
    looked = []
    at = [100.0]

    def slow(**_):
        looked.append(at[0])
        at[0] += 1.0

    monkeypatch.setattr("apps.runs.stuck.note_stuck", slow)
    monkeypatch.setattr("apps.runs.stuck.monotonic", lambda: at[0])
    watch = stuck.Watch()
    for _ in range(400):
        watch.look()
        at[0] += 1.0
    assert len(looked) == 3
