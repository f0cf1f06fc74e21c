"""What an evaluation is given of a run, and what it wants written; ids that follow from a visit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from apps.engine.state import RunState
from apps.engine.working_time import STANDARD, Calendar
from apps.runs.contexts import Loaded


@dataclass(frozen=True, slots=True)
class NewEffect:
    """An effect to be written; ``input`` is the resolved config."""

    step: str
    visit: int
    kind: str
    version: int
    input: Any
    max_attempts: int
    key: str
    generation: int = 1
    retry: Any = None
    limit: "EffectLimit | None" = None


@dataclass(frozen=True, slots=True)
class EffectLimit:
    """Of the effects with this id at most so many are at work; ``name`` is for people."""

    id: UUID
    most: int
    name: str


@dataclass(frozen=True, slots=True)
class NewTimer:
    """A timer to be written; ``output`` is what the step leaves with.

    ``kind``: a ``delay`` sends the run on by ``port``, a ``limit`` ends a visit that takes too
    long.
    """

    step: str
    visit: int
    fires_at: datetime
    output: Any
    kind: str = "delay"
    port: str = "done"


@dataclass(frozen=True, slots=True)
class NewItem:
    """An item of a scope, to be read when its turn comes."""

    step: str
    visit: int
    index: int
    value: Any


@dataclass(frozen=True, slots=True)
class Caller:
    """The visit of another run that waits for the end of this one."""

    run_id: UUID
    lane: UUID
    step: str
    visit: int


@dataclass(frozen=True, slots=True)
class ChildRequest:
    """A step runs another flow. ``depth`` is that of the run to be started."""

    id: UUID
    workspace_id: UUID
    version_id: UUID
    run_id: UUID
    lane: UUID
    step: str
    visit: int
    flow: str
    version: str | int
    input: Any
    waits: bool
    depth: int
    started_by: str
    #: The event from which all this follows, as the caller's trigger has it.
    event: Any = None

    @property
    def key(self) -> tuple[UUID, str, int]:
        """Names the visit: run, step, visit."""
        return (self.run_id, self.step, self.visit)


@dataclass(slots=True)
class LoadedRun:
    """What the driver read of a run. ``depth``: so many runs were started one by the other."""

    run_id: UUID
    workspace_id: UUID
    flow_id: UUID
    version_id: UUID
    lane: UUID
    state: RunState
    awaited_until: datetime | None
    priority: int = 0
    limit_key: str | None = None
    #: The limit that it needs a slot of to start; empty for that of its flow.
    wanted_key: str = ""
    zone: str = "UTC"
    calendar: Calendar = STANDARD
    started_at: datetime | None = None
    started_by: str = ""
    trigger: Any = None
    #: What it takes over of another run, where it does that again; see ``given``.
    replay: Mapping[str, Any] | None = None
    caller: Caller | None = None
    depth: int = 0
    loaded: Loaded = field(default_factory=Loaded)


@dataclass(frozen=True, slots=True)
class JournalRow:
    """A row of the journal; ``data`` is JSON text."""

    seq: int
    type: str
    step: str
    data: str


def activation_key(run_id: UUID, step: str, visit: int, generation: int = 1) -> str:
    """The idempotency key of an effect: the same for every try, new for an ordered repeat."""
    return sha256(f"{run_id}/{step}/{visit}/{generation}".encode()).hexdigest()[:40]


def event_id(at: datetime, run_id: UUID, step: str, visit: int) -> UUID:
    """A UUIDv7 that is the same however often the visit is evaluated at that time."""
    return _id_at(at, f"event/{run_id}/{step}/{visit}")


def child_id(at: datetime, run_id: UUID, step: str, visit: int, generation: int) -> UUID:
    """The id of the run that a visit starts, in the same manner."""
    return _id_at(at, f"run/{run_id}/{step}/{visit}/{generation}")


def _id_at(at: datetime, name: str) -> UUID:
    tail = int.from_bytes(sha256(name.encode()).digest()[:10])
    stamp = int(at.timestamp() * 1000) << 80
    return UUID(int=stamp | 7 << 76 | (tail >> 64 & 0xFFF) << 64 | 2 << 62 | tail & ((1 << 62) - 1))
