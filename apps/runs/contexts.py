"""What expressions of a run may read, frame by frame, and what of it is at hand.

The driver loads what a slice will probably need; what turns out to be missing ends the slice,
and is loaded with the next.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.engine.state import ROOT, Key, RunState, split_frame

Parts = dict[str, Any]


class NotLoaded(Exception):
    """A value is needed that was not read with this slice: go on with the next one."""


@dataclass(slots=True)
class Loaded:
    """Values of a run that were read from its journal, or came about in this slice.

    ``known`` holds the output and error of steps, by frame. ``items`` are by frame, ``results``
    by scope and index, ``(outcome, output, error)``; ``collected`` are scopes of which all were
    read. ``by_row`` are outputs by journal row.
    """

    known: dict[str, dict[str, Parts]] = field(default_factory=dict)
    items: dict[str, Any] = field(default_factory=dict)
    results: dict[Key, dict[int, tuple[str, Any, Any]]] = field(default_factory=dict)
    collected: set[Key] = field(default_factory=set)
    by_row: dict[int, Any] = field(default_factory=dict)


def part_of(context: Mapping[str, Any], paths: Iterable[Sequence[str]]) -> dict[str, Any]:
    """What of a context stands at these paths; what is not there is left out."""
    found: dict[str, Any] = {}
    for path in sorted(map(tuple, paths)):
        here: Any = context
        into = found
        for depth, name in enumerate(path):
            if name not in here:
                break
            here = here[name]
            if depth == len(path) - 1 or not isinstance(here, Mapping):
                into[name] = here
                break
            if into.get(name) is here:
                break  # a shorter path took all of it
            into = into.setdefault(name, {})
    return found


class Contexts:
    """Builds what expressions see (engine rule 27), and keeps it up to date."""

    def __init__(self, run_id: UUID, state: RunState, loaded: Loaded) -> None:
        self._run_id = run_id
        self._state = state
        self.loaded = loaded
        self._trigger: Any = None
        self._started_at: datetime | None = None
        self._made: dict[str, dict[str, Any]] = {}

    def started(self, trigger: Any, at: datetime | None) -> None:
        """The run's trigger is known."""
        self._trigger, self._started_at = trigger, at
        self._made.clear()

    def learn(self, frame: str, step: str, part: str, value: Any) -> None:
        """A step has an output or an error."""
        here = self.loaded.known.setdefault(frame, {})
        parts = here.get(step)
        if parts is None:
            parts = here[step] = {}
            # A new name: contexts that it can be read from are made anew, its own is mended.
            own = self._made.pop(frame, None)
            if frame == ROOT or any(scope.frame == frame for scope in self._state.scopes.values()):
                self._made.clear()
            if own is not None:
                own["steps"][step] = parts
                self._made[frame] = own
        parts[part] = value

    def forget_error(self, frame: str, step: str) -> None:
        """The step went well after all."""
        self.loaded.known[frame][step].pop("error", None)

    def close(self, frame: str, into: str | None) -> None:
        """A frame is over; what its steps gave is read from ``into`` afterwards, if anywhere."""
        gone = self.loaded.known.pop(frame, {})
        self._made.pop(frame, None)
        if into is not None and gone:
            self.loaded.known.setdefault(into, {}).update(gone)
            self._made.clear()

    def of(self, frame: str) -> dict[str, Any]:
        """What an expression of a step in that frame reads.

        Raises:
            NotLoaded: The frame's item was not read.
        """
        if frame not in self._made:
            self._made[frame] = self._build(frame)
        return self._made[frame]

    def undoing(self, frame: str) -> dict[str, Any]:
        """What the step reads that undoes a visit: that visit's output, and its item."""
        undoing = self._state.frames[frame].undoing
        base = self.of(frame)
        if undoing is None:
            return base
        done = undoing[1]
        if done.seq not in self.loaded.by_row:
            raise NotLoaded
        steps = {**base["steps"], done.step: {"output": self.loaded.by_row[done.seq]}}
        context = {**base, "steps": steps}
        if done.frame != frame and done.frame in self.loaded.items:
            context |= {"item": self.loaded.items[done.frame], "index": split_frame(done.frame)[1]}
        return context

    def last_output(self, frame: str) -> Any:
        """The output of the step that was done last in a frame; null where none was."""
        outputs = self._state.frames[frame].outputs
        if not outputs:
            return None
        step = max(outputs, key=lambda one: outputs[one])
        parts = self.loaded.known.get(frame, {}).get(step, {})
        if "output" not in parts:
            raise NotLoaded
        return parts["output"]

    def _build(self, frame: str) -> dict[str, Any]:
        steps: dict[str, Parts] = {}
        names: dict[str, Any] = {}
        for name in reversed(self._state.chain(frame)):
            steps.update(self.loaded.known.get(name, {}))
            if name != ROOT:
                names.update(self._names(name))
        started = self._started_at.isoformat() if self._started_at else ""
        return {
            "trigger": self._trigger,
            "steps": steps,
            "run": {"id": str(self._run_id), "started_at": started},
            **names,
        }

    def _names(self, frame: str) -> Mapping[str, Any]:
        key, index = split_frame(frame)
        kind = self._state.scopes[key].kind
        if kind == "block":
            return {}
        if kind == "repeat":
            return {"index": index}
        if frame not in self.loaded.items:
            raise NotLoaded
        return {"item": self.loaded.items[frame], "index": index}
