"""The commands of the Makefile. ``python3 tools/make.py COMMAND`` is the same as ``make COMMAND``.

Each does the set-up it needs first; what is up to date is skipped.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[1]
_HELP = """\
make up           set up, start everything, stay until Ctrl-C       PORT=8000
make restart      replace the running processes; no connection is refused
make stop         stop what `make up` started elsewhere; make status names its processes
make manage       run manage.py against the same data               ARGS="issue_token EMAIL"
make backup       a consistent copy of the data, without the keys   TO=folder
make restore      put a backup into an empty home                   FROM=folder
make test         the tests of every day; make test-slow the others, make test-all both
make check        linters, types, import order, migrations, OpenAPI, front end
make bench        throughput, latency, memory; make chaos kills and freezes what it can
make bench-ui     what a person at the browser feels   ARGS="--only cold,large --rounds 3"
make simulate     histories of the shell by lot, with crashes and races   ARGS="SEED | --seeds N"
make mutants      plants known bugs; the simulation must find each
make audit-deps   known holes in what we use, and a list of it (SBOM)
make lock         resolve requirements/*.in and package.json anew
make format       format the sources
make clean        remove what set-up and builds made                DATA=1 removes var/ too
make install, prepare, web, drive, effects, clock   the parts of `make up`, one by one
"""


def main() -> int:
    """Run one command; 0 only where all is well."""
    if sys.version_info < (3, 11):  # noqa: UP036 - it may well be called with an older one
        return _with_newer_python()
    sys.path.insert(0, str(ROOT))
    os.chdir(ROOT)
    from tools.installing import StepFailed, say

    name = sys.argv[1] if len(sys.argv) > 1 else "help"
    if name == "help":
        print(_HELP, end="")
        return 0
    if name not in _COMMANDS:
        print(f"There is no command {name!r}.\n\n{_HELP}", end="", file=sys.stderr)
        return 2
    try:
        return _COMMANDS[name]()
    except StepFailed as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130


def _with_newer_python() -> int:
    for name in ("python3.13", "python3.12", "python3.11"):
        found = shutil.which(name)
        if found:
            return subprocess.call([found, *sys.argv])
    print("Signalbox needs Python 3.11 or newer; this is " + sys.version.split()[0] + ".")
    return 1


# Commands that start something of the stack


def _stack(*arguments: str) -> int:
    """Become the stack's own program: one process less to pass signals through."""
    from tools.installing import PYTHON

    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(PYTHON, [str(PYTHON), "-m", "config.stack", *arguments], _environment())


def _environment() -> dict[str, str]:
    environ = dict(os.environ)
    # `make` tells its own flags to those it starts; they are none of ours.
    environ.pop("MAKEFLAGS", None)
    environ.pop("ARGS", None)
    return environ


def up() -> int:
    """Set up, start everything and stay."""
    from tools import installing

    installing.install()
    return _stack("up")


def restart() -> int:
    """Set up what changed, then replace the running processes."""
    from tools import installing

    installing.install()
    return _stack("restart")


def manage() -> int:
    """Run ``manage.py`` with ``ARGS``."""
    from tools import installing

    installing.install(front_end=False)
    return _stack("manage", *shlex.split(os.environ.get("ARGS", "")))


def install() -> int:
    """Set up only."""
    from tools import installing

    installing.install()
    return 0


def backup() -> int:
    """Copy the data."""
    from tools import installing

    installing.install(front_end=False)
    return _stack("backup", *([to] if (to := os.environ.get("TO")) else []))


def restore() -> int:
    """Put a backup into an empty home."""
    from tools import installing

    if not os.environ.get("FROM"):
        print("Say which backup: make restore FROM=var/backups/<time>", file=sys.stderr)
        return 2
    installing.install(front_end=False)
    return _stack("restore", os.environ["FROM"])


def _part(*arguments: str) -> int:
    from tools import installing

    installing.install(front_end="web" in arguments or "prepare" in arguments)
    return _stack(*arguments)


# Commands for developers


def _run(
    *command: str | Path, environ: Mapping[str, str] | None = None, output: IO[bytes] | None = None
) -> int:
    print("+", *(Path(part).name if Path(part).is_absolute() else part for part in command))
    sys.stdout.flush()
    return subprocess.run(
        command,
        env={**_environment(), **(environ or {})},
        stdout=output,
        stderr=subprocess.STDOUT if output else None,
        check=False,
    ).returncode


def _python(*arguments: str, **environ: str) -> int:
    from tools.installing import PYTHON

    return _run(PYTHON, *arguments, environ=environ)


def _npm(*arguments: str, output: IO[bytes] | None = None) -> int:
    from tools.installing import npm_command

    command, environ = npm_command()
    return _run(*command, *arguments, output=output, environ=environ)


def _worst(*statuses: int) -> int:
    """The first status that is not 0; one that a signal ended is negative and counts too."""
    return next((status for status in statuses if status), 0)


def test() -> int:
    """The tests a developer runs all day."""
    from tools import installing

    installing.install(development=True)
    chosen = shlex.split(os.environ.get("ARGS", ""))
    # The front end's tests fill the gaps while the others wait; what they say comes afterwards.
    with tempfile.TemporaryFile() as said, ThreadPoolExecutor(1) as beside:
        front_end = beside.submit(_npm, "test", "--silent", output=said)
        status = _worst(_python("-m", "pytest", "-m", "not slow", *chosen), front_end.result())
        said.seek(0)
        sys.stdout.write(said.read().decode(errors="replace"))
    return status


def test_slow() -> int:
    """Browser journeys, page states, chaos, large tables, the real set-up: one at a time."""
    from tools import installing

    installing.install(development=True)
    chosen = shlex.split(os.environ.get("ARGS", ""))
    return _python("-m", "pytest", "-m", "slow", "-n0", "--timeout=1200", "--durations=15", *chosen)


def test_all() -> int:
    """Both."""
    return _worst(test(), test_slow())


def check() -> int:
    """Every check that is not a test. All run, so that one round shows all findings."""
    from tools import installing

    installing.install(development=True, front_end=False)
    return _worst(
        _python("-m", "ruff", "check"),
        _python("-m", "ruff", "format", "--check"),
        _python("-m", "mypy", "apps", "config", "tools", "tests", "manage.py"),
        _lint_imports(),
        _python("-m", "tools.check_generated"),
        _npm("run", "--silent", "check"),
    )


def _lint_imports() -> int:
    return _python("-c", "from importlinter.cli import lint_imports_command as run; run()")


def format_() -> int:
    """Format the sources; changes nothing else."""
    from tools import installing

    installing.install(development=True, front_end=False)
    return _worst(
        _python("-m", "ruff", "check", "--select=I", "--fix"), _python("-m", "ruff", "format")
    )


def bench() -> int:
    """Measure the product on this machine."""
    from tools import installing

    installing.install()
    return _python("-m", "tools.bench", *shlex.split(os.environ.get("ARGS", "")))


def bench_ui() -> int:
    """Measure the editor, a live run and the task page in a browser."""
    from tools import installing

    installing.install(development=True)
    return _python("-m", "tools.bench_ui", *shlex.split(os.environ.get("ARGS", "")))


def chaos() -> int:
    """The long form of what ``make test-slow`` does to a running stack."""
    from tools import installing

    installing.install(development=True)
    length = os.environ.get("CHAOS", "long")
    tests = ("-m", "pytest", "tests/chaos", "-n0", "--timeout=3600")
    return _python(*tests, SIGNALBOX_CHAOS=length)


def simulate() -> int:
    """Live so many histories in memory; one seed is printed with its trace."""
    from tools import installing

    installing.install(development=True, front_end=False)
    return _python("-m", "tools.simulate", *shlex.split(os.environ.get("ARGS", "")))


def mutants() -> int:
    """Plant known bugs one by one; fails where one survives."""
    from tools import installing

    installing.install(development=True, front_end=False)
    return _python("-m", "tools.simulate", "--mutants")


def lock() -> int:
    """Resolve what the ``.in`` files and ``package.json`` ask for, anew."""
    from tools import installing

    installing.install(development=True, front_end=False)
    for name in ("base", "embedded", "dev", "audit"):
        status = subprocess.run(
            [
                *(str(installing.PYTHON), "-m", "uv", "pip", "compile", "--quiet", "--upgrade"),
                *("--universal", "--python-version=3.11", "--generate-hashes"),
                *("--no-emit-index-url", f"{name}.in", f"--output-file={name}.txt"),
            ],
            cwd=installing.REQUIREMENTS,
            check=False,
        ).returncode
        if status:
            return status
    # A lock is only worth something if it can be installed.
    return _worst(_npm("install", "--package-lock-only"), _npm("ci"))


def audit_deps() -> int:
    """Known holes in dependencies, their licences, and a bill of materials."""
    from tools import installing

    installing.install(development=True, front_end=False)
    return _python("-m", "tools.audit_deps", str(installing.install_audit_tools()))


def clean() -> int:
    """Remove what set-up and builds made; the data only when asked."""
    from tools.installing import BUILT, VENV

    made = [BUILT, ROOT / "node_modules", VENV, ROOT / ".mypy_cache", ROOT / ".ruff_cache"]
    made += [ROOT / ".pytest_cache", ROOT / ".hypothesis", ROOT / ".import_linter_cache"]
    if os.environ.get("DATA"):
        made.append(Path(os.environ.get("SIGNALBOX_HOME") or ROOT / "var"))
    for folder in made:
        if folder.exists():
            print(f"removing {folder}")
            shutil.rmtree(folder)
    for folder in (*ROOT.glob("apps/**/__pycache__"), *ROOT.glob("config/**/__pycache__")):
        shutil.rmtree(folder)
    return 0


_COMMANDS = {
    "up": up,
    "restart": restart,
    "stop": lambda: _part("stop"),
    "status": lambda: _part("status"),
    "healthy": lambda: _part("healthy"),
    "manage": manage,
    "install": install,
    "prepare": lambda: _part("prepare"),
    "web": lambda: _part("only", "web"),
    "drive": lambda: _part("only", "drive"),
    "effects": lambda: _part("only", "effects"),
    "clock": lambda: _part("only", "clock"),
    "backup": backup,
    "restore": restore,
    "test": test,
    "test-slow": test_slow,
    "test-all": test_all,
    "check": check,
    "format": format_,
    "bench": bench,
    "bench-ui": bench_ui,
    "chaos": chaos,
    "simulate": simulate,
    "mutants": mutants,
    "lock": lock,
    "audit-deps": audit_deps,
    "clean": clean,
}

if __name__ == "__main__":
    sys.exit(main())
