"""Those who use the product meanwhile: callers, a publisher of events, an approver, an onlooker."""

import http.client
import json
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from tests.chaos import flows
from tests.support.live import LiveStack

CLIENTS = 4
FINAL = ("completed", "failed", "cancelled")

Signal = Callable[[int], tuple[str, Any]]


def put_draft(stack: LiveStack, flow: str, token: str, draft: dict[str, Any]) -> None:
    """Save the first draft of a flow."""
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


def publish(stack: LiveStack, token: str, draft: dict[str, Any]) -> None:
    """Make a flow of it that is active."""
    flow = stack.call("POST", "flows/", token, {"name": draft["name"]})["id"]
    put_draft(stack, flow, token, draft)
    stack.call("POST", f"flows/{flow}/publish/", token, {"note": "chaos"})


class Load:
    """Clients that send a signal until it is accepted, each under a key of its own."""

    def __init__(self, url: str, signal: Signal | None = None, *, pause: float = 0.05) -> None:
        self.url = url
        self.accepted: dict[int, str] = {}
        self.answers: Counter[str] = Counter()
        self._signal = signal or (lambda number: ("", {"n": number}))
        self._pause = pause
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

    def is_over(self) -> bool:
        """After a stop: whether all that was begun is accepted."""
        self._stop.set()
        return not any(thread.is_alive() for thread in self._threads)

    def _send_all(self) -> None:
        while not self._stop.is_set():
            number = next(self._next)
            while (run := self._send(number)) is None and not self._given_up.is_set():
                time.sleep(0.2)
            if run is not None:
                self.accepted[number] = run
            time.sleep(self._pause)

    def _send(self, number: int) -> str | None:
        path, body = self._signal(number)
        request = urllib.request.Request(
            self.url + path,
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Idempotency-Key": f"signal-{number}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                self.answers[str(answer.status)] += 1
                return str(json.loads(answer.read())["run"])
        except urllib.error.HTTPError as refused:
            self.answers[str(refused.code)] += 1
        except (OSError, http.client.HTTPException):
            self.answers["no answer"] += 1
        return None


class Helper:
    """A thread that does something over and over; what fails for want of a server is repeated."""

    def __init__(self, do: Callable[[], object], *, every_s: float) -> None:
        self._do, self._every_s = do, every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go_on, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _go_on(self) -> None:
        while not self._stop.wait(self._every_s):
            try:
                self._do()
            except (OSError, http.client.HTTPException, psycopg.Error, ValueError):
                continue  # it is down, and on its way back


class Publisher:
    """Tells orders to go on, a moment before they wait for it or after."""

    def __init__(self, stack: LiveStack, token: str, load: Load) -> None:
        self._stack, self._token, self._load = stack, token, load
        self._sent: set[int] = set()

    def send_all(self) -> None:
        for number in [one for one in list(self._load.accepted) if one not in self._sent]:
            if event := flows.event(number):
                self._stack.call("POST", "events/", self._token, event)
            self._sent.add(number)


class Approver:
    """Answers what is asked, as often as it takes."""

    def __init__(self, stack: LiveStack, token: str) -> None:
        self._stack, self._token = stack, token
        self.answers: Counter[str] = Counter()

    def answer_all(self) -> None:
        tasks = self._stack.call("GET", "tasks/?limit=100", self._token)["results"]
        for task in [one for one in tasks if one["title"].startswith("Chaos ")]:
            outcome = flows.answer(int(task["title"].split()[1]))
            try:
                path = f"tasks/{task['id']}/decide/"
                self._stack.call("POST", path, self._token, {"outcome": outcome})
                self.answers[outcome] += 1
            except urllib.error.HTTPError as refused:
                # 409: the answer before was heard, though nobody said so.
                self.answers[str(refused.code)] += 1


class Onlooker:
    """Remembers how each run was when it was first seen finished, and what changed later."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.ended: dict[UUID, tuple[str, datetime | None]] = {}
        self.changed: list[str] = []
        self._until: datetime | None = None
        self._looks = 0

    def look(self, *, at_all: bool = False) -> None:
        """See what ended in the last minute; every so often, and when told, everything."""
        self._looks += 1
        since = None if at_all or self._looks % 15 == 0 else self._until
        with psycopg.connect(self.url, autocommit=True, connect_timeout=5) as database:
            rows = database.execute(
                "select id, status, finished_at, now() from run"
                " where coalesce(updated_at, created_at) >= coalesce(%s, '-infinity'::timestamptz)"
                " and (finished_at is not null or status = any(%s))",
                [since and since - timedelta(minutes=1), list(FINAL)],
            ).fetchall()
        for id_, status, finished_at, now in rows:
            before = self.ended.setdefault(id_, (status, finished_at))
            if before != (status, finished_at):
                self.changed.append(f"{id_}: {before} became {(status, finished_at)}")
            self._until = now


def statuses(url: str, runs: Iterable[str]) -> Counter[str]:
    """How many of the runs have which status."""
    with psycopg.connect(url, autocommit=True) as database:
        rows = database.execute(
            "select status, count(*) from run where id = any(%s::uuid[]) group by status",
            [list(runs)],
        ).fetchall()
    return Counter(dict(rows))


def unfinished(url: str, runs: Iterable[str]) -> int:
    """How many of them are not over, or all of them while nobody can say."""
    runs = list(runs)
    try:
        found = statuses(url, runs)
    except psycopg.OperationalError:
        return len(runs)
    return len(runs) - sum(found[status] for status in FINAL)


def failures(url: str, runs: Iterable[str]) -> list[Any]:
    """What went wrong, where something did: error of the step and of the run."""
    with psycopg.connect(url, autocommit=True) as database:
        return database.execute(
            "select r.id, r.status, r.error, e.data from run r left join run_event e"
            " on e.run_id = r.id and e.type = 'step.failed'"
            " where r.status <> 'completed' and r.id = any(%s::uuid[]) limit 5",
            [list(runs)],
        ).fetchall()
