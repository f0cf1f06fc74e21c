"""Steps that count working time, where by the calendars of the workspace nobody works."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from apps.accounts.places import calendar_for
from apps.accounts.queries import calendar_of
from apps.core import clock
from apps.steps.findings import Finding, at, pointer
from apps.steps.texts import one_line
from apps.steps.working import somebody_works

#: Fields by which a part of a config counts working time.
MARKS = ("business", "respond_business")


def calendar_findings(workspace_id: UUID, document: Mapping[str, Any]) -> Iterator[Finding]:
    """``no_working_time`` for each step that would wait for more than a year."""
    steps = document.get("steps")
    counting = [
        (step_id, place, step["config"])
        for step_id, step in (steps.items() if isinstance(steps, Mapping) else ())
        if isinstance(step, Mapping) and isinstance(step.get("config"), Mapping)
        if (place := _mark(step["config"])) is not None
    ]
    if not counting:
        return
    now = clock.now()
    works = somebody_works(calendar_of(workspace_id), now)
    for step_id, place, config in counting:
        if not works:
            message = "Nobody works for a year by the working calendar; this would never end."
            yield _finding(step_id, place, message)
            continue
        groups = at(config, "assignees", "groups")
        for group in groups if isinstance(groups, list) else ():
            own = calendar_for(workspace_id, team=group) if isinstance(group, str) else None
            if own is not None and not somebody_works(own, now):
                message = (
                    f"Nobody works for a year by the calendar of “{one_line(group)}”; this would"
                    " never end."
                )
                yield _finding(step_id, place, message)


def _finding(step_id: str, place: tuple[str | int, ...], message: str) -> Finding:
    return Finding(
        "no_working_time",
        "error",
        message,
        "Look at the hours and days off in the settings.",
        step_id,
        pointer(("steps", step_id, "config", *place)),
    )


def _mark(config: Mapping[str, Any]) -> tuple[str | int, ...] | None:
    """The first place of a config that counts working time."""
    waiting: list[tuple[Any, tuple[str | int, ...]]] = [(config, ())]
    while waiting:
        node, path = waiting.pop(0)
        if isinstance(node, list):
            waiting += [(inner, (*path, index)) for index, inner in enumerate(node)]
        elif isinstance(node, Mapping):
            for mark in MARKS:
                if node.get(mark) is True:
                    return (*path, mark)
            waiting += [(inner, (*path, str(name))) for name, inner in node.items()]
    return None
