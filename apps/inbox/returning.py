"""Sent back and there again: why, and what has changed since."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.flows.compiled import compiled
from apps.inbox import rules
from apps.inbox.models import Decision, UserTask

#: A fact of which only the other side is there.
ABSENT: Any = object()


@dataclass(frozen=True, slots=True)
class Change:
    """A fact, or the title or the details, before and now; ``ABSENT`` where it was not there."""

    label: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Return:
    """Who sent it back and why, and what is different now."""

    task: UserTask
    decision: Decision
    changes: Sequence[Change]

    @property
    def at(self) -> datetime:
        """When it was sent back."""
        return self.decision.decided_at


def returned(task: UserTask) -> Return | None:
    """What the visit before this one ended with, where somebody sent it back.

    Not for a step inside another: there a visit is another item, not the same one again.
    """
    if task.visit < 2 or task.kind != rules.APPROVAL:
        return None
    if compiled(task.version_id).steps[task.step].fields.scope is not None:
        return None
    before = (
        UserTask.objects.filter(
            run_id=task.run_id, step=task.step, visit=task.visit - 1, kind=rules.APPROVAL
        )
        .order_by("-generation", "-round", "-stage")
        .first()
    )
    if before is None or rules.side(before.rule, before.outcome) != "back":
        return None
    given = before.decisions.select_related("user", "on_behalf_of", "exception__allowed_by")
    decision = given.filter(outcome=before.outcome).last()
    return Return(before, decision, changes(before, task)) if decision else None


def changes(before: UserTask, now: UserTask) -> list[Change]:
    """What of a matter is not as it was: facts by their labels, then its title and details."""
    old, new = _facts(before.facts), _facts(now.facts)
    found = [
        Change(label, old.get(label, ABSENT), new.get(label, ABSENT))
        for label in [*new, *(one for one in old if one not in new)]
        if not _same(old.get(label, ABSENT), new.get(label, ABSENT))
    ]
    for name in ("title", "details"):
        was, is_ = getattr(before, name), getattr(now, name)
        if was != is_:
            found.append(Change(name, was, is_))
    return found


def _facts(facts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """By label; of several under one label each is numbered."""
    found: dict[str, Any] = {}
    for one in facts:
        label, number = str(one["label"]), 1
        while (label if number == 1 else f"{label} ({number})") in found:
            number += 1
        found[label if number == 1 else f"{label} ({number})"] = one["value"]
    return found


def _same(one: Any, other: Any) -> bool:
    # True is 1 for Python, and nobody means that.
    return type(one) is type(other) and one == other
