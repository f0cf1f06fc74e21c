"""Is everything that is generated from the sources up to date? ``python -m tools.check_generated``.

Migrations follow from the models; the front end's API types from the OpenAPI document; the pages
that are drawn from tables of the engine and from golden graphs of the tests.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tools import (
    life_cycles,
    patterns,
    texts,
    typing_settings,  # noqa: F401 - stand-ins for keys and addresses
)

ROOT = Path(__file__).resolve().parents[1]
OPENAPI = ROOT / "frontend" / "openapi.json"


def main() -> int:
    """Check all of it, or with ``--write`` write the OpenAPI document anew."""
    drawn = _pages_not_as_drawn() or texts.check()
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    with tempfile.TemporaryDirectory(prefix="sb-") as folder:
        fresh = Path(folder) / "openapi.json"
        made = _manage(
            *("spectacular", "--format=openapi-json", f"--file={fresh}", "--fail-on-warn"),
            "--validate",
        )
        if made:
            return made
        if "--write" in sys.argv:
            OPENAPI.write_bytes(fresh.read_bytes())
            return 0
        if not OPENAPI.exists() or OPENAPI.read_bytes() != fresh.read_bytes():
            print(
                "frontend/openapi.json is not what the API says:"
                " run `python -m tools.check_generated --write`.",
                file=sys.stderr,
            )
            return 1
    return drawn or _no_missing_migrations()


def _pages_not_as_drawn() -> int:
    stale = [tool for tool in (life_cycles, patterns) if tool.PAGE.read_text() != tool.page()]
    for tool in stale:
        print(
            f"{tool.PAGE.relative_to(ROOT)} is not up to date: run `python -m {tool.__name__}`.",
            file=sys.stderr,
        )
    return int(bool(stale))


def _no_missing_migrations() -> int:
    return _manage("makemigrations", "--check", "--dry-run")


def _manage(*arguments: str) -> int:
    """Run it quietly: Django warns that it cannot ask a database which these checks do not need."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(done.stdout, done.stderr, file=sys.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
