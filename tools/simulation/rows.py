"""The rows that the simulated store keeps, named after the tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from apps.engine.lifecycle import EffectStatus
from apps.runs.wanted import JournalRow

Payload = Mapping[str, Any]


class Broken(AssertionError):
    """An invariant does not hold; the message names it first."""


@dataclass(slots=True)
class Run:
    """A row of ``run``, and of ``run_state`` while ``snapshot`` is there."""

    id: UUID
    flow: str
    started_by: str = "ada@example.org"
    status: str = "queued"
    snapshot: str | None = "{}"
    seq: int = 0
    journal: list[tuple[JournalRow, float]] = field(default_factory=list)
    items: dict[tuple[str, int, int], Any] = field(default_factory=dict)
    #: The snapshot of a run that is over, which production does not keep.
    last: str = ""


@dataclass(slots=True)
class Command:
    """A row of ``run_command``; ``rung`` notes how many accidents there had been by its bell."""

    kind: str
    payload: Payload
    at: float
    rung: int = -1


@dataclass(slots=True)
class Effect:
    """A row of ``effect``."""

    id: int
    run_id: UUID
    step: str
    visit: int
    generation: int
    input: Any
    max_attempts: int
    key: str
    available_at: float
    status: EffectStatus = EffectStatus.QUEUED
    attempt: int = 0
    fence: int = 0
    deaths: int = 0
    lease_until: float = 0.0
    is_sent: bool = False
    retry: Any = None


@dataclass(slots=True)
class Timer:
    """A row of ``timer``."""

    id: int
    run_id: UUID
    step: str
    visit: int
    kind: str
    fires_at: float
    port: str
    output: Any
    status: str = "open"


@dataclass(slots=True)
class Task:
    """A row of ``user_task``."""

    id: int
    run_id: UUID
    step: str
    visit: int
    kind: str
    generation: int
    due_at: float | None
    status: str = "open"


@dataclass(slots=True)
class Verdict:
    """What a worker makes of a try: the effect's new status, and the command for the run."""

    status: EffectStatus
    kind: str
    payload: Payload
    available_at: float


@dataclass(slots=True, eq=False)
class Transaction:
    """A driver's transaction: what it has locked and read. ``is_gone``: the server ended it."""

    runs: list[UUID] = field(default_factory=list)
    read: dict[UUID, dict[int, Command]] = field(default_factory=dict)
    states: dict[UUID, str] = field(default_factory=dict)
    is_gone: bool = False


def short(run_id: UUID) -> str:
    """A run's name in traces."""
    return f"run {run_id.int & 0xFF}"
