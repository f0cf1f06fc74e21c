"""Virtual processes over the store, and the lots that decide who goes on and what goes wrong.

A process is a generator: between two of its ``yield`` anything may happen, also its death. One
``random.Random`` draws every lot, so a seed is one history.
"""

import random
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from math import inf
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from uuid import UUID

from apps.engine import events as ev
from apps.engine.lifecycle import EffectStatus
from apps.runs import effects, evaluation, tries
from apps.runs.effect_claims import Claimed
from apps.runs.evaluation import Evaluation
from apps.runs.ports import Refusal
from apps.steps.outcomes import StepError
from tools.simulation import flows, laws
from tools.simulation.rows import Broken, Task, Transaction, Verdict
from tools.simulation.store import LEASE_S, Store

LEAST_RUNS, LEAST_STEPS = 3, 20
BATCH = 2
IDLE_IN_TRANSACTION_S = 10.0
MOST_ROUNDS = 8
MOST_MOVES = 6000
MOST_IDLE = 12
#: How often a driver gives way to the other work of its process.
GIVES_WAY = 0.1
#: How often the server goes away at a worker's claim, which is then committed and not answered.
UNANSWERED = 0.05
# What the other side does with a call: how often, and how the step then fails.
_ANSWERS: tuple[tuple[float, Any], ...] = (
    (0.70, None),
    (0.80, ("http_status", "transient")),
    (0.87, ("http_status", "permanent")),
    (1.00, ("no_answer", "unknown")),
)

Life = Generator[None, None, None]


@dataclass(slots=True, eq=False)
class Process:
    """Something that runs, and can die or freeze. ``effect`` is what its heartbeat keeps alive."""

    name: str
    life: Life
    transaction: Transaction | None = None
    effect: Claimed | None = None
    #: What it would hold, had its claim been answered.
    claim: Claimed | None = None
    frozen_until: float = -inf
    on_death: Callable[[], None] | None = None


