"""What the pages call the rights on a flow. Who has them is said in ``accounts.permissions``."""

from collections.abc import Mapping

#: The word in ``rights`` of a flow, and the right that it stands for.
SHOWN: Mapping[str, str] = {
    "view": "flow.view",
    "edit": "flow.edit",
    "publish": "flow.publish",
    "run": "flow.run",
    "pause": "flow.pause",
    "archive": "flow.archive",
    "grant": "flow.grant",
}


def shown(rights: frozenset[str]) -> list[str]:
    """The rights as a flow's row lists them."""
    return [word for word, right in SHOWN.items() if right in rights]
