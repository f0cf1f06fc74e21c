"""The browser's test of the forms walks the real catalogue: this file keeps its copy up to date."""

import json
from pathlib import Path

from apps.steps import registry

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "editor" / "step-types.json"


def test_the_forms_are_tested_over_the_catalogue_as_it_is():
    catalogue = {
        "results": [one.as_json() for one in registry.catalogue()],
        "triggers": [one.as_json() for one in registry.triggers()],
    }
    text = json.dumps(catalogue, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    if not GOLDEN.exists():
        GOLDEN.write_text(text)
    assert GOLDEN.read_text() == text, (
        "delete tests/golden/editor/step-types.json; it is written anew"
    )
