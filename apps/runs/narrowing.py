"""Cut a flow document down to what a test runs. Pure; documents in, documents out.

What is left has the same steps under the same ids and configs, so that what is tried is what is
drawn. Links that led out of it are gone, and so is what takes steps back: nothing runs that was
not named beforehand.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from apps.engine.graph import BODY, TRIGGER

Document = Mapping[str, Any]
Drawn = dict[str, Any]
#: What a test of a part leaves out of a step: who takes it back.
_LEFT_OUT = frozenset({"undo"})
#: What a test leaves out of the settings: tests take no place from runs.
_NO_SETTING = frozenset({"concurrency"})


def whole(document: Document) -> Drawn:
    """All of it, started by whatever a sample says."""
    return _drawn(document, dict(document["steps"]), list(document.get("links") or []))


def up_to(document: Document, step: str) -> Drawn:
    """What can come before a step, and the step."""
    keep = _leading_to(document, step)
    holders = containers_of(document, step)
    for name in list(keep):
        if name not in holders:
            keep |= _contents(document, name)
    links = [
        link
        for link in document.get("links") or []
        if link["to"] in keep
        and (link["from"] == TRIGGER or link["from"] in keep)
        and not (link["from"] in {step, *holders} and link.get("port") != BODY)
    ]
    return _drawn(document, _only(document, keep), links)


def walked(document: Drawn, steps: Iterable[str], links: Iterable[int]) -> Drawn:
    """Of a document that was cut down, the steps and links (by their place) that were come by."""
    every = document["links"]
    keep = set(steps)
    for name in list(keep):
        keep.update(containers_of(document, name))
    return {
        **document,
        "steps": {name: one for name, one in document["steps"].items() if name in keep},
        "links": [every[at] for at in sorted(set(links)) if every[at]["to"] in keep],
    }


def alone(document: Document, step: str, stand_ins: Sequence[str]) -> Drawn:
    """A step with what contains it and what it contains, after stand-ins for what it reads."""
    holders = containers_of(document, step)
    keep = {step, *holders} | _contents(document, step)
    steps = _only(document, keep)
    inside = [link for link in document.get("links") or [] if _is_within(document, link, step)]
    links: list[Drawn] = []
    source: Drawn = {"from": TRIGGER}
    for level, holder in enumerate([*reversed(holders), step]):
        around = holders[len(holders) - level] if level else None
        for name in stand_ins:
            if document["steps"][name].get("in") == around:
                steps[name] = _stand_in(document["steps"][name])
                links.append({**source, "to": name})
                source = {"from": name, "port": "done"}
        links.append({**source, "to": holder})
        source = {"from": holder, "port": BODY}
    return _drawn(document, steps, [*links, *inside])


def containers_of(document: Document, step: str) -> list[str]:
    """The steps that a step stands in, the nearest first."""
    found: list[str] = []
    holder = document["steps"].get(step, {}).get("in")
    while isinstance(holder, str) and holder in document["steps"] and holder not in found:
        found.append(holder)
        holder = document["steps"][holder].get("in")
    return found


def can_stand_in(document: Document, name: str, step: str) -> bool:
    """Whether a step is seen from another: beside it, or beside what contains that."""
    around = document["steps"][name].get("in")
    return around is None or around in containers_of(document, step)


def _leading_to(document: Document, step: str) -> set[str]:
    arriving: dict[str, set[str]] = {}
    for link in document.get("links") or []:
        arriving.setdefault(link["to"], set()).add(link["from"])
    found = {step, *containers_of(document, step)}
    waiting = list(found)
    while waiting:
        fresh = arriving.get(waiting.pop(), set()) - found - {TRIGGER}
        found |= fresh
        waiting += fresh
    return found & set(document["steps"])


def _contents(document: Document, step: str) -> set[str]:
    return {name for name in document["steps"] if step in containers_of(document, name)}


def _is_within(document: Document, link: Mapping[str, Any], step: str) -> bool:
    inside = step in containers_of(document, link["to"])
    return inside and (
        step in containers_of(document, link["from"])
        or (link["from"] == step and link.get("port") == BODY)
    )


def _only(document: Document, keep: set[str]) -> dict[str, Any]:
    return {
        name: {field: value for field, value in one.items() if field not in _LEFT_OUT}
        for name, one in document["steps"].items()
        if name in keep
    }


def _stand_in(step: Mapping[str, Any]) -> Drawn:
    """Never evaluated: what comes of it is given."""
    around = {"in": step["in"]} if step.get("in") else {}
    title = {"title": step["title"]} if step.get("title") else {}
    return {"type": "map", "version": 1, "config": {"fields": {}}, **title, **around}


def _drawn(document: Document, steps: dict[str, Any], links: list[Any]) -> Drawn:
    settings = document.get("settings") or {}
    return {
        **document,
        "trigger": {"type": "manual", "config": {}},
        "steps": steps,
        "links": links,
        "settings": {name: one for name, one in settings.items() if name not in _NO_SETTING},
    }
