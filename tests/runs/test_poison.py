"""A fault concerns its own run, and a fault of ours never fails one (engine rule 4)."""

import os
import signal
import subprocess
import sys
from uuid import UUID

import pytest
from django.db import DataError, OperationalError, connection

from apps.core import clock
from apps.core.models import Outbox
from apps.flows.compiled import compiled
from apps.runs import commands, drive, held, queries, writing
from apps.runs.drive import drive_all, drive_batch
from apps.runs.evaluation import Evaluation
from apps.runs.models import PARKED, Limit, Run, RunCommand, RunEvent, RunState
from tests.runs.support import assert_replays, complete, document, journal, status

pytestmark = pytest.mark.django_db(transaction=True)

SHORT = document({"one": {"type": "map", "config": {"fields": {}}}}, ["trigger -> one"])
ODD = document({"odd": {"type": "map", "config": {"fields": {}}}}, ["trigger -> odd"])
WAIT = document({"odd": {"type": "delay", "config": {"for": "PT1H"}}}, ["trigger -> odd"])


@pytest.fixture
def fault(monkeypatch):
    """A fault of ours in every run that has a step “odd”, until it is mended."""
    plain = Evaluation.go_on
    broken = [True]

    def go_on(evaluation):
        if broken[0] and "odd" in evaluation.steps:
            raise RuntimeError("planted")
        plain(evaluation)

    monkeypatch.setattr(Evaluation, "go_on", go_on)
    return broken


class TestAFaultWhileDeciding:
    def test_pauses_that_run_only_and_the_rest_of_its_batch_commits(self, bench, fault):
        odd, good = bench.publish(ODD), bench.publish(SHORT)
        ids = [bench.start(version) for version in (good, odd, good, odd, good)]

        assert drive_all() == 5

        assert [status(one) for one in ids] == [
            *("completed", "paused", "completed", "paused", "completed")
        ]
        assert journal(ids[1]) == [("run.paused", "")]
        assert_replays(ids[1])
        [reason] = queries.waiting_for(Run.objects.get(pk=ids[1]))
        assert (reason["kind"], reason["detail"]) == ("fault", "RuntimeError: planted")
        assert reason["since"] is not None

    def test_is_shown_to_operators_once(self, bench, fault):
        run_id = bench.start(bench.publish(WAIT))
        drive_all()
        complete(run_id, "odd")
        complete(run_id, "odd")
        drive_all()

        assert Outbox.objects.filter(topic="run.engine_fault").count() == 1
        assert RunCommand.objects.filter(priority=PARKED).count() == 3
        assert drive_all() == 0

    def test_is_over_when_it_is_mended_and_the_run_resumed(self, bench, fault, people_of):
        run_id = bench.start(bench.publish(ODD))
        drive_all()
        fault[0] = False

        commands.resume_run(actor=people_of(bench), run_id=run_id, now=clock.now())
        drive_all()

        assert status(run_id) == "completed"
        assert_replays(run_id)

    def test_does_not_keep_anybody_from_withdrawing_the_run(self, bench, fault, people_of):
        run_id = bench.start(bench.publish(ODD))
        drive_all()

        commands.cancel_run(
            actor=people_of(bench), run_id=run_id, reason="Broken.", now=clock.now()
        )
        drive_all()

        assert status(run_id) == "cancelled"
        assert not RunCommand.objects.exists()
        assert_replays(run_id)

    def test_gives_back_the_slot_that_the_run_was_about_to_take(self, bench, fault):
        version = bench.publish({**ODD, "settings": {"concurrency": {"max": 1}}})
        ids = [bench.start(version), bench.start(version)]
        drive_all()
        drive_all()

        assert {status(one) for one in ids} == {"paused"}
        assert Limit.objects.get().used == RunState.objects.exclude(limit_key=None).count()

    def test_a_version_that_cannot_be_read_pauses_its_runs_only(self, bench, monkeypatch):
        bad, good = bench.start(bench.publish(ODD)), bench.start(bench.publish(SHORT))

        def unreadable(version_id):
            flow = compiled(version_id)
            if "odd" in flow.steps:
                raise LookupError("planted")
            return flow

        monkeypatch.setattr(drive, "compiled", unreadable)
        drive_all()

        assert (status(bad), status(good)) == ("paused", "completed")


