"""More ways to load the product, each with its bars: ``make bench ARGS="--scenarios chain"``.

All go through the public doors; what is counted is read from the tables. A stub of the outside
world answers on a port of its own, after a time that its address says.
"""

import asyncio
import itertools
import threading
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from tools import load
from tools.bench_bars import Bar, Scenario
from tools.stub import Stub

PATIENCE = 300
Document = dict[str, Any]


class Bench(Protocol):
    """What a scenario needs of the running stack; see ``tools.bench.Bench``."""

    stack: Any
    database: str
    #: Tokens of the administrator's and the approver's.
    admin: str
    approver: str
    #: Of a scenario that does its own.
    rounds: int

    def token_of(self, email: str) -> str:
        """A token of this person."""

    def call(self, method: str, path: str, body: Any = None, token: str = "") -> Any:
        """One call of the API."""

    def publish(self, document: Document) -> str:
        """Draw and publish a flow; returns its id."""

    def query(self, sql: str, *values: object) -> dict[str, Any]:
        """One row."""

    def memory(self) -> dict[str, float]:
        """PSS in MB by part."""

    def heaviest_of(self, part: str) -> float:
        """PSS in MB of the heaviest single process of a part."""

    def seconds_of_cpu(self) -> float:
        """What the whole stack has used of the processors so far."""

    def cpu_by_part(self) -> dict[str, float]:
        """The same by part."""

    def throughput(self, flow: str, clients: int, signals: int) -> dict[str, Any]:
        """Signals to the first flow, until their runs are finished."""


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
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        over = "select count(*) n from run where flow_id = %s and finished_at is not null"
        if bench.query(over, flow_id)["n"] >= count:
            break
        time.sleep(0.5)
    return bench.query(
        "select count(*) n, count(*) filter (where status <> 'completed') wrong,"
        " extract(epoch from max(finished_at))::float8 last,"
        " percentile_cont(0.5) within group ("
        "  order by extract(epoch from finished_at - created_at)) * 1000 p50_ms"
        " from run where flow_id = %s and finished_at is not null",
        flow_id,
    )


def first_id_at(at: datetime) -> str:
    """The smallest id of that time: a look at what is newer need not read what is older."""
    return str(UUID(int=int(at.timestamp() * 1000) << 80))


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
            " where flow_id = %s and id >= %s and created_at >= %s and finished_at is not null",
            flow_id,
            first_id_at(before),
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


def calling(bench: Bench, stub: Stub, *, delay_ms: int) -> tuple[str, str]:
    """A flow that calls the stub, published; its path and its id."""
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
    return name, bench.publish(flow(name, steps, links))


def effects(
    bench: Bench, *, delay_ms: int, count: int, clients: int = 16, warm_up: int = 2000
) -> dict[str, Any]:
    """Requests to a stub that takes its time; all signals come at the start and queue up.

    ``grown_mb`` is what the product's own processes hold more at the end than after the first
    two thousand calls, when every thread is made and a driver has seen large batches.
    """
    with Stub() as stub:
        name, flow_id = calling(bench, stub, delay_ms=delay_ms)
        send(bench, name, warm_up, clients=clients)
        finished(bench, flow_id, warm_up)
        before = bench.memory()
        report = send(bench, name, count, clients=clients)
        heaviest: dict[str, float] = {}
        watching = threading.Event()

        def watch() -> None:
            while not watching.wait(1):
                now = bench.memory()
                if now["total"] > heaviest.get("total", 0):
                    heaviest.update(now)

        watcher = threading.Thread(target=watch)
        watcher.start()
        row = finished(bench, flow_id, warm_up + count)
        watching.set()
        watcher.join()
        after = bench.memory()
        seconds = row["last"] - report.first_sent_at
        return {
            "effects_per_second": round((row["n"] - warm_up) / seconds, 1),
            "seconds": round(seconds, 1),
            "seen_by_the_stub": stub.answered,
            "wrong": row["wrong"],
            "grown_mb": round(own(after) - own(before), 1),
            "before_mb": before,
            "heaviest_mb": heaviest,
            "after_mb": after,
        }


def own(memory: Mapping[str, float]) -> float:
    """What the product's own processes hold, without the servers and their caches."""
    return sum(memory.get(name, 0.0) for name in ("web", "drive", "effects", "clock"))


