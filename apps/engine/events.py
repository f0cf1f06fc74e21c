"""What happened to a run, in the past tense. What is asked of it is in ``commands``.

Events are stored for ever. Their JSON is made and read here and nowhere else; a change of
shape is a new ``FORMAT``, and the readers of the old ones stay.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from apps.engine.values import Value

# A run carries the format its journal is written in; a driver claims only what it can read.
# 2 added scopes, undoing, locks, withdrawing and several ways out at once. 3 added time that is
# passed over; only test runs have that, so only they are written in it.
FORMAT = 2
TEST_FORMAT = 3
READABLE = (1, 2, 3)


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


@dataclass(frozen=True, slots=True)
class Arrival:
    """A token's way over a link: to a new visit of ``step``, into a join's queue, or swallowed."""

    link: int
    step: str
    visit: int  # 0: into a join's queue; -1: swallowed by a join that has fired already


@dataclass(frozen=True, slots=True)
class RunReplayed:
    """The run does ``of`` again, from ``from_step`` on where one is named.

    ``given`` are outcomes that it takes over, by place, in the order of the visits; ``mode`` is
    ``live``, or ``dry`` where nothing is sent. With ``test`` nothing need have run before, and
    ``given`` is as ``trying`` has it.
    """

    of: str
    from_step: str
    mode: str
    given: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The run has begun; ``arrivals`` are the tokens of the trigger's links."""

    trigger: Value
    started_by: str
    arrivals: tuple[Arrival, ...]


@dataclass(frozen=True, slots=True)
class TimeSkipped:
    """A test run goes on as if it were ``until`` by now."""

    until: str


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A wait or an effect is open; ``kind`` is ``effect``, ``timer``, ``user_task`` or another."""

    step: str
    visit: int
    kind: str
    input: Value


@dataclass(frozen=True, slots=True)
class StepCompleted:
    """``took`` are the links whose tokens a join took; ``owes`` those it will swallow.

    ``ports`` are all ways out where there were several; ``frame`` is where a join fired;
    ``undoable``: another step can take it back. ``taken``: the outcome is another run's.
    """

    step: str
    visit: int
    port: str
    output: Value
    arrivals: tuple[Arrival, ...]
    took: tuple[int, ...] = ()
    owes: tuple[int, ...] = ()
    ports: tuple[str, ...] = ()
    frame: str = ""
    undoable: bool = False
    taken: bool = False


@dataclass(frozen=True, slots=True)
class StepFailed:
    """A visit has failed for good and left by ``error``, if that is linked.

    ``port`` names another way out that the step has for that case; ``output`` is then its output.
    ``by``: a person who was asked said so.
    """

    step: str
    visit: int
    error: Error
    output: Value
    arrivals: tuple[Arrival, ...]
    port: str = ""
    by: str = ""
    taken: bool = False


@dataclass(frozen=True, slots=True)
class StepHeld:
    """A visit has failed, and a person is asked what to do; ``output`` as of :class:`Fail`."""

    step: str
    visit: int
    error: Error
    output: Value = None


@dataclass(frozen=True, slots=True)
class StepRepeated:
    """A person ordered that a held visit be tried anew; ``generation`` makes a new key.

    With ``total`` it is a scope of which some items are done and stay so: of so many only those
    in ``ranges`` ``[first, count]`` are done again, and those that have not begun.
    """

    step: str
    visit: int
    generation: int
    by: str
    ranges: tuple[tuple[int, int], ...] = ()
    total: int = 0


@dataclass(frozen=True, slots=True)
class StepBlocked:
    """A visit must wait: another one holds its lock."""

    step: str
    visit: int
    lock: str


@dataclass(frozen=True, slots=True)
class StepUnblocked:
    """The lock is free: the visit goes on."""

    step: str
    visit: int


@dataclass(frozen=True, slots=True)
class ScopeOpened:
    """A step that contains steps has begun; ``input`` holds its items."""

    step: str
    visit: int
    kind: str
    count: int
    input: Value
    parallel: int
    needs: int
    tolerance: int
    rest: str
    rounds: int


@dataclass(frozen=True, slots=True)
class ItemsBegun:
    """``count`` items from ``first`` on have begun; ``arrivals`` are theirs, item after item."""

    step: str
    visit: int
    first: int
    count: int
    arrivals: tuple[Arrival, ...]


@dataclass(frozen=True, slots=True)
class ItemEnded:
    """An item is over: ``completed``, ``failed`` or ``withdrawn``.

    ``more``: as many further items are to come.
    """

    step: str
    visit: int
    index: int
    outcome: str
    output: Value
    reason: Mapping[str, Any] | None = None
    more: int = 0


@dataclass(frozen=True, slots=True)
class ItemsAdded:
    """Items were added to an open scope."""

    step: str
    visit: int
    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class ItemsRepeated:
    """The items that failed are tried once more: ranges ``[first, count]``."""

    step: str
    visit: int
    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class ScopeClosing:
    """No further item begins; ``then`` says what follows once those at work are gone."""

    step: str
    visit: int
    then: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class WorkWithdrawn:
    """Visits, whole frames (each with the one its undo list goes to), tokens at joins are gone.

    ``owed``: links of a frame that owe a join nothing any more. ``step`` withdrew all this; it
    is empty where the run or an item ended.
    """

    step: str
    visits: tuple[tuple[str, int], ...]
    frames: tuple[tuple[str, str], ...] = ()
    joins: tuple[tuple[str, str], ...] = ()
    owed: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class UndoBegun:
    """What was done in a frame is taken back, the last first; ``why`` tells what follows."""

    frame: str
    why: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class UndoStarted:
    """A visit of ``step`` begins that takes back visit ``of_visit`` of ``of_step``."""

    step: str
    visit: int
    frame: str
    of_step: str
    of_visit: int


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
    by: str = ""


@dataclass(frozen=True, slots=True)
class RunResumed:
    """The run goes on."""

    by: str


@dataclass(frozen=True, slots=True)
class RunCompleted:
    """Nothing is left to do, or the step named here ended the run and gave ``output``."""

    step: str
    message: str
    output: Value = None


@dataclass(frozen=True, slots=True)
class RunFailed:
    """The run ended with this error; everything that was still open is closed."""

    error: Error


@dataclass(frozen=True, slots=True)
class RunCancelling:
    """The run is withdrawn, once what it did is undone."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class RunCancelled:
    """The run was withdrawn; everything that was still open is closed."""

    by: str
    reason: str


