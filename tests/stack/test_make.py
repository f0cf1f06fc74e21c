"""The commands of the Makefile: each is there, does its parts, and ``clean`` takes no data."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.live import clean_environment
from tools import installing, make

ROOT = Path(__file__).resolve().parents[2]
# Names that outside programs rely on; none is ever renamed.
PROMISED = {
    "up", "test", "test-slow", "test-all", "check", "bench", "chaos", "restart", "backup", "restore",
    "clean", "manage", "audit-deps",
}  # fmt: skip


def environment(**more: str) -> dict[str, str]:
    """A person's own, without what would point a copy at this checkout."""
    return {
        name: value
        for name, value in clean_environment().items()
        if name not in {"ARGS", "DATA", "PYTHON", "SIGNALBOX_VENV"}
    } | {"PYTHONDONTWRITEBYTECODE": "1", **more}


def commands_of_the_makefile() -> set[str]:
    joined = (ROOT / "Makefile").read_text().replace("\\\n", " ")
    found = re.search(r"^COMMANDS := (.*)$", joined, re.MULTILINE)
    assert found
    return set(found[1].split())


class TestNames:
    @pytest.mark.parametrize("name", sorted(PROMISED))
    def test_what_is_promised_is_a_target_and_a_function(self, name):
        assert name in commands_of_the_makefile()
        assert callable(make._COMMANDS[name])
        assert make._COMMANDS[name].__doc__, f"tools/make.py: {name} does not say what it does"

    def test_makefile_and_program_know_the_same_commands(self):
        assert commands_of_the_makefile() == set(make._COMMANDS)

    def test_each_target_is_one_line_that_calls_the_program(self):
        names = sorted(make._COMMANDS)
        shown = subprocess.run(
            ["make", "-n", *names],
            cwd=ROOT,
            env=environment(),
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        assert [line for line in shown if "tools/make.py" in line] == [
            f"python3 tools/make.py {name}" for name in names
        ]

    def test_help_names_them_and_another_name_is_refused(self, capsys, monkeypatch):
        monkeypatch.chdir(ROOT)  # it goes there itself
        monkeypatch.setattr(sys, "path", list(sys.path))
        monkeypatch.setattr(sys, "argv", ["make.py", "help"])
        assert make.main() == 0
        shown = capsys.readouterr().out
        assert {name for name in PROMISED if not re.search(rf"\b{name}\b", shown)} == set()

        monkeypatch.setattr(sys, "argv", ["make.py", "tset"])
        assert make.main() == 2
        assert "There is no command 'tset'" in capsys.readouterr().err


class TestWhatTheyRun:
    @pytest.fixture
    def ran(self, monkeypatch):
        """The programs that a command would have started; every one of them ends with status 3."""
        lines: list[str] = []

        def run(*command: str | Path, environ: Mapping[str, str], output: object = None) -> int:
            words = [f"{name}={value}" for name, value in environ.items() if name.startswith("SIG")]
            lines.append(" ".join([*words, *(Path(str(part)).name for part in command)]))
            return 3

        monkeypatch.setattr(installing, "install", lambda **_: None)
        monkeypatch.setattr(installing, "npm_command", lambda: (["npm"], {}))
        monkeypatch.setattr(make, "_run", run)
        monkeypatch.delenv("ARGS", raising=False)
        return lines

    def test_test_is_quick_tests_of_both_halves(self, ran, monkeypatch):
        monkeypatch.setenv("ARGS", "-k 'a name'")
        assert make.test() == 3
        assert sorted(ran) == ["npm test --silent", "python -m pytest -m not slow -k a name"]

    def test_test_all_is_both_even_if_the_first_fails(self, ran):
        assert make.test_all() == 3
        assert [line for line in ran if "pytest" in line] == [
            "python -m pytest -m not slow",
            "python -m pytest -m slow -n0 --timeout=1200 --durations=15",
        ]

    def test_check_runs_every_check_so_that_one_round_shows_all(self, ran):
        assert make.check() == 3
        everything = "\n".join(ran)
        for part in ("ruff check", "ruff format --check", "mypy apps config tools tests manage.py",
                     "importlinter", "tools.check_generated", "npm run --silent check"):  # fmt: skip
            assert part in everything

    def test_bench_passes_on_what_is_asked(self, ran, monkeypatch):
        monkeypatch.setenv("ARGS", "--signals 100 --clients 1,16")
        assert make.bench() == 3
        assert ran == ["python -m tools.bench --signals 100 --clients 1,16"]

    def test_bench_is_a_program_that_knows_its_arguments(self):
        shown = subprocess.run(
            [sys.executable, "-m", "tools.bench", "--help"],
            cwd=ROOT,
            env=environment(),
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert shown.startswith("usage: make bench")
        assert {"--signals", "--clients"} <= set(shown.replace("[", " ").split())

    def test_chaos_is_long_unless_asked_otherwise(self, ran, monkeypatch):
        monkeypatch.delenv("CHAOS", raising=False)
        assert make.chaos() == 3
        monkeypatch.setenv("CHAOS", "short")
        make.chaos()
        assert [line.split()[0] for line in ran] == [
            "SIGNALBOX_CHAOS=long",
            "SIGNALBOX_CHAOS=short",
        ]
        assert all("chaos -n0" in line for line in ran)

    def test_restore_asks_which_backup(self, ran, monkeypatch, capsys):
        monkeypatch.delenv("FROM", raising=False)
        assert make.restore() == 2
        assert "make restore FROM=" in capsys.readouterr().err
        assert ran == []


class TestClean:
    """In a throw-away copy."""

    MADE = (
        ".venv/bin/python", "node_modules/left-pad/index.js", "static/build/app.js",
        ".mypy_cache/x.json", ".ruff_cache/x", ".pytest_cache/x", ".hypothesis/x",
        ".import_linter_cache/x", "apps/core/__pycache__/clock.pyc", "config/__pycache__/urls.pyc",
    )  # fmt: skip
    KEPT = (
        "apps/core/clock.py", "static/icon.svg", ".git/HEAD", "package-lock.json", ".env",
        "var/cluster/PG_VERSION", "var/keys.json", "var/backups/2026-11-20/data.sql",
    )  # fmt: skip

    @pytest.fixture
    def copy(self, tmp_path) -> Path:
        folder: Path = tmp_path / "a copy"
        for name in ("tools", "config"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        shutil.copy(ROOT / "Makefile", folder)
        for name in (*self.MADE, *self.KEPT):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(name)
        return folder

    def clean(self, copy: Path, **more: str) -> str:
        return subprocess.run(
            ["make", "clean", f"PYTHON={sys.executable}"],
            cwd=copy,
            env=environment(**more),
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def test_removes_what_was_made_says_so_and_keeps_the_data(self, copy):
        before = set(files_in(copy))
        said = self.clean(copy)

        assert before - set(files_in(copy)) == set(self.MADE)
        for name in (".venv", "node_modules", "build"):
            assert re.search(rf"^removing .*/{re.escape(name)}$", said, re.MULTILINE)
        assert "var" not in {Path(line).name for line in said.splitlines()}

    def test_keeps_data_that_is_elsewhere(self, copy, tmp_path):
        home = data_elsewhere(tmp_path)
        self.clean(copy, SIGNALBOX_HOME=str(home))

        assert (home / "keys.json").exists()
        assert set(self.KEPT) <= set(files_in(copy))

    def test_takes_the_data_only_when_told_and_only_that_of_this_home(self, copy, tmp_path):
        home = data_elsewhere(tmp_path)
        said = self.clean(copy, DATA="1", SIGNALBOX_HOME=str(home))

        assert not home.exists()
        assert f"removing {home}" in said
        assert set(self.KEPT) <= set(files_in(copy))

        assert f"removing {copy / 'var'}" in self.clean(copy, DATA="1")
        gone = {name for name in self.KEPT if name.startswith("var/")}
        assert set(self.KEPT) - set(files_in(copy)) == gone

    def test_a_second_time_there_is_nothing_to_do(self, copy):
        self.clean(copy)
        before = set(files_in(copy))

        assert "removing" not in self.clean(copy)
        assert set(files_in(copy)) == before


def files_in(folder: Path) -> Iterator[str]:
    for where, _, names in os.walk(folder):
        yield from (str((Path(where) / name).relative_to(folder)) for name in names)


def data_elsewhere(folder: Path) -> Path:
    home = folder / "elsewhere"
    home.mkdir()
    (home / "keys.json").write_text("{}")
    return home
