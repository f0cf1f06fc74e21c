"""Evaluate the pure part of one run: no database, no clock, no randomness.

``Evaluation`` takes a run's commands, asks the engine what follows, evaluates the steps that
are ready, and gathers what must be written: journal rows, effects, timers, tasks. The driver
loads before and writes after.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from time import perf_counter
from typing import Any
from uuid import UUID

from apps.engine import events as ev
from apps.engine import feel, values
from apps.engine import run as engine
from apps.engine.graph import Behaviour, Graph
from apps.engine.lifecycle import RunStatus, StepStatus
from apps.runs import stored
from apps.runs.ports import Refusal, TaskRequest
from apps.steps.document import CompiledFlow, CompiledStep, expression_source, validated
from apps.steps.registry import Exit, Respond, StepError, Stop, WaitForPerson, WaitUntil

MAX_STEPS_A_SLICE = 200
MAX_SECONDS_A_SLICE = 0.05
MAX_JOURNAL_A_SLICE = 1_000_000
LARGE = 32 * 1024
DEFAULT_TRIES = 4

# The value of an event that may be large, by event type.
BULKY = {
    "run.started": "trigger",
    "step.started": "input",
    "step.completed": "output",
    "step.failed": "output",
}


@dataclass(frozen=True, slots=True)
class NewEffect:
    """An effect to be written; ``input`` is the resolved config."""

    step: str
    visit: int
    kind: str
    version: int
    input: Any
    max_attempts: int
    key: str


@dataclass(frozen=True, slots=True)
class NewTimer:
    """A timer to be written; ``output`` is what the step leaves with."""

    step: str
    visit: int
    fires_at: datetime
    output: Any


@dataclass(slots=True)
class LoadedRun:
    """What the driver read of a run."""

    run_id: UUID
    workspace_id: UUID
    flow_id: UUID
    version_id: UUID
    lane: UUID
    state: engine.RunState
    awaited_until: datetime | None
    limit_key: str | None = None
    zone: str = "UTC"
    started_at: datetime | None = None
    started_by: str = ""
    trigger: Any = None
    outputs: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JournalRow:
    """A row of the journal; ``data`` is JSON text."""

    seq: int
    type: str
    step: str
    data: str


class Evaluation:
    """One run's slice. Not safe to use again after an exception: the run is then paused.

    Without a flow it can be paused or cancelled, and nothing else.
    """

    def __init__(self, run: LoadedRun, flow: CompiledFlow | None, now: datetime) -> None:
        self.run = run
        self.graph = flow.graph if flow else Graph({}, ())
        self.steps: Mapping[str, CompiledStep] = flow.steps if flow else {}
        self.now = now
        self.state = run.state
        self.rows: list[JournalRow] = []
        self.effects: list[NewEffect] = []
        self.timers: list[NewTimer] = []
        self.tasks: list[TaskRequest] = []
        self.blobs: dict[str, str] = {}
        self.error: ev.Error | None = None
        self.answered = False
        self.had_waits = bool(run.state.waits)
        self.cut = False
        self._size = 0
        self._steps = 0
        self._context: dict[str, Any] | None = None

    def take(self, commands: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Apply stored commands in order, then evaluate until the run is blocked or cut."""
        for kind, payload in commands:
            if self.state.is_final and kind in {"start", "cancel", "pause", "resume"}:
                continue
            self._apply(read_command(kind, payload, self.run))
        if self.steps:
            self.go_on()

    def refuse(self, refusal: Refusal) -> None:
        """A task could not be opened: the step fails, and the run goes on from there."""
        error = ev.Error(refusal.step, "permanent", refusal.code, refusal.message)
        self._apply(ev.Fail(refusal.step, refusal.visit, error))
        self.go_on()

    def go_on(self) -> None:
        """Evaluate ready steps until none is left, or the slice is used up."""
        started = perf_counter()
        while self.state.status is not RunStatus.PAUSED and (ready := self._next_ready()):
            if (
                self._steps >= MAX_STEPS_A_SLICE
                or self._size >= MAX_JOURNAL_A_SLICE
                or perf_counter() - started > MAX_SECONDS_A_SLICE
            ):
                self.cut = True
                return
            self._steps += 1
            self._evaluate(*ready)

    def _next_ready(self) -> engine.Key | None:
        for key, status in self.state.active.items():
            if status is StepStatus.READY:
                return key
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
        match event:
            case ev.RunStarted(trigger, started_by):
                self.run.trigger, self.run.started_by = trigger, started_by
                self.run.started_at = self.now
                self._context = None
            case ev.StepCompleted(name, _, _, output):
                self._know(name, "output", output)
                self.context["steps"][name].pop("error", None)
            case ev.StepFailed(name, _, error, output):
                self._know(name, "error", error.as_json())
                if output is not None:
                    self._know(name, "output", output)
            case ev.RunFailed(error):
                self.error = error
            case ev.Responded():
                self.answered = True

    def _set_aside(self, name: str, data: dict[str, Any]) -> str:
        """The row without its large value, which is kept once per content."""
        large = stored.dumps(data[name])
        digest = sha256(large.encode()).hexdigest()
        self.blobs[digest] = large
        return stored.dumps({**data, name: None, "blob": {"field": name, "sha256": digest}})

    def _know(self, step: str, part: str, value: Any) -> None:
        self.context["steps"].setdefault(step, {})[part] = value

    def _evaluate(self, step_id: str, visit: int) -> None:
        step = self.steps[step_id]
        try:
            if step.type.behaviour is Behaviour.EFFECT:
                self._open_effect(step, visit)
                return
            outcome = step.type.run(step.config(self._feel), _Context(self))
            self._settle(step, visit, outcome)
        except feel.FeelError as wrong:
            self._fail(step_id, visit, f"expression.{wrong.code}", wrong.message)
        except StepError as wrong:
            self._fail(step_id, visit, wrong.code, wrong.message)
        except values.NotJson as wrong:
            self._fail(step_id, visit, "bad_output", f"The step's result cannot be kept: {wrong}")

    def _settle(self, step: CompiledStep, visit: int, outcome: object) -> None:
        match outcome:
            case Exit(port, output):
                values.check(output)
                self._apply(ev.Complete(step.id, visit, port, output))
            case Respond(status, body, port, output):
                values.check(body)
                until = self.run.awaited_until
                in_time = until is not None and self.now <= until
                self._apply(ev.Answer(step.id, status, body, in_time))
                self._apply(ev.Complete(step.id, visit, port, output))
            case Stop(result, message):
                self._apply(ev.Finish(step.id, visit, result, message))
            case WaitUntil(until, output):
                self._apply(ev.Open(step.id, visit, "timer", {"until": until.isoformat()}))
                self.timers.append(NewTimer(step.id, visit, until, output))
            case WaitForPerson(request):
                values.check(request)
                self._apply(ev.Open(step.id, visit, "user_task", dict(request)))
                self.tasks.append(self._task(step, visit, request))
            case _:
                raise TypeError(f"{step.type.kind} returned {type(outcome).__name__}.")

    def _open_effect(self, step: CompiledStep, visit: int) -> None:
        resolved: Any = step.resolve(self._feel) if step.resolve else step.raw
        values.check(resolved)
        config = validated(step.type.config, resolved)
        tries = getattr(getattr(config, "retry", None), "max_attempts", DEFAULT_TRIES)
        self._apply(ev.Open(step.id, visit, "effect", resolved))
        self.effects.append(
            NewEffect(
                step.id,
                visit,
                step.type.kind,
                step.type.version,
                resolved,
                tries,
                activation_key(self.run.run_id, step.id, visit),
            )
        )

    def _task(self, step: CompiledStep, visit: int, request: Mapping[str, Any]) -> TaskRequest:
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
        )

    def _fail(self, step: str, visit: int, code: str, message: str) -> None:
        self._apply(ev.Fail(step, visit, ev.Error(step, "permanent", code, message)))

    def _feel(self, expression: feel.Expression) -> Any:
        return expression.evaluate(self.context, now=self.now, zone=self.run.zone)

    @property
    def context(self) -> dict[str, Any]:
        """What expressions read: ``trigger``, ``steps``, ``run`` (engine rule 27)."""
        if self._context is None:
            run = self.run
            steps: dict[str, dict[str, Any]] = {}
            for name, output in run.outputs.items():
                steps.setdefault(name, {})["output"] = output
            for name, error in run.errors.items():
                steps.setdefault(name, {})["error"] = error
            started = run.started_at.isoformat() if run.started_at else ""
            self._context = {
                "trigger": run.trigger,
                "steps": steps,
                "run": {"id": str(run.run_id), "started_at": started},
            }
        return self._context


