"""More ways to load the product, each with its bar: ``make bench ARGS="--scenarios steady,chain"``.

All go through the public doors; what is counted is read from the tables. A stub of the outside
world answers on a port of its own, after a time that its address says.
"""

import asyncio
import itertools
import json
import statistics
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol, Self

from tools import load

PATIENCE = 300
Document = dict[str, Any]


class Bench(Protocol):
    """What a scenario needs of the running stack; see ``tools.bench.Bench``."""

    stack: Any

    def call(self, method: str, path: str, body: Any = None, token: str = "") -> Any:
        """One call of the API."""

    def publish(self, document: Document) -> str:
        """Draw and publish a flow; returns its id."""

    def query(self, sql: str, *values: object) -> dict[str, Any]:
        """One row."""

    def memory(self) -> dict[str, float]:
        """PSS in MB by part."""

    def seconds_of_cpu(self) -> float:
        """What the whole stack has used of the processors so far."""


_numbers = itertools.count(1)


def fresh(name: str) -> str:
    """A path of its own for each round."""
    return f"{name}-{next(_numbers)}"


def flow(name: str, steps: dict[str, Any], links: list[Any], **settings: Any) -> Document:
    """A document behind a webhook of the same name; links are ``(from, port, to)``."""
    return {
        "format": "signalbox.flow/1",
        "name": name,
        "trigger": {"type": "webhook", "config": {"path": name, "signature": {"scheme": "none"}}},
        "steps": {id_: {"version": 1, "title": id_, **step} for id_, step in steps.items()},
        "links": [
            {"from": source, **({"port": port} if port else {}), "to": target}
            for source, port, target in links
        ],
        "settings": settings,
        "layout": {},
    }


def send(
    bench: Bench, path: str, count: int, *, clients: int = 16, body: str = '{"id": {n}}'
) -> Any:
    """Signals as fast as the clients get their answers."""
    url = f"{bench.stack.url}/hooks/demo/{path}"
    return asyncio.run(load.run(url, clients=clients, count=count, body=body))


def finished(bench: Bench, flow_id: str, count: int) -> dict[str, Any]:
    """Wait until so many runs of the flow are over; when the last was, and from when to when."""
    row: dict[str, Any] = {}
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        row = bench.query(
            "select count(*) n, count(*) filter (where status <> 'completed') wrong,"
            " extract(epoch from max(finished_at))::float8 last,"
            " percentile_cont(0.5) within group ("
            "  order by extract(epoch from finished_at - created_at)) * 1000 p50_ms"
            " from run where flow_id = %s and finished_at is not null",
            flow_id,
        )
        if row["n"] >= count:
            return row
        time.sleep(0.2)
    return row


def steady(bench: Bench, flow_id: str, *, seconds: int = 20, rate: int = 500) -> dict[str, Any]:
    """The first flow at a steady rate, whatever the answers take."""
    url = f"{bench.stack.url}/hooks/demo/bench"
    before = bench.query("select now() as at")["at"]
    body = '{"id": {n}, "amount": 120.50, "tier": "gold"}'
    report = asyncio.run(load.open_loop(url, rate=rate, seconds=seconds, body=body))
    row: dict[str, Any] = {"n": 0}
    until = time.monotonic() + PATIENCE
    while row["n"] < report.statuses.get(202, 0) and time.monotonic() < until:
        row = bench.query(
            "select count(*) n, percentile_cont(0.5) within group ("
            "  order by extract(epoch from finished_at - created_at)) * 1000 p50_ms from run"
            " where flow_id = %s and created_at >= %s and finished_at is not null",
            flow_id,
            before,
        )
        time.sleep(0.2)
    return {**report.as_json(), "finished": row["n"], "finished_p50_ms": _ms(row)}


