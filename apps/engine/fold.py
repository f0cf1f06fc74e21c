"""Fold events into a run's state: total over stored events, and the graph is not needed.

What an event caused stands in the event itself (the links its token took, the visits that
began), so replaying a journal evaluates neither expressions nor steps.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from apps.engine import events as ev
from apps.engine.lifecycle import RUN_TRANSITIONS, STEP_TRANSITIONS, RunStatus, StepStatus, move
from apps.engine.state import ROOT, Done, Frame, Key, RunState, Scope, frame_name, split_frame

_EXECUTING = {StepStatus.READY, StepStatus.RUNNING}


def apply(state: RunState, event: ev.Event) -> None:
    """Fold an event into ``state`` in place; :func:`evolve` is the pure form."""
    state.seq += 1
    _FOLDS[type(event)](state, event)


def evolve(state: RunState, event: ev.Event) -> RunState:
    """The state after an event."""
    after = state.copy()
    apply(after, event)
    return after


def replay(events: Iterable[ev.Event]) -> RunState:
    """Rebuild a run from its journal: ``replay(journal) == snapshot``."""
    state = RunState()
    for event in events:
        apply(state, event)
    return state


def _on_run_replayed(state: RunState, event: ev.RunReplayed) -> None:  # noqa: ARG001 - as all
    state.given = state.seq


def _on_run_started(state: RunState, event: ev.RunStarted) -> None:
    state.started = state.seq
    _arrive(state, ROOT, event.arrivals)
    _rest(state)


def _on_time_skipped(state: RunState, event: ev.TimeSkipped) -> None:
    state.skipped_to = event.until


def _on_step_started(state: RunState, event: ev.StepStarted) -> None:
    after = StepStatus.RUNNING if event.kind == "effect" else StepStatus.WAITING
    _shift(state, event.step, event.visit, after)
    _rest(state)


def _on_step_completed(state: RunState, event: ev.StepCompleted) -> None:
    key = (event.step, event.visit)
    name = state.frame_of(key) if key in state.active else event.frame
    frame = state.frames[name]
    _close(state, key, name, StepStatus.COMPLETED)
    frame.outputs[event.step] = state.seq
    frame.errors.pop(event.step, None)
    if event.taken:
        frame.taken[event.step] = frame.taken.get(event.step, 0) + 1
    if event.undoable:
        frame.undo.append(Done(*key, state.seq, name))
    if frame.undoing is not None and frame.undoing[0] == key:
        frame.undoing = None
    _take(frame, event.step, event.took, event.owes)
    _arrive(state, name, event.arrivals)
    _settle(state, name)


def _on_step_failed(state: RunState, event: ev.StepFailed) -> None:
    key = (event.step, event.visit)
    name = state.frame_of(key)
    frame = state.frames[name]
    _close(state, key, name, StepStatus.FAILED)
    if event.taken:
        frame.taken[event.step] = frame.taken.get(event.step, 0) + 1
    frame.errors[event.step] = state.seq
    if event.output is not None or event.port:
        frame.outputs[event.step] = state.seq
    if frame.undoing is not None and frame.undoing[0] == key:
        frame.undoing = None
        if not event.port:
            why = frame.why or {}
            left = [*why.get("not_undone", ()), event.error.as_json()]
            frame.why = {**why, "not_undone": left}
    _arrive(state, name, event.arrivals)
    _settle(state, name)


def _on_step_retried(state: RunState, event: ev.StepRetried) -> None:
    if state.active[event.step, event.visit] is StepStatus.RUNNING:
        _shift(state, event.step, event.visit, StepStatus.RETRYING)
    _rest(state)


def _on_step_attempted(state: RunState, event: ev.StepAttempted) -> None:
    _shift(state, event.step, event.visit, StepStatus.RUNNING)
    _rest(state)


def _on_step_held(state: RunState, event: ev.StepHeld) -> None:
    key = (event.step, event.visit)
    if state.active[key] is not StepStatus.WAITING:  # a person may have been asked before
        _shift(state, *key, StepStatus.WAITING)
    state.held[key] = None
    _rest(state)


def _on_step_repeated(state: RunState, event: ev.StepRepeated) -> None:
    key = (event.step, event.visit)
    state.generations[key] = event.generation
    state.held.pop(key, None)
    scope = state.scopes.get(key)
    if event.total and scope is not None:
        scope.again, scope.total = [list(one) for one in event.ranges], event.total
        scope.failures, scope.failed, scope.cause = [], 0, None
        scope.dropped, scope.left = [], 0
        scope.round, scope.then = 1, None
    else:
        state.scopes.pop(key, None)
        _shift(state, event.step, event.visit, StepStatus.READY)
    _rest(state)


def _on_step_blocked(state: RunState, event: ev.StepBlocked) -> None:
    _shift(state, event.step, event.visit, StepStatus.BLOCKED)
    _rest(state)


def _on_step_unblocked(state: RunState, event: ev.StepUnblocked) -> None:
    _shift(state, event.step, event.visit, StepStatus.READY)
    _rest(state)


def _on_scope_opened(state: RunState, event: ev.ScopeOpened) -> None:
    key = (event.step, event.visit)
    _shift(state, *key, StepStatus.WAITING)
    state.scopes[key] = Scope(
        frame=state.frame_of(key),
        kind=event.kind,
        total=event.count,
        parallel=event.parallel,
        needs=event.needs,
        tolerance=event.tolerance,
        rest=event.rest,
        rounds=event.rounds,
    )
    _rest(state)


def _on_items_begun(state: RunState, event: ev.ItemsBegun) -> None:
    key = (event.step, event.visit)
    scope = state.scopes[key]
    each = len(event.arrivals) // event.count
    for at in range(event.count):
        name = frame_name(key, event.first + at)
        state.frames[name] = Frame()
        _arrive(state, name, event.arrivals[at * each : (at + 1) * each])
        _mark(state, name)
    scope.open += event.count
    if scope.again:
        first, count = scope.again[0]
        scope.again[0] = [first + event.count, count - event.count]
        if count == event.count:
            del scope.again[0]
    else:
        scope.begun += event.count
    _rest(state)


def _on_item_ended(state: RunState, event: ev.ItemEnded) -> None:
    key = (event.step, event.visit)
    scope = state.scopes[key]
    name = frame_name(key, event.index)
    frame = state.frames.pop(name)
    state.ending.pop(name, None)
    around = state.frames[scope.frame]
    scope.open -= 1
    scope.total += event.more
    if event.outcome == "completed":
        scope.succeeded += 1
        around.undo.extend(frame.undo)
        around.undo.sort(key=lambda one: one.seq)  # items side by side: the last first, over all
        if scope.kind != "each":
            around.outputs.update(frame.outputs)
            around.errors.update(frame.errors)
    elif event.outcome == "failed":
        scope.failed += 1
        scope.cause = event.reason
        _add_to(scope.failures, event.index)
    elif scope.then is not None and scope.then.get("resorts"):
        _add_to(scope.dropped, event.index)
    if scope.is_gone and scope.is_over:
        _leave(state, key)
    _rest(state)


def _on_items_added(state: RunState, event: ev.ItemsAdded) -> None:
    state.scopes[event.step, event.visit].total += len(event.items)


def _on_items_repeated(state: RunState, event: ev.ItemsRepeated) -> None:
    scope = state.scopes[event.step, event.visit]
    scope.again = [list(one) for one in event.ranges]
    scope.failures = []
    scope.failed = 0
    scope.round += 1


def _on_scope_closing(state: RunState, event: ev.ScopeClosing) -> None:
    scope = state.scopes[event.step, event.visit]
    scope.then = event.then
    keeps = event.then["kind"] == "collect" and scope.rest == "finish"
    if not keeps or event.then.get("cancels"):
        if event.then.get("resorts"):
            scope.dropped, scope.left = scope.again, scope.total - scope.begun
        scope.total, scope.again = scope.begun, []
    _rest(state)


def _on_work_withdrawn(state: RunState, event: ev.WorkWithdrawn) -> None:
    for step, visit in event.visits:
        key = (step, visit)
        if key in state.active:
            _close(state, key, state.frame_of(key), StepStatus.CANCELLED)
        else:  # a scope that had gone on already
            state.frames[state.scopes[key].frame].alive -= 1
        state.scopes.pop(key, None)
    for name, into in event.frames:
        frame = state.frames.pop(name)
        state.ending.pop(name, None)
        undo = state.frames[into].undo
        undo.extend(frame.undo)
        if frame.undoing is not None:  # it was not finished: it is undone again from there
            undo.append(frame.undoing[1])
        undo.sort(key=lambda one: one.seq)
        if (scope := state.scopes.get(split_frame(name)[0])) is not None:
            scope.open -= 1
    for name, join in event.joins:
        frame = state.frames[name]
        for link in frame.arrived.pop(join, []):
            frame.queued.pop(link, None)
    for name, owing in event.owed:
        state.frames[name].owed.pop(owing, None)
    for name in state.frames:
        _mark(state, name)
    _rest(state)


def _on_undo_begun(state: RunState, event: ev.UndoBegun) -> None:
    state.frames[event.frame].why = event.why
    _mark(state, event.frame)


def _on_undo_started(state: RunState, event: ev.UndoStarted) -> None:
    frame = state.frames[event.frame]
    done = frame.undo.pop()
    key = (event.step, event.visit)
    frame.undoing = (key, done)
    _begin(state, event.frame, *key)
    _rest(state)


def _on_responded(state: RunState, event: ev.Responded) -> None:
    state.responded = state.responded or event.delivered


# What each event does to the state. An ignored outcome is only counted.
_FOLDS: Mapping[type[ev.Event], Callable[[RunState, Any], None]] = {
    ev.RunReplayed: _on_run_replayed,
    ev.RunStarted: _on_run_started,
    ev.TimeSkipped: _on_time_skipped,
    ev.StepStarted: _on_step_started,
    ev.StepCompleted: _on_step_completed,
    ev.StepFailed: _on_step_failed,
    ev.StepRetried: _on_step_retried,
    ev.StepAttempted: _on_step_attempted,
    ev.StepHeld: _on_step_held,
    ev.StepRepeated: _on_step_repeated,
    ev.StepBlocked: _on_step_blocked,
    ev.StepUnblocked: _on_step_unblocked,
    ev.ScopeOpened: _on_scope_opened,
    ev.ItemsBegun: _on_items_begun,
    ev.ItemEnded: _on_item_ended,
    ev.ItemsAdded: _on_items_added,
    ev.ItemsRepeated: _on_items_repeated,
    ev.ScopeClosing: _on_scope_closing,
    ev.WorkWithdrawn: _on_work_withdrawn,
    ev.UndoBegun: _on_undo_begun,
    ev.UndoStarted: _on_undo_started,
    ev.OutcomeIgnored: lambda _state, _event: None,
    ev.Responded: _on_responded,
    ev.RunPaused: lambda state, _event: _become(state, RunStatus.PAUSED),
    ev.RunResumed: lambda state, _event: _become(state, _resting(state)),
    ev.RunCancelling: lambda state, _event: _become(state, RunStatus.CANCELLING),
    ev.RunCompleted: lambda state, _event: _end(state, RunStatus.COMPLETED),
    ev.RunFailed: lambda state, _event: _end(state, RunStatus.FAILED),
    ev.RunCancelled: lambda state, _event: _end(state, RunStatus.CANCELLED),
}


def _rest(state: RunState) -> None:
    """Running or waiting, by what is active; a paused, cancelling or ended run stays so."""
    held = {RunStatus.PAUSED, RunStatus.CANCELLING}
    if state.status not in held and not state.is_final:
        _become(state, _resting(state))


def _resting(state: RunState) -> RunStatus:
    """Running while anything executes, else waiting (engine rule 26)."""
    if not state.started:
        return RunStatus.QUEUED
    if state.root.why is not None and state.root.why["kind"] == "cancelled":
        return RunStatus.CANCELLING
    if not state.active or state.ending or state.collectable:
        return RunStatus.RUNNING
    executing = any(status in _EXECUTING for status in state.active.values())
    return RunStatus.RUNNING if executing else RunStatus.WAITING


def _become(state: RunState, status: RunStatus) -> None:
    if status is not state.status:
        state.status = move(RUN_TRANSITIONS, state.status, status)


def _end(state: RunState, status: RunStatus) -> None:
    _become(state, status)
    root = state.root
    state.active.clear()
    state.placed.clear()
    state.scopes.clear()
    state.ending.clear()
    state.held.clear()
    state.generations.clear()
    state.frames = {ROOT: Frame(root.outputs, root.errors, activated=root.activated)}


def _shift(state: RunState, step: str, visit: int, after: StepStatus) -> None:
    key = (step, visit)
    state.active[key] = move(STEP_TRANSITIONS, state.active[key], after)


def _begin(state: RunState, frame: str, step: str, visit: int) -> None:
    state.visits[step] = visit
    state.active[step, visit] = StepStatus.READY
    if frame:
        state.placed[step, visit] = frame
    here = state.frames[frame]
    here.activated += 1
    here.alive += 1


def _close(state: RunState, key: Key, frame: str, after: StepStatus) -> None:
    before = state.active.pop(key, None)
    here = state.frames[frame]
    if before is None:  # a join has no visit before it fires
        state.visits[key[0]] = key[1]
        here.activated += 1
        return
    move(STEP_TRANSITIONS, before, after)
    state.placed.pop(key, None)
    state.held.pop(key, None)
    state.generations.pop(key, None)
    scope = state.scopes.get(key)
    if scope is not None and not scope.is_over and after is StepStatus.COMPLETED:
        scope.is_gone = True  # what still runs in it keeps the frame around it alive
        return
    if scope is not None and after is not StepStatus.CANCELLED:
        del state.scopes[key]
    here.alive -= 1


def _leave(state: RunState, key: Key) -> None:
    """The last item of a scope that has gone on is over."""
    scope = state.scopes.pop(key)
    state.frames[scope.frame].alive -= 1
    _mark(state, scope.frame)


def _take(frame: Frame, step: str, took: tuple[int, ...], owes: tuple[int, ...]) -> None:
    for link in took:
        frame.queued[link] -= 1
        if not frame.queued[link]:
            del frame.queued[link]
        frame.arrived[step].remove(link)
    if took and not frame.arrived[step]:
        # As in a snapshot, which leaves it out: of several joins the first in order goes on.
        del frame.arrived[step]
    for link in owes:
        frame.owed[link] = frame.owed.get(link, 0) + 1


def _arrive(state: RunState, name: str, arrivals: tuple[ev.Arrival, ...]) -> None:
    frame = state.frames[name]
    for link, step, visit in ((one.link, one.step, one.visit) for one in arrivals):
        if visit == -1:
            frame.owed[link] -= 1
        elif visit == 0:
            frame.queued[link] = frame.queued.get(link, 0) + 1
            frame.arrived.setdefault(step, []).append(link)
        else:
            _begin(state, name, step, visit)


def _settle(state: RunState, name: str) -> None:
    _mark(state, name)
    _rest(state)


def _mark(state: RunState, name: str) -> None:
    """Note whether a frame is empty, so that its result is due."""
    if name == ROOT or name not in state.frames:
        return
    if state.frames[name].is_empty:
        state.ending[name] = None
    else:
        state.ending.pop(name, None)


def _add_to(ranges: list[list[int]], index: int) -> None:
    """Add a number to sorted ranges ``[first, count]``."""
    for at, (first, count) in enumerate(ranges):
        if index == first + count:
            ranges[at][1] += 1
            if at + 1 < len(ranges) and ranges[at + 1][0] == index + 1:
                ranges[at][1] += ranges.pop(at + 1)[1]
            return
        if index == first - 1:
            ranges[at] = [index, count + 1]
            return
        if index < first:
            ranges.insert(at, [index, 1])
            return
    ranges.append([index, 1])
