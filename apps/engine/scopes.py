"""Steps that contain steps: their items, their end, and undoing what was done in them.

Each item of a scope is a frame of its own. A frame ends when nothing is left in it, or is
unwound when something in it fails for good: what is still at work is withdrawn, what can be
undone is undone, the last first, and then the frame is over.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from apps.engine import commands as cmd
from apps.engine import events as ev
from apps.engine.graph import BODY, Behaviour
from apps.engine.lifecycle import RunStatus
from apps.engine.state import ROOT, Key, RunState, frame_name, split_frame
from apps.engine.values import Value

if TYPE_CHECKING:
    from apps.engine.run import Decision

Why = Mapping[str, Any]


def open_scope(decision: "Decision", command: cmd.OpenScope) -> None:
    """Begin the first items of a scope."""
    decision.add(
        ev.ScopeOpened(
            command.step,
            command.visit,
            command.kind,
            command.count,
            command.input,
            command.parallel,
            command.needs,
            command.tolerance,
            command.rest,
            command.rounds,
        )
    )
    go_on(decision, (command.step, command.visit))


def end_item(decision: "Decision", command: cmd.EndItem | cmd.FailItem) -> None:
    """An item in which nothing was left has its result, or none can be told."""
    key, index = split_frame(command.frame)
    match command:
        case cmd.EndItem(_, output, more, is_enough):
            _item_over(decision, ev.ItemEnded(*key, index, "completed", output, more=more))
            scope = decision.state.scopes.get(key)
            if is_enough and scope is not None and scope.then is None and not scope.is_gone:
                close(decision, key, {"kind": "collect"})
        case cmd.FailItem(frame, error):
            unwind(decision, frame, {"kind": "failed", "error": error.as_json()})


def add_items(decision: "Decision", command: cmd.AddItems) -> None:
    """More items for the nearest open scope of that name, around the step or beside it."""
    own = (command.step, command.visit)
    key = receiver(decision.state, own, command.to)
    if key is None:
        decision.fail(*own, not_open(command.step, command.to))
        return
    decision.add(ev.ItemsAdded(*key, command.items))
    added: Value = {"added": len(command.items)}
    decision.complete(*own, ("done",), added)
    go_on(decision, key)


def receiver(state: RunState, own: Key, to: str) -> Key | None:
    """The open scope of that name to which a visit adds items: the nearest it can see."""
    around = state.chain(state.frame_of(own))
    for key, scope in reversed(state.scopes.items()):
        takes = scope.then is None and not scope.is_gone
        if key[0] == to and scope.frame in around and takes:
            return key
    return None


def not_open(step: str, to: str) -> ev.Error:
    """Why nothing can be added."""
    message = f"“{to}” is not at work, so nothing can be added to it."
    return ev.Error(step, "permanent", "not_open", message)


def withdraw(decision: "Decision", command: cmd.Withdraw) -> None:
    """Withdraw the work of the named steps, wherever the canceller can see it."""
    state = decision.state
    own = (command.step, command.visit)
    here = state.frame_of(own)
    above = state.chain(here)
    seen = [name for name in state.frames if name in above or here in state.chain(name)]
    under_way = [state.frames[frame].undoing for frame in seen]
    undoing = {one[0] for one in under_way if one is not None}
    keys = [
        key
        for key in state.active
        if key[0] in command.steps
        and state.frame_of(key) in seen
        and key != own
        and key not in undoing  # what was done must be undone, whoever wants otherwise
    ]
    waiting = [
        (frame, step)
        for frame in seen
        for step, links in state.frames[frame].arrived.items()
        if links and step in command.steps
    ]
    count = len(keys) + len(waiting)
    if command.completes:
        closing = [key for key in keys if key in state.scopes]
        keys = [key for key in keys if key not in state.scopes]
        for key in closing:
            if key in state.scopes and state.scopes[key].then is None:
                close(decision, key, {"kind": "collect"}, cancels=True)
    keys = [key for key in keys if key in state.active]
    waiting = [
        (frame, step)
        for frame, step in waiting
        if frame in state.frames and state.frames[frame].arrived.get(step)
    ]
    touched = withdraw_work(decision, command.step, keys, waiting)
    if own in state.active:
        decision.complete(*own, ("done",), {"withdrawn": count})
    for frame in touched:
        decision.settle(frame)


def withdraw_work(
    decision: "Decision", step: str, keys: Iterable[Key], joins: Iterable[tuple[str, str]]
) -> list[str]:
    """Take visits and tokens away; returns the frames that lost some, to be settled.

    A scope in which something can be undone closes first.
    """
    state = decision.state
    plain: list[Key] = []
    for key in keys:
        if key in state.scopes and any(map(state.can_undo, state.inside(key))):
            if state.scopes[key].then is None:
                close(decision, key, {"kind": "withdrawn"})
        else:
            plain.append(key)
    touched = [*(state.frame_of(key) for key in plain), *(frame for frame, _ in joins)]
    _withdraw(decision, _Gone(step, [key for key in plain if key in state.active], list(joins)))
    return list(dict.fromkeys(touched))


def close(decision: "Decision", key: Key, then: Why, *, cancels: bool = False) -> None:
    """No further item begins; those at work are withdrawn, unless they may finish.

    ``cancels``: they may not, whatever the scope itself says.
    """
    state = decision.state
    keeps = then["kind"] == "collect" and state.scopes[key].rest == "finish" and not cancels
    if cancels:
        then = {**then, "cancels": True}
    elif _resorts(decision, key, then):
        then = {**then, "resorts": True}
    decision.add(ev.ScopeClosing(*key, then))
    if not keeps:
        prefix = f"{key[0]}:{key[1]}:"
        for frame in [name for name in state.frames if name.startswith(prefix)]:
            unwind(decision, frame, {"kind": "closing"})
    go_on(decision, key)


def repeat(decision: "Decision", key: Key, by: str) -> None:
    """Do a held visit again, as a person ordered.

    Of a list, or of rounds, what was done stays done; what failed, was withdrawn or had not begun
    is done again. A block is undone when it fails, and done again from its start.
    """
    state = decision.state
    generation = state.generations.get(key, 1) + 1
    scope = state.scopes.get(key)
    ranges: list[tuple[int, int]] = []
    total = 0
    if scope is not None and scope.kind != "block":
        ranges = sorted((first, count) for first, count in scope.failures + scope.dropped)
        total = scope.total + scope.left if ranges or scope.left else 0
    decision.add(ev.StepRepeated(*key, generation, by, tuple(ranges), total))
    if total:
        go_on(decision, key)


def is_decided(state: RunState, key: Key) -> bool:
    """Whether a scope is closing, or will be once its one item is undone."""
    scope = state.scopes[key]
    if scope.then is not None or scope.kind == "each":
        return scope.then is not None
    prefix = f"{key[0]}:{key[1]}:"
    return any(name.startswith(prefix) and one.why for name, one in state.frames.items())


def unwind(decision: "Decision", frame: str, why: Why) -> None:
    """End a frame before its time: withdraw, undo, and then what ``why`` says."""
    state = decision.state
    if state.is_final or frame not in state.frames or state.frames[frame].why is not None:
        return
    below = [name for name in state.frames if name != frame and frame in state.chain(name)]
    can_undo = any(map(state.can_undo, (frame, *below)))
    if frame == ROOT and not can_undo:
        _end_run(decision, why)
        return
    inside = {frame, *below}
    keys = [key for key in state.active if state.frame_of(key) in inside]
    keys += [key for key, scope in state.scopes.items() if scope.is_gone and scope.frame in inside]
    here = state.frames[frame]
    joins = [(frame, step) for step, links in here.arrived.items() if links]
    if frame == ROOT and why["kind"] == "cancelled":
        decision.add(ev.RunCancelling(why["by"], why["reason"]))
    _withdraw(decision, _Gone("", keys, joins, tuple(below), frame))
    if can_undo:
        decision.add(ev.UndoBegun(frame, why))
        undo_next(decision, frame)
    else:
        _frame_over(decision, frame, why)


def undo_next(decision: "Decision", frame: str) -> None:
    """Begin to undo the latest thing done in a frame, or end the frame when all is undone."""
    state = decision.state
    here = state.frames[frame]
    if here.undoing is not None or here.alive or state.status is RunStatus.PAUSED:
        return
    if not here.undo:
        _frame_over(decision, frame, here.why or {})
        return
    done = here.undo[-1]
    step = decision.graph.steps[done.step].undo
    visit = state.visits.get(step, 0) + 1
    decision.add(ev.UndoStarted(step, visit, frame, done.step, done.visit))


def go_on(decision: "Decision", key: Key) -> None:
    """See to a scope once this command's other consequences are known.

    One after another, never one inside another: an item that is over at once makes room for the
    next, thousands of times.
    """
    decision.scopes_due.append(key)


def see_to(decision: "Decision", key: Key) -> None:
    """What follows for a scope: further items, another round, its failure, or the next step."""
    state = decision.state
    scope = state.scopes.get(key)
    if scope is None or state.is_final or state.status is RunStatus.PAUSED:
        return
    if scope.then is not None:
        if not scope.open and scope.then["kind"] != "collect":
            if "resorts" not in scope.then:
                _conclude(decision, key, scope.then)
            return
    elif (verdict := _verdict(decision, key)) is not None:
        close(decision, key, verdict)
        return
    elif scope.is_over and scope.failures and scope.round < scope.rounds:
        ranges = tuple((first, count) for first, count in scope.failures)
        decision.add(ev.ItemsRepeated(*key, ranges))
    _begin_items(decision, key)


def _verdict(decision: "Decision", key: Key) -> Why | None:
    """Whether a scope is decided before all of its items are through."""
    scope = decision.state.scopes[key]
    is_last = scope.round >= scope.rounds
    if scope.failed and is_last and scope.tolerance and scope.failed >= scope.tolerance:
        error = _items_failed(decision, key)
        return {"kind": "failed", "error": error.as_json()}
    if scope.needs and scope.succeeded >= scope.needs:
        return {"kind": "collect"}
    if scope.is_over and is_last and scope.succeeded < scope.needs:
        message = (
            f"{scope.succeeded} of {scope.total} items of “{key[0]}” went well;"
            f" {scope.needs} were needed."
        )
        error = ev.Error(key[0], "permanent", "not_enough", message)
        return {"kind": "failed", "error": error.as_json()}
    return None


def _resorts(decision: "Decision", key: Key, then: Why) -> bool:
    """Whether a scope that ends so does not just fail: the shell says what follows."""
    if then["kind"] == "expired" and decision.graph.from_port(key[0], "timeout"):
        return False
    return "error" in then and decision.graph.steps[key[0]].resorts


def _begin_items(decision: "Decision", key: Key) -> None:
    """As many as there is room for; items that are tried again stand in several ranges."""
    while (scope := decision.state.scopes.get(key)) is not None:
        count = min(scope.parallel - scope.open, scope.more)
        if count <= 0:
            return
        _begin_range(decision, key, scope.following, count)


def _begin_range(decision: "Decision", key: Key, first: int, count: int) -> None:
    visits = decision.state.visits
    seen: dict[str, int] = {}
    arrivals = []
    for link in decision.graph.from_port(key[0], BODY) * count:
        target = link.target
        if decision.graph.steps[target].behaviour is Behaviour.JOIN:
            arrivals.append(ev.Arrival(link.index, target, 0))
        else:
            seen[target] = seen.get(target, visits.get(target, 0)) + 1
            arrivals.append(ev.Arrival(link.index, target, seen[target]))
    decision.add(ev.ItemsBegun(*key, first, count, tuple(arrivals)))
    for index in range(first, first + count):
        decision.settle(frame_name(key, index))


def _conclude(decision: "Decision", key: Key, then: Why) -> None:
    """All items of a closing scope are gone."""
    match then["kind"]:
        case "failed":
            decision.fail(*key, ev.Error.from_json(then["error"]))
        case "expired":
            decision.expire(*key, ev.Error.from_json(then["error"]))
        case _:
            frame = decision.state.scopes[key].frame
            _withdraw(decision, _Gone(key[0], [key], []))
            decision.settle(frame)


def _frame_over(decision: "Decision", frame: str, why: Why) -> None:
    if frame == ROOT:
        _end_run(decision, why)
        return
    key, index = split_frame(frame)
    if why["kind"] == "failed":
        reason = _error_of(why).as_json()
        _item_over(decision, ev.ItemEnded(*key, index, "failed", None, reason=reason))
    else:
        _item_over(decision, ev.ItemEnded(*key, index, "withdrawn", None))


def _item_over(decision: "Decision", ended: ev.ItemEnded) -> None:
    key = (ended.step, ended.visit)
    around = decision.state.scopes[key].frame
    decision.add(ended)
    if key in decision.state.scopes:
        go_on(decision, key)
    else:
        decision.settle(around)


def _end_run(decision: "Decision", why: Why) -> None:
    if why["kind"] == "cancelled":
        decision.add(ev.RunCancelled(why["by"], why["reason"]))
        return
    decision.add(ev.RunFailed(_error_of(why)))


def _error_of(why: Why) -> ev.Error:
    """Why it failed, and what could not be undone then."""
    error = ev.Error.from_json(why["error"])
    message = error.message
    for one in why.get("not_undone", ()):
        left = ev.Error.from_json(one)
        message += f" “{left.step}” could not undo what was done: {left.message}"
    return ev.Error(error.step, error.error_class, error.code, message)


@dataclass(frozen=True, slots=True)
class _Gone:
    """What is taken away: by which step, which visits, tokens at joins, and whole frames.

    The undo lists of ``frames`` go to ``into``.
    """

    step: str
    keys: list[Key]
    joins: list[tuple[str, str]]
    frames: tuple[str, ...] = ()
    into: str = ROOT


def _withdraw(decision: "Decision", gone: _Gone) -> None:
    """Take it away, with everything inside."""
    state = decision.state
    frames = dict.fromkeys(gone.frames, gone.into)
    visits = dict.fromkeys(gone.keys)
    for key in gone.keys:
        if key in state.scopes:
            around = state.scopes[key].frame
            for name in state.inside(key):
                frames.setdefault(name, around)
    if frames:
        for key in state.active:
            if state.frame_of(key) in frames:
                visits[key] = None
        for key, scope in state.scopes.items():
            if scope.is_gone and scope.frame in frames:
                visits[key] = None
    joins = [(frame, join) for frame, join in gone.joins if frame not in frames]
    owed = [
        (frame, link.index)
        for frame, join in joins
        for link in decision.graph.arriving.get(join, ())
        if state.frames[frame].owed.get(link.index)
    ]
    if visits or frames or joins:
        inner_first = sorted(frames, key=lambda name: -len(state.chain(name)))
        decision.add(
            ev.WorkWithdrawn(
                gone.step,
                tuple(visits),
                tuple((name, frames[name]) for name in inner_first),
                tuple(joins),
                tuple(owed),
            )
        )


def _items_failed(decision: "Decision", key: Key) -> ev.Error:
    """The error of a scope whose items failed: that of the step inside where there is but one."""
    scope = decision.state.scopes[key]
    cause = ev.Error.from_json(scope.cause) if scope.cause else None
    if scope.kind != "each" and cause is not None:
        return cause
    numbers = [first + at for first, count in scope.failures for at in range(count)][:5]
    shown = ", ".join(str(one + 1) for one in numbers)
    noun = "item" if scope.failed == 1 else "items"
    message = f"{scope.failed} {noun} of “{key[0]}” failed (number {shown})."
    if cause is not None:
        message = f"{message} {cause.message}"
    return ev.Error(key[0], "permanent", "items_failed", message)
