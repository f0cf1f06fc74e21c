"""Judge the links of a flow document, and the graph that they make."""

from collections.abc import Iterator, Mapping
from typing import Any

from apps.engine.exploring import Verdict, Way, explore
from apps.engine.feel.errors import nearest
from apps.engine.graph import (
    TRIGGER,
    TRIGGER_PORT,
    Behaviour,
    Graph,
    GraphStep,
    JoinRule,
    Link,
)
from apps.engine.soundness import ERROR_PORT, Soundness, Starving
from apps.steps.containers import around
from apps.steps.fields import join_rule
from apps.steps.findings import (
    Finding,
    Repair,
    Severity,
    added,
    at,
    pointer,
    removed,
    replaced,
)
from apps.steps.reads import KnownStep
from apps.steps.registry import StepType
from apps.steps.texts import did_you_mean, found, one_line, shown

MAX_LINKS = 10_000
#: Where a step's first way out is this one, a link that names none leaves by it.
ORDINARY_PORT = "done"

Steps = Mapping[str, KnownStep]


def read_links(document: Mapping[str, Any], steps: Steps) -> tuple[list[Finding], list[Link]]:
    """The findings about the links, and those whose both ends are there, each once."""
    links = document.get("links", [])
    if not isinstance(links, list):
        message = f"“links” must be a list; it is {found(links)}."
        return [Finding("bad_document", "error", message, 'Write "links": [].', path="/links")], []
    if len(links) > MAX_LINKS:
        message = f"The flow has {len(links):,} links; at most {MAX_LINKS:,} are allowed."
        fix = "Split it into several flows."
        return [Finding("too_many_links", "error", message, fix, path="/links")], []
    findings: list[Finding] = []
    good: dict[tuple[str, str, str], Link] = {}
    for index, one in enumerate(links):
        wrong, link = _read_link(steps, index, one)
        findings += wrong
        if (
            link is not None
            and good.setdefault((link.source, link.port, link.target), link) is not link
        ):
            message = f"{_between(steps, link)} is there twice."
            fix = "Take one of them out."
            path = pointer(("links", index))
            repair = Repair("Take one of them out", removed(path))
            findings.append(
                Finding("duplicate_link", "error", message, fix, link.source, path, repair=repair)
            )
    return findings, list(good.values())


def graph_of(steps: Steps, links: list[Link]) -> Graph:
    """The graph as far as it can be drawn; a link by a port that is not there still leads on."""
    return Graph(steps={step.id: _graph_step(step) for step in steps.values()}, links=tuple(links))


def graph_findings(soundness: Soundness, steps: Steps) -> Iterator[Finding]:
    """What is never reached, never ends, leads nowhere or starves."""
    graph = soundness.graph
    if steps and not graph.from_port(TRIGGER, TRIGGER_PORT):
        message = "Nothing is linked to the trigger, so a run would do nothing."
        fix = "Link the trigger to the first step."
        yield Finding("no_trigger_link", "error", message, fix, TRIGGER, "/links")
        return
    for step in steps.values():
        if step.id not in soundness.reached:
            if _stands_in_unreached(step.id, soundness):
                continue  # its container is said, and nothing inside can be told before that
            message = f"No way leads from the trigger to “{step.title}”."
            fix = "Link a step to it, or take it out."
            yield Finding("unreachable", "error", message, fix, step.id, _at(step.id))
        elif step.type is not None:
            yield from _unlinked(step, step.type, graph)
            yield from _not_back(step, soundness, steps)
    for loop in soundness.traps:
        if _is_ended_from_outside(loop, steps):
            continue
        way = " → ".join(f"“{steps[one].title}”" for one in (*loop[:6], loop[0]))
        yield Finding(
            "no_way_out",
            "error",
            f"Once a run comes to {way}, it never ends.",
            "Add a way out of the loop, such as a decide with a branch that leads on.",
            loop[0],
            _at(loop[0]),
        )
    verdicts = explore(graph) if all(step.type is not None for step in steps.values()) else {}
    for one in soundness.starving:
        if graph.steps[one.join].scope not in verdicts:
            message, fix = _starving_words(one, steps)
            code, severity = _STARVING[one.certain]
            yield Finding(code, severity, message, fix, one.join, _at(one.join))
    for verdict in verdicts.values():
        yield from _played(verdict, steps, {one.join: one for one in soundness.starving})


