"""A stand-in for the outside world: answers ``POST /<milliseconds>`` after that time, and counts.

It is a process of its own with one loop, so that it takes little of the machine that is measured:
``python -m tools.stub`` prints its port; ``GET /`` answers how many calls it has answered.
"""

import asyncio
import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[1]


class _Call(asyncio.Protocol):
    """One connection, one call."""

    answered = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self._buffer) < end + 4 + length:
            return
        if head.startswith(b"get "):
            self._answer({"answered": _Call.answered})
            return
        delay = int(head.split(b" ", 2)[1].strip(b"/")) / 1000
        asyncio.get_running_loop().call_later(delay, self._done)

    def _done(self) -> None:
        _Call.answered += 1
        self._answer({"ok": True})

    def _answer(self, body: Any) -> None:
        content = json.dumps(body).encode()
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(content), content)
        )
        self._transport.close()


async def serve() -> None:
    """Print the port and answer until killed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Call, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class Stub:
    """The process, for as long as a scenario needs it."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tools.stub"], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout  # noqa: S101 - for the type checker
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate()

    @property
    def answered(self) -> int:
        """How many calls have had their answer."""
        with urllib.request.urlopen(self.url, timeout=10) as answer:  # noqa: S310 - our own port
            return int(json.load(answer)["answered"])


if __name__ == "__main__":
    asyncio.run(serve())
