"""A step that raises, hangs, gives what is not JSON or too much, or kills its process.

Each ends visibly, failed, unknown or paused, and the runs beside it go on.
"""

import json
import os
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from django.db import connection

from apps.core import clock
from apps.runs import drive, effects, held, tasks
from apps.runs.drive import drive_all
from apps.runs.models import Effect, RunEvent
from apps.runs.slots import Slots
from apps.steps import registry
from tests.runs import odd_types
from tests.runs.support import assert_replays, document, journal, status

pytestmark = pytest.mark.django_db(transaction=True)

NOT_JSON = sorted(set(odd_types.GIVES) - {"large"})


@pytest.fixture(autouse=True)
def odd(monkeypatch):
    """The odd types are there for this test alone."""
    registry.catalogue()
    monkeypatch.setattr(registry, "_types", dict(registry._types))
    monkeypatch.setattr(effects, "_slots", Slots())
    odd_types.hanging.clear()
    odd_types.may_go.clear()
    odd_types.register()
    yield
    odd_types.may_go.set()


def flow(kind, what):
    step = {"type": kind, "config": {"what": what}}
    return document({"odd": step}, ["trigger -> odd"], name=what)


def started(bench, kind, what, count=1):
    version = bench.publish(flow(kind, what))
    ids = [bench.start(version) for _ in range(count)]
    drive_all()
    return ids


def error_of(run_id):
    from apps.runs.models import Run

    return Run.objects.get(pk=run_id).error


class TestAStepThatRaises:
    def test_outside_fails_its_run_with_a_sentence(self, bench):
        (run_id,) = started(bench, "test.effect", "raise")
        (well,) = started(bench, "test.effect", "well")
        bench.settle()
        assert (status(run_id), status(well)) == ("failed", "completed")
        error = error_of(run_id)
        assert (error["step"], error["class"], error["code"]) == ("odd", "permanent", "step_fault")
        assert "planted fault" in error["message"]
        assert_replays(run_id)

    def test_while_deciding_pauses_its_run_since_the_fault_is_ours(self, bench):
        version = bench.publish(flow("test.pure", "raise"))
        good = bench.publish(flow("test.pure", "well"))
        ids = [bench.start(one) for one in (good, version, good)]
        drive_all()
        assert [status(one) for one in ids] == ["completed", "paused", "completed"]
        row = RunEvent.objects.get(run_id=ids[1], type="run.paused")
        assert row.data["reason"] == "engine_fault"
        assert "planted fault" in row.data["detail"]

    def test_while_deciding_without_an_outcome_pauses_too(self, bench):
        (run_id,) = started(bench, "test.pure", "nothing")
        assert status(run_id) == "paused"


class TestWhatIsNotJson:
    @pytest.mark.parametrize("what", NOT_JSON)
    @pytest.mark.parametrize("kind", ["test.pure", "test.effect"])
    def test_fails_its_run_for_good_with_the_cause(self, bench, kind, what):
        (run_id,) = started(bench, kind, what)
        (well,) = started(bench, kind, "well")
        bench.settle()
        assert (status(run_id), status(well)) == ("failed", "completed")
        error = error_of(run_id)
        assert (error["class"], error["code"]) == ("permanent", "bad_output")
        assert "cannot be kept" in error["message"]
        json.dumps(error).encode()
        assert Effect.objects.filter(run_id=run_id).exclude(attempt=1).count() == 0
        assert_replays(run_id)

    def test_nothing_at_all_from_outside_is_a_fault_of_the_step(self, bench):
        (run_id,) = started(bench, "test.effect", "nothing")
        bench.settle()
        assert error_of(run_id)["code"] == "step_fault"


