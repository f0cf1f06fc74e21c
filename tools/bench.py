"""Measure the product on this machine: ``make bench`` (``ARGS="--signals 2000"`` for a quick look).

Starts a stack of its own, by what ``make up`` starts, in a home of its own; drives it over HTTP
with ``tools.load``; prints a table and writes JSON to ``var/bench/``. A rate is signals divided
by the time from the first request to the moment when the last run is seen finished. The report
is void unless fsync, synchronous_commit and full_page_writes are on and ``check_runs`` passes.
"""

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from tools import load

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "var" / "bench"
BODY = '{"id": {n}, "amount": 1200.50, "tier": "gold", "customer": {"name": "Ada", "zip": "10115"}}'
MUST_BE_ON = ("fsync", "synchronous_commit", "full_page_writes")


def step(kind: str, /, **config: Any) -> dict[str, Any]:
    """A step of the flows below."""
    return {"type": kind, "version": 1, "title": kind, "config": config}


def document(
    name: str, trigger: dict[str, Any], steps: dict[str, Any], links: list[tuple[str, str, str]]
) -> dict[str, Any]:
    """A flow document; a link is ``(from, port, to)``."""
    return {
        "format": "signalbox.flow/1",
        "name": name,
        "trigger": trigger,
        "steps": steps,
        "links": [
            {"from": source, "to": target, **({"port": port} if port else {})}
            for source, port, target in links
        ],
        "settings": {},
        "layout": {},
    }


PIPELINE = document(
    "Bench: map, decide, map, stop",
    {"type": "webhook", "config": {"path": "bench"}},
    {
        "first": step(
            "map",
            fields={"name": "=trigger.body.customer.name", "double": "=trigger.body.amount * 2"},
        ),
        "size": step(
            "decide",
            branches=[
                {
                    "port": "large",
                    "when": 'trigger.body.amount > 1000 and trigger.body.tier = "gold"',
                }
            ],
            otherwise="small",
        ),
        "second": step("map", fields={"who": "=steps.first.output.name"}),
        "end": step("stop", outcome="completed"),
    },
    [
        ("trigger", "", "first"),
        ("first", "", "size"),
        ("size", "large", "second"),
        ("size", "small", "second"),
        ("second", "", "end"),
    ],
)
APPROVAL = document(
    "Bench: approval",
    {"type": "webhook", "config": {"path": "bench-approval"}},
    {
        "ask": step(
            "approval",
            title="Approve?",
            assignees={"users": ["approver@demo.local"]},
            rule={"any": 1},
            due="P2D",
        ),
        "after": step("map", fields={"by": "=steps.ask.output.by"}),
        "no": step("stop", outcome="failed"),
    },
    [
        ("trigger", "", "ask"),
        ("ask", "approved", "after"),
        ("ask", "rejected", "no"),
        ("ask", "timeout", "no"),
    ],
)


