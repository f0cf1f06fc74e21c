"""What is asked of a run, in the imperative. What then happened to it is in ``events``."""

from dataclasses import dataclass
from typing import TypeAlias

from apps.engine.events import Error, RunReplayed
from apps.engine.values import Value


@dataclass(frozen=True, slots=True)
class Start:
    """Begin; ``trigger`` is what expressions read as ``trigger``.

    ``replay``: another run is done again, see :class:`RunReplayed`.
    """

    trigger: Value
    started_by: str = ""
    replay: RunReplayed | None = None


@dataclass(frozen=True, slots=True)
class Open:
    """The shell has made the wait or effect of a ready step; ``input`` is its resolved config."""

    step: str
    visit: int
    kind: str
    input: Value


@dataclass(frozen=True, slots=True)
class SkipTime:
    """A test run need not wait: it goes on as if it were ``until`` by now."""

    until: str


@dataclass(frozen=True, slots=True)
class Complete:
    """A visit is done and leaves by ``port``, with so many tokens on each link.

    ``ports`` names all of them where it leaves by several at once. ``taken``: from another run.
    """

    step: str
    visit: int
    port: str
    output: Value
    ports: tuple[str, ...] = ()
    times: int = 1
    taken: bool = False


@dataclass(frozen=True, slots=True)
class Fail:
    """A visit failed for good; it leaves by ``error`` where that is linked.

    ``resort`` is what the step says for that case: ``default`` goes on by its first port with
    ``output``, ``ask`` holds the visit until a person has said what to do; ``by`` is who said it.
    """

    step: str
    visit: int
    error: Error
    output: Value = None
    resort: str = ""
    by: str = ""
    taken: bool = False


@dataclass(frozen=True, slots=True)
class Repeat:
    """A person orders that a held visit be tried anew, under a new key."""

    step: str
    visit: int
    by: str


@dataclass(frozen=True, slots=True)
class Expire:
    """The time limit of a visit is over."""

    step: str
    visit: int


@dataclass(frozen=True, slots=True)
class OpenScope:
    """A step that contains steps begins, with so many items; see ``state.Scope``."""

    step: str
    visit: int
    kind: str
    count: int
    input: Value
    parallel: int = 1
    needs: int = 0
    tolerance: int = 1
    rest: str = "cancel"
    rounds: int = 1


@dataclass(frozen=True, slots=True)
class EndItem:
    """The result of an item in which nothing is left.

    ``more``: as many further items are to come. ``is_enough``: the step goes on with this one.
    """

    frame: str
    output: Value
    more: int = 0
    is_enough: bool = False


@dataclass(frozen=True, slots=True)
class FailItem:
    """The result of an item could not be told."""

    frame: str
    error: Error


@dataclass(frozen=True, slots=True)
class AddItems:
    """A step adds items to the open scope ``to`` around it or beside it, and is done."""

    step: str
    visit: int
    to: str
    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Withdraw:
    """A step withdraws the work of other steps, and is done.

    ``completes``: scopes among them go on with what they have.
    """

    step: str
    visit: int
    steps: tuple[str, ...]
    completes: bool = False


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
    """A stop step was reached; ``outcome`` is ``completed`` or ``failed``.

    ``output`` is what the run gives to whoever started it.
    """

    step: str
    visit: int
    outcome: str
    message: str
    output: Value = None


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
    """Hold the run where it is; ``reason`` is ``person`` or ``engine_fault``, ``by`` a person."""

    reason: str
    detail: str = ""
    by: str = ""


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
    | SkipTime
    | Complete
    | Fail
    | Repeat
    | Expire
    | OpenScope
    | EndItem
    | FailItem
    | AddItems
    | Withdraw
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
