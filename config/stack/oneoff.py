"""A single command against the same data, whether the stack is running or not."""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence

from config.stack import control
from config.stack.offspring import preparation
from config.stack.places import ROOT, Places
from config.stack.programs import environment, servers


def run(places: Places, command: Sequence[str]) -> int:
    """Run a command with the stack's environment; its own output is all there is on stdout."""
    with serving(places) as environ:
        return subprocess.run(command, cwd=ROOT, env=environ, check=False).returncode


@contextlib.contextmanager
def serving(places: Places) -> Iterator[Mapping[str, str]]:
    """The stack's environment, with the embedded servers answering as long as it is held.

    They are the running stack's, or else started for this time alone.
    """
    if control.is_running(places):
        _wait_for_servers(places)
        yield environment(places)
        return
    with places.alone():
        # Keys first: a home that has lost them must not be opened.
        environ = environment(places)
        started: list[tuple[subprocess.Popen[bytes], signal.Signals]] = []
        try:
            for program in servers(places):
                if program.name == "postgres":
                    places.cluster.wait_until_gone()
                    if places.cluster.create():
                        print("Made the PostgreSQL data directory.", file=sys.stderr)
                prepare = preparation(dies_by=program.dies_by, footing=program.footing)
                with (places.home / f"{program.name}.log").open("ab") as log:
                    process = subprocess.Popen(
                        program.command,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                        preexec_fn=prepare,
                    )
                started.append((process, program.stops_by))
            _wait_for_servers(places)
            yield environ
        finally:
            for process, number in started:
                process.send_signal(number)
            for process, _ in started:
                process.wait(60)


def _wait_for_servers(places: Places, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    for program in servers(places):
        while program.answers and not program.answers():
            if time.monotonic() > until:
                raise FileNotFoundError(f"{program.name} does not answer: see {places.home}.")
            time.sleep(0.03)
