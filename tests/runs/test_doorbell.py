"""Bells, clocks and time limits (engine rules 3, 6, 10, 11)."""

import os
import threading
import time
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import OperationalError, connection, connections

from apps.core import clock
from apps.core.errors import Forbidden
from apps.operations import ticking
from apps.runs import doorbell, drive, patience, sweep, tasks, writing
from apps.runs.models import RunCommand
from tests.runs.support import at_once, complete, document, status

SHORT = document({"one": {"type": "map", "config": {"fields": {}}}}, ["trigger -> one"])
WAIT = document({"wait": {"type": "delay", "config": {"for": "P2D"}}}, ["trigger -> wait"])
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def bells(valkey, monkeypatch):
    """The messages that were sent, by queue."""
    monkeypatch.setattr(doorbell, "_client", None)
    return valkey.llen


class TestRule3:
    def test_at_most_one_bell_is_on_its_way(self, bells):
        assert [doorbell.ring_now("drive") for _ in range(5)] == [True] * 5
        assert bells("drive") == 1
        doorbell.ring_now("effects")
        assert bells("effects") == 1

    def test_the_next_ring_after_the_task_began_is_a_new_bell(self, bells):
        doorbell.ring_now("drive")
        doorbell.answered("drive")
        doorbell.ring_now("drive")

        assert bells("drive") == 2

    def test_the_marker_is_gone_by_itself_after_a_second(self, bells, valkey):
        doorbell.ring_now("drive")

        assert 0 < valkey.pttl("bell:drive") <= 1000

    def test_a_broker_that_is_away_is_only_noted(self, settings, monkeypatch, caplog):
        settings.REDIS_URL = "unix:///nowhere/valkey.sock"
        monkeypatch.setattr(doorbell, "_client", None)

        assert doorbell.ring_now("drive") is False
        doorbell.answered("drive")
        doorbell.ring("drive")
        assert "not rung" in caplog.text

    def test_ringing_never_waits_for_the_broker(self, monkeypatch):
        held = threading.Event()
        monkeypatch.setattr(doorbell, "ring_now", lambda _queue: held.wait(20))
        began = time.monotonic()
        for _ in range(1000):
            doorbell.ring("drive")
        took = time.monotonic() - began
        held.set()

        assert took < 10

    @pytest.mark.django_db(transaction=True)
    def test_a_full_claim_rings_again_so_that_another_process_joins(self, bench, bells):
        version = bench.publish(SHORT)
        for _ in range(4):
            bench.start(version)
        wait_until(lambda: bells("drive") >= 1)  # the bells of the starts
        doorbell.answered("drive")
        before = bells("drive")

        drive.drive_all(limit=2)

        assert bells("drive") > before

    @pytest.mark.django_db(transaction=True)
    def test_the_marker_is_cleared_before_the_first_claim(self, bench, valkey, monkeypatch):
        valkey.set("bell:drive", 1)
        seen = []

        def drive_batch(**_):
            seen.append(valkey.exists("bell:drive"))
            return 0

        monkeypatch.setattr(drive, "drive_batch", drive_batch)
        drive.drive_all()

        assert seen[0] == 0


