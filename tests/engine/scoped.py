"""Random graphs with scopes, undoing, locks and joins of every kind, and the laws they obey.

``ScopedShell`` plays drivers, workers, people and a broken network by lot, and holds every event
and every state that results against the laws.
"""

import json
import random
from collections import Counter, defaultdict

from apps.engine import commands as cmd
from apps.engine import events as ev
from apps.engine import values
from apps.engine.fold import evolve, replay
from apps.engine.graph import (
    BODY,
    TRIGGER,
    TRIGGER_PORT,
    Behaviour,
    Graph,
    GraphStep,
    JoinRule,
    Link,
)
from apps.engine.lifecycle import RUN_TRANSITIONS, RunStatus, StepStatus
from apps.engine.run import StaleCommand, advance, decide
from apps.engine.state import ROOT, RunState, from_json, split_frame, to_json
from tests.engine.support import error

MOST_STEPS = 40
_JOINS = (
    JoinRule(),
    JoinRule(1),
    JoinRule(2),
    JoinRule(1, is_blocking=True),
    JoinRule(1, cancels_rest=True),
    JoinRule(2, cancels_rest=True),
    JoinRule(2, counts_tokens=True),
    JoinRule(waits_for_active=True),
)
_PORTS = {
    "pure": ("done",),
    "choice": ("yes", "no", "maybe"),
    "call": ("done", "error"),
    "ask": ("approved", "rejected", "timeout"),
    "add": ("done", "error"),
    "cancel": ("done",),
    "end": (),
    "join": ("done",),
    "scope": ("done", BODY, "error"),
}
_BEHAVIOURS = {
    "call": Behaviour.EFFECT,
    "ask": Behaviour.WAIT,
    "end": Behaviour.END,
    "join": Behaviour.JOIN,
    "scope": Behaviour.SCOPE,
}
_FAILS = frozenset({"error"})
_KINDS = ("pure", "choice", "call", "call", "ask", "join", "join", "scope", "scope", "cancel")
_RARE = ("add", "end")


def scoped_graph(dice: random.Random) -> tuple[Graph, dict[str, str]]:
    """A graph of up to a dozen steps in up to three layers, and the kind of each step."""
    kinds: dict[str, str] = {}
    inside: dict[str, list[str]] = defaultdict(list)
    scopes = [""]
    for index in range(dice.randint(2, 11)):
        name = f"s{index}"
        kinds[name] = dice.choice(_RARE) if dice.random() < 0.08 else dice.choice(_KINDS)
        around = dice.choice(scopes)
        inside[around].append(name)
        if kinds[name] == "scope" and len(scopes) < 4:
            scopes.append(name)
    undo = _undo_steps(dice, kinds, inside)
    holders = {name: around for around, names in inside.items() for name in names}
    steps = {}
    for name, kind in kinds.items():
        ports = _PORTS[kind]
        if kind != "join" and dice.random() < 0.2:
            ports = (*ports, "timeout")
        steps[name] = GraphStep(
            name,
            _BEHAVIOURS.get(kind, Behaviour.PURE),
            tuple(dict.fromkeys(ports)),
            join=dice.choice(_JOINS) if kind == "join" else JoinRule(),
            fails_unlinked=_FAILS if "error" in ports else frozenset(),
            scope=holders.get(name, ""),
            undo=undo.get(name, ""),
        )
    _lock_some(dice, steps, holders)
    wires = _wires(dice, steps, inside, set(undo.values()))
    links = tuple(Link(index, *ends) for index, ends in enumerate(sorted(wires)))
    return Graph(steps, links, max_steps=MOST_STEPS), kinds


def _undo_steps(dice, kinds, inside):
    """Steps that take back others, in the same scope; several may share one."""
    undo: dict[str, str] = {}
    for around, names in list(inside.items()):
        done = [name for name in names if kinds[name] in ("call", "pure", "ask", "scope")]
        if not done or dice.random() < 0.3:
            continue
        helpers = [f"u{len(kinds) + at}" for at in range(dice.randint(1, 2))]
        for helper in helpers:
            kinds[helper] = dice.choice(("call", "call", "pure", "ask"))
            inside[around].append(helper)
        for name in dice.sample(done, dice.randint(1, len(done))):
            undo[name] = dice.choice(helpers)
    return undo


