"""The whole product, started as people start it: supervisor, servers, workers, clock."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from config.stack.offspring import preparation

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "seven quiet green lamps"

# What the test session says about its own database must not reach a stack with its own.
_NOT_PASSED_ON = {
    *("DATABASE_URL", "REDIS_URL", "SIGNALBOX_HOME", "SIGNALBOX_ENV", "DJANGO_SETTINGS_MODULE"),
    *("SIGNALBOX_SECRET_KEY", "SIGNALBOX_ENCRYPTION_KEYS", "SIGNALBOX_SIGNING_KEY"),
    *("PYTEST_XDIST_WORKER", "SIGNALBOX_TEST_FOLDER", "MAKELEVEL", "MAKEFLAGS", "PORT"),
}


def clean_environment(**more: str) -> dict[str, str]:
    """The environment a person would have, and ``more``."""
    kept = {name: value for name, value in os.environ.items() if name not in _NOT_PASSED_ON}
    return {**kept, **more}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def descendants(pid: int) -> list[int]:
    """Every process below this one, read from /proc."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int(_stat(int(entry.name))[1])
            except OSError:
                continue
    found, rest = [], [pid]
    while rest:
        parent = rest.pop()
        below = [one for one, its_parent in parents.items() if its_parent == parent]
        found += below
        rest += below
    return found


def is_alive(pid: int) -> bool:
    try:
        return _stat(pid)[0] != "Z"
    except OSError:
        return False


def _stat(pid: int) -> list[str]:
    """State, parent and so on: what follows the name in brackets."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def until(holds, seconds: float = 30, what: str = "") -> None:
    """Wait until it holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds} s: {what or holds}"
        time.sleep(0.05)


class LiveStack:
    """One running Signalbox with a home, a port and a database of its own."""

    def __init__(self, home: Path, **environ: str) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = home / "up.log"
        self.environ = clean_environment(
            SIGNALBOX_HOME=str(home),
            SIGNALBOX_DEMO_PASSWORD=PASSWORD,
            SIGNALBOX_TEST_CLOCK="1",
            PORT=str(self.port),
            **environ,
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, seconds: float = 120) -> float:
        """Start it and wait for its ready line; returns how long that took."""
        began = time.monotonic()
        self.log.write_bytes(b"")
        self.spawn()

        def is_ready() -> bool:
            assert self.process
            assert self.process.poll() is None, f"it ended:\n{self.lines()[-4000:]}"
            return f"Signalbox is ready: {self.url}" in self.lines()

        until(is_ready, seconds, "the ready line")
        return time.monotonic() - began

    def spawn(self) -> None:
        """Start it and go on at once; its lines come after those of the one before."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.inside, *self._command("up")],
                cwd=ROOT,
                env=self.environ,
                stdout=log,
                stderr=log,
                # A test session that is killed leaves no stack behind.
                preexec_fn=preparation(dies_by=signal.SIGINT, session=False),
            )

    @property
    def inside(self) -> list[str]:
        """A command in front of the stack's own, which puts it into other surroundings."""
        return []

    @property
    def beside(self) -> list[str]:
        """The same for commands that find a running stack."""
        return []

    @property
    def pid(self) -> int:
        """The supervisor's process."""
        assert self.process
        return self.process.pid

    def kill_supervisor(self) -> None:
        """What nothing can prepare for."""
        assert self.process
        self.process.kill()
        self.process.wait()

    def stop(self) -> float:
        """What Ctrl-C does; returns how long that took."""
        began = time.monotonic()
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(60)
        return time.monotonic() - began

    def lines(self) -> str:
        """What it has printed so far."""
        return self.log.read_text(errors="replace")

    def processes(self) -> dict[str, int]:
        """The process of each part by name; ``{}`` while it cannot say."""
        done = self._run("status")
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal, SIGKILL unless told otherwise, to one part; returns its old number."""
        pid = self.processes()[name]
        os.kill(pid, number)
        return pid

    def restart(self) -> subprocess.CompletedProcess[str]:
        return self._run("restart", seconds=180)

    def manage(self, *arguments: str, seconds: float = 180) -> str:
        """Run ``manage.py`` against its data; returns what it printed."""
        done = self._run("manage", *arguments, seconds=seconds)
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout

    def call(self, method: str, path: str, token: str, body: object = None) -> Any:
        """One call of the API below ``/api/v1/`` with a token; returns the JSON of the answer."""
        request = urllib.request.Request(
            f"{self.url}/api/v1/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or b"null")

    def is_healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _run(self, *command: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.beside, *self._command(*command)],
            cwd=ROOT,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    @staticmethod
    def _command(*arguments: str) -> list[str]:
        return [sys.executable, "-m", "config.stack", *arguments]
