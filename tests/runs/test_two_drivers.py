"""Two drivers at once (engine rules 1 and 2)."""

import psycopg
import pytest
from django.db import connection, transaction

from apps.core import clock
from apps.runs import sweep, verify, writing
from apps.runs.drive import drive_all, drive_batch
from apps.runs.models import Limit, Run, RunCommand, RunState
from tests.runs.support import (
    Stopped,
    assert_replays,
    at_once,
    complete,
    document,
    journal,
    status,
)

pytestmark = pytest.mark.django_db(transaction=True)

WAIT = document(
    {
        "wait": {"type": "delay", "config": {"for": "PT1H"}},
        "then": {"type": "map", "config": {"fields": {"n": "= steps.wait.output.n"}}},
    },
    ["trigger -> wait", "wait -> then"],
)
SHORT = document({"one": {"type": "map", "config": {"fields": {}}}}, ["trigger -> one"])
MANY = document(
    {f"w{n}": {"type": "delay", "config": {"for": "PT1H"}} for n in range(1, 21)},
    [f"trigger -> w{n}" for n in range(1, 21)],
)
POINTS = {
    "before the claim": "with recursive lanes",
    "between the locks and the commands": "select id, run_id, kind",
    "before the write": "with journal as",
    "before the timers": "insert into timer",
}


everywhere = pytest.mark.parametrize("point", POINTS.values(), ids=POINTS.keys())


class TestRule1:
    @everywhere
    def test_no_wake_up_is_lost_wherever_the_other_stands(self, bench, point):
        waiting = bench.start(bench.publish(WAIT))
        with Stopped(point) as first:
            if point == POINTS["before the claim"]:
                drive_all()
            other = bench.start(bench.publish(SHORT))
            if point != POINTS["before the claim"]:
                # The wait is not there yet; what comes for it too early is ignored, not lost.
                drive_all()
                assert status(other) == "completed"
            first.go_on()
        complete(waiting, "wait", output={"n": 7})
        drive_all()

        assert status(waiting) == "completed"
        assert not RunCommand.objects.exists()
        assert_replays(waiting)

    @pytest.mark.parametrize("point", list(POINTS.values())[:3], ids=list(POINTS)[:3])
    def test_what_comes_while_a_driver_holds_the_run_is_driven_by_its_next_claim(
        self, bench, point
    ):
        run_id = bench.start(bench.publish(WAIT))
        drive_all()
        complete(run_id, "wait", visit=99)  # something to drive it by
        with Stopped(point):
            complete(run_id, "wait", output={"n": 1})
            if point != POINTS["before the claim"]:
                assert drive_batch() == 0  # held: passed over, never waited for

        assert status(run_id) == "completed"
        assert_replays(run_id)


class TestRule1Order:
    def test_commands_of_one_run_are_taken_in_their_order_by_however_many(self, bench):
        run_id = bench.start(bench.publish(MANY))
        drive_all()

        def feed():
            for number in range(20, 0, -1):
                complete(run_id, f"w{number}")
                drive_batch(limit=1)

        def drive():
            for _ in range(40):
                drive_batch(limit=1)

        at_once(feed, drive, drive)
        drive_all()

        seen = [step for type_, step in journal(run_id) if type_ == "step.completed"]
        assert seen == [f"w{number}" for number in range(20, 0, -1)]
        assert_replays(run_id)

    def test_a_driver_goes_on_until_an_empty_claim_after_its_last_commit(self, bench):
        version = bench.publish(SHORT)
        ids = [bench.start(version) for _ in range(7)]

        assert drive_all(limit=2) == 7

        assert {status(one) for one in ids} == {"completed"}


class TestRule2:
    def test_a_command_is_inserted_while_a_driver_holds_the_run(self, bench):
        run_id = bench.start(bench.publish(WAIT))
        with Stopped("with journal as"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("set local lock_timeout = '2s'")
            complete(run_id, "wait")
            # A key share lock, which a foreign key would take, passes by the driver's lock.
            cursor.execute(
                "select 1 from run_state where run_id = %s for key share nowait", [run_id]
            )
            cursor.execute(
                "select 1 from run_state where run_id = %s for no key update skip locked", [run_id]
            )
            assert cursor.fetchone() is None

    def test_drivers_of_limited_flows_never_lock_each_other_out(self, bench):
        versions = [
            bench.publish(
                document(
                    {"wait": {"type": "delay", "config": {"for": "PT0S"}}},
                    ["trigger -> wait"],
                    settings={"concurrency": {"max": 2}},
                )
            )
            for _ in range(3)
        ]
        ids = [bench.start(version) for _ in range(6) for version in versions]

        def work():
            for _ in range(12):
                drive_batch(limit=4)
                sweep.fire_timers(now=clock.now())

        at_once(work, work, work)
        bench.settle()

        assert {status(one) for one in ids} == {"completed"}
        assert set(Limit.objects.values_list("used", flat=True)) == {0}
        assert not RunState.objects.exists()
        assert verify.check_runs().problems == []

    def test_a_deadlock_is_tried_again(self, bench, monkeypatch):
        run_id = bench.start(bench.publish(SHORT))
        plain, tries = writing.write, []

        def write(*arguments):
            tries.append(1)
            if len(tries) < 3:
                raise psycopg.errors.DeadlockDetected("planted")
            plain(*arguments)

        monkeypatch.setattr(writing, "write", write)

        assert drive_batch() == 1
        assert status(run_id) == "completed"
        assert Run.objects.count() == 1
