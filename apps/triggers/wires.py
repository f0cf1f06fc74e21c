"""The gateway's own connections to PostgreSQL: few, prepared, opened when needed.

psycopg's pool reconnects on a schedule of its own, so that calls would still be refused while the
database is back; this one asks the database at once. It belongs to one event loop.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from django.conf import settings
from psycopg import AsyncConnection, InterfaceError, OperationalError
from psycopg.conninfo import make_conninfo
from psycopg.pq import TransactionStatus

from apps.core.errors import ProductError

Connection = AsyncConnection[tuple[Any, ...]]
T = TypeVar("T")

SIZE = 8
CONNECT_S = 1.2
IDLE_S = 30.0
SAY_EVERY_S = 10.0
#: The server gives up on a statement before the gateway has answered 503 for it.
STATEMENT_MS = 1500
#: What a statement may take on its way there and back.
MARGIN_MS = 100
_log = logging.getLogger(__name__)
_OPTIONS = f"-c statement_timeout={STATEMENT_MS} -c application_name=signalbox-gateway"


class Unavailable(ProductError):
    """The call could not be stored now."""

    code = "unavailable"
    status = 503


def away() -> Unavailable:
    """What a caller is told while the database does not answer."""
    return Unavailable(
        "The call was not stored: the database does not answer. Send it again in a moment.",
        retry_after=2,
    )


class Wires:
    """A handful of connections; ``run`` lends one out."""

    def __init__(self, size: int = SIZE) -> None:
        self._slots = asyncio.Semaphore(size)
        self._idle: list[Connection] = []
        self._least_idle = 0
        self._trimmer: asyncio.TimerHandle | None = None
        self._said_away_at = -SAY_EVERY_S

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do ``work`` on a connection; once more on a fresh one if the first turns out broken.

        So ``work`` must be safe to do twice.

        Raises:
            Unavailable: The database does not answer.
        """
        async with self._slots:
            try:
                return await self._run(work)
            except (OperationalError, InterfaceError) as error:
                self._say_away(error)
                raise away() from error

    async def open(self) -> Connection:
        """A new connection, not counted: for listening."""
        try:
            async with asyncio.timeout(CONNECT_S):
                connection: Connection = await AsyncConnection.connect(
                    conninfo(), autocommit=True, prepare_threshold=0
                )
        except TimeoutError as late:
            raise OperationalError("no connection in time") from late
        connection.prepared_max = 50
        return connection

    async def close(self) -> None:
        """Close what is idle; what is lent out closes when it comes back."""
        if self._trimmer is not None:
            self._trimmer.cancel()
        while self._idle:
            await self._idle.pop().close()

    def _say_away(self, error: Exception) -> None:
        now = time.monotonic()
        if now > self._said_away_at + SAY_EVERY_S:
            self._said_away_at = now
            _log.warning("the database does not answer the gateway: %s", error)

    async def _run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        connection = await self._take()
        try:
            return await work(connection)
        except (OperationalError, InterfaceError):
            if not connection.broken:
                raise
        finally:
            await self._give_back(connection)
        connection = await self.open()
        try:
            return await work(connection)
        finally:
            await self._give_back(connection)

    async def _take(self) -> Connection:
        if self._idle:
            connection = self._idle.pop()
            self._least_idle = min(self._least_idle, len(self._idle))
            return connection
        return await self.open()

    async def _give_back(self, connection: Connection) -> None:
        if connection.closed:
            return
        if connection.pgconn.transaction_status != TransactionStatus.IDLE:
            # Left in the middle of something: cancelled, or nobody knows.
            await connection.close()
            return
        self._idle.append(connection)
        if self._trimmer is None and len(self._idle) > 1:
            self._least_idle = len(self._idle)
            self._trimmer = asyncio.get_running_loop().call_later(IDLE_S, self._trim)

    def _trim(self) -> None:
        """Let go of connections that nobody needed for a while; one stays."""
        self._trimmer = None
        spare = min(self._least_idle, len(self._idle) - 1)
        for connection in self._idle[:spare]:
            connection.pgconn.finish()
        del self._idle[:spare]
        self._least_idle = len(self._idle)
        if len(self._idle) > 1:
            self._trimmer = asyncio.get_running_loop().call_later(IDLE_S, self._trim)


@asynccontextmanager
async def in_time(connection: Connection, until: float) -> AsyncIterator[None]:
    """Let the server give up on each statement inside before ``until``, of ``time.monotonic``.

    Costs nothing where there is as much time as every statement has anyway.
    """
    left_ms = int((until - time.monotonic()) * 1000) - MARGIN_MS
    if left_ms >= STATEMENT_MS:
        yield
        return
    await connection.execute(f"set statement_timeout = {max(1, left_ms)}")
    try:
        yield
    finally:
        # One that broke, or was left in the middle of something, is not used again.
        if not connection.closed and connection.pgconn.transaction_status == TransactionStatus.IDLE:
            await connection.execute(f"set statement_timeout = {STATEMENT_MS}")


def conninfo() -> str:
    """Django's database, as psycopg is told of it."""
    database = settings.DATABASES["default"]
    options = {name: value for name, value in database["OPTIONS"].items() if name != "pool"}
    given = {
        "dbname": database["NAME"],
        "user": database["USER"],
        "password": database["PASSWORD"],
        "host": database["HOST"],
        "port": database["PORT"],
    }
    merged = {
        **{name: value for name, value in given.items() if value},
        **{name: value for name, value in options.items() if isinstance(value, str | int)},
    }
    merged["options"] = f"{merged.get('options', '')} {_OPTIONS}".strip()
    return make_conninfo("", **merged)
