"""How a test run answers what would leave it, or would be waited for.

A test run does what is drawn, except that effects are answered instead of sent (but for those
that somebody chose to send), people are not asked, and times that are waited for are passed over.
What would have been sent is journaled as the input of its step.

In its journal ``given`` holds, by step, ``stand_ins`` (outcomes of steps that are not run but
read, ``{port, output}``) and ``answers`` (``{port, output?}``, by ``error`` also ``{error?}``), and
``live``, the steps that are really done.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from apps.engine import commands as cmd
from apps.engine import events as ev
from apps.engine import values
from apps.engine.state import RunState
from apps.steps import forms
from apps.steps.document import CompiledStep, validated
from apps.steps.outcomes import (
    Emit,
    TimeWay,
    WaitForEvents,
    WaitForPerson,
    WaitForRun,
    WaitUntil,
)

if TYPE_CHECKING:
    from apps.runs.evaluation import Evaluation

TEST = "test"
Answer = Mapping[str, Any]
Replay = Mapping[str, Any] | None
#: What is said of a step that was told to fail.
FAILS = "The test says that this step fails."


def is_test(replay: Replay) -> bool:
    """Whether the run only tries out a document."""
    return replay is not None and replay["mode"] == TEST


def stand_in_for(replay: Mapping[str, Any], step: str) -> Mapping[str, Any] | None:
    """The outcome of a step that a test run does not run, but that others read."""
    found: Mapping[str, Any] | None = replay["given"]["stand_ins"].get(step)
    return found


def answer_for(replay: Replay, step: str) -> Answer | None:
    """How a step is answered in a test run; None where it is really done, or it is no test."""
    if replay is None or replay["mode"] != TEST or step in replay["given"]["live"]:
        return None
    answer: Answer = replay["given"]["answers"].get(step, {})
    return answer


def time_in(state: RunState, now: datetime) -> datetime:
    """The time as a run sees it: later than it is, where a test has passed time over."""
    if not state.skipped_to:
        return now
    return max(now, datetime.fromisoformat(state.skipped_to))


def answer_effect(run: "Evaluation", step: CompiledStep, visit: int, answer: Answer) -> None:
    """Work out what would be sent, journal that, and go on as if it had been.

    Raises:
        FeelError, StepError: As when it is really sent.
    """
    resolved: Any = step.resolve(run.feel) if step.resolve else step.raw
    values.check_kept(resolved)
    validated(step.type.config, resolved)
    run.apply(cmd.Open(step.id, visit, "effect", resolved))
    _go_on(run, step, visit, answer)


def answer_wait(
    run: "Evaluation", step: CompiledStep, visit: int, outcome: object, answer: Answer
) -> None:
    """Journal what would be waited for, or told to others, and go on as if it had come.

    Raises:
        NotJson: What would be shown or told cannot be kept.
    """
    match outcome:
        case WaitUntil(until, output):
            run.apply(cmd.Open(step.id, visit, "timer", {"until": until.isoformat()}))
            _skip(run, until)
            _go_on(run, step, visit, {"port": "done", "output": output})
        case WaitForPerson(request):
            values.check(request)
            run.apply(cmd.Open(step.id, visit, "user_task", dict(request)))
            due = request.get("due_at")
            if answer.get("port") == "timeout" and isinstance(due, str):
                _skip(run, datetime.fromisoformat(due))
            _go_on(run, step, visit, answer)
        case WaitForEvents(ways):
            run.apply(cmd.Open(step.id, visit, "event", {"ways": [_way_shown(w) for w in ways]}))
            port = answer.get("port") or ways[0].port
            way = next((one for one in ways if one.port == port), None)
            if isinstance(way, TimeWay):
                _skip(run, way.until)
            _go_on(run, step, visit, answer)
        case WaitForRun(flow, version, given):
            values.check(given)
            shown: Any = {"flow": flow, "version": version, "input": given}
            run.apply(cmd.Open(step.id, visit, "run", shown))
            _go_on(run, step, visit, answer)
        case Emit():
            said: Any = {"type": outcome.type, "subject": outcome.subject, "data": outcome.data}
            run.apply(cmd.Open(step.id, visit, "emit", said))
            _go_on(run, step, visit, answer)
        case _:
            raise TypeError(f"{step.type.kind} returned {type(outcome).__name__}.")


def made_up(step: CompiledStep, port: str, now: datetime) -> Any:
    """An output of the right shape where nobody said one."""
    model = step.type.output
    if model is None:
        return None
    found: dict[str, Any] = _smallest(model.model_json_schema())
    for name, value in (("port", port), ("outcome", port), ("at", now.isoformat())):
        if name in found and found[name] == "":
            found[name] = value
    if found.get("status") == 0:
        found["status"] = 200 if port != "error" else 500
    form = step.type.answers_of(step.raw) if step.type.answers_of else None
    if form is not None and port != "timeout":
        found["answers"] = forms.smallest(form, now.date())
    return found


def _go_on(run: "Evaluation", step: CompiledStep, visit: int, answer: Answer) -> None:
    port = answer.get("port") or step.ports[0]
    output = answer["output"] if "output" in answer else made_up(step, port, run.now)
    if port == "error":
        error = ev.Error(step.id, "permanent", "test", FAILS)
        if isinstance(answer.get("error"), Mapping):
            error = ev.Error.from_json({**error.as_json(), **answer["error"], "step": step.id})
        resort = "default" if step.resort == "default" else ""
        output = step.default_output(run.feel) if resort else output
        run.apply(cmd.Fail(step.id, visit, error, output, resort, taken=True))
    else:
        run.apply(cmd.Complete(step.id, visit, port, output, taken=True))


def _skip(run: "Evaluation", until: datetime) -> None:
    if until > run.now:
        run.apply(cmd.SkipTime(until.isoformat()))
        run.now = until


def _way_shown(way: Any) -> dict[str, Any]:
    if isinstance(way, TimeWay):
        return {"port": way.port, "until": way.until.isoformat()}
    return {"port": way.port, "type": way.type, "key": way.key}


def _smallest(schema: Mapping[str, Any], root: Mapping[str, Any] | None = None) -> Any:
    """The smallest value that a schema of ours lets through; anything is an empty object."""
    root = root or schema
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _smallest(root["$defs"][name], root)
    if "anyOf" in schema:
        return _smallest(schema["anyOf"][0], root)
    match schema.get("type"):
        case "object":
            fields = schema.get("properties", {})
            return {name: _smallest(one, root) for name, one in fields.items()}
        case "array":
            return []
        case "string":
            return ""
        case "integer" | "number":
            return 0
        case "boolean":
            return False
    return {}
