"""Rule 35 on the whole product: publishing and activating refuse no connection and no call."""

import http.client
import json
import threading
import time
import urllib.request
from typing import Any, Self

import pytest

from tests.support import database
from tests.support.live import LiveStack
from tests.support.releases import Timeline

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
SWITCHES = 40


@pytest.fixture(scope="module")
def stack():
    running = LiveStack(database.folder() / "releases")
    try:
        running.start(240)
        yield running
    finally:
        running.stop()


class Author:
    """Publishes new versions, and goes back to old ones, of one flow; ``made`` counts them."""

    def __init__(self, stack: LiveStack) -> None:
        self.stack = stack
        self.token = stack.manage("issue_token", "builder@demo.local").split()[-1]
        self.flow = stack.call("POST", "flows/", self.token, {"name": "Releases"})["id"]
        self.made = 0
        self.etag = '"1"'
        self.timeline = Timeline()
        self.publish()

    def publish(self) -> None:
        document = {
            "format": "signalbox.flow/1",
            "name": "Releases",
            "trigger": {"type": "webhook", "config": {"path": "releases"}},
            "steps": {
                "say": {
                    "type": "map",
                    "version": 1,
                    "title": "Say",
                    "config": {"fields": {"n": self.made + 1}},
                }
            },
            "links": [{"from": "trigger", "to": "say"}],
            "settings": {},
            "layout": {},
        }
        self._save(document)
        with self.timeline.switching() as made:
            path = f"flows/{self.flow}/publish/"
            made.append(self.stack.call("POST", path, self.token, {"note": ""})["number"])
        self.made += 1

    def _save(self, document: dict[str, Any]) -> None:
        request = urllib.request.Request(
            f"{self.stack.url}/api/v1/flows/{self.flow}/draft/",
            method="PUT",
            data=json.dumps(document).encode(),
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
                "If-Match": self.etag,
            },
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            self.etag = answer.headers["ETag"]

    def go_back(self) -> None:
        number = self.made - 1
        with self.timeline.switching() as made:
            path = f"flows/{self.flow}/versions/{number}/activate/"
            self.stack.call("POST", path, self.token)
            made.append(number)


class Callers:
    """Threads that call the webhook without a pause, on kept and on fresh connections."""

    def __init__(self, stack: LiveStack) -> None:
        self.calls: list[tuple[float, float, int, bytes]] = []
        self.broken: list[str] = []
        self._port = stack.port
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._call, args=(keep,)) for keep in (True, True, False, False)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _call(self, keep: bool) -> None:
        headers = {"Content-Type": "application/json"}
        line = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        while not self._over.is_set():
            sent = time.monotonic()
            try:
                line.request("POST", "/hooks/demo/releases", b'{"a": 1}', headers)
                answer = line.getresponse()
                self.calls.append((sent, time.monotonic(), answer.status, answer.read()))
            except (OSError, http.client.HTTPException) as error:
                self.broken.append(repr(error))
                line.close()
            if not keep:
                line.close()
            time.sleep(0.01)
        line.close()


def test_publishing_and_activating_under_load_refuse_nothing(stack):
    author = Author(stack)
    with Callers(stack) as callers:
        for turn in range(SWITCHES):
            author.go_back() if turn % 3 == 2 else author.publish()

    assert callers.broken == []
    assert {status for _, _, status, _ in callers.calls} == {202}
    pinned = _versions(stack, author)
    taken = [(sent, answered, json.loads(body)["run"]) for sent, answered, _, body in callers.calls]
    assert len(taken) == len(pinned) > SWITCHES
    for sent, answered, run in taken:
        assert author.timeline.may_have_met(pinned[run], sent, answered)
    assert len(set(pinned.values())) > SWITCHES / 3, "the calls did not meet the switches"


def _versions(stack: LiveStack, author: Author) -> dict[str, int]:
    """Every run of the flow with the number of its version."""
    found: dict[str, int] = {}
    path: str | None = f"runs/?flow={author.flow}&limit=200"
    while path:
        page: Any = stack.call("GET", path, author.token)
        found |= {one["id"]: one["version"] for one in page["results"]}
        path = page["next"].partition("/api/v1/")[2] if page["next"] else None
    return found
