"""A run's state: tokens, counters and references into the journal, never outputs.

A run is a tree of frames. The root holds the tokens of the flow itself; a step that contains
steps (a scope) has a frame for each of its items, with tokens, joins and outputs of its own.
A frame is named ``<scope step>:<visit>:<index>``, the root by an empty text.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from apps.engine.lifecycle import FINAL_RUN, RunStatus, StepStatus

Key = tuple[str, int]
ROOT = ""


@dataclass(frozen=True, slots=True)
class Done:
    """A completed visit that can be undone: its journal row, and the frame it ran in."""

    step: str
    visit: int
    seq: int
    frame: str


@dataclass(slots=True)
class Frame:
    """One item of a scope, or the run itself.

    ``outputs`` and ``errors`` name the journal row of a step's latest visit. ``queued`` and
    ``owed`` count, per link, tokens that wait at a join and those it will swallow; ``arrived``
    is their order, by join. ``taken`` counts outcomes of another run that were taken over, by
    step. ``alive`` counts visits that are not over, ``activated`` all of
    them. ``undo`` is what would be undone, oldest first. ``why`` is set while the frame is
    being undone: what happens afterwards; ``undoing`` is the visit that does it, and for whom.
    """

    outputs: dict[str, int] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    queued: dict[int, int] = field(default_factory=dict)
    owed: dict[int, int] = field(default_factory=dict)
    arrived: dict[str, list[int]] = field(default_factory=dict)
    alive: int = 0
    activated: int = 0
    undo: list[Done] = field(default_factory=list)
    why: Mapping[str, Any] | None = None
    undoing: tuple[Key, Done] | None = None
    taken: dict[str, int] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left to do in it."""
        return not self.alive and not self.queued and self.why is None

    def copy(self) -> "Frame":
        """An independent copy."""
        return replace(
            self,
            outputs=dict(self.outputs),
            errors=dict(self.errors),
            queued=dict(self.queued),
            owed=dict(self.owed),
            arrived={step: list(links) for step, links in self.arrived.items()},
            undo=list(self.undo),
            taken=dict(self.taken),
        )


@dataclass(slots=True)
class Scope:
    """An open visit of a step that contains steps.

    ``frame`` is where it stands. Of ``total`` items ``begun`` have begun and ``open`` are at
    work. ``needs``: how many must succeed before the step goes on (0: all). ``tolerance``: at so
    many failures it stops (0: never). ``rest``: what becomes of the others when it goes on
    early. ``failures`` are ranges ``[first, count]``; ``again`` those that are tried once more.
    ``cause`` is why the latest of them failed. ``then``: the scope is closing, and what follows.
    ``dropped`` are ranges of items that were withdrawn when it failed, ``left`` how many had not
    begun then: a person may order that they be done.
    ``is_gone``: the step has gone on and the rest finishes without effect.
    """

    frame: str
    kind: str
    total: int
    parallel: int
    needs: int = 0
    tolerance: int = 1
    rest: str = "cancel"
    rounds: int = 1
    round: int = 1
    begun: int = 0
    open: int = 0
    succeeded: int = 0
    failed: int = 0
    failures: list[list[int]] = field(default_factory=list)
    again: list[list[int]] = field(default_factory=list)
    dropped: list[list[int]] = field(default_factory=list)
    left: int = 0
    cause: Mapping[str, Any] | None = None
    then: Mapping[str, Any] | None = None
    is_gone: bool = False

    @property
    def more(self) -> int:
        """How many items have yet to begin, at least."""
        return self.again[0][1] if self.again else self.total - self.begun

    @property
    def following(self) -> int:
        """The index of the next item to begin."""
        return self.again[0][0] if self.again else self.begun

    @property
    def is_over(self) -> bool:
        """Whether no item is at work and none will be."""
        return not self.open and not self.more

    @property
    def is_collectable(self) -> bool:
        """Whether its output is due: the step can go on, also after a failure."""
        if self.is_gone:
            return False
        if self.then is None:
            return self.is_over
        if self.then.get("resorts"):
            return not self.open
        return self.then["kind"] == "collect" and (self.rest == "finish" or not self.open)

    def copy(self) -> "Scope":
        """An independent copy."""
        return replace(
            self,
            failures=[list(one) for one in self.failures],
            again=[list(one) for one in self.again],
            dropped=[list(one) for one in self.dropped],
        )


