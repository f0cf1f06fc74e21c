"""What is measured with much there: runs that wait, a million finished ones, a flood, a stop.

``make bench ARGS="--scenarios waiting,million,flood,stop"``. Everything that counts goes through
the public doors; the million are filled in by ``tools.seeding``.
"""

import asyncio
import json
import statistics
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tools import load, seeding
from tools.bench_bars import Bar, Scenario, median_of
from tools.bench_scenarios import (
    PATIENCE,
    Bench,
    calling,
    finished,
    first_id_at,
    flow,
    fresh,
    send,
)
from tools.stub import Stub

SETTLE = 20  # seconds: what was written is being tidied up


def waiting(bench: Bench, *, count: int = 100_000, due: int = 1000) -> dict[str, Any]:
    """Many runs that wait for a month; then some more that all wait for the same moment."""
    name = fresh("waiting")
    steps = {"wait": {"type": "delay", "config": {"for": "P30D"}}}
    bench.publish(flow(name, steps, [("trigger", "", "wait")]))
    began = time.monotonic()
    send(bench, name, count)
    _until(bench, "select count(*) >= %s ok from timer where status = 'open'", count)
    set_up = time.monotonic() - began
    left = bench.query("select count(*) n from run_command")["n"]
    time.sleep(SETTLE)
    before = bench.seconds_of_cpu()
    # Long enough for what the clock does each minute.
    time.sleep(120)
    share = (bench.seconds_of_cpu() - before) / 120
    rounds = clock_rounds(bench)
    woken = [_wake(bench, due) for _ in range(bench.rounds)]
    return {
        "waiting": count,
        "set_up_s": round(set_up, 1),
        "commands_left": left,
        "cpu_share_while_waiting": round(share, 3),
        **rounds,
        "wake_s": statistics.median(woken),
        "wakes_s": woken,
    }


def _wake(bench: Bench, due: int) -> float:
    """Seconds from the moment for which so many runs wait until the last of them is over."""
    name = fresh("due")
    steps = {
        "wait": {"type": "delay", "config": {"until": "date and time(trigger.body.at)"}},
        "end": {"type": "stop", "config": {}},
    }
    flow_id = bench.publish(flow(name, steps, [("trigger", "", "wait"), ("wait", "done", "end")]))
    at = datetime.now(UTC) + timedelta(seconds=15)
    send(bench, name, due, body=json.dumps({"at": at.isoformat(timespec="seconds")}))
    at = at.replace(microsecond=0)
    row = finished(bench, flow_id, due)
    return round(float(row["last"]) - at.timestamp(), 2)


def clock_rounds(bench: Bench, *, rounds: int = 9) -> dict[str, Any]:
    """How long the clock needs for a round, in the median and at most, and its slowest parts."""
    said = bench.stack.manage("clock", "measure", "--rounds", str(rounds)).splitlines()
    first, *found = [json.loads(line) for line in said]  # the first opens what the others use
    names = {name for one in found for name in one["parts_ms"]}
    parts = {
        name: round(
            statistics.median(one["parts_ms"][name] for one in found if name in one["parts_ms"]), 2
        )
        for name in names
    }
    slowest = sorted(parts.items(), key=lambda pair: -pair[1])[:4]
    every = [one["round_ms"] for one in found]
    return {
        "tick_ms": round(statistics.median(every), 1),
        "slowest_tick_ms": max(every),
        "slowest_parts_ms": dict(slowest),
        "stuck_runs_ms": first["parts_ms"]["stuck runs"],
    }


def million(bench: Bench, flow_id: str, *, count: int = 1_000_000) -> dict[str, Any]:
    """Intake, the list and a run page with empty tables and with a million finished runs."""
    empty = [bench.throughput(flow_id, 16, 10_000) for _ in range(bench.rounds)]
    began = time.monotonic()
    copied = seeding.fill(bench.database, flow_id, count)
    filling = time.monotonic() - began
    full = [bench.throughput(flow_id, 16, 10_000) for _ in range(bench.rounds)]
    before, after = median_of(empty), median_of(full)
    runs, _ = bench.call("GET", "runs/?limit=50")
    one = runs["results"][0]["id"]
    paths = {
        "list_ms": "runs/?limit=50",
        "list_of_a_flow_ms": f"runs/?flow={flow_id}&limit=50",
        "list_of_failed_ms": "runs/?status=failed&limit=50",
        "page_ms": f"runs/{one}/",
        "latest_ms": f"runs/latest/?flows={flow_id}",
        "badge_ms": "tasks/count/",
    }
    return {
        "copied": copied,
        "filling_s": round(filling, 1),
        "runs": bench.query("select count(*) n from run")["n"],
        "empty_per_second": before["finished_per_second"],
        "full_per_second": after["finished_per_second"],
        "share": round(after["finished_per_second"] / before["finished_per_second"], 3),
        "empty_p99_ms": before["p99_ms"],
        "full_p99_ms": after["p99_ms"],
        **{name: slowest_usual(bench, path) for name, path in paths.items()},
        **clock_rounds(bench),
        "rounds_empty": empty,
        "rounds_full": full,
    }


