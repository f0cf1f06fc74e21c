"""What a step can come to: it leaves by a port, waits, opens a scope, stops the run, or fails."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from apps.engine.values import Value


class StepError(Exception):
    """A step's foreseen failure.

    Args:
        code: Stable and machine-readable, e.g. ``http_status``.
        message: One sentence for the flow's owner.
        error_class: ``transient`` is tried again; ``permanent`` is not; ``human`` asks a person.
        output: What the step leaves by its ``error`` port, if anything.
        retry_after: The other side's own wish, if it said one.
        sent: Whether something may have reached the other side.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        error_class: Literal["transient", "permanent", "human", "unknown"] = "permanent",
        output: Value = None,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.error_class = error_class
        self.output = output
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Exit:
    """The step is done and leaves by ``port``, with so many tokens on each link.

    ``ports`` names all of them where it leaves by several at once.
    """

    port: str = "done"
    output: Value = None
    ports: tuple[str, ...] = ()
    times: int = 1


@dataclass(frozen=True, slots=True)
class OpenScope:
    """A step that contains steps begins.

    ``kind``: ``each`` runs what is inside once per item, ``repeat`` round by round, ``block``
    once. ``items`` are FEEL values, kept out of the run's state and read a few at a time. The
    rest: see ``engine.state.Scope``; ``needs`` is -1 where the step goes on at once.
    """

    kind: Literal["each", "repeat", "block"]
    items: Sequence[Any] = (None,)
    parallel: int = 1
    needs: int = 0
    tolerance: int = 1
    rest: Literal["cancel", "finish"] = "cancel"
    rounds: int = 1


@dataclass(frozen=True, slots=True)
class ItemEnd:
    """An item of a scope is through. ``more``: as many further items are to come."""

    output: Any = None
    more: int = 0
    is_enough: bool = False


@dataclass(frozen=True, slots=True)
class AddItems:
    """Items for the open scope ``to``."""

    to: str
    items: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Withdraw:
    """The work of these steps is withdrawn; scopes among them may go on with what they have."""

    steps: tuple[str, ...]
    completes: bool = False


@dataclass(frozen=True, slots=True)
class Respond:
    """Answer the caller who waits, then leave by ``port``."""

    status: int
    body: Value
    port: str = "done"
    output: Value = None


@dataclass(frozen=True, slots=True)
class Stop:
    """End the run at once."""

    outcome: Literal["completed", "failed"]
    message: str = ""
    output: Value = None


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Hold until a time; the timer leaves by ``done`` with ``output``."""

    until: datetime
    output: Value = None


@dataclass(frozen=True, slots=True)
class WaitForPerson:
    """Hold until people decide; ``request`` is what the inbox needs to open the task."""

    request: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WaitForRun:
    """Run another flow, named by id or exact name; hold until it ends where ``waits``."""

    flow: str
    version: str | int
    input: Value
    waits: bool = True


@dataclass(frozen=True, slots=True)
class EventWay:
    """An event that is waited for, and the port it leads to.

    ``key_of`` and ``where`` are FEEL over ``event``, empty where nothing is asked; ``known`` is
    what ``where`` reads of the run.
    """

    port: str
    type: str
    key: Value = None
    key_of: str = ""
    where: str = ""
    known: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TimeWay:
    """A moment that is waited for, and the port it leads to."""

    port: str
    until: datetime


@dataclass(frozen=True, slots=True)
class WaitForEvents:
    """Hold until the first of these; ways in the order in which they are drawn."""

    ways: tuple[EventWay | TimeWay, ...]


@dataclass(frozen=True, slots=True)
class Emit:
    """Publish an event, then leave by ``port`` with what names it.

    Until ``expires_at`` it also goes to whoever begins to wait for it.
    """

    type: str
    data: Value
    expires_at: datetime
    version: str = "1"
    subject: str = ""
    port: str = "done"


Waits = WaitUntil | WaitForPerson | WaitForEvents | WaitForRun
Outcome = Exit | Respond | Stop | Waits | OpenScope | AddItems | Withdraw | Emit
