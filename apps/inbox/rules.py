"""The kinds of tasks, and the answers to each. What answers come to: ``steps.deciding``."""

from collections.abc import Mapping
from typing import Any

from apps.steps import deciding

APPROVED, REJECTED = deciding.APPROVED, deciding.REJECTED
SUBMITTED = deciding.SUBMITTED
RETRY, SKIP, FAIL = "retry", "skip", "fail"
#: An approval, what becomes of a step that has failed, or a form to fill in.
APPROVAL, EXCEPTION, FILL_IN = "approval", "exception", "fill_in"
#: The answers there are, by the kind of the task, unless its step names its own.
OUTCOMES: Mapping[str, tuple[str, ...]] = {
    APPROVAL: (APPROVED, REJECTED),
    EXCEPTION: (RETRY, SKIP, FAIL),
    FILL_IN: (SUBMITTED,),
}
_SIDES: Mapping[str, deciding.Side] = {
    APPROVED: "for",
    REJECTED: "against",
    SUBMITTED: "for",
    RETRY: "for",
    FAIL: "against",
}


def outcomes(kind: str, rule: Mapping[str, Any]) -> tuple[str, ...]:
    """What can be answered, in the order of the buttons."""
    return tuple(one["port"] for one in rule.get("choices") or ()) or OUTCOMES[kind]


def side(rule: Mapping[str, Any], outcome: str) -> deciding.Side | None:
    """Whether an answer lets things go on, stops them or sends them back; None where neither."""
    for one in rule.get("choices") or ():
        if one["port"] == outcome:
            found: deciding.Side = one["side"]
            return found
    return _SIDES.get(outcome)


def is_filling(rule: Mapping[str, Any]) -> bool:
    """Whether the one thing there is to do is to fill in a form."""
    return [one["port"] for one in rule.get("choices") or ()] == [SUBMITTED]
