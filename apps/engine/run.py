"""A run as a pure state machine: ``decide`` says what follows, ``evolve`` folds it in.

Replaying a journal never evaluates an expression or a step: what an event caused (the links
its token took, the visits that began) stands in the event itself. The rules of the tokens
are engine rules 22 to 26.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from apps.engine import events as ev
from apps.engine.graph import TRIGGER, TRIGGER_PORT, Behaviour, Graph
from apps.engine.lifecycle import (
    FINAL_RUN,
    RUN_TRANSITIONS,
    STEP_TRANSITIONS,
    RunStatus,
    StepStatus,
    move,
)
from apps.engine.values import Value

Key = tuple[str, int]


class StaleCommand(Exception):
    """The command came too late or twice: drop it, nothing is wrong."""


@dataclass(slots=True)
class RunState:
    """The run so far: tokens, counters and references into the journal, never outputs.

    ``started`` is the row that started the run (0: none yet); ``outputs`` and ``errors`` name the
    journal row of a step's latest visit. ``queued`` and
    ``owed`` count, per link, tokens that wait at a join and those it will swallow.
    """

    status: RunStatus = RunStatus.QUEUED
    seq: int = 0
    started: int = 0
    activated: int = 0
    responded: bool = False
    visits: dict[str, int] = field(default_factory=dict)
    active: dict[Key, StepStatus] = field(default_factory=dict)
    queued: dict[int, int] = field(default_factory=dict)
    owed: dict[int, int] = field(default_factory=dict)
    arrived: dict[str, list[int]] = field(default_factory=dict)
    outputs: dict[str, int] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)

    @property
    def is_final(self) -> bool:
        """Whether nothing can happen any more."""
        return self.status in FINAL_RUN

    @property
    def ready(self) -> list[Key]:
        """The visits that have begun and are not evaluated yet, oldest first."""
        return [key for key, status in self.active.items() if status is StepStatus.READY]

    @property
    def waits(self) -> list[Key]:
        """The visits that a person, a time or a worker must resolve."""
        return [key for key, status in self.active.items() if status is not StepStatus.READY]

    def copy(self) -> "RunState":
        """An independent copy."""
        return replace(
            self,
            visits=dict(self.visits),
            active=dict(self.active),
            queued=dict(self.queued),
            owed=dict(self.owed),
            arrived={step: list(links) for step, links in self.arrived.items()},
            outputs=dict(self.outputs),
            errors=dict(self.errors),
        )


def decide(graph: Graph, state: RunState, command: ev.Command) -> list[ev.Event]:
    """The events that follow from a command, oldest first. Pure; ``state`` is not changed.

    Raises:
        StaleCommand: A repeated start, open or resume; outcomes that come too late are not
            stale but journaled as ignored.
    """
    return advance(graph, state.copy(), command)


def advance(graph: Graph, state: RunState, command: ev.Command) -> list[ev.Event]:
    """As :func:`decide`, and folds the events into ``state``: one copy fewer for the driver."""
    return _Decision(graph, state).take(command)


def evolve(state: RunState, event: ev.Event) -> RunState:
    """The state after an event. Total over stored events; the graph is not needed."""
    after = state.copy()
    apply(after, event)
    return after


def replay(events: Iterable[ev.Event]) -> RunState:
    """Rebuild a run from its journal: ``replay(journal) == snapshot``."""
    state = RunState()
    for event in events:
        apply(state, event)
    return state


class _Decision:
    """One command's consequences; every event is folded in as it is made."""

    def __init__(self, graph: Graph, state: RunState) -> None:
        self.graph = graph
        self.state = state
        self.events: list[ev.Event] = []

    def take(self, command: ev.Command) -> list[ev.Event]:
        match command:
            case ev.Start():
                self._start(command)
            case ev.Open(step, visit, kind, input_):
                self._expect(step, visit, StepStatus.READY)
                self._add(ev.StepStarted(step, visit, kind, input_))
            case ev.Complete() | ev.Fail() | ev.Finish() | ev.Retry() | ev.Attempt():
                self._outcome(command)
            case ev.Late(step, visit, outcome):
                self._add(ev.OutcomeIgnored(step, visit, outcome, "lease_lost"))
            case ev.Answer(step, status, body, in_time):
                delivered = in_time and not self.state.responded
                self._add(ev.Responded(step, status, body, delivered))
            case ev.Cancel(by, reason):
                if self.state.is_final:
                    raise StaleCommand("the run is over")
                self._add(ev.RunCancelled(by, reason))
            case ev.Pause(reason, detail):
                if self.state.is_final or self.state.status is RunStatus.PAUSED:
                    raise StaleCommand("the run is over or paused")
                self._add(ev.RunPaused(reason, detail))
            case ev.Resume(by):
                if self.state.status is not RunStatus.PAUSED:
                    raise StaleCommand("the run is not paused")
                self._add(ev.RunResumed(by))
                self._settle()
            case ev.Continue():
                pass
        return self.events

    def _start(self, command: ev.Start) -> None:
        if self.state.started:
            raise StaleCommand("the run has already started")
        arrivals = self._arrivals(TRIGGER, TRIGGER_PORT)
        self._add(ev.RunStarted(command.trigger, command.started_by, arrivals))
        self._settle()

    def _outcome(self, command: ev.Complete | ev.Fail | ev.Finish | ev.Retry | ev.Attempt) -> None:
        step, visit = command.step, command.visit
        if (step, visit) not in self.state.active:
            reason = "run_over" if self.state.is_final else "step_over"
            name = type(command).__name__.lower()
            self._add(ev.OutcomeIgnored(step, visit, name, reason))
            return
        match command:
            case ev.Complete(_, _, port, output):
                self._complete(step, visit, port, output)
            case ev.Fail(_, _, error, output):
                self._fail(step, visit, error, output)
            case ev.Finish(_, _, outcome, message):
                self._finish(step, visit, outcome, message)
            case ev.Retry(_, _, attempt, error, next_at):
                self._add(ev.StepRetried(step, visit, attempt, error, next_at))
            case ev.Attempt(_, _, attempt):
                if self.state.active[step, visit] is StepStatus.RETRYING:
                    self._add(ev.StepAttempted(step, visit, attempt))

    def _complete(self, step: str, visit: int, port: str, output: Any) -> None:
        links = self.graph.from_port(step, port)
        self._add(ev.StepCompleted(step, visit, port, output, self._arrivals(step, port)))
        if not links and port in self.graph.steps[step].fails_unlinked:
            message = f"“{step}” left by “{port}”, and nothing is linked there."
            self._add(ev.RunFailed(ev.Error(step, "permanent", port, message)))
        self._settle()

    def _fail(self, step: str, visit: int, error: ev.Error, output: Any) -> None:
        arrivals = self._arrivals(step, "error")
        self._add(ev.StepFailed(step, visit, error, output, arrivals))
        if not arrivals:
            self._add(ev.RunFailed(error))
        self._settle()

    def _finish(self, step: str, visit: int, outcome: str, message: str) -> None:
        output: Value = {"outcome": outcome, "message": message}
        self._add(ev.StepCompleted(step, visit, "", output, ()))
        if outcome == "completed":
            self._add(ev.RunCompleted(step, message))
            return
        said = message or f"The flow stopped at “{step}”."
        self._add(ev.RunFailed(ev.Error(step, "permanent", "stopped", said)))

    def _arrivals(
        self, source: str, port: str, owes: tuple[int, ...] = ()
    ) -> tuple[ev.Arrival, ...]:
        """What the tokens over that port's links meet, seen from the state before them.

        ``owes`` are links that a join swallows from now on.
        """
        fresh: dict[str, int] = {}
        paid: dict[int, int] = {}
        found = []
        for link in self.graph.from_port(source, port):
            target = self.graph.steps[link.target]
            if target.behaviour is Behaviour.JOIN:
                owed = self.state.owed.get(link.index, 0) + (link.index in owes)
                owed -= paid.get(link.index, 0)
                paid[link.index] = paid.get(link.index, 0) + (owed > 0)
                found.append(ev.Arrival(link.index, target.id, -1 if owed > 0 else 0))
            else:
                fresh[target.id] = fresh.get(target.id, self.state.visits.get(target.id, 0)) + 1
                found.append(ev.Arrival(link.index, target.id, fresh[target.id]))
        return tuple(found)

    def _settle(self) -> None:
        """Fire the joins that are due, then end the run if nothing is left or too much was done.

        A paused run is held: its joins fire and its end comes when it is resumed.
        """
        state = self.state
        if state.status is RunStatus.PAUSED or not state.started:
            return
        while (
            not state.is_final
            and state.activated <= self.graph.max_steps
            and (due := self._due_join()) is not None
        ):
            self._fire(due)
        if state.is_final:
            return
        if state.activated > self.graph.max_steps:
            self._add(ev.RunFailed(self._too_many()))
        elif not state.active:
            if any(state.queued.values()):
                self._add(ev.RunFailed(self._starved()))
            else:
                self._add(ev.RunCompleted("", ""))

    def _due_join(self) -> str | None:
        for step, links in self.state.arrived.items():
            distinct = len(set(links))
            if distinct and distinct >= self._needs(step):
                return step
        return None

    def _needs(self, step: str) -> int:
        return self.graph.steps[step].join_needs or len(self.graph.arriving[step])

    def _fire(self, step: str) -> None:
        arrived = list(dict.fromkeys(self.state.arrived[step]))
        order = arrived[: self._needs(step)]
        swallowed: tuple[int, ...] = ()
        owes: tuple[int, ...] = ()
        if self.graph.steps[step].join_needs:
            # Of the rest of the wave, what is here already goes now, the others as they come.
            swallowed = tuple(arrived[len(order) :])
            owes = tuple(
                link.index for link in self.graph.arriving[step] if link.index not in arrived
            )
        sources = {link.index: link.source for link in self.graph.arriving[step]}
        visit = self.state.visits.get(step, 0) + 1
        output: Value = {"links": [sources[index] for index in order]}
        self._add(
            ev.StepCompleted(
                step,
                visit,
                "done",
                output,
                self._arrivals(step, "done", owes),
                took=(*order, *swallowed),
                owes=owes,
            )
        )

    def _starved(self) -> ev.Error:
        missing = []
        step = ""
        for join, links in self.state.arrived.items():
            if links:
                step = step or join
                missing += [
                    f"{link.source} ({link.port})"
                    for link in self.graph.arriving[join]
                    if link.index not in links
                ]
        message = f"“{step}” still waits for {', '.join(missing)}, and nothing can come any more."
        return ev.Error(step, "permanent", "starved_join", message)

    def _too_many(self) -> ev.Error:
        step = max(self.state.visits, key=lambda one: self.state.visits[one])
        message = (
            f"More than {self.graph.max_steps} steps were run; the loop through “{step}”"
            f" was taken {self.state.visits[step]} times."
        )
        return ev.Error(step, "permanent", "too_many_steps", message)

    def _expect(self, step: str, visit: int, status: StepStatus) -> None:
        if self.state.active.get((step, visit)) is not status:
            raise StaleCommand(f"visit {visit} of {step!r} is not {status}")

    def _add(self, event: ev.Event) -> None:
        self.events.append(event)
        apply(self.state, event)


