"""Business time. It comes from the database, so that every process agrees on it.

The SQL function ``business_now()`` (made in core's first migration) is the same clock for
statements. ``manage.py clock advance`` moves it where ``SIGNALBOX_TEST_CLOCK=1``.
"""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection

from apps.core.errors import Forbidden


def now() -> datetime:
    """Business time in UTC. One round trip; read it once per command and pass it on."""
    with connection.cursor() as cursor:
        cursor.execute("select business_now()")
        at: datetime = cursor.fetchone()[0]
    return at


def real_now() -> datetime:
    """The time outside, which the test clock does not move: ids and partitions follow it."""
    return datetime.now(UTC)


def advance(*, by: timedelta) -> datetime:
    """Move business time forward for every process; returns the new time.

    Raises:
        Forbidden: The installation does not run with the test clock.
    """
    if not settings.TEST_CLOCK:
        raise Forbidden("The clock can be moved only where SIGNALBOX_TEST_CLOCK=1 is set.")
    if by < timedelta(0):
        raise Forbidden("The clock only moves forward; give a positive duration.")
    with connection.cursor() as cursor:
        cursor.execute(
            'insert into core_clockoffset (id, "offset") values (1, make_interval(secs => %s))'
            " on conflict (id) do update"
            ' set "offset" = core_clockoffset."offset" + excluded."offset"',
            [by.total_seconds()],
        )
    return now()
