"""Logs elsewhere, on 127.0.0.1: they take lines as a system log does, or misbehave as told."""

import json
import socket
import ssl
import struct
import threading
from contextlib import contextmanager
from typing import Any


class Log:
    """Takes framed lines over TCP; ``manner`` of each connection in turn, the last one for all.

    ``takes`` reads to the end and closes; ``resets`` breaks off after the first piece; ``hangs``
    reads and never closes; ``refuses`` breaks off at once.
    """

    def __init__(self, *manners: str, context: ssl.SSLContext | None = None) -> None:
        self.manners = list(manners) or ["takes"]
        self.context = context
        self.lines: list[dict[str, Any]] = []
        self.heads: list[str] = []
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(0.1)
        self.port: int = self.listener.getsockname()[1]
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while not self.stopping.is_set():
            try:
                peer, _ = self.listener.accept()
            except (TimeoutError, OSError):
                continue
            manner = self.manners[min(self.connections, len(self.manners) - 1)]
            self.connections += 1
            try:
                self._handle(peer, manner)
            except (OSError, ssl.SSLError, ValueError):
                pass
            finally:
                peer.close()

    def _handle(self, peer: socket.socket, manner: str) -> None:
        peer.settimeout(10)
        if manner == "refuses":
            _reset(peer)
            return
        if self.context is not None:
            peer = self.context.wrap_socket(peer, server_side=True)
        data = peer.recv(1)
        if manner == "resets":
            _reset(peer)
            return
        while piece := peer.recv(65536):
            data += piece
        if manner == "hangs":
            self.stopping.wait(30)
            return
        self._take(data)
        peer.close()

    def _take(self, data: bytes) -> None:
        while data:
            size, _, rest = data.partition(b" ")
            line, data = rest[: int(size)], rest[int(size) :]
            self._keep(line)

    def _keep(self, line: bytes) -> None:
        head, _, said = line.decode("ascii").partition(" - {")
        self.heads.append(head)
        self.lines.append(json.loads("{" + said))

    def stop(self) -> None:
        self.stopping.set()
        self.listener.close()
        self.thread.join(5)


class Datagrams(Log):
    """Takes lines over UDP."""

    def __init__(self) -> None:
        self.lines, self.heads = [], []
        self.stopping = threading.Event()
        self.listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.settimeout(0.1)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        while not self.stopping.is_set():
            try:
                self._keep(self.listener.recv(65536))
            except (TimeoutError, OSError):
                continue


@contextmanager
def receiving(log: Log):
    """A log that runs for a while."""
    try:
        yield log
    finally:
        log.stop()


def _reset(peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
