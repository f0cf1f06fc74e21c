"""The published graph as the engine sees it: steps, ports and links, with everything looked up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

TRIGGER = "trigger"
TRIGGER_PORT = "start"
BODY = "body"  # the port of a scope that leads to the steps inside it
DEFAULT_MAX_STEPS = 10_000


class Behaviour(StrEnum):
    """How the engine treats a step."""

    PURE = "pure"  # evaluated inline, at once
    EFFECT = "effect"  # touches the outside; pulled by a worker after commit
    WAIT = "wait"  # holds nothing until a person, a time or an event resolves it
    JOIN = "join"  # collects tokens; decided here, never evaluated
    SCOPE = "scope"  # contains steps; is over when its items are
    END = "end"  # ends the run


@dataclass(frozen=True, slots=True)
class Link:
    """From a port to a step. ``index`` is its place in the document and names it in the journal."""

    index: int
    source: str
    port: str
    target: str


@dataclass(frozen=True, slots=True)
class JoinRule:
    """When a join fires.

    ``needs`` is how many distinct links it takes: all of them when 0. ``counts_tokens``: any
    tokens count, also several of one link. ``waits_for_active``: it fires once no token can
    reach it any more. ``is_blocking``: further tokens wait until the whole round has come.
    ``cancels_rest``: what is still on its way to it is withdrawn.
    """

    needs: int = 0
    counts_tokens: bool = False
    waits_for_active: bool = False
    is_blocking: bool = False
    cancels_rest: bool = False


@dataclass(frozen=True, slots=True)
class GraphStep:
    """A step.

    ``fails_unlinked`` are ports that fail the run when a token leaves by them without a link.
    ``scope`` is the step that contains it, ``undo`` the step that takes back what it did.
    ``lock``: of the steps with the same one, one is at work at a time. ``takes_many``: it may
    leave by several ports at once. ``resorts``: where it has failed, something follows that the
    case. ``moves_tokens``: it multiplies or withdraws tokens.
    """

    id: str
    behaviour: Behaviour
    ports: tuple[str, ...]
    join: JoinRule = JoinRule()
    fails_unlinked: frozenset[str] = frozenset()
    scope: str = ""
    undo: str = ""
    lock: str = ""
    takes_many: bool = False
    resorts: bool = False
    moves_tokens: bool = False


@dataclass(frozen=True)
class Graph:
    """Steps by id and links by where they leave and arrive; built once per version."""

    steps: Mapping[str, GraphStep]
    links: tuple[Link, ...]
    max_steps: int = DEFAULT_MAX_STEPS
    leaving: Mapping[tuple[str, str], tuple[Link, ...]] = field(init=False)
    arriving: Mapping[str, tuple[Link, ...]] = field(init=False)

    def __post_init__(self) -> None:
        leaving: dict[tuple[str, str], list[Link]] = {}
        arriving: dict[str, list[Link]] = {}
        for link in self.links:
            leaving.setdefault((link.source, link.port), []).append(link)
            arriving.setdefault(link.target, []).append(link)
        object.__setattr__(self, "leaving", {key: tuple(found) for key, found in leaving.items()})
        object.__setattr__(self, "arriving", {key: tuple(found) for key, found in arriving.items()})

    @cached_property
    def locks(self) -> Mapping[str, str]:
        """The lock of each step that has one."""
        return {step.id: step.lock for step in self.steps.values() if step.lock}

    @cached_property
    def has_active_joins(self) -> bool:
        """Whether a join waits for whatever can still come."""
        return any(step.join.waits_for_active for step in self.steps.values())

    @cached_property
    def has_scopes(self) -> bool:
        """Whether a step contains others."""
        return any(step.behaviour is Behaviour.SCOPE for step in self.steps.values())

    @cached_property
    def compensations(self) -> frozenset[str]:
        """The steps that are run only to undo others."""
        return frozenset(step.undo for step in self.steps.values() if step.undo)

    def upstream(self, join: str, link: int) -> frozenset[str]:
        """The steps from which a token can still come over that link, not through the join."""
        return self._upstream[join, link]

    @cached_property
    def _upstream(self) -> Mapping[tuple[str, int], frozenset[str]]:
        joins = (step for step in self.steps.values() if step.behaviour is Behaviour.JOIN)
        return {
            (join.id, link.index): self._leading_to(link.source, join.id)
            for join in joins
            for link in self.arriving.get(join.id, ())
        }

    def _leading_to(self, step: str, without: str) -> frozenset[str]:
        if step in (without, TRIGGER):
            return frozenset()
        seen = {step}
        waiting = [step]
        while waiting:
            for link in self.arriving.get(waiting.pop(), ()):
                if link.source not in seen and link.source not in (without, TRIGGER):
                    seen.add(link.source)
                    waiting.append(link.source)
        return frozenset(seen)

    def from_port(self, step: str, port: str) -> tuple[Link, ...]:
        """The links that leave by that port, in document order."""
        return self.leaving.get((step, port), ())
