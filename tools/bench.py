"""Measure the product on this machine: ``make bench ARGS="--signals 10000 --clients 1,16,64"``.

A stack of its own is started as people start it, given a flow ``webhook → map → decide → map →
stop``, and sent signals by a generator that runs beside it on the same cores. A rate counts only
what is finished: signals divided by the time from the first one sent to the last run finished.
A report on a database that does not wait for the disk is void, and says so.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from config.stack.places import Places
from tests.support.live import LiveStack, descendants
from tools import bench_growth, bench_inbox, bench_large, bench_scenarios, bench_trail, load
from tools.bench_bars import judged, median_of
from tools.bench_flows import APPROVAL, THROUGHPUT
from tools.bench_scenarios import first_id_at

ROOT = Path(__file__).resolve().parents[1]
OUT = Path(os.environ.get("SIGNALBOX_HOME") or ROOT / "var") / "bench"
SAFE = ("fsync", "synchronous_commit", "full_page_writes")
SETTLE = 15  # seconds before memory counts as idle
PATIENCE = 300  # seconds for the last run to finish
SCENARIOS = {
    **bench_scenarios.SCENARIOS,
    **bench_large.SCENARIOS,
    **bench_trail.SCENARIOS,
    **bench_inbox.SCENARIOS,
}


class Bench:
    """A running stack with the two flows, and what was measured on it."""

    def __init__(self, stack: LiveStack) -> None:
        self.stack = stack
        self.database = Places(stack.home.resolve()).cluster.url()
        self.builder = self.token_of("builder@demo.local")
        self.approver = self.token_of("approver@demo.local")
        self.admin = self.token_of("admin@demo.local")
        self.rounds = 1
        self._parts: dict[str, int] = {}

    def token_of(self, email: str) -> str:
        """A token of this person."""
        return self.stack.manage("issue_token", email).split()[-1]

    def call(
        self, method: str, path: str, body: Any = None, token: str = "", **headers: str
    ) -> Any:
        """One call of the API as the builder, or as who ``token`` stands for."""
        request = urllib.request.Request(  # noqa: S310 - our own port
            f"{self.stack.url}/api/v1/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {token or self.builder}",
                "Content-Type": "application/json",
                **headers,
            },
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.loads(answer.read() or b"null"), answer.headers

    def publish(self, document: dict[str, Any]) -> str:
        """Draw and publish a flow; returns its id."""
        flow, _ = self.call("POST", "flows/", {"name": document["name"]})
        _, headers = self.call("GET", f"flows/{flow['id']}/draft/")
        self.call("PUT", f"flows/{flow['id']}/draft/", document, **{"If-Match": headers["ETag"]})
        self.call("POST", f"flows/{flow['id']}/publish/", {"note": "bench"})
        return str(flow["id"])

    def query(self, sql: str, *values: object) -> dict[str, Any]:
        """One row."""
        with psycopg.connect(self.database, row_factory=dict_row) as connection:
            return connection.execute(sql, values).fetchone() or {}

    def parts(self) -> dict[str, int]:
        """The process of each part; asked for anew only where one is gone, since asking costs."""
        if not self._parts or not all(
            Path(f"/proc/{pid}").exists() for pid in self._parts.values()
        ):
            self._parts = self.stack.processes()
        return self._parts

    def memory(self) -> dict[str, float]:
        """PSS in MB by part, with all below each part, and ``total``."""
        found = {
            name: sum(map(_pss, [pid] if name == "up" else [pid, *descendants(pid)])) / 1024
            for name, pid in self.parts().items()
        }
        return {
            name: round(one, 1) for name, one in {**found, "total": sum(found.values())}.items()
        }

    def heaviest_of(self, part: str) -> float:
        """PSS in MB of the heaviest single process of a part."""
        pid = self.parts()[part]
        return round(max(map(_pss, [pid, *descendants(pid)])) / 1024, 1)

    def cpu_by_part(self) -> dict[str, float]:
        """Seconds that each part has used of the processors so far, ended children included."""
        return {
            name: sum(map(_cpu, [pid, *descendants(pid)]))
            for name, pid in self.parts().items()
            if name != "up"
        }

    def seconds_of_cpu(self) -> float:
        """What the whole stack has used of the processors so far."""
        return sum(self.cpu_by_part().values())

    def throughput(self, flow: str, clients: int, signals: int) -> dict[str, Any]:
        """Send signals, wait until their runs are finished, and count what that wrote."""
        heaviest: dict[str, float] = {}
        over = threading.Event()

        def watch() -> None:
            while not over.wait(2):
                now = self.memory()
                if now["total"] > heaviest.get("total", 0):
                    heaviest.update(now)

        watcher = threading.Thread(target=watch)
        watcher.start()
        before = self.query("select now() as at")
        used_before = self.cpu_by_part()
        report = asyncio.run(
            load.run(
                f"{self.stack.url}/hooks/demo/bench",
                clients=clients,
                count=signals,
                body='{"id": {n}, "amount": 120.50, "tier": "gold"}',
            )
        )
        accepted = report.statuses.get(202, 0)
        finished: dict[str, Any] = {}
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            finished = self.query(
                "select count(*) n, extract(epoch from max(finished_at))::float8 last,"
                " percentile_cont(0.5) within group ("
                "  order by extract(epoch from finished_at - created_at)) * 1000 p50_ms from run"
                " where flow_id = %s and status = 'completed' and created_at >= %s and id >= %s",
                flow,
                before["at"],
                first_id_at(before["at"]),
            )
            if finished["n"] >= accepted:
                break
            time.sleep(0.25)
        over.set()
        watcher.join()
        after = self.query(
            "select count(*) n from run_event where run_id >= %s", first_id_at(before["at"])
        )
        seconds = (finished["last"] or time.time()) - report.first_sent_at
        return {
            **report.as_json(),
            "accepted": accepted,
            "finished": finished["n"],
            "finished_per_second": round(finished["n"] / seconds, 1),
            "finished_p50_ms": round(finished["p50_ms"] or 0.0, 2),
            "cpu_ms_a_run": {
                name: round((used - used_before.get(name, 0)) * 1000 / max(1, finished["n"]), 3)
                for name, used in self.cpu_by_part().items()
            },
            "journal_rows": after["n"],
            "memory_mb": heaviest or self.memory(),
        }

    def decisions(self, count: int) -> dict[str, float]:
        """From sending a decision to the run being finished by the step behind it, in ms."""
        report = asyncio.run(
            load.run(
                f"{self.stack.url}/hooks/demo/decision", clients=1, count=count, body='{"id": {n}}'
            )
        )
        tasks: list[dict[str, Any]] = []
        until = time.monotonic() + 60
        while len(tasks) < report.statuses.get(202, 0) and time.monotonic() < until:
            listed, _ = self.call("GET", "tasks/?limit=200", token=self.approver)
            tasks = [one for one in listed["results"] if one["title"] == "Bench"]
            time.sleep(0.2)
        found = []
        for task in tasks:
            sent = time.time()
            decision = {"outcome": "approved", "comment": "bench"}
            self.call("POST", f"tasks/{task['id']}/decide/", decision, token=self.approver)
            row: dict[str, Any] = {}
            while not row.get("at"):
                row = self.query(
                    "select extract(epoch from finished_at)::float8 at from run where id = %s",
                    task["run"],
                )
            found.append((row["at"] - sent) * 1000)
            time.sleep(0.02)
        found.sort()
        return {
            "decisions": len(found),
            "p50_ms": round(statistics.median(found), 1) if found else 0.0,
            "p95_ms": round(found[int(len(found) * 0.95)], 1) if found else 0.0,
        }


def _cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def main() -> int:
    """Measure, print a table, write JSON.

    1 if the report is void, a run was not whole, or something is five times off its bar.
    """
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--signals", type=int, default=10_000)
    parser.add_argument("--clients", default="1,16,64")
    parser.add_argument("--decisions", type=int, default=50)
    parser.add_argument("--scenarios", default="", help=f"of {', '.join(SCENARIOS)}; or all")
    parser.add_argument("--rounds", type=int, default=3, help="of each scenario; the median counts")
    parser.add_argument(
        "--growth",
        action="store_true",
        help="instead: the same load with 1, 2 and 4 drive processes and 1,000 to 1,000,000 runs",
    )
    given = parser.parse_args()
    if unknown := set(_chosen(given)) - set(SCENARIOS):
        parser.error(f"there is no scenario {', '.join(sorted(unknown))}")
    if given.rounds < 1 or given.signals < 1:
        parser.error("rounds and signals are at least 1")
    if given.growth:
        return bench_growth.main(Bench, OUT, _circumstances(), given.rounds)
    with tempfile.TemporaryDirectory(prefix="sb-bench-") as folder:
        stack = LiveStack(Path(folder))
        try:
            print("starting a stack of its own …", flush=True)
            result: dict[str, Any] = {"start_s": round(stack.start(), 1), **_circumstances()}
            result |= _measure(Bench(stack), given)
        finally:
            stack.stop()
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}.json"
    path.write_text(json.dumps(result, indent=2), encoding="utf-8")
    _print(result)
    print(f"\n{path}")
    return 0 if result["valid"] and not result["broken"] else 1


def _measure(bench: Bench, given: argparse.Namespace) -> dict[str, Any]:
    flow = bench.publish(THROUGHPUT)
    bench.publish(APPROVAL)
    durability = {name: bench.query(f"show {name}")[name] for name in SAFE}
    time.sleep(SETTLE)
    idle = bench.memory()
    rounds = []
    for clients in map(int, given.clients.split(",")):
        print(f"{given.signals} signals from {clients} clients …", flush=True)
        rounds.append(bench.throughput(flow, clients, given.signals))
    decided = bench.decisions(given.decisions)
    more = _scenarios(bench, flow, given)
    broken = [bar for one in more.values() for bar in one["bars"] if bar["broken"]]
    print("checking every run …", flush=True)
    whole = bench.stack._run("manage", "check_runs", seconds=3600)  # noqa: SLF001
    lost = any(one["finished"] != given.signals or one["lost"] for one in rounds)
    return {
        "durability": durability,
        "idle_memory_mb": idle,
        "rounds": rounds,
        "decision_to_next_step": decided,
        "scenarios": more,
        "check_runs": whole.returncode,
        "check_runs_said": whole.stdout.strip()[-500:],
        "broken": broken,
        "valid": set(durability.values()) == {"on"} and whole.returncode == 0 and not lost,
    }


def _scenarios(bench: Bench, flow: str, given: argparse.Namespace) -> dict[str, Any]:
    bench.rounds = given.rounds
    found: dict[str, Any] = {}
    for name in _chosen(given):
        one = SCENARIOS[name]
        rounds = []
        for number in range(1 if one.whole else given.rounds):
            load_before = round(os.getloadavg()[0], 2)
            print(f"{name}, round {number + 1}, load {load_before} …", flush=True)
            rounds.append({**one.play(bench, flow), "load_before": load_before})
            print(f"  {json.dumps(rounds[-1], ensure_ascii=False)}", flush=True)
        median = median_of(rounds)
        found[name] = {"median": median, "bars": judged(one.bars, median), "rounds": rounds}
    return found


def _chosen(given: argparse.Namespace) -> list[str]:
    names = [name for name in given.scenarios.split(",") if name]
    return list(SCENARIOS) if names == ["all"] else names


def _circumstances() -> dict[str, Any]:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return {
        "commit": commit,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "load_average": [round(one, 2) for one in os.getloadavg()],
        "python": sys.version.split()[0],
    }


def _print(result: dict[str, Any]) -> None:
    words = " ".join(f"{name}={value}" for name, value in result["durability"].items())
    print(f"\ncommit {result['commit']}, {result['cores']} cores, {words}")
    print(f"load average before: {result['load_average']}; start {result['start_s']} s")
    columns = (
        *("clients", "finished", "finished_per_second", "p50_ms", "p95_ms", "p99_ms"),
        *("journal_rows", "generator_cpu_share"),
    )
    print("  ".join(f"{name:>12.12}" for name in columns))
    for one in result["rounds"]:
        print("  ".join(f"{one[name]:>12}" for name in columns))
    print(f"decision → next step: {result['decision_to_next_step']}")
    print(f"idle memory (PSS, MB): {result['idle_memory_mb']}")
    print(
        f"under load: {max((r['memory_mb'] for r in result['rounds']), key=lambda m: m['total'])}"
    )
    for name, one in result["scenarios"].items():
        loads = [turn["load_before"] for turn in one["rounds"]]
        print(f"{name}, median of {len(loads)}, load before {loads}")
        for bar in one["bars"]:
            verdict = "met" if bar["met"] else "BROKEN" if bar["broken"] else "missed"
            print(f"  {verdict:<7} {bar['bar']}: {bar['figure']}")
    print(f"check_runs: {'passes' if result['check_runs'] == 0 else 'FAILS'}")
    if not result["valid"]:
        print("VOID: a setting is not `on`, a signal was lost, or a run is not whole.")


if __name__ == "__main__":
    sys.exit(main())