@pytest.mark.django_db(transaction=True)
class TestRule6:
    @pytest.fixture
    def impatient(self, transactional_db, monkeypatch):
        options = dict(connections.settings["default"]["OPTIONS"])
        monkeypatch.setitem(connections.settings["default"], "OPTIONS", options)
        patience.limit_statements()
        patience.limit_statements()  # twice changes nothing
        return options

    def test_limits_stand_on_every_connection_of_a_worker(self, impatient):
        found = {}

        def look():
            with connection.cursor() as cursor:
                for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
                    cursor.execute(f"show {name}")
                    found[name] = cursor.fetchone()[0]

        del impatient["pool"]  # a pool that stands has connections of before
        at_once(look)
        assert found == {
            "statement_timeout": "10s",
            "idle_in_transaction_session_timeout": "10s",
        }
        assert impatient["keepalives"] == 1
        assert impatient["options"].count("statement_timeout") == 1

    @pytest.mark.parametrize("end", ["idle", "terminated"])
    def test_a_frozen_drivers_commit_fails_harmlessly(self, bench, monkeypatch, end):
        run_id = bench.start(bench.publish(SHORT))
        plain = writing.write
        frozen: list[int] = []

        def write(cursor, done, batch):
            if not frozen:
                frozen.append(1)
                if end == "idle":
                    cursor.execute("set idle_in_transaction_session_timeout = '100ms'")
                    time.sleep(1)
                    return plain(cursor, done, batch)
                with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as other:
                    other.execute(
                        "select pg_terminate_backend(%s)", [cursor.connection.info.backend_pid]
                    )
            return plain(cursor, done, batch)

        monkeypatch.setattr(writing, "write", write)
        tasks.drive()  # ends quietly: the clock rings again
        assert status(run_id) == "queued"
        tasks.drive()
        assert status(run_id) == "completed"

    def test_clock_and_workers_set_them_before_they_connect(self):
        assert "limit_statements()" in (ROOT / "config/celery.py").read_text()
        clock_command = ROOT / "apps/operations/management/commands/clock.py"
        assert "limit_statements()" in clock_command.read_text()


@pytest.mark.django_db(transaction=True)
class TestRule10:
    def test_a_lost_bell_is_rung_again_after_a_second(self, bench, bells, valkey):
        bench.start(bench.publish(SHORT))
        wait_until(lambda: bells("drive"))
        valkey.flushdb()  # the bell is lost

        sweep.ring_for_the_unheard()
        assert bells("drive") == 0  # not a second old
        RunCommand.objects.update(created_at=clock.now() - timedelta(seconds=2))
        sweep.ring_for_the_unheard()
        assert bells("drive") == 1

    def test_work_is_found_without_the_broker(self, bench, settings, monkeypatch):
        run_id = bench.start(bench.publish(WAIT))
        drive.drive_all()
        settings.REDIS_URL = "unix:///nowhere/valkey.sock"
        monkeypatch.setattr(doorbell, "_client", None)

        assert sweep.fire_timers(now=clock.now() + timedelta(days=3)) == 1
        sweep.ring_for_the_unheard()
        drive.drive_all()
        assert status(run_id) == "completed"

    def test_the_test_clock_moves_time_for_timers(self, bench, settings):
        settings.TEST_CLOCK = True
        run_id = bench.start(bench.publish(WAIT))
        drive.drive_all()
        sweep.fire_due()
        assert not RunCommand.objects.exists()

        clock.advance(by=timedelta(hours=49))

        sweep.fire_due()
        drive.drive_all()
        assert status(run_id) == "completed"

    def test_it_moves_forward_only_and_only_where_it_is_on(self, bench, settings):
        settings.TEST_CLOCK = True
        with pytest.raises(Forbidden):
            clock.advance(by=timedelta(seconds=-1))
        settings.TEST_CLOCK = False
        with pytest.raises(Forbidden):
            clock.advance(by=timedelta(hours=1))

    def test_a_part_that_fails_holds_up_no_other(self, bench):
        done = []

        def fail():
            raise RuntimeError("planted")

        everything = [
            ticking.Part("one", 0, lambda: done.append(1)),
            ticking.Part("two", 0, fail),
            ticking.Part("three", 0, lambda: done.append(3)),
        ]
        ticking.tick(everything)
        ticking.tick(everything)

        assert done == [1, 3, 1, 3]

    def test_every_part_of_the_clock_runs_twice_and_at_once(self, bench):
        run_id = bench.start(bench.publish(WAIT))
        drive.drive_all()
        complete(run_id, "wait")

        def one_clock():
            for part in ticking.parts():
                part.do()

        at_once(one_clock, one_clock)
        drive.drive_all()
        assert status(run_id) == "completed"


