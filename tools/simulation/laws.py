"""What must hold of a world when all is quiet."""

from collections import Counter
from typing import TYPE_CHECKING

from apps.engine import events as ev
from apps.engine.fold import replay
from apps.engine.lifecycle import RUN_TRANSITIONS, EffectStatus, RunStatus, StepStatus, finals
from apps.engine.state import RunState, from_json, to_json
from apps.runs import stored
from tools.simulation.rows import Broken, Run
from tools.simulation.store import Store

if TYPE_CHECKING:
    from tools.simulation.world import World

_FINAL = {str(status) for status in finals(RUN_TRANSITIONS)}


def hold(world: "World") -> None:
    """Raise ``Broken`` where an invariant does not hold."""
    store = world.store
    for key in sorted(world.sent):
        if key not in world.accepted:
            raise Broken(f"every signal is accepted in the end: {key}")
        if world.accepted[key] not in store.runs:
            raise Broken(f"every accepted signal is a run: {key}")
    if len(store.runs) != len(world.sent):
        raise Broken(f"every accepted signal is a run: {len(store.runs)} of {len(world.sent)}")
    for run in store.runs.values():
        _hold_run(store, run)


def hold_quiet(store: Store) -> None:
    """Nothing is under way just now: runs without commands wait for what is open, and no more."""
    for run in store.runs.values():
        if run.snapshot is not None and not store.commands[run.id]:
            _hold_waits(store, run, from_json(stored.loads(run.snapshot)))


def _hold_run(store: Store, run: Run) -> None:
    events = [ev.from_row(row.type, row.step, stored.loads(row.data)) for row, _ in run.journal]
    state = replay(events[: run.seq])
    kept = run.snapshot if run.snapshot is not None else run.last
    if stored.dumps(to_json(state)) != kept:
        raise Broken(f"replay is the snapshot: {run.flow}")
    if state.status.value != run.status:
        raise Broken(f"replay is the snapshot: {run.flow} is {run.status}, not {state.status}")
    if any(not isinstance(one, ev.OutcomeIgnored) for one in events[run.seq :]):
        raise Broken(f"no finished state changes: {run.flow}")
    ends = Counter(
        (one.step, one.visit) for one in events if isinstance(one, ev.StepCompleted | ev.StepFailed)
    )
    if ends and ends.most_common(1)[0][1] > 1:
        raise Broken(f"every visit ends once: {ends.most_common(1)[0][0]} of {run.flow}")
    if store.commands[run.id]:
        kinds = [one.kind for one in store.commands[run.id].values()]
        raise Broken(f"every run is finished or visibly waiting: {run.flow} has {kinds}")
    _hold_waits(store, run, state)


def _hold_waits(store: Store, run: Run, state: RunState) -> None:
    """What a run waits for is there, and nothing is there that no run waits for."""
    effects = Counter(
        (one.step, one.visit)
        for one in store.effects
        if one.run_id == run.id and one.status in {EffectStatus.QUEUED, EffectStatus.RUNNING}
    )
    tasks = (one for one in store.tasks if one.run_id == run.id and one.status == "open")
    waits = Counter((one.step, one.visit) for one in tasks)
    waits.update(
        (one.step, one.visit)
        for one in store.timers
        if one.run_id == run.id and one.status == "open" and one.kind == "delay"
    )
    if run.status in _FINAL:
        if effects:
            raise Broken(f"nothing is done for a run that is over: {sorted(effects)} of {run.flow}")
        if waits:
            raise Broken(f"nothing is asked for a run that is over: {sorted(waits)} of {run.flow}")
        return
    at_work = {StepStatus.RUNNING, StepStatus.RETRYING}
    needed = {key for key, status in state.active.items() if status in at_work}
    if set(effects) != needed or effects.total() != len(needed):
        raise Broken(f"no effect is lost: {sorted(effects)}, needed {sorted(needed)} of {run.flow}")
    asked = {
        key
        for key, status in state.active.items()
        if status is StepStatus.WAITING and key not in state.scopes
    }
    if set(waits) != asked or waits.total() != len(asked):
        raise Broken(f"every wait is open: {sorted(waits)}, needed {sorted(asked)} of {run.flow}")
    if state.status is not RunStatus.PAUSED and not needed and not asked:
        raise Broken(f"every run is finished or visibly waiting: {run.flow} is {run.status}")
