"""Evaluate the pure part of one run: no database, no clock, no randomness.

``Evaluation`` takes a run's commands, asks the engine what follows, evaluates the steps that
are ready, and gathers what must be written: journal rows, effects, timers, tasks. The driver
loads before and writes after.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from hashlib import sha256
from time import perf_counter
from typing import Any
from uuid import uuid5

from apps.engine import events as ev
from apps.engine import feel, scopes, values
from apps.engine import run as engine
from apps.engine.graph import Behaviour, Graph
from apps.engine.lifecycle import RunStatus, StepStatus
from apps.engine.state import ROOT, Key, frame_name, split_frame
from apps.runs import stored
from apps.runs.contexts import Contexts, NotLoaded, part_of
from apps.runs.event_ports import NewEvent, NewSubscription, cause_of
from apps.runs.given import NOT_SENT, command_for, place_of
from apps.runs.ports import NOBODY, Refusal, TaskKind, TaskRequest
from apps.runs.reading import read_command
from apps.runs.wanted import (
    ChildRequest,
    EffectLimit,
    JournalRow,
    LoadedRun,
    NewEffect,
    NewItem,
    NewTimer,
    activation_key,
    child_id,
    event_id,
)
from apps.steps import contracts
from apps.steps.document import (
    CompiledFlow,
    CompiledStep,
    cell_source,
    expression_source,
    validated,
)
from apps.steps.registry import (
    AddItems,
    Emit,
    Exit,
    OpenScope,
    Respond,
    StepError,
    Stop,
    TimeWay,
    WaitForEvents,
    WaitForPerson,
    WaitForRun,
    WaitUntil,
    Withdraw,
)
from apps.steps.types.delay import after

MAX_STEPS_A_SLICE = 200
MAX_SECONDS_A_SLICE = 0.05
MAX_JOURNAL_A_SLICE = 1_000_000
LARGE = 32 * 1024
DEFAULT_TRIES = 4

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


#: What steps come to that nobody outside hears of and nobody must end.
_INSIDE = (Exit, Respond, Stop, OpenScope, AddItems, Withdraw)


class Evaluation:
    """One run's slice. Not safe to use again after an exception: the run is then paused.

    Without a flow it can be paused or cancelled, and nothing else.
    """

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
        #: What failed in this slice and is held until a person has said what to do.
        self._held: dict[Key, ev.Fail] = {}
        self.cut = False
        self._size = 0
        self._steps = 0
        self._opened: set[Key] = set()
        self._placed = dict(run.state.placed)
        self._contexts = Contexts(run.run_id, run.state, run.loaded)
        self._contexts.started(run.trigger, run.started_at)
        self._at = ROOT

    def take(self, commands: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Apply stored commands in order, then evaluate until the run is blocked or cut."""
        for kind, payload in commands:
            if self.state.is_final and kind in {"start", "cancel", "pause", "resume"}:
                continue
            command = read_command(kind, payload, self.run)
            if isinstance(command, ev.Fail):
                self._fail_with(command, payload.get("attempts") or 0)
            elif isinstance(command, ev.Expire) and self._fails_late(command):
                late = engine.overdue(command.step)
                self._fail_with(ev.Fail(command.step, command.visit, late))
            else:
                self._apply(command)
        if self.steps:
            self.go_on()

    def refuse(self, refusal: Refusal) -> None:
        """A task could not be opened: the step fails, and the run goes on from there."""
        key = (refusal.step, refusal.visit)
        held = self._held.pop(key, None)
        if held is not None and key in self.state.held:
            message = f"{held.error.message} {refusal.message}"
            error = replace(held.error, message=message)
            self._apply(ev.Fail(*key, error, held.output, by=NOBODY))
        else:
            error = ev.Error(refusal.step, "permanent", refusal.code, refusal.message)
            self._fail_with(ev.Fail(*key, error))
        self.go_on()

    def go_on(self) -> None:
        """Evaluate ready steps until none is left, or the slice is used up."""
        started = perf_counter()
        while self.state.status is not RunStatus.PAUSED and (work := self._next()) is not None:
            if (
                self._steps >= MAX_STEPS_A_SLICE
                or self._size >= MAX_JOURNAL_A_SLICE
                or perf_counter() - started > MAX_SECONDS_A_SLICE
            ):
                self.cut = True
                return
            self._steps += 1
            try:
                work()
            except NotLoaded:
                self.cut = True
                return

    def _next(self) -> Callable[[], None] | None:
        """What is due: a step that is ready, an item that is through, a scope that is."""
        for key, status in self.state.active.items():
            if status is StepStatus.READY:
                return partial(self._evaluate, *key)
        for frame in self.state.ending:
            return partial(self._end_item, frame)
        if self.state.scopes and (done := self.state.collectable) is not None:
            return partial(self._collect, done)
        return None

    def _apply(self, command: ev.Command) -> None:
        if isinstance(command, ev.Open):
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
        self._size += len(text)
        if len(text) > LARGE and type_ in BULKY:
            text = self._set_aside(BULKY[type_], data)
        self.rows.append(JournalRow(seq, type_, step, text))
        self._learn(seq, event)

    def _learn(self, seq: int, event: ev.Event) -> None:
        """Keep at hand what later steps of this slice may read."""
        contexts = self._contexts
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
                self._contexts.close(frame_name(key, index), into)
            case ev.ItemsAdded(step, visit, items):
                first = self.state.scopes[step, visit].total - len(items)
                self._keep_items((step, visit), first, items)
            case ev.WorkWithdrawn():
                self.closing.update(event.visits)
                for frame, _ in event.frames:
                    self._contexts.close(frame, None)
            case ev.UndoStarted():
                self._placed[event.step, event.visit] = event.frame

    def _place(self, frame: str, arrivals: Iterable[ev.Arrival]) -> None:
        if frame != ROOT:
            self._placed.update({(one.step, one.visit): frame for one in arrivals})

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

    def _evaluate(self, step_id: str, visit: int) -> None:
        step = self.steps[step_id]
        self._at = self.state.frame_of((step_id, visit))
        if self.run.replay is not None and self._takes_over(step, visit, self.run.replay):
            return
        try:
            if step.type.behaviour is Behaviour.EFFECT:
                self._open_effect(step, visit)
            else:
                outcome = step.type.run(step.config(self._feel), _Context(self))
                if self._is_dry and not isinstance(outcome, _INSIDE):
                    self._stop_dry(step, visit)
                else:
                    self._settle(step, visit, outcome)
        except feel.FeelError as wrong:
            self._fail(step_id, visit, f"expression.{wrong.code}", wrong.message)
        except StepError as wrong:
            class_ = "human" if wrong.error_class == "human" else "permanent"
            error = ev.Error(step_id, class_, wrong.code, wrong.message)
            self._fail_with(ev.Fail(step_id, visit, error))
        except values.TooLarge as wrong:
            self._fail(
                step_id,
                visit,
                wrong.code,
                f"What the step is given, or gives, cannot be kept: {wrong}",
            )
        except values.NotJson as wrong:
            self._fail(step_id, visit, "bad_output", f"The step's result cannot be kept: {wrong}")

    def _takes_over(self, step: CompiledStep, visit: int, replay: Mapping[str, Any]) -> bool:
        """Whether a visit has the outcome of another run's, or must not be done in a dry run."""
        recorded = replay["given"].get(place_of(self.state, self._at, step.id), ())
        at = self.state.frames[self._at].taken.get(step.id, 0)
        if at < len(recorded):
            self._apply(command_for(recorded[at], step.id, visit))
            return True
        if not self._is_dry or step.type.behaviour is not Behaviour.EFFECT:
            return False
        if step.id in self.graph.compensations:
            self._apply(ev.Complete(step.id, visit, step.ports[0], NOT_SENT, taken=True))
        else:
            self._stop_dry(step, visit)
        return True

    @property
    def _is_dry(self) -> bool:
        return self.run.replay is not None and self.run.replay["mode"] == "dry"

    def _stop_dry(self, step: CompiledStep, visit: int) -> None:
        """A dry run ends where something would be sent or waited for that has no outcome."""
        message = f"The dry run stops here: nothing is recorded of “{step.title}”."
        self._apply(ev.Finish(step.id, visit, "completed", message))

    def _settle(self, step: CompiledStep, visit: int, outcome: object) -> None:
        match outcome:
            case Exit(port, output, ports, times):
                values.check_kept(output)
                self._apply(ev.Complete(step.id, visit, port, output, ports, times))
            case Respond(status, body, port, output):
                values.check(body)
                until = self.run.awaited_until
                in_time = until is not None and self.now <= until
                self._apply(ev.Answer(step.id, status, body, in_time))
                self._apply(ev.Complete(step.id, visit, port, output))
            case Stop(result, message, output):
                self._hold_to_contract(result, output)
                self._apply(ev.Finish(step.id, visit, result, message, output))
            case WaitForRun():
                self._start_run(step, visit, outcome)
                self._limit(step, visit)
            case WaitUntil(until, output):
                self._apply(ev.Open(step.id, visit, "timer", {"until": until.isoformat()}))
                self.timers.append(NewTimer(step.id, visit, until, output))
                self._limit(step, visit)
            case WaitForPerson(request):
                values.check(request)
                self._apply(ev.Open(step.id, visit, "user_task", dict(request)))
                self.tasks.append(self._task(step, visit, request, "approval"))
                self._limit(step, visit)
            case WaitForEvents():
                self._subscribe(step, visit, outcome)
                self._limit(step, visit)
            case Emit():
                self._emit(step, visit, outcome)
            case OpenScope():
                self._open_scope(step, visit, outcome)
            case AddItems(to, items):
                added: Any = feel.to_json(list(items))
                values.check(added)
                if scopes.receiver(self.state, (step.id, visit), to) is None:
                    self._fail_with(ev.Fail(step.id, visit, scopes.not_open(step.id, to)))
                else:
                    self._apply(ev.AddItems(step.id, visit, to, tuple(added)))
            case Withdraw(names, completes):
                self._apply(ev.Withdraw(step.id, visit, names, completes))
            case _:
                raise TypeError(f"{step.type.kind} returned {type(outcome).__name__}.")

    def _subscribe(self, step: CompiledStep, visit: int, asked: WaitForEvents) -> None:
        """Wait for the first of several; of the moments only the nearest can be that."""
        shown: list[Any] = []
        times: list[TimeWay] = []
        run = self.run
        for place, way in enumerate(asked.ways):
            if isinstance(way, TimeWay):
                times.append(way)
                shown.append({"port": way.port, "until": way.until.isoformat()})
                continue
            values.check(way.key)
            shown.append({"port": way.port, "type": way.type, "key": way.key})
            self.subscriptions.append(
                NewSubscription(run.workspace_id, run.run_id, run.lane, step.id, visit, place, way)
            )
        self._apply(ev.Open(step.id, visit, "event", {"ways": shown}))
        if times:
            first = min(times, key=lambda one: one.until)
            output = {"port": first.port, "event": None, "until": first.until.isoformat()}
            self.timers.append(NewTimer(step.id, visit, first.until, output, port=first.port))

    def _start_run(self, step: CompiledStep, visit: int, asked: WaitForRun) -> None:
        """Ask for the run of another flow; the driver writes it, or has it refused."""
        values.check(asked.input)
        run = self.run
        generation = self.state.generations.get((step.id, visit), 1)
        id_ = child_id(self.now, run.run_id, step.id, visit, generation)
        shown: Any = {"run": str(id_), "flow": asked.flow, "version": asked.version}
        self._apply(ev.Open(step.id, visit, "run", {**shown, "input": asked.input}))
        self.children.append(
            ChildRequest(
                id=id_,
                workspace_id=run.workspace_id,
                version_id=run.version_id,
                run_id=run.run_id,
                lane=run.lane,
                step=step.id,
                visit=visit,
                flow=asked.flow,
                version=asked.version,
                input=asked.input,
                waits=asked.waits,
                depth=run.depth + 1,
                started_by=run.started_by,
                event=run.trigger.get("event") if isinstance(run.trigger, Mapping) else None,
            )
        )

    def go_on_without(self, child: ChildRequest) -> None:
        """The run that a step does not wait for is there."""
        output: Any = {"run": str(child.id), "status": "queued", "output": None}
        self._apply(ev.Complete(child.step, child.visit, "done", output))
        self.go_on()

    def _hold_to_contract(self, result: str, output: Any) -> None:
        """What the run gives fits what the flow says that it gives. Raises ``StepError``."""
        values.check(output)
        if result == "completed" and (wrong := contracts.faults(self._promised, output)):
            raise StepError("bad_output", f"What the flow gives does not fit: {'; '.join(wrong)}.")

    @property
    def _promised(self) -> Any:
        """The schema of what the flow gives, or None."""
        contract = self.settings.get("contract")
        return contract.get("output") if isinstance(contract, Mapping) else None

    def result_for_caller(self) -> tuple[str, dict[str, Any]]:
        """The command for the run that waits for this one, which is over, and its payload."""
        caller, run_id = self.run.caller, str(self.run.run_id)
        if caller is None:
            raise RuntimeError(f"Nobody waits for run {run_id}.")
        payload: dict[str, Any] = {"step": caller.step, "visit": caller.visit}
        status = self.state.status
        output: Any = {"run": run_id, "status": status.value, "output": self.result}
        if status is RunStatus.COMPLETED:
            wrong = contracts.faults(self._promised, self.result)
            if not wrong:
                return "complete", {**payload, "port": "done", "output": output}
            code, message = "bad_output", f"What the flow gave does not fit: {'; '.join(wrong)}."
        elif status is RunStatus.CANCELLED or self.error is None:
            code, message = "run_cancelled", "The run of the other flow was cancelled."
        else:
            code = "bad_output" if self.error.code == "bad_output" else "run_failed"
            message = f"The run of the other flow failed: {self.error.message}"
        error = ev.Error(caller.step, "permanent", code, message).as_json()
        return "fail", {**payload, "error": error, "output": {**output, "output": None}}

    def _emit(self, step: CompiledStep, visit: int, asked: Emit) -> None:
        run = self.run
        id_ = event_id(self.now, run.run_id, step.id, visit)
        self.events.append(
            NewEvent(
                id=id_,
                workspace_id=run.workspace_id,
                flow_id=run.flow_id,
                run_id=run.run_id,
                step=step.id,
                type=asked.type,
                version=asked.version,
                subject=asked.subject,
                data=asked.data,
                at=self.now,
                expires_at=asked.expires_at,
                cause=cause_of(run.trigger, run.run_id),
            )
        )
        output: Any = {"id": str(id_), "type": asked.type, "time": self.now.isoformat()}
        self._apply(ev.Complete(step.id, visit, asked.port, output))

    def _open_effect(self, step: CompiledStep, visit: int) -> None:
        resolved: Any = step.resolve(self._feel) if step.resolve else step.raw
        values.check_kept(resolved)
        config = validated(step.type.config, resolved)
        given = step.fields.retry
        tries = getattr(getattr(config, "retry", None), "max_attempts", DEFAULT_TRIES)
        if given is not None and given.transient is not None and "retry" not in step.raw:
            tries = given.transient.max_attempts
        limit = self._effect_limit(step)
        generation = self.state.generations.get((step.id, visit), 1)
        key = self._key(step.id, visit, generation)
        self._apply(ev.Open(step.id, visit, "effect", resolved))
        self.effects.append(
            NewEffect(
                step.id,
                visit,
                step.type.kind,
                step.type.version,
                resolved,
                tries,
                key,
                generation,
                given.model_dump(exclude_none=True) if given is not None else None,
                limit,
            )
        )
        self._limit(step, visit)

    def _effect_limit(self, step: CompiledStep) -> EffectLimit | None:
        """The limit under which an effect stands, over all runs of the flow."""
        limit = step.fields.concurrency
        if limit is None:
            return None
        name, text = "", ""
        if step.limit_key is not None:
            value: Any = feel.to_json(self._feel(step.limit_key))
            values.check(value)
            text = values.dumps(value)
            name = value if isinstance(value, str) else text
        return EffectLimit(uuid5(self.run.flow_id, f"{step.id}:{text}"), limit.max, name[:200])

    def _key(self, step: str, visit: int, generation: int) -> str:
        """The idempotency key of an effect. What undoes a visit has one by what it undoes."""
        undoing = self.state.frames[self._at].undoing
        if undoing is not None and undoing[0] == (step, visit):
            step, visit = f"undo:{undoing[1].step}", undoing[1].visit
        return activation_key(self.run.run_id, step, visit, generation)

    def _limit(self, step: CompiledStep, visit: int) -> None:
        """Start the clock of a step that says how long it may take."""
        if step.fields.time_limit is not None:
            until = after(self.now, step.fields.time_limit)
            self.timers.append(NewTimer(step.id, visit, until, None, kind="limit"))

    def _open_scope(self, step: CompiledStep, visit: int, asked: OpenScope) -> None:
        key = (step.id, visit)
        items: Any = feel.to_json(list(asked.items))
        values.check(items)
        self._opened.add(key)
        self._apply(
            ev.OpenScope(
                step.id,
                visit,
                asked.kind,
                len(items),
                {"items": items} if asked.kind == "each" else {},
                asked.parallel,
                asked.needs,
                asked.tolerance,
                asked.rest,
                asked.rounds,
            )
        )
        if asked.kind == "each":
            self._keep_items(key, 0, items)
        self._limit(step, visit)

    def _keep_items(self, key: Key, first: int, items: Sequence[Any]) -> None:
        for index, value in enumerate(items, start=first):
            self.run.loaded.items[frame_name(key, index)] = value
            self.items.append(NewItem(*key, index, value))

    def _end_item(self, frame: str) -> None:
        """Nothing is left in an item: its scope says what came of it."""
        (step_id, _), index = split_frame(frame)
        step = self.steps[step_id]
        self._at = frame
        error: ev.Error | None = None
        try:
            ended = step.type.ends_item(step.config(self._feel), _ItemContext(self, frame, index))
            output: Any = feel.to_json(ended.output)
            values.check(output)
            self._apply(ev.EndItem(frame, output, ended.more, ended.is_enough))
        except feel.FeelError as wrong:
            error = ev.Error(step_id, "permanent", f"expression.{wrong.code}", wrong.message)
        except StepError as wrong:
            error = ev.Error(step_id, "permanent", wrong.code, wrong.message)
        except values.NotJson as wrong:
            message = f"The item's result cannot be kept: {wrong}"
            error = ev.Error(step_id, "permanent", "bad_output", message)
        if error is not None:
            self._apply(ev.FailItem(frame, error))

    def _collect(self, key: Key) -> None:
        """A scope is through: gather what its items gave, or go on though it has failed.

        Raises:
            NotLoaded: It was opened in an earlier slice, and its results were not read.
        """
        then = self.state.scopes[key].then
        if then is not None and "error" in then:
            self._fail_with(ev.Fail(*key, ev.Error.from_json(then["error"])))
            return
        results = self.run.loaded.results.get(key, {})
        if key not in self._opened and key not in self.run.loaded.collected:
            raise NotLoaded
        scope = self.state.scopes[key]
        done = [results[index] for index in sorted(results)]
        output: dict[str, Any]
        if scope.kind == "each":
            output = {
                "results": [value for outcome, value, _ in done if outcome == "completed"],
                "failed": [
                    {"index": index, "error": results[index][2]}
                    for index in sorted(results)
                    if results[index][0] == "failed"
                ],
                "count": scope.total,
            }
        else:
            output = {"result": done[-1][1] if done else None}
            if scope.kind == "repeat":
                output["count"] = len(done)
        self._apply(ev.Complete(*key, "done", output))

    def _task(
        self, step: CompiledStep, visit: int, request: Mapping[str, Any], kind: TaskKind
    ) -> TaskRequest:
        run = self.run
        return TaskRequest(
            workspace_id=run.workspace_id,
            flow_id=run.flow_id,
            version_id=run.version_id,
            run_id=run.run_id,
            lane=run.lane,
            step=step.id,
            visit=visit,
            step_title=step.title,
            request=request,
            kind=kind,
            generation=self.state.generations.get((step.id, visit), 1),
        )

    def _fail(self, step: str, visit: int, code: str, message: str) -> None:
        self._fail_with(ev.Fail(step, visit, ev.Error(step, "permanent", code, message)))

    def _fail_with(self, failed: ev.Fail, attempts: int = 0) -> None:
        """A visit failed for good: what the step itself says of that case comes first.

        ``attempts``: how often a worker tried, where one did.
        """
        key = (failed.step, failed.visit)
        step = self.steps.get(failed.step)
        is_open = key in self.state.active and key not in self.state.held
        if step is not None and key in self.state.held and failed.resort == "default":
            self._apply(replace(failed, output=self._default_output(step, key)[0]))
        elif step is None or not is_open:
            self._apply(failed)
        elif self._asks(step, failed.error):
            self._hold(step, failed, attempts)
        elif step.resort == "default":
            output, is_told = self._default_output(step, key)
            plain = failed if not is_told else ev.Fail(*key, failed.error, output, "default")
            self._apply(plain)
        else:
            self._apply(failed)

    def _asks(self, step: CompiledStep, error: ev.Error) -> bool:
        """Whether people are asked what to do about a failure.

        Where the step says nothing itself, they are asked about errors of the class ``human``,
        and about what could not be undone.
        """
        if step.fields.on_error is not None:
            return step.resort == "ask"
        return error.error_class == "human" or step.id in self.graph.compensations

    def _hold(self, step: CompiledStep, failed: ev.Fail, attempts: int) -> None:
        key = (failed.step, failed.visit)
        self._apply(replace(failed, resort="ask"))
        self._held[key] = failed
        request = {"error": failed.error.as_json(), "attempts": attempts}
        self.tasks.append(self._task(step, failed.visit, request, "exception"))

    def _default_output(self, step: CompiledStep, key: Key) -> tuple[Any, bool]:
        """What the step goes on with when it has failed, and whether it could be told."""
        self._at = self.state.frame_of(key)
        try:
            output: Any = step.default_output(self._feel)
            values.check(output)
        except (feel.FeelError, values.NotJson):
            return None, False
        return output, True

    def _fails_late(self, command: ev.Expire) -> bool:
        """Whether a visit that takes too long fails: it has no way out for that, and no items."""
        key = (command.step, command.visit)
        is_open = key in self.state.active and key not in self.state.scopes
        return is_open and not self.graph.from_port(command.step, "timeout")

    def _feel(self, expression: feel.Expression) -> Any:
        return expression.evaluate(self._context, now=self.now, zone=self.run.zone)

    @property
    def _context(self) -> dict[str, Any]:
        frame = self._at
        if self.state.frames[frame].undoing is not None:
            return self._contexts.undoing(frame)
        return self._contexts.of(frame)


