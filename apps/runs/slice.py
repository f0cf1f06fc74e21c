"""One run while a driver has it: what it is told, what follows, and what must be written.

``Slice`` puts commands to the engine, turns what follows into journal rows, and keeps at hand
what later steps may read. Which commands a step comes to is said in ``evaluation``.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from apps.engine import commands as cmd
from apps.engine import events as ev
from apps.engine import feel
from apps.engine import run as engine
from apps.engine.graph import Graph
from apps.engine.state import ROOT, Key, frame_name
from apps.runs import stored
from apps.runs.contexts import Contexts
from apps.runs.event_ports import NewEvent, NewSubscription
from apps.runs.ports import TaskRequest
from apps.runs.wanted import (
    ChildRequest,
    JournalRow,
    LoadedRun,
    NewEffect,
    NewItem,
    NewTimer,
)
from apps.steps.document import CompiledFlow, CompiledStep

LARGE = 32 * 1024

# The value of an event that may be large, by event type.
BULKY = {
    "run.replayed": "given",
    "run.started": "trigger",
    "step.started": "input",
    "step.completed": "output",
    "step.failed": "output",
    "step.held": "output",
    "scope.opened": "input",
    "item.ended": "output",
    "items.added": "items",
}


class Slice:
    """What one run has come to in a driver's hands. Without a flow it has no steps."""

    def __init__(self, run: LoadedRun, flow: CompiledFlow | None, now: datetime) -> None:
        self.run = run
        self.graph = flow.graph if flow else Graph({}, ())
        self.steps: Mapping[str, CompiledStep] = flow.steps if flow else {}
        self.settings: Mapping[str, Any] = flow.settings if flow else {}
        self.now = now
        self.state = run.state
        self.rows: list[JournalRow] = []
        self.effects: list[NewEffect] = []
        self.timers: list[NewTimer] = []
        self.tasks: list[TaskRequest] = []
        self.items: list[NewItem] = []
        self.children: list[ChildRequest] = []
        self.events: list[NewEvent] = []
        self.subscriptions: list[NewSubscription] = []
        #: Visits that ended otherwise than by what they waited for, which must be closed.
        self.closing: set[Key] = set()
        self.blobs: dict[str, str] = {}
        self.error: ev.Error | None = None
        #: What the run gives to whoever started it, once it is completed.
        self.result: Any = None
        self.answered = False
        self.had_waits = bool(run.state.waits)
        #: Items may be left from earlier slices.
        self.had_items = bool(run.state.started) and (flow is None or self.graph.has_scopes)
        #: Characters of journal so far.
        self.size = 0
        self._placed = dict(run.state.placed)
        self.contexts = Contexts(run.run_id, run.state, run.loaded)
        self.contexts.started(run.trigger, run.started_at)
        #: The frame in which expressions are read.
        self.at = ROOT

    def apply(self, command: cmd.Command) -> None:
        """Journal what follows from a command; one that came too late changes nothing."""
        if isinstance(command, cmd.Open):
            self.had_waits = True
        try:
            produced = engine.advance(self.graph, self.state, command)
        except engine.StaleCommand:
            return
        first = self.state.seq - len(produced) + 1
        for seq, event in enumerate(produced, start=first):
            self._journal(seq, event)

    def _journal(self, seq: int, event: ev.Event) -> None:
        type_, step, data = ev.to_row(event)
        text = stored.dumps(data)
        self.size += len(text)
        if len(text) > LARGE and type_ in BULKY:
            text = self._set_aside(BULKY[type_], data)
        self.rows.append(JournalRow(seq, type_, step, text))
        self._learn(seq, event)

    def _learn(self, seq: int, event: ev.Event) -> None:
        """Keep at hand what later steps of this slice may read."""
        contexts = self.contexts
        match event:
            case ev.RunReplayed(_, _, mode, given):
                self.run.replay = {"mode": mode, "given": given}
            case ev.RunStarted(trigger, started_by):
                self.run.trigger, self.run.started_by = trigger, started_by
                self.run.started_at = self.now
                contexts.started(trigger, self.now)
            case ev.StepCompleted(name, visit, _, output):
                frame = self._placed.get((name, visit), event.frame)
                contexts.learn(frame, name, "output", output)
                contexts.forget_error(frame, name)
                if event.undoable:
                    contexts.loaded.by_row[seq] = output
                self._place(frame, event.arrivals)
                self._over(name, visit)
            case ev.StepFailed(name, visit, error, output):
                frame = self._placed.get((name, visit), ROOT)
                contexts.learn(frame, name, "error", error.as_json())
                if output is not None or event.port:
                    contexts.learn(frame, name, "output", output)
                self._place(frame, event.arrivals)
                self._over(name, visit)
            case ev.StepHeld(name, visit):
                self._over(name, visit)
            case ev.RunFailed(error):
                self.error = error
            case ev.RunCompleted(_, _, output):
                self.result = output
            case ev.Responded():
                self.answered = True
            case _:
                self._learn_of_scopes(event)

    def _learn_of_scopes(self, event: ev.Event) -> None:
        match event:
            case ev.ScopeOpened(step, visit):  # it may have been tried before
                self.run.loaded.results.pop((step, visit), None)
            case ev.ItemsBegun(step, visit, first, count, arrivals):
                each = len(arrivals) // count
                for at in range(count):
                    frame = frame_name((step, visit), first + at)
                    self._place(frame, arrivals[at * each : (at + 1) * each])
            case ev.ItemEnded(step, visit, index, outcome, output, reason):
                key = (step, visit)
                self.run.loaded.results.setdefault(key, {})[index] = (outcome, output, reason)
                keeps = outcome == "completed" and self.steps[step].type.kind != "for_each"
                into = self._placed.get(key, ROOT) if keeps else None
                self.contexts.close(frame_name(key, index), into)
            case ev.ItemsAdded(step, visit, items):
                first = self.state.scopes[step, visit].total - len(items)
                self.keep_items((step, visit), first, items)
            case ev.WorkWithdrawn():
                self.closing.update(event.visits)
                for frame, _ in event.frames:
                    self.contexts.close(frame, None)
            case ev.UndoStarted():
                self._placed[event.step, event.visit] = event.frame

    def _place(self, frame: str, arrivals: Iterable[ev.Arrival]) -> None:
        if frame != ROOT:
            self._placed.update({(one.step, one.visit): frame for one in arrivals})

    def keep_items(self, key: Key, first: int, items: Sequence[Any]) -> None:
        """Have the items of a scope stored, and at hand for the steps inside it."""
        for index, value in enumerate(items, start=first):
            self.run.loaded.items[frame_name(key, index)] = value
            self.items.append(NewItem(*key, index, value))

    def _over(self, step: str, visit: int) -> None:
        """A visit with a time limit or several ways leaves behind what else it waited for."""
        if step not in self.steps:
            return
        here = self.steps[step]
        if here.fields.time_limit is not None or here.type.has_ways:
            self.closing.add((step, visit))

    def _set_aside(self, name: str, data: dict[str, Any]) -> str:
        """The row without its large value, which is kept once per content."""
        large = stored.dumps(data[name])
        digest = sha256(large.encode()).hexdigest()
        self.blobs[digest] = large
        return stored.dumps({**data, name: None, "blob": {"field": name, "sha256": digest}})

    def feel(self, expression: feel.Expression) -> Any:
        return expression.evaluate(self.context, now=self.now, zone=self.run.zone)

    @property
    def context(self) -> dict[str, Any]:
        frame = self.at
        if self.state.frames[frame].undoing is not None:
            return self.contexts.undoing(frame)
        return self.contexts.of(frame)
