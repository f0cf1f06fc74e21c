"""Draw ``docs/life-cycles.md`` from ``apps.engine.lifecycle``: ``python -m tools.life_cycles``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from apps.engine import lifecycle

PAGE = Path(__file__).resolve().parents[1] / "docs" / "life-cycles.md"
PICTURES: Mapping[str, tuple[str, Mapping[Any, frozenset[Any]]]] = {
    "Run": ("One execution of one version.", lifecycle.RUN_TRANSITIONS),
    "Step": ("One visit of a step in a run.", lifecycle.STEP_TRANSITIONS),
    "User task": ("A question put to people.", lifecycle.TASK_TRANSITIONS),
    "Effect": ("A step's work on the outside.", lifecycle.EFFECT_TRANSITIONS),
}


def page() -> str:
    """The page as it must be; a test compares."""
    parts = [
        (
            "# Life cycles\n\nDrawn from `apps/engine/lifecycle.py` by"
            " `python -m tools.life_cycles`; code, CHECK constraints and triggers read the same"
            " tables.\n"
        )
    ]
    for name, (sentence, table) in PICTURES.items():
        lines = [f"## {name}\n", sentence, "", "```mermaid", "stateDiagram-v2"]
        lines.append(f"    [*] --> {next(iter(table))}")
        for before, after in table.items():
            lines += [f"    {before} --> {one}" for one in table if one in after]
            if not after:
                lines.append(f"    {before} --> [*]")
        parts.append("\n".join([*lines, "```"]) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page())
