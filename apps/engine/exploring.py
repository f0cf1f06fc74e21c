"""Play a graph through in every way it can go, by the engine's own rules, and see where it ends.

What steps compute is not known before a run, so every way out counts as possible. The search
keeps to one order where order cannot matter, and gives up beyond a number of moves: then
nothing is said.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, combinations

from apps.engine import commands as cmd
from apps.engine import events as ev
from apps.engine.graph import BODY, TRIGGER, TRIGGER_PORT, Behaviour, Graph, GraphStep, Link
from apps.engine.run import advance
from apps.engine.soundness import Soundness
from apps.engine.state import Key, RunState

MOST_MOVES = 1500
MOST_TOKENS = 60
#: Joins that feed themselves are cut short after so many rounds in one move.
MOST_AT_ONCE = 200
#: Beyond so many branches of a fork, only each alone and all together are tried.
MANY_BRANCHES = 4

#: The choices that lead to a place: a step, and the port or ports it left by.
Way = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What playing a graph through has shown; ways are witnesses, the first that was found.

    ``starving``: a join, what is left waiting there and the way there; ``always``: every way ends
    so. ``leftover``: a step that ends the run while others are at work, those, and the way.
    ``unbounded``: a step that a loop leaves more tokens at each time round, and the way.
    """

    starving: tuple[str, str, Way] | None = None
    always: bool = False
    leftover: tuple[str, tuple[str, ...], Way] | None = None
    unbounded: tuple[str, Way] | None = None


def explore(graph: Graph) -> Mapping[str, Verdict]:
    """The verdict on the flow itself (by an empty name) and on what is inside each container.

    One that is too large to be played through, or whose tokens are counted by numbers that only
    a run knows, is left out.
    """
    found = {}
    for name, part in _parts(graph):
        verdict = _Search(part).run() if _is_playable(part) else None
        if verdict is not None:
            found[name] = verdict
    return found


def _parts(graph: Graph) -> Iterator[tuple[str, Graph]]:
    """The flow and the inside of each container as graphs of their own, each with a trigger."""
    names = {"": None, **{step.scope: None for step in graph.steps.values()}}
    for name in names:
        steps = {step.id: step for step in graph.steps.values() if step.scope == name}
        links = []
        for link in graph.links:
            if link.target not in steps:
                continue
            if link.source in steps and link.port != BODY:
                links.append(link)
            elif name and link.source == name and link.port == BODY:
                links.append(Link(link.index, TRIGGER, TRIGGER_PORT, link.target))
            elif not name and link.source == TRIGGER:
                links.append(link)
        yield name, Graph(steps, tuple(links), MOST_AT_ONCE)


def _is_playable(graph: Graph) -> bool:
    return bool(graph.links) and not any(
        step.join.counts_tokens or step.moves_tokens for step in graph.steps.values()
    )


class _TooLarge(Exception):
    """The search would take too long."""


@dataclass(slots=True)
class _Place:
    """A state on the way: how it was come to, its tokens, and what joins will swallow."""

    state: RunState
    way: Way
    marking: Counter[str]
    owed: Counter[int]


