"""A row of the trail as the API, exports and outside logs give it."""

from typing import Any

from apps.audit.queries import Row


def row_shown(row: Row) -> dict[str, Any]:
    """A row as the API gives it, and as exports write it."""
    event = row.event
    return {
        "id": event.id,
        "at": event.at,
        "verb": event.verb,
        "actor": {
            "kind": event.actor_kind,
            "id": event.actor_id,
            "label": row.text("actor.label"),
        },
        "on_behalf_of": event.on_behalf_of,
        "target": {
            "type": event.target_type,
            "id": event.target_id,
            "label": row.text("target.label"),
        },
        "flow": event.flow_id,
        "correlation_id": event.correlation_id,
        "reason": row.text("reason"),
        "before": row.group("before"),
        "after": row.group("after"),
        "details": row.group("details"),
        "withheld": row.withheld,
        "seal": row.seal,
        "hash": bytes(event.row_hash).hex(),
    }
