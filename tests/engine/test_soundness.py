"""What soundness claims of a graph holds in every run of it by the engine."""

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.engine import commands as cmd
from apps.engine import events as ev
from apps.engine.graph import TRIGGER, TRIGGER_PORT, Behaviour, Graph, GraphStep, JoinRule, Link
from apps.engine.lifecycle import RunStatus
from apps.engine.run import advance
from apps.engine.soundness import Soundness
from apps.engine.state import RunState

KINDS = {
    "pure": (Behaviour.PURE, ("done",), 0),
    "choice": (Behaviour.PURE, ("yes", "no"), 0),
    "call": (Behaviour.PURE, ("done", "error"), 0),
    "all": (Behaviour.JOIN, ("done",), 0),
    "any": (Behaviour.JOIN, ("done",), 1),
    "two": (Behaviour.JOIN, ("done",), 2),
    "end": (Behaviour.END, (), 0),
}


def graph(kinds, wires):
    """Steps ``s0, s1, …`` of these kinds; a wire is (source, port, target), source -1 the trigger."""
    steps = {
        f"s{index}": GraphStep(f"s{index}", behaviour, ports, JoinRule(needs))
        for index, (behaviour, ports, needs) in enumerate(KINDS[kind] for kind in kinds)
    }
    links: dict[tuple[str, str, str], None] = {}
    for source, port, target in wires:
        name = TRIGGER if source < 0 else f"s{source}"
        ports = (TRIGGER_PORT,) if source < 0 else steps[name].ports
        if ports:
            links[name, ports[port % len(ports)], f"s{target}"] = None
    return Graph(steps, tuple(Link(index, *ends) for index, ends in enumerate(links)), max_steps=40)


@st.composite
def graphs(draw):
    count = draw(st.integers(2, 8))
    kinds = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=count, max_size=count))
    ends = st.integers(0, count - 1)
    wires = draw(st.lists(st.tuples(ends, st.integers(0, 1), ends), max_size=count * 2))
    if draw(st.booleans()):  # mostly forwards: loops hide much
        wires = [(min(a, b), port, max(a, b)) for a, port, b in wires if a != b]
    return graph(
        kinds, [(-1, 0, target) for target in draw(st.sets(ends, min_size=1, max_size=3))] + wires
    )


class Run:
    """One run that leaves by random ports in a random order, watched."""

    def __init__(self, graph, soundness, dice):
        self.graph, self.soundness, self.dice = graph, soundness, dice
        self.ran: set[str] = set()
        self.left: set[tuple[str, str]] = set()
        self.fired: set[str] = set()
        self.state = RunState()

    def go(self):
        self.take(cmd.Start({}))
        while not self.state.is_final and self.state.ready:
            step, visit = self.dice.choice(self.state.ready)
            self.starts(step)
            if self.graph.steps[step].behaviour is Behaviour.END:
                self.take(cmd.Finish(step, visit, "completed", ""))
                return self
            port = self.dice.choice(self.graph.steps[step].ports)
            self.left.add((step, port))
            self.ran.add(step)
            self.take(cmd.Complete(step, visit, port, None))
        return self

    def take(self, command):
        for event in advance(self.graph, self.state, command):
            if isinstance(event, ev.StepCompleted) and (
                self.graph.steps[event.step].behaviour is Behaviour.JOIN
            ):
                self.starts(event.step)
                self.fired.add(event.step)
                self.ran.add(event.step)
                self.left.add((event.step, "done"))

    def starts(self, step):
        """Everything that was claimed of the moment when this step starts."""
        sound = self.soundness
        assert step in sound.reached
        shown = [(one.source, one.port, one.target) for one in self.graph.links]
        for other in self.graph.steps:
            ports = {port for one, port in self.left if one == other}
            if sound.surely_ran(other, step):
                assert other in self.ran, (other, step, shown)
            if sound.surely_succeeded(other, step):
                assert ports - {"error"}, (other, step, shown)
            if sound.surely_failed(other, step):
                assert "error" in ports, (other, step, shown)
            if sound.comes_later(other, step):
                assert other not in self.ran, (other, step, shown)


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(graphs(), st.integers(0, 2**32))
def test_what_is_claimed_holds_in_every_run(drawn, seed):
    sound = Soundness(drawn)
    certain = {one.join for one in sound.starving if one.certain}
    caught = {step for loop in sound.traps for step in loop}
    for round_ in range(6):
        run = Run(drawn, sound, random.Random(seed + round_)).go()
        assert not certain & run.fired
        if caught & run.ran:
            assert run.state.status is not RunStatus.COMPLETED or any(
                drawn.steps[step].behaviour is Behaviour.END for step in sound.reached
            )


def test_a_choice_and_a_join_of_all_starve_for_certain():
    drawn = graph(["choice", "pure", "all"], [(-1, 0, 0), (0, 0, 1), (1, 0, 2), (0, 1, 2)])
    (starving,) = Soundness(drawn).starving
    assert (starving.join, starving.certain, starving.choice) == ("s2", True, "s0")


def test_two_of_three_starve_when_only_one_can_come():
    wires = [(-1, 0, 0), (0, 0, 1), (1, 0, 3), (0, 1, 2), (2, 0, 3), (0, 1, 3)]
    assert Soundness(graph(["choice", "pure", "pure", "two"], wires)).starving == ()
    wires = [(-1, 0, 0), (0, 0, 1), (0, 1, 1)]
    (starving,) = Soundness(graph(["choice", "two"], wires)).starving
    assert starving.certain


def test_a_loop_through_a_choice_is_no_trap():
    drawn = graph(["pure", "choice"], [(-1, 0, 0), (0, 0, 1), (1, 0, 0)])
    assert Soundness(drawn).traps == ()
    assert Soundness(drawn).looped == {"s0", "s1"}


def test_two_loops_in_one_another_are_one_trap():
    drawn = graph(["pure", "choice"], [(-1, 0, 0), (0, 0, 1), (1, 0, 0), (1, 1, 1)])
    assert Soundness(drawn).traps == (("s0", "s1"),)


def test_a_thousand_steps_in_a_row_are_no_depth():
    drawn = graph(["pure"] * 1_000, [(-1, 0, 0), *((at, 0, at + 1) for at in range(999))])
    sound = Soundness(drawn)
    assert sound.surely_ran("s0", "s999")
    assert sound.comes_later("s999", "s0")
    assert len(sound.reached) == 1_000
