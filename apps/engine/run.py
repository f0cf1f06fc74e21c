"""A run as a pure state machine: ``decide`` says what follows from a command.

The rules of the tokens are engine rules 22 to 26. ``scopes`` decides about steps that contain
steps, ``joins`` about meeting ways; ``fold`` folds events into the state.
"""

from collections import deque
from collections.abc import Iterable
from typing import Any

from apps.engine import commands as cmd
from apps.engine import events as ev
from apps.engine import joins, scopes
from apps.engine.fold import apply
from apps.engine.graph import TRIGGER, TRIGGER_PORT, Behaviour, Graph
from apps.engine.lifecycle import RunStatus, StepStatus
from apps.engine.state import ROOT, Key, RunState, split_frame
from apps.engine.values import Value


class StaleCommand(Exception):
    """The command came too late or twice: drop it, nothing is wrong."""


def decide(graph: Graph, state: RunState, command: cmd.Command) -> list[ev.Event]:
    """The events that follow from a command, oldest first. Pure; ``state`` is not changed.

    Raises:
        StaleCommand: A repeated start, open or resume; outcomes that come too late are not
            stale but journaled as ignored.
    """
    return advance(graph, state.copy(), command)


def advance(graph: Graph, state: RunState, command: cmd.Command) -> list[ev.Event]:
    """As :func:`decide`, and folds the events into ``state``: one copy fewer for the driver."""
    decision = Decision(graph, state)
    decision.take(command)
    return decision.events


_OUTCOMES = (cmd.Complete, cmd.Fail, cmd.Finish, cmd.Retry, cmd.Attempt, cmd.Repeat, cmd.Expire)


