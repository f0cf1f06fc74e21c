"""Say beforehand what a test run will do: the same evaluation, in memory, with nothing written.

``Foreseen`` drives a document to its end with every effect answered and every wait passed over.
What it comes to is what is announced; a test run is then given the part of the document that was
come by and nothing else, so that it cannot do what was not announced.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Any
from uuid import UUID

from apps.engine import events as ev
from apps.engine.graph import Behaviour
from apps.engine.state import RunState
from apps.engine.working_time import STANDARD, Calendar
from apps.runs.evaluation import Evaluation
from apps.runs.given import HEARD_OUTSIDE
from apps.runs.trying import TEST
from apps.runs.wanted import LoadedRun
from apps.steps.document import CompiledFlow, CompiledStep

#: A document that comes to more is not foreseen to its end.
MOST_EVENTS = 20_000
MOST_SECONDS = 3.0
#: So many of the things that one step would send are shown.
MOST_SHOWN = 5


@dataclass(frozen=True)
class World:
    """What an evaluation reads beside the document."""

    workspace_id: UUID
    flow_id: UUID
    started_by: str
    now: datetime
    zone: str = "UTC"
    calendar: Calendar = STANDARD


@dataclass
class Told:
    """What a test did, or will do, in the order in which steps were come by."""

    #: By step: how often it ran, and what it was given where that would leave.
    times: dict[str, int] = field(default_factory=dict)
    given: dict[str, list[Any]] = field(default_factory=dict)
    outcomes: dict[str, dict[str, Any]] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    #: The places of the links that were taken.
    links: set[int] = field(default_factory=set)
    ended: str = ""
    error: dict[str, Any] | None = None
    skipped_to: str = ""


class Foreseen(Evaluation):
    """An evaluation whose journal is kept as it is told, and written nowhere."""

    def __init__(self, run: LoadedRun, flow: CompiledFlow, now: datetime) -> None:
        super().__init__(run, flow, now)
        self.told: list[ev.Event] = []

    def _journal(self, seq: int, event: ev.Event) -> None:
        self.told.append(event)
        self._learn(seq, event)

    def to_the_end(self, trigger: Any, given: Mapping[str, Any]) -> list[ev.Event]:
        """Start, and go on until nothing is left or it becomes too much."""
        replay = {"of": "", "from_step": "", "mode": TEST, "given": given}
        payload = {"trigger": trigger, "started_by": self.run.started_by, "replay": replay}
        until = monotonic() + MOST_SECONDS
        self.take([("start", payload)])
        count = -1
        while self.cut and count < len(self.told) < MOST_EVENTS and monotonic() < until:
            count = len(self.told)
            self.cut, self._steps = False, 0
            self.go_on()
        return self.told


def foresee(
    flow: CompiledFlow, trigger: Any, given: Mapping[str, Any], world: World
) -> list[ev.Event]:
    """What a test run of a document would journal, were everything answered."""
    nowhere = UUID(int=0)
    run = LoadedRun(
        run_id=nowhere,
        workspace_id=world.workspace_id,
        flow_id=world.flow_id,
        version_id=nowhere,
        lane=world.flow_id,
        state=RunState(),
        awaited_until=None,
        zone=world.zone,
        calendar=world.calendar,
        started_by=world.started_by,
    )
    return Foreseen(run, flow, world.now).to_the_end(trigger, {**given, "live": []})


def tell(events: Iterable[ev.Event], stand_ins: Iterable[str] = ()) -> Told:
    """Sum up a journal: which steps ran and how often, and what they were given."""
    told = Told()
    aside = set(stand_ins)
    seen: set[tuple[str, int]] = set()
    for event in events:
        told.links.update(one.link for one in getattr(event, "arrivals", ()))
        match event:
            case ev.StepStarted() | ev.StepCompleted() | ev.StepFailed() | ev.ScopeOpened():
                if event.step in aside:
                    continue
                key = (event.step, event.visit)
                if key not in seen:
                    seen.add(key)
                    told.times[event.step] = told.times.get(event.step, 0) + 1
                _learn(told, event)
            case ev.TimeSkipped(until):
                told.skipped_to = until
            case ev.RunCompleted():
                told.ended = "completed"
            case ev.RunFailed(error):
                told.ended, told.error = "failed", error.as_json()
            case ev.RunCancelled():
                told.ended = "cancelled"
    return told


def _learn(told: Told, event: Any) -> None:
    match event:
        case ev.StepStarted(step, _, kind, given):
            told.kinds[step] = kind
            shown = told.given.setdefault(step, [])
            if len(shown) < MOST_SHOWN:
                shown.append(given)
        case ev.StepCompleted(step, _, port, output):
            told.outcomes[step] = {"port": port, "output": output}
        case ev.StepFailed(step, _, error, output):
            told.outcomes[step] = {"error": error.as_json(), "output": output}


def does(step: CompiledStep, live: Sequence[str]) -> str:
    """What a test does with a step: ``runs``, ``sends``, ``answered``, ``asked`` or ``waits``."""
    if step.type.behaviour is Behaviour.EFFECT:
        return "sends" if step.id in live else "answered"
    if step.type.kind in HEARD_OUTSIDE:
        return "answered"
    if step.type.behaviour is Behaviour.WAIT:
        does = {"approval": "asked", "fill_in": "asked", "delay": "waits"}
        return does.get(step.type.kind, "answered")
    return "runs"


def shown(flow: CompiledFlow, told: Told, live: Sequence[str]) -> list[dict[str, Any]]:
    """The steps of a test as they are told to people, in order."""
    found = []
    for name, times in told.times.items():
        step = flow.steps[name]
        what = does(step, live)
        outcome = told.outcomes.get(name, {})
        found.append(
            {
                "id": name,
                "title": step.title,
                "type": step.type.kind,
                "times": times,
                "does": what,
                "outward": step.type.behaviour is Behaviour.EFFECT
                or step.type.kind in HEARD_OUTSIDE,
                "ports": list(dict.fromkeys((*step.ports, *_errs(step)))) if what != "runs" else [],
                "port": outcome.get("port") or ("error" if "error" in outcome else None),
                "given": told.given.get(name, []),
                "output": outcome.get("output"),
            }
        )
    return found


def would_leave(steps: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """How much of what kind would leave, or has left: ``[{type, sent, count}]``."""
    counts: dict[tuple[str, bool], int] = {}
    for one in steps:
        if one["outward"]:
            key = (one["type"], one["does"] == "sends")
            counts[key] = counts.get(key, 0) + one["times"]
    return [
        {"type": type_, "sent": sent, "count": count} for (type_, sent), count in counts.items()
    ]


def _errs(step: CompiledStep) -> tuple[str, ...]:
    return ("error",) if step.type.behaviour is Behaviour.EFFECT else ()
