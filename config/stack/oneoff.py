"""A single command against the same data, whether the stack is running or not."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence

from config.stack import control
from config.stack.errors import Refusal
from config.stack.offspring import preparation
from config.stack.places import ROOT, Places
from config.stack.programs import Program, environment, is_embedded, servers


def run(places: Places, command: Sequence[str]) -> int:
    """Run a command with the stack's environment; its own output is all there is on stdout."""
    with serving(places) as environ:
        if is_embedded() and not places.prepared.exists():
            # A new home: the command finds tables, as it would beside a running stack.
            prepared = subprocess.run(
                [sys.executable, "-m", "config.prepare"],
                cwd=ROOT,
                env=environ,
                stdout=sys.stderr,
                check=False,
            )
            if prepared.returncode:
                return prepared.returncode
        return subprocess.run(command, cwd=ROOT, env=environ, check=False).returncode


@contextlib.contextmanager
def serving(places: Places) -> Iterator[Mapping[str, str]]:
    """The stack's environment, with the embedded servers answering as long as it is held."""
    # Keys first: a home that has lost them must not be opened.
    environ = environment(places)
    with with_servers(places):
        yield environ


@contextlib.contextmanager
def with_servers(places: Places) -> Iterator[str]:
    """The embedded servers, answering: the running stack's, or else started for this time alone.

    Yields:
        The database's address.
    """
    url = os.environ.get("DATABASE_URL") or places.cluster.url()
    if control.is_running(places):
        _wait_for_servers(places)
        yield url
        return
    with places.alone():
        started: list[tuple[subprocess.Popen[bytes], signal.Signals]] = []
        try:
            for program in servers(places):
                if program.name == "postgres":
                    places.cluster.wait_until_gone()
                    if places.cluster.create():
                        places.prepared.unlink(missing_ok=True)
                        print("setup   | made the PostgreSQL data directory", file=sys.stderr)
                started.append((_start(places, program), program.stops_by))
            _wait_for_servers(places)
            yield url
        finally:
            for process, number in started:
                process.send_signal(number)
            for process, _ in started:
                process.wait(60)
            places.leave()


def _start(places: Places, program: Program) -> subprocess.Popen[bytes]:
    with (places.home / f"{program.name}.log").open("ab") as log:
        return subprocess.Popen(
            program.command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=preparation(dies_by=program.dies_by, footing=program.footing),
        )


def _wait_for_servers(places: Places, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    for program in servers(places):
        while program.answers and not program.answers():
            if time.monotonic() > until:
                raise Refusal(f"{program.name} does not answer: see {places.home}.")
            time.sleep(0.03)