class Stack:
    """A running Signalbox of the bench's own."""

    def __init__(self, home: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in {"DATABASE_URL", "REDIS_URL", "MAKELEVEL", "MAKEFLAGS"}
        }
        self.environ = {
            **kept,
            "SIGNALBOX_HOME": str(home),
            "PORT": str(self.port),
            "SIGNALBOX_DEMO_PASSWORD": "only for this bench",
        }
        started = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "config.stack", "up"],
            cwd=ROOT,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        lines = []
        for line in self.process.stdout or ():
            lines.append(line)
            if "Signalbox is ready" in line:
                break
        else:
            raise SystemExit("The stack did not start:\n" + "".join(lines[-30:]))
        self.start_s = round(time.monotonic() - started, 1)
        self._drain()
        self.tokens = {who: self._token(who) for who in ("builder", "approver")}

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a management command against the stack's data."""
        return subprocess.run(
            [sys.executable, "-m", "config.stack", "manage", *arguments],
            cwd=ROOT,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
        )

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        who: str = "builder",
        headers: dict[str, str] | None = None,
    ) -> Any:
        """One API call; the JSON answer."""
        request = urllib.request.Request(  # noqa: S310 - our own address
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Content-Type": "application/json",
                "Authorization": f"Bearer {self.tokens[who]}",
                **(headers or {}),
            },
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
            return json.loads(answer.read() or b"null")

    def publish(self, doc: dict[str, Any]) -> str:
        """Make and publish a flow; its id."""
        flow_id: str = self.call("POST", "/api/v1/flows/", {"name": doc["name"]})["id"]
        self.call("PUT", f"/api/v1/flows/{flow_id}/draft/", doc, headers={"If-Match": '"1"'})
        self.call("POST", f"/api/v1/flows/{flow_id}/publish/", {"note": "bench"})
        return flow_id

    def database(self) -> psycopg.Connection[Any]:
        """A connection to look with."""
        code = "from config.stack.places import Places; print(Places.here().cluster.url())"
        url = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=self.environ,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        return psycopg.connect(url, autocommit=True)

    def memory(self) -> dict[str, float]:
        """PSS in MB of every process, by the name of its program, and their sum."""
        found: dict[str, float] = {}
        for pid in [self.process.pid, *descendants(self.process.pid)]:
            with contextlib.suppress(OSError):
                rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
                command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
                pss = next(line for line in rollup.splitlines() if line.startswith("Pss:"))
                name = program(command)
                found[name] = found.get(name, 0) + int(pss.split()[1]) / 1024
        return {
            **{name: round(mb, 1) for name, mb in found.items()},
            "sum": round(sum(found.values()), 1),
        }

    def stop(self) -> None:
        """End the stack as Ctrl-C would."""
        self.process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(30)

    def _token(self, who: str) -> str:
        done = self.manage("issue_token", f"{who}@demo.local")
        if done.returncode:
            raise SystemExit(done.stderr)
        return done.stdout.split()[-1]

    def _drain(self) -> None:
        """Nobody reads the log any more; a full pipe must not stop the supervisor."""
        import threading

        threading.Thread(
            target=lambda: [None for _ in self.process.stdout or ()], daemon=True
        ).start()


def program(command: str) -> str:
    """A short name for a process of the stack."""
    for word, name in (
        ("--queues=drive", "drive workers"),
        ("--queues=effects", "effects worker"),
        ("config.stack.web", "web"),
        ("granian", "web"),
        ("clock run", "clock"),
        ("postgres", "postgres"),
        ("valkey", "valkey"),
        ("config.stack", "supervisor"),
    ):
        if word in command:
            return name
    return "other"


def descendants(pid: int) -> Iterator[int]:
    """Every process below this one."""
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield int(child)
                yield from descendants(int(child))


def pipeline(stack: Stack, clients: int, signals: int) -> dict[str, Any]:
    """Signals at so many clients: answers, and runs finished per second."""
    with stack.database() as database:
        before = database.execute("select count(*) from run where status = 'completed'").fetchone()[
            0
        ]  # type: ignore[index]
        started = time.time()
        report = asyncio.run(
            load.run(f"{stack.url}/hooks/demo/bench", clients=clients, count=signals, body=BODY)
        )
        while True:
            done = (
                database.execute("select count(*) from run where status = 'completed'").fetchone()[
                    0
                ]
                - before
            )  # type: ignore[index]
            now = time.time()
            if done >= signals or now - started > 600:
                break
            time.sleep(0.02)
        rows = database.execute(
            "select count(*) from run_event e join run r on r.id = e.run_id"
            " where r.created_at >= to_timestamp(%s)",
            [started],
        ).fetchone()[0]  # type: ignore[index]
    return {
        **report.as_json(),
        "finished": done,
        "journal_rows": rows,
        "finished_per_second": round(done / (now - report.first_sent_at), 1),
    }