def apply(state: RunState, event: ev.Event) -> None:
    """Fold an event into ``state`` in place; :func:`evolve` is the pure form."""
    state.seq += 1
    _FOLDS[type(event)](state, event)


def _on_run_started(state: RunState, event: ev.RunStarted) -> None:
    state.started = state.seq
    _arrive(state, event.arrivals)
    _rest(state)


def _on_step_started(state: RunState, event: ev.StepStarted) -> None:
    after = StepStatus.RUNNING if event.kind == "effect" else StepStatus.WAITING
    _shift(state, event.step, event.visit, after)
    _rest(state)


def _on_step_completed(state: RunState, event: ev.StepCompleted) -> None:
    step = event.step
    _close(state, step, event.visit, StepStatus.COMPLETED)
    state.outputs[step] = state.seq
    state.errors.pop(step, None)
    _take(state, step, event.took, event.owes)
    _arrive(state, event.arrivals)
    _rest(state)


def _on_step_failed(state: RunState, event: ev.StepFailed) -> None:
    _close(state, event.step, event.visit, StepStatus.FAILED)
    state.errors[event.step] = state.seq
    if event.output is not None:
        state.outputs[event.step] = state.seq
    _arrive(state, event.arrivals)
    _rest(state)


def _on_step_retried(state: RunState, event: ev.StepRetried) -> None:
    if state.active[event.step, event.visit] is StepStatus.RUNNING:
        _shift(state, event.step, event.visit, StepStatus.RETRYING)
    _rest(state)