Event: TypeAlias = (
    RunReplayed
    | RunStarted
    | TimeSkipped
    | StepStarted
    | StepCompleted
    | StepFailed
    | StepHeld
    | StepRepeated
    | StepBlocked
    | StepUnblocked
    | ScopeOpened
    | ItemsBegun
    | ItemEnded
    | ItemsAdded
    | ItemsRepeated
    | ScopeClosing
    | WorkWithdrawn
    | UndoBegun
    | UndoStarted
    | RunCancelling
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
    "run.replayed": RunReplayed,
    "run.started": RunStarted,
    "time.skipped": TimeSkipped,
    "step.started": StepStarted,
    "step.completed": StepCompleted,
    "step.failed": StepFailed,
    "step.held": StepHeld,
    "step.repeated": StepRepeated,
    "step.blocked": StepBlocked,
    "step.unblocked": StepUnblocked,
    "scope.opened": ScopeOpened,
    "items.begun": ItemsBegun,
    "item.ended": ItemEnded,
    "items.added": ItemsAdded,
    "items.repeated": ItemsRepeated,
    "scope.closing": ScopeClosing,
    "work.withdrawn": WorkWithdrawn,
    "undo.begun": UndoBegun,
    "undo.started": UndoStarted,
    "run.cancelling": RunCancelling,
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


# What says nothing is left out: most rows have none of it, and format 1 did not know it.
_OPTIONAL: Mapping[type[Any], Mapping[str, Any]] = {
    StepCompleted: {
        "took": (),
        "owes": (),
        "ports": (),
        "frame": "",
        "undoable": False,
        "taken": False,
    },
    StepFailed: {"port": "", "by": "", "taken": False},
    StepHeld: {"output": None},
    StepRepeated: {"ranges": (), "total": 0},
    RunCompleted: {"output": None},
    ItemEnded: {"reason": None, "more": 0},
    RunPaused: {"by": ""},
    WorkWithdrawn: {"frames": (), "joins": (), "owed": ()},
}
_NONE: Mapping[str, Any] = {}
_TUPLES = frozenset({"took", "owes", "ports", "items"})
_PAIRS = frozenset({"ranges", "visits", "frames", "joins", "owed"})


def to_row(event: Event) -> tuple[str, str, dict[str, Any]]:
    """``(type, step, data)`` as the journal keeps it; ``step`` is empty where none is meant."""
    data: dict[str, Any] = {}
    step = ""
    kind = type(event)
    optional = _OPTIONAL.get(kind, _NONE)
    for name in event.__slots__:
        value = getattr(event, name)
        if name == "step":
            step = value
        elif name == "error":
            data["error"] = value.as_json()
        elif name == "arrivals":
            data["arrivals"] = [[one.link, one.step, one.visit] for one in value]
        elif name in optional and value == optional[name]:
            continue
        elif name in _TUPLES:
            data[name] = list(value)
        elif name in _PAIRS:
            data[name] = [list(pair) for pair in value]
        else:
            data[name] = value
    return _NAMES[kind], step, data


def from_row(type_: str, step: str, data: Mapping[str, Any]) -> Event:
    """The event that :func:`to_row` wrote, in this format or an earlier one."""
    kind = _TYPES[type_]
    fields: dict[str, Any] = dict(data)
    if "step" in kind.__slots__:
        fields["step"] = step
    if "error" in fields:
        fields["error"] = Error.from_json(fields["error"])
    if "arrivals" in fields:
        fields["arrivals"] = tuple(Arrival(*one) for one in fields["arrivals"])
    for name in _TUPLES & fields.keys():
        fields[name] = tuple(fields[name])
    for name in _PAIRS & fields.keys():
        fields[name] = tuple(tuple(pair) for pair in fields[name])
    event: Event = kind(**fields)
    return event