class _Context:
    """What a pure or waiting step may use; see ``registry.PureContext``."""

    __slots__ = ("_evaluation", "now", "zone")

    def __init__(self, evaluation: Evaluation) -> None:
        self._evaluation = evaluation
        self.now = evaluation.now
        self.zone = evaluation.run.zone

    def evaluate(self, expression: str) -> Any:
        compiled = feel.compile_expression(expression_source(expression))
        return self._evaluation._feel(compiled)  # noqa: SLF001 - two halves of one object

    def requester(self) -> str:
        return self._evaluation.run.started_by


def activation_key(run_id: UUID, step: str, visit: int, generation: int = 1) -> str:
    """The idempotency key of an effect: the same for every try, new for an ordered repeat."""
    return sha256(f"{run_id}/{step}/{visit}/{generation}".encode()).hexdigest()[:40]


def read_command(kind: str, payload: Mapping[str, Any], run: LoadedRun) -> ev.Command:
    """The engine's command for a stored row."""
    match kind:
        case "start" | "admit":
            return ev.Start(payload["trigger"], payload.get("started_by") or "")
        case "complete":
            return ev.Complete(
                payload["step"], payload["visit"], payload["port"], payload["output"]
            )
        case "fail":
            error = ev.Error.from_json(payload["error"])
            return ev.Fail(payload["step"], payload["visit"], error, payload.get("output"))
        case "retry":
            error = ev.Error.from_json(payload["error"])
            return ev.Retry(
                payload["step"], payload["visit"], payload["attempt"], error, payload["next_at"]
            )
        case "attempt":
            return ev.Attempt(payload["step"], payload["visit"], payload["attempt"])
        case "late":
            return ev.Late(payload["step"], payload["visit"], payload["outcome"])
        case "cancel":
            return ev.Cancel(payload["by"], payload["reason"])
        case "pause":
            return ev.Pause(payload["reason"], payload.get("detail") or "")
        case "resume":
            return ev.Resume(payload["by"])
        case "continue":
            return ev.Continue()
    raise ValueError(f"Run {run.run_id} has a command of the unknown kind {kind!r}.")
