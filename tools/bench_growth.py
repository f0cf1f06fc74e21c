"""How cost grows: the same load with 1, 2 and 4 drive processes and 10^3 to 10^6 finished runs.

``make bench ARGS="--growth"`` writes its figures as JSON and the plot ``docs/growth.svg``. The
database stays while the number of processes changes: each step only adds runs.
"""

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.support.live import LiveStack
from tools import bench_scenarios, seeding
from tools.bench_bars import median_of
from tools.bench_flows import THROUGHPUT
from tools.bench_large import clock_rounds, slowest_usual
from tools.plot import Panel, svg

ROOT = Path(__file__).resolve().parents[1]
PLOT = ROOT / "docs" / "growth.svg"
ROWS = (1_000, 10_000, 100_000, 1_000_000)
WORKERS = (1, 2, 4)
#: Title of each panel, where its figure stands, its bar.
PANELS = {
    "Intake, runs/s": ("intake_per_second", 1200.0),
    "20 steps, runs/s": ("chain_per_second", 700.0),
    "Calls of 50 ms, per s": ("effects_per_second", 300.0),
    "Processor time of a run, ms": ("intake_cpu_ms", 0.0),
}


def main(
    bench_of: Callable[[LiveStack], Any], out: Path, circumstances: dict[str, Any], rounds: int
) -> int:
    """Measure every pair, write JSON and plot; 1 if a signal was lost."""
    with tempfile.TemporaryDirectory(prefix="sb-growth-") as folder:
        found = _measured(bench_of, Path(folder), rounds)
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"growth-{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}.json"
    path.write_text(json.dumps({**circumstances, "figures": found}, indent=2), encoding="utf-8")
    PLOT.write_text(drawn(found), encoding="utf-8")
    print(f"\n{path}\n{PLOT}")
    return 1 if any(one["lost"] for one in found) else 0


def _measured(
    bench_of: Callable[[LiveStack], Any], home: Path, rounds: int
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    flow = ""
    for rows in ROWS:
        for workers in WORKERS:
            stack = LiveStack(home, SIGNALBOX_DRIVE_PROCESSES=str(workers))
            try:
                stack.start()
                bench = bench_of(stack)
                flow = flow or _first(bench)
                bench.throughput(flow, 16, 1000)  # warm, and something to copy
                seeding.fill(bench.database, flow, rows)
                load_before = round(os.getloadavg()[0], 2)
                one = {"rows": rows, "workers": workers, "load_before": load_before}
                found.append({**one, **_one(bench, flow, rounds)})
            finally:
                stack.stop()
            print(json.dumps(found[-1]), flush=True)
    return found


def _first(bench: Any) -> str:
    flow: str = bench.publish(THROUGHPUT)
    bench.throughput(flow, 16, 600)
    return flow


def _one(bench: Any, flow: str, times: int) -> dict[str, Any]:
    time.sleep(2)
    rounds = [bench.throughput(flow, 16, 4000) for _ in range(times)]
    intake = median_of(rounds)
    chains = [bench_scenarios.chain(bench, count=800) for _ in range(times)]
    calls = bench_scenarios.effects(bench, delay_ms=50, count=2000, warm_up=300)
    by_part = {
        part: round(statistics.median(one["cpu_ms_a_run"][part] for one in rounds), 3)
        for part in rounds[0]["cpu_ms_a_run"]
    }
    return {
        "intake_per_second": intake["finished_per_second"],
        "intake_p99_ms": intake["p99_ms"],
        "intake_cpu_ms": round(sum(by_part.values()), 3),
        "intake_cpu_ms_by_part": by_part,
        "chain_per_second": statistics.median(one["runs_per_second"] for one in chains),
        "effects_per_second": calls["effects_per_second"],
        "list_ms": slowest_usual(bench, "runs/?limit=50"),
        "tick_ms": clock_rounds(bench, rounds=4)["tick_ms"],
        "memory_mb": bench.memory()["total"],
        "lost": sum(one["accepted"] - one["finished"] for one in rounds),
    }


def drawn(figures: list[Mapping[str, Any]] | list[dict[str, Any]]) -> str:
    """The plot of what was measured."""
    panels = [
        Panel(
            title,
            "finished runs in the tables",
            {
                f"{workers} drive process{'es' if workers > 1 else ''}": [
                    (one["rows"], one[field]) for one in figures if one["workers"] == workers
                ]
                for workers in sorted({one["workers"] for one in figures})
            },
            bar or None,
        )
        for title, (field, bar) in PANELS.items()
    ]
    return svg(
        panels,
        title="How throughput changes with finished runs and with drive processes",
        description="; ".join(
            f"{one['rows']:,} runs, {one['workers']} processes: intake"
            f" {one['intake_per_second']:g}/s, 20 steps {one['chain_per_second']:g}/s,"
            f" calls {one['effects_per_second']:g}/s,"
            f" {one['intake_cpu_ms']:g} ms of processor a run"
            for one in figures
        ),
    )