def _stands_in_unreached(step: str, soundness: Soundness) -> bool:
    """Whether a container around the step is itself never reached."""
    around, steps = soundness.graph.steps[step].scope, soundness.graph.steps
    seen: set[str] = set()
    while around in steps and around not in seen:
        if around not in soundness.reached:
            return True
        seen.add(around)
        around = steps[around].scope
    return False


def _is_ended_from_outside(loop: tuple[str, ...], steps: Steps) -> bool:
    """Whether something withdraws a loop: a cancel that names it, or a time limit around it."""
    whole = {*loop, *around(loop[0], steps)}
    limited = any(name in steps and steps[name].fields.time_limit for name in whole - set(loop))
    return limited or any(
        step.type is not None
        and step.type.kind == "cancel"
        and step.id not in loop
        and not whole.isdisjoint(_names(step.config.get("steps")))
        for step in steps.values()
    )


def _names(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _played(verdict: Verdict, steps: Steps, starving: Mapping[str, Starving]) -> Iterator[Finding]:
    """What playing the flow through has shown, each with the way there."""
    if verdict.starving is not None:
        join, message, way = verdict.starving
        code, severity = _STARVING[verdict.always]
        fix = "Lead every way to the join or to a stop, or let the join go on with fewer."
        if join in starving:
            message, fix = _starving_words(starving[join], steps)
        elif way:
            message = f"{_told(way, steps)}: {message}"
        yield Finding(code, severity, message, fix, join, _at(join), way=way)
    if verdict.leftover is not None:
        end, others, way = verdict.leftover
        names = " and ".join(f"“{steps[one].title}”" for one in others[:3])
        yield Finding(
            "leftover_token",
            "warning",
            f"“{steps[end].title}” ends the run, while {names} may still be at work.",
            "Join the ways first, or leave the way out without a link: it then ends only itself.",
            end,
            _at(end),
            way=way,
        )
    if verdict.unbounded is not None:
        step, way = verdict.unbounded
        yield Finding(
            "unbounded_loop",
            "error",
            f"Each time round its loop, “{steps[step].title}” is started once more.",
            "Join the ways inside the loop before it leads back.",
            step,
            _at(step),
            way=way,
        )


def _told(way: Way, steps: Steps) -> str:
    said = [f"“{steps[step].title}” leaves by “{one_line(port)}”" for step, port in way[-4:]]
    return "When " + ", then ".join(said)


def _read_link(steps: Steps, index: int, link: object) -> tuple[list[Finding], Link | None]:
    path = ("links", index)
    if not isinstance(link, Mapping):
        message = f"Link {index + 1} must have named fields; it is {found(link)}."
        fix = 'Write it as {"from": "trigger", "to": "a_step"}.'
        return [Finding("bad_link", "error", message, fix, path=pointer(path))], None
    source, target = link.get("from"), link.get("to")
    findings = [
        _no_such_end(steps, index, name, end)
        for name, end in (("from", source), ("to", target))
        if not _is_end(steps, end)
    ]
    if findings or not isinstance(source, str) or not isinstance(target, str):
        return findings, None
    if target == TRIGGER:
        message = f"A link leads from “{_title(steps, source)}” into the trigger."
        fix = "Link to the first step instead; a trigger only starts runs."
        step = source if source != TRIGGER else None
        to = pointer((*path, "to"))
        repair = Repair("Take the link out", removed(pointer(path)))
        return [Finding("link_into_trigger", "error", message, fix, step, to, repair=repair)], None
    named = link.get("port")
    if named is not None and not isinstance(named, str):
        message = f"The way out of link {index + 1} must be text; it is {found(named)}."
        fix = "Name a way out."
        return [_bad_port(index, source, code="bad_link", message=message, fix=fix)], None
    port, wrong = _port(steps, source, named or "")
    ports = steps[source].ports if source in steps else ()
    return [
        _bad_port(
            *(index, source),
            code=code,
            message=message,
            fix=fix,
            near=nearest(named or "", ports) if code == "unknown_port" else None,
        )
        for code, message, fix in wrong
    ], Link(index, source, port, target)


def _port(steps: Steps, source: str, named: str) -> tuple[str, list[tuple[str, str, str]]]:
    """The port by which a link leaves, and what is wrong with it: code, message, fix."""
    if source == TRIGGER:
        if named in ("", TRIGGER_PORT):
            return TRIGGER_PORT, []
        message = f"The trigger has no way out “{one_line(named)}”."
        fix = "Leave the way out away: a trigger has only one."
        return TRIGGER_PORT, [("unknown_port", message, fix)]
    step = steps[source]
    if step.type is None:
        return named, []
    ports = step.ports
    listed = ", ".join(f"“{one_line(port, 30)}”" for port in ports[:6])
    if not ports:
        if step.type.behaviour is not Behaviour.END:
            return named, []  # the config names no way out yet, which is a finding of its own
        message = f"“{step.title}” ends the run, so nothing can follow it."
        return named, [("no_ports", message, "Take the link out.")]
    if not named and (len(ports) == 1 or ports[0] == ORDINARY_PORT):
        return ports[0], []
    if not named:
        message = f"A link from “{step.title}” does not say by which way out it leaves."
        return named, [("port_missing", message, f"Name one of {listed}.")]
    if named not in ports:
        message = f"“{step.title}” has no way out “{one_line(named)}”."
        fix = did_you_mean(named, ports) or f"Use one of {listed}."
        return named, [("unknown_port", message, fix)]
    return named, []


def _bad_port(
    index: int, source: str, *, code: str, message: str, fix: str, near: str | None = None
) -> Finding:
    place = pointer(("links", index, "port"))
    repair = None
    if code == "no_ports":
        repair = Repair("Take the link out", removed(pointer(("links", index))))
    elif code == "unknown_port" and source == TRIGGER:
        repair = Repair("Leave the way out away", removed(place))
    elif near:
        repair = Repair(f"Use the way out “{one_line(near, 30)}”", replaced(place, near))
    return Finding(code, "error", message, fix, source, place, repair=repair)


def _is_end(steps: Steps, end: object) -> bool:
    return isinstance(end, str) and (end == TRIGGER or end in steps)


def _no_such_end(steps: Steps, index: int, name: str, end: object) -> Finding:
    what = "leads to" if name == "to" else "comes from"
    missing = f"no step “{shown(end)}”" if isinstance(end, str) else f"{found(end)}, not a step"
    return Finding(
        "unknown_step",
        "error",
        f"Link {index + 1} {what} {missing}.",
        did_you_mean(end, steps) or "Take the link out, or link it to a step.",
        path=pointer(("links", index, name)),
        repair=Repair("Take the link out", removed(pointer(("links", index)))),
    )


def _graph_step(step: KnownStep) -> GraphStep:
    if step.type is None:
        return GraphStep(step.id, Behaviour.PURE, ("",))
    fields = step.fields
    return GraphStep(
        step.id,
        step.type.behaviour,
        step.ports,
        join=join_rule(step.config) if step.type.behaviour is Behaviour.JOIN else JoinRule(),
        fails_unlinked=step.type.fails_unlinked,
        scope=fields.scope or "",
        undo=fields.undo or "",
        lock=fields.lock or "",
        takes_many=step.type.takes_many,
        moves_tokens=step.type.moves_tokens,
    )


def _unlinked(step: KnownStep, type_: StepType, graph: Graph) -> Iterator[Finding]:
    if step.id in graph.compensations:
        return  # it runs by itself, and nothing follows it
    for port in step.ports:
        if graph.from_port(step.id, port):
            continue
        if port == ERROR_PORT and type_.behaviour is Behaviour.EFFECT:
            if step.fields.on_error is None or step.fields.on_error.then == "path":
                yield _no_failure_lane(step)
            continue
        sends_back = port in _sent_back(step.config)
        matters = sends_back or port in type_.must_link or port in type_.fails_unlinked
        if step.fields.scope is not None and not matters:
            continue  # an item ends where nothing follows
        severity: Severity = "error" if sends_back or port in type_.must_link else "warning"
        then = "the run fails" if port in type_.fails_unlinked else "this way ends there"
        yield Finding(
            "unlinked_port",
            severity,
            f"Nothing is linked to the way out “{one_line(port)}” of “{step.title}”; {then}.",
            "Link it to the step that comes next, or to a stop.",
            step.id,
            _at(step.id),
        )


def _not_back(step: KnownStep, soundness: Soundness, steps: Steps) -> Iterator[Finding]:
    """Ways out that send something back, and from which it never comes to this step again."""
    for port in sorted(_sent_back(step.config) & set(step.ports)):
        targets = [link.target for link in soundness.graph.from_port(step.id, port)]
        if not targets or step.id in soundness.graph.compensations:
            continue
        if any(one != step.id and _comes_to(one, step.id, soundness) for one in targets):
            continue
        links = soundness.graph.links
        before = [one.source for one in links if one.target == step.id != one.source]
        named = next((steps[one].title for one in before if one in steps), "")
        fix = "Link it to a step from which the way comes here again."
        if named:
            fix = f"Link it to a step from which the way comes here again, such as “{named}”."
        yield Finding(
            "back_not_before",
            "error",
            f"“{one_line(port)}” of “{step.title}” sends it back, but its way does not lead through"
            " an earlier step to the question again.",
            fix,
            step.id,
            _at(step.id),
        )


def _comes_to(one: str, other: str, soundness: Soundness) -> bool:
    """Whether a way leads from one step to another that itself leads to it: both in one loop."""
    return any(one in loop and other in loop for loop in soundness.components)


def _sent_back(config: Any) -> set[str]:
    """Ways out by which people send something back: it would else be lost there."""
    answers = at(config, "outcomes") if isinstance(config, Mapping) else None
    return {
        one["port"]
        for one in (answers if isinstance(answers, list) else [])
        if isinstance(one, Mapping)
        and one.get("side") == "back"
        and isinstance(one.get("port"), str)
    }


def _no_failure_lane(step: KnownStep) -> Finding:
    """A step that touches the world, and nobody has said what is to happen when that fails."""
    return Finding(
        "no_failure_lane",
        "warning",
        f"“{step.title}” touches the outside, and nothing says what happens when that fails;"
        " the run then fails.",
        "Link its way out “error”, or choose under “When it fails” what is done.",
        step.id,
        _at(step.id),
        repair=Repair(
            "Ask a person when it fails",
            added(pointer(("steps", step.id, "on_error")), {"then": "ask"}),
        ),
    )


_STARVING: Mapping[bool, tuple[str, Severity]] = {
    True: ("starving_join", "error"),
    False: ("join_may_starve", "warning"),
}


def _starving_words(one: Starving, steps: Steps) -> tuple[str, str]:
    join = steps[one.join].title
    missing = " and ".join(f"“{_title(steps, link.source)}”" for link in one.missing[:3])
    if not one.certain:
        choice, port = steps[one.choice].title, one_line(one.port)
        return (
            f"“{join}” waits for {missing}; it never comes when “{choice}” leaves by “{port}”.",
            f"Lead “{port}” of “{choice}” to a stop or to “{join}” as well.",
        )
    if one.choice:
        choice = steps[one.choice].title
        return (
            f"“{join}” waits for {missing}, but “{choice}” takes only one of these ways.",
            "Set the join to go on with the first that arrives, or link the ways without a join.",
        )
    return (
        f"“{join}” waits for {one.needed} ways, but only {len(one.missing)} lead to it.",
        "Set a smaller number, or link more steps to it.",
    )


def _between(steps: Steps, link: Link) -> str:
    return f"The link from “{_title(steps, link.source)}” to “{_title(steps, link.target)}”"


def _title(steps: Steps, step_id: str) -> str:
    return steps[step_id].title if step_id in steps else step_id


def _at(step_id: str) -> str:
    return pointer(("steps", step_id))
