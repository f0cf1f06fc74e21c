"""The real thing: a fresh clone, a long path with spaces, a PATH with almost nothing on it."""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.support import database
from tests.support.live import (
    ROOT,
    clean_environment,
    descendants,
    free_port,
    is_alive,
    until,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

# GNU coreutils that a set-up could be tempted to use; sed, grep, curl and node are not among them.
_COREUTILS = [
    "[",
    "b2sum",
    "base64",
    "basename",
    "cat",
    "chmod",
    "chown",
    "comm",
    "cp",
    "cut",
    "date",
    "dd",
    "df",
    "dirname",
    "du",
    "echo",
    "env",
    "expr",
    "false",
    "head",
    "hostid",
    "id",
    "install",
    "join",
    "ln",
    "logname",
    "ls",
    "md5sum",
    "mkdir",
    "mkfifo",
    "mktemp",
    "mv",
    "nice",
    "nohup",
    "nproc",
    "od",
    "paste",
    "printenv",
    "printf",
    "pwd",
    "readlink",
    "realpath",
    "rm",
    "rmdir",
    "seq",
    "sha1sum",
    "sha256sum",
    "shuf",
    "sleep",
    "sort",
    "split",
    "stat",
    "stty",
    "sum",
    "sync",
    "tail",
    "tee",
    "test",
    "timeout",
    "touch",
    "tr",
    "true",
    "truncate",
    "tsort",
    "tty",
    "uname",
    "uniq",
    "wc",
    "who",
    "whoami",
    "yes",
]


@pytest.fixture(scope="module")
def bare_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("path")
    wanted = [*_COREUTILS, "make", "git"]
    for name in wanted:
        if found := shutil.which(name):
            (folder / name).symlink_to(found)
    python = Path(os.path.realpath(shutil.which("python3") or ""))
    done = subprocess.run(
        [python, "-c", "import sys; print(sys.base_prefix)"],
        capture_output=True,
        text=True,
        check=True,
    )
    (folder / "python3").symlink_to(Path(done.stdout.strip()) / "bin" / "python3")
    return folder


@pytest.fixture(scope="module")
def clone() -> Path:
    """What is committed, and what is about to be: the files git knows, as they are now."""
    folder = database.folder() / "a folder with spaces" / ("and a long name " * 6).strip() / "here"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    return folder


class Make:
    """``make`` in the clone, with the bare PATH."""

    def __init__(self, clone: Path, path: Path) -> None:
        self.clone = clone
        self.port = free_port()
        self.log = clone / "make.log"
        self.environ = clean_environment(
            PATH=str(path), PORT=str(self.port), SIGNALBOX_DEMO_PASSWORD="seven quiet green lamps"
        )
        self.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, *arguments: str, seconds: float = 900) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", *arguments],
            cwd=self.clone,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def up(self, seconds: float) -> float:
        began = time.monotonic()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                ["make", "up"], cwd=self.clone, env=self.environ, stdout=log, stderr=log
            )

        def is_ready() -> bool:
            assert self.process
            assert self.process.poll() is None, self.lines()[-4000:]
            return f"Signalbox is ready: http://127.0.0.1:{self.port}" in self.lines()

        until(is_ready, seconds, "the ready line")
        return time.monotonic() - began

    def lines(self) -> str:
        return self.log.read_text(errors="replace")


@pytest.fixture(scope="module")
def make(clone, bare_path):
    one = Make(clone, bare_path)
    yield one
    if one.process and one.process.poll() is None:
        one.process.terminate()
        one.process.wait(60)


def test_set_up_needs_python_make_and_git_and_shows_its_progress(make):
    done = make.run("install")

    assert done.returncode == 0, done.stderr[-4000:]
    for step in ("Python environment", "Python packages", "front-end packages", "the front end"):
        assert step in done.stderr
    assert done.stdout == ""
    assert make.run("install", seconds=30).stderr == ""


def test_up_starts_everything_and_the_second_time_it_is_quick(make):
    make.up(180)
    below = descendants(make.process.pid)
    make.process.send_signal(signal.SIGINT)
    for pid in below:
        # A terminal tells the whole foreground group; only the supervisor is in make's.
        if os.getpgid(pid) == os.getpgid(make.process.pid) and is_alive(pid):
            os.kill(pid, signal.SIGINT)
            break
    make.process.wait(40)
    until(lambda: not any(map(is_alive, below)), 5, "nothing left after Ctrl-C")

    assert make.up(60) < 10
    prefixes = {line[:10] for line in make.lines().splitlines() if re.match(r"\w+ *\| ", line)}
    assert {"postgres| ", "up      | "} <= prefixes


def test_manage_prints_only_what_the_command_prints(make):
    make.environ["ARGS"] = "issue_token builder@demo.local"
    done = make.run("manage")
    del make.environ["ARGS"]

    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()[-1]) > 20


def test_healthy_says_yes_and_restart_refuses_nobody(make):
    assert make.run("healthy").returncode == 0
    done = make.run("restart")
    assert done.returncode == 0, done.stderr
    assert "web was replaced" in done.stdout
    assert make.run("healthy").returncode == 0


def test_whoever_kills_make_or_the_supervisor_leaves_nothing(make):
    below = descendants(make.process.pid)
    make.process.kill()
    make.process.wait()
    until(lambda: not any(map(is_alive, below)), 30, "nothing left after kill -9 of make")

    make.up(60)
    below = descendants(make.process.pid)
    supervisor = below[0]
    os.kill(supervisor, signal.SIGKILL)
    make.process.wait(20)
    until(lambda: not any(map(is_alive, below)), 10, "nothing left after kill -9 of it")
