"""Graphs with the trace they must give, shared with the browser's tests: ``tests/golden``.

A golden file holds a flow document, what its steps answer in turn (``[step, port]``, or
``[step, "!code"]`` for a failure), and the trace: one line per event.
"""

import json
from pathlib import Path

import pytest

from apps.engine import commands as cmd
from apps.engine import events as ev
from apps.engine.graph import Behaviour
from apps.engine.run import advance
from apps.engine.state import RunState
from apps.steps.document import compile_flow

GOLDEN = sorted((Path(__file__).parents[1] / "golden").glob("*.json"))


def trace(golden):
    drawn = compile_flow(golden["document"]).graph
    state = RunState()
    lines: list[str] = []
    give(drawn, state, cmd.Start({"body": None}), lines)
    visits: dict[str, int] = {}
    for step, answer in golden["answers"]:
        visit = visits[step] = visits.get(step, 0) + 1
        kind = {Behaviour.EFFECT: "effect", Behaviour.WAIT: "user_task"}.get(
            drawn.steps[step].behaviour
        )
        if kind and (step, visit) in state.active:
            give(drawn, state, cmd.Open(step, visit, kind, {}), lines)
        if answer.startswith("!"):
            wrong = ev.Error(step, "permanent", answer[1:], "It failed.")
            give(drawn, state, cmd.Fail(step, visit, wrong), lines)
        elif drawn.steps[step].behaviour is Behaviour.END:
            give(drawn, state, cmd.Finish(step, visit, answer, ""), lines)
        else:
            give(drawn, state, cmd.Complete(step, visit, answer, None), lines)
    return lines, state.status.value


def give(drawn, state, command, lines):
    for event in advance(drawn, state, command):
        type_, step, data = ev.to_row(event)
        words = [type_]
        if step:
            words.append(f"{step}#{data['visit']}" if "visit" in data else step)
        if data.get("port"):
            words.append(f"by {data['port']}")
        if "error" in data:
            words.append(data["error"]["code"])
        for link, target, visit in data.get("arrivals", []):
            place = {0: " waits", -1: " swallowed"}.get(visit, f"#{visit}")
            words.append(f"{link}>{target}{place}")
        lines.append(" ".join(words))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_the_trace_is_the_golden_one(path):
    golden = json.loads(path.read_text())

    lines, status = trace(golden)

    assert lines == golden["trace"]
    assert status == golden["status"]


def test_there_are_golden_graphs():
    assert len(GOLDEN) >= 8
