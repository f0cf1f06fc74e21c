"""An outside system that remembers what it was asked, and is not always well."""

import json
import random
import threading
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

BUSY, SILENT, SLOW = 0.04, 0.01, 0.03
SLOW_S = 1.5
HELD_S = 4.0


class Recorder:
    """Remembers each idempotency key with the bodies it came with, and what each was about.

    By lot it answers 500, closes the line without an answer, or takes its time. What says
    ``refuse`` is refused for good.
    """

    def __init__(self, seed: int = 0) -> None:
        self.bodies: dict[str, set[bytes]] = defaultdict(set)
        self.keys: dict[tuple[int, str], set[str]] = defaultdict(set)
        self.calls = 0
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._hold = False
        self._held: list[str] = []
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = self.rfile.read(length)
                if len(body) < length:
                    return  # the caller died while it spoke
                try:
                    recorder._serve(self, self.headers["Idempotency-Key"], body)
                except OSError:
                    return  # the caller is dead

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/"

    def hold_one(self, seconds: float) -> str | None:
        """Let the next call wait for its answer; its key, or None where none comes in time."""
        end = time.monotonic() + seconds
        with self._lock:
            self._hold, self._held = True, []
        while not self._held and time.monotonic() < end:
            time.sleep(0.01)
        with self._lock:
            self._hold = False
            return self._held[0] if self._held else None

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def _serve(self, handler: BaseHTTPRequestHandler, key: str, body: bytes) -> None:
        said: dict[str, Any] = json.loads(body)
        with self._lock:
            self.calls += 1
            self.bodies[key].add(body)
            self.keys[said["n"], said["what"]].add(key)
            lot = self._random.random()
            is_held, self._hold = self._hold, False
            if is_held:
                self._held.append(key)
        if is_held:
            time.sleep(HELD_S)
        elif lot < BUSY:
            return _answer(handler, 500)
        elif lot < BUSY + SILENT:
            return None
        elif lot < BUSY + SILENT + SLOW:
            time.sleep(SLOW_S)
        return _answer(handler, 422 if said.get("refuse") else 200)


def _answer(handler: BaseHTTPRequestHandler, status: int) -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", "2")
    handler.end_headers()
    handler.wfile.write(b"ok")