class TestRule11:
    def test_nothing_is_ever_eager(self):
        sources = [*ROOT.glob("apps/**/*.py"), *ROOT.glob("config/**/*.py")]
        assert len(sources) > 50
        assert not [path for path in sources if "ALWAYS_EAGER" in path.read_text().upper()]
        assert "task_always_eager" not in settings.CELERY

    def test_only_tasks_drive_and_send(self):
        for name, own in (("drive_all(", "drive.py"), ("work_effects(", "effects.py")):
            callers = [
                path.name
                for path in ROOT.glob("apps/**/*.py")
                if name in path.read_text() and path.name != own
            ]
            assert callers == ["tasks.py"]


def wait_until(holds, seconds=20.0):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


class TestListening:
    """A worker with nothing left to do stays for a moment."""

    @pytest.fixture(autouse=True)
    def patient(self, valkey, monkeypatch):
        """A client that waits for an answer as long as it takes."""
        monkeypatch.setattr(doorbell, "_client", valkey)
        monkeypatch.setattr(doorbell, "_client_pid", os.getpid())

    @pytest.fixture
    def bells(self, patient, valkey):
        return valkey.llen

    @pytest.fixture
    def listener(self, bells, valkey):
        heard = []
        thread = threading.Thread(
            target=lambda: heard.append(doorbell.is_rung("drive", within=10)), daemon=True
        )
        thread.start()
        wait_until(lambda: valkey.exists("listening:drive"))
        yield heard
        thread.join(20)

    def test_a_ring_wakes_who_listens_and_sends_no_message(self, bells, listener):
        assert doorbell.ring_now("drive") is True
        wait_until(lambda: listener)

        assert listener == [True]
        assert bells("drive") == 0

    def test_the_ring_after_it_is_a_note_for_who_was_woken(self, bells, listener, valkey):
        doorbell.ring_now("drive")
        doorbell.ring_now("drive")

        assert bells("drive") == 0
        assert valkey.exists("note:drive")

    def test_one_listens_at_a_time(self, listener):
        assert doorbell.is_rung("drive", within=0.05) is False
        assert listener == []
        doorbell.ring_now("drive")

    def test_nobody_rings(self, bells, valkey):
        assert doorbell.is_rung("drive", within=0.05) is False
        assert not valkey.exists("listening:drive")
        doorbell.ring_now("drive")
        assert bells("drive") == 1

    def test_a_ring_in_the_last_moment_is_heard(self, bells, valkey, monkeypatch):
        """It took the word away, and its wake-up comes when the listener has given up."""
        store = doorbell.store()

        def blpop(*_, **__):
            valkey.delete("listening:drive")

        monkeypatch.setattr(store, "blpop", blpop)
        assert doorbell.is_rung("drive", within=0.05) is True

    def test_who_was_rung_for_leaves_the_next_listener_alone(self, bells, valkey, monkeypatch):
        """It was woken, and another began to listen before it had looked."""
        store = doorbell.store()

        def blpop(*_, **__):
            valkey.set("listening:drive", "woken:drive:another")

        monkeypatch.setattr(store, "blpop", blpop)
        assert doorbell.is_rung("drive", within=0.05) is True
        assert valkey.get("listening:drive") == b"woken:drive:another"

    def test_a_broker_that_is_away_ends_the_listening(self, settings, monkeypatch):
        settings.REDIS_URL = "unix:///nowhere/valkey.sock"
        monkeypatch.setattr(doorbell, "_client", None)

        assert doorbell.is_rung("drive", within=0.05) is False

    @pytest.mark.django_db(transaction=True)
    def test_the_driver_takes_what_comes_a_moment_later(self, bench, bells, valkey, monkeypatch):
        monkeypatch.setattr(tasks, "LISTENS_S", 10)
        version = bench.publish(SHORT)
        driver = threading.Thread(target=_drive_and_close, daemon=True)
        driver.start()
        wait_until(lambda: valkey.exists("listening:drive"))
        later = bench.start(version)
        wait_until(lambda: status(later) == "completed")
        wait_until(lambda: valkey.exists("listening:drive"))
        sent = bells("drive")
        monkeypatch.setattr(tasks, "LISTENS_S", 0.01)
        doorbell.ring_now("drive")  # it hears that there is nothing, listens once more, and goes
        driver.join(20)

        assert not driver.is_alive()
        assert sent == 0

    @pytest.mark.django_db(transaction=True)
    def test_the_worker_of_effects_does_too(self, bells, valkey, monkeypatch):
        monkeypatch.setattr(tasks, "LISTENS_S", 10)
        calls = []
        monkeypatch.setattr(tasks, "work_effects", lambda: calls.append(1))
        worker = threading.Thread(target=tasks.do_effects, daemon=True)
        worker.start()
        wait_until(lambda: valkey.exists("listening:effects"))
        monkeypatch.setattr(tasks, "LISTENS_S", 0.01)
        doorbell.ring_now("effects")
        worker.join(20)

        assert not worker.is_alive()
        assert len(calls) == 2
        assert bells("effects") == 0


