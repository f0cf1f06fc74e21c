"""Notes of the runs a driver process holds, so that a run that kills drivers is found.

The note is a small file, since it must survive the process and must not cost a round trip.
A worker that starts, or the clock, reads the notes of dead processes and counts each death
on the run; from the first on it is driven alone, at the third it is paused.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from uuid import UUID

from django.conf import settings
from django.db import connection


def folder() -> Path:
    """Where this machine's drivers keep their notes."""
    return Path(settings.HOME) / "held"


class Held:
    """The note of one batch; empty again when the batch is over, however it ended."""

    def __init__(self) -> None:
        self._path = folder() / str(os.getpid())
        self._noted = False

    def __enter__(self) -> "Held":
        return self

    def note(self, run_ids: Iterable[UUID]) -> None:
        """Write down what is held; replaces an older note of this process."""
        try:
            self._path.write_text("\n".join(str(run_id) for run_id in run_ids))
        except FileNotFoundError:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text("\n".join(str(run_id) for run_id in run_ids))
        self._noted = True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._noted:
            self._path.write_text("")


def count_deaths() -> int:
    """Count a death on every run that a process of this machine died with; returns how many."""
    counted = 0
    for path in folder().glob("*"):
        if not path.name.isdigit() or _is_alive(int(path.name)):
            continue
        run_ids = [line for line in path.read_text().split("\n") if line]
        path.unlink(missing_ok=True)
        if run_ids:
            with connection.cursor() as cursor:
                cursor.execute(
                    "update run_state set deaths = deaths + 1 where run_id = any(%s::uuid[])",
                    [run_ids],
                )
                counted += cursor.rowcount
    return counted


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
