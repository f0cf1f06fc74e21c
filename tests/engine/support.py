"""Graphs from short words, and runs that are played by hand."""

from apps.engine import commands as cmd
from apps.engine import events as ev
from apps.engine.fold import evolve, replay
from apps.engine.graph import TRIGGER, TRIGGER_PORT, Behaviour, Graph, GraphStep, JoinRule, Link
from apps.engine.lifecycle import StepStatus
from apps.engine.run import StaleCommand, decide
from apps.engine.state import RunState, from_json, to_json

ALL = 0
FAILING = frozenset({"error", "timeout"})


def graph(*links, joins=None, kinds=None, max_steps=10_000):
    """A graph of links ``a -> b`` or ``a.port -> b``; what is not named otherwise is pure.

    ``joins`` says how many links fire a join (``ALL`` or a number), ``kinds`` what a step is.
    """
    found: list[Link] = []
    ports: dict[str, dict[str, None]] = {}
    for index, text in enumerate(links):
        source, target = (part.strip() for part in text.split("->"))
        name, _, port = source.partition(".")
        port = port or (TRIGGER_PORT if name == TRIGGER else "done")
        found.append(Link(index, name, port, target))
        for step in (name, target):
            if step != TRIGGER:
                ports.setdefault(step, dict.fromkeys(["done"]))
        if name != TRIGGER:
            ports[name][port] = None
    steps = {}
    for name, known in ports.items():
        if name in (joins or {}):
            steps[name] = GraphStep(name, Behaviour.JOIN, ("done",), JoinRule(joins[name]))
        else:
            kind = Behaviour((kinds or {}).get(name, "pure"))
            steps[name] = GraphStep(name, kind, tuple(known), fails_unlinked=FAILING)
    return Graph(steps, tuple(found), max_steps)


def play(drawn, *commands, state=None):
    """Give the commands in turn. Returns the state and every event; the laws are held on the way."""
    state = state or RunState()
    events: list[ev.Event] = []
    for command in commands:
        produced = decide(drawn, state, command)
        for event in produced:
            assert ev.from_row(*ev.to_row(event)) == event
            state = evolve(state, event)
        events += produced
    if state.seq == len(events):
        assert to_json(replay(events)) == to_json(state)
        assert from_json(to_json(state)).active == state.active
    return state, events


def start():
    return cmd.Start({"body": None}, "ada@example.org")


def done(step, visit=1, port="done", output=None):
    return cmd.Complete(step, visit, port, output)


def opened(step, visit=1, kind="user_task"):
    return cmd.Open(step, visit, kind, {})


def failed(step, visit=1, code="http_status", output=None):
    return cmd.Fail(step, visit, error(step, code), output)


def error(step="x", code="http_status"):
    return ev.Error(step, "permanent", code, "It did not work.")


def is_stale(drawn, state, command):
    try:
        decide(drawn, state, command)
    except StaleCommand:
        return True
    return False


def ready(state):
    """Steps that have begun and wait to be evaluated, in their order."""
    return [step for (step, _), status in state.active.items() if status is StepStatus.READY]
