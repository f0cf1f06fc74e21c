"""A join of any swallows the rest of its wave, whether it comes later or is there already."""

from apps.engine import events as ev
from apps.engine.graph import TRIGGER, TRIGGER_PORT, Behaviour, Graph, GraphStep, JoinRule, Link
from apps.engine.lifecycle import RunStatus
from apps.engine.run import advance
from apps.engine.state import RunState


def join(name, needs):
    return name, GraphStep(name, Behaviour.JOIN, ("done",), JoinRule(needs))


def fired(graph):
    return [
        event.step for event in advance(graph, RunState(), ev.Start({})) if isinstance(event, ev.StepCompleted)
    ]  # fmt: skip


def test_two_tokens_that_come_together_fire_it_once():
    graph = Graph(
        dict([join("first", 1), join("second", 1)]),
        (
            Link(0, TRIGGER, TRIGGER_PORT, "first"),
            Link(1, TRIGGER, TRIGGER_PORT, "second"),
            Link(2, "first", "done", "second"),
        ),
    )
    assert fired(graph) == ["first", "second"]


def test_its_own_token_is_of_the_same_wave():
    graph = Graph(
        dict([join("again", 1)]),
        (Link(0, TRIGGER, TRIGGER_PORT, "again"), Link(1, "again", "done", "again")),
    )
    state = RunState()
    advance(graph, state, ev.Start({}))
    assert state.visits == {"again": 1}
    assert state.status is RunStatus.COMPLETED
