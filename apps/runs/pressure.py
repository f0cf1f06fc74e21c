"""Back-pressure: when more work waits than is done, signals are told to come again later.

Each process looks every two seconds. Bulk work does not count: what comes goes before it.
"""

import threading
from time import monotonic

from django.db import connection

from apps.core.errors import ProductError
from apps.runs.priorities import Priority
from apps.runs.sweep import oldest_command_age_s

#: Signals are throttled when the oldest command is this old and this many wait. Both, because with
#: the workers stopped they are still taken.
LAG_S, BACKLOG = 300.0, 50_000
SAMPLE_EVERY_S = 2.0
RETRY_AFTER_S = 15

_COUNT = "select count(*) from (select 1 from run_command where priority < %s limit %s) waiting"


class Overloaded(ProductError):
    """More work waits than is done."""

    code = "unavailable"
    status = 503


class Pressure:
    """What one process knows of the queue."""

    def __init__(self) -> None:
        self._is_high = False
        self._look_at = 0.0
        self._lock = threading.Lock()

    def refuse(self) -> None:
        """Do nothing while work is done as it comes.

        Raises:
            Overloaded: It is not; nothing may be stored now.
        """
        with self._lock:
            is_time = monotonic() >= self._look_at
            if is_time:
                self._look_at = monotonic() + SAMPLE_EVERY_S
        if is_time:
            self._is_high = _is_high()
        if self._is_high:
            raise Overloaded(
                "More work waits than is done; this was not stored. Send it again later.",
                retry_after=RETRY_AFTER_S,
            )


def _is_high() -> bool:
    if oldest_command_age_s(below=Priority.BULK) <= LAG_S:
        return False
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [int(Priority.BULK), BACKLOG])
        return bool(cursor.fetchone()[0] >= BACKLOG)


#: At the doors of the API; webhooks have their own, since they wait for nothing.
at_the_api = Pressure()
