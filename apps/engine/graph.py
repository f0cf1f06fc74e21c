"""The published graph as the engine sees it: steps, ports and links, with everything looked up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

TRIGGER = "trigger"
TRIGGER_PORT = "start"
DEFAULT_MAX_STEPS = 10_000


class Behaviour(StrEnum):
    """How the engine treats a step."""

    PURE = "pure"  # evaluated inline, at once
    EFFECT = "effect"  # touches the outside; pulled by a worker after commit
    WAIT = "wait"  # holds nothing until a person, a time or an event resolves it
    JOIN = "join"  # collects tokens; decided here, never evaluated
    END = "end"  # ends the run


@dataclass(frozen=True, slots=True)
class Link:
    """From a port to a step. ``index`` is its place in the document and names it in the journal."""

    index: int
    source: str
    port: str
    target: str


@dataclass(frozen=True, slots=True)
class GraphStep:
    """A step.

    ``join_needs`` is how many distinct links fire a join: all of them when 0.
    ``fails_unlinked`` are ports that fail the run when a token leaves by them without a link.
    """

    id: str
    behaviour: Behaviour
    ports: tuple[str, ...]
    join_needs: int = 0
    fails_unlinked: frozenset[str] = frozenset()


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

    def from_port(self, step: str, port: str) -> tuple[Link, ...]:
        """The links that leave by that port, in document order."""
        return self.leaving.get((step, port), ())
