"""What the editor offers while typing is what there is."""

import re
from pathlib import Path

from apps.engine.feel.expression import _FUNCTIONS

OFFERED = Path(__file__).parents[3] / "frontend/src/features/editor/form/feel/functions.ts"


def test_the_editor_offers_every_function():
    _, _, listed = OFFERED.read_text().partition("= [")
    assert set(re.findall(r"'([^']+)'", listed)) == set(_FUNCTIONS)
