"""A slot keeps exactly one process of its program, whatever happens to it and when."""

import asyncio
import signal
from contextlib import asynccontextmanager

from config.stack.children import Child, Slot
from config.stack.programs import Program


class Nursery:
    """What a supervisor does for a slot: it starts processes and notices their end."""

    def __init__(self) -> None:
        self.children: list[Child] = []
        self.can_answer = asyncio.Event()
        self.program = Program("sleeper", ["sleep", "600"], answers=self.can_answer.is_set)
        self.slot = Slot(self.program, self._start, lambda *_: None)

    @property
    def alive(self) -> list[Child]:
        return [child for child in self.children if not child.has_ended.is_set()]

    async def until(self, holds) -> None:
        async with asyncio.timeout(30):
            while not holds():  # noqa: ASYNC110 - it may be anything
                await asyncio.sleep(0.01)

    def _start(self, program: Program) -> Child:
        child = Child(program, {"PATH": "/usr/bin:/bin"}, lambda *_: None)
        self.children.append(child)
        return child

    async def reap(self) -> None:
        while True:
            for child in self.children:
                child.reap()
            await asyncio.sleep(0.01)


@asynccontextmanager
async def nursery():
    made = Nursery()
    reaping = asyncio.create_task(made.reap())
    try:
        yield made
    finally:
        await made.slot.stop(5)
        for child in made.alive:
            await child.stop(5)
        reaping.cancel()


async def test_a_process_that_is_killed_while_it_is_replaced_leaves_no_second_one():
    async with nursery() as made:
        first = made.slot.start()
        replacing = asyncio.create_task(made.slot.replace(patience=5))
        await made.until(lambda: len(made.children) == 2)
        first.signal(signal.SIGKILL)
        await made.until(lambda: len(made.children) == 3)  # started again, as one that was killed

        made.can_answer.set()
        await replacing

        await made.until(lambda: made.alive == [made.slot.child])
        assert made.slot.child is made.children[1]


async def test_the_process_that_replaced_another_is_kept():
    async with nursery() as made:
        made.slot.start()
        made.can_answer.set()
        await made.slot.replace(patience=5)

        made.children[1].signal(signal.SIGKILL)

        await made.until(lambda: made.alive == [made.slot.child] and len(made.children) == 3)


async def test_a_process_that_does_not_come_up_leaves_the_old_one_at_work():
    async with nursery() as made:
        first = made.slot.start()
        replacing = asyncio.create_task(made.slot.replace(patience=5))
        await made.until(lambda: len(made.children) == 2)
        made.children[1].signal(signal.SIGKILL)

        done = await asyncio.gather(replacing, return_exceptions=True)

        assert isinstance(done[0], RuntimeError)
        assert made.alive == [first] == [made.slot.child]