class TestAtWork:
    """A driver that is quick is left alone, and reads the note that was left for it."""

    @pytest.fixture(autouse=True)
    def patient(self, valkey, monkeypatch):
        """A client that waits as long as it takes, and a driver that is at work as long."""
        monkeypatch.setattr(doorbell, "_client", valkey)
        monkeypatch.setattr(doorbell, "_client_pid", os.getpid())
        monkeypatch.setattr(doorbell, "AT_WORK_MS", 60_000)

    @pytest.fixture
    def bells(self, patient, valkey):
        return valkey.llen

    def test_a_ring_is_a_note_and_no_message(self, bells):
        doorbell.stay("drive")

        assert doorbell.ring_now("drive") is True
        assert bells("drive") == 0
        assert doorbell.is_rung("drive", within=0.01) is True
        assert doorbell.is_rung("drive", within=0.01) is False  # it was one note

    def test_who_began_to_listen_is_at_work_no_more(self, bells):
        doorbell.stay("drive")
        assert doorbell.is_rung("drive", within=0.01) is False

        doorbell.ring_now("drive")
        assert bells("drive") == 1

    def test_a_driver_that_takes_long_is_helped(self, bells, valkey, monkeypatch):
        monkeypatch.setattr(doorbell, "AT_WORK_MS", 30)
        doorbell.stay("drive")
        assert 0 < valkey.pttl("at_work:drive") <= 30
        wait_until(lambda: not valkey.exists("at_work:drive"))

        doorbell.ring_now("drive")
        assert bells("drive") == 1

    def test_another_may_be_called_all_the_same(self, bells):
        doorbell.stay("drive")

        assert doorbell.call_another("drive") is True
        assert bells("drive") == 1

    def test_who_leaves_rings_where_there_is_a_note(self, bells):
        doorbell.stay("drive")
        doorbell.leave("drive")
        assert bells("drive") == 0

        doorbell.stay("drive")
        doorbell.ring_now("drive")
        doorbell.leave("drive")
        assert bells("drive") == 1

    def test_a_note_of_before_the_claim_is_answered_by_it(self, bells, valkey):
        doorbell.stay("drive")
        doorbell.ring_now("drive")
        doorbell.answered("drive")

        assert doorbell.is_rung("drive", within=0.01) is False

    def test_the_task_reads_its_note_whatever_ends_it(self, bells, monkeypatch):
        def drive_all(**_):
            doorbell.ring_now("drive")
            raise OperationalError("planted")

        monkeypatch.setattr(tasks, "drive_all", drive_all)
        tasks.drive()

        assert bells("drive") == 1

    def test_threads_of_effects_are_as_many_as_there_is_work(self, bells):
        doorbell.ring_now("effects")
        doorbell.answered("effects")
        doorbell.ring_now("effects")

        assert bells("effects") == 2

    def test_a_broker_that_is_away_is_only_noted(self, settings, monkeypatch):
        settings.REDIS_URL = "unix:///nowhere/valkey.sock"
        monkeypatch.setattr(doorbell, "_client", None)

        doorbell.stay("drive")
        doorbell.leave("drive")
        assert doorbell.call_another("drive") is False


def _drive_and_close() -> None:
    tasks.drive()
    connection.close()
