"""Threads that want the same kind of work at the same time share one round trip.

A thread never waits for company: while nothing is under way its work begins at once, alone. What
comes meanwhile goes together with the next, done by the first of those who wait. A group that
fails is tried again one by one, so that nobody is refused for another's fault; but not where the
failure is ``hopeless`` for all of them, such as a database that does not answer.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Given = TypeVar("Given")

MOST = 64


class _Ticket(Generic[Asked, Given]):
    """What one thread wants. It is woken with an answer, or without one to lead the next group."""

    __slots__ = ("answer", "asked", "error", "is_done", "woken")

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.woken = threading.Event()
        self.is_done = False
        self.answer: Given
        self.error: Exception | None = None

    def taken(self) -> Given:
        if self.error is not None:
            raise self.error
        return self.answer


class Together(Generic[Asked, Given]):
    """One kind of work, one group of it at a time, for every thread of this process."""

    def __init__(
        self,
        work: Callable[[Sequence[Asked]], Sequence[Given]],
        *,
        hopeless: tuple[type[Exception], ...],
    ) -> None:
        """``work`` answers in the order in which it is asked."""
        self._work = work
        self._hopeless = hopeless
        self._lock = threading.Lock()
        self._waiting: deque[_Ticket[Asked, Given]] = deque()
        self._is_led = False

    def ask(self, asked: Asked) -> Given:
        """The answer for this thread; work that began before it was asked does not count.

        Raises:
            Exception: What the work raised for this thread alone, or what is hopeless for all.
        """
        ticket: _Ticket[Asked, Given] = _Ticket(asked)
        with self._lock:
            self._waiting.append(ticket)
            leads, self._is_led = not self._is_led, True
        if not leads:
            ticket.woken.wait()
        if not ticket.is_done:
            self._lead()
        return ticket.taken()

    def _lead(self) -> None:
        """Do the work of those who wait, this thread's first, and pass the lead on."""
        with self._lock:
            count = min(len(self._waiting), MOST)
            group = [self._waiting.popleft() for _ in range(count)]
        try:
            self._answer(group)
        finally:
            with self._lock:
                if self._waiting:
                    self._waiting[0].woken.set()
                else:
                    self._is_led = False
            for ticket in group:
                ticket.is_done = True
                ticket.woken.set()

    def _answer(self, group: Sequence[_Ticket[Asked, Given]]) -> None:
        try:
            found = self._work([one.asked for one in group])
        except Exception as error:  # noqa: BLE001 - handed to those who asked
            if len(group) == 1 or isinstance(error, self._hopeless):
                for one in group:
                    one.error = error
            else:
                for one in group:
                    self._answer([one])
            return
        for one, given in zip(group, found, strict=True):
            one.answer = given
