"""Load through the real stack while its parts are killed, frozen, flushed and restarted.

``make chaos`` is the long form. ``SEED``, ``DURATION`` (seconds) and ``KILLS`` choose another;
one line of figures is printed, with the seed that repeats it.
"""

import json
import os
import random
import signal
import threading
import time
import urllib.error
import urllib.request
from collections import Counter, defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psycopg
import pytest
import redis

from config.stack.places import Places
from tests.support.live import LiveStack, descendants, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]

LONG = os.environ.get("SIGNALBOX_CHAOS") == "long"
SEED = int(os.environ.get("SEED") or 20261120)
DURATION = float(os.environ.get("DURATION") or (1800 if LONG else 45))
KILLS = int(os.environ.get("KILLS") or (500 if LONG else 12))
CLIENTS = 4


class Recorder:
    """An outside system: remembers each idempotency key with the bodies it came with."""

    def __init__(self) -> None:
        self.bodies: dict[str, set[bytes]] = defaultdict(set)
        self.calls = 0
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                recorder.bodies[self.headers["Idempotency-Key"]].add(body)
                recorder.calls += 1
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/"


def document(url: str) -> dict[str, Any]:
    def step(kind: str, **config: object) -> dict[str, Any]:
        return {"type": kind, "version": 1, "title": kind, "config": config}

    return {
        "format": "signalbox.flow/1",
        "name": "Chaos",
        "trigger": {"type": "webhook", "config": {"path": "chaos"}},
        "steps": {
            "read": step("map", fields={"n": "=trigger.body.n"}),
            "wait": step("delay", **{"for": "PT1S"}),
            "tell": step(
                "http.request",
                url=url,
                body={"n": "=steps.read.output.n"},
                retry={"max_attempts": 20, "first_delay_s": 0.2},
            ),
            "end": step("stop", outcome="completed"),
            "bad": step("stop", outcome="failed"),
        },
        "links": [
            {"from": "trigger", "to": "read"},
            {"from": "read", "to": "wait"},
            {"from": "wait", "to": "tell"},
            {"from": "tell", "port": "done", "to": "end"},
            {"from": "tell", "port": "error", "to": "bad"},
        ],
        "settings": {},
        "layout": {},
    }


@pytest.fixture
def stack(tmp_path):
    live = LiveStack(tmp_path / "home")
    live.start(240)
    yield live
    live.stop()


@pytest.fixture
def recorder():
    made = Recorder()
    yield made
    made.server.shutdown()
    made.server.server_close()