class TestABatchThatCannotBeWritten:
    @pytest.fixture
    def unwritable(self, bench, monkeypatch):
        """Runs whose journal rows PostgreSQL refuses."""
        refused: set[UUID] = set()
        sizes: list[int] = []
        plain = writing._write_runs

        def write(cursor, done, over, alive, batch):
            sizes.append(len(done))
            if any(one.run.run_id in refused and one.rows[0].type != "run.paused" for one in done):
                cursor.execute("select 1 / 0")
            plain(cursor, done, over, alive, batch)

        monkeypatch.setattr(writing, "_write_runs", write)
        return refused, sizes

    def test_is_halved_until_the_culprit_is_alone(self, bench, unwritable):
        refused, sizes = unwritable
        version = bench.publish(SHORT)
        ids = [bench.start(version) for _ in range(9)]
        refused.add(ids[6])

        assert drive_batch() == 9

        assert [status(one) for one in ids] == [
            "paused" if one in refused else "completed" for one in ids
        ]
        assert sizes[0] == 9
        assert len(sizes) <= 9

    def test_a_run_that_cannot_even_be_paused_is_put_aside(self, bench):
        version = bench.publish(SHORT)
        ids = [bench.start(version) for _ in range(4)]
        with connection.cursor() as cursor:
            cursor.execute("delete from run where id = %s", [ids[2]])
        drive_all()

        assert {status(one) for one in ids if one != ids[2]} == {"completed"}
        assert RunCommand.objects.get().priority == PARKED
        assert drive_all() == 0

    def test_a_command_that_cannot_be_read_holds_up_nobody(self, bench):
        good = bench.start(bench.publish(SHORT))
        bad = bench.start(bench.publish(ODD))
        with connection.cursor() as cursor:
            cursor.execute(
                'update run_state set snapshot = \'{"status": "odd"}\' where run_id = %s', [bad]
            )
        drive_all()

        assert status(good) == "completed"
        assert RunCommand.objects.get().priority == PARKED

    def test_the_databases_own_trouble_pauses_nobody(self, bench, monkeypatch):
        run_id = bench.start(bench.publish(SHORT))
        plain = writing.write

        def write(*_):
            raise OperationalError("disk full")

        monkeypatch.setattr(writing, "write", write)
        with pytest.raises(OperationalError):
            drive_batch()
        monkeypatch.setattr(writing, "write", plain)
        assert status(run_id) == "queued"
        drive_all()
        assert status(run_id) == "completed"


KILLED = """
import os, sys
import django
django.setup()
from uuid import UUID
from apps.runs.held import Held
with Held() as held:
    held.note([UUID(one) for one in sys.argv[1:]])
    print("held", flush=True)
    sys.stdin.read()
"""


def die_holding(*run_ids):
    """A driver process that is killed while it holds these runs."""
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, *map(str, run_ids)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
    )
    assert process.stdin
    assert process.stdout
    assert process.stdout.readline() == b"held\n"
    assert held.count_deaths() == 0  # it lives
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdin.close()
    process.stdout.close()
    return held.count_deaths()


class TestARunThatKillsDrivers:
    def test_is_driven_alone_and_suspended_after_three_deaths(self, bench, people_of):
        version = bench.publish(SHORT)
        killer, other = bench.start(version), bench.start(version)

        assert die_holding(killer, other) == 2
        assert held.count_deaths() == 0  # each death counts once
        RunState.objects.filter(run_id=other).update(deaths=0)
        assert drive_batch() == 1  # the other one: this takes none that somebody died with
        assert status(killer) == "queued"
        assert die_holding(killer) == 1
        assert die_holding(killer) == 1
        drive_all()

        assert (status(killer), status(other)) == ("paused", "completed")
        detail = RunEvent.objects.get(run_id=killer, type="run.paused").data["detail"]
        assert detail == drive.DIED
        assert RunState.objects.get().deaths == 3

        commands.resume_run(actor=people_of(bench), run_id=killer, now=clock.now())
        assert RunState.objects.get().deaths == 1  # tried alone first
        drive_all()
        assert status(killer) == "completed"

    def test_one_that_is_driven_alone_without_harm_is_one_of_many_again(self, bench):
        run_id = bench.start(bench.publish(WAIT))
        die_holding(run_id)
        assert RunState.objects.get().deaths == 1

        drive_all()

        assert status(run_id) == "waiting"
        assert RunState.objects.get().deaths == 0

    def test_a_note_is_empty_when_its_batch_is_over(self, bench):
        bench.run(SHORT)

        assert all(path.read_bytes() == b"" for path in held.folder().glob("*"))

    def test_a_full_disk_is_no_reason_not_to_drive(self, bench, monkeypatch):
        def write(_text):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(held, "_write", write)

        assert bench.run(SHORT).status == "completed"


def test_a_data_error_of_the_orm_is_a_fault_of_the_batch_not_of_the_database():
    assert not drive._is_away(DataError("x"))
