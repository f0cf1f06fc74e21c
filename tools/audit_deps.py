"""What we depend on: known holes, licences, and a bill of materials. Written to ``var/audit/``.

``python -m tools.audit_deps TOOLS`` with the Python that has the tools; see ``make audit-deps``.

A registry that knows no advisories is said to be one: no finding is then no proof.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools.installing import npm_command

ROOT = Path(__file__).resolve().parents[1]
OUT = Path(os.environ.get("SIGNALBOX_HOME") or ROOT / "var") / "audit"
TOOLS = sys.argv[1] if len(sys.argv) > 1 else sys.executable
LOCKS = [ROOT / "requirements" / f"{name}.txt" for name in ("base", "embedded")]

# Copyleft is allowed only here, each for its reason.
_COPYLEFT = ("GPL", "AGPL", "EUPL", "OSL", "SSPL")
_ALLOWED = {
    "psycopg": "LGPL 3: used as a library, unchanged, replaceable by the user",
    "psycopg-binary": "LGPL 3: as above",
    "psycopg-pool": "LGPL 3: as above",
}


def main() -> int:
    """Run every part; 1 if one of them found something."""
    OUT.mkdir(parents=True, exist_ok=True)
    return max(_python_holes(), _node_holes(), _licences(), _materials())


def _python_holes() -> int:
    files = [part for lock in LOCKS for part in ("--requirement", str(lock))]
    (OUT / "python.json").unlink(missing_ok=True)
    done = _run(
        *(TOOLS, "-m", "pip_audit", "--disable-pip", "--require-hashes"),
        *("--format=json", f"--output={OUT / 'python.json'}", "--progress-spinner=off", *files),
    )
    try:
        found = json.loads((OUT / "python.json").read_text(encoding="utf-8"))["dependencies"]
    except (OSError, ValueError, KeyError):
        _say("Python packages: NOT CHECKED, the advisory service does not answer here.")
        _say(f"  {_last_line(done.stderr)}")
        return 0
    passed_over = [row for row in found if "skip_reason" in row]
    if passed_over:
        reason = passed_over[0]["skip_reason"]
        _say(f"Python packages: {len(passed_over)} of {len(found)} NOT CHECKED, the registry")
        _say(f"  gives no advisories for them ({reason}).")
    if len(passed_over) == len(found):
        return 0
    holes = [row for row in found if row.get("vulns")]
    return _report("Python packages", int(bool(holes)), json.dumps(holes))


def _node_holes() -> int:
    command, environ = npm_command()
    done = _run(*command, "audit", "--omit=dev", "--json", **environ)
    (OUT / "node.json").write_text(done.stdout, encoding="utf-8")
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        answer = {}
    if "metadata" not in answer:
        reason = answer.get("message") or _last_line(done.stderr) or "no answer"
        _say(f"Front-end packages: NOT CHECKED, the registry gives no advisories ({reason}).")
        return 0
    return _report("Front-end packages", done.returncode, json.dumps(answer["metadata"]))


def _licences() -> int:
    done = _run(
        *(TOOLS, "-m", "piplicenses", "--format=json", f"--python={sys.executable}"),
        *("--with-urls", f"--output-file={OUT / 'licences.json'}"),
    )
    if done.returncode:
        _say(f"Licences: could not be listed: {_last_line(done.stderr)}")
        return 1
    shipped = {line.split("==")[0] for lock in LOCKS for line in _requirements(lock)}
    status = 0
    for row in json.loads((OUT / "licences.json").read_text(encoding="utf-8")):
        name = row["Name"].lower().replace("_", "-")
        strong = any(word in row["License"].upper() for word in _COPYLEFT)
        if strong and name in shipped and name not in _ALLOWED:
            _say(f"Licences: {name} is under {row['License']}: give a reason or leave it out.")
            status = 1
    _say(f"Licences: {OUT / 'licences.json'}")
    return status


def _requirements(lock: Path) -> list[str]:
    lines = lock.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if "==" in line and not line.startswith((" ", "#"))]


def _materials() -> int:
    sbom = OUT / "sbom.cyclonedx.json"
    done = _run(
        *(TOOLS, "-m", "cyclonedx_py", "environment", sys.executable),
        *("--output-format=JSON", f"--output-file={sbom}"),
    )
    if done.returncode:
        _say(f"Bill of materials: {_last_line(done.stderr)}")
        return 1
    _say(f"Bill of materials: {sbom} (Python)")
    command, environ = npm_command()
    node = _run(
        *command, "sbom", "--sbom-format=cyclonedx", "--omit=dev", "--package-lock-only", **environ
    )
    if node.returncode:
        _say(f"Bill of materials, front end: {_last_line(node.stderr)}")
        return 1
    (OUT / "sbom-front-end.cyclonedx.json").write_text(node.stdout, encoding="utf-8")
    _say(f"Bill of materials: {OUT / 'sbom-front-end.cyclonedx.json'} (front end)")
    return 0


def _report(what: str, status: int, details: str) -> int:
    _say(f"{what}: {'no known holes' if status == 0 else 'HOLES FOUND, see ' + str(OUT)}")
    if status:
        _say(f"  {details.strip()[-2000:]}")
    return status


def _run(*command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
