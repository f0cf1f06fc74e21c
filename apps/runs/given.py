"""Outcomes of a run that another one takes over, so that nothing is done twice.

A run that does another again is given what came of that one's visits: per step, and for steps
inside others per item, a list in the order of the visits. A visit takes the next of its list.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from apps.engine import commands as cmd
from apps.engine import events as ev
from apps.engine.fold import apply
from apps.engine.graph import Behaviour, Graph
from apps.engine.state import ROOT, RunState, split_frame
from apps.engine.values import Value
from apps.steps.document import CompiledFlow

Mode = Literal["live", "dry"]
#: What was recorded, by place: ``{port, output, ports?}`` or ``{error, output, port?}``.
Given = dict[str, list[dict[str, Any]]]

#: Steps that are evaluated in the run itself, and yet are heard outside.
HEARD_OUTSIDE = frozenset({"emit", "subflow"})
#: The output of a step that undoes something, in a dry run: nothing was sent.
NOT_SENT: Value = {"dry": True}


@dataclass(frozen=True, slots=True)
class Row:
    """A journal row."""

    seq: int
    event: ev.Event


def place_of(state: RunState, frame: str, step: str) -> str:
    """Names a step in its item of each scope around it: the same in every run."""
    items = []
    for name in state.chain(frame):
        if name != ROOT:
            (scope, _), index = split_frame(name)
            items.append(f"{scope}:{index}/")
    return "".join(reversed(items)) + step


def command_for(outcome: Mapping[str, Any], step: str, visit: int) -> cmd.Command:
    """The command that takes a recorded outcome over."""
    if "error" in outcome:
        error = ev.Error.from_json(outcome["error"])
        resort = "default" if outcome.get("port") else ""
        return cmd.Fail(step, visit, error, outcome.get("output"), resort, taken=True)
    ports = tuple(outcome.get("ports") or ())
    return cmd.Complete(step, visit, outcome["port"], outcome["output"], ports, taken=True)


def outcomes_to_give(
    flow: CompiledFlow, rows: Sequence[Row], *, from_step: str, mode: Mode
) -> Given:
    """What a run that does another again takes over from its journal.

    Before ``from_step`` was first reached: everything. After it, effects that were done; in a dry
    run also those that failed, and how waits ended. What was undone is done anew, unless dry.
    """
    until = _reached(rows, from_step)
    undone = {
        (row.event.of_step, row.event.of_visit)
        for row in rows
        if isinstance(row.event, ev.UndoStarted)
    }
    state = RunState()
    found: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for row in rows:
        event = row.event
        if isinstance(event, ev.StepCompleted | ev.StepFailed) and _is_given(
            flow, event, is_before=row.seq <= until, mode=mode
        ):
            key = (event.step, event.visit)
            if key in state.active and (mode == "dry" or key not in undone):
                place = place_of(state, state.frame_of(key), event.step)
                found.setdefault(place, []).append((event.visit, _outcome(event)))
        apply(state, event)
    return {
        place: [outcome for _, outcome in sorted(some, key=lambda one: one[0])]
        for place, some in found.items()
    }


def still_fitting(given: Given, old: CompiledFlow, new: CompiledFlow) -> Given:
    """Without outcomes of steps that the other version lacks, or that are another kind there."""
    kept: Given = {}
    for place, outcomes in given.items():
        name = place.rpartition("/")[2]
        before, after = old.steps.get(name), new.steps.get(name)
        if before is None or after is None or before.type.kind != after.type.kind:
            continue
        known = {*after.ports, ""}
        kept[place] = [
            one for one in outcomes if {one.get("port") or "", *(one.get("ports") or ())} <= known
        ]
    return kept


def _reached(rows: Sequence[Row], step: str) -> int:
    """The row with which the step was first reached; 0 where it was not."""
    if not step:
        return 0
    for row in rows:
        if any(one.step == step for one in getattr(row.event, "arrivals", ())):
            return row.seq
    return 0


def _is_given(
    flow: CompiledFlow, event: ev.StepCompleted | ev.StepFailed, *, is_before: bool, mode: Mode
) -> bool:
    if not _can_be_given(flow.graph, event.step):
        return False
    if is_before:
        return True
    behaviour = flow.graph.steps[event.step].behaviour
    is_outside = behaviour is Behaviour.EFFECT or flow.steps[event.step].type.kind in HEARD_OUTSIDE
    if mode == "dry":
        return is_outside or behaviour is Behaviour.WAIT
    return is_outside and isinstance(event, ev.StepCompleted)


def _can_be_given(graph: Graph, step: str) -> bool:
    """Joins, scopes and what moves tokens are decided anew; so is what undoes something."""
    here = graph.steps.get(step)
    if here is None or here.moves_tokens or step in graph.compensations:
        return False
    return here.behaviour not in {Behaviour.JOIN, Behaviour.SCOPE, Behaviour.END}


def _outcome(event: ev.StepCompleted | ev.StepFailed) -> dict[str, Any]:
    outcome: dict[str, Any] = {"output": event.output}
    if isinstance(event, ev.StepFailed):
        outcome["error"] = event.error.as_json()
    if event.port or isinstance(event, ev.StepCompleted):
        outcome["port"] = event.port
    if isinstance(event, ev.StepCompleted) and event.ports:
        outcome["ports"] = list(event.ports)
    return outcome
