"""What is asked of a run (commands, imperative) and what happened to it (events, past tense).

Events are stored for ever. Their JSON is made and read here and nowhere else; a change of
shape is a new ``FORMAT``, and the readers of the old ones stay.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from apps.engine.values import Value

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Error:
    """Why a step or run failed: ``error_class`` is transient, permanent, human or unknown."""

    step: str
    error_class: str
    code: str
    message: str

    def as_json(self) -> dict[str, Value]:
        """``{step, class, code, message}``, as the API shows it."""
        return {
            "step": self.step,
            "class": self.error_class,
            "code": self.code,
            "message": self.message,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Error":
        """The reader of :meth:`as_json`."""
        return cls(data["step"], data["class"], data["code"], data["message"])


# --- commands -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Start:
    """Begin; ``trigger`` is what expressions read as ``trigger``."""

    trigger: Value
    started_by: str = ""


@dataclass(frozen=True, slots=True)
class Open:
    """The shell has made the wait or effect of a ready step; ``input`` is its resolved config."""

    step: str
    visit: int
    kind: str
    input: Value


@dataclass(frozen=True, slots=True)
class Complete:
    """A visit is done and leaves by ``port``."""

    step: str
    visit: int
    port: str
    output: Value


@dataclass(frozen=True, slots=True)
class Fail:
    """A visit failed for good; it leaves by ``error`` where that is linked."""

    step: str
    visit: int
    error: Error
    output: Value = None


@dataclass(frozen=True, slots=True)
class Retry:
    """A try failed; the next is due at ``next_at`` (ISO 8601)."""

    step: str
    visit: int
    attempt: int
    error: Error
    next_at: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """A later try has begun."""

    step: str
    visit: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Late:
    """A worker that had lost its lease brought an outcome; it is refused and written down."""

    step: str
    visit: int
    outcome: str


@dataclass(frozen=True, slots=True)
class Finish:
    """A stop step was reached; ``outcome`` is ``completed`` or ``failed``."""

    step: str
    visit: int
    outcome: str
    message: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A respond step has an answer for the caller; ``in_time``: somebody still waits."""

    step: str
    status: int
    body: Value
    in_time: bool


@dataclass(frozen=True, slots=True)
class Cancel:
    """A person or the system withdraws the run."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Hold the run where it is; ``reason`` is ``person`` or ``engine_fault``."""

    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Resume:
    """Let a paused run go on."""

    by: str


@dataclass(frozen=True, slots=True)
class Continue:
    """The run was cut to be fair to others; go on."""


Command: TypeAlias = (
    Start
    | Open
    | Complete
    | Fail
    | Retry
    | Attempt
    | Late
    | Finish
    | Answer
    | Cancel
    | Pause
    | Resume
    | Continue
)


# --- events ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Arrival:
    """A token's way over a link: to a new visit of ``step``, into a join's queue, or swallowed."""

    link: int
    step: str
    visit: int  # 0: into a join's queue; -1: swallowed by a join that has fired already


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The run has begun; ``arrivals`` are the tokens of the trigger's links."""

    trigger: Value
    started_by: str
    arrivals: tuple[Arrival, ...]


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A wait or an effect is open; ``kind`` is ``effect``, ``timer`` or ``user_task``."""

    step: str
    visit: int
    kind: str
    input: Value


@dataclass(frozen=True, slots=True)
class StepCompleted:
    """``took`` are the links whose tokens a join took; ``owes`` those it will swallow."""

    step: str
    visit: int
    port: str
    output: Value
    arrivals: tuple[Arrival, ...]
    took: tuple[int, ...] = ()
    owes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class StepFailed:
    """A visit has failed for good and left by ``error``, if that is linked."""

    step: str
    visit: int
    error: Error
    output: Value
    arrivals: tuple[Arrival, ...]


@dataclass(frozen=True, slots=True)
class StepRetried:
    """A try has failed; the next is due at ``next_at``."""

    step: str
    visit: int
    attempt: int
    error: Error
    next_at: str


@dataclass(frozen=True, slots=True)
class StepAttempted:
    """A later try is under way."""

    step: str
    visit: int
    attempt: int


@dataclass(frozen=True, slots=True)
class OutcomeIgnored:
    """An outcome came for a visit that is over, or for a run that is."""

    step: str
    visit: int
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True)
class Responded:
    """A caller was answered; ``delivered`` is false where nobody waited any more."""

    step: str
    status: int
    body: Value
    delivered: bool


@dataclass(frozen=True, slots=True)
class RunPaused:
    """The run is held where it is."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class RunResumed:
    """The run goes on."""

    by: str


@dataclass(frozen=True, slots=True)
class RunCompleted:
    """Nothing is left to do, or the step named here ended the run."""

    step: str
    message: str


@dataclass(frozen=True, slots=True)
class RunFailed:
    """The run ended with this error; everything that was still open is closed."""

    error: Error


@dataclass(frozen=True, slots=True)
class RunCancelled:
    """The run was withdrawn; everything that was still open is closed."""

    by: str
    reason: str


Event: TypeAlias = (
    RunStarted
    | StepStarted
    | StepCompleted
    | StepFailed
    | StepRetried
    | StepAttempted
    | OutcomeIgnored
    | Responded
    | RunPaused
    | RunResumed
    | RunCompleted
    | RunFailed
    | RunCancelled
)

_TYPES: dict[str, type[Any]] = {
    "run.started": RunStarted,
    "step.started": StepStarted,
    "step.completed": StepCompleted,
    "step.failed": StepFailed,
    "step.retried": StepRetried,
    "step.attempted": StepAttempted,
    "outcome.ignored": OutcomeIgnored,
    "run.responded": Responded,
    "run.paused": RunPaused,
    "run.resumed": RunResumed,
    "run.completed": RunCompleted,
    "run.failed": RunFailed,
    "run.cancelled": RunCancelled,
}
_NAMES = {event: name for name, event in _TYPES.items()}
EVENT_TYPES = tuple(_TYPES)


def to_row(event: Event) -> tuple[str, str, dict[str, Any]]:
    """``(type, step, data)`` as the journal keeps it; ``step`` is empty where none is meant."""
    data: dict[str, Any] = {}
    step = ""
    for name in event.__slots__:
        value = getattr(event, name)
        if name == "step":
            step = value
        elif name == "error":
            data["error"] = value.as_json()
        elif name == "arrivals":
            data["arrivals"] = [[one.link, one.step, one.visit] for one in value]
        elif name in {"took", "owes"}:
            if value:
                data[name] = list(value)
        else:
            data[name] = value
    return _NAMES[type(event)], step, data


def from_row(type_: str, step: str, data: Mapping[str, Any]) -> Event:
    """The event that :func:`to_row` wrote."""
    kind = _TYPES[type_]
    fields: dict[str, Any] = dict(data)
    if "step" in kind.__slots__:
        fields["step"] = step
    if "error" in fields:
        fields["error"] = Error.from_json(fields["error"])
    if "arrivals" in fields:
        fields["arrivals"] = tuple(Arrival(*one) for one in fields["arrivals"])
    for name in ("took", "owes"):
        if name in fields:
            fields[name] = tuple(fields[name])
    event: Event = kind(**fields)
    return event
