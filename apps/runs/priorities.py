"""Which runs go first: what a flow says of its runs, and bulk work behind all of them.

A run has one priority for its life, and its commands and effects have the run's. Smaller numbers
go first; what is ``PARKED`` no driver takes. What people do to many runs at once is bulk work,
whatever the runs' own priority is.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

from apps.core.errors import Invalid
from apps.runs.models import PARKED

__all__ = ["PARKED", "Priority", "asked_for", "of_child", "of_settings", "shown"]


class Priority(IntEnum):
    """Of a run, a command or an effect."""

    HIGH = -10
    NORMAL = 0
    LOW = 10
    BULK = 20


#: The names that flow documents and the API use.
NAMED: Mapping[str, Priority] = {
    "high": Priority.HIGH,
    "normal": Priority.NORMAL,
    "low": Priority.LOW,
    "bulk": Priority.BULK,
}


def of_settings(settings: Mapping[str, Any] | None) -> Priority:
    """What a flow's settings say of its runs; normal where they say nothing that is known.

    Bulk is no flow's own: it is how a run came to be. Versions that were published before flows
    had priorities may hold anything under the name.
    """
    name = (settings or {}).get("priority")
    found = NAMED.get(name, Priority.NORMAL) if isinstance(name, str) else Priority.NORMAL
    return Priority.NORMAL if found is Priority.BULK else found


def of_child(caller: int, settings: Mapping[str, Any] | None) -> int:
    """The priority of a run that another starts: its flow's, but what bulk work starts is bulk."""
    return max(caller, of_settings(settings)) if caller >= Priority.BULK else of_settings(settings)


def asked_for(name: str, settings: Mapping[str, Any] | None) -> int:
    """The priority of a run that is started with this one; the flow's where ``name`` is empty.

    Raises:
        Invalid: It is none, or above the flow's: that is for the flow's author to say.
    """
    own = of_settings(settings)
    if not name:
        return own
    if name not in NAMED:
        raise Invalid(f"There is no priority “{name[:30]}”; it is one of {', '.join(NAMED)}.")
    if NAMED[name] < own:
        raise Invalid(
            f"Runs of this flow have the priority {shown(own)}; one may be started with a lower"
            " priority, but not with a higher one."
        )
    return NAMED[name]


def shown(priority: int) -> str:
    """The name of a priority."""
    return next((name for name, one in NAMED.items() if one >= priority), "bulk")
