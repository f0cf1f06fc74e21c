"""Has anything changed? A digest over the content of files and folders."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

_PASSED_OVER = {"__pycache__", "node_modules", ".git"}


def digest(inputs: Iterable[Path], *, also: Iterable[str] = ()) -> str:
    """SHA-256 over names and bytes of the files, folders read whole; a missing one counts too."""
    total = hashlib.sha256()
    for text in also:
        total.update(text.encode() + b"\0")
    for path in inputs:
        for file in _files(path):
            total.update(os.fsencode(file.name) + b"\0")
            total.update(hashlib.sha256(file.read_bytes()).digest())
        total.update(b"\1")
    return total.hexdigest()


def _files(path: Path) -> Iterable[Path]:
    if path.is_file():
        yield path
        return
    for folder, folders, files in os.walk(path):
        folders[:] = sorted(set(folders) - _PASSED_OVER)
        for name in sorted(files):
            yield Path(folder, name)
