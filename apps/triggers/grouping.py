"""Calls that want the same kind of work at the same time share one round trip.

A call never waits for company: while nothing is under way its work begins at once, alone. What
comes meanwhile goes together with the next. A group that fails is tried again one by one, so
that a call is refused for nobody's fault but its own (engine rule 34); but not where the failure
is of a kind that is ``hopeless`` for all of them, such as a database that does not answer.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Given = TypeVar("Given")

MOST = 64


class Groups(Generic[Asked, Given]):
    """One kind of work, a few groups of it at a time. It belongs to one event loop."""

    def __init__(
        self,
        work: Callable[[Sequence[Asked]], Awaitable[Sequence[Given]]],
        *,
        at_once: int,
        hopeless: type[Exception],
    ) -> None:
        self._work = work
        self._hopeless = hopeless
        self._free = at_once
        self._waiting: deque[tuple[Asked, asyncio.Future[Given]]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, asked: Asked) -> Given:
        """The answer to one call; work that began before it was asked does not count.

        Raises:
            Exception: What the work raised for this call alone.
        """
        future: asyncio.Future[Given] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, future))
        if self._free:
            self._free -= 1
            task = asyncio.ensure_future(self._go())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await future

    async def _go(self) -> None:
        try:
            while self._waiting:
                count = min(len(self._waiting), MOST)
                await self._answer([self._waiting.popleft() for _ in range(count)])
        finally:
            self._free += 1

    async def _answer(self, group: Sequence[tuple[Asked, asyncio.Future[Given]]]) -> None:
        try:
            found = await self._work([asked for asked, _ in group])
        except Exception as error:  # noqa: BLE001 - handed to those who asked
            if len(group) == 1 or isinstance(error, self._hopeless):
                for _, future in group:
                    if not future.done():
                        future.set_exception(error)
                return
            for one in group:
                await self._answer([one])
            return
        for (_, future), given in zip(group, found, strict=True):
            if not future.done():
                future.set_result(given)