def row_of_effects(bench: Bench, *, count: int = 1000) -> dict[str, Any]:
    """One run with many calls, one after the other."""
    with Stub() as stub:
        steps = {
            "each": {
                "type": "for_each",
                "config": {"items": f"for n in 1..{count} return n", "parallel": 1},
            },
            "call": {
                "type": "http.request",
                "in": "each",
                "config": {"method": "POST", "url": f"{stub.url}/0", "body": {"n": "= item"}},
            },
        }
        name = fresh("row")
        flow_id = bench.publish(
            flow(name, steps, [("trigger", "", "each"), ("each", "body", "call")])
        )
        found = _one_run(bench, name, flow_id)
        return {**found, "seen_by_the_stub": stub.answered}


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
    return _one_run(bench, name, bench.publish(flow(name, steps, links)))


def _one_run(bench: Bench, name: str, flow_id: str) -> dict[str, Any]:
    """Start one run and look at its snapshot and at the drive processes until it is over."""
    largest, heaviest = 0, 0.0
    report = send(bench, name, 1, clients=1)
    until = time.monotonic() + PATIENCE
    row: dict[str, Any] = {}
    while not row.get("last") and time.monotonic() < until:
        size = bench.query(
            "select max(length(snapshot::text)) n from run_state where flow_id = %s", flow_id
        )["n"]
        largest = max(largest, size or 0)
        heaviest = max(heaviest, bench.heaviest_of("drive"))
        row = bench.query(
            "select extract(epoch from max(finished_at))::float8 last from run where flow_id = %s",
            flow_id,
        )
        time.sleep(0.05)
    return {
        "seconds": round((row.get("last") or time.time()) - report.first_sent_at, 2),
        "largest_snapshot_kb": round(largest / 1024, 1),
        "worker_mb": heaviest,
    }


def idle(bench: Bench, *, seconds: int = 20) -> dict[str, Any]:
    """What the stack costs while nothing happens."""
    before = bench.seconds_of_cpu()
    time.sleep(seconds)
    return {
        "memory_mb": bench.memory()["total"],
        "cpu_share": round((bench.seconds_of_cpu() - before) / seconds, 4),
    }


SCENARIOS: dict[str, Scenario] = {
    "idle": Scenario(
        lambda bench, _: idle(bench), (Bar("memory_mb", most=700), Bar("cpu_share", most=0.03))
    ),
    "one": Scenario(
        lambda bench, flow_id: bench.throughput(flow_id, 1, 1000),
        (Bar("p50_ms", most=2), Bar("finished_p50_ms", most=10)),
    ),
    "intake": Scenario(
        lambda bench, flow_id: bench.throughput(flow_id, 16, 10_000),
        (Bar("finished_per_second", least=1200), Bar("p99_ms", most=60)),
    ),
    "steady": Scenario(
        steady,
        (Bar("p50_ms", most=4), Bar("p99_ms", most=30), Bar("finished_p50_ms", most=20)),
    ),
    "chain": Scenario(
        lambda bench, _: chain(bench),
        (Bar("runs_per_second", least=700), Bar("extra_step_us", most=40)),
    ),
    "answer": Scenario(lambda bench, _: answer(bench), (Bar("p50_ms", most=25),)),
    "slow": Scenario(
        lambda bench, _: effects(bench, delay_ms=1000, count=11_400),
        (Bar("effects_per_second", least=180), Bar("grown_mb", most=30)),
    ),
    "quick": Scenario(
        lambda bench, _: effects(bench, delay_ms=50, count=18_600),
        (Bar("effects_per_second", least=300), Bar("grown_mb", most=30)),
    ),
    "row": Scenario(lambda bench, _: row_of_effects(bench), (Bar("largest_snapshot_kb", most=64),)),
    "branches": Scenario(lambda bench, _: branches(bench), (Bar("runs_per_second", least=50),)),
    "items": Scenario(
        lambda bench, _: items(bench),
        (
            Bar("seconds", most=10),
            Bar("largest_snapshot_kb", most=64),
            Bar("worker_mb", most=300),
        ),
    ),
}


def _ms(row: dict[str, Any]) -> float:
    return round(float(row.get("p50_ms") or 0.0), 2)
