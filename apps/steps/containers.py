"""Judge what steps say beside their config: where they stand, what undoes them, their locks."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from apps.engine.graph import BODY, TRIGGER, Behaviour, Link
from apps.steps.fields import NAMES, StepFields
from apps.steps.findings import Finding, Repair, pointer, removed
from apps.steps.reads import KnownStep
from apps.steps.texts import did_you_mean, found, one_line

Steps = Mapping[str, KnownStep]
# What a field must be, in words.
_FIXES = {
    "in": "Name the step that contains it by its id.",
    "undo": "Name the step that takes it back by its id.",
    "lock": "Write a word.",
    "time_limit": "Write it as PT30M (30 minutes), PT4H (4 hours) or P2D (2 days).",
    "on_error": 'Write {"then": "path"}, or "stop", "ask" or "default" with an "output".',
    "retry": 'Write {"transient": {"max_attempts": 4}}, or "unknown" or "permanent".',
    "concurrency": 'Write {"max": 2}, and an expression as "key" where it is so many for each.',
}


def field_findings(step_id: str, step: Mapping[str, Any]) -> Iterator[Finding]:
    """Fields beside the config that do not fit."""
    for name in NAMES:
        value = step.get(name)
        if value is None:
            continue
        try:
            StepFields.model_validate({name: value})
        except ValidationError:
            message = f"“{name}” of “{one_line(step_id)}” does not fit; it is {found(value)}."
            fix = _FIXES.get(name, "See what this field may hold.")
            path = pointer(("steps", step_id, name))
            yield Finding("bad_field", "error", message, fix, step_id, path)


def container_findings(steps: Steps, links: list[Link]) -> Iterator[Finding]:
    """Containers that are none, links that cross their edge, undoing that cannot work."""
    order = _lock_order(steps)
    for step in steps.values():
        yield from _inside(step, steps)
        yield from _undo(step, steps, links)
        yield from _lock(step, steps, order)
        yield from _for_effects(step)
    for link in links:
        yield from _crossing(link, steps)


def around(step_id: str, steps: Steps) -> list[str]:
    """The containers of a step, the nearest first; a ring of them ends where it closes."""
    seen: list[str] = []
    step = steps.get(step_id)
    while step is not None and step.fields.scope and step.fields.scope not in seen:
        seen.append(step.fields.scope)
        step = steps.get(step.fields.scope)
    return seen


def is_container(step: KnownStep | None) -> bool:
    """Whether other steps can stand inside it."""
    return step is not None and step.type is not None and step.type.behaviour is Behaviour.SCOPE


def _inside(step: KnownStep, steps: Steps) -> Iterator[Finding]:
    name = step.fields.scope
    if name is None:
        return
    path = pointer(("steps", step.id, "in"))
    holder = steps.get(name)
    if holder is None:
        message = f"“{step.title}” stands inside “{one_line(name)}”, and there is no such step."
        containers = [one.id for one in steps.values() if is_container(one)]
        fix = did_you_mean(name, containers) or "Name a step that contains others, or none."
        yield Finding("unknown_container", "error", message, fix, step.id, path)
    elif holder.type is not None and not is_container(holder):
        message = f"“{step.title}” stands inside “{holder.title}”, which cannot contain steps."
        fix = "Put it inside a For each, a Repeat or a Block."
        yield Finding("unknown_container", "error", message, fix, step.id, path)
    elif step.id in around(step.id, steps):
        message = f"“{step.title}” stands inside itself."
        fix = "Take it out of one of its containers."
        yield Finding("unknown_container", "error", message, fix, step.id, path)


def _undo(step: KnownStep, steps: Steps, links: list[Link]) -> Iterator[Finding]:
    name = step.fields.undo
    if name is None:
        return
    path = pointer(("steps", step.id, "undo"))
    undoing = steps.get(name)
    if undoing is None or name == step.id:
        message = f"“{step.title}” is undone by “{one_line(name)}”, and there is no such step."
        fix = did_you_mean(name, steps) or "Name another step."
    elif undoing.fields.scope != step.fields.scope:
        message = f"“{undoing.title}” undoes “{step.title}” but stands in another container."
        fix = "Put both into the same one."
    elif any(name in {link.target, link.source} for link in links):
        message = f"“{undoing.title}” undoes “{step.title}”, so no link may lead to it or from it."
        fix = "Take the links out; it runs by itself when it is needed."
    elif undoing.type is not None and undoing.type.behaviour in _NOT_UNDOING:
        message = f"“{undoing.title}” cannot undo another step."
        fix = "Let a step do it that gives a result: a request, a mail, an approval or values."
    else:
        return
    yield Finding("bad_undo", "error", message, fix, step.id, path)


_NOT_UNDOING = frozenset({Behaviour.JOIN, Behaviour.END, Behaviour.SCOPE})


def _lock(step: KnownStep, steps: Steps, order: Mapping[str, set[str]]) -> Iterator[Finding]:
    for holder in _locks_around(step, steps):
        lock, held = step.fields.lock or "", holder.fields.lock or ""
        if held in _leads_to(lock, order):
            yield Finding(
                "crossed_locks",
                "warning",
                f"“{step.title}” waits for “{one_line(lock)}” while “{holder.title}” around it"
                f" holds “{one_line(held)}”, and elsewhere it is the other way round: they can"
                " wait for each other, and one of them then fails.",
                "Put them into each other in the same order everywhere, or give both one name.",
                step.id,
                pointer(("steps", step.id, "lock")),
            )


def _locks_around(step: KnownStep, steps: Steps) -> list[KnownStep]:
    """The containers whose locks are held while a step waits for its own."""
    lock = step.fields.lock
    holders = [steps[name] for name in around(step.id, steps) if name in steps]
    holders = [holder for holder in holders if holder.fields.lock]
    if not lock or any(holder.fields.lock == lock for holder in holders):
        return []  # what stands in a holder of the same lock goes on within it
    return holders


def _lock_order(steps: Steps) -> Mapping[str, set[str]]:
    """For each lock those that are waited for while it is held."""
    order: dict[str, set[str]] = {}
    for step in steps.values():
        for holder in _locks_around(step, steps):
            order.setdefault(holder.fields.lock or "", set()).add(step.fields.lock or "")
    return order


def _leads_to(lock: str, order: Mapping[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [lock]
    while waiting:
        fresh = order.get(waiting.pop(), set()) - seen
        seen |= fresh
        waiting += fresh
    return seen


def _for_effects(step: KnownStep) -> Iterator[Finding]:
    if step.type is None or step.type.behaviour is Behaviour.EFFECT:
        return
    for name in ("retry", "concurrency"):
        if getattr(step.fields, name) is not None:
            yield Finding(
                "only_for_effects",
                "error",
                f"“{step.title}” touches nothing outside, so “{name}” means nothing here.",
                "Take it out; it is for steps such as a request or a mail.",
                step.id,
                pointer(("steps", step.id, name)),
                repair=Repair("Take it out", removed(pointer(("steps", step.id, name)))),
            )


def _crossing(link: Link, steps: Steps) -> Iterator[Finding]:
    source, target = steps.get(link.source), steps[link.target]
    inside = target.fields.scope
    if source is not None and is_container(source) and link.port == BODY:
        if inside == source.id:
            return
        message = (
            f"“{target.title}” is linked from the inside of “{source.title}”, but is not in it."
        )
        fix = "Put it inside, or link it to another way out."
    else:
        left = None if link.source == TRIGGER or source is None else source.fields.scope
        if inside == left:
            return
        outer = "the trigger" if source is None else f"“{source.title}”"
        message = f"The link from {outer} to “{target.title}” crosses the edge of a container."
        fix = "Link steps of the same container; the first inside comes after its way “body”."
    step = link.source if source is not None else TRIGGER
    path = pointer(("links", link.index))
    yield Finding("link_across", "error", message, fix, step, path)
