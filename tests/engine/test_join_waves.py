"""A join of any swallows the rest of its wave, whether it comes later or is there already."""

from apps.engine import commands as cmd
from apps.engine import events as ev
from apps.engine.fold import replay
from apps.engine.graph import TRIGGER, TRIGGER_PORT, Behaviour, Graph, GraphStep, JoinRule, Link
from apps.engine.lifecycle import RunStatus
from apps.engine.run import advance
from apps.engine.state import RunState, from_json, to_json
from tests.engine.support import done, graph, start


def join(name, needs):
    return name, GraphStep(name, Behaviour.JOIN, ("done",), JoinRule(needs))


def fired(drawn):
    return [
        event.step for event in advance(drawn, RunState(), cmd.Start({})) if isinstance(event, ev.StepCompleted)
    ]  # fmt: skip


def test_two_tokens_that_come_together_fire_it_once():
    drawn = Graph(
        dict([join("first", 1), join("second", 1)]),
        (
            Link(0, TRIGGER, TRIGGER_PORT, "first"),
            Link(1, TRIGGER, TRIGGER_PORT, "second"),
            Link(2, "first", "done", "second"),
        ),
    )
    assert fired(drawn) == ["first", "second"]


def test_its_own_token_is_of_the_same_wave():
    drawn = Graph(
        dict([join("again", 1)]),
        (Link(0, TRIGGER, TRIGGER_PORT, "again"), Link(1, "again", "done", "again")),
    )
    state = RunState()
    advance(drawn, state, cmd.Start({}))
    assert state.visits == {"again": 1}
    assert state.status is RunStatus.COMPLETED


def test_a_state_that_was_stored_in_between_is_what_the_journal_says():
    drawn = graph(
        *("trigger -> round", "round -> a", "round -> b", "round -> c"),
        *("a -> first", "b -> first", "c -> first", "first -> round"),
        joins={"first": 1},
    )
    state, journal = RunState(), []
    moves = [("round", 1), ("a", 1), ("b", 1), ("c", 1), ("round", 2), ("b", 2)]

    for command in (start(), *(done(step, visit) for step, visit in moves)):
        journal += advance(drawn, state, command)
        state = from_json(to_json(state))

    assert to_json(replay(journal)) == to_json(state)