class TestAHundredMegabytes:
    @pytest.mark.parametrize("kind", ["test.pure", "test.effect"])
    def test_as_a_result_fail_the_step_for_good(self, bench, kind):
        (run_id,) = started(bench, kind, "large")
        bench.settle()
        assert status(run_id) == "failed"
        error = error_of(run_id)
        assert (error["class"], error["code"]) == ("permanent", "too_large")
        assert "larger than 16 MB" in error["message"]
        assert sum(len(str(row.data)) for row in RunEvent.objects.filter(run_id=run_id)) < 10_000

    @pytest.mark.parametrize("kind", ["map", "http.request"])
    def test_given_to_a_step_by_many_expressions_fail_it(self, bench, kind):
        many = {f"f{number}": "= trigger.body.text" for number in range(100)}
        config = (
            {"fields": many}
            if kind == "map"
            else {"url": "http://127.0.0.1:9/", "method": "POST", "body": many}
        )
        version = bench.publish(
            document({"step": {"type": kind, "config": config}}, ["trigger -> step"])
        )
        run_id = bench.start(version, {"text": "x" * 500_000})
        drive_all()
        assert status(run_id) == "failed"
        assert error_of(run_id)["code"] == "too_large"
        assert not Effect.objects.filter(run_id=run_id).exists()


class TestAStepThatHangs:
    def test_outside_loses_its_lease_is_tried_again_and_its_late_result_is_refused(self, bench):
        (run_id,) = started(bench, "test.effect", "hang")

        def work():
            try:
                effects.work_effects()
            finally:
                connection.close()

        worker = threading.Thread(target=work)
        worker.start()
        assert odd_types.hanging.wait(30)
        (well,) = started(bench, "test.effect", "well")
        Effect.objects.filter(run_id=run_id).update(lease_until=clock.now() - timedelta(days=1))
        assert effects.expire_leases() == 1
        # The next worker does the other one first.
        later = clock.now() + timedelta(days=1)
        Effect.objects.filter(run_id=run_id).update(available_at=later)
        bench.settle()
        assert status(well) == "completed"
        odd_types.may_go.set()
        worker.join(30)
        assert not worker.is_alive()
        drive_all()
        assert ("outcome.ignored", "odd") in journal(run_id)

    def test_while_deciding_is_killed_after_a_minute(self):
        assert tasks.drive.time_limit == 60


ALONE = """
import sys
import django
django.setup()
from tests.runs import odd_types
odd_types.register()
from apps.runs import doorbell
doorbell.ring = doorbell.ring_now = lambda queue: None
if sys.argv[1] == "drive":
    from apps.runs.drive import drive_all
    drive_all()
else:
    from apps.runs.effects import work_effects
    work_effects()
"""


def die(work):
    """A process that does this work and is killed by what it does."""
    done = subprocess.run(
        [sys.executable, "-c", ALONE, work],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
        check=False,
        timeout=120,
    )
    assert done.returncode == -9


@pytest.mark.slow
class TestAStepThatKillsItsProcess:
    def test_while_deciding_is_paused_after_three_and_the_others_go_on(self, bench):
        killer = bench.start(bench.publish(flow("test.pure", "die")))
        well = bench.start(bench.publish(flow("test.pure", "well")))
        for _ in range(3):
            die("drive")
            assert held.count_deaths() >= 1
        drive_all()
        drive_all()
        assert (status(killer), status(well)) == ("paused", "completed")
        row = RunEvent.objects.get(run_id=killer, type="run.paused")
        assert row.data["detail"] == drive.DIED

    def test_outside_is_unknown_after_three_and_the_others_go_on(self, bench):
        (killer,) = started(bench, "test.effect", "die")
        for _ in range(3):
            die("effects")
            Effect.objects.update(lease_until=clock.now() - timedelta(days=1))
            effects.expire_leases()
            Effect.objects.filter(status="queued").update(available_at=clock.now())
        (well,) = started(bench, "test.effect", "well")
        bench.settle()
        assert (status(killer), status(well)) == ("failed", "completed")
        error = error_of(killer)
        assert (error["class"], error["code"]) == ("unknown", "lease_lost")