def _on_step_attempted(state: RunState, event: ev.StepAttempted) -> None:
    _shift(state, event.step, event.visit, StepStatus.RUNNING)
    _rest(state)


def _on_responded(state: RunState, event: ev.Responded) -> None:
    state.responded = state.responded or event.delivered


# What each event does to the state. An ignored outcome is only counted.
_FOLDS: Mapping[type[ev.Event], Callable[[RunState, Any], None]] = {
    ev.RunStarted: _on_run_started,
    ev.StepStarted: _on_step_started,
    ev.StepCompleted: _on_step_completed,
    ev.StepFailed: _on_step_failed,
    ev.StepRetried: _on_step_retried,
    ev.StepAttempted: _on_step_attempted,
    ev.OutcomeIgnored: lambda _state, _event: None,
    ev.Responded: _on_responded,
    ev.RunPaused: lambda state, _event: _become(state, RunStatus.PAUSED),
    ev.RunResumed: lambda state, _event: _become(state, _resting(state)),
    ev.RunCompleted: lambda state, _event: _end(state, RunStatus.COMPLETED),
    ev.RunFailed: lambda state, _event: _end(state, RunStatus.FAILED),
    ev.RunCancelled: lambda state, _event: _end(state, RunStatus.CANCELLED),
}


def _rest(state: RunState) -> None:
    """Running or waiting, by what is active; a paused or ended run stays what it is."""
    if state.status is not RunStatus.PAUSED and not state.is_final:
        _become(state, _resting(state))


