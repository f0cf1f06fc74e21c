"""Send one request over and over on kept-alive connections and say how long the answers took.

    python tools/load.py http://127.0.0.1:8000/hooks/demo/orders --clients 16 --count 10000

Raw sockets, so that the generator takes little of the machine it measures on; its own share of
the processor is printed. ``{n}`` in the body or a header becomes the number of the request.
Exit status 1 if an answer has another status than ``--expect``.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit


@dataclass
class Report:
    """What a run of the generator found. Times in seconds, in the order of the answers."""

    clients: int
    wall_s: float = 0.0
    cpu_s: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    #: Requests whose connection broke before the answer.
    lost: int = 0
    first_sent_at: float = 0.0
    last_body: bytes = b""

    def percentile(self, share: float) -> float:
        """The latency that this share of the answers did not exceed, in milliseconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000 if ordered else 0.0

    def as_json(self) -> dict[str, Any]:
        """The report for programs."""
        return {
            "clients": self.clients,
            "requests": len(self.latencies),
            "lost": self.lost,
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
            "seconds": round(self.wall_s, 3),
            "per_second": round(len(self.latencies) / self.wall_s, 1) if self.wall_s else 0.0,
            "p50_ms": round(self.percentile(0.50), 2),
            "p95_ms": round(self.percentile(0.95), 2),
            "p99_ms": round(self.percentile(0.99), 2),
            "generator_cpu_share": round(self.cpu_s / self.wall_s, 3) if self.wall_s else 0.0,
            "load_average": [round(one, 2) for one in os.getloadavg()],
        }


class Client(asyncio.Protocol):
    """One connection: sends the next request as soon as the answer to the last one is there."""

    def __init__(self, next_request: Callable[[], bytes | None], report: Report) -> None:
        self._next = next_request
        self._report = report
        self._buffer = b""
        self._sent_at = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._send()

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
        self._report.latencies.append(time.perf_counter() - self._sent_at)
        self._report.statuses[int(head[9:12])] += 1
        self._report.last_body = self._buffer[end + 4 : end + 4 + length]
        self._buffer = self._buffer[end + 4 + length :]
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        if not self.done.done():
            self._report.lost += 1
            self.done.set_result(None)

    def _send(self) -> None:
        request = self._next()
        if request is None:
            self.done.set_result(None)
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)


async def run(
    url: str,
    *,
    clients: int,
    count: int,
    body: str,
    headers: Sequence[tuple[str, str]] = (),
) -> Report:
    """Send ``count`` requests over ``clients`` connections."""
    address = urlsplit(url)
    target = address.path + (f"?{address.query}" if address.query else "")
    report, sent = Report(clients), 0

    def next_request() -> bytes | None:
        nonlocal sent
        if sent >= count:
            return None
        sent += 1
        return request_bytes(address.netloc, target, body, headers, sent)

    loop = asyncio.get_running_loop()
    cpu = time.process_time()
    started = time.perf_counter()
    report.first_sent_at = time.time()
    made = [
        (
            await loop.create_connection(
                lambda: Client(next_request, report), address.hostname or "", address.port or 80
            )
        )[1]
        for _ in range(min(clients, count))
    ]
    await asyncio.gather(*(client.done for client in made))
    report.wall_s = time.perf_counter() - started
    report.cpu_s = time.process_time() - cpu
    return report


async def open_loop(
    url: str, *, rate: int, seconds: float, body: str, connections: int = 64
) -> Report:
    """Send at a steady rate, whatever the answers take; a latency counts from when it was due.

    So a server that stalls is not spared the calls that would have come meanwhile.
    """
    address = urlsplit(url)
    target = address.path + (f"?{address.query}" if address.query else "")
    count = int(rate * seconds)
    report, sent = Report(connections), 0
    due: asyncio.Queue[float] = asyncio.Queue()
    cpu, started = time.process_time(), time.perf_counter()
    report.first_sent_at = time.time()

    async def caller() -> None:
        nonlocal sent
        reader, writer = await asyncio.open_connection(address.hostname, address.port or 80)
        while (at := await due.get()) >= 0:
            sent += 1
            writer.write(request_bytes(address.netloc, target, body, (), sent))
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0]
            await reader.readexactly(int(length))
            report.latencies.append(time.perf_counter() - at)
            report.statuses[int(head[9:12])] += 1
        writer.close()

    callers = [asyncio.ensure_future(caller()) for _ in range(connections)]
    for number in range(count):
        at = started + number / rate
        pause = at - time.perf_counter()
        if pause > 0:
            await asyncio.sleep(pause)
        due.put_nowait(at)
    for _ in callers:
        due.put_nowait(-1.0)
    await asyncio.gather(*callers)
    report.wall_s = time.perf_counter() - started
    report.cpu_s = time.process_time() - cpu
    return report


def request_bytes(
    host: str, target: str, body: str, headers: Sequence[tuple[str, str]], number: int
) -> bytes:
    """One POST as it goes over the wire."""
    content = body.replace("{n}", str(number)).encode()
    lines = [
        f"POST {target} HTTP/1.1",
        f"Host: {host}",
        "Content-Type: application/json",
        f"Content-Length: {len(content)}",
        *(f"{name}: {value.replace('{n}', str(number))}" for name, value in headers),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + content


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("url")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--body", default='{"id": {n}, "amount": 120.50, "tier": "gold"}')
    parser.add_argument("--header", action="append", default=[], metavar="NAME: VALUE")
    parser.add_argument("--expect", type=int, default=202)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a line")
    given = parser.parse_args()
    headers = [
        (name.strip(), value.strip()) for name, _, value in (h.partition(":") for h in given.header)
    ]
    report = asyncio.run(
        run(given.url, clients=given.clients, count=given.count, body=given.body, headers=headers)
    )
    found = report.as_json()
    if given.json:
        print(json.dumps(found))
    else:
        print(
            f"{found['clients']:>3} clients  {found['requests']} answers {found['statuses']}"
            f" lost {found['lost']}  {found['per_second']}/s  p50 {found['p50_ms']} ms"
            f"  p95 {found['p95_ms']} ms  p99 {found['p99_ms']} ms"
            f"  generator {found['generator_cpu_share']:.0%} of a processor"
            f"  load {found['load_average'][0]}"
        )
    return 0 if set(report.statuses) == {given.expect} and not report.lost else 1


if __name__ == "__main__":
    sys.exit(main())
