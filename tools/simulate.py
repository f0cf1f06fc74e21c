"""Simulate the shell: ``python -m tools.simulate SEED`` replays one seed with a trace.

``--seeds 10000`` tries so many on all cores and prints the totals; ``--mutants`` plants known
bugs and prints which seed finds each. A history is its seed: the same seed, the same history.
"""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tools.typing_settings")

import argparse
import gc
import multiprocessing
import sys
import traceback
from collections import Counter
from dataclasses import dataclass, field
from time import perf_counter, process_time

import django
from django.apps import apps as django_apps

if not django_apps.ready:
    django.setup()

from tools.simulation import bugs, laws
from tools.simulation.bugs import Bug
from tools.simulation.rows import Broken

SEEDS = 10_000
_CHUNK = 50


@dataclass(slots=True)
class Totals:
    """What so many seeds came to. ``broken``: the first failing seeds, and what did not hold."""

    seeds: int = 0
    runs: int = 0
    steps: int = 0
    crashes: int = 0
    races: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    worked: float = 0.0
    broken: list[tuple[int, str]] = field(default_factory=list)

    def add(self, other: "Totals") -> None:
        self.seeds += other.seeds
        self.runs += other.runs
        self.steps += other.steps
        self.crashes += other.crashes
        self.races += other.races
        self.worked += other.worked
        self.broken += other.broken

    def line(self) -> str:
        """One line of figures, one of races."""
        speed = self.seeds / self.seconds if self.seconds else 0.0
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in self.races.most_common())
        return (
            f"{self.seeds:,} seeds, {self.runs:,} runs, {self.steps:,} steps,"
            f" {self.crashes:,} crashes, {self.races.total():,} races,"
            f" {len(self.broken)} broken; {self.seconds:.1f} s ({self.worked:.1f} s of work),"
            f" {speed:,.0f} seeds/s"
            f"\nraces: {kinds}"
        )


def try_seed(seed: int, bug: Bug = bugs.NONE, *, trace: list[str] | None = None) -> Totals:
    """Live one history and hold the laws; what breaks is in the result."""
    world = bug.world(seed, bug.store())
    world.store.trace = trace
    totals = Totals(seeds=1)
    try:
        with bug.production():
            world.live()
            laws.hold(world)
    except Broken as broken:
        totals.broken.append((seed, str(broken)))
    except Exception as fault:  # noqa: BLE001 - a fault of the engine is a finding like any other
        where = traceback.extract_tb(fault.__traceback__)[-1]
        name = (
            f"{type(fault).__name__}: {fault} ({where.filename.rsplit('/', 1)[-1]}:{where.lineno})"
        )
        totals.broken.append((seed, f"nothing raises: {name}"))
    totals.runs = len(world.accepted)
    totals.steps = world.steps
    totals.crashes = world.crashes
    totals.races = world.store.races
    return totals


def _try_range(first: int) -> Totals:
    totals = Totals()
    started = process_time()
    gc.disable()  # once per range is enough, and saves a tenth of the time
    for seed in range(first, first + _CHUNK):
        totals.add(try_seed(seed))
    gc.collect()
    totals.worked = process_time() - started
    return totals


def try_seeds(count: int, *, first: int = 0, processes: int | None = None) -> Totals:
    """Try so many seeds on all cores."""
    started = perf_counter()
    totals = Totals()
    gc.freeze()
    context = multiprocessing.get_context("fork")
    with context.Pool(processes) as pool:
        for part in pool.imap_unordered(_try_range, range(first, first + count, _CHUNK)):
            totals.add(part)
    totals.broken.sort()
    totals.seconds = perf_counter() - started
    return totals


@dataclass(slots=True)
class Hunt:
    """What came of a planted bug: the seed that finds it, or none."""

    name: str
    tried: int
    seed: int | None
    broken: str


def hunt(name: str, most: int = SEEDS) -> Hunt:
    """Try seeds until the planted bug is found."""
    bug = bugs.BUGS[name]
    for seed in range(most):
        totals = try_seed(seed, bug)
        if totals.broken:
            return Hunt(name, seed + 1, seed, totals.broken[0][1])
    return Hunt(name, most, None, "survives")


def hunt_all(names: list[str]) -> list[Hunt]:
    """Hunt for every planted bug, on all cores."""
    context = multiprocessing.get_context("fork")
    with context.Pool() as pool:
        return pool.map(hunt, names, chunksize=1)


def print_hunts(hunts: list[Hunt]) -> None:
    """The table: bug, the seed that finds it, how many were tried, what it breaks."""
    width = max(len(one.name) for one in hunts)
    print(f"{'bug':{width}}  {'seed':>6}  {'tried':>6}  invariant broken")
    for one in hunts:
        seed = "none" if one.seed is None else str(one.seed)
        print(f"{one.name:{width}}  {seed:>6}  {one.tried:>6}  {one.broken[:110]}")


def main() -> int:
    """0 where every law holds, or every planted bug is found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seed", type=int, nargs="?")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--bug", choices=sorted(bugs.BUGS), help="plant this bug")
    parser.add_argument("--mutants", action="store_true")
    given = parser.parse_args()
    if given.mutants:
        hunts = hunt_all(list(bugs.BUGS))
        print_hunts(hunts)
        return int(any(one.seed is None for one in hunts))
    if given.seed is not None:
        trace: list[str] = []
        totals = try_seed(given.seed, bugs.BUGS.get(given.bug, bugs.NONE), trace=trace)
        print("\n".join(trace))
    else:
        totals = try_seeds(given.seeds, first=given.first)
    print(totals.line())
    more = f" --bug '{given.bug}'" if given.bug else ""
    for seed, broken in totals.broken[:10]:
        print(f"seed {seed}: {broken}\n  replay it: python -m tools.simulate {seed}{more}")
    return int(bool(totals.broken))


if __name__ == "__main__":
    sys.exit(main())