class Decision:
    """One command's consequences; every event is folded in as it is made."""

    def __init__(self, graph: Graph, state: RunState) -> None:
        self.graph = graph
        self.state = state
        self.events: list[ev.Event] = []
        #: Scopes to see to when the command itself is done.
        self.scopes_due: deque[Key] = deque()

    def take(self, command: cmd.Command) -> None:
        """Decide about one command."""
        match command:
            case cmd.Start():
                self._start(command)
            case cmd.Open(step, visit, kind, input_):
                self._expect(step, visit)
                self.add(ev.StepStarted(step, visit, kind, input_))
            case _ if isinstance(command, _OUTCOMES):
                self._outcome(command)
            case cmd.OpenScope(step, visit):
                self._expect(step, visit)
                scopes.open_scope(self, command)
            case cmd.EndItem() | cmd.FailItem():
                if command.frame not in self.state.ending:
                    raise StaleCommand(f"nothing is due from {command.frame!r}")
                scopes.end_item(self, command)
            case cmd.AddItems(step, visit):
                self._expect(step, visit)
                scopes.add_items(self, command)
            case cmd.Withdraw(step, visit):
                self._expect(step, visit)
                scopes.withdraw(self, command)
            case cmd.Late() | cmd.Answer() | cmd.SkipTime():
                self._note(command)
            case cmd.Cancel() | cmd.Pause() | cmd.Resume():
                self._steer(command)
            case cmd.Continue():
                pass
        self._see_to_scopes()
        if self.graph.locks:
            self._hand_out_locks()
            while self._breaks_deadlock():
                self._see_to_scopes()
                self._hand_out_locks()

    def _note(self, command: cmd.Late | cmd.Answer | cmd.SkipTime) -> None:
        """What is journaled, and moves no token."""
        match command:
            case cmd.Late(step, visit, outcome):
                self.add(ev.OutcomeIgnored(step, visit, outcome, "lease_lost"))
            case cmd.Answer(step, status, body, in_time):
                delivered = in_time and not self.state.responded
                self.add(ev.Responded(step, status, body, delivered))
            case cmd.SkipTime(until):
                self.add(ev.TimeSkipped(until))

    def _see_to_scopes(self) -> None:
        while self.scopes_due:
            scopes.see_to(self, self.scopes_due.popleft())

    def _start(self, command: cmd.Start) -> None:
        if self.state.started:
            raise StaleCommand("the run has already started")
        if command.replay is not None:
            self.add(command.replay)
        arrivals = self.arrivals(ROOT, TRIGGER, TRIGGER_PORT)
        self.add(ev.RunStarted(command.trigger, command.started_by, arrivals))
        self.settle(ROOT)

    def _steer(self, command: cmd.Cancel | cmd.Pause | cmd.Resume) -> None:
        state = self.state
        match command:
            case cmd.Cancel(by, reason):
                if state.is_final or state.status is RunStatus.CANCELLING:
                    raise StaleCommand("the run is over, or on its way to it")
                why = {"kind": "cancelled", "by": by, "reason": reason}
                scopes.unwind(self, ROOT, why)
            case cmd.Pause(reason, detail, by):
                if state.is_final or state.status is RunStatus.PAUSED:
                    raise StaleCommand("the run is over or paused")
                self.add(ev.RunPaused(reason, detail, by))
            case cmd.Resume(by):
                if state.status is not RunStatus.PAUSED:
                    raise StaleCommand("the run is not paused")
                self.add(ev.RunResumed(by))
                for frame in list(state.frames):
                    self.settle(frame)
                for key in list(state.scopes):
                    scopes.go_on(self, key)

    def _outcome(self, command: Any) -> None:
        step, visit = command.step, command.visit
        if (step, visit) not in self.state.active:
            reason = "run_over" if self.state.is_final else "step_over"
            name = type(command).__name__.lower()
            self.add(ev.OutcomeIgnored(step, visit, name, reason))
            return
        status = self.state.active[step, visit]
        if (step, visit) in self.state.held and not getattr(command, "by", ""):
            # A person is asked about it, and nothing else decides any more.
            name = type(command).__name__.lower()
            self.add(ev.OutcomeIgnored(step, visit, name, "held"))
            return
        match command:
            case cmd.Complete(_, _, port, output, ports, times, taken):
                self.complete(step, visit, ports or (port,), output, times, taken=taken)
            case cmd.Fail():
                self._fail(command)
            case cmd.Finish():
                self._finish(command)
            case cmd.Retry(_, _, attempt, error, next_at):
                self.add(ev.StepRetried(step, visit, attempt, error, next_at))
            case cmd.Attempt(_, _, attempt):
                if status is StepStatus.RETRYING:
                    self.add(ev.StepAttempted(step, visit, attempt))
            case cmd.Repeat(_, _, by):
                if (step, visit) not in self.state.held:
                    raise StaleCommand(f"visit {visit} of {step!r} is not held")
                scopes.repeat(self, (step, visit), by)
            case cmd.Expire():
                self._expire(step, visit)

    def complete(
        self,
        step: str,
        visit: int,
        ports: tuple[str, ...],
        output: Value,
        times: int = 1,
        *,
        taken: bool = False,
    ) -> None:
        """A visit is over and leaves by its ports, with so many tokens on each link."""
        frame = self.state.frame_of((step, visit))
        here = self.graph.steps[step]
        arrivals = self.arrivals(frame, step, ports, times)
        if self._undoes(frame, (step, visit)):
            arrivals = ()
        self.add(
            ev.StepCompleted(
                step,
                visit,
                ports[0] if ports else "",
                output,
                arrivals,
                ports=ports if len(ports) > 1 else (),
                undoable=bool(here.undo),
                taken=taken,
            )
        )
        for port in ports:
            if port in here.fails_unlinked and not self.graph.from_port(step, port):
                message = f"“{step}” left by “{port}”, and nothing is linked there."
                scopes.unwind(self, frame, _failed(ev.Error(step, "permanent", port, message)))
        self.settle(frame)

    def fail(self, step: str, visit: int, error: ev.Error) -> None:
        """A visit has failed: it leaves by ``error`` where that is linked, or ends its frame."""
        self._fail(cmd.Fail(step, visit, error))

    def _fail(self, failed: cmd.Fail) -> None:
        step, visit, error, resort = failed.step, failed.visit, failed.error, failed.resort
        if resort == "ask":
            self.add(ev.StepHeld(step, visit, error, failed.output))
            return
        frame = self.state.frame_of((step, visit))
        undoes = self._undoes(frame, (step, visit))
        ports = self.graph.steps[step].ports or ("",)
        port = ports[0] if resort == "default" else ""
        arrivals = () if undoes else self.arrivals(frame, step, port or "error")
        self.add(
            ev.StepFailed(
                step, visit, error, failed.output, arrivals, port, failed.by, failed.taken
            )
        )
        if not arrivals and not undoes and not port:
            scopes.unwind(self, frame, _failed(error))
        self.settle(frame)

    def _expire(self, step: str, visit: int) -> None:
        error = overdue(step)
        scope = self.state.scopes.get((step, visit))
        if scope is not None and scopes.is_decided(self.state, (step, visit)):
            self.add(ev.OutcomeIgnored(step, visit, "expire", "closing"))
        elif scope is not None:
            scopes.close(self, (step, visit), {"kind": "expired", "error": error.as_json()})
        else:
            self.expire(step, visit, error)

    def expire(self, step: str, visit: int, error: ev.Error) -> None:
        """Leave by ``timeout`` where that is linked, else fail."""
        if self.graph.from_port(step, "timeout"):
            self.complete(step, visit, ("timeout",), {"reason": error.code})
        else:
            self.fail(step, visit, error)

    def _finish(self, command: cmd.Finish) -> None:
        step, outcome, message = command.step, command.outcome, command.message
        output: dict[str, Value] = {"outcome": outcome, "message": message}
        if command.output is not None:
            output["output"] = command.output
        self.add(ev.StepCompleted(step, command.visit, "", output, ()))
        if outcome == "completed":
            self.add(ev.RunCompleted(step, message, command.output))
            return
        said = message or f"The flow stopped at “{step}”."
        scopes.unwind(self, ROOT, _failed(ev.Error(step, "permanent", "stopped", said)))

    def arrivals(
        self,
        frame: str,
        source: str,
        ports: str | tuple[str, ...],
        times: int = 1,
        owes: Iterable[int] = (),
    ) -> tuple[ev.Arrival, ...]:
        """What the tokens over the ports' links meet, seen from the state before them.

        ``owes`` are links that a join swallows from now on.
        """
        names = (ports,) if isinstance(ports, str) else ports
        links = [link for port in names for link in self.graph.from_port(source, port)]
        here = self.state.frames[frame]
        fresh: dict[str, int] = {}
        debts = dict.fromkeys(owes, 1)
        found = []
        for link in links * times:
            target = self.graph.steps[link.target]
            if target.behaviour is Behaviour.JOIN:
                debt = here.owed.get(link.index, 0) + debts.get(link.index, 0)
                debts[link.index] = debts.get(link.index, 0) - (debt > 0)
                found.append(ev.Arrival(link.index, target.id, -1 if debt > 0 else 0))
            else:
                fresh[target.id] = fresh.get(target.id, self.state.visits.get(target.id, 0)) + 1
                found.append(ev.Arrival(link.index, target.id, fresh[target.id]))
        return tuple(found)

    def settle(self, frame: str) -> None:
        """Fire the joins that are due, then end the frame if nothing is left or all is too much.

        A paused run is held: its joins fire and its end comes when it is resumed.
        """
        state = self.state
        if state.status is RunStatus.PAUSED or not state.started:
            return
        most = self.graph.max_steps
        while not state.is_final and (here := state.frames.get(frame)) is not None:
            if here.why is not None:
                scopes.undo_next(self, frame)
                return
            if here.activated > most:
                scopes.unwind(self, frame, _failed(self._too_many()))
                return
            due = joins.due(self.graph, state, frame)
            if due is None:
                break
            joins.fire(self, frame, due)
        if state.is_final or here is None or here.alive:
            return
        if here.queued:
            scopes.unwind(self, frame, _failed(joins.starved(self.graph, here)))
        elif frame == ROOT:
            self.add(ev.RunCompleted("", ""))

    def _hand_out_locks(self) -> None:
        """Of the visits with one lock the oldest goes on; the others are blocked meanwhile.

        What stands in a step that holds the lock goes on within it, again one at a time.
        """
        held: dict[tuple[str, Key | None], list[Key]] = {}
        for key in self.state.active:
            if lock := self.graph.locks.get(key[0]):
                held.setdefault((lock, self._holder(key, lock)), []).append(key)
        waiting = {StepStatus.READY, StepStatus.BLOCKED}
        for (lock, _), keys in held.items():
            at_work = [key for key in keys if self.state.active[key] not in waiting]
            for key in keys:
                status = self.state.active[key]
                goes = not at_work and key == keys[0]
                if status is StepStatus.READY and not goes:
                    self.add(ev.StepBlocked(*key, lock))
                elif status is StepStatus.BLOCKED and goes:
                    self.add(ev.StepUnblocked(*key))

    def _breaks_deadlock(self) -> bool:
        """Where nothing can go on but by a lock that another holds, the youngest wait fails."""
        state = self.state
        blocked = [key for key, status in state.active.items() if status is StepStatus.BLOCKED]
        at_work = [key for key in state.active if key not in state.scopes]
        can_fail = [key for key in blocked if state.frames[state.frame_of(key)].why is None]
        if not can_fail or len(blocked) < len(at_work):
            return False
        if state.status is RunStatus.PAUSED or state.ending or state.collectable:
            return False
        step, visit = can_fail[-1]
        message = (
            f"“{step}” waits for “{self.graph.locks[step]}”,"
            " and what holds it waits for this step in turn."
        )
        error = ev.Error(step, "permanent", "deadlock", message)
        scopes.unwind(self, state.frame_of((step, visit)), _failed(error))
        return True

    def _holder(self, key: Key, lock: str) -> Key | None:
        """The scope with the same lock that a visit stands in, the nearest."""
        for frame in self.state.chain(self.state.frame_of(key))[:-1]:
            scope, _ = split_frame(frame)
            if self.graph.locks.get(scope[0]) == lock and scope in self.state.active:
                return scope
        return None

    def _undoes(self, frame: str, key: Key) -> bool:
        undoing = self.state.frames[frame].undoing
        return undoing is not None and undoing[0] == key

    def _too_many(self) -> ev.Error:
        step = max(self.state.visits, key=lambda one: self.state.visits[one])
        message = (
            f"More than {self.graph.max_steps} steps were run; the loop through “{step}”"
            f" was taken {self.state.visits[step]} times."
        )
        return ev.Error(step, "permanent", "too_many_steps", message)

    def _expect(self, step: str, visit: int) -> None:
        if self.state.active.get((step, visit)) is not StepStatus.READY:
            raise StaleCommand(f"visit {visit} of {step!r} is not ready")

    def add(self, event: ev.Event) -> None:
        """Note an event and fold it in."""
        self.events.append(event)
        apply(self.state, event)


def overdue(step: str) -> ev.Error:
    """Why a visit fails whose time limit is over."""
    message = f"“{step}” was not done within its time limit."
    return ev.Error(step, "permanent", "time_limit", message)


def _failed(error: ev.Error) -> dict[str, Any]:
    return {"kind": "failed", "error": error.as_json()}