def chain(bench: Bench, *, count: int = 3000, length: int = 20) -> dict[str, Any]:
    """Pure steps in a row, and what each one more costs."""
    rates = {}
    for many in (1, length):
        ids = [f"m{at}" for at in range(many)]
        steps = {
            id_: {"type": "map", "config": {"fields": {"n": "= trigger.body.id"}}} for id_ in ids
        }
        ways = ["trigger", *ids]
        links = [(source, "", target) for source, target in zip(ways, ids, strict=False)]
        name = fresh(f"chain{many}")
        flow_id = bench.publish(flow(name, steps, links))
        report = send(bench, name, count)
        row = finished(bench, flow_id, count)
        rates[many] = row["n"] / (row["last"] - report.first_sent_at)
    extra = (1 / rates[length] - 1 / rates[1]) / (length - 1) * 1e6
    return {
        "runs_per_second": round(rates[length], 1),
        "one_step_runs_per_second": round(rates[1], 1),
        "extra_step_us": round(extra, 1),
    }


def answer(bench: Bench, *, count: int = 300) -> dict[str, Any]:
    """Calls that wait for the flow's answer."""
    steps = {"say": {"type": "respond", "config": {"status": 200, "body": "= trigger.body.id"}}}
    name = fresh("answer")
    bench.publish(flow(name, steps, [("trigger", "", "say")]))
    report = send(bench, f"{name}?wait=5", count, clients=1)
    return report.as_json()  # type: ignore[no-any-return]


def effects(bench: Bench, *, delay_ms: int, count: int, clients: int = 16) -> dict[str, Any]:
    """Requests to a stub that takes its time."""
    with Stub() as stub:
        name = fresh(f"effects{delay_ms}")
        config = {
            "method": "POST",
            "url": f"{stub.url}/{delay_ms}",
            "body": {"id": "= trigger.body.id"},
        }
        steps = {
            "call": {"type": "http.request", "config": config},
            "end": {"type": "stop", "config": {}},
        }
        links = [("trigger", "", "call"), ("call", "done", "end")]
        flow_id = bench.publish(flow(name, steps, links))
        idle = bench.memory()["total"]
        report = send(bench, name, count, clients=clients)
        heaviest = idle
        watching = threading.Event()

        def watch() -> None:
            nonlocal heaviest
            while not watching.wait(1):
                heaviest = max(heaviest, bench.memory()["total"])

        watcher = threading.Thread(target=watch)
        watcher.start()
        row = finished(bench, flow_id, count)
        watching.set()
        watcher.join()
        return {
            "effects_per_second": round(row["n"] / (row["last"] - report.first_sent_at), 1),
            "seen_by_the_stub": stub.count,
            "wrong": row["wrong"],
            "memory_before_mb": idle,
            "memory_mb": heaviest,
        }


def branches(bench: Bench, *, count: int = 300, width: int = 100) -> dict[str, Any]:
    """Parallel branches that meet in a join."""
    ids = [f"b{at}" for at in range(width)]
    steps = {
        id_: {"type": "map", "config": {"fields": {"n": f"= {at}"}}} for at, id_ in enumerate(ids)
    }
    steps["all"] = {"type": "join", "config": {"mode": "all"}}
    links = [("trigger", "", id_) for id_ in ids] + [(id_, "", "all") for id_ in ids]
    name = fresh("branches")
    flow_id = bench.publish(flow(name, steps, links))
    report = send(bench, name, count)
    row = finished(bench, flow_id, count)
    return {"runs_per_second": round(row["n"] / (row["last"] - report.first_sent_at), 1)}


def items(bench: Bench, *, count: int = 10_000) -> dict[str, Any]:
    """One run that works through a long list with a pure body."""
    steps = {
        "each": {
            "type": "for_each",
            "config": {
                "items": f"for n in 1..{count} return n",
                "parallel": 50,
                "result": "steps.twice.output.n",
            },
        },
        "twice": {"type": "map", "in": "each", "config": {"fields": {"n": "= item * 2"}}},
    }
    links = [("trigger", "", "each"), ("each", "body", "twice")]
    name = fresh("items")
    flow_id = bench.publish(flow(name, steps, links))
    largest = 0
    heaviest = 0.0
    report = send(bench, name, 1, clients=1)
    until = time.monotonic() + PATIENCE
    row: dict[str, Any] = {}
    while not row.get("last") and time.monotonic() < until:
        size = bench.query("select max(length(snapshot::text)) n from run_state")["n"] or 0
        largest = max(largest, size)
        heaviest = max(heaviest, bench.memory().get("drive", 0.0))
        row = bench.query(
            "select extract(epoch from max(finished_at))::float8 last from run where flow_id = %s",
            flow_id,
        )
    return {
        "seconds": round(row["last"] - report.first_sent_at, 2),
        "largest_snapshot_kb": round(largest / 1024, 1),
        "drive_memory_mb": heaviest,
    }


