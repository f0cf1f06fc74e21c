"""Where a Signalbox keeps its data, and the short folder its sockets are in."""

import contextlib
import fcntl
import hashlib
import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from config.stack.postgres import Cluster
from config.stack.valkey import Broker

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Places:
    """The folders and files of one home. Two processes with one home agree on all of them."""

    home: Path

    @classmethod
    def here(cls) -> "Places":
        """The home that the environment names: ``SIGNALBOX_HOME``, else ``var/``."""
        home = Path(os.environ.get("SIGNALBOX_HOME") or ROOT / "var").absolute()
        home.mkdir(parents=True, exist_ok=True)
        return cls(home.resolve())

    @property
    def runtime(self) -> Path:
        """A folder of ours alone with a short name: a socket's address ends at 107 bytes.

        Raises:
            PermissionError: Somebody else has a folder of that name.
        """
        name = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]
        folder = Path("/tmp") / f"signalbox-{os.geteuid()}-{name}"  # noqa: S108 - checked below
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        found = folder.lstat()
        private = stat.S_ISDIR(found.st_mode) and not stat.S_IMODE(found.st_mode) & 0o077
        if not private or found.st_uid != os.geteuid():
            raise PermissionError(f"{folder} is not a private folder of ours: remove it.")
        return folder

    def leave(self) -> None:
        """Remove the folder of the sockets, unless somebody still has one there."""
        with contextlib.suppress(OSError):
            self.runtime.rmdir()

    def control(self, part: str = "") -> Path:
        """The socket on which the supervisor of the stack, or of a part of it, takes orders."""
        return self.runtime / f"control{part and '-'}{part}"

    def notices(self, part: str = "") -> Path:
        """The socket on which its processes say that they are ready."""
        return self.runtime / f"notices{part and '-'}{part}"

    @property
    def cluster(self) -> Cluster:
        """The embedded PostgreSQL."""
        return Cluster(self.home / "postgres", self.runtime)

    @property
    def broker(self) -> Broker:
        """The embedded Valkey."""
        return Broker(self.home / "valkey", self.runtime / "valkey.sock")

    @property
    def keys(self) -> Path:
        """The folder of the keys that embedded mode makes."""
        return self.home / "keys"

    @property
    def prepared(self) -> Path:
        """Which code the database was last prepared for; gone means: prepare it."""
        return self.home / "prepared"

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the home: one supervisor or one-off command has the embedded servers at a time."""
        with (self.home / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print(f"Waiting for another command that uses {self.home} …", file=sys.stderr)
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield
