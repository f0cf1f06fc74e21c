"""What a flow's trigger may not be, judged against the other flows of the workspace."""

from collections.abc import Mapping
from typing import Any

from apps.flows.models import Flow
from apps.steps.findings import Finding, at, pointer
from apps.triggers import queries
from apps.triggers.models import WEBHOOK


def address_is_free(*, flow: Flow, document: Mapping[str, Any]) -> list[Finding]:
    """``path_taken`` where another flow answers at the webhook's address."""
    path = at(document, "trigger", "config", "path")
    if at(document, "trigger", "type") != WEBHOOK or not isinstance(path, str) or "\0" in path:
        return []
    if queries.taken_by(flow.workspace_id, path, but=flow.pk) is None:
        return []
    # The other flow is not named: whoever edits this one may not be allowed to see it.
    return [
        Finding(
            "path_taken",
            "error",
            f"Another flow of this workspace answers at /{path[:100]}.",
            "Choose another address, or archive the other flow.",
            "trigger",
            pointer(("trigger", "config", "path")),
        )
    ]
