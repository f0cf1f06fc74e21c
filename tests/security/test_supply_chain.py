"""security.md: ``make audit-deps``, what it runs and writes, and that it says what it could not do."""

import re
from pathlib import Path

from tools import audit_deps
from tools.make import _COMMANDS

ROOT = Path(__file__).resolve().parents[2]


def test_audit_deps_is_a_command_and_no_part_of_the_tests():
    assert "audit-deps" in _COMMANDS
    assert re.search(
        r"^COMMANDS :=.*\baudit-deps\b", (ROOT / "Makefile").read_text(), re.MULTILINE | re.DOTALL
    )
    source = (ROOT / "tools" / "make.py").read_text()
    for command in ("test", "test_slow", "test_all", "check"):
        body = source[source.index(f"def {command}(") :].partition("\n\n\n")[0]
        assert "audit" not in body


def test_it_runs_pip_audit_and_npm_audit_and_writes_a_cyclonedx_sbom(monkeypatch, tmp_path):
    import subprocess

    ran = []

    def run(*command, **environ):
        ran.append(" ".join(str(part) for part in command))
        return subprocess.CompletedProcess(command, 0, stdout="{}", stderr="")

    monkeypatch.setattr(audit_deps, "_run", run)
    monkeypatch.setattr(audit_deps, "npm_command", lambda: (["npm"], {}))
    monkeypatch.setattr(audit_deps, "OUT", tmp_path)
    (tmp_path / "licences.json").write_text("[]")
    assert audit_deps.main() == 0
    everything = "\n".join(ran)
    assert "pip_audit" in everything
    assert "npm audit" in everything
    assert "cyclonedx_py environment" in everything
    assert "--sbom-format=cyclonedx" in everything


def test_it_says_so_where_the_registry_gives_no_advisories(monkeypatch, tmp_path, capsys):
    import subprocess

    monkeypatch.setattr(
        audit_deps,
        "_run",
        lambda *command, **environ: subprocess.CompletedProcess(command, 1, "", "no route to host"),
    )
    monkeypatch.setattr(audit_deps, "npm_command", lambda: (["npm"], {}))
    monkeypatch.setattr(audit_deps, "OUT", tmp_path)
    audit_deps._python_holes()
    audit_deps._node_holes()
    said = capsys.readouterr()
    assert (said.out + said.err).count("NOT CHECKED") == 2


def test_a_hole_is_a_failure(monkeypatch, tmp_path):
    import json
    import subprocess

    def run(*command, **environ):
        holes = [{"name": "django", "vulns": [{"id": "CVE-2099-1"}]}]
        (tmp_path / "python.json").write_text(json.dumps({"dependencies": holes}))
        return subprocess.CompletedProcess(command, 1, "", "")

    monkeypatch.setattr(audit_deps, "_run", run)
    monkeypatch.setattr(audit_deps, "OUT", tmp_path)
    assert audit_deps._python_holes() == 1