def _lock_some(dice, steps, holders):
    if dice.random() < 0.5:
        return
    for name, step in list(steps.items()):
        if step.behaviour is Behaviour.JOIN or dice.random() < 0.5:
            continue
        lock = dice.choice(("a", "b"))
        # Other locks may be inside in any order: where two visits wait for each other, one fails.
        around, is_free = holders.get(name, ""), True
        while around:
            is_free = is_free and steps[around].lock != lock
            around = holders.get(around, "")
        for other, one in steps.items():
            if one.lock == lock and _is_below(other, name, holders):
                is_free = False
        if is_free:
            fields = {slot: getattr(step, slot) for slot in GraphStep.__slots__}
            steps[name] = GraphStep(**{**fields, "lock": lock})


def _is_below(step, around, holders):
    while step := holders.get(step, ""):
        if step == around:
            return True
    return False


def _wires(dice, steps, inside, undoing):
    wires = set()
    for around, names in inside.items():
        here = [name for name in names if name not in undoing]
        if not here:
            continue
        first = (around, BODY) if around else (TRIGGER, TRIGGER_PORT)
        for target in dice.sample(here, dice.randint(1, min(3, len(here)))):
            wires.add((*first, target))
        for _ in range(dice.randint(len(here), 3 * len(here) + 1)):
            source, target = dice.choice(here), dice.choice(here)
            ports = [port for port in steps[source].ports if port != BODY]
            if ports and (here.index(target) > here.index(source) or dice.random() < 0.15):
                port = ports[0] if dice.random() < 0.5 else dice.choice(ports)
                wires.add((source, port, target))
    return wires


