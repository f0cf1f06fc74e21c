"""Where content lies: below the home, outside of everything that is served, by its own hash."""

import hashlib
import os
import re
import tempfile
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import connection

_HASH = re.compile(r"[0-9a-f]{64}")


def sha256_of(content: bytes) -> str:
    """Names the content."""
    return hashlib.sha256(content).hexdigest()


def hold(workspace_id: UUID, sha256: str) -> None:
    """Keep others from writing or deleting this content until the caller's transaction ends."""
    key = int.from_bytes(
        hashlib.sha256(f"{workspace_id}/{sha256}".encode()).digest()[:8], signed=True
    )
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [key])


def write(workspace_id: UUID, content: bytes) -> str:
    """Keep the content, once however often it comes; returns its hash. ``hold`` it before."""
    sha256 = sha256_of(content)
    path = path_of(workspace_id, sha256)
    if path.exists():
        return sha256
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, partial = tempfile.mkstemp(prefix=".", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(partial).replace(path)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise
    return sha256


def read(workspace_id: UUID, sha256: str) -> bytes:
    """The content.

    Raises:
        FileNotFoundError: It is not there, though a row names it: the home was not restored.
    """
    return path_of(workspace_id, sha256).read_bytes()


def remove(workspace_id: UUID, sha256: str) -> None:
    """Delete the content, if it is there. ``hold`` it before, and see that no row names it."""
    path_of(workspace_id, sha256).unlink(missing_ok=True)


def path_of(workspace_id: UUID, sha256: str) -> Path:
    """Where content of that hash lies. The hash is ours, and is looked at all the same."""
    if not _HASH.fullmatch(sha256):
        raise ValueError("no hash")
    return Path(settings.HOME) / "files" / str(workspace_id) / sha256[:2] / sha256
