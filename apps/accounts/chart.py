"""Who leads whom, from which day on: pure, so that a whole list can be tried before it is kept."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date
from uuid import UUID

#: Ids of memberships; None where nobody is known to lead.
Entry = tuple[UUID, date, UUID | None]


class Chart:
    """Managers over time. ``set`` replaces what begins on that day; later days stay."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._by_member: dict[UUID, dict[date, UUID | None]] = {}
        for member, day, manager in entries:
            self.set(member, day, manager)

    def set(self, member: UUID, day: date, manager: UUID | None) -> None:
        """From ``day`` on, until the member's next entry."""
        self._by_member.setdefault(member, {})[day] = manager

    def drop(self, member: UUID, day: date) -> None:
        """Take back what ``set`` said of that day."""
        self._by_member.get(member, {}).pop(day, None)

    def manager(self, member: UUID, day: date) -> UUID | None:
        """Who leads the member on that day."""
        entries = self._by_member.get(member, {})
        days = sorted(entries)
        place = bisect_right(days, day)
        return entries[days[place - 1]] if place else None

    def circle(self, member: UUID, day: date) -> tuple[date, list[UUID]] | None:
        """The first day from ``day`` on when the member would lead themself, and through whom."""
        later = {when for entries in self._by_member.values() for when in entries if when > day}
        for when in (day, *sorted(later)):
            chain, one = [member], self.manager(member, when)
            while one is not None and one not in chain:
                chain.append(one)
                one = self.manager(one, when)
            if one == member:
                return when, chain
        return None