class _Context:
    """What a pure or waiting step may use; see ``registry.PureContext``."""

    __slots__ = ("_evaluation", "calendar", "now", "zone")

    def __init__(self, evaluation: Evaluation) -> None:
        self._evaluation = evaluation
        self.now = evaluation.now
        self.zone = evaluation.run.zone
        self.calendar = evaluation.run.calendar

    def evaluate(self, expression: str) -> Any:
        compiled = feel.compile_expression(expression_source(expression))
        return self._evaluation._feel(compiled)  # noqa: SLF001 - two halves of one object

    def matches(self, tests: str, value: Any) -> bool:
        compiled = feel.compile_unary_tests(cell_source(tests))
        context = self._evaluation._context  # noqa: SLF001 - as above
        return compiled.hold(value, context, now=self.now, zone=self.zone)

    def requester(self) -> str:
        return self._evaluation.run.started_by

    def known_to(self, expression: str, but: Sequence[str]) -> Mapping[str, Any]:
        compiled = feel.compile_expression(expression_source(expression))
        context = self._evaluation._context  # noqa: SLF001 - as above
        paths = (one for one in compiled.paths | compiled.possible_paths if one[0] not in but)
        return part_of(context, paths)


class _ItemContext(_Context):
    """What a scope may use to judge an item; see ``registry.ItemContext``."""

    __slots__ = ("_frame", "failed", "index", "succeeded")

    def __init__(self, evaluation: Evaluation, frame: str, index: int) -> None:
        super().__init__(evaluation)
        scope = evaluation.state.scopes[split_frame(frame)[0]]
        self._frame = frame
        self.index = index
        self.succeeded = scope.succeeded + 1
        self.failed = scope.failed

    def last_output(self) -> Any:
        return self._evaluation._contexts.last_output(self._frame)  # noqa: SLF001 - as above

    def evaluate_with(self, expression: str, names: Mapping[str, Any]) -> Any:
        compiled = feel.compile_expression(expression_source(expression))
        context = {**self._evaluation._context, **names}  # noqa: SLF001 - as above
        return compiled.evaluate(context, now=self.now, zone=self.zone)
