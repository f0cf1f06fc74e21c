"""The golden files of the control-flow patterns: ``tests/golden/patterns``.

A file holds a pattern's number and name, its ``definition``, how to draw it (``about``), what
holds of it (``claim``), a flow document, and ``plays``: what the run begins with, what answers in
which order (see ``playing``), and the trace and status that this must give. A pattern that is
refused has ``refused`` instead: a sentence that says why.
"""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "golden" / "patterns"
FILES = sorted(FOLDER.glob("*.json"))


def golden(number: int) -> dict[str, Any]:
    """The golden file of a pattern."""
    (path,) = FOLDER.glob(f"{number:02}-*.json")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def goldens() -> list[dict[str, Any]]:
    """All of them, by number."""
    return sorted((json.loads(path.read_text()) for path in FILES), key=lambda one: one["pattern"])
