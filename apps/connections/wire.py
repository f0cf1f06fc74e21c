"""Sockets that keep one time limit over a whole exchange, and HTTP spoken over them.

A time limit on each read does not stop a server that sends one byte a second; these sockets
look at the clock of the whole exchange before every read and write.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import certifi

PIECE = 65_536


class Deadline:
    """A moment, on the monotonic clock, after which nothing may go on."""

    def __init__(self, seconds: float) -> None:
        self.at = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left.

        Raises:
            TimeoutError: There are none.
        """
        left = self.at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time limit is over")
        return left


class _Timed:
    """Mixed into a socket class: every operation gets what is left of the deadline."""

    deadline: Deadline | None = None

    def _hurry(self) -> None:
        if self.deadline is not None:
            self.settimeout(self.deadline.remaining())  # type: ignore[attr-defined]

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self._hurry()
        return super().recv_into(*args, **kwargs)  # type: ignore[misc, no-any-return]

    def send(self, *args: Any, **kwargs: Any) -> int:
        self._hurry()
        return super().send(*args, **kwargs)  # type: ignore[misc, no-any-return]

    def sendall(self, data: Any, *args: Any) -> None:
        with memoryview(data) as view, view.cast("B") as octets:
            sent = 0
            while sent < len(octets):
                sent += self.send(octets[sent : sent + PIECE], *args)


class TimedSocket(_Timed, socket.socket):
    """A plain one."""


class TimedTLSSocket(_Timed, ssl.SSLSocket):
    """One with TLS around it."""


@lru_cache(maxsize=1)
def tls_context() -> ssl.SSLContext:
    """Certificates are checked against the machine's roots, else against the shipped ones.

    ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` name others, as everywhere.
    """
    context = ssl.create_default_context()
    paths = ssl.get_default_verify_paths()
    if not paths.cafile and not (paths.capath and list(Path(paths.capath).iterdir())):
        context.load_verify_locations(certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = TimedTLSSocket
    return context


def connect(address: str, port: int, deadline: Deadline, at_most: float) -> TimedSocket:
    """Open a TCP connection to this very address."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = TimedSocket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(min(at_most, deadline.remaining()))
        sock.connect((address, port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    sock.deadline = deadline
    return sock


def wrap_tls(sock: TimedSocket, name: str, deadline: Deadline) -> TimedTLSSocket:
    """Put TLS around a connection; the certificate must be the named host's."""
    sock.settimeout(deadline.remaining())
    wrapped = tls_context().wrap_socket(sock, server_hostname=name)
    assert isinstance(wrapped, TimedTLSSocket)  # noqa: S101 - `sslsocket_class` says so
    wrapped.deadline = deadline
    return wrapped


class Pinned(http.client.HTTPConnection):
    """HTTP/1.1 over a connection that was made and checked before."""

    def __init__(self, host: str, port: int, sock: TimedSocket | TimedTLSSocket) -> None:
        super().__init__(host, port)
        self.sock = sock
        # Without this a dropped connection would be opened again, unchecked.
        self.auto_open = 0

    def exchange(
        self,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]],
        content: bytes,
        started: Callable[[], None],
    ) -> http.client.HTTPResponse:
        """Send one request and read the head of its answer.

        ``started`` is told just before the first byte leaves.
        """
        self.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers:
            self.putheader(name, value.encode("latin-1"))
        started()
        self.endheaders(content or None)
        return self.getresponse()


class _Inflater(Protocol):
    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...

    @property
    def unconsumed_tail(self) -> bytes: ...

    @property
    def eof(self) -> bool: ...


class UnknownCoding(ValueError):
    """The answer is compressed in a way we did not ask for."""


class TooLong(ValueError):
    """The answer is over the limit."""


def read_body(answer: http.client.HTTPResponse, limit: int) -> bytes:
    """The body, decompressed, read in pieces and given up as soon as it is over the limit.

    Raises:
        TooLong: It is over the limit.
        UnknownCoding: It is neither plain nor gzip nor deflate.
        zlib.error: It is not what its header says.
    """
    coding = (answer.getheader("Content-Encoding") or "identity").strip().lower()
    pieces = _pieces(answer)
    if coding not in {"identity", ""}:
        pieces = _inflated(pieces, coding)
    body = bytearray()
    for piece in pieces:
        body += piece
        if len(body) > limit:
            raise TooLong
    return bytes(body)


def _pieces(answer: http.client.HTTPResponse) -> Iterable[bytes]:
    while piece := answer.read1(PIECE):
        yield piece
    # read1 also ends quietly where the other side broke off in the middle.
    if answer.length:
        raise http.client.IncompleteRead(b"", answer.length)


def _inflated(pieces: Iterable[bytes], coding: str) -> Iterable[bytes]:
    inflater: _Inflater | None = None
    for piece in pieces:
        inflater = inflater or _inflater(coding, piece)
        rest = piece
        while rest and not inflater.eof:
            # A piece at a time: a small body may hold a very large one.
            yield inflater.decompress(rest, PIECE)
            rest = inflater.unconsumed_tail
    if inflater is not None and not inflater.eof:
        raise zlib.error("the compressed body was cut")


def _inflater(coding: str, start: bytes) -> _Inflater:
    if coding in {"gzip", "x-gzip"}:
        return zlib.decompressobj(16 + zlib.MAX_WBITS)
    if coding == "deflate":
        # Some servers send it bare, without zlib's two-byte head.
        bare = len(start) < 2 or start[0] & 0x0F != 8 or (start[0] << 8 | start[1]) % 31
        return zlib.decompressobj(-zlib.MAX_WBITS if bare else zlib.MAX_WBITS)
    raise UnknownCoding(coding)
