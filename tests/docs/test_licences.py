"""Licences of everything shipped are listed; copyleft has a reason."""

import json
import re

from tools.licences import COPYLEFT, PAGE, ROOT, pinned


def rows() -> dict[str, tuple[str, str]]:
    found = re.findall(r"^\| (\S+) \| (.*?) \| (.*?) \|$", PAGE.read_text(), re.MULTILINE)
    return {name: (licence, reason) for name, licence, reason in found}


def test_everything_that_is_pinned_is_listed():
    lock = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    shipped = {
        path.rpartition("node_modules/")[2]
        for path, about in lock.items()
        if path and not about.get("dev")
    }
    assert set(pinned()) | shipped <= set(rows()), "run: python -m tools.licences"


def test_copyleft_has_a_reason():
    assert [
        name
        for name, (licence, reason) in rows().items()
        if COPYLEFT.search(licence) and not reason
    ] == []
