"""One running process of the stack, and the slot that keeps such a process running."""

import asyncio
import contextlib
import itertools
import os
import signal
import subprocess
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence

from config.stack import notices
from config.stack.offspring import preparation
from config.stack.places import ROOT
from config.stack.programs import Program

Emit = Callable[[str, str], None]

_LONGEST_LINE = 64 * 1024
_BACK_OFF = (0.1, 0.5, 1, 2, 5, 10)
_SETTLED = 30  # seconds after which a process counts as well
_numbers = itertools.count(1)


class Child:
    """A process that was started once. Its lines come out under its program's name."""

    def __init__(
        self,
        program: Program,
        environ: Mapping[str, str],
        emit: Emit,
        fds: Sequence[int] = (),
    ) -> None:
        """Start it. Must be called from the main thread: it dies with the thread that starts it."""
        self.program = program
        self.tag = f"{program.name}.{next(_numbers)}"
        self.started_at = time.monotonic()
        self.is_ready = asyncio.Event()
        self.has_ended = asyncio.Event()
        self._emit = emit
        self._rest = b""
        self._process = subprocess.Popen(
            list(program.command),
            cwd=ROOT,
            env={**environ, notices.NAME: self.tag},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=fds,
            preexec_fn=preparation(dies_by=program.dies_by, footing=program.footing),
        )
        assert self._process.stdout  # noqa: S101 - for the type checker
        self._out = self._process.stdout.fileno()
        os.set_blocking(self._out, False)
        asyncio.get_running_loop().add_reader(self._out, self._read)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def status(self) -> int | None:
        """Its exit status, or None while it runs."""
        return self._process.returncode

    def reap(self) -> None:
        """Notice its end, if it has ended."""
        if self.has_ended.is_set() or self._process.poll() is None:
            return
        self._read()
        if self._rest:
            self._say(self._rest)
        self._close()
        # What it started may still be there; it is of no use without it.
        self.signal(signal.SIGKILL, group=True)
        self.has_ended.set()

    def signal(self, number: signal.Signals, *, group: bool = False) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            (os.killpg if group else os.kill)(self.pid, number)

    async def stop(self, patience: float, *, everything: bool = False) -> None:
        """Ask it to finish; after ``patience`` seconds it is ended."""
        if self.has_ended.is_set():
            return
        self.signal((everything and self.program.ends_by) or self.program.stops_by)
        try:
            await asyncio.wait_for(self.has_ended.wait(), patience)
        except TimeoutError:
            self.signal(signal.SIGKILL, group=True)
            await self.has_ended.wait()

    async def until_ready(self) -> bool:
        """Wait until it can take work. False if it ended instead."""
        if self.program.answers:
            while not self.has_ended.is_set() and not self.program.answers():  # noqa: ASYNC110
                await asyncio.sleep(0.03)
            self.is_ready.set()
        waiting = [
            asyncio.create_task(self.is_ready.wait()),
            asyncio.create_task(self.has_ended.wait()),
        ]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        return not self.has_ended.is_set()

    def _read(self) -> None:
        if self._out < 0:
            return
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self._out, _LONGEST_LINE):
                *lines, self._rest = (self._rest + data).split(b"\n")
                for line in lines:
                    self._say(line)
                if len(self._rest) > _LONGEST_LINE:
                    self._say(self._rest)
                    self._rest = b""
            self._close()

    def _say(self, line: bytes) -> None:
        self._emit(self.program.name, line.decode(errors="replace").rstrip("\r"))

    def _close(self) -> None:
        if self._out >= 0:
            asyncio.get_running_loop().remove_reader(self._out)
            assert self._process.stdout  # noqa: S101 - for the type checker
            self._process.stdout.close()
            self._out = -1


class Slot:
    """Keeps one program running: starts it again when it ends, and replaces it without a gap."""

    def __init__(self, program: Program, start: Callable[[Program], Child], emit: Emit) -> None:
        self.program = program
        self.child: Child | None = None
        self.failures = 0
        self._start = start
        self._emit = emit
        self._wanted = True
        self._watchers: set[asyncio.Task[None]] = set()

    def start(self) -> Child:
        """Start the program; from now on it is kept running."""
        self.child = self._start(self.program)
        self._watch(self._keep(self.child))
        return self.child

    def is_kept(self, child: Child) -> bool:
        """Whether this process is the one that is to be running."""
        return self._wanted and child is self.child

    async def _keep(self, child: Child) -> None:
        await child.has_ended.wait()
        if not self.is_kept(child):
            return
        if time.monotonic() - child.started_at > _SETTLED:
            self.failures = 0
        pause = _BACK_OFF[min(self.failures, len(_BACK_OFF) - 1)]
        self.failures += 1
        self._emit("up", f"{self.program.name} {_ending(child)}; starting it again in {pause:g} s")
        await asyncio.sleep(pause)
        if self.is_kept(child):
            self.start()

    async def replace(self, *, patience: float) -> None:
        """Start a second process; once it can take work, ask the first to finish.

        Raises:
            RuntimeError: The new one did not come up; the old one goes on.
        """
        new = self._start(self.program)
        try:
            came_up = await asyncio.wait_for(new.until_ready(), 90)
        except TimeoutError:
            came_up = False
        if not came_up:
            await new.stop(5)
            raise RuntimeError(f"The new {self.program.name} did not come up; the old one goes on.")
        # The one it began with may have ended meanwhile, and another taken its place.
        old, self.child, self.failures = self.child, new, 0
        self._watch(self._keep(new))
        if old:
            await old.stop(patience)

    async def stop(self, patience: float) -> None:
        """End the program for good."""
        self._wanted = False
        if self.child:
            await self.child.stop(patience, everything=True)

    def _watch(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._watchers.add(task)
        task.add_done_callback(self._watchers.discard)


def _ending(child: Child) -> str:
    status = child.status or 0
    return f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended ({status})"
