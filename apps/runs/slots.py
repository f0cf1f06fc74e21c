"""How many threads of a worker process are at work, and when one effect has the process alone.

An effect that was there when two processes died runs alone (engine rule 12). It takes an idle
process; where none is ever idle, one process stops taking other effects until it is.
"""

import threading
from time import monotonic

from django.conf import settings
from django.db import connection

from apps.runs import stopping

LOOK_EVERY_S = 5.0
PATIENCE_S = 30.0
RESERVED_S = 120.0

# The mark on the row keeps other processes at work; a process that cannot become idle loses it.
_RESERVE = f"""
update effect set lease_until = clock_timestamp() + make_interval(secs => %(reserved_s)s)
where id = (
  select id from effect
  where status = 'queued' and deaths >= 2
    and available_at <= business_now() - make_interval(secs => %(patience_s)s)
    and (lease_until is null or lease_until < clock_timestamp())
    and {stopping.MAY_BEGIN}
  order by available_at limit 1 for update skip locked)
"""  # noqa: S608 - our own text


def reserve_one() -> bool:
    """Mark the effect that has waited longest to run alone, if one has waited too long.

    Locks:
        The effect's row, for this statement; nobody waits for it.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RESERVE, {"reserved_s": RESERVED_S, "patience_s": PATIENCE_S})
        return bool(cursor.rowcount)


class Slots:
    """The threads of this process: closed while an effect runs alone, reserved until it can."""

    def __init__(self) -> None:
        self._inside = 0
        self._bulk = 0
        self._is_closed = False
        self._reserved_until = 0.0
        self._look_at = 0.0
        self._lock = threading.Lock()

    @property
    def is_reserved(self) -> bool:
        """Whether this process is to become idle."""
        return monotonic() < self._reserved_until

    def enter(self) -> bool:
        """Begin to look for work. False while an effect runs alone, or others must end first."""
        with self._lock:
            if self._is_closed or (self._inside and self.is_reserved):
                return False
            self._inside += 1
            return True

    def is_time_to_look(self) -> bool:
        """Whether to ask if an effect waits too long to run alone: every few seconds, once."""
        with self._lock:
            if self.is_reserved or monotonic() < self._look_at:
                return False
            self._look_at = monotonic() + LOOK_EVERY_S
            return True

    def reserve(self) -> None:
        """Take no more work until the last thread has left; the next one is alone."""
        with self._lock:
            self._reserved_until = monotonic() + RESERVED_S

    def close(self) -> bool:
        """Keep the others out until this thread leaves. False where one of them is inside."""
        with self._lock:
            self._is_closed = self._inside <= 1
            return self._is_closed

    def open(self) -> None:
        """There was nothing to run alone after all."""
        with self._lock:
            self._is_closed = False
            self._reserved_until = 0.0

    def enter_bulk(self) -> bool:
        """Make room for bulk work. False where it has half of the threads already."""
        with self._lock:
            if self._bulk >= max(1, settings.EFFECT_THREADS // 2):
                return False
            self._bulk += 1
            return True

    def leave_bulk(self) -> None:
        """Give that room back: the work is done, or was none."""
        with self._lock:
            self._bulk -= 1

    def leave(self) -> None:
        """This thread's work is done."""
        with self._lock:
            self._inside -= 1
            if self._is_closed:
                self._reserved_until = 0.0
            self._is_closed = False
