"""The process that starts all others, keeps them running, and ends them with itself."""

import asyncio
import contextlib
import errno
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence

from config.stack import notices, web
from config.stack.children import Child, Slot
from config.stack.errors import Refusal, StartFailed
from config.stack.places import ROOT, Places
from config.stack.programs import (
    Program,
    demo_password,
    environment,
    host,
    port,
    servers,
    workers,
)
from config.stack.stamps import digest

_START_TRIES = 3
_START_SECONDS = 180
_STOP_PATIENCE = 10
_REPLACE_PATIENCE = 60  # for what a worker has in hand when it is replaced


class Supervisor:
    """Runs the stack, or the part of it named by ``only``, until it is told to stop."""

    def __init__(self, places: Places, *, only: Sequence[str] = ()) -> None:
        self.places = places
        self.environ: Mapping[str, str] = {}
        self.is_ready = False
        self._only = only
        self._part = "-".join(only)
        self._children: list[Child] = []
        self._slots: dict[str, Slot] = {}
        self._listener: socket.socket | None = None
        self._stop = asyncio.Event()
        self._restarting = asyncio.Lock()

    async def run(self) -> None:
        """Start everything, say when it is ready, and stay until SIGINT, SIGTERM or SIGHUP.

        Raises:
            Refusal: Something is missing or taken; the message says what.
            StartFailed: A process ends whenever it is started.
        """
        began = time.monotonic()
        self._listen_to_signals()
        programs = [one for one in workers() if not self._only or one.name in self._only]
        needed = [] if self._only else servers(self.places)
        self.environ = environment(self.places)
        if any(program.listens for program in programs):
            self._bind()
        try:
            with self._hearing():
                async with await asyncio.start_unix_server(
                    self._obey, self.places.control(self._part)
                ):
                    await self._or_stop(self._start(needed, programs))
                    if not self._stop.is_set():
                        self._announce(time.monotonic() - began)
                    await self._stop.wait()
        finally:
            await self._end()

    # Starting

    async def _start(self, needed: list[Program], programs: list[Program]) -> None:
        if any(program.name == "postgres" for program in needed):
            self.places.cluster.wait_until_gone()
            if not (self.places.cluster.data / "PG_VERSION").exists():
                self.say("up", "making the PostgreSQL data directory …")
            if self.places.cluster.create():
                self.places.prepared.unlink(missing_ok=True)
        await self._bring_up(needed)
        if not self._only:
            await self._prepare()
        if self._listener:
            self._listener.listen(web.BACKLOG)
        self.say("up", f"starting {', '.join(program.name for program in programs)} …")
        await self._bring_up(programs)
        if self._listener:
            await self._until_healthy()

    async def _bring_up(self, programs: list[Program]) -> None:
        for program in programs:
            self._slots[program.name] = slot = Slot(program, self._spawn, self.say)
            slot.start()
        for program in programs:
            await self._until_up(self._slots[program.name])

    async def _until_up(self, slot: Slot) -> None:
        until = time.monotonic() + _START_SECONDS
        while True:
            left = until - time.monotonic()
            try:
                if slot.child is not None and await asyncio.wait_for(
                    slot.child.until_ready(), left
                ):
                    return
            except TimeoutError:
                raise StartFailed(
                    f"{slot.program.name} is not ready after {_START_SECONDS} s."
                ) from None
            if slot.failures >= _START_TRIES:
                raise StartFailed(f"{slot.program.name} does not start: see its lines above.")
            await asyncio.sleep(0.05)

    async def _prepare(self) -> None:
        """Bring tables, static files and demo data up to date, if code or database is new."""
        inputs = [
            *sorted(ROOT.glob("apps/*/migrations/*.py")),
            *sorted(ROOT.glob("apps/operations/**/*.py")),
            ROOT / "requirements" / "base.txt",
            ROOT / "static",
            ROOT / "config" / "settings.py",
            ROOT / "config" / "prepare.py",
        ]
        wanted = digest(inputs, also=[self.environ.get("SIGNALBOX_DEMO", "")])
        ours = "postgres" in self._slots
        with contextlib.suppress(FileNotFoundError):
            if ours and self.places.prepared.read_text(encoding="ascii") == wanted:
                return
        self.say("up", "bringing the database up to date …")
        child = self._spawn(Program("prepare", [sys.executable, "-m", "config.prepare"]))
        await child.has_ended.wait()
        if child.status:
            raise StartFailed("The database could not be brought up to date: see above.")
        self.places.prepared.write_text(wanted, encoding="ascii")

    def _bind(self) -> None:
        try:
            self._listener = web.listen(host(), port())
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise Refusal(
                f"Port {port()} is taken by another program: choose one with `make up PORT=…`."
            ) from error

    async def _until_healthy(self) -> None:
        until = time.monotonic() + 60
        while not await _is_healthy(self.environ):
            if time.monotonic() > until:
                raise StartFailed("The web process runs, but /healthz does not answer 200.")
            await asyncio.sleep(0.1)

    def _announce(self, seconds: float) -> None:
        self.is_ready = True
        if self._listener is None:
            self.say("up", f"{', '.join(self._only)} ready after {seconds:.1f} s")
            return
        name = host() if host() not in {"0.0.0.0", "::"} else "127.0.0.1"  # noqa: S104
        self.say("up", f"everything is running after {seconds:.1f} s; Ctrl-C stops it")
        if not self._only and (password := demo_password(self.environ)):
            people = "admin@, builder@, approver@, auditor@ and viewer@demo.local"
            self.say("up", f"demo workspace: {people}, password {password}")
        _print(f"Signalbox is ready: http://{name}:{port()}")

    def _spawn(self, program: Program) -> Child:
        environ = dict(self.environ) | {notices.SOCKET: str(self.places.notices(self._part))}
        fds = []
        if program.listens and self._listener:
            fds.append(self._listener.fileno())
            environ[web.LISTENER] = str(self._listener.fileno())
        child = Child(program, environ, self.say, fds)
        self._children.append(child)
        return child

    # Running

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._ask_to_stop)
        loop.add_signal_handler(signal.SIGCHLD, self._reap)

    def _ask_to_stop(self) -> None:
        if self._stop.is_set():
            self.say("up", "ending everything at once")
            for child in self._children:
                if child.program.name != "postgres":
                    child.signal(signal.SIGKILL, group=True)
        self._stop.set()

    def _reap(self) -> None:
        for child in self._children:
            child.reap()
        self._children = [child for child in self._children if not child.has_ended.is_set()]

    @contextlib.contextmanager
    def _hearing(self) -> Iterator[None]:
        """Hear the processes' notices."""
        path = self.places.notices(self._part)
        for left_behind in (path, self.places.control(self._part)):
            left_behind.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as line:
            line.bind(str(path))
            asyncio.get_running_loop().add_reader(line, self._hear, line)
            yield
            asyncio.get_running_loop().remove_reader(line)

    def _hear(self, line: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            tag = line.recv(200).decode(errors="replace")
            for child in self._children:
                if child.tag == tag:
                    child.is_ready.set()

    async def _or_stop(self, work: Coroutine[None, None, None]) -> None:
        """Do the work, but leave it when we are told to stop."""
        task, stop = asyncio.ensure_future(work), asyncio.ensure_future(self._stop.wait())
        await asyncio.wait([task, stop], return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if not task.done():
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            return
        task.result()

    async def _obey(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One order per connection: ``status``, ``restart`` or ``stop``; answers in JSON lines."""

        def answer(**fields: object) -> None:
            writer.write(json.dumps(fields).encode() + b"\n")

        try:
            order = (await reader.readline()).decode().strip()
            if order == "status":
                answer(ok=True, ready=self.is_ready, processes=self._processes())
            elif order == "restart":
                async with self._restarting:
                    await self._restart(lambda text: answer(text=text))
                answer(ok=True)
            elif order == "stop":
                answer(ok=True)
                self._stop.set()
            else:
                answer(ok=False, text=f"There is no order {order!r}.")
        except (RuntimeError, StartFailed) as error:
            answer(ok=False, text=str(error))
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()

    def _processes(self) -> dict[str, int]:
        return {
            "up": os.getpid(),
            **{name: slot.child.pid for name, slot in self._slots.items() if slot.child},
        }

    async def _restart(self, tell: Callable[[str], None]) -> None:
        """Replace every process of the product by a new one, each before the old one goes."""
        if not self.is_ready:
            raise RuntimeError("It is still starting.")
        if not self._only:
            await self._prepare()
        for name, slot in self._slots.items():
            if slot.program.answers:
                continue  # the servers hold data, not code
            began = time.monotonic()
            await slot.replace(patience=_REPLACE_PATIENCE)
            text = f"{name} was replaced in {time.monotonic() - began:.1f} s"
            self.say("up", text)
            tell(text)

    # Ending

    async def _end(self) -> None:
        began = time.monotonic()
        if self._slots:
            self.say("up", "stopping …")
        await self._stop_all(slot for slot in self._slots.values() if not slot.program.answers)
        await self._stop_all(slot for slot in self._slots.values() if slot.program.answers)
        for child in list(self._children):
            await child.stop(_STOP_PATIENCE)
        if self._listener:
            self._listener.close()
        for path in (self.places.control(self._part), self.places.notices(self._part)):
            path.unlink(missing_ok=True)
        self.places.leave()
        if self._slots:
            self.say("up", f"stopped after {time.monotonic() - began:.1f} s")

    async def _stop_all(self, slots: Iterable[Slot]) -> None:
        await asyncio.gather(*(slot.stop(_STOP_PATIENCE) for slot in slots))

    def say(self, name: str, line: str) -> None:
        """Print one line under a process's name."""
        _print(f"{name:<8}| {line}")


def _print(line: str) -> None:
    # A terminal that is gone is no reason to stop.
    with contextlib.suppress(OSError):
        print(line, flush=True)


async def _is_healthy(environ: Mapping[str, str]) -> bool:
    name = (environ.get("SIGNALBOX_HOSTS") or "127.0.0.1").split(",")[0].strip().lstrip(".*")
    address = host() if host() not in {"0.0.0.0", "::"} else "127.0.0.1"  # noqa: S104
    try:
        reader, writer = await asyncio.open_connection(address, port())
        lines = [
            "GET /healthz HTTP/1.1",
            f"Host: {name or '127.0.0.1'}",
            "Connection: close",
            "",
            "",
        ]
        writer.write("\r\n".join(lines).encode())
        status = await asyncio.wait_for(reader.readline(), 10)
        writer.close()
    except (OSError, TimeoutError):
        return False
    return b" 200 " in status
