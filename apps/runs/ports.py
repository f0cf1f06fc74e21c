"""How packages above open and close the waits that runs reach: the one inversion of ``runs``.

``inbox`` registers what happens when a step asks people; the driver calls it inside its own
transaction, once for a whole batch.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

#: ``approval``: a step asks; ``exception``: one has failed, and people say what to do.
TaskKind = Literal["approval", "exception"]
#: Who decides about a failed step where nobody can be asked.
NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class TaskRequest:
    """A step asks people, or has failed.

    ``request`` of an approval is what ``steps.types.approval`` made of its config: ``{title,
    details, users, groups, manager_of, pick, fallback, duties, rule, weights, veto, due_at, fields,
    requester, allow_requester}``, with ``stages`` where others follow; of an exception ``{error,
    attempts}``. ``generation`` counts repeats that a person ordered.
    """

    workspace_id: UUID
    flow_id: UUID
    version_id: UUID
    run_id: UUID
    lane: UUID
    step: str
    visit: int
    step_title: str
    request: Mapping[str, Any]
    kind: TaskKind = "approval"
    generation: int = 1

    @property
    def key(self) -> tuple[UUID, str, int]:
        """Names the wait: run, step, visit."""
        return (self.run_id, self.step, self.visit)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The task could not be opened; the step fails with this code and sentence."""

    run_id: UUID
    step: str
    visit: int
    code: str
    message: str


#: Run, step and visit.
Wait = tuple[UUID, str, int]
OpenTasks = Callable[[Sequence[TaskRequest], datetime], list[Refusal]]
CloseTasks = Callable[[Sequence[UUID], datetime], None]
CloseVisits = Callable[[Sequence[Wait], Collection[Wait], datetime], None]
FindTasks = Callable[[Sequence[UUID]], set[tuple[UUID, str, int]]]
#: Who is asked by a run's open tasks, by step and visit: ``{people, groups, since, until, task,
#: held, stage}``, the last in words, empty where there is one stage. What is ``held`` is decided
#: and passed on at ``until``.
PeopleAsked = Callable[[UUID], Mapping[tuple[str, int], Mapping[str, Any]]]

_open: OpenTasks | None = None
_close: CloseTasks | None = None
_close_visits: CloseVisits | None = None
_find: FindTasks | None = None
_asked: PeopleAsked | None = None


def register_tasks(
    *,
    open_tasks: OpenTasks,
    close_tasks: CloseTasks,
    close_visits: CloseVisits,
    find_tasks: FindTasks,
    people_asked: PeopleAsked,
) -> None:
    """Say who opens tasks, who closes those of runs or visits, and who knows which are open."""
    global _open, _close, _close_visits, _find, _asked  # noqa: PLW0603 - registered once
    _open, _close, _close_visits, _find = open_tasks, close_tasks, close_visits, find_tasks
    _asked = people_asked


def open_tasks(requests: Sequence[TaskRequest], now: datetime) -> list[Refusal]:
    """Open tasks in the caller's transaction; returns those that could not be opened."""
    if _open is None:
        raise RuntimeError("No package has registered how to open tasks.")
    return _open(requests, now)


def close_tasks(run_ids: Sequence[UUID], now: datetime) -> None:
    """Close every open task of runs that ended, in the caller's transaction."""
    if _close is not None and run_ids:
        _close(run_ids, now)


def close_visits(waits: Sequence[Wait], held: Collection[Wait], now: datetime) -> None:
    """Close the open tasks of visits that are over, in the caller's transaction.

    Visits that are ``held`` wait for another task: that of their failure stays.
    """
    if _close_visits is not None and waits:
        _close_visits(waits, held, now)


def tasks_open(run_ids: Sequence[UUID]) -> set[tuple[UUID, str, int]]:
    """Run, step and visit of every open task of these runs; ``check_runs`` holds them to it."""
    if _find is None:
        raise RuntimeError("No package has registered which tasks are open.")
    return _find(run_ids)


def people_asked(run_id: UUID) -> Mapping[tuple[str, int], Mapping[str, Any]]:
    """Who is asked by a run's open tasks, by step and visit; see ``PeopleAsked``."""
    return _asked(run_id) if _asked is not None else {}
