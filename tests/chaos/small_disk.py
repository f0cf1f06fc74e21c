"""A stack whose home is on a disk of a fixed size, in a mount namespace of its own; and filling it.

No rights are needed for that: the namespace belongs to a user namespace in which we are root.
"""

import hashlib
import os
import shutil
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import psycopg

from tests.chaos import flows
from tests.chaos.load import Load, failures, publish, statuses, unfinished
from tests.chaos.recorder import Recorder
from tests.support.live import LiveStack, until

SIZE = "512m"
FULL_S = 5
_UNSHARE = ["unshare", "--user", "--map-root-user", "--mount"]
_ON_A_SMALL_DISK = 'mount -t tmpfs -o "size=$1,mode=0700" tmpfs "$2" && shift 2 && exec "$@"'


def why_not() -> str:
    """Why there can be no such disk here; nothing where there can."""
    if missing := [one for one in ("unshare", "nsenter", "setpriv") if not shutil.which(one)]:
        return f"no {missing[0]} here"
    tried = subprocess.run(
        [*_UNSHARE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if tried.returncode == 0 else tried.stderr.strip().splitlines()[-1]


class SmallDisk(LiveStack):
    """A stack whose home is a small disk. From outside, the home is an empty folder."""

    @property
    def inside(self) -> list[str]:
        # Whoever enters a user namespace is no longer ended with its parent: said once more.
        ended_with_us = ["setpriv", "--pdeathsig", "INT"]
        on_disk = ["sh", "-c", _ON_A_SMALL_DISK, "sh", SIZE, str(self.home)]
        return [*_UNSHARE, *on_disk, *ended_with_us]

    @property
    def beside(self) -> list[str]:
        return ["nsenter", f"--target={self.pid}", "--user", "--mount", "--wd"]

    @property
    def database(self) -> str:
        """The address of its database; the sockets are not on the disk."""
        name = hashlib.sha256(os.fsencode(self.home.resolve())).hexdigest()[:12]
        (sockets,) = Path("/tmp").glob(f"signalbox-*-{name}")
        return f"postgresql://signalbox@/signalbox?host={quote(str(sockets), safe='')}"

    def use_up_the_log(self) -> None:
        """Write so much that PostgreSQL finds no room for its log either, and has to end."""
        with suppress(psycopg.Error), psycopg.connect(self.database, autocommit=True) as wire:
            for _ in range(40):
                wire.execute("select pg_logical_emit_message(false, 'chaos', repeat('x', 1000000))")

    @property
    def disk(self) -> Path:
        """The home as the stack sees it."""
        return Path(f"/proc/{self.pid}/root{self.home.resolve()}")


class Ballast:
    """A file that takes all the room there is, and all that becomes free, until it is dropped."""

    def __init__(self, disk: Path) -> None:
        self._path = disk / "ballast"
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._take_all, daemon=True)
        self._thread.start()

    def drop(self) -> None:
        self._over.set()
        self._thread.join()
        self._path.unlink()

    def _take_all(self) -> None:
        with self._path.open("wb") as file:
            size = 0
            while not self._over.wait(0.02):
                room = os.fstatvfs(file.fileno())
                free = room.f_bavail * room.f_frsize
                with suppress(OSError):
                    if free:
                        os.posix_fallocate(file.fileno(), size, free)
                        size += free


def fill(stack: SmallDisk, *, rounds: int) -> str:
    """Fill the disk under load and make room again; returns the figures."""
    recorder = Recorder()
    try:
        token = stack.manage("issue_token", "builder@demo.local").split()[-1]
        publish(stack, token, flows.documents(recorder.url)["chain"])
        load = Load(f"{stack.url}/hooks/demo/chaos/chain", lambda n: ("", flows.signal(n)[1]))
        load.start()
        try:
            refused = sum(_once(stack, load) for _ in range(rounds))
        except BaseException:
            load.stop(now=True)
            raise
        load.stop()
        runs = set(load.accepted.values())
        until(lambda: not unfinished(stack.database, runs), 120, "every run is finished")
    finally:
        recorder.close()
    ended = statuses(stack.database, runs)
    assert set(load.answers) <= {"202", "200", "503"}
    assert len(runs) == len(load.accepted)
    assert ended == {"completed": len(runs)}, failures(stack.database, runs)
    assert all(len(bodies) == 1 for bodies in recorder.bodies.values())
    assert all(len(keys) == 1 for keys in recorder.keys.values())
    assert len(recorder.keys) == len(runs)
    assert "all is well" in stack.manage("check_runs")
    stack.manage("audit_verify")
    lost = len(load.accepted) - sum(ended.values())
    return (
        f"full {rounds} times for {FULL_S} s, {len(load.accepted)} signals,"
        f" {refused} refused while it was full, lost = {lost}"
    )


def _once(stack: SmallDisk, load: Load) -> int:
    """Full for a while; returns how many calls were refused. Then calls are accepted again."""
    before = len(load.accepted)
    until(lambda: len(load.accepted) > before + 20, 60, "calls are accepted")
    refused = load.answers["503"]
    ballast = Ballast(stack.disk)
    try:
        until(lambda: load.answers["503"] > refused, 60, "callers are told that there is no room")
        stack.use_up_the_log()
        time.sleep(FULL_S)
    finally:
        ballast.drop()
    refused = load.answers["503"] - refused
    assert stack.process
    assert stack.process.poll() is None, stack.lines()[-4000:]
    before = len(load.accepted)
    until(lambda: len(load.accepted) > before + 20, 120, "calls are accepted again")
    return refused
