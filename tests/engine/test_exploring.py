"""Playing a graph through finds what can go wrong in it: held against every order there is."""

import heapq

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from apps.engine import commands as cmd
from apps.engine import events as ev
from apps.engine.exploring import Verdict, explore
from apps.engine.graph import Behaviour, Graph, GraphStep, JoinRule, Link
from apps.engine.run import advance
from apps.engine.state import RunState
from tests.engine.support import graph

KINDS = {
    "pure": (Behaviour.PURE, ("done",), JoinRule()),
    "choice": (Behaviour.PURE, ("yes", "no"), JoinRule()),
    "all": (Behaviour.JOIN, ("done",), JoinRule()),
    "any": (Behaviour.JOIN, ("done",), JoinRule(1)),
    "two": (Behaviour.JOIN, ("done",), JoinRule(2)),
    "blocking": (Behaviour.JOIN, ("done",), JoinRule(1, is_blocking=True)),
    "active": (Behaviour.JOIN, ("done",), JoinRule(waits_for_active=True)),
    "end": (Behaviour.END, (), JoinRule()),
}
TOO_LARGE = Verdict()
ALL_KINDS = tuple(sorted(KINDS))
MOST_MOVES = 150


@st.composite
def graphs(draw, allowed=ALL_KINDS):
    count = draw(st.integers(2, 6))
    kinds = draw(st.lists(st.sampled_from(allowed), min_size=count, max_size=count))
    names = [f"s{index}" for index in range(count)]
    steps = {name: GraphStep(name, *KINDS[kind]) for name, kind in zip(names, kinds, strict=True)}
    places = st.integers(0, count - 1)
    wires = {
        ("trigger", "start", names[at]) for at in draw(st.sets(places, min_size=1, max_size=2))
    }
    for source, port, target in draw(
        st.lists(st.tuples(places, st.integers(0, 1), places), max_size=2 * count)
    ):
        if ports := steps[names[source]].ports:
            wires.add((names[source], ports[port % len(ports)], names[target]))
    return Graph(
        steps, tuple(Link(at, *ends) for at, ends in enumerate(sorted(wires))), max_steps=200
    )


def ends_of(drawn):
    """How every order of every choice can end: ``starved``, ``else``; None where too many."""
    start = RunState()
    found: set[str] = set()
    waiting = [start]
    note(found, start, advance(drawn, start, cmd.Start(None)))
    seen = set()
    for _ in range(MOST_MOVES):
        if not waiting:
            return found
        state = waiting.pop()
        for step, visit in state.active:
            for command in moves(drawn, step, visit):
                after = state.copy()
                note(found, after, advance(drawn, after, command))
                key = marking(after)
                if not after.is_final and key not in seen:
                    seen.add(key)
                    waiting.append(after)
    return None


def moves(drawn, step, visit):
    here = drawn.steps[step]
    if here.behaviour is Behaviour.END:
        return [cmd.Finish(step, visit, "completed", "")]
    return [cmd.Complete(step, visit, port, None) for port in here.ports]


def note(found, state, events):
    if state.is_final:
        failed = [one.error.code for one in events if isinstance(one, ev.RunFailed)]
        found.add("starved" if failed == ["starved_join"] else "else")


