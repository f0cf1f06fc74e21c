"""Play flow documents in memory: what calls, people and times answer is told move by move.

A move is ``[who, answer]`` or ``[who, answer, output]``. ``who`` is a step (its oldest visit that
waits) or ``step#visit``; ``answer`` is a port, ``!code`` for a failure, ``due`` when the time of
a delay has come, or ``too late`` when its time limit is over. About a visit that has failed and
asks people they say ``retry``, ``skip`` or ``fail``. ``["run", "cancel"]``, ``"pause"`` and
``"resume"`` are what people do to the run itself. ``["event:<type>", "kept", data]`` is an event
from outside that waits for takers, ``"now"`` one that only those take that wait already.

After every move the laws of the engine are held: the journal replays to the snapshot, and a
snapshot that was stored and read again is the same.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from apps.engine import events as ev
from apps.engine import feel
from apps.engine.fold import replay
from apps.engine.lifecycle import StepStatus
from apps.engine.state import Key, RunState, from_json, to_json
from apps.runs.contexts import Loaded
from apps.runs.evaluation import Evaluation
from apps.runs.event_ports import NewSubscription
from apps.runs.ports import TaskRequest
from apps.runs.wanted import LoadedRun, NewEffect, NewTimer
from apps.steps.document import compile_flow

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
RUN = UUID(int=1)
ANSWER = {"status": 200, "headers": {}, "body": None}

Row = tuple[str, str, dict[str, Any]]
Waiting = NewEffect | NewTimer | TaskRequest | NewSubscription


@dataclass
class Happened:
    """An event; ``is_kept``: those that begin to wait later may take it, too."""

    type: str
    data: Any
    is_kept: bool
    taken: bool = False


class Play:
    """One run, in memory. ``quick``: the laws are held at the end alone, for long runs."""

    def __init__(self, document: dict[str, Any], body: Any = None, *, quick: bool = False) -> None:
        self.quick = quick
        self.flow = compile_flow(document)
        self.state = RunState()
        self.journal: list[Row] = []
        #: What waits for an answer, in the order in which it began.
        self.open: dict[Key, Waiting] = {}
        self.limits: set[Key] = set()
        self.ways: dict[Key, list[NewSubscription]] = {}
        self.events: list[Happened] = []
        #: Those that the run itself told of.
        self.emitted: list[Happened] = []
        #: Every effect that was asked for.
        self.effects: list[NewEffect] = []
        #: What ended otherwise than by its answer and had to be closed.
        self.closed: list[Key] = []
        self._loaded = Loaded()
        self._started_at: datetime | None = None
        self._trigger = {"type": "manual", "id": "x", "received_at": "", "body": body}
        self._take("start", {"trigger": self._trigger, "started_by": "ada@example.org"})

    def script(self, moves: Iterable[Sequence[Any]]) -> "Play":
        """Make the moves in turn."""
        for move in moves:
            self.move(*move)
        return self

    def move(self, who: str, answer: str, output: Any = None) -> None:
        """Let somebody or something answer."""
        if who == "run":
            self._take(answer, {"by": "ada@example.org", "reason": "person"})
            return
        if who.startswith("event:"):
            self._happens(Happened(who.partition(":")[2], output, is_kept=answer == "kept"))
            return
        step, visit = self._visit_of(who, answer)
        named = {"step": step, "visit": visit}
        waiting = self.open.get((step, visit))
        if answer == "too late":
            assert (step, visit) in self.limits, f"{who} has no time limit"
            self._take("expire", named)
        elif (step, visit) in self.state.held:
            kind = "repeat" if answer == "retry" else answer
            self.open.pop((step, visit), None)
            self._take(kind, {**named, "by": "ada@example.org", **self._matter(step, visit)})
        elif answer.startswith("!"):
            error = ev.Error(step, "permanent", answer[1:], f"“{step}” failed.")
            self._take("fail", {**named, "error": error.as_json(), "output": output})
        elif answer == "due":
            assert isinstance(waiting, NewTimer), f"{who} waits for no time"
            self._take("complete", {**named, "port": waiting.port, "output": waiting.output})
        else:
            given = output if isinstance(waiting, TaskRequest) else {**ANSWER, "body": output}
            self._take("complete", {**named, "port": answer, "output": given})

    def times(self, step: str) -> int:
        """How often a step was done."""
        return self.done.count(step)

    @property
    def done(self) -> list[str]:
        """The steps that were done, in order."""
        return [step for type_, step, _ in self.journal if type_ == "step.completed"]

    @property
    def waiting(self) -> list[str]:
        """The steps that wait for an answer, in the order in which they began."""
        return [step for step, _ in self.open]

    @property
    def status(self) -> str:
        """Where the run stands."""
        return self.state.status.value

    @property
    def withdrawn(self) -> list[str]:
        """The steps whose visits were withdrawn, in order."""
        rows = [data for type_, _, data in self.journal if type_ == "work.withdrawn"]
        return [step for data in rows for step, _ in data["visits"]]

    @property
    def ignored(self) -> list[str]:
        """The steps whose answers came too late."""
        return [step for type_, step, _ in self.journal if type_ == "outcome.ignored"]

    @property
    def trace(self) -> list[str]:
        """The journal, one line for each row."""
        return [line(*row) for row in self.journal]

    def output(self, step: str) -> Any:
        """What a step gave, the latest time it was done."""
        ends = {"step.completed", "step.failed"}
        rows = [data for type_, one, data in self.journal if one == step and type_ in ends]
        return rows[-1]["output"]

    def error(self) -> dict[str, Any]:
        """Why the run failed."""
        found: dict[str, Any] = self.journal[-1][2]["error"]
        return found

    def _visit_of(self, who: str, answer: str) -> Key:
        step, _, number = who.partition("#")
        if number:
            return step, int(number)
        among = self.limits if answer == "too late" else self.open
        visits = sorted(visit for name, visit in among if name == step)
        return step, visits[0] if visits else self.state.visits[step]

    def _matter(self, step: str, visit: int) -> dict[str, Any]:
        """Why a visit failed that is held, and what it left with."""
        rows = [data for type_, one, data in self.journal if type_ == "step.held" and one == step]
        data = next(data for data in reversed(rows) if data["visit"] == visit)
        return {"error": data["error"], "output": data.get("output")}

    def _take(self, kind: str, payload: dict[str, Any]) -> None:
        """One command, and slices until the run has come to rest."""
        commands = [(kind, payload)]
        while commands:
            commands = [("continue", {})] if self._slice(commands) else []
        for event in self.events:
            if not event.taken and self._wakes(event):
                return

    def _happens(self, event: Happened) -> None:
        self.events.append(event)
        self._wakes(event)

    def _wakes(self, event: Happened) -> bool:
        """Every visit that waits for an event takes it, by its first way that fits."""
        shown = {"type": event.type, "data": event.data}
        takers = []
        for key, ways in self.ways.items():
            fitting = [one.way for one in ways if _fits(one, shown)]
            if fitting:
                takers.append((key, fitting[0].port))
        event.taken = bool(takers) or not event.is_kept
        for (step, visit), port in takers:
            output = {"port": port, "event": shown}
            named = {"step": step, "visit": visit, "port": port, "output": output}
            self._take("complete", named)
        return bool(takers)

    def _slice(self, commands: list[tuple[str, dict[str, Any]]]) -> bool:
        self._loaded.collected = {
            key for key, scope in self.state.scopes.items() if scope.is_collectable
        }
        run = LoadedRun(
            *(RUN, RUN, RUN, RUN, RUN),
            state=from_json(json.loads(json.dumps(to_json(self.state)))),
            awaited_until=None,
            trigger=self._trigger if self._started_at else None,
            started_at=self._started_at,
            loaded=self._loaded,
        )
        slice_ = Evaluation(run, self.flow, NOW)
        slice_.take(commands)
        self.state, self._started_at = run.state, run.started_at
        self.journal += [(row.type, row.step, json.loads(row.data)) for row in slice_.rows]
        self._note(slice_)
        if self.quick and slice_.cut:
            return True
        events = [ev.from_row(*row) for row in self.journal]
        assert to_json(replay(events)) == to_json(self.state)
        assert to_json(from_json(json.loads(json.dumps(to_json(self.state))))) == to_json(
            self.state
        )
        return slice_.cut

    def _note(self, slice_: Evaluation) -> None:
        self.effects += slice_.effects
        self.closed += sorted(slice_.closing)
        found: list[Waiting] = [*slice_.effects, *slice_.tasks, *slice_.subscriptions]
        for timer in slice_.timers:
            if timer.kind == "limit":
                self.limits.add((timer.step, timer.visit))
            else:
                found.append(timer)
        for one in slice_.subscriptions:
            self.ways.setdefault((one.step, one.visit), []).append(one)
        told = [
            Happened(one.type, one.data, is_kept=one.expires_at > one.at) for one in slice_.events
        ]
        self.events += told
        self.emitted += told
        self.open |= {(one.step, one.visit): one for one in found}
        active = self.state.active
        rests = {StepStatus.READY, StepStatus.BLOCKED}
        order = [key for key in active if active[key] not in rests]
        self.open = {key: self.open[key] for key in order if key in self.open}
        self.limits &= active.keys()
        self.ways = {key: ways for key, ways in self.ways.items() if key in active}


def _fits(wait: NewSubscription, event: dict[str, Any]) -> bool:
    """Whether a wait is for this event: its type, its key, and its filter."""
    way = wait.way
    if way.type != event["type"]:
        return False
    if way.key_of and _told(way.key_of, {"event": event}) != way.key:
        return False
    return not way.where or _told(way.where, {**way.known, "event": event}) is True


def _told(expression: str, names: dict[str, Any]) -> Any:
    found = feel.compile_expression(expression).evaluate(names, now=NOW, zone="UTC")
    return feel.to_json(found)


def line(type_: str, step: str, data: dict[str, Any]) -> str:
    """A row of the journal in short words."""
    words = [type_]
    if step:
        words.append(f"{step}#{data['visit']}" if "visit" in data else step)
    if data.get("port"):
        words.append("by " + "+".join(data.get("ports") or [data["port"]]))
    if "error" in data:
        words.append(data["error"]["code"])
    words += _WORDS.get(type_, lambda _data: [])(data)
    for link, target, visit in data.get("arrivals", []):
        place = {0: " waits", -1: " swallowed"}.get(visit, f"#{visit}")
        words.append(f"{link}>{target}{place}")
    return " ".join(words)


def _begun(data: dict[str, Any]) -> list[str]:
    first, count = data["first"], data["count"]
    return [f"item {first}" if count == 1 else f"items {first}-{first + count - 1}"]


def _gone(data: dict[str, Any]) -> list[str]:
    return [f"{step}#{visit}" for step, visit in data["visits"]] + [
        f"tokens at {join}" for _, join in data.get("joins", [])
    ]


_WORDS: dict[str, Any] = {
    "step.started": lambda data: [data["kind"]],
    "step.blocked": lambda data: [data["lock"]],
    "scope.opened": lambda data: [data["kind"], f"of {data['count']}"],
    "items.begun": _begun,
    "item.ended": lambda data: [f"item {data['index']}", data["outcome"]],
    "items.added": lambda data: [str(len(data["items"]))],
    "items.repeated": lambda data: [
        f"{first}-{first + count - 1}" for first, count in data["ranges"]
    ],
    "scope.closing": lambda data: [data["then"]["kind"]],
    "work.withdrawn": _gone,
    "undo.started": lambda data: [f"undoes {data['of_step']}#{data['of_visit']}"],
    "outcome.ignored": lambda data: [data["outcome"], data["reason"]],
    "run.paused": lambda data: [data["reason"]],
}


def flow(steps: dict[str, dict[str, Any]], *links: str, **more: Any) -> dict[str, Any]:
    """A document from short words: links are ``a -> b`` or ``a.port -> b``."""
    found = []
    for text in links:
        source, target = (part.strip() for part in text.split("->"))
        name, _, port = source.partition(".")
        found.append({"from": name, "to": target, **({"port": port} if port else {})})
    return {
        "format": "signalbox.flow/1",
        "name": "Test",
        "trigger": {"type": "manual", "config": {}},
        "steps": {name: {"version": 1, "config": {}, **step} for name, step in steps.items()},
        "links": found,
        **more,
    }


def call(body: Any = None, **more: Any) -> dict[str, Any]:
    """A step that calls, with what is said beside its config."""
    config = {"url": "https://api.example.org/", "method": "POST", "body": body}
    return {"type": "http.request", "config": config, **more}


def note(**fields: Any) -> dict[str, Any]:
    """A step that notes values."""
    return {"type": "map", "config": {"fields": fields}}
