"""Paved roads: whole flows to start from, each with what can go wrong thought of.

A road has retries, a way for every failure, approvals with a limit, an owner, a runbook, and
triggers to try it with. Its words stand in every language beside each other: ``say("English",
"Deutsch")``. Names of ways out, of steps and of fields are the document's, the same in all.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.steps.document import FORMAT

Say = Callable[[str, str], str]
#: By language: which of the words beside each other is said.
SAYS: Mapping[str, Say] = {"en": lambda english, _german: english, "de": lambda _, german: german}

#: A mail server is away for minutes, sometimes for an hour: 30 s, 1 min, 2 min, … up to 30 min.
RETRY = {"transient": {"max_attempts": 8, "first_delay_s": 30, "max_delay_s": 1800}}


@dataclass(frozen=True)
class Trial:
    """A trigger to try a road with, and what should come of it.

    ``answers`` are the decisions people make, by step; ``ends`` the step that ends the run.
    """

    name: str
    body: dict[str, Any]
    ends: str
    answers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Example:
    """A flow document with words about it."""

    slug: str
    title: str
    description: str
    document: dict[str, Any]
    trials: tuple[Trial, ...] = ()


Road = Callable[[Say], Example]


def step(kind: str, shown: str, /, **config: Any) -> dict[str, Any]:
    """A step of the first version of its type."""
    return {"type": kind, "version": 1, "title": shown, "config": config}


def mail(shown: str, /, *, to: str, subject: str, text: str) -> dict[str, Any]:
    """A mail that is tried for hours before it counts as not sent."""
    return {**step("mail.send", shown, to=to, subject=subject, text=text), "retry": RETRY}


def ends(shown: str, message: str, *, outcome: str = "completed") -> dict[str, Any]:
    """The end of a run, in words."""
    return step("stop", shown, outcome=outcome, message=message)


def links(*lines: str) -> list[dict[str, str]]:
    """``a -> b`` or ``a:port -> b``."""
    found = []
    for line in lines:
        left, right = line.split(" -> ")
        source, _, port = left.partition(":")
        found.append({"from": source, **({"port": port} if port else {}), "to": right})
    return found


def by_hand(**asked: tuple[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A form of which every question must be answered."""
    properties = {name: {"title": title, **kind} for name, (title, kind) in asked.items()}
    form = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "manual", "config": {"form": form}}


def signed_later(path: str, dedupe: str) -> dict[str, Any]:
    """A webhook; the check says that calls are not signed yet."""
    config = {"path": path, "signature": {"scheme": "none"}, "dedupe": dedupe}
    return {"type": "webhook", "config": config}


def document(
    name: str,
    *,
    trigger: Mapping[str, Any],
    steps: Mapping[str, Any],
    links: Sequence[Mapping[str, str]],
    risk: str,
    runbook: str,
) -> dict[str, Any]:
    """The whole; who starts from it becomes its owner."""
    return {
        "format": FORMAT,
        "name": name,
        "trigger": dict(trigger),
        "steps": dict(steps),
        "links": [dict(link) for link in links],
        "settings": {"owner": "", "risk": risk, "runbook": runbook},
        "layout": _places(list(steps), links),
    }


def _places(steps: Sequence[str], links: Sequence[Mapping[str, str]]) -> dict[str, list[int]]:
    """A column for each step by the longest way to it; in a column, by where its ways come from."""
    column = {"trigger": 0}
    for _ in steps:
        for link in links:
            if link["from"] in column:
                column[link["to"]] = max(column.get(link["to"], 0), column[link["from"]] + 1)
    row: dict[str, float] = {"trigger": 0}
    places: dict[str, list[int]] = {"trigger": [0, 192]}
    for at in range(1, max(column.values()) + 1):
        here = [name for name in steps if column.get(name) == at]
        before = {
            name: [
                row[link["from"]] for link in links if link["to"] == name and link["from"] in row
            ]
            for name in here
        }
        here.sort(key=lambda name: sum(before[name]) / max(1, len(before[name])))
        for place, name in enumerate(here):
            row[name] = place - (len(here) - 1) / 2
            places[name] = [at * 368, 192 + int(row[name] * 176)]
    return places
