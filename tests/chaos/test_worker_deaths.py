"""Workers killed and frozen at the worst moment, one at a time, on the real stack.

A batch is caught in the middle by a lock on a run's row: the driver has decided everything and
waits to write it. An effect is caught in the middle by an outside system that does not answer.
"""

import json
import os
import signal
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psycopg
import pytest
import redis

from config.stack.places import Places
from tests.chaos.load import Load, put_draft, statuses, unfinished
from tests.support import database
from tests.support.live import LiveStack, descendants, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

LEASE_S = 30


class Outside:
    """An outside system that remembers keys and bodies, and answers when it is told to."""

    def __init__(self):
        self.calls: list[tuple[str, bytes]] = []
        self.may_answer = threading.Event()
        outside = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outside.calls.append((self.headers["Idempotency-Key"], body))
                outside.may_answer.wait(240)
                try:
                    self.send_response(200)
                    self.send_header("Content-Length", "2")
                    self.end_headers()
                    self.wfile.write(b"ok")
                except OSError:
                    return  # the caller is dead

            def log_message(self, *_):
                """Nobody reads it."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def calls_for(self, number):
        return [key for key, body in list(self.calls) if json.loads(body) == {"n": number}]


@pytest.fixture(scope="module")
def outside():
    made = Outside()
    yield made
    made.may_answer.set()
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(autouse=True)
def silent(outside):
    outside.may_answer.clear()


@pytest.fixture(scope="module")
def stack():
    live = LiveStack(database.folder() / "deaths")
    try:
        live.start(240)
        yield live
    finally:
        live.stop()


def step(kind, **config):
    return {"type": kind, "version": 1, "title": kind, "config": config}


@pytest.fixture(scope="module")
def flow(stack, outside):
    """A flow that calls the outside system, and one that only computes."""
    url = f"http://127.0.0.1:{outside.server.server_port}/"
    token = stack.manage("issue_token", "builder@demo.local").split()[-1]
    call = step("http.request", url=url, body={"n": "=trigger.body.n"}, timeout_s=200)
    pure = step("map", fields={"n": "=trigger.body.n"})
    for path, first in (("calls", call), ("maps", pure)):
        document = {
            "format": "signalbox.flow/1",
            "name": path,
            "trigger": {"type": "webhook", "config": {"path": path}},
            "steps": {"first": first, "end": step("stop", outcome="completed")},
            "links": [
                {"from": "trigger", "to": "first"},
                {"from": "first", "port": "done", "to": "end"},
            ],
            "settings": {},
            "layout": {},
        }
        made = stack.call("POST", "flows/", token, {"name": path})["id"]
        put_draft(stack, made, token, document)
        stack.call("POST", f"flows/{made}/publish/", token, {"note": "deaths"})
    return token


@contextmanager
def connected(stack):
    with psycopg.connect(Places(stack.home.resolve()).cluster.url(), autocommit=True) as open_:
        yield open_


def signal_to(stack, path, number):
    request = urllib.request.Request(
        f"{stack.url}/hooks/demo/{path}",
        data=json.dumps({"n": number}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())["run"]


def status(stack, run):
    with connected(stack) as there:
        return there.execute("select status from run where id = %s", [run]).fetchone()[0]


def is_completed(stack, run):
    return lambda: status(stack, run) == "completed"


def ignored(stack, run):
    with connected(stack) as there:
        return there.execute(
            "select count(*) from run_event where run_id = %s and type = 'outcome.ignored'", [run]
        ).fetchone()[0]


@contextmanager
def caught_in_a_batch(stack, number):
    """A run whose driver has decided and stands before its write, until the block ends."""
    with connected(stack) as holder, connected(stack) as watcher, holder.transaction():
        holder.execute("lock table run_event in share row exclusive mode")
        run = signal_to(stack, "maps", number)
        until(
            lambda: watcher.execute(
                "select count(*) from pg_stat_activity"
                " where wait_event_type = 'Lock' and query like '%with journal as%'"
            ).fetchone()[0],
            60,
            "a driver waits to write",
        )
        yield run


def test_a_driver_killed_in_the_middle_of_a_batch_loses_nothing(stack, flow):
    with caught_in_a_batch(stack, 1) as run:
        for child in descendants(stack.processes()["drive"]):
            os.kill(child, signal.SIGKILL)
        time.sleep(0.5)

    until(is_completed(stack, run), 60, "the run is completed")
    assert "all is well" in stack.manage("check_runs")


def test_a_driver_frozen_in_the_middle_of_a_batch_and_woken_does_no_harm(stack, flow):
    with caught_in_a_batch(stack, 2) as run:
        frozen = descendants(stack.processes()["drive"])
        for child in frozen:
            os.kill(child, signal.SIGSTOP)
    # Its statement ends now, and its transaction stays open until the server ends that.
    time.sleep(12)
    for child in frozen:
        os.kill(child, signal.SIGCONT)

    until(is_completed(stack, run), 60, "the run is completed")
    assert "all is well" in stack.manage("check_runs")


def test_an_effect_worker_killed_in_the_middle_repeats_under_the_same_key(stack, flow, outside):
    run = signal_to(stack, "calls", 3)
    until(lambda: outside.calls_for(3), 60, "the first call")
    stack.kill("effects")
    outside.may_answer.set()

    until(is_completed(stack, run), LEASE_S + 90, "the run is completed")
    keys = outside.calls_for(3)
    assert len(keys) == 2
    assert len(set(keys)) == 1


def test_an_effect_worker_frozen_past_its_lease_is_refused_when_it_wakes(stack, flow, outside):
    run = signal_to(stack, "calls", 4)
    until(lambda: outside.calls_for(4), 60, "the first call")
    worker = stack.processes()["effects"]
    os.kill(worker, signal.SIGSTOP)
    try:
        time.sleep(LEASE_S + 8)
        with connected(stack) as there:
            assert there.execute(
                "select status, attempt, fence from effect where run_id = %s", [run]
            ).fetchone() == ("queued", 1, 1)
        outside.may_answer.set()
    finally:
        os.kill(worker, signal.SIGCONT)

    until(is_completed(stack, run), 90, "the run is completed")
    until(lambda: ignored(stack, run) == 1, 60, "the late result is journaled")
    assert len(set(outside.calls_for(4))) == 1
    assert "all is well" in stack.manage("check_runs")


def test_a_flushed_valkey_delays_work_by_less_than_a_minute(stack, flow):
    client = redis.Redis.from_url(Places(stack.home.resolve()).broker.url)
    client.flushall()
    run = signal_to(stack, "maps", 5)
    client.flushall()

    until(is_completed(stack, run), 60, "the run is completed")


def test_a_stopped_valkey_stops_no_intake(stack, flow):
    valkey = stack.processes()["valkey"]
    os.kill(valkey, signal.SIGSTOP)
    try:
        runs = [signal_to(stack, "maps", 6) for _ in range(5)]
    finally:
        os.kill(valkey, signal.SIGCONT)

    for run in runs:
        until(is_completed(stack, run), 60, "the run is completed")


def test_with_the_workers_stopped_intake_goes_on_and_runs_stay_queued(stack, flow):
    driver = stack.processes()["drive"]
    workers = [driver, *descendants(driver)]
    for worker in workers:
        os.kill(worker, signal.SIGSTOP)
    try:
        runs = [signal_to(stack, "maps", 8) for _ in range(5)]
        time.sleep(3)
        assert {status(stack, run) for run in runs} == {"queued"}
    finally:
        for worker in workers:
            os.kill(worker, signal.SIGCONT)

    for run in runs:
        until(is_completed(stack, run), 60, "the run is completed")


def test_a_restarted_postgres_loses_nothing_that_was_accepted(stack, flow, outside):
    outside.may_answer.set()
    runs = [signal_to(stack, path, 7) for path in ("maps", "calls") * 3]
    stack.kill("postgres", signal.SIGQUIT)

    def all_done():
        try:
            return all(status(stack, run) == "completed" for run in runs)
        except psycopg.OperationalError:
            return False

    until(all_done, 120, "every run is completed")
    until(stack.is_healthy, 60, "the web process answers")
    assert "all is well" in stack.manage("check_runs")


class PatientLoad(Load):
    """Clients that keep what they are told while nothing is accepted."""

    def __init__(self, url):
        super().__init__(url)
        self.refusals: list[tuple[str | None, dict[str, Any]]] = []

    def _send(self, number):
        request = urllib.request.Request(
            self.url,
            data=json.dumps({"n": number}).encode(),
            headers={"Content-Type": "application/json", "Idempotency-Key": f"stopped-{number}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                self.answers[str(answer.status)] += 1
                return json.loads(answer.read())["run"]
        except urllib.error.HTTPError as refused:
            self.answers[str(refused.code)] += 1
            self.refusals.append((refused.headers["Retry-After"], json.loads(refused.read())))
        return None


def test_a_postgres_stopped_under_load_is_503_meanwhile_and_loses_no_accepted_call(stack, flow):
    load = PatientLoad(f"{stack.url}/hooks/demo/maps")
    load.start()
    try:
        until(lambda: len(load.accepted) > 20, 60, "calls are accepted")

        def refused():
            with suppress(KeyError, ProcessLookupError):  # it is down, and on its way back
                stack.kill("postgres", signal.SIGQUIT)
            return load.answers["503"] >= 3

        until(refused, 60, "callers are told that it is away")
        before = len(load.accepted)
        until(lambda: len(load.accepted) > before + 20, 120, "calls are accepted again")
    finally:
        load.stop()

    assert set(load.answers) <= {"202", "200", "503"}
    assert all(after and int(after) >= 1 for after, _ in load.refusals)
    assert all(problem["detail"] for _, problem in load.refusals)
    runs = set(load.accepted.values())
    assert len(runs) == len(load.accepted)
    url = Places(stack.home.resolve()).cluster.url()
    until(lambda: not unfinished(url, runs), 120, "every accepted call is a finished run")
    assert statuses(url, runs) == {"completed": len(runs)}
    assert "all is well" in stack.manage("check_runs")