class Load:
    """Clients that send a signal until it is accepted, each under a key of its own."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.accepted: dict[int, str] = {}
        self.answers: Counter[str] = Counter()
        self._next = iter(range(10**9))
        self._stop = threading.Event()
        self._given_up = threading.Event()
        self._threads = [
            threading.Thread(target=self._send_all, daemon=True) for _ in range(CLIENTS)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, *, now: bool = False) -> None:
        """No new signals; those on their way are sent until they are accepted, or not at all."""
        self._stop.set()
        if now:
            self._given_up.set()
        for thread in self._threads:
            thread.join()

    def _send_all(self) -> None:
        while not self._stop.is_set():
            number = next(self._next)
            while (run := self._send(number)) is None and not self._given_up.is_set():
                time.sleep(0.2)
            if run is not None:
                self.accepted[number] = run
            time.sleep(0.05)

    def _send(self, number: int) -> str | None:
        request = urllib.request.Request(
            self.url,
            data=json.dumps({"n": number}).encode(),
            headers={"Content-Type": "application/json", "Idempotency-Key": f"signal-{number}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                self.answers[str(answer.status)] += 1
                return str(json.loads(answer.read())["run"])
        except urllib.error.HTTPError as refused:
            self.answers[str(refused.code)] += 1
        except OSError:
            self.answers["no answer"] += 1
        return None


class Harm:
    """One kind of trouble after the other, drawn by lot from the seed."""

    def __init__(self, stack: LiveStack, seed: int) -> None:
        self.stack = stack
        self.random = random.Random(seed)
        self.done: Counter[str] = Counter()

    def once(self) -> None:
        kinds = [
            self.kill_web,
            self.kill_driver,
            self.kill_pool_child,
            self.kill_effects,
            self.kill_clock,
            self.kill_valkey,
            self.flush_valkey,
            self.kill_postgres,
            self.freeze_effects,
            self.freeze_driver,
        ]
        kind = self.random.choice(kinds)
        try:
            kind()
        except (KeyError, IndexError, ProcessLookupError, redis.ConnectionError):
            return  # it is down already, and on its way back
        self.done[kind.__name__] += 1

    def kill_web(self) -> None:
        self.stack.kill("web")

    def kill_driver(self) -> None:
        self.stack.kill("drive")

    def kill_pool_child(self) -> None:
        children = descendants(self.stack.processes()["drive"])
        os.kill(self.random.choice(children), signal.SIGKILL)

    def kill_effects(self) -> None:
        self.stack.kill("effects")

    def kill_clock(self) -> None:
        self.stack.kill("clock")

    def kill_valkey(self) -> None:
        self.stack.kill("valkey")

    def flush_valkey(self) -> None:
        redis.Redis.from_url(Places(self.stack.home.resolve()).broker.url).flushall()

    def kill_postgres(self) -> None:
        self.stack.kill("postgres", signal.SIGQUIT)

    def freeze_effects(self) -> None:
        self._freeze(self.stack.processes()["effects"], 3)

    def freeze_driver(self) -> None:
        self._freeze(self.random.choice(descendants(self.stack.processes()["drive"])), 12)

    def _freeze(self, pid: int, seconds: float) -> None:
        os.kill(pid, signal.SIGSTOP)

        def wake() -> None:
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                return

        threading.Timer(seconds, wake).start()


def test_nothing_is_lost_and_nothing_is_done_twice_under_another_key(stack, recorder):
    token = stack.manage("issue_token", "builder@demo.local").split()[-1]
    flow = stack.call("POST", "flows/", token, {"name": "Chaos"})["id"]
    _put(stack, flow, token, document(recorder.url))
    stack.call("POST", f"flows/{flow}/publish/", token, {"note": "chaos"})
    load, harm = Load(f"{stack.url}/hooks/demo/chaos"), Harm(stack, SEED)

    load.start()
    try:
        for _ in range(KILLS):
            time.sleep(DURATION / KILLS)
            harm.once()
    except BaseException:
        load.stop(now=True)
        raise
    load.stop()

    until(stack.is_healthy, 60, "the web process answers")
    runs = set(load.accepted.values())
    until(lambda: not _unfinished(stack, runs), 180, "every run is finished")

    statuses = _statuses(stack, runs)
    repeats = recorder.calls - len(recorder.bodies)
    harmed = ", ".join(f"{kind} {count}" for kind, count in sorted(harm.done.items()))
    print(
        f"\nchaos: seed {SEED}, {DURATION:.0f} s, signals {len(load.accepted)},"
        f" answers {dict(load.answers)}, kills {sum(harm.done.values())} ({harmed}),"
        f" runs {dict(statuses)}, effects {len(recorder.bodies)}, repeats {repeats},"
        f" lost = {len(load.accepted) - sum(statuses.values())}"
    )
    assert set(load.answers) <= {"202", "200", "503", "no answer"}
    assert len(runs) == len(load.accepted)
    assert statuses == {"completed": len(runs)}, _failures(stack, runs)
    assert len(recorder.bodies) == len(runs)
    assert all(len(bodies) == 1 for bodies in recorder.bodies.values())
    assert "all is well" in stack.manage("check_runs")
    stack.manage("audit_verify")


def _put(stack: LiveStack, flow: str, token: str, draft: dict[str, Any]) -> None:
    request = urllib.request.Request(
        f"{stack.url}/api/v1/flows/{flow}/draft/",
        method="PUT",
        data=json.dumps(draft).encode(),
        headers={
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "If-Match": '"1"',
        },
    )
    urllib.request.urlopen(request, timeout=30).close()


def _statuses(stack: LiveStack, runs: set[str]) -> Counter[str]:
    url = Places(stack.home.resolve()).cluster.url()
    with psycopg.connect(url, autocommit=True) as database:
        rows = database.execute(
            "select status, count(*) from run where id = any(%s::uuid[]) group by status",
            [list(runs)],
        ).fetchall()
    return Counter(dict(rows))


def _failures(stack: LiveStack, runs: set[str]) -> list[Any]:
    """What went wrong, where something did: error of the step and of the run."""
    url = Places(stack.home.resolve()).cluster.url()
    with psycopg.connect(url, autocommit=True) as database:
        return database.execute(
            "select r.id, r.error, e.data from run r left join run_event e"
            " on e.run_id = r.id and e.type = 'step.failed'"
            " where r.status <> 'completed' and r.id = any(%s::uuid[]) limit 5",
            [list(runs)],
        ).fetchall()


def _unfinished(stack: LiveStack, runs: set[str]) -> int:
    try:
        statuses = _statuses(stack, runs)
    except psycopg.OperationalError:
        return len(runs)
    over = statuses["completed"] + statuses["failed"] + statuses["cancelled"]
    return len(runs) - over