def marking(state):
    root = state.root
    root.activated = 0
    return (
        tuple(sorted(step for step, _ in state.active)),
        tuple(sorted(root.queued.items())),
        tuple(sorted((link, count) for link, count in root.owed.items() if count)),
        tuple((step, tuple(links)) for step, links in root.arrived.items() if links),
    )


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(graphs())
def test_what_is_called_sound_never_starves_and_what_is_not_has_a_way_that_does(drawn):
    verdict = explore(drawn).get("", TOO_LARGE)
    assume(verdict is not TOO_LARGE and verdict.unbounded is None)
    ends = ends_of(drawn)
    assume(ends is not None)

    assert (verdict.starving is not None) == ("starved" in ends)
    if ends:
        assert verdict.always == (ends == {"starved"})


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(graphs(("pure", "pure", "choice", "all")))
def test_a_loop_that_grows_does_so_in_a_run(drawn):
    """The engine really goes on to more and more tokens, by some order of some choices."""
    verdict = explore(drawn).get("")
    assume(verdict is not None and verdict.unbounded is not None)
    start = RunState()
    advance(drawn, start, cmd.Start(None))
    seen = set()
    waiting = [(0, 0, start)]
    for number in range(2000):
        count, _, state = heapq.heappop(waiting)
        if -count > len(drawn.links) + 5:
            return
        for step, visit in state.active:
            for command in moves(drawn, step, visit):
                after = state.copy()
                advance(drawn, after, command)
                key = marking(after)
                if not after.is_final and key not in seen:
                    seen.add(key)
                    tokens = len(after.active) + sum(after.root.queued.values())
                    heapq.heappush(waiting, (-tokens, number * 100 + len(seen), after))
    pytest.fail("it did not grow")


class TestVerdicts:
    def test_a_choice_before_a_join_of_both_is_shown_with_its_way(self):
        drawn = graph(
            "trigger -> which",
            "which.done -> a",
            "which.no -> b",
            "a -> j",
            "b -> j",
            joins={"j": 0},
        )
        found = explore(drawn)[""]
        assert found.always
        assert found.starving is not None
        assert (found.starving[0], found.starving[2]) == ("j", (("which", "done"),))

    def test_one_way_that_ends_before_the_join(self):
        drawn = graph(
            "trigger -> a", "trigger -> which", "a -> j", "which.done -> j", "which.no -> z",
            joins={"j": 0},
        )  # fmt: skip
        found = explore(drawn)[""]
        assert not found.always
        assert found.starving is not None
        assert found.starving[2] == (("which", "no"),)

    def test_an_end_beside_work(self):
        drawn = graph("trigger -> a", "trigger -> b", "a -> stop", "b -> c", kinds={"stop": "end"})
        leftover = explore(drawn)[""].leftover
        assert leftover is not None
        assert leftover[:2] == ("stop", ("b",))

    def test_an_end_after_all_has_met(self):
        drawn = graph(
            "trigger -> a", "trigger -> b", "a -> j", "b -> j", "j -> stop",
            joins={"j": 0}, kinds={"stop": "end"},
        )  # fmt: skip
        found = explore(drawn)[""]
        assert (found.leftover, found.starving, found.unbounded) == (None, None, None)

    def test_a_loop_that_starts_more_each_time(self):
        drawn = graph("trigger -> a", "a -> b", "a -> c", "b -> a", "c -> a")
        assert explore(drawn)[""].unbounded is not None

    def test_a_loop_that_comes_back_as_it_was(self):
        drawn = graph("trigger -> a", "a.again -> a", "a.done -> z")
        assert explore(drawn)[""].unbounded is None

    def test_what_is_inside_a_container_is_judged_by_itself(self):
        steps = {
            "each": GraphStep("each", Behaviour.SCOPE, ("done", "body")),
            "which": GraphStep("which", Behaviour.PURE, ("yes", "no"), scope="each"),
            "j": GraphStep("j", Behaviour.JOIN, ("done",), scope="each"),
        }
        links = (
            Link(0, "trigger", "start", "each"),
            Link(1, "each", "body", "which"),
            Link(2, "which", "yes", "j"),
            Link(3, "which", "no", "j"),
        )
        found = explore(Graph(steps, links))
        assert found[""].starving is None
        assert found["each"].always

    def test_one_too_large_is_left_out(self):
        wide = [f"trigger -> a{at}" for at in range(30)]
        drawn = graph(*wide, *(f"a{at} -> j" for at in range(30)), joins={"j": 15})
        assert "" not in explore(drawn)