@dataclass(slots=True)
class RunState:
    """The run so far.

    ``started`` is the row that started it (0: none yet), ``given`` the one that says what it
    takes over of another run (0: nothing).
    ``placed`` names the frame of each active visit that is not in the root. ``ending`` are
    frames in which nothing is left, whose result is not known yet. ``held`` are visits that have
    failed, about which a person is asked; ``generations`` counts repeats that a person ordered.
    ``skipped_to``: a test run goes on as if it were then, where that is later than now.
    """

    status: RunStatus = RunStatus.QUEUED
    seq: int = 0
    started: int = 0
    given: int = 0
    responded: bool = False
    visits: dict[str, int] = field(default_factory=dict)
    active: dict[Key, StepStatus] = field(default_factory=dict)
    placed: dict[Key, str] = field(default_factory=dict)
    frames: dict[str, Frame] = field(default_factory=lambda: {ROOT: Frame()})
    scopes: dict[Key, Scope] = field(default_factory=dict)
    ending: dict[str, None] = field(default_factory=dict)
    held: dict[Key, None] = field(default_factory=dict)
    generations: dict[Key, int] = field(default_factory=dict)
    skipped_to: str = ""

    @property
    def is_final(self) -> bool:
        """Whether nothing can happen any more."""
        return self.status in FINAL_RUN

    @property
    def root(self) -> Frame:
        """The frame of the flow itself."""
        return self.frames[ROOT]

    @property
    def ready(self) -> list[Key]:
        """The visits that have begun and are not evaluated yet, oldest first."""
        return [key for key, status in self.active.items() if status is StepStatus.READY]

    @property
    def waits(self) -> list[Key]:
        """The visits that a person, a time, a worker or their own steps must resolve."""
        return [key for key, status in self.active.items() if status is not StepStatus.READY]

    @property
    def collectable(self) -> Key | None:
        """A scope whose output is due, or what follows its failure."""
        for key, scope in self.scopes.items():
            if scope.is_collectable and key not in self.held:
                return key
        return None

    def frame_of(self, key: Key) -> str:
        """The frame in which an active visit stands."""
        return self.placed.get(key, ROOT)

    def parent(self, frame: str) -> str:
        """The frame in which the scope of ``frame`` stands."""
        key, _ = split_frame(frame)
        return self.scopes[key].frame

    def chain(self, frame: str) -> list[str]:
        """The frame, its parent, and so on up to the root."""
        found = [frame]
        while frame != ROOT:
            frame = self.parent(frame)
            found.append(frame)
        return found

    def can_undo(self, frame: str) -> bool:
        """Whether something that was done in it can be undone, or is being undone."""
        here = self.frames[frame]
        return bool(here.undo) or here.undoing is not None

    def inside(self, key: Key) -> Iterator[str]:
        """The frames of a scope's open items and all frames below them."""
        prefix = f"{key[0]}:{key[1]}:"
        for frame in list(self.frames):
            if frame.startswith(prefix):
                yield frame
                for inner, scope in list(self.scopes.items()):
                    if scope.frame == frame:
                        yield from self.inside(inner)

    def copy(self) -> "RunState":
        """An independent copy."""
        return replace(
            self,
            visits=dict(self.visits),
            active=dict(self.active),
            placed=dict(self.placed),
            frames={name: frame.copy() for name, frame in self.frames.items()},
            scopes={key: scope.copy() for key, scope in self.scopes.items()},
            ending=dict(self.ending),
            held=dict(self.held),
            generations=dict(self.generations),
        )


def frame_name(key: Key, index: int) -> str:
    """The name of a scope's frame."""
    return f"{key[0]}:{key[1]}:{index}"


def split_frame(frame: str) -> tuple[Key, int]:
    """The scope's visit and the item's index of a frame's name."""
    step, visit, index = frame.split(":")
    return (step, int(visit)), int(index)


