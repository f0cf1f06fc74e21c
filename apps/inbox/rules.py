"""Who has decided what, and what follows: the rules of approvals, pure.

``any``: the first answer decides. ``all`` and ``n``: approved when enough have approved,
rejected as soon as that has become impossible (engine rule 32).
"""

from collections.abc import Mapping, Sequence
from typing import Any

APPROVED, REJECTED = "approved", "rejected"
OUTCOMES = (APPROVED, REJECTED)


def needed(rule: Mapping[str, Any], people: int) -> int:
    """How many approvals the rule asks for among so many people."""
    if rule.get("all"):
        return people
    return int(rule.get("n") or 1)


def verdict(
    rule: Mapping[str, Any], *, approvals: int, rejections: int, undecided: int
) -> str | None:
    """``approved``, ``rejected``, or ``None`` while it is open.

    Args:
        rule: ``{"any": 1}``, ``{"all": true}`` or ``{"n": 2}``.
        approvals: How many have approved.
        rejections: How many have rejected.
        undecided: How many may still answer.
    """
    if "any" in rule:
        return APPROVED if approvals else REJECTED if rejections else None
    wanted = needed(rule, approvals + rejections + undecided)
    if approvals >= wanted and approvals:
        return APPROVED
    if rejections and approvals + undecided < wanted:
        return REJECTED
    return None


def sentence(rule: Mapping[str, Any], people: Sequence[str]) -> str:
    """The rule in words for the page."""
    if "any" in rule or len(people) == 1:
        return "The first answer decides."
    if rule.get("all"):
        return f"All {len(people)} must approve."
    return f"{needed(rule, len(people))} of {len(people)} must approve."
