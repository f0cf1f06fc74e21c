"""What can be known of a graph before it runs: what is reached, what ends, what starves.

Everything here is an approximation on the safe side of a *claim*: what is called certain is
certain for every run; what is not claimed may still go wrong. Ways that meet are judged by
facts, kept as bits of one whole number: "this step has run", "it left by that port".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from apps.engine.graph import BODY, TRIGGER, Behaviour, Graph, GraphStep, Link

ERROR_PORT = "error"
#: No port can be called so.
UNDO_PORT = "\0undo"
#: Beyond this many links into one step, subsets of them are not tried one by one.
MANY_LINKS = 10
#: "More than once"; how often exactly does not matter.
OFTEN = 2


@dataclass(frozen=True, slots=True)
class Starving:
    """A join that gets too few tokens.

    ``certain``: in every run. Otherwise only when ``choice`` leaves by ``port``.
    """

    join: str
    certain: bool
    needed: int
    missing: tuple[Link, ...]
    choice: str = ""
    port: str = ""


class Soundness:
    """The findings about one graph; each is computed when first asked for."""

    def __init__(self, graph: Graph) -> None:
        self.graph = _with_ways_to_undo(graph)
        self._bits: dict[tuple[str, str], int] = {}

    @cached_property
    def successors(self) -> Mapping[str, tuple[str, ...]]:
        """The steps that a step's links lead to, by step; the trigger is one."""
        found: dict[str, dict[str, None]] = {TRIGGER: {}, **{step: {} for step in self.graph.steps}}
        for link in self.graph.links:
            found[link.source][link.target] = None
        return {step: tuple(targets) for step, targets in found.items()}

    @cached_property
    def reached(self) -> frozenset[str]:
        """The steps that a token of the trigger can reach."""
        return frozenset(self._walk([TRIGGER], self.successors)) - {TRIGGER}

    @cached_property
    def components(self) -> tuple[tuple[str, ...], ...]:
        """The strongly connected parts among what is reached, ends first; loops have several steps.

        Source: Tarjan, "Depth-first search and linear graph algorithms" (1972), without recursion.
        """
        return _components(TRIGGER, self.successors)

    @cached_property
    def looped(self) -> frozenset[str]:
        """The steps that can run again because a link leads back."""
        return frozenset(
            step
            for part in self.components
            for step in part
            if len(part) > 1 or step in self.successors[step]
        )

    @cached_property
    def traps(self) -> tuple[tuple[str, ...], ...]:
        """Loops without a way out: once inside, a run never ends by itself.

        Not those through a join, which swallows tokens.
        """
        backwards: dict[str, list[str]] = {}
        for source, targets in self.successors.items():
            for target in targets:
                backwards.setdefault(target, []).append(source)
        ends = [step.id for step in self.graph.steps.values() if self._can_end(step)]
        ending = set(self._walk(ends, backwards))
        return tuple(
            tuple(step for step in self.graph.steps if step in part)
            for part in map(frozenset, self.components)
            if part <= self.looped
            and not part & ending
            and not any(self.graph.steps[one].behaviour is Behaviour.JOIN for one in part)
            and all(target in part for step in part for target in self.successors[step])
        )

    def surely_ran(self, step: str, before: str) -> bool:
        """Whether ``step`` has left by some port whenever ``before`` starts."""
        return self._holds(("", step), before)

    def surely_succeeded(self, step: str, before: str) -> bool:
        """Whether ``step`` has left by a port other than ``error`` whenever ``before`` starts."""
        return self._holds(("ok", step), before)

    def surely_failed(self, step: str, before: str) -> bool:
        """Whether ``step`` has left by ``error`` whenever ``before`` starts."""
        return self._holds((ERROR_PORT + ":", step), before)

    def comes_later(self, step: str, than: str) -> bool:
        """Whether ``step`` can only run after ``than``, so that ``than`` never sees its output."""
        if self._tokens.get(than, OFTEN) >= OFTEN:
            return False  # its second visit may see what followed its first
        if step == than:
            return True
        return self.surely_ran(than, step) and than not in self._walk([step], self.successors)

    @cached_property
    def starving(self) -> tuple[Starving, ...]:
        """Joins that starve for sure, or when a choice falls so."""
        found = []
        for step in self.graph.steps.values():
            if step.behaviour is Behaviour.JOIN and step.id in self.reached:
                one = self._starving(step)
                if one is not None:
                    found.append(one)
        return tuple(found)

    def _can_end(self, step: GraphStep) -> bool:
        return step.behaviour is Behaviour.END or any(
            port not in step.fails_unlinked and not self.graph.from_port(step.id, port)
            for port in step.ports
        )

    # Facts

    def _bit(self, kind: str, step: str) -> int:
        key = (kind, step)
        if key not in self._bits:
            self._bits[key] = 1 << len(self._bits)
        return self._bits[key]

    def _left(self, link: Link) -> int:
        """What a token on the link adds to what was known at its source."""
        if link.source == TRIGGER or link.port == BODY:
            return 0  # what is inside a scope runs before the scope itself has given anything
        gained = self._bit("", link.source) | self._bit(link.port + ":", link.source)
        return gained if link.port == ERROR_PORT else gained | self._bit("ok", link.source)

    @cached_property
    def _facts(self) -> Mapping[str, int]:
        """What surely holds when a step starts: the greatest fixed point over all ways to it."""
        gained = {link.index: self._left(link) for link in self.graph.links}
        everything = (1 << len(self._bits)) - 1
        facts = dict.fromkeys(self.reached, everything)
        facts[TRIGGER] = 0
        order = [step for part in reversed(self.components) for step in part if step != TRIGGER]
        changed = True
        while changed:
            changed = False
            for step in order:
                ways = [
                    facts[link.source] | gained[link.index]
                    for link in self.graph.arriving.get(step, ())
                    if link.source in facts
                ]
                known = _in_enough(ways, self._needs(step))
                if known != facts[step]:
                    facts[step] = known
                    changed = True
        return facts

    def _needs(self, step: str) -> int:
        """How many of its links bring a token before a step starts; one, but for a join."""
        one = self.graph.steps[step]
        if one.behaviour is not Behaviour.JOIN:
            return 1
        if one.join.waits_for_active or one.join.counts_tokens:
            return 1
        return one.join.needs or len(self.graph.arriving.get(step, ()))

    def _on(self, link: Link) -> int:
        return self._facts[link.source] | self._left(link)

    def _holds(self, fact: tuple[str, str], before: str) -> bool:
        known = self._facts.get(before, 0)
        return bool(known & self._bits.get(fact, 0))

    # Starving joins

    @cached_property
    def _choices(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Steps that run at most once, with the facts "left by this port", of which one holds."""
        found = []
        for step in self.graph.steps.values():
            marks = tuple(
                self._bits[f"{port}:", step.id]
                for port in step.ports
                if (f"{port}:", step.id) in self._bits
            )
            is_choice = len(step.ports) > 1 and not step.takes_many
            if is_choice and self._tokens.get(step.id, OFTEN) < OFTEN:
                found.append((step.id, marks))
        return tuple(found)

    @cached_property
    def _tokens(self) -> Mapping[str, int]:
        """How often each step can run, at most: 1, or ``OFTEN``."""
        self._facts  # noqa: B018 - names the bits
        counted: dict[str, int] = {TRIGGER: 1}
        single: list[tuple[int, ...]] = []
        for part in reversed(self.components):
            for step in part:
                if step == TRIGGER:
                    continue
                counted[step] = self._count(step, counted, single)
                if counted[step] < OFTEN and not self.graph.steps[step].takes_many:
                    ports = self.graph.steps[step].ports
                    single.append(tuple(self._bits.get((f"{port}:", step), 0) for port in ports))
        return counted

    def _count(
        self, step: str, counted: Mapping[str, int], single: Iterable[tuple[int, ...]]
    ) -> int:
        if step in self.looped:
            return OFTEN
        links = [link for link in self.graph.arriving.get(step, ()) if link.source in counted]
        if any(counted[link.source] >= OFTEN for link in links):
            return OFTEN
        if self.graph.steps[step].behaviour is Behaviour.JOIN:
            return 1  # one token a link is one wave, and a wave fires once
        choices = [marks for marks in single if len(marks) > 1]
        ways = [self._on(link) for link in links]
        together = any(not _exclusive(a, b, choices) for a, b in combinations(ways, 2))
        return OFTEN if together else 1

    def _starving(self, join: GraphStep) -> Starving | None:
        links = self.graph.arriving.get(join.id, ())
        needed = self._needs(join.id)
        if needed > len(links):
            return Starving(join.id, certain=True, needed=needed, missing=links)
        if needed < 2 or any(link.source not in self._facts for link in links):
            return None  # what is not reached is a finding of its own
        choices = [marks for _, marks in self._choices]
        ways = {link.index: self._on(link) for link in links}
        if len(links) <= MANY_LINKS and not any(
            all(
                not _exclusive(ways[a.index], ways[b.index], choices)
                for a, b in combinations(some, 2)
            )
            for some in combinations(links, needed)
        ):
            return self._certain(join, links, needed, ways)
        return self._possible(join, links, needed, ways)

    def _certain(
        self, join: GraphStep, links: tuple[Link, ...], needed: int, ways: Mapping[int, int]
    ) -> Starving:
        for step, marks in self._choices:
            for one, other in combinations(links, 2):
                if _exclusive(ways[one.index], ways[other.index], [marks]):
                    return Starving(join.id, True, needed, (one, other), choice=step)
        return Starving(join.id, True, needed, links)

    def _possible(
        self, join: GraphStep, links: tuple[Link, ...], needed: int, ways: Mapping[int, int]
    ) -> Starving | None:
        """A choice by which tokens vanish that the join needs, while others arrive.

        Only where every link is needed: with fewer, others may make up for it.
        """
        if needed < len(links) or self._tokens.get(join.id, OFTEN) >= OFTEN:
            return None
        shared = _in_enough(list(ways.values()), 1)
        for step, _ in self._choices:
            ports = self.graph.steps[step].ports
            for link in links:
                taken = [port for port in ports if ways[link.index] & self._mark(step, port)]
                if not taken or shared & self._mark(step, taken[0]):
                    continue
                for port in ports:
                    if port != taken[0] and self._vanishes(step, port, join.id):
                        return Starving(join.id, False, needed, (link,), step, port)
        return None

    def _mark(self, step: str, port: str) -> int:
        return self._bits.get((f"{port}:", step), 0)

    def _vanishes(self, step: str, port: str, join: str) -> bool:
        """Whether a token that leaves so can end quietly without reaching the join."""
        links = self.graph.from_port(step, port)
        if not links:
            return port not in self.graph.steps[step].fails_unlinked
        around = {
            source: tuple(target for target in targets if target != join)
            for source, targets in self.successors.items()
        }
        seen = self._walk([link.target for link in links if link.target != join], around)
        return any(
            step.behaviour is not Behaviour.END and self._can_end(step)
            for step in (self.graph.steps[one] for one in seen)
        )

    @staticmethod
    def _walk(start: Iterable[str], edges: Mapping[str, Iterable[str]]) -> dict[str, None]:
        seen = dict.fromkeys(start)
        waiting = list(seen)
        while waiting:
            for target in edges.get(waiting.pop(), ()):
                if target not in seen:
                    seen[target] = None
                    waiting.append(target)
        return seen


def _with_ways_to_undo(graph: Graph) -> Graph:
    """The graph with a way from each step to the one that undoes it: it runs after that one."""
    undone = [step for step in graph.steps.values() if step.undo in graph.steps]
    if not undone:
        return graph
    first = max((link.index for link in graph.links), default=-1) + 1
    ways = tuple(Link(first + at, step.id, UNDO_PORT, step.undo) for at, step in enumerate(undone))
    return Graph(graph.steps, (*graph.links, *ways), graph.max_steps)


def _in_enough(ways: list[int], needs: int) -> int:
    """The facts that hold whichever ``needs`` of the ways brought the tokens.

    A fact is sure when it holds on more ways than can be left out.
    """
    if not ways:
        return 0
    if needs >= len(ways):
        known = 0
        for way in ways:
            known |= way
        return known
    if needs == 1:
        known = ways[0]
        for way in ways[1:]:
            known &= way
        return known
    # at_least[k]: the facts that hold on k + 1 or more of the ways seen so far.
    at_least = [0] * (len(ways) - needs + 1)
    for way in ways:
        carried = way
        for index, held in enumerate(at_least):
            at_least[index], carried = held | carried, held & carried
    return at_least[-1]


def _exclusive(one: int, other: int, choices: Iterable[tuple[int, ...]]) -> bool:
    """Whether two ways need different ports of a step that runs once."""
    for marks in choices:
        a = [mark for mark in marks if one & mark]
        b = [mark for mark in marks if other & mark]
        if a and b and not set(a) & set(b):
            return True
    return False


def _components(
    root: str, successors: Mapping[str, tuple[str, ...]]
) -> tuple[tuple[str, ...], ...]:
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    found: list[tuple[str, ...]] = []
    work: list[tuple[str, int]] = [(root, 0)]
    while work:
        node, edge = work.pop()
        if edge == 0:
            index[node] = low[node] = len(index)
            stack.append(node)
            on_stack.add(node)
        targets = successors[node]
        while edge < len(targets):
            target = targets[edge]
            edge += 1
            if target not in index:
                work += [(node, edge), (target, 0)]
                break
            if target in on_stack:
                low[node] = min(low[node], index[target])
        else:
            if low[node] == index[node]:
                at = stack.index(node)
                found.append(tuple(stack[at:]))
                on_stack.difference_update(stack[at:])
                del stack[at:]
            if work:
                parent = work[-1][0]
                low[parent] = min(low[parent], low[node])
    return tuple(found)