class _Search:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.moves = 0
        self.seen: set[tuple[object, ...]] = set()
        self.starving: tuple[str, str, Way] | None = None
        self.leftover: tuple[str, tuple[str, ...], Way] | None = None
        self.unbounded: tuple[str, Way] | None = None
        self.ends_well = False
        ends = {one.id for one in graph.steps.values() if one.behaviour is Behaviour.END}
        self._before_ends = _leading_to(graph, ends)
        self._loops = _looped(graph)
        self._is_uneven = any(
            one.join.needs or one.join.waits_for_active for one in graph.steps.values()
        )
        self._quiet = frozenset(one.id for one in graph.steps.values() if self._is_quiet(one))

    def run(self) -> Verdict | None:
        """Every way through, or nothing where there are too many."""
        state = RunState()
        produced = advance(self.graph, state, cmd.Start(None))
        start = self._place(state, (), produced)
        try:
            self._walk(start)
        except _TooLarge:
            return None
        always = self.starving is not None and not self.ends_well
        return Verdict(self.starving, always, self.leftover, self.unbounded)

    def _walk(self, start: _Place) -> None:
        path = [start]
        branches = [self._following(start)]
        while path:
            following = next(branches[-1], None)
            if following is None:
                path.pop()
                branches.pop()
                continue
            if following.state.is_final:
                continue
            key = _key(following)
            if key in self.seen or (self._loops and self._grows(path, following)):
                continue
            self.seen.add(key)
            path.append(following)
            branches.append(self._following(following))

    def _following(self, place: _Place) -> Iterator[_Place]:
        for key in self._next(place):
            step = self.graph.steps[key[0]]
            for ports in _choices(step):
                state = place.state.copy()
                way = place.way
                command: cmd.Command = cmd.Complete(*key, ports[0], None, ports)
                if step.behaviour is Behaviour.END:
                    command = cmd.Finish(*key, "completed", "")
                elif len(step.ports) > 1:
                    way = (*way, (step.id, ", ".join(ports)))
                produced = advance(self.graph, state, command)
                self.moves += 1 + len(produced) // 10
                queued = sum(state.root.queued.values())
                if self.moves > MOST_MOVES or len(state.active) + queued > MOST_TOKENS:
                    raise _TooLarge
                yield self._place(state, way, produced)

    def _place(self, state: RunState, way: Way, produced: list[ev.Event]) -> _Place:
        last = produced[-1]
        if isinstance(last, ev.RunFailed) and last.error.code == "starved_join":
            self.starving = self.starving or (last.error.step, last.error.message, way)
        elif state.is_final:
            self.ends_well = True
        # What was given and how often steps ran does not matter here, and would only be copied on.
        state.root.outputs.clear()
        state.root.activated = 0
        state.visits = {step: state.visits[step] for step, _ in state.active}
        owed = Counter({link: count for link, count in state.root.owed.items() if count})
        return _Place(state, way, _marking(state), owed)

    def _next(self, place: _Place) -> list[Key]:
        """The visits that are played next: one, where what it does cannot disturb the others.

        First what leads to an end of the run, so that it is seen who might be at work then.
        """
        ready = list(place.state.ready)
        for step, visit in ready:
            if self.graph.steps[step].behaviour is Behaviour.END:
                others = {one for one in place.state.active if one != (step, visit)}
                if others and self.leftover is None:
                    names = tuple(sorted({name for name, _ in others}))
                    self.leftover = (step, names, place.way)
        quiet = [key for key in ready if key[0] in self._quiet]
        hasty = [key for key in quiet if key[0] in self._before_ends]
        return (hasty or quiet)[:1] or ready

    def _is_quiet(self, step: GraphStep) -> bool:
        """Whether nothing depends on when it is done, compared with steps beside it."""
        if step.behaviour is Behaviour.END or step.lock or step.id in self._loops:
            return False
        for port in step.ports:
            links = self.graph.from_port(step.id, port)
            if not links and port in step.fails_unlinked:
                return False
            for link in links:
                target = self.graph.steps[link.target]
                rule = target.join
                is_timed = rule.needs or rule.waits_for_active or rule.is_blocking
                if target.behaviour is Behaviour.JOIN and is_timed:
                    return False
        return not self.graph.has_active_joins

    def _grows(self, path: list[_Place], place: _Place) -> bool:
        """Whether all that was there before is there, and more: a loop that only ever grows.

        What could be done before can then be done again. That does not hold where a join takes
        more when more has come, so nothing is said of such flows.

        Source: Karp and Miller, "Parallel program schemata" (1969).
        """
        if self._is_uneven:
            return False
        size = place.marking.total()
        for before in path:
            is_less = before.marking.total() < size and before.owed == place.owed
            if is_less and before.marking <= place.marking:
                more = place.marking - before.marking
                step = next(iter(more)).partition("<")[0]
                self.unbounded = self.unbounded or (step, place.way)
                return True
        return False


def _choices(step: GraphStep) -> list[tuple[str, ...]]:
    ports = tuple(port for port in step.ports if port != BODY)
    if step.behaviour is Behaviour.END or not ports:
        return [("",)]
    if not step.takes_many:
        return [(port,) for port in ports]
    branches = ports[:-1] or ports
    if len(branches) > MANY_BRANCHES:
        some = [*((one,) for one in branches), branches]
    else:
        sizes = range(1, len(branches) + 1)
        some = list(chain.from_iterable(combinations(branches, size) for size in sizes))
    return list(dict.fromkeys([*some, ports[-1:]]))


def _key(place: _Place) -> tuple[object, ...]:
    """What of a state decides about all that can follow."""
    active = Counter((step, status) for (step, _), status in place.state.active.items())
    return (
        frozenset(active.items()),
        frozenset(place.state.root.queued.items()),
        frozenset(place.owed.items()),
    )


def _marking(state: RunState) -> Counter[str]:
    found = Counter(step for step, _ in state.active)
    for step, links in state.root.arrived.items():
        for link in links:
            found[f"{step}<{link}"] += 1
    return found


def _leading_to(graph: Graph, steps: set[str]) -> frozenset[str]:
    seen = set(steps)
    waiting = list(steps)
    while waiting:
        for link in graph.arriving.get(waiting.pop(), ()):
            if link.source not in seen:
                seen.add(link.source)
                waiting.append(link.source)
    return frozenset(seen)


def _looped(graph: Graph) -> frozenset[str]:
    """The steps from which a way leads back to them."""
    return frozenset(
        step
        for part in Soundness(graph).components
        for step in part
        if step in graph.steps and _leads_back(graph, step, part)
    )


def _leads_back(graph: Graph, step: str, part: tuple[str, ...]) -> bool:
    return len(part) > 1 or any(link.source == step for link in graph.arriving.get(step, ()))