def to_json(state: RunState) -> dict[str, Any]:
    """The snapshot as it is stored. What is empty in most runs is left out."""
    data: dict[str, Any] = {
        "status": state.status.value,
        "seq": state.seq,
        "started": state.started,
        "responded": state.responded,
        "visits": state.visits,
        "active": [[step, visit, status.value] for (step, visit), status in state.active.items()],
        **_frame_to_json(state.root),
    }
    if state.given:
        data["given"] = state.given
    if state.placed:
        data["placed"] = [[*key, frame] for key, frame in state.placed.items()]
    if len(state.frames) > 1:
        data["frames"] = {
            name: _frame_to_json(frame) for name, frame in state.frames.items() if name != ROOT
        }
    if state.scopes:
        data["scopes"] = [[*key, _scope_to_json(scope)] for key, scope in state.scopes.items()]
    if state.ending:
        data["ending"] = list(state.ending)
    if state.held:
        data["held"] = [list(key) for key in state.held]
    if state.generations:
        data["generations"] = [[*key, count] for key, count in state.generations.items()]
    if state.skipped_to:
        data["skipped_to"] = state.skipped_to
    return data


def from_json(data: Mapping[str, Any]) -> RunState:
    """The state that :func:`to_json` wrote, by this release or an earlier one."""
    if not data:
        return RunState()
    active = {(step, visit): StepStatus(status) for step, visit, status in data["active"]}
    placed = {(step, visit): frame for step, visit, frame in data.get("placed", [])}
    root = _frame_from_json(data)
    if "alive" not in data:
        root.alive = len(active) - len(placed)
    frames = {name: _frame_from_json(one) for name, one in data.get("frames", {}).items()}
    return RunState(
        status=RunStatus(data["status"]),
        seq=data["seq"],
        started=data["started"],
        given=data.get("given", 0),
        responded=data["responded"],
        visits=dict(data["visits"]),
        active=active,
        placed=placed,
        frames={ROOT: root, **frames},
        scopes={(step, visit): Scope(**one) for step, visit, one in data.get("scopes", [])},
        ending=dict.fromkeys(data.get("ending", [])),
        held=dict.fromkeys((step, visit) for step, visit in data.get("held", [])),
        generations={(step, visit): count for step, visit, count in data.get("generations", [])},
        skipped_to=data.get("skipped_to", ""),
    )


def _frame_to_json(frame: Frame) -> dict[str, Any]:
    data: dict[str, Any] = {
        "activated": frame.activated,
        "alive": frame.alive,
        "queued": [[link, count] for link, count in frame.queued.items()],
        # By number: what is owed no more is left out, which would else tell in the order.
        "owed": [[link, frame.owed[link]] for link in sorted(frame.owed) if frame.owed[link]],
        "arrived": {step: links for step, links in frame.arrived.items() if links},
        "outputs": frame.outputs,
        "errors": frame.errors,
    }
    if frame.undo:
        data["undo"] = [_done_to_json(one) for one in frame.undo]
    if frame.why is not None:
        data["why"] = frame.why
    if frame.taken:
        data["taken"] = frame.taken
    if frame.undoing is not None:
        key, done = frame.undoing
        data["undoing"] = [*key, *_done_to_json(done)]
    return data


def _frame_from_json(data: Mapping[str, Any]) -> Frame:
    undoing = data.get("undoing")
    return Frame(
        outputs=dict(data["outputs"]),
        errors=dict(data["errors"]),
        queued={link: count for link, count in data["queued"] if count},
        owed=dict(data["owed"]),
        arrived={step: list(links) for step, links in data["arrived"].items()},
        alive=data.get("alive", 0),
        activated=data["activated"],
        undo=[Done(*one) for one in data.get("undo", [])],
        why=data.get("why"),
        undoing=((undoing[0], undoing[1]), Done(*undoing[2:])) if undoing else None,
        taken=dict(data.get("taken", {})),
    )


def _done_to_json(done: Done) -> list[Any]:
    return [done.step, done.visit, done.seq, done.frame]


def _scope_to_json(scope: Scope) -> dict[str, Any]:
    data = {one.name: getattr(scope, one.name) for one in fields(scope)}
    for name in ("dropped", "left"):
        if not data[name]:
            del data[name]
    return data
