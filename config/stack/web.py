"""The web process: granian serving ``config.asgi`` on a socket that the supervisor owns.

The socket outlives the process, so connections made while one is replaced, or comes back after a
crash, wait in line instead of being refused. Granian runs inside this process: there is no parent
that could leave a worker behind, and 25 MB less.

SIGTERM hands over to a successor: no new connections, a last answer on each open one, then the end.
SIGINT ends as soon as what is being answered is answered.
"""

import asyncio
import contextlib
import functools
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from granian._granian import SocketHolder
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.embed import Server

from config.stack import notices

BACKLOG = 1024
LISTENER = "SIGNALBOX_LISTENER"
_LAST_ANSWERS = 3  # seconds in which kept-alive connections are given up by their clients

Scope = dict[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[None]]


class InheritedSocketServer(Server):
    """Granian's server on a socket that is already listening."""

    def __init__(self, listener: socket.socket, **options: Any) -> None:
        super().__init__(**options)
        self._listener = listener

    def _init_shared_socket(self) -> None:
        holder: Any = SocketHolder  # its published types know no arguments
        self._sfd: Any = self._listener.fileno()
        self._shd: Any = holder(self._sfd, False, BACKLOG)
        self._ssp: Any = None


def listen(host: str, port: int) -> socket.socket:
    """Bind the address that people will open.

    Raises:
        OSError: It is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    return listener


class HandOver:
    """The application, with what it takes to begin and to end beside another of its kind."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._is_ending = False

    def __call__(self, scope: Scope, receive: Any, send: Any) -> Awaitable[None]:
        """Pass a connection on; requests pay nothing for this until the end comes."""
        if scope["type"] == "lifespan":
            return self._start(scope, receive, send)
        if self._is_ending and scope["type"] == "http":
            return self._answer_last(scope, receive, send)
        return self._application(scope, receive, send)

    def end(self, listener: socket.socket) -> None:
        """Take no more connections, and ask clients to open their next one elsewhere.

        Granian alone would close connections on which a request may just be arriving.
        """
        self._is_ending = True
        stop_accepting(listener)

    async def _answer_last(self, scope: Scope, receive: Any, send: Any) -> None:
        async def send_and_close(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", []), (b"connection", b"close")]
                message = {**message, "headers": headers}
            await send(message)

        await self._application(scope, receive, send_and_close)

    async def _start(self, scope: Scope, receive: Any, send: Any) -> None:
        # Granian opens the socket right after start-up, in the same turn of the loop.
        soon = functools.partial(asyncio.get_running_loop().call_later, 0.05, notices.ready)

        async def send_on(message: dict[str, Any]) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                soon()

        await self._application(scope, receive, send_on)


def stop_accepting(listener: socket.socket) -> None:
    """Leave the shared socket to the other processes that hold it.

    Granian cannot let go of it and live on, so every descriptor it has of it is made to mean a
    socket on which nobody calls.
    """
    ours = os.fstat(listener.fileno()).st_ino
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as idle:
        idle.bind(("127.0.0.1", 0))
        idle.listen(1)
        idle.setblocking(False)
        for entry in Path("/proc/self/fd").iterdir():
            with contextlib.suppress(OSError):
                if entry.stat().st_ino == ours:
                    os.dup2(idle.fileno(), int(entry.name), inheritable=False)


async def serve() -> None:
    """Serve until SIGTERM, then finish the requests that are being answered."""
    from config.asgi import application  # noqa: PLC0415 - loads Django, after the imports above

    if inherited := os.environ.get(LISTENER):
        listener = socket.socket(fileno=int(inherited))
    else:
        listener = listen(
            os.environ.get("HOST") or "127.0.0.1", int(os.environ.get("PORT") or 8000)
        )
    listener.listen(BACKLOG)
    listener.setblocking(False)
    hand_over = HandOver(application)
    server = InheritedSocketServer(
        listener,
        target=hand_over,
        interface=Interfaces.ASGI,
        backlog=BACKLOG,
        log_level=LogLevels.error,
    )
    loop = asyncio.get_running_loop()

    def end() -> None:
        hand_over.end(listener)
        loop.call_later(_LAST_ANSWERS, server.stop)

    loop.add_signal_handler(signal.SIGTERM, end)
    loop.add_signal_handler(signal.SIGINT, server.stop)
    await server.serve()


if __name__ == "__main__":
    asyncio.run(serve())
    # Granian's threads do not survive the interpreter's own shutdown.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
