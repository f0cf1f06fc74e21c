"""What several people's answers come to: the rules of a decision, pure and total.

A rule says how many must be for it:

- ``{"any": 1}``: the first answer decides.
- ``{"all": true}``, ``{"n": 2}``, ``{"percent": 60}``, ``{"weight": 10}``: so many of those who are
  asked, or so much of what they weigh. It is rejected as soon as that has become impossible.
- ``{"majority": true}``: when all have answered, more for than against. A tie is a rejection.

``at_least`` says how many people must be for it, whatever they weigh.

``rejection`` says how many against it are enough, in the same shapes but ``majority``; the others
are then heard until one side has what it needs, and where both have it at once it is rejected.
Whoever ``may_veto`` rejects alone. Answers may have names of their own, each ``for`` or
``against``: the side is found first, and of its answers the weightiest is the result, the first
listed where two weigh the same. An answer that sends it ``back`` ends it at once, whatever the
others have said.

A question can have stages: each asks its own people by its own rule, and only where one comes out
``for`` it is the next asked. What the last one says is the result; any that is ``against`` it, or
has nobody, ends it there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import product
from math import ceil
from typing import Any, Literal

APPROVED, REJECTED = "approved", "rejected"
#: What was asked for is filled in; there is no other answer then.
SUBMITTED = "submitted"
#: Nobody has answered, and nobody can any more: no answer at all.
NOBODY = "nobody"

Side = Literal["for", "against", "back"]
Rule = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Choice:
    """An answer that people can give, by its port, and the side that it counts for."""

    port: str
    side: Side


#: What people can answer where a step names nothing else.
YES_OR_NO = (Choice(APPROVED, "for"), Choice(REJECTED, "against"))


@dataclass(frozen=True, slots=True)
class Voter:
    """Somebody who is asked. ``answer`` is a port, or empty; who ``is_gone`` can give none."""

    answer: str = ""
    weight: int = 1
    may_veto: bool = False
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """How a question is decided."""

    rule: Rule
    rejection: Rule | None = None
    choices: Sequence[Choice] = field(default=YES_OR_NO)

    @classmethod
    def of(cls, stored: Rule) -> "Terms":
        """From what a task keeps: the rule, with ``rejection`` and ``choices`` beside it if any."""
        choices = tuple(Choice(one["port"], one["side"]) for one in stored.get("choices") or ())
        return cls(stored, stored.get("rejection") or None, choices or YES_OR_NO)


def verdict(terms: Terms, voters: Sequence[Voter]) -> str | None:
    """The port that the answers come to, ``NOBODY``, or None while it is open.

    Total: where everybody has answered or is gone it is never None. Of those who are gone only
    an answer counts.
    """
    count = _Count(terms, [one for one in voters if one.answer or not one.is_gone])
    if not count.here:
        return NOBODY
    if count.back:
        return _result(terms.choices, "back", count.back)
    if count.is_against():
        return _result(terms.choices, "against", count.against)
    if count.is_for():
        return _result(terms.choices, "for", count.for_it)
    return None


def goes_on(terms: Terms, port: str) -> bool:
    """Whether a stage that ended so lets the next one be asked."""
    return any(one.side == "for" for one in terms.choices if one.port == port)


def course(stages: Sequence[tuple[Terms, Sequence[Voter]]]) -> tuple[int, str | None]:
    """The stage that a question is at or has ended at, from 0, and what it has come to there.

    Total as ``verdict`` is: where everybody has answered or is gone it has come to something.
    """
    for at, (terms, voters) in enumerate(stages):
        found = verdict(terms, voters)
        if found is None or not goes_on(terms, found):
            return at, found
    return at, found


def needed(rule: Rule, voters: Sequence[Voter]) -> int:
    """How many of the voters a rule asks for, or how much of what they weigh."""
    if "all" in rule:
        return max(1, len(voters))
    if "percent" in rule:
        return max(1, ceil(Fraction(str(rule["percent"])) * len(voters) / 100))
    if "majority" in rule:
        return len(voters) // 2 + 1
    return int(rule.get("weight") or rule.get("n") or 1)


def undecidable(terms: Terms, voters: Sequence[Voter]) -> Iterator[tuple[str, ...]]:
    """Every way to answer, or be gone (``-``), that would leave the question open for ever.

    A test asks, and finds none. Their ``answer`` is ignored.
    """
    ways = (*(choice.port for choice in terms.choices), "-")
    for answers in product(ways, repeat=len(voters)):
        stand = [
            replace(one, answer=answer.strip("-"), is_gone=answer == "-")
            for one, answer in zip(voters, answers, strict=True)
        ]
        if verdict(terms, stand) is None:
            yield answers


def is_reachable(terms: Terms, voters: Sequence[Voter], side: Side) -> bool:
    """Whether these people could come to that side if they all wished to."""
    ports = {choice.port for choice in terms.choices if choice.side == side}
    return any(
        verdict(terms, [replace(one, answer=port) for one in voters]) in ports for port in ports
    )


class _Count:
    """The voters who still count, by what they have answered."""

    def __init__(self, terms: Terms, here: Sequence[Voter]) -> None:
        self.rule, self.rejection, self.here = terms.rule, terms.rejection, here
        sides: dict[str, Side] = {choice.port: choice.side for choice in terms.choices}
        self.for_it = [one for one in here if sides.get(one.answer) == "for"]
        self.against = [one for one in here if sides.get(one.answer) == "against"]
        self.back = [one for one in here if sides.get(one.answer) == "back"]
        self.undecided = [one for one in here if not one.answer]

    def is_against(self) -> bool:
        """Vetoed, rejected by the rule for it, or approval has become impossible."""
        if any(one.may_veto for one in self.against):
            return True
        if len(self.for_it) + len(self.undecided) < self.rule.get("at_least", 0):
            return True
        if self.rejection is not None:
            if _weight(self.rejection, self.against) >= needed(self.rejection, self.here):
                return True
            return not self.undecided and not self.is_for()
        if "any" in self.rule:
            return bool(self.against) and not self.for_it
        if "majority" in self.rule:
            return not self.undecided and not self.is_for()
        hopes = _weight(self.rule, self.for_it) + _weight(self.rule, self.undecided)
        return hopes < needed(self.rule, self.here)

    def is_for(self) -> bool:
        """Approved by the rule, and by as many people as it wants at least."""
        if len(self.for_it) < self.rule.get("at_least", 0):
            return False
        if "any" in self.rule:
            return bool(self.for_it)
        if "majority" in self.rule:
            return not self.undecided and len(self.for_it) > len(self.against)
        weight = _weight(self.rule, self.for_it)
        return bool(self.for_it) and weight >= needed(self.rule, self.here)


def _weight(rule: Rule, voters: Sequence[Voter]) -> int:
    return sum(one.weight for one in voters) if "weight" in rule else len(voters)


def _result(choices: Sequence[Choice], side: Side, voters: Sequence[Voter]) -> str:
    """Of the answers of that side the weightiest; the first listed where nobody gave any."""
    ports = [choice.port for choice in choices if choice.side == side]
    return max(ports, key=lambda port: sum(one.weight for one in voters if one.answer == port))
