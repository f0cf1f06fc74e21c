"""The file of checkpoints: a line for each seal, kept outside the database.

A line is ``1 <seal number> <seal hash> <signature>``, hash and signature in hex. Whoever cuts the
tail of the trail in the database cannot take the lines back, if the file is out of reach.
"""

import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from apps.audit.models import AuditSeal

__all__ = ["Checkpoint", "CheckpointConflict", "append_checkpoints", "read_checkpoints"]

_TAIL = 4096


class CheckpointConflict(Exception):
    """The file ends with what the database does not have: one was changed, or restored."""


@dataclass(frozen=True)
class Checkpoint:
    """One line of the file; ``number`` is 0 where the line cannot be read."""

    line: int
    number: int
    hash: str
    signature: str


def append_checkpoints(path: Path) -> int:
    """Write the seals that the file does not have yet, and fsync; returns how many.

    Safe to call at any time and twice at once: it goes on where the file ends, so a crash between
    a seal's commit and its line is made good by the next call, and a half-written line completed.

    Raises:
        CheckpointConflict: The file's last line is no seal of this database. Nothing is written,
            so that the file stays the evidence it is.
        OSError: The file cannot be written.

    Locks:
        The file, until the call ends.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        last, torn = _ends_with(descriptor)
        number = _known(last) if last else 0
        written = 0
        for seal in AuditSeal.objects.filter(number__gt=number).order_by("number").iterator(500):
            line = line_of(seal)
            if torn:
                if not line.startswith(torn):
                    raise CheckpointConflict(
                        f"The checkpoint file ends with half a line that is not seal {seal.number}."
                    )
                line, torn = line[len(torn) :], b""
            _write(descriptor, line)
            written += 1
        if torn:
            raise CheckpointConflict(
                f"The checkpoint file ends with half a line after seal {number}, which is the last."
            )
        if written:
            os.fsync(descriptor)
        if is_new:
            _fsync_folder(path.parent)
        return written
    finally:
        os.close(descriptor)


def line_of(seal: AuditSeal) -> bytes:
    """A seal's line."""
    return f"1 {seal.number} {bytes(seal.hash).hex()} {bytes(seal.signature).hex()}\n".encode()


def read_checkpoints(path: Path) -> Iterator[Checkpoint]:
    """The file's lines up to its present end; a last line without its end is left out."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return
    with path.open("rb") as file:
        line = 0
        while file.tell() < size:
            raw = file.readline()
            if not raw.endswith(b"\n"):
                return
            line += 1
            yield _read(raw, line)


def _read(raw: bytes, line: int) -> Checkpoint:
    parts = raw.decode("ascii", "replace").split()
    if len(parts) != 4 or parts[0] != "1" or not parts[1].isdigit():
        return Checkpoint(line, 0, "", "")
    return Checkpoint(line, int(parts[1]), parts[2], parts[3])


def _ends_with(descriptor: int) -> tuple[bytes, bytes]:
    """The last whole line, and what was left of a line that a crash tore."""
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, min(size, _TAIL), max(0, size - _TAIL))
    whole, _, torn = tail.rpartition(b"\n")
    return whole.rpartition(b"\n")[2], torn


def _known(last: bytes) -> int:
    point = _read(last, 0)
    seal = AuditSeal.objects.filter(number=point.number).first()
    if seal is None or line_of(seal).strip() != last.strip():
        raise CheckpointConflict(
            f"The checkpoint file ends with seal {point.number or '?'}, which the database does"
            " not have like this: one of the two was cut, changed or restored. Run audit_verify;"
            " after a restore, move the file aside and keep it."
        )
    return point.number


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
