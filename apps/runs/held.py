"""Notes of the runs a driver process holds, so that a run that kills drivers is found.

The note is a small file, since it must survive the process and must not cost a round trip.
The process keeps a lock on it as long as it lives, so whoever gets the lock knows that the
process is dead: numbers of processes are given again, and mean nothing across containers.
The clock reads the notes of the dead and counts each death on the run; from the first on it is
driven alone, at the third it is paused.
"""

import fcntl
import logging
import os
import threading
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection

_log = logging.getLogger(__name__)
_mine = threading.local()


def folder() -> Path:
    """Where this machine's drivers keep their notes."""
    return Path(settings.HOME) / "held"


class Held:
    """The note of one batch; empty again when the batch is over, however it ended."""

    def __init__(self) -> None:
        self._noted = False

    def __enter__(self) -> Self:
        return self

    def note(self, run_ids: Iterable[UUID]) -> None:
        """Write down what is held. A full disk is no reason not to drive."""
        try:
            _write("\n".join(str(run_id) for run_id in run_ids))
        except OSError as error:
            _log.warning("what this process holds is not noted: %s", error)
        else:
            self._noted = True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._noted:
            _write("")


def count_deaths() -> int:
    """Count a death on every run that a process died with; returns how many runs."""
    counted = 0
    for path in folder().glob("*"):
        try:
            with path.open("r+b", buffering=0) as note:
                fcntl.flock(note, fcntl.LOCK_EX | fcntl.LOCK_NB)
                counted += _count(note.read().decode().split("\n"))
                path.unlink(missing_ok=True)
        except (BlockingIOError, FileNotFoundError):
            continue  # its process lives, or another clock was quicker
    return counted


def _count(run_ids: list[str]) -> int:
    named = [one for one in run_ids if one]
    if not named:
        return 0
    _log.warning("a driver process died holding %s runs; they are driven alone", len(named))
    with connection.cursor() as cursor:
        cursor.execute(
            "update run_state set deaths = deaths + 1 where run_id = any(%s::uuid[])", [named]
        )
        return int(cursor.rowcount)


class _Note:
    """One thread's locked file; the lock goes with the object, the thread or the process."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.folder = folder()
        self.folder.mkdir(parents=True, exist_ok=True)
        while True:
            self.file = os.open(self.folder / uuid4().hex, os.O_RDWR | os.O_CREAT | os.O_EXCL)
            fcntl.flock(self.file, fcntl.LOCK_EX)
            if os.fstat(self.file).st_nlink:  # else a clock took it before it was locked
                break
            os.close(self.file)

    def __del__(self) -> None:
        os.close(self.file)

    @property
    def is_ours(self) -> bool:
        """False after a fork: the lock is the parent's."""
        return self.pid == os.getpid() and self.folder == folder()

    def write(self, text: str) -> None:
        os.ftruncate(self.file, 0)
        if text:
            os.pwrite(self.file, text.encode(), 0)


def _write(text: str) -> None:
    note: _Note | None = getattr(_mine, "note", None)
    if note is None or not note.is_ours:
        note = _mine.note = _Note()
    note.write(text)
