"""The laws that cover what nobody thought of: random graphs, outcomes, interleavings, repeats."""

import json
import random
from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.engine import commands as cmd
from apps.engine import events as ev
from apps.engine import values
from apps.engine.fold import evolve, replay
from apps.engine.graph import TRIGGER, TRIGGER_PORT, Behaviour, Graph, GraphStep, JoinRule, Link
from apps.engine.lifecycle import RUN_TRANSITIONS, RunStatus, StepStatus
from apps.engine.run import StaleCommand, advance, decide
from apps.engine.state import RunState, from_json, to_json
from tests.engine.support import error

KINDS = {
    "pure": (Behaviour.PURE, ("done",), JoinRule(0)),
    "choice": (Behaviour.PURE, ("yes", "no"), JoinRule(0)),
    "call": (Behaviour.EFFECT, ("done", "error"), JoinRule(0)),
    "ask": (Behaviour.WAIT, ("approved", "rejected", "timeout"), JoinRule(0)),
    "all": (Behaviour.JOIN, ("done",), JoinRule(0)),
    "any": (Behaviour.JOIN, ("done",), JoinRule(1)),
    "two": (Behaviour.JOIN, ("done",), JoinRule(2)),
    "end": (Behaviour.END, (), JoinRule(0)),
}
FAILS = {"call": frozenset({"error"}), "ask": frozenset({"timeout"})}
MOST_STEPS = 60


@st.composite
def graphs(draw):
    count = draw(st.integers(1, 9))
    kinds = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=count, max_size=count))
    names = [f"s{index}" for index in range(count)]
    steps = {
        name: GraphStep(name, *KINDS[kind], fails_unlinked=FAILS.get(kind, frozenset()))
        for name, kind in zip(names, kinds, strict=True)
    }
    places = st.integers(0, count - 1)
    wires = {
        (TRIGGER, TRIGGER_PORT, names[at]) for at in draw(st.sets(places, min_size=1, max_size=3))
    }
    for source, port, target in draw(
        st.lists(st.tuples(places, st.integers(0, 2), places), max_size=2 * count + 2)
    ):
        if ports := steps[names[source]].ports:
            wires.add((names[source], ports[port % len(ports)], names[target]))
    links = tuple(Link(index, *ends) for index, ends in enumerate(sorted(wires)))
    return Graph(steps, links, max_steps=MOST_STEPS)


