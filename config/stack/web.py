"""The web process: granian serving ``config.asgi`` on a socket that the supervisor owns.

The socket outlives the process, so connections made while one is replaced, or comes back after a
crash, wait in line instead of being refused. Granian runs inside this process: there is no parent
that could leave a worker behind, and 25 MB less.
"""

import asyncio
import functools
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from granian._granian import SocketHolder
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.embed import Server

from config.stack import notices

BACKLOG = 1024
LISTENER = "SIGNALBOX_LISTENER"

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


def announced(application: Application) -> Application:
    """The application, telling the supervisor once it has started up."""

    def app(scope: Scope, receive: Any, send: Any) -> Awaitable[None]:
        # A plain call: requests pay nothing for this.
        return (
            starting(scope, receive, send)
            if scope["type"] == "lifespan"
            else application(scope, receive, send)
        )

    async def starting(scope: Scope, receive: Any, send: Any) -> None:
        # Granian opens the socket right after start-up, in the same turn of the loop.
        soon = functools.partial(asyncio.get_running_loop().call_later, 0.05, notices.ready)

        async def send_on(message: dict[str, Any]) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                soon()

        try:
            await application(scope, receive, send_on)
        except ValueError:
            # How Django says that it has nothing to do at start-up.
            soon()
            raise

    return app


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
    server = InheritedSocketServer(
        listener,
        target=announced(application),
        interface=Interfaces.ASGI,
        backlog=BACKLOG,
        log_level=LogLevels.error,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    await server.serve()


if __name__ == "__main__":
    asyncio.run(serve())
    # Granian's threads do not survive the interpreter's own shutdown.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