def decisions(stack: Stack, count: int) -> dict[str, Any]:
    """From sending a decision to the next step being done, one after the other."""
    asyncio.run(
        load.run(f"{stack.url}/hooks/demo/bench-approval", clients=4, count=count, body=BODY)
    )
    tasks: list[dict[str, Any]] = []
    for _ in range(100):
        tasks = stack.call("GET", "/api/v1/tasks/?limit=200", who="approver")["results"]
        if len(tasks) >= count:
            break
        time.sleep(0.1)
    took = []
    with stack.database() as database:
        for task in tasks[:count]:
            sent = time.perf_counter()
            stack.call(
                "POST",
                f"/api/v1/tasks/{task['id']}/decide/",
                {"outcome": "approved"},
                who="approver",
            )
            while (
                database.execute("select status from run where id = %s", [task["run"]]).fetchone()
                or [""]
            )[0] not in {"completed", "failed"}:
                time.sleep(0.001)
            took.append((time.perf_counter() - sent) * 1000)
    took.sort()
    return {
        "decisions": len(took),
        "p50_ms": round(took[len(took) // 2], 1),
        "p95_ms": round(took[int(len(took) * 0.95)], 1),
    }


def main() -> int:
    """Measure, print, write; exit status 1 where the report is void."""
    parser = argparse.ArgumentParser(description="Measure Signalbox on this machine.")
    parser.add_argument("--signals", type=int, default=10_000)
    parser.add_argument("--clients", type=int, nargs="*", default=[1, 16, 64])
    parser.add_argument("--decisions", type=int, default=100)
    parser.add_argument("--keep", action="store_true", help="keep the bench's home")
    given = parser.parse_args()
    home = OUT / "home"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    stack = Stack(home)
    try:
        report = measure(stack, given)
    finally:
        stack.stop()
        if not given.keep:
            shutil.rmtree(home, ignore_errors=True)
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    (OUT / name).write_text(json.dumps(report, indent=2) + "\n")
    show(report)
    print(f"written to var/bench/{name}")
    return 1 if report["void"] else 0


def measure(stack: Stack, given: argparse.Namespace) -> dict[str, Any]:
    """Everything, in order."""
    stack.publish(PIPELINE)
    stack.publish(APPROVAL)
    time.sleep(5)
    report: dict[str, Any] = {
        "commit": subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        ).stdout.strip(),
        "cores": os.cpu_count(),
        "load_before": [round(one, 2) for one in os.getloadavg()],
        "start_s": stack.start_s,
        "memory_idle_mb": stack.memory(),
    }
    with stack.database() as database:
        for name in (*MUST_BE_ON, "server_version"):
            report[name] = database.execute(f"show {name}").fetchone()[0]  # type: ignore[index]
    pipeline(stack, 4, 200)  # warm-up: compiled flows, prepared statements
    report["pipeline"] = []
    for clients in given.clients:
        report["pipeline"].append(pipeline(stack, clients, given.signals))
        if clients == 16:
            report["memory_loaded_mb"] = stack.memory()
    report["decision_to_next_step"] = decisions(stack, given.decisions)
    checked = stack.manage("check_runs")
    report["check_runs"] = checked.stdout.strip() or checked.stderr.strip()
    report["void"] = [
        *(f"{name} is {report[name]}" for name in MUST_BE_ON if report[name] != "on"),
        *(["check_runs failed"] if checked.returncode else []),
        *(
            f"only {one['finished']} of {one['requests']} runs finished at {one['clients']} clients"
            for one in report["pipeline"]
            if one["finished"] < given.signals
        ),
    ]
    return report


def show(report: dict[str, Any]) -> None:
    """The table."""
    on = ", ".join(f"{name} {report[name]}" for name in MUST_BE_ON)
    print(
        f"commit {report['commit']}, {report['cores']} cores, load before"
        f" {report['load_before'][0]}, PostgreSQL {report['server_version']}: {on}"
    )
    print(f"start to ready {report['start_s']} s")
    print("webhook → map → decide → map → stop")
    print("clients  runs/s finished  202/s   p50 ms   p95 ms   p99 ms  generator  journal rows")
    for one in report["pipeline"]:
        print(
            f"{one['clients']:>7}  {one['finished_per_second']:>15}  {one['per_second']:>6}"
            f"  {one['p50_ms']:>6}  {one['p95_ms']:>7}  {one['p99_ms']:>7}"
            f"  {one['generator_cpu_share']:>9.0%}  {one['journal_rows']:>12}"
        )
    next_step = report["decision_to_next_step"]
    print(
        f"decision → next step done: p50 {next_step['p50_ms']} ms, p95 {next_step['p95_ms']} ms"
        f" ({next_step['decisions']} decisions)"
    )
    for name in ("memory_idle_mb", "memory_loaded_mb"):
        if name in report:
            parts = ", ".join(f"{key} {value}" for key, value in report[name].items())
            print(f"{name.replace('_', ' ')} (PSS): {parts}")
    print(f"check_runs: {report['check_runs']}")
    for reason in report["void"]:
        print(f"VOID: {reason}")


if __name__ == "__main__":
    sys.exit(main())