class World:
    """One history. ``live`` plays it and raises ``Broken`` where an invariant does not hold."""

    def __init__(self, seed: int, store: Store | None = None) -> None:
        self.seed = seed
        self.dice = random.Random(seed)  # noqa: S311 - lots, not secrets
        self.store = store or Store()
        self.processes: list[Process] = []
        self.wishes: list[Callable[[], None]] = []
        self.accepted: dict[str, UUID] = {}
        self.sent: set[str] = set()
        self.bodies: dict[str, str] = {}
        self.seen: set[int] = set()
        self.left: set[tuple[UUID, int]] = set()  # claims that died with a process
        self.crashes = 0
        self.steps = 0
        self.moves = 0
        self.is_calm = False
        self._idle_since = [0, 0]
        self._kept = Verdict(EffectStatus.FAILED, "", {}, 0.0)

    def live(self) -> None:
        """Signals come, things go wrong, things calm down; until there was enough of all."""
        with self.seams():
            for _ in range(MOST_ROUNDS):
                self.send_signals()
                self.is_calm = False
                self.go_wrong()
                self.is_calm = True
                self.calm_down()
                if self.had_enough():
                    return
        raise Broken(
            f"a seed has enough of everything: {len(self.accepted)} runs,"
            f" {self.count_steps()} steps, {self.crashes} crashes,"
            f" {self.store.races.total()} races"
        )

    def had_enough(self) -> bool:
        """Whether there were runs, steps, a crash, and a race between two outcomes."""
        self.steps = self.count_steps()
        enough = len(self.accepted) >= LEAST_RUNS and self.steps >= LEAST_STEPS
        return enough and self.crashes > 0 and self.store.races.total() > 0

    def count_steps(self) -> int:
        """How many visits of steps are over."""
        over = ("step.completed", "step.failed")
        runs = self.store.runs.values()
        return sum(row.type in over for run in runs for row, _ in run.journal)

    @contextmanager
    def seams(self) -> Iterator[None]:
        """Production's clocks and lots are this world's; a slice is cut by steps, never by time."""
        with (
            patch.object(evaluation, "MAX_STEPS_A_SLICE", self.dice.choice([2, 5, 200])),
            patch.object(evaluation, "MAX_SECONDS_A_SLICE", float("inf")),
            patch.object(effects, "clock", SimpleNamespace(now=self.store.moment)),
            patch.object(tries, "random", self.dice),
            patch.object(effects, "_report", self._keep_verdict),
        ):
            yield

    # --- what happens ---

    def send_signals(self) -> None:
        """A few signals, some of them twice, and a person who withdraws a run."""
        for _ in range(self.dice.randint(1, 2) if self.accepted else LEAST_RUNS):
            key = f"signal {len(self.sent)}"
            self.sent.add(key)
            flow = self.dice.choice(flows.NAMES)
            run_id = UUID(int=(self.seed << 8) + len(self.sent))
            for _ in range(2 if self.dice.random() < 0.2 else 1):
                self.wish(partial(self.call_in, key, run_id, flow))
            if self.dice.random() < 0.25:
                why = {"by": "ada", "reason": "by lot"}
                self.wish(partial(self.steer, run_id, "cancel", why))
            if self.dice.random() < 0.15:
                self.wish(partial(self.steer, run_id, "pause", {"reason": "person"}))

    def wish(self, wished: Callable[[], None]) -> None:
        """Something that will happen at some time."""
        self.wishes.append(wished)

    def go_wrong(self) -> None:
        """The disorderly part."""
        dice, store = self.dice, self.store
        for _ in range(dice.randint(60, 140)):
            if dice.random() < 0.04:
                self.accident()
            else:
                self.go_on()
        for _ in range(MOST_MOVES):
            if not self.crashes:
                self.crash()
            elif store.races or self.race():
                break
            self.go_on()

    def go_on(self) -> None:
        """Something happens that is nobody's fault."""
        dice, store = self.dice, self.store
        lot = dice.random()
        if self.wishes and lot < 0.12:
            self.wishes.pop(dice.randrange(len(self.wishes)))()
        elif lot < 0.18 or not (self.processes or store.bells):
            self.pass_time()
        elif store.bells and (lot < 0.40 or not self.processes):
            self.deliver()
        elif self.processes:
            self.move()

    def race(self) -> bool:
        """Bring about two outcomes of one wait, in whatever order; false where none is open."""
        store = self.store
        if (task := self.next_due_task()) is not None:
            self.answer_task(task)
            self.move(self.processes[-1])
            self.advance(max(0.0, (task.due_at or 0.0) - store.now))
            self.start("clock", self.sweep())
            return True
        working = [one for one in self.processes if one.effect and store.is_held(one.effect)]
        if not working:
            return False
        frozen = self.dice.choice(working)
        frozen.frozen_until = store.now + LEASE_S + 1
        self.advance(LEASE_S + 2)
        self.start("clock", self.sweep())
        return True

    def accident(self) -> None:
        """Something dies, freezes, or a bell goes astray; or the clock is set."""
        dice, store = self.dice, self.store
        lot = dice.random()
        if lot < 0.40:
            self.crash()
        elif lot < 0.70 and self.processes:
            frozen = dice.choice([one for one in self.processes if one.effect] or self.processes)
            frozen.frozen_until = store.now + dice.choice([2, 11, 40, 70])
            store.say(f"{frozen.name} freezes")
        elif lot < 0.90 and store.bells:
            store.bells.pop(dice.randrange(len(store.bells)))
            store.accidents += 1
            store.say("a bell is lost")
        else:
            store.now -= dice.choice([0.5, 5, 30])
            store.say("the clock is set back")

    def crash(self) -> None:
        """A process dies, preferably one in the middle of something."""
        if not self.processes:
            return
        victim = self.dice.choice(self.processes)
        self.store.accidents += 1
        self.crashes += 1
        self.store.say(f"{victim.name} dies")
        for held in (victim.effect, victim.claim):
            if held is not None:
                self.left.add((held.id, held.fence))
        self.end(victim)
        victim.life.close()
        if victim.on_death is not None:
            self.wish(victim.on_death)

    def end(self, process: Process) -> None:
        """A process is gone, and its transaction with it."""
        self.processes.remove(process)
        if process.transaction is not None:
            self.store.rollback(process.transaction)

    def start(self, name: str, life: Life) -> Process:
        """A process begins; what it does comes with its moves."""
        process = Process(f"{name} {self.moves}", life)
        self.processes.append(process)
        return process

    def deliver(self) -> None:
        """A bell reaches a worker process; now and then it comes again."""
        queue = self.store.bells.pop(self.dice.randrange(len(self.store.bells)))
        self.answer_bell(queue)
        if self.dice.random() < 0.2:
            self.store.bells.append(queue)

    def answer_bell(self, queue: str) -> None:
        """Its task starts; where it dies before the first statement, the marker stays."""
        holder: list[Process] = []
        life = self.driver(holder) if queue == "drive" else self.worker(holder)
        holder.append(self.start(queue, life))

    def move(self, process: Process | None = None) -> None:
        """One process goes on to its next commit point."""
        self.moves += 1
        if process is None:
            process = self.processes[int(self.dice.random() * len(self.processes))]
            if process.frozen_until > self.store.now:
                return
        try:
            next(process.life)
        except StopIteration:
            self.end(process)

    def pass_time(self) -> None:
        """The clock goes on; heartbeats keep the leases of whoever is awake."""
        self.advance(self.dice.choice([0.2, 1.2, 1.2, 6, 20, 31]))
        self.start("clock", self.sweep())
        if self.dice.random() < 0.3:
            self.start("clock", self.sweep())
        self.notice_tasks()
        if self.dice.random() < 0.1:
            self.race()

    def advance(self, seconds: float) -> None:
        """Time passes."""
        store = self.store
        store.now += seconds
        for process in self.processes:
            is_awake = process.frozen_until <= store.now - seconds
            if process.effect is not None and is_awake:
                store.renew(process.effect)
            held = process.transaction
            if held is not None and not is_awake and seconds > IDLE_IN_TRANSACTION_S:
                store.rollback(held)
                store.accidents += 1

    def notice_tasks(self) -> None:
        """People see new tasks; some never answer one that has a due date."""
        for task in self.store.tasks:
            if task.status == "open" and task.id not in self.seen:
                self.seen.add(task.id)
                if task.due_at is None or self.dice.random() < 0.8:
                    self.wish(partial(self.answer_task, task))

    def answer_task(self, task: Task) -> None:
        """Somebody sets out to answer a task."""
        self.start("person", self.person(task))

    def next_due_task(self) -> Task | None:
        """An open task with a due date."""
        due = [one for one in self.store.tasks if one.status == "open" and one.due_at is not None]
        return self.dice.choice(due) if due else None

    # --- things calm down ---

    def calm_down(self) -> None:
        """No more accidents: everything goes on until nothing is left to do."""
        store = self.store
        for process in self.processes:
            process.frozen_until = -inf
        for _ in range(MOST_MOVES):
            if store.bells and (not self.processes or self.dice.random() < 0.3):
                self.deliver()
            elif self.wishes and (not self.processes or self.dice.random() < 0.1):
                self.wishes.pop(0)()
            elif self.processes:
                self.move()
            else:
                self.hold_no_wake_up_is_lost()
                laws.hold_quiet(store)
                if not self.wait_for_more():
                    return
        raise Broken("every run is finished or visibly waiting: it goes on for ever")

    def hold_no_wake_up_is_lost(self) -> None:
        """All is quiet: a command whose bell was rung, with no accident since, is not left over."""
        store = self.store
        for run_id in store.claimable():
            for command in store.commands[run_id].values():
                if command.rung == store.accidents:
                    raise Broken(f"no wake-up is lost: {command.kind} was rung for, unheard")

    def wait_for_more(self) -> bool:
        """Jump to when something is due; false where nothing ever will be."""
        store = self.store
        self.resume_paused()
        self.notice_tasks()
        if self.wishes or self.processes:
            return True
        running, queued = EffectStatus.RUNNING, EffectStatus.QUEUED
        due = [one.fires_at for one in store.timers if one.status == "open"]
        due += [
            one.due_at for one in store.tasks if one.status == "open" and one.due_at is not None
        ]
        due += [one.lease_until + 0.01 for one in store.effects if one.status is running]
        due += [one.available_at for one in store.effects if one.status is queued]
        due += [one.at + 1.01 for waiting in store.commands.values() for one in waiting.values()]
        if not due:
            return False
        if store.sequence == self._idle_since[0]:
            self._idle_since[1] += 1
            if self._idle_since[1] > MOST_IDLE:
                raise Broken("every run is finished or visibly waiting: what is due is never done")
        else:
            self._idle_since = [store.sequence, 0]
        self.advance(max(min(due) - store.now, 0.3 if self._idle_since[1] else 0.0) + 0.001)
        self.start("clock", self.sweep())
        return True

    def resume_paused(self) -> None:
        for run in self.store.runs.values():
            if run.status == "paused" and not self.store.commands[run.id]:
                self.steer(run.id, "resume", {"by": "ada"})

    # --- processes ---

    def web(self, key: str, run_id: UUID, flow: str) -> Life:
        """A call comes in. Whoever gets no answer calls again."""
        yield
        accepted = self.store.accept_signal(key, run_id, flow)
        yield
        if self.accepted.setdefault(key, accepted) != accepted:
            raise Broken(f"every accepted signal is a run: {key} is two")
        yield
        self.store.ring("drive")

    def call_in(self, key: str, run_id: UUID, flow: str) -> None:
        """A caller sends a signal, and again where no answer came."""
        calling = self.start("web", self.web(key, run_id, flow))
        calling.on_death = partial(self.call_in, key, run_id, flow)

    def driver(self, me: list[Process]) -> Life:
        """Rule 1: claim, read, decide, write; until a claim made after the last commit is empty.

        Then it reads the note that was left meanwhile, or listens for a moment.
        """
        store = self.store
        yield
        store.stay()
        is_called = True
        while is_called:
            yield
            store.answered("drive")
            yield
            held = me[0].transaction = store.claim_runs(BATCH)
            while held.runs:
                if not (yield from self.batch(held)):
                    is_called = False
                    break
                yield
                store.stay()
                yield
                held = me[0].transaction = store.claim_runs(BATCH)
            yield
            if is_called:
                is_called = yield from self.is_called(me[0])
        yield
        store.leave()

    def is_called(self, driver: Process) -> Generator[None, None, bool]:
        """Whether there is a note for it, or a ring a moment later; unless it gives way."""
        store = self.store
        if not self.is_calm and self.dice.random() < GIVES_WAY:
            return False
        if store.take_note():
            return True
        if not store.listen("drive", driver):
            return False
        yield
        return store.is_rung("drive", driver)

    def batch(self, held: Transaction) -> Generator[None, None, bool]:
        """Read, decide and write; false where the server ended the transaction."""
        store = self.store
        yield
        if not store.read_commands(held):
            return False
        yield
        done = [self.evaluate(held, run_id) for run_id in held.runs if held.read[run_id]]
        yield
        if not store.commit(held, done):
            return False
        if len(held.runs) == BATCH:
            store.call_another("drive")
        yield
        if any(one.effects for one in done):
            store.ring("effects")
        return True

    def evaluate(self, held: Transaction, run_id: UUID) -> Evaluation:
        """Decide for one run; now and then nobody can be asked."""
        run, flow = self.store.load(held, run_id)
        one = Evaluation(run, flow, self.store.moment())
        one.take([(command.kind, command.payload) for command in held.read[run_id].values()])
        asked: set[tuple[str, int, str]] = set()
        while tasks := [task for task in one.tasks if self._names(task) not in asked]:
            for task in tasks:
                asked.add(self._names(task))
                is_open = (task.step, task.visit) in one.state.active
                if is_open and task.kind == "approval" and self.dice.random() < 0.03:
                    one.tasks.remove(task)
                    why = "Nobody can be asked."
                    one.refuse(Refusal(run_id, task.step, task.visit, "no_assignee", why))
        return one

    def worker(self, me: list[Process]) -> Life:
        """Rule 12: pull, send under a lease, report once."""
        store = self.store
        yield
        store.answered("effects")
        while True:
            yield
            held = store.claim_effect()
            if held is None:
                yield
                if not store.listen("effects", me[0]):
                    return
                yield
                if store.is_rung("effects", me[0]):
                    continue
                return
            if not self.is_calm and self.dice.random() < UNANSWERED:
                me[0].claim = held
                yield
                if not self.is_standing(held):
                    return
                me[0].claim = None
            me[0].effect = held
            yield
            if held.attempt > 1:
                store.ring("drive")
            if store.are_effects_due():
                store.ring("effects")
            if store.note_sent(held):
                yield
                failed = self.call(held)
                yield
                yield from self.report(held, failed)
            else:
                yield from self.refuse_late(held, "complete")
            me[0].effect = None

    def is_standing(self, claim: Claimed) -> bool:
        """Whether a claim holds whose commit was not answered."""
        return self.store.is_held(claim)

    def call(self, held: Claimed) -> StepError | None:
        """The other side: it remembers which body each key came with."""
        body = repr(held.input)
        if self.bodies.setdefault(held.key, body) != body:
            raise Broken(f"each idempotency key comes with one body: {held.step} {held.visit}")
        lot = 0.0 if self.is_calm else self.dice.random()
        said = next(answer for most, answer in _ANSWERS if lot <= most)
        if said is None:
            return None
        code, error_class = said
        return StepError(code, "It did not work.", error_class=error_class)

    def report(self, held: Claimed, failed: StepError | None) -> Life:
        """What became of a call is written once, in one transaction with its command."""
        verdict = self.verdict(held, failed)
        id_ = self.store.next_id()
        yield
        if self.store.report(held, verdict, id_):
            yield
            self.store.ring("drive")
        else:
            yield from self.refuse_late(held, verdict.kind)

    def refuse_late(self, held: Claimed, outcome: str) -> Life:
        """A late outcome is written down, behind the run's lock."""
        while not self.store.refuse_late(held, outcome):
            yield
        yield
        self.store.ring("drive")

    def verdict(self, held: Claimed, failed: StepError | None) -> Verdict:
        """Production's rules say whether it is tried again."""
        if failed is None:
            output = {"status": 200, "headers": {}, "body": held.visit}
            payload = {"step": held.step, "visit": held.visit, "port": "done", "output": output}
            return Verdict(EffectStatus.SUCCEEDED, "complete", payload, self.store.now)
        unmasked: Any = SimpleNamespace(mask=str)
        effects._report_failure(held, unmasked, failed)  # noqa: SLF001 - it has no SQL of its own
        return self._kept

    def _keep_verdict(
        self, _held: Any, status: Any, kind: str, payload: Any, *, available_at: Any = None
    ) -> None:
        at = self.store.now
        if available_at is not None:
            at += (available_at - self.store.moment()).total_seconds()
        self._kept = Verdict(status, kind, payload, at)

    def sweep(self) -> Life:
        """Rule 10: the clock needs nobody and hears what no bell was heard for."""
        store = self.store
        yield from self.fire_timers()
        if store.expire_tasks():
            yield
            store.ring("drive")
        self.hold_deaths_are_deaths()
        if store.expire_leases():
            yield
            store.ring("effects")
            store.ring("drive")
        yield
        if store.oldest_command_age() > 1.0:
            store.bury_late_commands()
            store.ring("drive")
        if store.are_effects_due():
            store.ring("effects")

    def hold_deaths_are_deaths(self) -> None:
        """A lease ends because its worker died or froze, never because nobody knew of it."""
        known = {
            (held.id, held.fence)
            for one in self.processes
            for held in (one.effect, one.claim)
            if held is not None
        }
        for id_, fence in self.store.lost_leases():
            if (id_, fence) not in known | self.left:
                raise Broken(f"a death is a worker's: nobody knew to hold effect {id_.int}")

    def fire_timers(self) -> Life:
        """One statement."""
        if self.store.fire_timers():
            yield
            self.store.ring("drive")

    def person(self, task: Task) -> Life:
        """Somebody reads a task, thinks, and answers."""
        yield
        named: dict[str, Any] = {"step": task.step, "visit": task.visit}
        id_ = self.store.next_id()
        if task.kind == "approval":
            kind, port = "complete", self.dice.choice(["approved", "approved", "rejected"])
            payload = {**named, "port": port, "output": {"outcome": port}}
        else:
            kind = "repeat" if not self.is_calm and self.dice.random() < 0.5 else "skip"
            error = ev.Error(task.step, "permanent", "http_status", "It did not work.")
            payload = {**named, "by": "ada", "error": error.as_json(), "output": None}
        yield
        if self.store.decide(task, kind, payload, id_):
            yield
            self.store.ring("drive")

    def steer(self, run_id: UUID, kind: str, payload: Any) -> None:
        """Somebody withdraws a run, holds it, or lets it go on."""
        self.start(kind, self.steerer(run_id, kind, payload))

    def steerer(self, run_id: UUID, kind: str, payload: Any) -> Life:
        """Rule 25: behind the run's lock."""
        store = self.store
        if run_id not in store.runs:
            return
        while run_id in store.locked:
            yield
        if store.steer(run_id, kind, payload):
            yield
            store.ring("drive")

    def _names(self, task: Any) -> tuple[str, int, str]:
        return (task.step, task.visit, task.kind)
