"""The shell around ``decide``, simulated: every seed is a history in which things go wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools import simulate
from tools.simulation import bugs, flows
from tools.simulation.world import World

ROOT = Path(__file__).resolve().parents[2]
#: Those that are found among the first seeds; ``make mutants`` hunts for all of them.
EASY = sorted(set(bugs.BUGS) - {"marker cleared after the claim", "withdrawn waits stay open"})


def command(*arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tools.simulate", *arguments],
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def test_nothing_is_lost_in_a_hundred_histories():
    totals = simulate.Totals()
    for seed in range(100):
        totals.add(simulate.try_seed(seed))
    assert totals.broken == []
    assert totals.runs >= 300
    assert totals.steps >= 2000
    assert totals.crashes >= 100
    assert totals.races.total() >= 100


def test_every_kind_of_race_and_flow_comes_about():
    races = set()
    seen = set()
    for seed in range(1000, 1100):
        world = World(seed)
        world.live()
        races |= set(world.store.races)
        seen |= {run.flow for run in world.store.runs.values()}
    assert seen == set(flows.NAMES)
    assert races >= {"late worker", "late person", "cancel against worker"}


def test_a_seed_is_one_history_whatever_the_process():
    first = command("7", PYTHONHASHSEED="1")
    second = command("7", PYTHONHASHSEED="2")
    assert first.returncode == 0, first.stdout[-2000:] + first.stderr[-2000:]
    assert "step.completed" in first.stdout
    assert [*first.stdout.splitlines()[:-2]] == [*second.stdout.splitlines()[:-2]]


def test_a_seed_that_breaks_a_law_is_named_with_the_way_to_replay_it():
    done = command("0", "--bug", "key without visit")
    assert done.returncode == 1
    assert "each idempotency key comes with one body" in done.stdout
    assert "python -m tools.simulate 0" in done.stdout


@pytest.mark.parametrize("name", EASY)
def test_a_planted_bug_is_found(name):
    assert simulate.hunt(name, 300).seed is not None


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_nothing_is_lost_in_ten_thousand_histories(capsys):
    done = command("--seeds", "10000")
    with capsys.disabled():
        print("\n" + done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", sorted(set(bugs.BUGS) - set(EASY)))
def test_a_planted_bug_is_found_sooner_or_later(name):
    assert simulate.hunt(name).seed is not None
