"""What a step type asks of the editor is known to the editor: nothing falls back to bare text."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.steps.registry import catalogue, triggers

FORM = Path(__file__).resolve().parents[2] / "frontend/src/features/editor/form"
#: Told from the schema itself, or for the whole config.
BY_SHAPE = {"rows", "list", "markdown", "text", "code", "decision-table"}


def known() -> set[str]:
    text = (FORM / "schema.ts").read_text()
    table = text.partition("const WIDGETS")[2].partition("};")[0].partition("{")[2]
    names = re.findall(r"'?([a-z][a-z-]*)'?: '", table)
    assert {"step", "flow", "event-type"} <= set(names)
    return {*names, *BY_SHAPE}


def widgets(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if "x-widget" in schema:
            yield schema["x-widget"]
        for part in schema.values():
            yield from widgets(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from widgets(part)


@pytest.mark.parametrize("type_", [*catalogue(), *triggers()], ids=lambda one: str(one.kind))
def test_every_widget_is_one_of_the_form(type_: Any) -> None:
    assert set(widgets(type_.as_json()["config_schema"])) <= known()