class Shell:
    """What a driver, workers, people and a broken network may do to one run, by lot."""

    def __init__(self, drawn: Graph, seed: int) -> None:
        self.graph = drawn
        self.dice = random.Random(seed)
        self.state = RunState()
        self.events: list[ev.Event] = []
        self.tokens: Counter[str] = Counter()
        self.sent: list[cmd.Command] = []

    def go(self, most: int = 400) -> None:
        """Until the run is over, or nobody can do anything but wait for ever."""
        self.give(cmd.Start({"body": 1}, "ada"))
        for _ in range(most):
            if self.state.is_final:
                break
            self.give(self.next_command())
        for command in self.dice.sample(self.sent, min(6, len(self.sent))):
            self.give(command)  # a finished run is told everything again

    def next_command(self) -> cmd.Command:
        lot = self.dice.random()
        if lot < 0.06 and self.sent:
            return self.dice.choice(self.sent)
        if lot < 0.08:
            return cmd.Late("s0", self.dice.randint(1, 3), "complete")
        if lot < 0.10 and self.state.status is not RunStatus.PAUSED:
            return cmd.Pause("person")
        if lot < 0.105:
            return cmd.Cancel("ada", "by lot")
        if self.state.status is RunStatus.PAUSED and (lot < 0.5 or not self.state.waits):
            return cmd.Resume("ada")
        paused = self.state.status is RunStatus.PAUSED
        keys = self.state.waits if paused else list(self.state.active)
        if not keys:
            return cmd.Continue()
        return self.outcome(*self.dice.choice(keys))

    def outcome(self, step: str, visit: int) -> cmd.Command:
        here = self.graph.steps[step]
        status = self.state.active[step, visit]
        if here.behaviour is Behaviour.END:
            return cmd.Finish(step, visit, self.dice.choice(["completed", "failed"]), "")
        if status is StepStatus.READY and here.behaviour in {Behaviour.EFFECT, Behaviour.WAIT}:
            kind = "effect" if here.behaviour is Behaviour.EFFECT else "user_task"
            return cmd.Open(step, visit, kind, {"a": [1, "x"]})
        if status is StepStatus.RETRYING:
            return cmd.Attempt(step, visit, 2)
        if status is StepStatus.RUNNING and self.dice.random() < 0.3:
            return cmd.Retry(step, visit, 1, error(step), "2026-11-20T10:00:00+00:00")
        if here.behaviour is Behaviour.EFFECT and self.dice.random() < 0.3:
            answered: list[values.Value] = [None, {"status": 404}]
            return cmd.Fail(step, visit, error(step), self.dice.choice(answered))
        return cmd.Complete(step, visit, self.dice.choice(here.ports), {"n": visit})

    def give(self, command: cmd.Command) -> None:
        before = self.state
        self.sent.append(command)
        try:
            produced = decide(self.graph, before, command)
        except StaleCommand:
            return
        for event in produced:
            self.check_move(event)
        self.events += produced
        assert replay(self.events) == self.state
        in_place = before.copy()
        assert advance(self.graph, in_place, command) == produced
        assert in_place == self.state
        kept = from_json(json.loads(json.dumps(to_json(self.state))))
        assert to_json(kept) == to_json(self.state)
        if before.is_final:
            assert all(isinstance(one, ev.OutcomeIgnored) for one in produced)

    def check_move(self, event: ev.Event) -> None:
        """Each event: by the table, round the codec, with every token accounted for."""
        before, self.state = self.state, evolve(self.state, event)
        after = self.state
        assert after.status is before.status or after.status in RUN_TRANSITIONS[before.status]
        assert after.seq == before.seq + 1
        type_, step, data = ev.to_row(event)
        kept = values.loads(values.dumps(data))
        assert isinstance(kept, dict)
        assert ev.from_row(type_, step, kept) == event
        self.count(event)
        if after.is_final:
            return
        root = after.root
        assert all(count >= 0 for count in (*root.owed.values(), *root.queued.values()))
        assert len(after.active) == self.tokens["begun"] - self.tokens["closed"]
        assert sum(root.queued.values()) == self.tokens["queued"] - self.tokens["taken"]
        assert sum(map(len, root.arrived.values())) == sum(root.queued.values())
        assert root.activated == self.tokens["begun"] + self.tokens["fired"]

    def count(self, event: ev.Event) -> None:
        """No token is lost: all links of the port carry one, and each is somewhere."""
        match event:
            case ev.RunStarted():
                ways = self.graph.from_port(TRIGGER, TRIGGER_PORT)
            case ev.StepCompleted():
                ways = self.graph.from_port(event.step, event.port)
                is_join = self.graph.steps[event.step].behaviour is Behaviour.JOIN
                self.tokens["fired" if is_join else "closed"] += 1
                self.tokens["taken"] += len(event.took)
            case ev.StepFailed():
                ways = self.graph.from_port(event.step, "error")
                self.tokens["closed"] += 1
            case _:
                return
        assert [one.link for one in event.arrivals] == [link.index for link in ways]
        for one in event.arrivals:
            self.tokens["begun" if one.visit > 0 else "swallowed" if one.visit else "queued"] += 1


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(graphs(), st.integers(0, 2**32))
def test_every_run_ends_or_waits_and_replays_to_the_same_state(drawn, seed):
    shell = Shell(drawn, seed)
    shell.go()
    state = shell.state

    assert state.is_final or state.active or state.status is RunStatus.PAUSED
    if state.status is RunStatus.WAITING:
        assert state.waits
        assert not state.ready
    assert state.root.activated <= MOST_STEPS + len(drawn.links) + 1
    if isinstance(shell.events[-1], ev.RunCompleted) and not shell.events[-1].step:
        assert shell.tokens["begun"] == shell.tokens["closed"]
        assert shell.tokens["queued"] == shell.tokens["taken"]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(graphs(), st.integers(0, 2**32), st.integers(0, 2**32))
def test_a_run_that_is_driven_on_from_a_snapshot_decides_the_same(drawn, seed, other):
    shell = Shell(drawn, seed)
    shell.go(most=12)
    if shell.state.is_final:
        return
    stored = from_json(json.loads(json.dumps(to_json(shell.state))))
    # Also in order: it says which of several joins goes on.
    assert [*stored.root.arrived.items()] == [*shell.state.root.arrived.items()]
    twin = Shell(drawn, other)
    twin.state = stored

    twin.tokens = shell.tokens.copy()
    for _ in range(10):
        command = Shell.next_command(twin)
        try:
            expected = decide(drawn, shell.state, command)
        except StaleCommand:
            continue
        produced = decide(drawn, twin.state, command)
        assert produced == expected
        for event in produced:
            shell.state, twin.state = evolve(shell.state, event), evolve(twin.state, event)
        if shell.state.is_final:
            break
    assert to_json(twin.state) == to_json(shell.state)
