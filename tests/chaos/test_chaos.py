"""Load through the real stack while its parts are killed, frozen, flushed and restarted.

``make chaos`` is the long form. ``SEED``, ``DURATION`` (seconds) and ``KILLS`` choose another;
one line of figures is printed, with the seed that repeats it.
"""

import os
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from config.stack.places import Places
from tests.chaos import flows, small_disk
from tests.chaos.harm import Harm
from tests.chaos.load import (
    Approver,
    Helper,
    Load,
    Onlooker,
    Publisher,
    failures,
    publish,
    statuses,
    unfinished,
)
from tests.chaos.recorder import Recorder
from tests.support.live import LiveStack, descendants, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]

LONG = os.environ.get("SIGNALBOX_CHAOS") == "long"
SEED = int(os.environ.get("SEED") or 20261120)
DURATION = float(os.environ.get("DURATION") or (1800 if LONG else 32))
KILLS = int(os.environ.get("KILLS") or (500 if LONG else 18))
PAUSE_S = 0.25
ROUNDS = 4 if LONG else 1


@pytest.fixture
def stack(tmp_path):
    live = LiveStack(tmp_path / "home")
    live.start(240)
    yield live
    live.stop()


@pytest.fixture
def recorder():
    made = Recorder(SEED)
    yield made
    made.close()


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    """What comes of a disk that is full, for the line of figures; found out beside the load."""
    with ThreadPoolExecutor(1) as beside:
        yield beside.submit(_fill_a_disk, tmp_path_factory.mktemp("disk") / "home")


def _fill_a_disk(home: Path) -> str:
    if why_not := small_disk.why_not():
        return f"skipped ({why_not})"
    full = small_disk.SmallDisk(home)
    try:
        full.start(240)
        return small_disk.fill(full, rounds=ROUNDS)
    finally:
        full.stop()


def test_nothing_is_lost_and_nothing_is_done_twice_under_another_key(stack, recorder, disk, capsys):
    url = Places(stack.home.resolve()).cluster.url()
    token = stack.manage("issue_token", "builder@demo.local").split()[-1]
    for document in flows.documents(recorder.url).values():
        publish(stack, token, document)
    load = Load(f"{stack.url}/hooks/demo/", flows.signal, pause=PAUSE_S)
    harm, onlooker = Harm(stack, SEED, recorder), Onlooker(url)
    publisher = Publisher(stack, token, load)
    approver = Approver(stack, stack.manage("issue_token", flows.APPROVER).split()[-1])
    helpers = [
        Helper(publisher.send_all, every_s=0.5),
        Helper(approver.answer_all, every_s=0.5),
        Helper(onlooker.look, every_s=2),
    ]

    load.start()
    try:
        _harm_in_time(harm)
        began = time.monotonic()
        _until(harm, load.is_over, 120, "every signal is accepted")
        _until(harm, stack.is_healthy, 60, "the web process answers")
        runs = set(load.accepted.values())
        _until(harm, lambda: not unfinished(url, runs), 600, "every run is finished")
        settled_s = time.monotonic() - began
    finally:
        load.stop(now=True)
        for helper in helpers:
            helper.stop()

    onlooker.look(at_all=True)
    ended = statuses(url, runs)
    _until(harm, lambda: harm.late <= set(_late_results(url)), 60, "late results are journaled")
    late = _late_results(url)
    with capsys.disabled():
        print(_figures(load, harm, recorder, ended, late, _told(disk), settled_s))
    assert set(load.answers) <= {"202", "200", "503", "no answer"}
    assert len(runs) == len(load.accepted)
    assert ended == {"completed": len(runs)}, failures(url, runs)
    assert sum(harm.done.values()) >= KILLS
    wanted = {(n, what): 1 for n in load.accepted for what in flows.effects(n)}
    assert {about: len(keys) for about, keys in recorder.keys.items()} == wanted
    assert all(len(bodies) == 1 for bodies in recorder.bodies.values())
    assert onlooker.changed == []
    assert len(onlooker.ended) >= len(runs)
    assert harm.late <= set(late)
    _until(harm, lambda: _is_tidy(harm), 90, "no process is left over")
    assert "all is well" in stack.manage("check_runs", seconds=1200)
    stack.manage("audit_verify", seconds=1200)


def test_with_a_full_disk_nothing_is_accepted_that_is_not_stored(disk):
    if disk.result().startswith("skipped"):
        pytest.skip(disk.result())
    assert disk.result().endswith("lost = 0")


def _told(disk: Future[str]) -> str:
    failed = disk.exception()
    return disk.result() if failed is None else f"failed ({type(failed).__name__})"


def _harm_in_time(harm: Harm) -> None:
    """So many harms in so many seconds; where they take longer, all of them are done still."""
    began = time.monotonic()
    for number in range(1, KILLS + 1):
        while time.monotonic() < began + DURATION * number / KILLS:
            harm.keep()
            time.sleep(0.05)
        harm.once()


def _until(harm: Harm, holds: Callable[[], object], seconds: float, what: str) -> None:
    """Wait until it holds; a stack that has ended meanwhile is started again."""

    def kept() -> object:
        harm.keep()
        return holds()

    harm.over()
    until(kept, seconds, what)


def _is_tidy(harm: Harm) -> bool:
    """Only what the supervisor keeps is running."""
    try:
        kept = harm.processes()
    except (OSError, ValueError, KeyError):
        return False
    below = set(kept.values()) | {one for pid in kept.values() for one in descendants(pid)}
    return len(kept) == 6 and set(descendants(harm.stack.pid)) <= below


def _late_results(url: str) -> Counter[Any]:
    """How many results were refused and journaled, by run and step."""
    with psycopg.connect(url, autocommit=True) as database:
        rows = database.execute(
            "select run_id, step, count(*) from run_event where type = 'outcome.ignored'"
            " group by run_id, step"
        ).fetchall()
    return Counter({(run_id, step): count for run_id, step, count in rows})


def _figures(
    load: Load,
    harm: Harm,
    recorder: Recorder,
    ended: Counter[str],
    late: Counter[Any],
    disk: str,
    settled_s: float,
) -> str:
    harmed = ", ".join(f"{kind} {count}" for kind, count in sorted(harm.done.items()))
    return (
        f"\nchaos: seed {SEED}, {DURATION:.0f} s, signals {len(load.accepted)},"
        f" answers {dict(sorted(load.answers.items()))}, kills {sum(harm.done.values())} ({harmed}),"
        f" runs {dict(ended)}, effects {len(recorder.bodies)},"
        f" repeats {recorder.calls - len(recorder.bodies)},"
        f" messages told again {harm.told_again},"
        f" late results refused {sum(late.values())} ({len(harm.late)} of woken workers),"
        f" disk: {disk}, all finished {settled_s:.0f} s after the last kill, lost = {len(load.accepted) - sum(ended.values())}"
    )
