"""Who has decided what, and what follows: the rules of tasks, pure.

``any``: the first answer decides. ``all`` and ``n``: approved when enough have approved,
rejected as soon as that has become impossible (engine rule 32).
"""

from collections.abc import Mapping
from typing import Any

APPROVED, REJECTED = "approved", "rejected"
RETRY, SKIP, FAIL = "retry", "skip", "fail"
#: An approval, or what becomes of a step that has failed.
APPROVAL, EXCEPTION = "approval", "exception"
#: The answers there are, by the kind of the task.
OUTCOMES: Mapping[str, tuple[str, ...]] = {
    APPROVAL: (APPROVED, REJECTED),
    EXCEPTION: (RETRY, SKIP, FAIL),
}


def needed(rule: Mapping[str, Any], people: int) -> int:
    """How many approvals the rule asks for among so many people."""
    if rule.get("all"):
        return people
    return int(rule.get("n") or 1)


def verdict(
    rule: Mapping[str, Any], *, approvals: int, rejections: int, undecided: int
) -> str | None:
    """``approved``, ``rejected``, or ``None`` while it is open.

    Total: with nobody left to answer it is never ``None``. Never asked where nobody has
    answered and nobody is left; that is no answer at all.

    Args:
        rule: ``{"any": 1}``, ``{"all": true}`` or ``{"n": 2}``.
        approvals: How many have approved.
        rejections: How many have rejected.
        undecided: How many may still answer.
    """
    if "any" in rule:
        return APPROVED if approvals else REJECTED if rejections else None
    wanted = needed(rule, approvals + rejections + undecided)
    if approvals and approvals >= wanted:
        return APPROVED
    if approvals + undecided < wanted:
        return REJECTED
    return None
