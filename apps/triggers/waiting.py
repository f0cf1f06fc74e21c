"""Callers who wait for the flow's answer (``?wait=N``): told by NOTIFY, and by looking.

One listener and one look for all who wait in this process, however many.
"""

import asyncio
import contextlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import Error

from apps.engine import values
from apps.engine.events import Responded, from_row
from apps.engine.lifecycle import FINAL_RUN
from apps.triggers.wires import Connection, Unavailable, Wires

CHANNEL = "run_answer"
LOOK_EVERY_S = 0.5
LISTENING_S = 0.5
LINGER_S = 30.0
MOST_WAITING = 500

_LOOK = """
select r.id, r.status, r.error::text,
       (select array[e.step, e.data::text] from run_event e
        where e.run_id = r.id and e.type = 'run.responded' order by e.seq limit 1)
from run r where r.id = any(%s)
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the flow has for its caller, or how the run ended without an answer."""

    run_id: UUID
    run_status: str
    error: Any = None
    responded: Responded | None = None


class Answers:
    """Where callers wait. Belongs to one event loop."""

    def __init__(self, wires: Wires) -> None:
        self._wires = wires
        self._waiting: dict[UUID, asyncio.Future[Answer]] = {}
        self._listener: asyncio.Task[None] | None = None
        self._listening = asyncio.Event()

    @property
    def has_room(self) -> bool:
        """Whether one more caller may wait."""
        return len(self._waiting) < MOST_WAITING

    async def expect(self, run_id: UUID) -> asyncio.Future[Answer]:
        """Begin to listen for a run's answer; call it before the run is committed.

        If the listener does not get through in time, looking now and then has to do.
        """
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[run_id] = future
        future.add_done_callback(lambda _done: self._waiting.pop(run_id, None))
        if self._listener is None or self._listener.done():
            self._listening.clear()
            self._listener = asyncio.create_task(self._listen())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LISTENING_S):
                await self._listening.wait()
        return future

    async def close(self) -> None:
        """Stop listening; who still waits is answered that the run goes on."""
        for future in list(self._waiting.values()):
            future.cancel()
        if self._listener is not None:
            self._listener.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listener

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        last_needed = loop.time()
        while self._waiting or loop.time() - last_needed < LINGER_S:
            try:
                connection = await self._wires.open()
            except (OSError, Error):
                await asyncio.sleep(LOOK_EVERY_S)
                continue
            try:
                await connection.execute(f"listen {CHANNEL}")
                self._listening.set()
                while self._waiting or loop.time() - last_needed < LINGER_S:
                    await self._wait_and_look(connection)
                    if self._waiting:
                        last_needed = loop.time()
            except Error:
                continue
            finally:
                self._listening.clear()
                await connection.close()

    async def _wait_and_look(self, connection: Connection) -> None:
        named: set[UUID] = set()
        pause = LOOK_EVERY_S if self._waiting else 5.0
        async for notice in connection.notifies(timeout=pause, stop_after=1):
            with contextlib.suppress(ValueError):
                named.add(UUID(notice.payload))
        # Without a notice in half a second everybody's run is looked at: one may have been lost.
        await self._look(named & self._waiting.keys() if named else list(self._waiting))

    async def _look(self, run_ids: Collection[UUID]) -> None:
        if not run_ids:
            return

        async def read(connection: Connection) -> list[tuple[Any, ...]]:
            return await (await connection.execute(_LOOK, [list(run_ids)])).fetchall()

        try:
            rows = await self._wires.run(read)
        except Unavailable:
            return
        for row in rows:
            answer = _answer(*row)
            future = self._waiting.get(answer.run_id)
            is_over = answer.responded is not None or answer.run_status in FINAL_RUN
            if is_over and future is not None and not future.done():
                future.set_result(answer)


def _answer(run_id: UUID, status: str, error: str | None, event: list[str] | None) -> Answer:
    responded = None
    if event is not None:
        found = from_row("run.responded", event[0], values.loads(event[1]))  # type: ignore[arg-type]
        if isinstance(found, Responded) and found.delivered:
            responded = found
    return Answer(run_id, status, values.loads(error) if error else None, responded)
