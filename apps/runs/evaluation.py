"""Evaluate the pure part of one run: no database, no clock, no randomness.

``Evaluation`` takes a run's commands, asks the engine what follows, evaluates the steps that
are ready, and gathers what must be written: journal rows, effects, timers, tasks. The driver
loads before and writes after.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from time import perf_counter
from typing import Any
from uuid import uuid5

from apps.engine import commands as cmd
from apps.engine import events as ev
from apps.engine import feel, scopes, values
from apps.engine import run as engine
from apps.engine.graph import Behaviour
from apps.engine.lifecycle import RunStatus, StepStatus
from apps.engine.state import Key, split_frame
from apps.runs import trying
from apps.runs.contexts import NotLoaded
from apps.runs.event_ports import NewEvent, NewSubscription, cause_of
from apps.runs.given import NOT_SENT, command_for, place_of
from apps.runs.ports import NOBODY, Refusal, TaskKind, TaskRequest
from apps.runs.reading import read_command
from apps.runs.slice import Slice
from apps.runs.step_contexts import ItemContext, StepContext
from apps.runs.wanted import (
    ChildRequest,
    EffectLimit,
    LoadedRun,
    NewEffect,
    NewTimer,
    activation_key,
    child_id,
    event_id,
)
from apps.steps import contracts
from apps.steps.document import CompiledFlow, CompiledStep, validated
from apps.steps.outcomes import (
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
DEFAULT_TRIES = 4

#: What steps come to that nobody outside hears of and nobody must end.
_INSIDE = (Exit, Respond, Stop, OpenScope, AddItems, Withdraw)


class Evaluation(Slice):
    """One run's slice. Not safe to use again after an exception: the run is then paused.

    Without a flow it can be paused or cancelled, and nothing else.
    """

    def __init__(self, run: LoadedRun, flow: CompiledFlow | None, now: datetime) -> None:
        super().__init__(run, flow, trying.time_in(run.state, now))
        #: Whether something is left to be evaluated at once, in a further slice.
        self.cut = False
        self._steps = 0
        self._opened: set[Key] = set()
        #: What failed in this slice and is held until a person has said what to do.
        self._held: dict[Key, cmd.Fail] = {}

    def take(self, commands: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Apply stored commands in order, then evaluate until the run is blocked or cut."""
        for kind, payload in commands:
            if self.state.is_final and kind in {"start", "cancel", "pause", "resume"}:
                continue
            command = read_command(kind, payload, self.run)
            if isinstance(command, cmd.Fail):
                self._fail_with(command, payload.get("attempts") or 0)
            elif isinstance(command, cmd.Expire) and self._fails_late(command):
                late = engine.overdue(command.step)
                self._fail_with(cmd.Fail(command.step, command.visit, late))
            else:
                self.apply(command)
                if isinstance(command, cmd.Repeat):
                    self._limit_again((command.step, command.visit))
        if self.steps:
            self.go_on()

    def refuse(self, refusal: Refusal) -> None:
        """A task could not be opened: the step fails, and the run goes on from there."""
        key = (refusal.step, refusal.visit)
        held = self._held.pop(key, None)
        if held is not None and key in self.state.held:
            message = f"{held.error.message} {refusal.message}"
            error = replace(held.error, message=message)
            self.apply(cmd.Fail(*key, error, held.output, by=NOBODY))
        else:
            error = ev.Error(refusal.step, "permanent", refusal.code, refusal.message)
            self._fail_with(cmd.Fail(*key, error))
        self.go_on()

    def go_on(self) -> None:
        """Evaluate ready steps until none is left, or the slice is used up."""
        started = perf_counter()
        while self.state.status is not RunStatus.PAUSED and (work := self._next()) is not None:
            if (
                self._steps >= MAX_STEPS_A_SLICE
                or self.size >= MAX_JOURNAL_A_SLICE
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

    def _evaluate(self, step_id: str, visit: int) -> None:
        step = self.steps[step_id]
        self.at = self.state.frame_of((step_id, visit))
        if self.run.replay is not None and self._takes_over(step, visit, self.run.replay):
            return
        try:
            tried = trying.answer_for(self.run.replay, step.id)
            if step.type.behaviour is Behaviour.EFFECT:
                if tried is not None:
                    trying.answer_effect(self, step, visit, tried)
                else:
                    self._open_effect(step, visit)
            else:
                outcome = step.type.run(step.config(self.feel), StepContext(self))
                if tried is not None and not isinstance(outcome, _INSIDE):
                    trying.answer_wait(self, step, visit, outcome, tried)
                elif self._is_dry and not isinstance(outcome, _INSIDE):
                    self._stop_dry(step, visit)
                else:
                    self._settle(step, visit, outcome)
        except feel.FeelError as wrong:
            self._fail(step_id, visit, f"expression.{wrong.code}", wrong.message)
        except StepError as wrong:
            class_ = "human" if wrong.error_class == "human" else "permanent"
            error = ev.Error(step_id, class_, wrong.code, wrong.message)
            self._fail_with(cmd.Fail(step_id, visit, error))
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
        if trying.is_test(replay):
            stands_in = trying.stand_in_for(replay, step.id)
            if stands_in is not None:
                self.apply(command_for(stands_in, step.id, visit))
            return stands_in is not None
        recorded = replay["given"].get(place_of(self.state, self.at, step.id), ())
        at = self.state.frames[self.at].taken.get(step.id, 0)
        if at < len(recorded):
            self.apply(command_for(recorded[at], step.id, visit))
            return True
        if not self._is_dry or step.type.behaviour is not Behaviour.EFFECT:
            return False
        if step.id in self.graph.compensations:
            self.apply(cmd.Complete(step.id, visit, step.ports[0], NOT_SENT, taken=True))
        else:
            self._stop_dry(step, visit)
        return True

    @property
    def _is_dry(self) -> bool:
        return self.run.replay is not None and self.run.replay["mode"] == "dry"

    def _stop_dry(self, step: CompiledStep, visit: int) -> None:
        """A dry run ends where something would be sent or waited for that has no outcome."""
        message = f"The dry run stops here: nothing is recorded of “{step.title}”."
        self.apply(cmd.Finish(step.id, visit, "completed", message))

    def _settle(self, step: CompiledStep, visit: int, outcome: object) -> None:
        match outcome:
            case Exit(port, output, ports, times):
                values.check_kept(output)
                self.apply(cmd.Complete(step.id, visit, port, output, ports, times))
            case Respond(status, body, port, output):
                values.check(body)
                until = self.run.awaited_until
                in_time = until is not None and self.now <= until
                self.apply(cmd.Answer(step.id, status, body, in_time))
                self.apply(cmd.Complete(step.id, visit, port, output))
            case Stop(result, message, output):
                self._hold_to_contract(result, output)
                self.apply(cmd.Finish(step.id, visit, result, message, output))
            case WaitForRun():
                self._start_run(step, visit, outcome)
                self._limit(step, visit)
            case WaitUntil(until, output):
                self.apply(cmd.Open(step.id, visit, "timer", {"until": until.isoformat()}))
                self.timers.append(NewTimer(step.id, visit, until, output))
                self._limit(step, visit)
            case WaitForPerson(request):
                values.check(request)
                self.apply(cmd.Open(step.id, visit, "user_task", dict(request)))
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
                    self._fail_with(cmd.Fail(step.id, visit, scopes.not_open(step.id, to)))
                else:
                    self.apply(cmd.AddItems(step.id, visit, to, tuple(added)))
            case Withdraw(names, completes):
                self.apply(cmd.Withdraw(step.id, visit, names, completes))
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
        self.apply(cmd.Open(step.id, visit, "event", {"ways": shown}))
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
        self.apply(cmd.Open(step.id, visit, "run", {**shown, "input": asked.input}))
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
        self.apply(cmd.Complete(child.step, child.visit, "done", output))
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
        self.apply(cmd.Complete(step.id, visit, asked.port, output))

    def _open_effect(self, step: CompiledStep, visit: int) -> None:
        resolved: Any = step.resolve(self.feel) if step.resolve else step.raw
        values.check_kept(resolved)
        config = validated(step.type.config, resolved)
        given = step.fields.retry
        tries = getattr(getattr(config, "retry", None), "max_attempts", DEFAULT_TRIES)
        if given is not None and given.transient is not None and "retry" not in step.raw:
            tries = given.transient.max_attempts
        limit = self._effect_limit(step)
        generation = self.state.generations.get((step.id, visit), 1)
        key = self._key(step.id, visit, generation)
        self.apply(cmd.Open(step.id, visit, "effect", resolved))
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
            value: Any = feel.to_json(self.feel(step.limit_key))
            values.check(value)
            text = values.dumps(value)
            name = value if isinstance(value, str) else text
        return EffectLimit(uuid5(self.run.flow_id, f"{step.id}:{text}"), limit.max, name[:200])

    def _key(self, step: str, visit: int, generation: int) -> str:
        """The idempotency key of an effect. What undoes a visit has one by what it undoes."""
        undoing = self.state.frames[self.at].undoing
        if undoing is not None and undoing[0] == (step, visit):
            step, visit = f"undo:{undoing[1].step}", undoing[1].visit
        return activation_key(self.run.run_id, step, visit, generation)

    def _limit(self, step: CompiledStep, visit: int) -> None:
        """Start the clock of a step that says how long it may take."""
        if step.fields.time_limit is not None:
            until = after(self.now, step.fields.time_limit)
            self.timers.append(NewTimer(step.id, visit, until, None, kind="limit"))

    def _limit_again(self, key: Key) -> None:
        """Of a scope that goes on with its items; any other step is evaluated anew."""
        if key in self.state.scopes and key not in self.state.held and key[0] in self.steps:
            self._limit(self.steps[key[0]], key[1])

    def _open_scope(self, step: CompiledStep, visit: int, asked: OpenScope) -> None:
        key = (step.id, visit)
        items: Any = feel.to_json(list(asked.items))
        values.check(items)
        self._opened.add(key)
        self.apply(
            cmd.OpenScope(
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
            self.keep_items(key, 0, items)
        self._limit(step, visit)

    def _end_item(self, frame: str) -> None:
        """Nothing is left in an item: its scope says what came of it."""
        (step_id, _), index = split_frame(frame)
        step = self.steps[step_id]
        self.at = frame
        error: ev.Error | None = None
        try:
            ended = step.type.ends_item(step.config(self.feel), ItemContext(self, frame, index))
            output: Any = feel.to_json(ended.output)
            values.check(output)
            self.apply(cmd.EndItem(frame, output, ended.more, ended.is_enough))
        except feel.FeelError as wrong:
            error = ev.Error(step_id, "permanent", f"expression.{wrong.code}", wrong.message)
        except StepError as wrong:
            error = ev.Error(step_id, "permanent", wrong.code, wrong.message)
        except values.NotJson as wrong:
            message = f"The item's result cannot be kept: {wrong}"
            error = ev.Error(step_id, "permanent", "bad_output", message)
        if error is not None:
            self.apply(cmd.FailItem(frame, error))

    def _collect(self, key: Key) -> None:
        """A scope is through: gather what its items gave, or go on though it has failed.

        Raises:
            NotLoaded: It was opened in an earlier slice, and its results were not read.
        """
        then = self.state.scopes[key].then
        if then is not None and "error" in then:
            self._fail_with(cmd.Fail(*key, ev.Error.from_json(then["error"])))
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
        self.apply(cmd.Complete(*key, "done", output))

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
        self._fail_with(cmd.Fail(step, visit, ev.Error(step, "permanent", code, message)))

    def _fail_with(self, failed: cmd.Fail, attempts: int = 0) -> None:
        """A visit failed for good: what the step itself says of that case comes first.

        ``attempts``: how often a worker tried, where one did.
        """
        key = (failed.step, failed.visit)
        step = self.steps.get(failed.step)
        is_open = key in self.state.active and key not in self.state.held
        if step is not None and key in self.state.held and failed.resort == "default":
            self.apply(replace(failed, output=self._default_output(step, key)[0]))
        elif step is None or not is_open:
            self.apply(failed)
        elif self._asks(step, failed.error):
            self._hold(step, failed, attempts)
        elif step.resort == "default":
            output, is_told = self._default_output(step, key)
            plain = failed if not is_told else cmd.Fail(*key, failed.error, output, "default")
            self.apply(plain)
        else:
            self.apply(failed)

    def _asks(self, step: CompiledStep, error: ev.Error) -> bool:
        """Whether people are asked what to do about a failure.

        Where the step says nothing itself, they are asked about errors of the class ``human``,
        and about what could not be undone.
        """
        if trying.is_test(self.run.replay):
            return False  # nobody is asked about a test
        if step.fields.on_error is not None:
            return step.resort == "ask"
        return error.error_class == "human" or step.id in self.graph.compensations

    def _hold(self, step: CompiledStep, failed: cmd.Fail, attempts: int) -> None:
        key = (failed.step, failed.visit)
        self.apply(replace(failed, resort="ask"))
        self._held[key] = failed
        request = {"error": failed.error.as_json(), "attempts": attempts}
        self.tasks.append(self._task(step, failed.visit, request, "exception"))

    def _default_output(self, step: CompiledStep, key: Key) -> tuple[Any, bool]:
        """What the step goes on with when it has failed, and whether it could be told."""
        self.at = self.state.frame_of(key)
        try:
            output: Any = step.default_output(self.feel)
            values.check(output)
        except (feel.FeelError, values.NotJson):
            return None, False
        return output, True

    def _fails_late(self, command: cmd.Expire) -> bool:
        """Whether a visit that takes too long fails: it has no way out for that, and no items."""
        key = (command.step, command.visit)
        is_open = key in self.state.active and key not in self.state.scopes
        return is_open and not self.graph.from_port(command.step, "timeout")