def slowest_usual(bench: Bench, path: str, *, times: int = 40) -> float:
    """The time that 95 of 100 calls of the API did not exceed, in milliseconds."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        bench.call("GET", path)
        took.append((time.perf_counter() - began) * 1000)
    return round(sorted(took)[int(times * 0.95) - 1], 1)


def flood(bench: Bench, flow_id: str, *, count: int = 50_000) -> dict[str, Any]:
    """Signals as fast as they are taken into one flow, and one every 100 ms into another."""
    name = fresh("beside")
    steps = {"say": {"type": "map", "config": {"fields": {"n": "= trigger.body.id"}}}}
    beside = bench.publish(flow(name, steps, [("trigger", "", "say")]))
    began = bench.query("select now() at")["at"]
    reports: dict[str, load.Report] = {}
    longest = 0

    def pour() -> None:
        body = '{"id": {n}, "amount": 120.50, "tier": "gold"}'
        url = f"{bench.stack.url}/hooks/demo/bench"
        reports["flood"] = asyncio.run(load.run(url, clients=16, count=count, body=body))

    pouring = threading.Thread(target=pour)
    pouring.start()
    sent = 0
    while pouring.is_alive():
        due = time.monotonic() + 0.1
        send(bench, name, 1, clients=1)
        sent += 1
        if sent % 10 == 0:
            longest = max(longest, bench.query("select count(*) n from run_command")["n"])
        time.sleep(max(0.0, due - time.monotonic()))
    pouring.join()
    _until(
        bench,
        "select count(*) >= %s ok from run where flow_id = %s and id >= %s"
        " and finished_at is not null",
        *(reports["flood"].statuses.get(202, 0), flow_id, first_id_at(began)),
    )
    finished(bench, beside, sent)
    row = bench.query(
        "select count(*) n, percentile_cont(0.5) within group (order by late) p50,"
        " percentile_cont(0.95) within group (order by late) p95, max(late) longest,"
        " percentile_cont(0.95) within group (order by whole) whole_p95 from ("
        "  select extract(epoch from min(e.at) - r.created_at) * 1000 late,"
        "   extract(epoch from r.finished_at - r.created_at) * 1000 whole"
        "  from run r join run_event e on e.run_id = r.id and e.step <> ''"
        "  where r.flow_id = %s group by r.id, r.created_at, r.finished_at) s",
        beside,
    )
    return {
        "flood": reports["flood"].as_json(),
        "longest_queue": longest,
        "others": row["n"],
        "of": sent,
        "other_p50_ms": _rounded(row["p50"]),
        "other_p95_ms": _rounded(row["p95"]),
        "other_longest_ms": _rounded(row["longest"]),
        "other_finished_p95_ms": _rounded(row["whole_p95"]),
    }


def stop(bench: Bench, flow_id: str, *, seconds: int = 12, rate: int = 150) -> dict[str, Any]:
    """The global stop while signals and calls go on; the last run and call to begin after it."""
    with Stub() as stub:
        name, calls_id = calling(bench, stub, delay_ms=50)
        began = bench.query("select now() at")["at"]
        reports: list[load.Report] = []

        def pour(path: str) -> Callable[[], None]:
            url = f"{bench.stack.url}/hooks/demo/{path}"
            body = '{"id": {n}, "amount": 120.50, "tier": "gold"}'
            return lambda: reports.append(
                asyncio.run(load.open_loop(url, rate=rate, seconds=seconds, body=body))
            )

        pouring = [threading.Thread(target=pour(path)) for path in ("bench", name)]
        for one in pouring:
            one.start()
        time.sleep(seconds / 3)
        called = bench.query("select clock_timestamp() at")["at"]
        bench.call("POST", "operations/stop/", {"reason": "bench"}, bench.admin)
        answered = bench.query("select clock_timestamp() at")["at"]
        for one in pouring:
            one.join()
        time.sleep(1)
        last = bench.query(
            "select (select max(started_at) from run where id >= %s) run,"
            " (select max(sent_at) from effect where flow_id = %s) effect,"
            " (select max(e.at) from run_event e where e.run_id >= %s and e.step <> '') step",
            *(first_id_at(began), calls_id, first_id_at(began)),
        )
        held = bench.query("select count(*) n from waiting_start where reason = 'stopped'")["n"]
        bench.call("POST", "operations/resume/", {}, bench.admin)
        accepted = [one.statuses.get(202, 0) for one in reports]
        _until(
            bench,
            "select count(*) >= %s ok from run where flow_id = any(%s) and id >= %s"
            " and finished_at is not null",
            *(sum(accepted), [flow_id, calls_id], first_id_at(began)),
        )
        late = {
            f"last_{what}_s": round((at - called).total_seconds(), 2) if at else None
            for what, at in last.items()
        }
        return {
            **late,
            "acts_within_s": max(0.0, *(value for value in late.values() if value is not None)),
            "answered_s": round((answered - called).total_seconds(), 2),
            "held": held,
            "accepted": sum(accepted),
        }


def _until(bench: Bench, sql: str, *given: object) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and not bench.query(sql, *given)["ok"]:
        time.sleep(0.5)


def _rounded(value: Any) -> float | None:
    return None if value is None else round(float(value), 1)


SCENARIOS: dict[str, Scenario] = {
    "waiting": Scenario(
        lambda bench, _: waiting(bench),
        (
            Bar("commands_left", most=0),
            Bar("cpu_share_while_waiting", most=0.03),
            Bar("tick_ms", most=50),
            Bar("wake_s", most=3),
        ),
        whole=True,
    ),
    "flood": Scenario(flood, (Bar("other_p95_ms", most=500), Bar("other_longest_ms", most=2000))),
    "stop": Scenario(stop, (Bar("acts_within_s", most=5),)),
    "million": Scenario(
        million,
        (
            Bar("share", least=0.8),
            Bar("list_ms", most=100),
            Bar("page_ms", most=100),
            Bar("tick_ms", most=50),
        ),
        whole=True,
    ),
}
