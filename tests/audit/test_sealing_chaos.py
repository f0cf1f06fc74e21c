"""Sealing survives everything: killed at every point, several at once, backends terminated.

Each time the trail then goes on without a gap: every row sealed once, every seal with its line in
the checkpoint file, and ``audit_verify`` finds nothing.
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg
import pytest

from apps.audit.models import AuditEvent, AuditLeaf, AuditSeal, AuditUnsealed
from apps.audit.sealing import seal_pending
from apps.audit.verify import verify_trail
from tests.support.live import ROOT

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

POINTS = [
    *("before the seal", "after the seal", "after the leaves", "before the commit"),
    *("before the checkpoint", "half a checkpoint", "before fsync"),
]


@pytest.fixture
def sealer(checkpoints):
    """Start sealers; each that is left at the end is killed, by its own number."""
    started: list[subprocess.Popen[str]] = []

    def start(point=""):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.audit.sealing_worker", point, str(checkpoints)],
            cwd=ROOT,
            env={**os.environ, "PGAPPNAME": "sealer"},
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout
        with process.stdout as said:
            assert said.readline() == "ready\n"
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


def whole(now, checkpoints):
    """Seal what is left, and check all of it."""
    seal_pending(now=now)
    report = verify_trail(checkpoints=checkpoints)
    assert report.problems == []
    assert report.notes == []
    assert AuditUnsealed.objects.count() == 0
    assert AuditLeaf.objects.count() == AuditEvent.objects.count() == report.rows
    assert report.checkpoints == report.seals == AuditSeal.objects.count()
    numbers = list(AuditSeal.objects.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))
    return report


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_point_leaves_no_gap(write, sealer, now, checkpoints, point):
    write(20)
    first = sealer(point)
    assert first.wait(60) == -signal.SIGKILL, "it never came to that point"
    write(5)
    report = whole(now, checkpoints)
    assert report.rows == 25


@pytest.mark.slow
def test_several_at_once_killed_and_terminated_at_random(write, sealer, now, checkpoints):
    """Three sealers; one is killed or has its backend terminated again and again."""
    chance = random.Random(20261120)
    running = [sealer() for _ in range(3)]
    stop = threading.Event()

    def terminate() -> None:
        url = os.environ["DATABASE_URL"]
        with psycopg.connect(url, autocommit=True) as other:
            while not stop.is_set():
                other.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity where pid in ("
                    " select pid from pg_stat_activity where datname = current_database()"
                    " and application_name = 'sealer' order by random() limit 1)"
                )
                time.sleep(0.05)

    thread = threading.Thread(target=terminate)
    thread.start()
    written = 0
    try:
        for _ in range(12):
            written += len(write(10))
            at = chance.randrange(len(running))
            running[at].send_signal(signal.SIGKILL)
            running[at].wait(60)
            running[at] = sealer()
    finally:
        stop.set()
        thread.join()
    for process in running:
        process.kill()
        process.wait()
    assert whole(now, checkpoints).rows == written


def test_the_file_is_what_a_reader_can_copy_at_any_moment(write, sealer, now, checkpoints):
    """Whoever copies it while sealers die has whole lines, and at most one that is torn."""
    write(30)
    for point in ("half a checkpoint", "before fsync", "half a checkpoint"):
        sealer(point).wait(60)
        copy = Path(f"{checkpoints}.copy")
        copy.write_bytes(checkpoints.read_bytes())
        assert verify_trail(checkpoints=copy).problems == []
        write(5)
    whole(now, checkpoints)