class ScopedShell:
    """What may happen to one run, by lot; ``go`` plays it and raises where a law is broken."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.graph, self.kinds = scoped_graph(self.dice)
        self.state = RunState()
        self.events: list[ev.Event] = []
        self.sent: list[cmd.Command] = []
        self.queued: Counter[str] = Counter()  # tokens at joins, by frame
        self.activated: Counter[str] = Counter()
        self.to_undo: dict[str, dict[tuple[str, int], int]] = {ROOT: {}}  # seq, by frame
        self.undoing: dict[tuple[str, int], tuple[str, tuple[str, int], int]] = {}
        self.undone: set[tuple[str, int]] = set()
        self.not_undone: set[str] = set()

    def go(self, most: int = 120) -> None:
        self.give(cmd.Start({"body": 1}, "ada"))
        for _ in range(most):
            if self.state.is_final:
                break
            self.give(self.next_command())
        for command in self.dice.sample(self.sent, min(6, len(self.sent))):
            self.give(command)
        assert replay(self.events) == self.state

    def finish(self, most: int = 1500) -> None:
        """Do everything that is due, kindly, until nothing is; a run that goes round is stopped."""
        if self.state.status is RunStatus.PAUSED:
            self.give(cmd.Resume("ada"))
        for at in range(most):
            if self.state.is_final:
                break
            if at == most // 3:
                self.give(cmd.Cancel("ada", "round and round"))
                continue
            due = self.due() or self.open_waits()
            key = self.dice.choice(due)
            self.give(self.outcome(key, kindly=True))
        assert self.state.is_final
        assert replay(self.events) == self.state

    def due(self):
        """What the driver would do now: visits, frames and scopes."""
        state = self.state
        found = [*state.ready, *state.ending]
        found += [key for key, scope in state.scopes.items() if scope.is_collectable]
        return found

    def open_waits(self):
        blocked = StepStatus.BLOCKED
        return [
            key
            for key in self.state.waits
            if key not in self.state.scopes and self.state.active[key] is not blocked
        ]

    def next_command(self):
        lot = self.dice.random()
        state = self.state
        if lot < 0.05 and self.sent:
            return self.dice.choice(self.sent)
        if lot < 0.06:
            return cmd.Late("s0", self.dice.randint(1, 3), "complete")
        if lot < 0.08 and state.status is not RunStatus.PAUSED:
            return cmd.Pause("person")
        if lot < 0.09:
            return cmd.Cancel("ada", "by lot")
        if lot < 0.11 and (timed := [key for key in state.waits if self.may_expire(key)]):
            return cmd.Expire(*self.dice.choice(timed))
        waits = self.open_waits()
        if state.status is RunStatus.PAUSED:
            if lot < 0.4 or not waits:
                return cmd.Resume("ada")
            return self.outcome(self.dice.choice(waits))
        due = self.due()
        if due and (lot < 0.8 or not waits):
            return self.outcome(self.dice.choice(due))
        if not waits:
            return cmd.Continue()
        return self.outcome(self.dice.choice(waits))

    def may_expire(self, key):
        return self.state.active[key] is not StepStatus.BLOCKED

    def outcome(self, key, *, kindly=False):
        """What may become of a visit, of an item in which nothing is left, of a scope."""
        if isinstance(key, str):
            return self.item_end(key, kindly=kindly)
        step, visit = key
        if key in self.state.scopes:
            return cmd.Complete(step, visit, "done", {"results": []})
        if self.state.active[key] is StepStatus.READY:
            return self.evaluation(step, visit)
        return self.answer(step, visit, kindly=kindly)

    def evaluation(self, step, visit):
        """What a driver makes of a step that is ready."""
        dice, kind = self.dice, self.kinds[step]
        if dice.random() < 0.02:
            return cmd.Fail(step, visit, error(step))  # an expression that cannot be evaluated
        match kind:
            case "scope":
                return self.open_scope(step, visit)
            case "end":
                return cmd.Finish(step, visit, dice.choice(["completed", "failed"]), "")
            case "cancel":
                names = dice.sample(sorted(self.kinds), min(2, len(self.kinds)))
                return cmd.Withdraw(step, visit, tuple(names), dice.random() < 0.4)
            case "add":
                scopes = [name for name in self.kinds if self.scope_kind(name) == "each"] or ["s0"]
                return cmd.AddItems(step, visit, dice.choice(scopes), (1, 2))
            case "call" | "ask":
                return cmd.Open(step, visit, "effect" if kind == "call" else "user_task", {"a": 1})
        return self.leave(step, visit)

    def answer(self, step, visit, *, kindly):
        """What a worker or a person makes of a visit that is open."""
        dice, kind, status = self.dice, self.kinds[step], self.state.active[step, visit]
        if (step, visit) in self.state.held and dice.random() < 0.9:
            if dice.random() < 0.5:
                return cmd.Repeat(step, visit, "ada")
            return cmd.Fail(step, visit, error(step), None, dice.choice(["", "default"]), "ada")
        if status is StepStatus.RETRYING:
            return cmd.Attempt(step, visit, 2)
        if status is StepStatus.RUNNING and not kindly and dice.random() < 0.2:
            return cmd.Retry(step, visit, 1, error(step), "2026-11-20T10:00:00+00:00")
        if kind in ("call", "ask") and dice.random() < (0.05 if kindly else 0.25):
            resort = "" if kindly else dice.choice(["", "", "default", "ask"])
            return cmd.Fail(step, visit, error(step), 404, resort)
        return self.leave(step, visit)

    def leave(self, step, visit):
        """A visit is done and leaves, by several ways or with several tokens now and then."""
        dice, kind, here = self.dice, self.kinds[step], self.graph.steps[step]
        ports = [port for port in here.ports if port not in ("timeout", "error")] or ["done"]
        if kind == "choice" and dice.random() < 0.4:
            several = tuple(dice.sample(ports, dice.randint(1, len(ports))))
            return cmd.Complete(step, visit, several[0], {"n": visit}, several)
        times = 2 if kind == "pure" and dice.random() < 0.1 else 1
        return cmd.Complete(step, visit, dice.choice(ports), {"n": visit}, times=times)

    def item_end(self, frame, *, kindly):
        scope = self.state.scopes[split_frame(frame)[0]]
        lot = self.dice.random()
        if lot < 0.1:
            return cmd.FailItem(frame, error(split_frame(frame)[0][0]))
        if scope.kind == "repeat" and scope.then is None and lot < 0.5 and not kindly:
            return cmd.EndItem(frame, None, more=1)
        return cmd.EndItem(frame, {"n": 1}, is_enough=scope.kind == "each" and lot > 0.9)

    def scope_kind(self, step):
        if self.kinds[step] != "scope":
            return ""
        return ("each", "each", "repeat", "block")[(int(step[1:]) + len(self.kinds)) % 4]

    def open_scope(self, step, visit):
        dice = self.dice
        kind = self.scope_kind(step)
        if kind != "each":
            return cmd.OpenScope(step, visit, kind, 1, {})
        needs = dice.choice([0, 0, 0, 1, 2, -1])
        rest = "finish" if needs == -1 else dice.choice(["cancel", "finish"])
        return cmd.OpenScope(
            step,
            visit,
            kind,
            dice.randint(0, 4),
            {"items": []},
            parallel=dice.randint(1, 3),
            needs=needs,
            tolerance=dice.randint(0, 2),
            rest=rest,
            rounds=dice.randint(1, 2),
        )

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
        in_place = before.copy()
        assert advance(self.graph, in_place, command) == produced
        assert in_place == self.state
        text = json.dumps(to_json(self.state))
        kept = from_json(json.loads(text))
        assert kept == from_json(json.loads(json.dumps(to_json(kept))))
        assert json.dumps(to_json(kept)) == text
        if before.is_final:
            assert all(isinstance(one, ev.OutcomeIgnored) for one in produced)
        if self.dice.random() < 0.05:
            assert replay(self.events) == self.state
        self.check_state()

    def check_move(self, event: ev.Event) -> None:
        before, self.state = self.state, evolve(self.state, event)
        after = self.state
        assert after.status is before.status or after.status in RUN_TRANSITIONS[before.status]
        assert after.seq == before.seq + 1
        kept = values.loads(values.dumps(ev.to_row(event)[2]))
        assert isinstance(kept, dict)
        assert ev.from_row(*ev.to_row(event)[:2], kept) == event
        self.count_tokens(before, event)
        self.follow_undo(before, event)
        if after.is_final:
            return
        for name, frame in after.frames.items():
            assert all(count > 0 for count in frame.queued.values())
            assert all(count >= 0 for count in frame.owed.values())
            assert sum(map(len, frame.arrived.values())) == sum(frame.queued.values())
            assert sum(frame.queued.values()) == self.queued[name]
            assert frame.activated == self.activated[name]
            placed = sum(after.frame_of(key) == name for key in after.active)
            gone = sum(one.is_gone and one.frame == name for one in after.scopes.values())
            assert frame.alive == placed + gone

    def count_tokens(self, before, event):
        """Every token of a port's links is somewhere: a visit, a join's queue, or swallowed."""
        graph = self.graph
        match event:
            case ev.RunStarted():
                self.arrive(ROOT, event.arrivals, graph.from_port(TRIGGER, TRIGGER_PORT))
            case ev.StepCompleted(step, visit):
                is_join = graph.steps[step].behaviour is Behaviour.JOIN
                frame = event.frame if is_join else before.frame_of((step, visit))
                self.queued[frame] -= len(event.took)
                self.activated[frame] += is_join
                ports = event.ports or (event.port,)
                ways = [link for port in ports for link in graph.from_port(step, port)]
                if self.is_undoing((step, visit)):
                    ways = []
                times = len(event.arrivals) // len(ways) if ways else 1
                self.arrive(frame, event.arrivals, ways * times)
            case ev.StepFailed(step, visit):
                ways = list(graph.from_port(step, event.port or "error"))
                if self.is_undoing((step, visit)):
                    ways = []
                self.arrive(before.frame_of((step, visit)), event.arrivals, ways)
            case ev.ItemsBegun(step, visit, first, count):
                ways = list(graph.from_port(step, BODY))
                for at in range(count):
                    frame = f"{step}:{visit}:{first + at}"
                    self.queued[frame] = self.activated[frame] = 0
                    each = event.arrivals[at * len(ways) : (at + 1) * len(ways)]
                    self.arrive(frame, each, ways)
                assert len(event.arrivals) == count * len(ways)
            case ev.WorkWithdrawn():
                for frame, join in event.joins:
                    self.queued[frame] -= len(before.frames[frame].arrived[join])
            case ev.UndoStarted():
                self.activated[event.frame] += 1

    def arrive(self, frame, arrivals, ways):
        assert [one.link for one in arrivals] == [link.index for link in ways]
        self.queued[frame] += sum(one.visit == 0 for one in arrivals)
        self.activated[frame] += sum(one.visit > 0 for one in arrivals)

    def is_undoing(self, key):
        return key in self.undoing

    def follow_undo(self, before, event):
        """Undone is what was completed, the last first, each once, before the frame is over."""
        match event:
            case ev.StepCompleted(step, visit) if event.undoable:
                frame = before.frame_of((step, visit))
                self.to_undo.setdefault(frame, {})[step, visit] = self.state.seq
            case ev.ItemEnded(step, visit, index, outcome):
                left = self.to_undo.pop(f"{step}:{visit}:{index}", {})
                if outcome == "completed":
                    around = before.scopes[step, visit].frame
                    self.to_undo.setdefault(around, {}).update(left)
                else:
                    assert not left, f"{left} were not undone in an item that {outcome}"
            case ev.UndoStarted(step, visit, frame, of_step, of_visit):
                assert before.frames[frame].alive == 0
                waiting = self.to_undo[frame]
                latest = max(waiting, key=lambda key: waiting[key])
                assert (of_step, of_visit) == latest, f"{latest} was done later"
                assert step == self.graph.steps[of_step].undo
                self.undoing[step, visit] = (frame, latest, waiting.pop(latest))
            case ev.WorkWithdrawn():
                for frame, into in event.frames:
                    self.to_undo.setdefault(into, {}).update(self.to_undo.pop(frame, {}))
                    for key, (place, of, seq) in list(self.undoing.items()):
                        if place == frame:
                            self.to_undo.setdefault(into, {})[of] = seq
                            del self.undoing[key]
            case ev.RunFailed() | ev.RunCancelled():
                assert not any(self.to_undo.values()), f"{self.to_undo} were not undone"
                assert not self.undoing
                if isinstance(event, ev.RunFailed):
                    for step in self.not_undone:
                        assert f"“{step}” could not undo" in event.error.message
        if isinstance(event, ev.StepCompleted | ev.StepFailed):
            key = (event.step, event.visit)
            if key in self.undoing:
                frame, of, _ = self.undoing.pop(key)
                if isinstance(event, ev.StepFailed) and not event.port and frame == ROOT:
                    self.not_undone.add(event.step)
                assert of not in self.undone, f"{of} was undone twice"
                self.undone.add(of)

    def check_state(self) -> None:
        state = self.state
        if state.is_final:
            assert not any((state.active, state.placed, state.scopes, state.ending))
            assert set(state.frames) == {ROOT}
            assert not state.root.alive
            return
        opened: Counter[tuple[str, int]] = Counter()
        for name, frame in state.frames.items():
            if name != ROOT:
                key, _ = split_frame(name)
                opened[key] += 1
                assert state.scopes[key].frame in state.frames
                assert (name in state.ending) == frame.is_empty
        assert set(state.placed) <= set(state.active)
        assert all(state.active.get(key) is StepStatus.WAITING for key in state.held)
        assert set(state.placed.values()) <= set(state.frames)
        assert set(state.ending) <= set(state.frames)
        for key, scope in state.scopes.items():
            assert scope.open == opened[key]
            assert scope.is_gone != (key in state.active)
            assert not (scope.is_gone and scope.is_over)
        held = Counter(
            self.graph.steps[step].lock
            for (step, _), status in state.active.items()
            if self.graph.steps[step].lock and status is not StepStatus.BLOCKED
        )
        assert all(count == 1 for count in held.values())
        if state.status is RunStatus.PAUSED or not state.started:
            return
        assert self.due() or self.open_waits(), "nothing can ever happen again"
        if state.status is RunStatus.WAITING:
            assert not self.due()
            assert StepStatus.RUNNING not in state.active.values()
