"""Waits are resolved once, whatever comes late is written down, and cancel ends all (rules 7, 23, 25)."""

import pytest

from apps.core import clock
from apps.runs import commands, sweep, verify
from apps.runs.drive import drive_all
from apps.runs.late import bury_late_commands
from apps.runs.models import Effect, RunCommand, RunState, Timer
from tests.runs.support import (
    Stopped,
    assert_replays,
    at_once,
    complete,
    document,
    journal,
    last_row,
    status,
)

pytestmark = pytest.mark.django_db(transaction=True)

WAIT = document({"wait": {"type": "delay", "config": {"for": "PT1H"}}}, ["trigger -> wait"])
DUE = document({"wait": {"type": "delay", "config": {"for": "PT0S"}}}, ["trigger -> wait"])
EVERYTHING = document(
    {
        "wait": {"type": "delay", "config": {"for": "PT1H"}},
        "call": {"type": "http.request", "config": {"url": "http://127.0.0.1:9/", "method": "GET"}},
        "pass": {"type": "delay", "config": {"for": "PT2H"}},
        "end": {"type": "stop", "config": {"outcome": "completed"}},
    },
    ["trigger -> wait", "trigger -> call", "trigger -> pass", "pass -> end"],
)


class TestRule7:
    def test_a_timer_fires_once_however_many_clocks_there_are(self, bench):
        ids = [bench.start(bench.publish(DUE)) for _ in range(10)]
        drive_all()
        now = clock.now()

        fired = at_once(*[lambda: sweep.fire_timers(now=now)] * 3)

        assert sum(fired) == 10
        assert RunCommand.objects.count() == 10
        drive_all()
        assert {status(one) for one in ids} == {"completed"}

    def test_timers_fire_in_the_order_they_are_due_and_all_of_them(self, bench):
        version = bench.publish(DUE)
        ids = [bench.start(version) for _ in range(5)]
        drive_all()
        due = clock.now()
        for place, run_id in enumerate(reversed(ids)):
            Timer.objects.filter(run_id=run_id).update(
                fires_at=due.replace(year=2020, microsecond=place)
            )

        assert sweep.fire_timers(now=due, limit=2) == 5

        found = RunCommand.objects.order_by("id").values_list("run_id", flat=True)
        assert list(found)[:2] == list(reversed(ids))[:2]

    def test_an_outcome_that_is_queued_when_the_run_is_cancelled_is_ignored(self, bench, people_of):
        run_id = bench.start(bench.publish(WAIT))
        drive_all()
        cancel(bench, people_of, run_id)
        complete(run_id, "wait")
        drive_all()

        assert status(run_id) == "cancelled"
        assert journal(run_id)[-2:] == [("run.cancelled", ""), ("outcome.ignored", "wait")]

    def test_one_that_is_written_while_the_run_ends_is_put_away_by_the_clock(
        self, bench, people_of
    ):
        run_id = bench.start(bench.publish(WAIT))
        drive_all()
        cancel(bench, people_of, run_id)
        with Stopped("with journal as"):
            complete(run_id, "wait")  # the commands have been read; this one nobody will claim
        assert status(run_id) == "cancelled"
        assert RunCommand.objects.count() == 1

        assert bury_late_commands() == 0  # not at once: a second must have passed
        RunCommand.objects.update(created_at=clock.now().replace(year=2020))
        assert sweep.oldest_command_age_s() > 1
        at_once(bury_late_commands, bury_late_commands)

        assert sweep.oldest_command_age_s() == 0
        assert journal(run_id)[-1] == ("outcome.ignored", "wait")
        assert last_row(run_id).data["reason"] == "run_over"
        assert verify.check_runs().problems == []


class TestCancel:
    """Rule 25."""

    def test_closes_timers_and_effects_in_the_same_transaction(self, bench, people_of):
        run_id = bench.start(bench.publish(EVERYTHING))
        drive_all()
        assert Timer.objects.filter(status="open").count() == 2
        cancel(bench, people_of, run_id)
        drive_all()

        assert status(run_id) == "cancelled"
        assert set(Timer.objects.values_list("status", flat=True)) == {"closed"}
        assert Effect.objects.get().status == "dropped"
        assert not RunState.objects.exists()
        assert verify.check_runs().problems == []
        assert_replays(run_id)

    def test_of_a_finished_run_is_a_conflict(self, bench, people_of):
        run = bench.run(DUE)
        bench.settle()

        with pytest.raises(commands.RunIsOver):
            cancel(bench, people_of, run.id)

    @pytest.mark.parametrize("when", ["queued", "held", "waiting", "paused"])
    def test_in_every_state(self, bench, people_of, when):
        version = bench.publish(WAIT)
        run_id = bench.start(version, held=when == "held")
        if when in {"waiting", "paused"}:
            drive_all()
        if when == "paused":
            state = RunState.objects.get()
            commands.add_command(
                run_id=run_id,
                lane=state.lane,
                kind="pause",
                payload={"reason": "person"},
                now=clock.now(),
            )
            drive_all()
            assert status(run_id) == "paused"
        cancel(bench, people_of, run_id)
        drive_all()

        assert status(run_id) == "cancelled"
        assert verify.check_runs().problems == []
        assert_replays(run_id)


class TestStop:
    """Rule 23."""

    def test_drops_what_is_open_and_the_result_that_comes_later_is_journaled(self, bench):
        run_id = bench.start(bench.publish(EVERYTHING))
        drive_all()
        complete(run_id, "pass")
        drive_all()

        assert status(run_id) == "completed"
        assert not Timer.objects.filter(status="open").exists()
        assert Effect.objects.get().status == "dropped"
        assert verify.check_runs().problems == []


def cancel(bench, people_of, run_id):
    commands.cancel_run(actor=people_of(bench), run_id=run_id, reason="", now=clock.now())
