"""Bars of the scenarios: what was asked for, whether it was met, and how far off is too far.

A missed bar is printed and nothing else, since machines differ. Five times the bar is a guard:
beyond it something is wrong with the product, not with the machine.
"""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

GUARD = 5


@dataclass(frozen=True)
class Bar:
    """One field of a scenario's figures: at most so much, or at least."""

    field: str
    most: float | None = None
    least: float | None = None

    def __str__(self) -> str:
        sign, bar = ("≤", self.most) if self.most is not None else ("≥", self.least)
        return f"{self.field} {sign} {bar:,g}"

    def is_met(self, figures: Mapping[str, Any], *, times: float = 1) -> bool:
        """Whether the figure is there and keeps to the bar, or to so many times the bar."""
        found = figures.get(self.field)
        if found is None:
            return False
        if self.most is not None:
            return bool(found <= self.most * times)
        return bool(found >= (self.least or 0) / times)


@dataclass(frozen=True)
class Scenario:
    """Something that is done to a running stack: ``play(bench, flow id)`` gives its figures.

    One that is ``whole`` does its own rounds, since what it needs is too large to be made again.
    """

    play: Callable[[Any, str], dict[str, Any]]
    bars: tuple[Bar, ...]
    whole: bool = False


def median_of(rounds: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Field by field the median of several rounds; what is no number is the first round's."""
    found: dict[str, Any] = {}
    for name, value in rounds[0].items():
        every = [one.get(name) for one in rounds]
        is_number = all(isinstance(one, int | float) and not isinstance(one, bool) for one in every)
        found[name] = statistics.median(every) if is_number else value  # type: ignore[type-var]
    return found


def judged(bars: Iterable[Bar], figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each bar with its figure, whether it is met and whether five times the bar is broken."""
    return [
        {
            "bar": str(bar),
            "figure": figures.get(bar.field),
            "met": bar.is_met(figures),
            "broken": not bar.is_met(figures, times=GUARD),
        }
        for bar in bars
    ]
