"""Every kind of trouble that can be made for a running stack, one at a time, drawn by lot."""

import json
import os
import random
import signal
import socket
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

import psycopg
import redis

from config.stack.places import Places
from tests.chaos.recorder import Recorder
from tests.support.live import LiveStack, descendants, is_alive

QUEUES = ("drive", "effects", "housekeeping")
NAP_S = 3  # a pause that nobody needs to notice
TOO_LONG_S = 12  # longer than a driver's transaction may last
LEASE_GONE_S = 75  # until then a lease of 30 s is taken away, even if the clock was killed
REPORTED_S = 10  # what a woken worker needs to say what it has, the database being there


class Impossible(Exception):
    """This harm cannot be done just now: what it would hit is down already."""


_NOT_NOW = (Impossible, redis.RedisError, OSError, ValueError, KeyError)


class Harm:
    """Trouble by lot, from a seed: each kind once, in an order by lot, then all of them again."""

    def __init__(self, stack: LiveStack, seed: int, recorder: Recorder) -> None:
        self.stack = stack
        self.recorder = recorder
        self.random = random.Random(seed)
        self.done: Counter[str] = Counter()
        self.drawn_again: Counter[str] = Counter()
        self.late: set[tuple[UUID, str]] = set()
        self.told_again = 0
        self._places = Places(stack.home.resolve())
        self._deck: list[Callable[[], None]] = []
        self._asleep: set[int] = set()
        self._messages: dict[str, list[bytes]] = defaultdict(list)
        self._supervisor_died_at = 0.0
        self._has_endangered = False
        self._is_over = threading.Event()
        self._threads: list[threading.Thread] = []

    def once(self) -> None:
        """Do one harm. What cannot be done now is put back to come soon, and another is drawn."""
        self._look()
        while True:
            self.keep()
            kind = self._draw()
            try:
                kind()
            except _NOT_NOW:
                self.drawn_again[kind.__name__] += 1
                self._deck.insert(self.random.randrange(min(3, len(self._deck)) + 1), kind)
                time.sleep(0.1)
            else:
                self.done[kind.__name__] += 1
                return

    def keep(self) -> None:
        """What an init system does: a supervisor that has ended is started again."""
        if self.stack.process and self.stack.process.poll() is not None:
            time.sleep(0.2)
            self.stack.spawn()

    def over(self) -> None:
        """Wait for what sleeps or is being replaced; no more harm comes after this."""
        self._is_over.set()
        for thread in self._threads:
            while thread.is_alive():
                self.keep()
                thread.join(0.5)

    def _draw(self) -> Callable[[], None]:
        if not self._deck:
            kinds = [
                self.kill_web,
                self.kill_driver,
                self.kill_pool_child,
                self.kill_effects,
                self.kill_clock,
                self.kill_valkey,
                self.flush_valkey,
                self.repeat_messages,
                self.stop_postgres,
                self.abort_postgres,
                self.kill_postgres,
                self.freeze_web,
                self.freeze_clock,
                self.freeze_effects,
                self.freeze_driver,
                self.restart,
            ]
            self.random.shuffle(kinds)
            longest = [self.kill_supervisor, self.freeze_past_lease]
            if self.done:
                self._deck = [*kinds, *longest]
                self.random.shuffle(self._deck)
            else:
                # What takes longest to heal comes first: a short time is enough for it, too.
                self._deck = [*longest, *kinds]
        return self._deck.pop(0)

    # Killed

    def kill_web(self) -> None:
        self._send("web", signal.SIGKILL)

    def kill_driver(self) -> None:
        self._send("drive", signal.SIGKILL)

    def kill_pool_child(self) -> None:
        os.kill(self._pool_child(), signal.SIGKILL)

    def kill_effects(self) -> None:
        self._spare()
        self._send("effects", signal.SIGKILL)

    def kill_clock(self) -> None:
        self._send("clock", signal.SIGKILL)

    def kill_valkey(self) -> None:
        self._send("valkey", signal.SIGKILL)

    def kill_postgres(self) -> None:
        """The postmaster alone: those that serve a connection are left to find out."""
        self._send("postgres", signal.SIGKILL)

    def abort_postgres(self) -> None:
        """At once, without writing anything down: the next start recovers."""
        self._send("postgres", signal.SIGQUIT)

    def stop_postgres(self) -> None:
        """In order: connections are ended, everything is written down; then it is started."""
        self._send("postgres", signal.SIGINT)

    def kill_supervisor(self) -> None:
        """What it had started is orphaned; it is started again as an init system would."""
        if self.stack.process is None or self.stack.process.poll() is not None:
            raise Impossible
        self._spare()
        self._supervisor_died_at = time.monotonic()
        self.stack.kill_supervisor()
        self.stack.spawn()

    # Frozen

    def freeze_web(self) -> None:
        self._freeze(self._pid("web"), NAP_S)

    def freeze_clock(self) -> None:
        self._freeze(self._pid("clock"), TOO_LONG_S)

    def freeze_effects(self) -> None:
        self._freeze(self._pid("effects"), NAP_S)

    def freeze_driver(self) -> None:
        self._freeze(self._pool_child(), TOO_LONG_S)

    def freeze_past_lease(self) -> None:
        """A worker stops with a call in hand, and wakes when somebody else may have it.

        By lot the processes are replaced meanwhile, so that somebody else does have it.
        """
        pid = self._pid("effects")
        key = self.recorder.hold_one(3)
        if key is None or pid in self._asleep:
            raise Impossible
        self._spare()
        os.kill(pid, signal.SIGSTOP)
        self._asleep.add(pid)
        self._background(self._wake_without_lease, pid, key, time.monotonic())
        if self.random.random() < 0.5:
            self._background(self._order_restart)

    def _wake_without_lease(self, pid: int, key: str, since: float) -> None:
        held: list[Any] = []
        while time.monotonic() < since + LEASE_GONE_S and is_alive(pid):
            time.sleep(0.5)
            try:
                held += self._holding(key)
            except psycopg.Error:
                continue
            if held and held[0] != held[-1]:
                break
        is_late = bool(held) and held[0] != held[-1]
        _wake(pid)
        # It is left alone until it has said what it has; unless the supervisor takes it along.
        self._is_over.wait(REPORTED_S)
        self._asleep.discard(pid)
        if is_late and self._supervisor_died_at < since:
            self.late.add(held[0][:2])

    def _spare(self) -> None:
        """What was there when two workers died is spared: the third death is told as unknown.

        While the database is away, what was last seen counts: a lease does not end meanwhile.
        """
        self._look()
        if self._has_endangered:
            raise Impossible

    def _look(self) -> None:
        with suppress(psycopg.Error):
            with psycopg.connect(self._places.cluster.url(), connect_timeout=5) as database:
                found = database.execute(
                    "select 1 from effect where status in ('queued', 'running') and deaths >= 2"
                    " limit 1"
                ).fetchone()
            self._has_endangered = found is not None

    def _holding(self, key: str) -> list[Any]:
        """Of an effect: its run and step, its status, and the fence under which it is held."""
        with psycopg.connect(self._places.cluster.url(), connect_timeout=5) as database:
            return database.execute(
                "select run_id, step, status, fence from effect where idempotency_key = %s", [key]
            ).fetchall()

    # Replaced, forgotten, told twice

    def restart(self) -> None:
        """``make restart``: every process is replaced, each before the old one goes."""
        self._pid("web")
        if any(one.name == "restart" and one.is_alive() for one in self._threads):
            raise Impossible
        self._background(self._order_restart)

    def _order_restart(self) -> None:
        threading.current_thread().name = "restart"
        # Where something is killed meanwhile it may be given up; what runs goes on then.
        with suppress(Impossible, OSError, ValueError):
            self._order("restart", seconds=180)

    def flush_valkey(self) -> None:
        self._valkey().flushall()

    def repeat_messages(self) -> None:
        """Messages come many times over, the last first, with some that were long done."""
        sleepers = [self._pid("drive"), self._pid("effects")]
        client = self._valkey()
        for pid in sleepers:
            self._freeze(pid, NAP_S)
        time.sleep(NAP_S - 0.8)  # bells are rung meanwhile, and nobody hears them
        again = sum(self._repeat(client, queue) for queue in QUEUES)
        if not again:
            raise Impossible
        self.told_again += again

    def _repeat(self, client: Any, queue: str) -> int:
        there: list[bytes] = client.lrange(queue, 0, -1)
        known = self._messages[queue] = (self._messages[queue] + there)[-50:]
        again = [*reversed(there * 5), *self.random.sample(known, min(len(known), 10))]
        if again:
            with client.pipeline() as both:
                both.delete(queue)
                both.lpush(queue, *again)
                both.execute()
        return len(again)

    # What it is done to

    def processes(self) -> dict[str, int]:
        """The processes that the supervisor keeps, and that are there."""
        pid = self.stack.pid
        below = set(descendants(pid))
        found: dict[str, int] = self._order("status", seconds=5)["processes"]
        return {name: one for name, one in found.items() if one in below and is_alive(one)}

    def _pid(self, name: str) -> int:
        try:
            return self.processes()[name]
        except KeyError:
            raise Impossible from None

    def _pool_child(self) -> int:
        children = sorted(descendants(self._pid("drive")))
        if not children:
            raise Impossible
        return self.random.choice(children)

    def _send(self, name: str, number: signal.Signals) -> None:
        pid = self._pid(name)
        if pid in self._asleep:
            raise Impossible
        os.kill(pid, number)

    def _freeze(self, pid: int, seconds: float) -> None:
        if pid in self._asleep:
            raise Impossible
        os.kill(pid, signal.SIGSTOP)
        timer = threading.Timer(seconds, _wake, [pid])
        timer.start()
        self._threads.append(timer)

    def _background(self, work: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        thread.start()
        self._threads = [one for one in self._threads if one.is_alive()]
        self._threads.append(thread)

    def _valkey(self) -> Any:
        return redis.Redis.from_url(self._places.broker.url, socket_timeout=5)

    def _order(self, what: str, *, seconds: float) -> dict[str, Any]:
        """Give the supervisor an order, as ``config.stack`` does; its last line."""
        last: dict[str, Any] = {}
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(seconds)
            line.connect(str(self._places.control()))
            line.sendall(what.encode() + b"\n")
            for row in line.makefile("r", encoding="utf-8"):
                last = json.loads(row)
                if "ok" in last:
                    return last
        raise Impossible


def _wake(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGCONT)
    except ProcessLookupError:
        return
