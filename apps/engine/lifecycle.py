"""The four life cycles. Code, tests, the pictures in ``docs/`` and the CHECKs read these tables."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar


class RunStatus(StrEnum):
    """Where a run stands. ``waiting``: nothing executes and at least one wait is open."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class StepStatus(StrEnum):
    """Where one visit of a step stands."""

    READY = "ready"  # a token has arrived; nothing is done yet
    BLOCKED = "blocked"  # another visit holds the lock
    RUNNING = "running"  # an effect is queued or under way
    RETRYING = "retrying"  # an effect waits for its next try
    WAITING = "waiting"  # a person or a time is waited for
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class TaskStatus(StrEnum):
    """Where a user task stands."""

    OPEN = "open"
    DECIDED = "decided"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"


class EffectStatus(StrEnum):
    """Where an effect stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"
    DROPPED = "dropped"


Status = TypeVar("Status", RunStatus, StepStatus, TaskStatus, EffectStatus)


class IllegalTransition(Exception):
    """A move that the table does not know: a fault of ours, never of the user."""


_STEP_ENDS = {StepStatus.COMPLETED, StepStatus.FAILED, StepStatus.CANCELLED}
_ENDS = {RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED}

RUN_TRANSITIONS: Mapping[RunStatus, frozenset[RunStatus]] = {
    RunStatus.QUEUED: frozenset({RunStatus.RUNNING, RunStatus.WAITING, RunStatus.PAUSED, *_ENDS}),
    RunStatus.RUNNING: frozenset(
        {RunStatus.WAITING, RunStatus.PAUSED, RunStatus.CANCELLING, *_ENDS}
    ),
    RunStatus.WAITING: frozenset(
        {RunStatus.RUNNING, RunStatus.PAUSED, RunStatus.CANCELLING, *_ENDS}
    ),
    RunStatus.PAUSED: frozenset(
        {
            RunStatus.QUEUED,
            RunStatus.RUNNING,
            RunStatus.WAITING,
            RunStatus.CANCELLING,
            RunStatus.FAILED,
            RunStatus.CANCELLED,
        }
    ),
    RunStatus.CANCELLING: frozenset({RunStatus.PAUSED, RunStatus.CANCELLED, RunStatus.FAILED}),
    RunStatus.COMPLETED: frozenset(),
    RunStatus.FAILED: frozenset(),
    RunStatus.CANCELLED: frozenset(),
}

STEP_TRANSITIONS: Mapping[StepStatus, frozenset[StepStatus]] = {
    StepStatus.READY: frozenset(
        {StepStatus.BLOCKED, StepStatus.RUNNING, StepStatus.WAITING, *_STEP_ENDS}
    ),
    StepStatus.BLOCKED: frozenset({StepStatus.READY, StepStatus.CANCELLED}),
    StepStatus.RUNNING: frozenset({StepStatus.RETRYING, StepStatus.WAITING, *_STEP_ENDS}),
    StepStatus.RETRYING: frozenset({StepStatus.RUNNING, StepStatus.WAITING, *_STEP_ENDS}),
    # Back to ready where a person orders that a failed visit be tried anew.
    StepStatus.WAITING: frozenset({StepStatus.READY, *_STEP_ENDS}),
    StepStatus.COMPLETED: frozenset(),
    StepStatus.FAILED: frozenset(),
    StepStatus.CANCELLED: frozenset(),
}

TASK_TRANSITIONS: Mapping[TaskStatus, frozenset[TaskStatus]] = {
    TaskStatus.OPEN: frozenset({TaskStatus.DECIDED, TaskStatus.TIMED_OUT, TaskStatus.CANCELLED}),
    TaskStatus.DECIDED: frozenset(),
    TaskStatus.TIMED_OUT: frozenset(),
    TaskStatus.CANCELLED: frozenset(),
}

EFFECT_TRANSITIONS: Mapping[EffectStatus, frozenset[EffectStatus]] = {
    EffectStatus.QUEUED: frozenset({EffectStatus.RUNNING, EffectStatus.DROPPED}),
    EffectStatus.RUNNING: frozenset(
        {
            EffectStatus.QUEUED,
            EffectStatus.SUCCEEDED,
            EffectStatus.FAILED,
            EffectStatus.UNKNOWN,
            EffectStatus.DROPPED,
        }
    ),
    EffectStatus.SUCCEEDED: frozenset(),
    EffectStatus.FAILED: frozenset(),
    EffectStatus.UNKNOWN: frozenset(),
    EffectStatus.DROPPED: frozenset(),
}


def move(table: Mapping[Status, frozenset[Status]], before: Status, after: Status) -> Status:
    """``after``, if the table allows it from ``before``. Raises ``IllegalTransition``."""
    if after not in table[before]:
        raise IllegalTransition(f"{type(before).__name__} cannot go from {before} to {after}.")
    return after


def reachable(
    table: Mapping[Status, frozenset[Status]],
) -> Mapping[Status, frozenset[Status]]:
    """Where each state can lead in any number of moves: what is stored may skip those between."""
    found = {before: set(after) for before, after in table.items()}
    for between in table:
        for before in table:
            if between in found[before]:
                found[before] |= found[between]
    return {before: frozenset(after) for before, after in found.items()}


def finals(table: Mapping[Status, frozenset[Status]]) -> frozenset[Status]:
    """The states that nothing leaves."""
    return frozenset(status for status, after in table.items() if not after)


FINAL_RUN = finals(RUN_TRANSITIONS)
