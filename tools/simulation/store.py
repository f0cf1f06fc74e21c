"""PostgreSQL and the broker, in memory: what production says in SQL stands here, once each.

A method is a transaction, or a statement of one whose locks the caller holds; nothing else happens
while it runs. Its name, or the comment above it, says which rule of the engine it models. Times
are seconds of the database's clock.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from apps.engine import events as ev
from apps.engine.lifecycle import EFFECT_TRANSITIONS, EffectStatus, move
from apps.engine.state import from_json, to_json
from apps.runs import effect_claims, effects, snapshots, stored
from apps.runs.contexts import Loaded
from apps.runs.effect_claims import Claimed
from apps.runs.evaluation import Evaluation
from apps.runs.wanted import JournalRow, LoadedRun
from apps.steps.document import CompiledFlow
from tools.simulation import flows
from tools.simulation.reading import Reader
from tools.simulation.rows import (
    Broken,
    Command,
    Effect,
    Payload,
    Run,
    Task,
    Timer,
    Transaction,
    Verdict,
    short,
)

LEASE_S = effect_claims.LEASE.total_seconds()
MAX_DEATHS = effects.MAX_DEATHS
LISTENS_S = 1.1
MARKER_S = 1.0
AT_WORK_S = 0.03
UNHEARD_S = 1.0
EPOCH = datetime(2026, 11, 20, 8, tzinfo=UTC)
_OPEN = frozenset({EffectStatus.QUEUED, EffectStatus.RUNNING})


class Store:
    """All rows, the bells on their way, and a ledger of what must never happen."""

    def __init__(self) -> None:
        self.now = 0.0
        self.accidents = 0
        self.sequence = 0
        self.runs: dict[UUID, Run] = {}
        self.dedupe: dict[str, UUID] = {}
        self.commands: dict[UUID, dict[int, Command]] = defaultdict(dict)
        self.effects: list[Effect] = []
        self.timers: list[Timer] = []
        self.tasks: list[Task] = []
        self.locked: dict[UUID, Transaction] = {}
        self.markers: dict[str, tuple[float, int]] = {}
        self.bells: list[str] = []
        self.listening: dict[str, tuple[object, float, int]] = {}
        self.at_work: tuple[float, int] = (-AT_WORK_S, 0)  # since when, and accidents by then
        self.is_noted = False
        self.outcomes: Counter[tuple[str, int]] = Counter()  # by kind and id of the wait
        self.decided: set[int] = set()
        self.races: Counter[str] = Counter()
        self.trace: list[str] | None = None

    def say(self, text: str) -> None:
        """A line of the trace, where one is wanted."""
        if self.trace is not None:
            self.trace.append(f"{self.now:9.2f}  {text}")

    def moment(self, at: float | None = None) -> datetime:
        """The database's clock as a date."""
        return EPOCH + timedelta(seconds=self.now if at is None else at)

    def next_id(self) -> int:
        """The next number of the commands' sequence: given at the statement, seen at the commit."""
        self.sequence += 1
        return self.sequence

    def add_command(
        self, run_id: UUID, kind: str, payload: Payload, id_: int | None = None
    ) -> None:
        """A command is committed."""
        self.commands[run_id][id_ or self.next_id()] = Command(kind, payload, self.now)
        self.say(f"command {kind} {payload.get('step', '')} for {short(run_id)}")

    # Rule 16: one run per key, however often the signal comes.
    def accept_signal(self, key: str, run_id: UUID, flow: str) -> UUID:
        """A signal becomes a run and its start, or finds the run that it has become."""
        if key in self.dedupe:
            return self.dedupe[key]
        self.dedupe[key] = run_id
        self.runs[run_id] = Run(run_id, flow)
        trigger = {"type": "manual", "id": str(run_id), "body": {"key": key}}
        self.add_command(run_id, "start", {"trigger": trigger, "started_by": "ada@example.org"})
        return run_id

    # Rule 3: at most one unstarted bell per queue; the marker goes by itself after a second. Who
    # listens is woken instead.
    def ring(self, queue: str) -> None:
        """Wake who listens, or put a bell on its way unless one is."""
        _, since, accidents = self.listening.pop(queue, (None, -LISTENS_S, 0))
        if since <= self.now < since + LISTENS_S:  # neither gone nor the clock set
            if queue == "drive":
                self.at_work = (self.now, accidents)
        elif queue == "drive" and self.at_work[0] <= self.now < self.at_work[0] + AT_WORK_S:
            accidents = self.at_work[1]
            self.is_noted = True
        else:
            accidents = self.call_another(queue)
        if queue == "drive":
            for waiting in self.commands.values():
                for command in waiting.values():
                    if command.rung < 0:
                        command.rung = accidents

    def call_another(self, queue: str) -> int:
        """Put a bell on its way unless one is; returns how many accidents there were by then."""
        until, accidents = self.markers.get(queue, (0.0, 0))
        if not self.now - MARKER_S <= until - MARKER_S <= self.now < until:
            accidents = self.accidents
            self.markers[queue] = (self.now + MARKER_S, accidents)
            self.bells.append(queue)
        return accidents

    # A driver that is at work is not helped by another while it is quick; it reads the note first.
    def stay(self) -> None:
        """This driver is at work."""
        self.at_work = (self.now, self.accidents)

    def leave(self) -> None:
        """This driver goes, and rings for another where a note was left."""
        self.at_work = (-AT_WORK_S, 0)
        if self.take_note():
            self.ring("drive")

    def take_note(self) -> bool:
        """Whether somebody rang since, to be asked at the end of work."""
        is_noted, self.is_noted = self.is_noted, False
        return is_noted

    def listen(self, queue: str, listener: object) -> bool:
        """Be the one that is woken, unless another is."""
        if queue == "drive":
            self.at_work = (-AT_WORK_S, 0)
        _, since, _ = self.listening.get(queue, (None, -LISTENS_S, 0))
        if since <= self.now < since + LISTENS_S:
            return False
        self.listening[queue] = (listener, self.now, self.accidents)
        return True

    def is_rung(self, queue: str, listener: object) -> bool:
        """The end of listening: whether a ring took the word away."""
        if self.listening.get(queue, (None,))[0] is not listener:
            return True
        del self.listening[queue]
        return False

    def answered(self, queue: str) -> None:
        """The task has started: the next ring is a new bell, or a new note."""
        self.markers.pop(queue, None)
        if queue == "drive":
            self.is_noted = False

    # Rule 1 (a): lock runs that have commands, skip those that others hold.
    def claim_runs(self, limit: int) -> Transaction:
        """Lock up to ``limit`` runs with commands and read their snapshots."""
        transaction = Transaction()
        for run_id in self.claimable()[:limit]:
            self.lock(run_id, transaction)
        return transaction

    def lock(self, run_id: UUID, transaction: Transaction) -> None:
        """``for no key update``: the row as it is now."""
        self.locked[run_id] = transaction
        transaction.runs.append(run_id)
        transaction.states[run_id] = self.runs[run_id].snapshot or "{}"

    def claimable(self) -> list[UUID]:
        """Runs with commands that nobody holds."""
        return [
            run_id
            for run_id, waiting in self.commands.items()
            if waiting and run_id not in self.locked and self.runs[run_id].snapshot is not None
        ]

    # Rule 1 (b): a second statement, with a younger view, in the order of their numbers.
    def read_commands(self, transaction: Transaction) -> bool:
        """Read the commands of the locked runs; false where the server ended the transaction."""
        if transaction.is_gone:
            return False
        for run_id in transaction.runs:
            transaction.read[run_id] = dict(sorted(self.commands[run_id].items()))
        return True

    def rollback(self, transaction: Transaction) -> None:
        """The process died, or the server ended its transaction (rule 6)."""
        transaction.is_gone = True
        for run_id in transaction.runs:
            if self.locked.get(run_id) is transaction:
                del self.locked[run_id]

    def load(self, transaction: Transaction, run_id: UUID) -> tuple[LoadedRun, CompiledFlow]:
        """A run as a driver sees it, with what its expressions read."""
        run = self.runs[run_id]
        loaded = LoadedRun(
            run_id=run_id,
            workspace_id=run_id,
            flow_id=run_id,
            version_id=run_id,
            lane=run_id,
            state=from_json(stored.loads(transaction.states[run_id])),
            awaited_until=None,
            loaded=Loaded(),
        )
        flow = flows.flow(run.flow)
        snapshots.load(Reader(run, self.moment), [(loaded, flow)])
        return loaded, flow

    # Rule 1 (c): journals, snapshots, effects, timers, tasks; the commands read are gone.
    def commit(self, transaction: Transaction, done: Sequence[Evaluation]) -> bool:
        """Write what was decided; false where the server has ended the transaction."""
        if transaction.is_gone:
            return False
        for one in done:
            run = self.runs[one.run.run_id]
            self.write_journal(run, one)
            self.delete_commands(transaction, run)
            if one.state.is_final:
                run.last, run.snapshot = stored.dumps(self.snapshot_of(one)), None
                if one.had_waits:
                    self.close_run(run)
            else:
                run.snapshot = stored.dumps(self.snapshot_of(one))
                self.open_waits(run, one)
                self.close_visits(run, one.closing)
                if one.cut:
                    self.add_command(run.id, "continue", {})
            run.seq = one.state.seq
        self.rollback(transaction)
        return True

    def snapshot_of(self, one: Evaluation) -> Any:
        """What is stored of the state: all events of the slice are in it."""
        return to_json(one.state)

    def write_journal(self, run: Run, one: Evaluation) -> None:
        """Rows are numbered without a gap (the primary key); nothing leaves a final state."""
        if run.snapshot is None:
            raise Broken(f"no finished state changes: {short(run.id)} is {run.status}")
        for row in one.rows:
            if row.seq != len(run.journal) + 1:
                raise Broken(f"replay is the snapshot: {short(run.id)} has two rows {row.seq}")
            run.journal.append((row, self.now))
            self.say(f"{short(run.id)} {row.seq} {row.type} {row.step}")
        run.status = one.state.status.value

    def delete_commands(self, transaction: Transaction, run: Run) -> None:
        """Those that were read, and no others."""
        for id_ in transaction.read[run.id]:
            self.commands[run.id].pop(id_, None)
            if id_ in self.decided:
                raise Broken(f"every command is decided once: {id_} of {short(run.id)}")
            self.decided.add(id_)

    def open_waits(self, run: Run, one: Evaluation) -> None:
        """Effects, timers and items; tasks were opened before (``open_tasks``)."""
        active = one.state.active
        for effect in one.effects:
            if (effect.step, effect.visit) in active:
                named = (run.id, effect.step, effect.visit, effect.generation)
                given = (effect.input, effect.max_attempts, effect.key)
                self.effects.append(
                    Effect(len(self.effects) + 1, *named, *given, self.now, retry=effect.retry)
                )
        for timer in one.timers:
            if (timer.step, timer.visit) in active:
                self._upsert_timer(run, timer)
        for item in one.items:
            run.items[item.step, item.visit, item.index] = item.value
        for task in one.tasks:
            if (task.step, task.visit) in active:
                due = task.request.get("due_at")
                at = (datetime.fromisoformat(due) - EPOCH).total_seconds() if due else None
                place = (run.id, task.step, task.visit, task.kind, task.generation)
                self.tasks.append(Task(len(self.tasks) + 1, *place, at))

    def _upsert_timer(self, run: Run, timer: Any) -> None:
        self.timers[:] = [
            one
            for one in self.timers
            if (one.run_id, one.step, one.visit, one.kind)
            != (run.id, timer.step, timer.visit, timer.kind)
        ]
        at = (timer.fires_at - EPOCH).total_seconds()
        port = getattr(timer, "port", "done")
        named = (run.id, timer.step, timer.visit, timer.kind)
        self.timers.append(Timer(self.next_id(), *named, at, port, timer.output))

    # Rules 23 and 25: what an ended run waited for is closed in the same transaction.
    def close_run(self, run: Run) -> None:
        """Drop its effects, close its timers and tasks."""
        run.items.clear()
        self._close(lambda one: one.run_id == run.id)

    def close_visits(self, run: Run, keys: Iterable[tuple[str, int]]) -> None:
        """Close what visits that are over still waited for, in a run that goes on."""
        gone = set(keys)
        if gone:
            self._close(lambda one: one.run_id == run.id and (one.step, one.visit) in gone)

    def _close(self, concerns: Any) -> None:
        for timer in self.timers:
            if timer.status == "open" and concerns(timer):
                timer.status = "closed"
        for task in self.tasks:
            if task.status == "open" and concerns(task):
                task.status = "closed"
        for effect in self.effects:
            if effect.status in _OPEN and concerns(effect):
                if effect.status is EffectStatus.RUNNING:
                    self.races["cancel against worker"] += 1
                effect.status = move(EFFECT_TRANSITIONS, effect.status, EffectStatus.DROPPED)

    # Rule 12: pulled, skipping what others hold; the claim is the fence.
    def claim_effect(self) -> Claimed | None:
        """The oldest effect that is due, under a new fence and lease."""
        due = [
            one
            for one in self.effects
            if one.status is EffectStatus.QUEUED and one.available_at <= self.now
        ]
        if not due:
            return None
        one = min(due, key=lambda one: (one.available_at, one.id))
        if self.runs[one.run_id].snapshot is None:
            raise Broken(f"nothing is done for a run that is over: {one.step} is")
        one.status = move(EFFECT_TRANSITIONS, one.status, EffectStatus.RUNNING)
        one.attempt += 1
        one.fence += 1
        one.lease_until = self.now + LEASE_S
        one.is_sent = False
        if one.attempt > 1:
            payload = {"step": one.step, "visit": one.visit, "attempt": one.attempt}
            self.add_command(one.run_id, "attempt", payload)
        self.say(f"effect {one.id} {one.step} of {short(one.run_id)} claimed, fence {one.fence}")
        return Claimed(
            id=UUID(int=one.id),
            run_id=one.run_id,
            workspace_id=one.run_id,
            lane=one.run_id,
            step=one.step,
            visit=one.visit,
            kind="http.request",
            version=1,
            input=one.input,
            attempt=one.attempt,
            max_attempts=one.max_attempts,
            fence=one.fence,
            deaths=one.deaths,
            key=one.key,
            retry=one.retry,
        )

    def effect(self, held: Claimed) -> Effect:
        """The row behind a claim."""
        return self.effects[held.id.int - 1]

    # Rules 12 and 25: a result counts only under the fence it was claimed with.
    def is_held(self, held: Claimed) -> bool:
        """Whether the worker still holds the effect."""
        one = self.effect(held)
        return one.status is EffectStatus.RUNNING and one.fence == held.fence

    def renew(self, held: Claimed) -> None:
        """A heartbeat."""
        if self.is_held(held):
            self.effect(held).lease_until = self.now + LEASE_S

    def note_sent(self, held: Claimed) -> bool:
        """Note under the fence that something may leave from here on."""
        if not self.is_held(held):
            self.races["late worker"] += 1
            return False
        self.effect(held).is_sent = True
        return True

    # Rule 12: result, fence check and command are one transaction.
    def report(self, held: Claimed, verdict: Verdict, id_: int) -> bool:
        """Write an outcome, unless the fence has moved on."""
        if not self.is_held(held):
            self.races["late worker"] += 1
            return False
        if self.effect(held).lease_until < self.now:
            self.races["worker before the sweep"] += 1
        self.settle_effect(held, verdict)
        self._note_outcome(held, verdict.status)
        self.add_command(held.run_id, verdict.kind, verdict.payload, id_)
        return True

    def settle_effect(self, held: Claimed, verdict: Verdict) -> None:
        """The row has its outcome, or waits for its next try."""
        one = self.effect(held)
        one.status = move(EFFECT_TRANSITIONS, EffectStatus.RUNNING, verdict.status)
        one.available_at = verdict.available_at

    def _note_outcome(self, held: Claimed, status: EffectStatus) -> None:
        """The ledger: one outcome per effect, and only from who holds it."""
        one = self.effect(held)
        if one.fence != held.fence:
            raise Broken(f"no late result counts: effect {one.id}, fence {held.fence}")
        if status is not EffectStatus.QUEUED:
            self.note_outcome("effect", one.id)

    def note_outcome(self, kind: str, id_: int) -> None:
        """The ledger: a wait has an outcome."""
        self.outcomes[kind, id_] += 1
        if self.outcomes[kind, id_] > 1:
            raise Broken(f"no wait gets two outcomes: {kind} {id_}")

    def refuse_late(self, held: Claimed, outcome: str) -> bool:
        """Write down that an outcome came too late. False: a driver holds the run, so wait."""
        if held.run_id in self.locked:
            return False
        run = self.runs[held.run_id]
        payload = {"step": held.step, "visit": held.visit, "outcome": outcome}
        if run.snapshot is not None:
            self.add_command(run.id, "late", payload)
        else:
            self.journal_after_end(run, payload, outcome)
        return True

    def journal_after_end(self, run: Run, payload: Payload, outcome: str) -> None:
        """Append to a run that is over that an outcome was ignored."""
        ignored = ev.OutcomeIgnored(payload["step"], payload["visit"], outcome, "run_over")
        type_, step, data = ev.to_row(ignored)
        row = JournalRow(len(run.journal) + 1, type_, step, stored.dumps(data))
        run.journal.append((row, self.now))

    # Rules 12 and 14: a lost lease counts as an attempt; after the third it is unknown.
    def expire_leases(self) -> int:
        """Give up on effects whose worker is dead or frozen."""
        lost = self._lost()
        for one in lost:
            one.deaths += 1
            unknown = one.is_sent and one.input.get("on_unknown") == "fail"
            is_over = (
                unknown or one.deaths >= MAX_DEATHS or one.attempt >= one.max_attempts + MAX_DEATHS
            )
            class_ = "unknown" if is_over else "transient"
            error = ev.Error(one.step, class_, "lease_lost", "The worker stopped.")
            payload: dict[str, Any] = {"step": one.step, "visit": one.visit}
            payload["error"] = error.as_json()
            if is_over:
                one.status = move(EFFECT_TRANSITIONS, one.status, EffectStatus.UNKNOWN)
                self.note_outcome("effect", one.id)
                self.add_command(one.run_id, "fail", {**payload, "output": None})
            else:
                one.status = move(EFFECT_TRANSITIONS, one.status, EffectStatus.QUEUED)
                one.available_at = self.now
                more = {"attempt": one.attempt, "next_at": self.moment().isoformat()}
                self.add_command(one.run_id, "retry", {**payload, **more})
        return len(lost)

    def lost_leases(self) -> list[tuple[UUID, int]]:
        """Effect and fence of each lease that is over."""
        return [(UUID(int=one.id), one.fence) for one in self._lost()]

    def _lost(self) -> list[Effect]:
        running = EffectStatus.RUNNING
        return [one for one in self.effects if one.status is running and one.lease_until < self.now]

    # Rules 7 and 10: one guarded statement turns due timers into commands.
    def fire_timers(self) -> int:
        """Resolve the timers that are due."""
        due = self.due_timers()
        for timer in due:
            if timer.status == "open":
                self.fire(timer)
        return len(due)

    def due_timers(self) -> list[Timer]:
        """Open, and due by the database's clock."""
        due = [one for one in self.timers if one.status == "open" and one.fires_at <= self.now]
        return sorted(due, key=lambda one: (one.fires_at, one.id))

    def fire(self, timer: Timer) -> None:
        """One timer's outcome."""
        timer.status = "fired"
        self.note_outcome("timer", timer.id)
        payload = {"step": timer.step, "visit": timer.visit}
        if timer.kind == "limit":
            self.add_command(timer.run_id, "expire", payload)
        else:
            output = stored.loads(stored.dumps(timer.output))
            more = {"port": timer.port, "output": output}
            self.add_command(timer.run_id, "complete", {**payload, **more})

    # Rule 7: a decision's guard includes that it is not too late.
    def is_decidable(self, task: Task) -> bool:
        """Whether a person may still decide."""
        return task.status == "open" and (task.due_at is None or task.due_at > self.now)

    def decide(self, task: Task, kind: str, payload: Payload, id_: int) -> bool:
        """A person's answer, by one guarded update; false where it comes too late."""
        if not self.is_decidable(task):
            self.races["late person"] += 1
            return False
        task.status = "decided"
        self.note_outcome("task", task.id)
        self.add_command(task.run_id, kind, payload, id_)
        return True

    def is_overdue(self, task: Task) -> bool:
        """Whether nobody has decided in time."""
        return task.status == "open" and task.due_at is not None and task.due_at <= self.now

    def expire_tasks(self) -> int:
        """Close the tasks that nobody decided in time."""
        due = [task for task in self.tasks if self.is_overdue(task)]
        for task in due:
            task.status = "timed_out"
            self.note_outcome("task", task.id)
            payload = {"step": task.step, "visit": task.visit, "port": "timeout"}
            self.add_command(task.run_id, "complete", {**payload, "output": {"outcome": "timeout"}})
        return len(due)

    # Rule 25: whoever withdraws a run waits for its lock; one that is over cannot be.
    def steer(self, run_id: UUID, kind: str, payload: Payload) -> bool:
        """Cancel, pause or resume; false where the run is over."""
        if self.runs[run_id].snapshot is None:
            return False
        self.add_command(run_id, kind, payload)
        return True

    # Rule 10: the sweep finds what no bell was heard for; what nobody can claim is put away.
    def bury_late_commands(self) -> None:
        """Journal commands of runs that are over, and remove them."""
        for run_id, waiting in self.commands.items():
            run = self.runs[run_id]
            if run.snapshot is None:
                for id_, command in list(waiting.items()):
                    if command.at < self.now - UNHEARD_S:
                        del waiting[id_]
                        self.races["outcome after the end"] += 1
                        if "step" in command.payload:
                            self.journal_after_end(run, command.payload, command.kind)

    def oldest_command_age(self) -> float:
        """How long the oldest command has waited."""
        ages = [self.now - one.at for waiting in self.commands.values() for one in waiting.values()]
        return max(ages, default=0.0)

    def are_effects_due(self) -> bool:
        """Whether an effect waits that a worker could do now."""
        queued = EffectStatus.QUEUED
        return any(one.status is queued and one.available_at <= self.now for one in self.effects)
