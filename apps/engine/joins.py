"""Where ways meet: when a join fires, what it takes, what it swallows (engine rule 24)."""

from typing import TYPE_CHECKING

from apps.engine import events as ev
from apps.engine import scopes
from apps.engine.graph import Graph, JoinRule
from apps.engine.state import Frame, RunState
from apps.engine.values import Value

if TYPE_CHECKING:
    from apps.engine.run import Decision


def due(graph: Graph, state: RunState, frame: str) -> str | None:
    """The join of a frame that fires now, if one does.

    Joins that wait for active ways can wait for each other; where nothing else is left in the
    frame, the first of them goes on.
    """
    here = state.frames[frame]
    waiting: list[str] = []
    for step, links in here.arrived.items():
        if not links:
            continue
        rule = graph.steps[step].join
        if rule.waits_for_active:
            if not _can_still_come(graph, state, frame, step):
                return step
            waiting.append(step)
        elif _has_enough(graph, here, step, links, rule):
            return step
    return waiting[0] if waiting and not here.alive else None


def fire(decision: "Decision", frame: str, step: str) -> None:
    """Take the tokens of one round, and go on with one."""
    graph, state = decision.graph, decision.state
    here = state.frames[frame]
    rule = graph.steps[step].join
    arriving = graph.arriving[step]
    arrived = list(dict.fromkeys(here.arrived[step]))
    rest: list[int] = []
    if rule.counts_tokens:
        order = here.arrived[step][: rule.needs]
    elif rule.waits_for_active:
        order = arrived
    else:
        order, rest = arrived[: _needs(graph, step)], arrived[_needs(graph, step) :]
    owes: tuple[int, ...] = ()
    if rule.needs and not (rule.counts_tokens or rule.waits_for_active or rule.cancels_rest):
        # Of the rest of the round, what is here already goes now, the others as they come.
        owes = tuple(link.index for link in arriving if link.index not in arrived)
    sources = {link.index: link.source for link in arriving}
    output: Value = {"links": [sources[index] for index in order]}
    visit = state.visits.get(step, 0) + 1
    if rule.cancels_rest:
        _cancel_rest(decision, frame, step)
    decision.add(
        ev.StepCompleted(
            step,
            visit,
            "done",
            output,
            decision.arrivals(frame, step, "done", owes=owes),
            took=(*order, *rest),
            owes=owes,
            frame=frame,
        )
    )


def starved(graph: Graph, frame: Frame) -> ev.Error:
    """Why a frame in which only joins are left cannot go on."""
    missing: list[str] = []
    step = ""
    for join, links in frame.arrived.items():
        if links:
            step = step or join
            missing += [
                f"{link.source} ({link.port})"
                for link in graph.arriving[join]
                if link.index not in links
            ]
    message = f"“{step}” still waits for {', '.join(missing)}, and nothing can come any more."
    if not missing:
        message = f"“{step}” still waits for more to come its way, and nothing can any more."
    return ev.Error(step, "permanent", "starved_join", message)


def _has_enough(graph: Graph, here: Frame, step: str, links: list[int], rule: JoinRule) -> bool:
    if rule.counts_tokens:
        return len(links) >= rule.needs
    if rule.is_blocking and any(here.owed.get(link.index) for link in graph.arriving[step]):
        return False
    return len(set(links)) >= _needs(graph, step)


def _needs(graph: Graph, step: str) -> int:
    return graph.steps[step].join.needs or len(graph.arriving[step])


def _can_still_come(graph: Graph, state: RunState, frame: str, join: str) -> bool:
    """Whether a token can reach a link of the join that has none yet.

    Tokens that wait at another join count as being there.
    """
    here = state.frames[frame]
    places = {key[0] for key in state.active if state.frame_of(key) == frame}
    places |= {key[0] for key, scope in state.scopes.items() if scope.frame == frame}
    places |= {other for other, links in here.arrived.items() if links and other != join}
    return any(
        places & graph.upstream(join, link.index)
        for link in graph.arriving[join]
        if link.index not in here.arrived[join]
    )


def _cancel_rest(decision: "Decision", frame: str, join: str) -> None:
    """Withdraw what is still on its way to a join that has fired."""
    graph, state = decision.graph, decision.state
    before: set[str] = set()
    for link in graph.arriving[join]:
        before |= graph.upstream(join, link.index)
    keys = [key for key in state.active if key[0] in before and state.frame_of(key) == frame]
    others = [
        step
        for step, links in state.frames[frame].arrived.items()
        if links and step in before and step != join
    ]
    if keys or others:
        scopes.withdraw_work(decision, join, keys, [(frame, step) for step in others])