def _resting(state: RunState) -> RunStatus:
    """Running while anything executes, else waiting (engine rule 26)."""
    if not state.started:
        return RunStatus.QUEUED
    executing = any(
        status in {StepStatus.READY, StepStatus.RUNNING} for status in state.active.values()
    )
    return RunStatus.WAITING if state.active and not executing else RunStatus.RUNNING


def _become(state: RunState, status: RunStatus) -> None:
    if status is not state.status:
        state.status = move(RUN_TRANSITIONS, state.status, status)


def _end(state: RunState, status: RunStatus) -> None:
    _become(state, status)
    state.active.clear()
    state.queued.clear()
    state.owed.clear()
    state.arrived.clear()


def _shift(state: RunState, step: str, visit: int, after: StepStatus) -> None:
    key = (step, visit)
    state.active[key] = move(STEP_TRANSITIONS, state.active[key], after)


def _close(state: RunState, step: str, visit: int, after: StepStatus) -> None:
    before = state.active.pop((step, visit), None)
    if before is not None:
        move(STEP_TRANSITIONS, before, after)
    else:  # a join has no visit before it fires
        state.visits[step] = visit
        state.activated += 1


def _take(state: RunState, step: str, took: tuple[int, ...], owes: tuple[int, ...]) -> None:
    for link in took:
        state.queued[link] -= 1
        state.arrived[step].remove(link)
    for link in owes:
        state.owed[link] = state.owed.get(link, 0) + 1


def _arrive(state: RunState, arrivals: tuple[ev.Arrival, ...]) -> None:
    for link, step, visit in ((one.link, one.step, one.visit) for one in arrivals):
        if visit == -1:
            state.owed[link] -= 1
        elif visit == 0:
            state.queued[link] = state.queued.get(link, 0) + 1
            state.arrived.setdefault(step, []).append(link)
        else:
            state.visits[step] = visit
            state.activated += 1
            state.active[step, visit] = StepStatus.READY


def to_json(state: RunState) -> dict[str, Any]:
    """The snapshot as it is stored."""
    return {
        "status": state.status.value,
        "seq": state.seq,
        "started": state.started,
        "activated": state.activated,
        "responded": state.responded,
        "visits": state.visits,
        "active": [[step, visit, status.value] for (step, visit), status in state.active.items()],
        "queued": [[link, count] for link, count in state.queued.items() if count],
        "owed": [[link, count] for link, count in state.owed.items() if count],
        "arrived": {step: links for step, links in state.arrived.items() if links},
        "outputs": state.outputs,
        "errors": state.errors,
    }


def from_json(data: Mapping[str, Any]) -> RunState:
    """The state that :func:`to_json` wrote."""
    if not data:
        return RunState()
    return RunState(
        status=RunStatus(data["status"]),
        seq=data["seq"],
        started=data["started"],
        activated=data["activated"],
        responded=data["responded"],
        visits=dict(data["visits"]),
        active={(step, visit): StepStatus(status) for step, visit, status in data["active"]},
        queued=dict(data["queued"]),
        owed=dict(data["owed"]),
        arrived={step: list(links) for step, links in data["arrived"].items()},
        outputs=dict(data["outputs"]),
        errors=dict(data["errors"]),
    )
