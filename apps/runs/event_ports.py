"""How events that runs publish, and waits for events, reach the package that keeps them.

``triggers`` registers; the driver calls it inside its own transaction, once for a whole batch.
What comes of an event is looked for after that transaction, see ``triggers.matching``.

Facts that people are asked to decide by may follow events, too. Who keeps the questions
(``inbox``) registers what becomes of them, and ``triggers`` calls that with what has come.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef

from apps.runs.ports import Wait
from apps.steps.outcomes import EventWay


@dataclass(frozen=True, slots=True)
class Cause:
    """What an event follows from: the correlation that goes on, and how deep the chain is."""

    correlation: str
    causation: str
    depth: int


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event that a step publishes. ``id`` follows from the visit and its time alone."""

    id: UUID
    workspace_id: UUID
    flow_id: UUID
    run_id: UUID
    step: str
    type: str
    version: str
    subject: str
    data: Any
    at: datetime
    expires_at: datetime
    cause: Cause


@dataclass(frozen=True, slots=True)
class NewSubscription:
    """A visit waits for an event; ``place`` is its way's among those of the step."""

    workspace_id: UUID
    run_id: UUID
    lane: UUID
    step: str
    visit: int
    place: int
    way: EventWay


@dataclass(frozen=True, slots=True)
class Events:
    """What ``triggers`` does for runs; see its ``subscriptions``."""

    publish: Callable[[Sequence[NewEvent], datetime], None]
    subscribe: Callable[[Sequence[NewSubscription], datetime], None]
    close_runs: Callable[[Sequence[UUID], datetime], None]
    close_visits: Callable[[Sequence[Wait], datetime], None]
    #: Run, step and visit of every open subscription of these runs.
    open_waits: Callable[[Sequence[UUID]], set[Wait]]
    #: Why events that came did not fit, by step and visit of one run.
    notes: Callable[[UUID], Mapping[tuple[str, int], str]]


@dataclass(frozen=True, slots=True)
class CameEvent:
    """An event that is kept, as those see it whose questions it may change.

    ``at`` is when it happened, as whoever told of it says; ``came_at`` when it was kept. ``shown``
    is what expressions read as ``event``.
    """

    id: UUID
    workspace_id: UUID
    type: str
    at: datetime
    came_at: datetime
    shown: Mapping[str, Any]


#: Events of a workspace and type that were kept since then, some at a time, oldest first.
FindEvents = Callable[[UUID, str, datetime], Iterable[Sequence[CameEvent]]]


@dataclass(frozen=True, slots=True)
class QuestionChanged:
    """What an event did to what is asked by a step of a run; ``reason`` where it could not."""

    event_id: UUID
    run_id: UUID
    step: str
    reason: str


@dataclass(frozen=True, slots=True)
class Watches:
    """What ``inbox`` does with events that change what people are asked; see its ``watching``."""

    #: Let these change what they are for, in the caller's transaction.
    take: Callable[[Sequence[CameEvent], datetime], None]
    #: Look for what came while questions were being put; returns how many questions.
    look_back: Callable[[FindEvents, datetime], int]
    #: Whether a question has yet to look back.
    is_due: Callable[[], bool]
    #: What these events have done, the first first.
    changed: Callable[[Collection[UUID]], Sequence[QuestionChanged]]
    #: Whether the event of that id, of a query around it, has changed a question.
    has_changed: Callable[[OuterRef], Exists]


_events: Events | None = None
_watches: Watches | None = None


def register_events(events: Events) -> None:
    """Say who keeps events."""
    global _events  # noqa: PLW0603 - registered once, when Django is ready
    _events = events


def keeper() -> Events:
    """Who keeps events."""
    if _events is None:
        raise RuntimeError("No package has registered how to keep events.")
    return _events


def register_watches(watches: Watches) -> None:
    """Say whose questions events may change."""
    global _watches  # noqa: PLW0603 - registered once, when Django is ready
    _watches = watches


def watches() -> Watches:
    """Whose questions events may change."""
    if _watches is None:
        raise RuntimeError("No package has registered whose questions events may change.")
    return _watches


def cause_of(trigger: Any, run_id: UUID) -> Cause:
    """What an event of a run follows from: the event that started it, or the run itself.

    The first event of a chain has the depth 1, that of a run which it started 2, and so on. A run
    that another run starts goes on with that one's ``trigger.event``.
    """
    before = trigger.get("event") if isinstance(trigger, Mapping) else None
    if not isinstance(before, Mapping):
        return Cause(str(run_id), str(run_id), 1)
    return Cause(before["correlation"], before["id"], int(before["depth"]) + 1)
