"""Write ``docs/licences.md``, what is shipped under which licence: ``python -m tools.licences``."""

import json
import re
from collections.abc import Iterator
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "licences.md"
COPYLEFT = re.compile(r"\b(L?GPL|AGPL|MPL|EPL|EUPL)", re.IGNORECASE)
# Why something under a licence that asks for more than its own text is shipped all the same.
REASONS = {
    "psycopg": "LGPL: used as a library, unchanged; whoever runs Signalbox can replace it.",
    "psycopg-binary": "LGPL: as psycopg.",
    "psycopg-pool": "LGPL: as psycopg.",
    "certifi": "MPL: a list of certificates, unchanged.",
    "elkjs": "EPL: lays out the canvas, loaded on its own, unchanged.",
    "lightningcss": "MPL: part of the build, not of what browsers get.",
}


def python_packages() -> Iterator[tuple[str, str]]:
    """Names and licences of what ``requirements/base.txt`` and ``embedded.txt`` pin."""
    for name in pinned():
        try:
            about = metadata(name)
        except PackageNotFoundError:
            yield name, "not installed on this platform"
            continue
        classifiers = [
            one.rsplit(" :: ", 1)[-1]
            for one in about.get_all("Classifier") or []
            if one.startswith("License ::")
        ]
        said = (
            _field(about, "License-Expression")
            or ", ".join(classifiers)
            or _field(about, "License")
        )
        yield name, " ".join((said or "unknown").split())[:60]


def _field(about: PackageMetadata, name: str) -> str:
    return next(iter(about.get_all(name) or []), "")


def pinned() -> list[str]:
    """What is installed to run the product."""
    found: set[str] = set()
    for part in ("base", "embedded"):
        text = (ROOT / "requirements" / f"{part}.txt").read_text()
        found |= set(re.findall(r"^([a-z0-9][a-z0-9._-]*)==", text, re.MULTILINE))
    return sorted(found)


def browser_packages() -> Iterator[tuple[str, str]]:
    """Names and licences of what the front end is made of, without what only tests need."""
    lock = json.loads((ROOT / "package-lock.json").read_text())
    found: dict[str, str] = {}
    for path, about in lock["packages"].items():
        if path.startswith("node_modules/") and not about.get("dev"):
            found[path.rpartition("node_modules/")[2]] = about.get("license") or "unknown"
    yield from sorted(found.items())


def page() -> str:
    """The page as it must be."""
    parts = [
        (
            "# Licences\n\nEverything that is shipped, written by `python -m tools.licences`."
            " A licence that asks for more than its own text has a reason beside it.\n"
        )
    ]
    for title, rows in (
        ("Python packages", python_packages()),
        ("In the browser, and to build it", browser_packages()),
    ):
        lines = [f"## {title}\n", "| Package | Licence | Reason |", "| --- | --- | --- |"]
        for name, licence in rows:
            reason = REASONS.get(name, "") if COPYLEFT.search(licence) else ""
            if COPYLEFT.search(licence) and not reason:
                raise SystemExit(f"{name} is under {licence}: give a reason, or leave it out.")
            lines.append(f"| {name} | {licence} | {reason} |")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page())
