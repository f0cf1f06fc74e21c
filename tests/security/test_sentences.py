"""Each sentence of the security baseline names tests that exist."""

import re
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def test_each_sentence_has_its_tests():
    text = (HERE / "sentences.md").read_text()
    missing = []
    for sentence in re.split(r"^- ", text, flags=re.MULTILINE)[1:]:
        named = re.findall(r"`([\w/]+\.py)::(\w+)`", sentence)
        if not named:
            missing.append(f"no test: {sentence.splitlines()[0]}")
        for file, name in named:
            path = ROOT / file if "/" in file else HERE / file
            source = path.read_text() if path.exists() else ""
            if not re.search(rf"^\s*(?:async def|def|class) {name}\b", source, re.MULTILINE):
                missing.append(f"gone: {file}::{name}")
    assert not missing, "\n".join(missing)