def waiting(bench: Bench, *, count: int = 100_000) -> dict[str, Any]:
    """Runs that wait, and a thousand of them that are due at once."""
    steps = {"wait": {"type": "delay", "config": {"for": "P30D"}}}
    name = fresh("waiting")
    bench.publish(flow(name, steps, [("trigger", "", "wait")]))
    send(bench, name, count)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if bench.query("select count(*) n from timer where status = 'open'")["n"] >= count:
            break
        time.sleep(0.5)
    left = bench.query("select count(*) n from run_command")["n"]
    before = bench.seconds_of_cpu()
    time.sleep(10)
    share = (bench.seconds_of_cpu() - before) / 10
    due = bench.query("select now() at")["at"]
    bench.query(
        "with due as (update timer set fires_at = now() where id in ("
        " select id from timer where status = 'open' limit 1000) returning id)"
        " select count(*) n from due"
    )
    started = time.monotonic()
    while time.monotonic() - started < 60:
        woken = bench.query("select count(*) n from run where finished_at >= %s", due)["n"]
        if woken >= 1000:
            break
        time.sleep(0.05)
    return {
        "waiting": count,
        "commands_left": left,
        "cpu_share_while_waiting": round(share, 3),
        "wake_1000_s": round(time.monotonic() - started, 2),
    }


def idle(bench: Bench, *, seconds: int = 20) -> dict[str, Any]:
    """What the stack costs while nothing happens."""
    before = bench.seconds_of_cpu()
    time.sleep(seconds)
    return {
        "memory_mb": bench.memory()["total"],
        "cpu_share": round((bench.seconds_of_cpu() - before) / seconds, 4),
    }


#: Name, what to do, and the bar in words.
SCENARIOS: dict[str, tuple[Callable[[Bench, str], dict[str, Any]], str]] = {
    "idle": (lambda bench, _: idle(bench), "≤ 700 MB, ≤ 3 % of one core"),
    "steady": (steady, "500/s: 202 p50 ≤ 4 ms, p99 ≤ 30 ms; finished p50 ≤ 20 ms"),
    "chain": (lambda bench, _: chain(bench), "≥ 700 runs/s, ≤ 40 µs an extra step"),
    "answer": (lambda bench, _: answer(bench), "p50 ≤ 25 ms"),
    "slow": (
        lambda bench, _: effects(bench, delay_ms=1000, count=11_000, clients=16),
        "1 s stub: ≥ 180/s for 60 s, same memory",
    ),
    "quick": (
        lambda bench, _: effects(bench, delay_ms=50, count=18_000, clients=16),
        "50 ms stub: ≥ 300/s for 60 s, same memory",
    ),
    "branches": (lambda bench, _: branches(bench), "≥ 50 runs/s"),
    "items": (lambda bench, _: items(bench), "≤ 10 s, worker ≤ 300 MB, snapshot ≤ 64 KB"),
    "waiting": (lambda bench, _: waiting(bench), "no command left; wake 1,000 ≤ 3 s"),
}


class Stub:
    """An HTTP server that answers ``/<milliseconds>`` after that time, and counts."""

    def __init__(self) -> None:
        stub = self
        self.count = 0
        lock = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("content-length") or 0))
                time.sleep(int(self.path.strip("/")) / 1000)
                with lock:
                    stub.count += 1
                body = json.dumps({"ok": True}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 512

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def median_of(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Field by field the median of several rounds."""
    found: dict[str, Any] = {}
    for name, value in rounds[0].items():
        every = [one[name] for one in rounds]
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        found[name] = statistics.median(every) if is_number else value
    return found


def _ms(row: dict[str, Any]) -> float:
    return round(float(row.get("p50_ms") or 0.0), 2)
