"""Bugs that can be planted, by name: each breaks one rule of the shell, and must be found.

A bug replaces one method of the store or the world, or one function of production while a seed
lives; no file of the product is touched.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from unittest.mock import patch
from uuid import UUID

from apps.engine import events as ev
from apps.engine.fold import replay
from apps.engine.lifecycle import EffectStatus
from apps.engine.state import to_json
from apps.runs import evaluation, stored
from apps.runs.effect_claims import Claimed
from apps.runs.evaluation import Evaluation
from tools.simulation.rows import Run, Task, Transaction, Verdict
from tools.simulation.store import Store
from tools.simulation.world import BATCH, Life, Process, World


@dataclass(frozen=True, slots=True)
class Bug:
    """The store and the world with the bug in it, and what else is patched meanwhile."""

    store: Callable[[], Store] = Store
    world: Callable[[int, Store], World] = World
    production: Callable[[], AbstractContextManager[object]] = nullcontext


class NoFence(Store):
    """A result counts whoever brings it, as long as the effect is under way."""

    def is_held(self, held: Claimed) -> bool:
        return self.effect(held).status is EffectStatus.RUNNING


class NoReclaim(Store):
    """An effect whose worker died stays with it."""

    def expire_leases(self) -> int:
        return 0


class NoGuard(Store):
    """A decision is written without asking whether the task is still open."""

    def is_decidable(self, task: Task) -> bool:  # noqa: ARG002 - that is the bug
        return True


@contextmanager
def key_without_visit() -> Iterator[None]:
    """Every visit of a step sends the same key."""

    def key(run_id: UUID, step: str, _visit: int, generation: int = 1) -> str:
        return sha256(f"{run_id}/{step}/{generation}".encode()).hexdigest()[:40]

    with patch.object(evaluation, "activation_key", key):
        yield


class CommandsBeforeLock(World):
    """A driver reads the commands first and locks their runs afterwards."""

    def driver(self, me: list[Process]) -> Life:
        store = self.store
        yield
        store.answered("drive")
        while True:
            yield
            wanted = store.claimable()[:BATCH]
            read = {run_id: dict(sorted(store.commands[run_id].items())) for run_id in wanted}
            yield
            held = me[0].transaction = Transaction()
            for run_id in wanted:
                if run_id not in store.locked and store.runs[run_id].snapshot is not None:
                    store.lock(run_id, held)
            held.read = read
            if not held.runs:
                return
            yield
            done = [self.evaluate(held, run_id) for run_id in held.runs]
            yield
            if not store.commit(held, done):
                return
            store.ring("drive")
            yield
            if any(one.effects for one in done):
                store.ring("effects")


class DeletesUnread(Store):
    """All commands of a run go when it has been driven, also those that came meanwhile."""

    def delete_commands(self, transaction: Transaction, run: Run) -> None:
        super().delete_commands(transaction, run)
        self.commands[run.id].clear()


class ClaimForgotten(World):
    """A worker whose claim was not answered takes it that it holds nothing."""

    def is_standing(self, claim: Claimed) -> bool:  # noqa: ARG002 - that is the bug
        return False


class TimerTwice(World):
    """Due timers are read, and fired by a second statement that does not ask again."""

    def fire_timers(self) -> Life:
        due = self.store.due_timers()
        yield
        for timer in due:
            self.store.fire(timer)
        if due:
            self.store.ring("drive")


class ReportBeforeCheck(Store):
    """The command is committed before anybody asks for the lease."""

    def report(self, held: Claimed, verdict: Verdict, id_: int) -> bool:
        if verdict.status is not EffectStatus.QUEUED:
            self.note_outcome("effect", held.id.int)
        self.add_command(held.run_id, verdict.kind, verdict.payload, id_)
        if not self.is_held(held):
            return False
        self.settle_effect(held, verdict)
        return True


class MarkerAfterClaim(World):
    """The doorbell's marker is cleared when the driver has claimed."""

    def driver(self, me: list[Process]) -> Life:
        store = self.store
        yield
        while True:
            yield
            held = me[0].transaction = store.claim_runs(BATCH)
            yield
            store.answered("drive")
            if not held.runs:
                return
            if not store.read_commands(held):
                return
            yield
            done = [self.evaluate(held, run_id) for run_id in held.runs if held.read[run_id]]
            yield
            if not store.commit(held, done):
                return
            yield
            if any(one.effects for one in done):
                store.ring("effects")


class DeafAtTheEnd(Store):
    """Who stops listening does not look whether it was rung for."""

    def is_rung(self, queue: str, listener: object) -> bool:
        super().is_rung(queue, listener)
        return False


class NoteUnread(Store):
    """A driver that ends its work does not look whether a note was left for it."""

    def take_note(self) -> bool:
        return False


class SnapshotBehind(Store):
    """The snapshot lacks the last event of the slice."""

    def snapshot_of(self, one: Evaluation) -> Any:
        run = self.runs[one.run.run_id]
        rows = [row for row, _ in run.journal]
        events = [ev.from_row(row.type, row.step, stored.loads(row.data)) for row in rows]
        return to_json(replay(events[:-1] if len(one.rows) > 1 else events))


class CancelLeavesEffects(Store):
    """A run that ends leaves what it asked workers for."""

    def close_run(self, run: Run) -> None:
        waiting = [one.status for one in self.effects]
        super().close_run(run)
        for one, status in zip(self.effects, waiting, strict=True):
            one.status = status


class WithdrawnStays(Store):
    """What a withdrawn visit waited for stays open."""

    def close_visits(self, run: Run, keys: Iterable[tuple[str, int]]) -> None:
        """Nothing is closed."""


class NoDedupe(Store):
    """A signal that comes twice is two runs."""

    def accept_signal(self, key: str, run_id: UUID, flow: str) -> UUID:
        if key in self.dedupe:
            run_id = UUID(int=run_id.int + (len(self.runs) << 120))
            self.dedupe.pop(key)
        return super().accept_signal(key, run_id, flow)


NONE = Bug()
BUGS = {
    "no fence": Bug(store=NoFence),
    "no re-claim after a lease": Bug(store=NoReclaim),
    "no guard on a decision": Bug(store=NoGuard),
    "key without visit": Bug(production=key_without_visit),
    "commands read before the lock": Bug(world=CommandsBeforeLock),
    "unread commands deleted": Bug(store=DeletesUnread),
    "claim without an answer forgotten": Bug(world=ClaimForgotten),
    "timer fired twice": Bug(world=TimerTwice),
    "result before the lease check": Bug(store=ReportBeforeCheck),
    "marker cleared after the claim": Bug(world=MarkerAfterClaim),
    "deaf at the end of listening": Bug(store=DeafAtTheEnd),
    "note not read": Bug(store=NoteUnread),
    "snapshot without the last event": Bug(store=SnapshotBehind),
    "end leaves effects running": Bug(store=CancelLeavesEffects),
    "withdrawn waits stay open": Bug(store=WithdrawnStays),
    "no de-duplication": Bug(store=NoDedupe),
}
