"""How workers speak with PostgreSQL: for so long at most, and again where no answer came (rule 6).

A process that was frozen in the middle of a transaction must not hold its locks for ever: the
server ends the transaction, and the woken process's commit fails harmlessly.
"""

import logging
import time
from collections.abc import Callable
from time import monotonic
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection, connections

SECONDS = 10
#: What is raised while the database is away, or has not answered.
AWAY = (OperationalError, InterfaceError)

Given = TypeVar("Given")

_log = logging.getLogger(__name__)


def limit_statements() -> None:
    """Put time limits on every connection that this process, or a fork of it, will open."""
    options = connections.settings["default"]["OPTIONS"]
    milliseconds = SECONDS * 1000
    # A plan for a queue is kept, so it must be the one for a long queue, also where it was made
    # while the queue was empty: by the index.
    limits = (
        f"-c statement_timeout={milliseconds} -c idle_in_transaction_session_timeout={milliseconds}"
        " -c plan_cache_mode=force_generic_plan -c enable_seqscan=off"
    )
    given = str(options.get("options", ""))
    if limits not in given:
        options["options"] = f"{given} {limits}".strip()
    options |= {
        "keepalives": 1,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": milliseconds,
        "prepare_threshold": 5,  # Django's own default is never
    }


def insist(do: Callable[[], Given], *, what: str, seconds: float, pause_s: float) -> Given:
    """What ``do`` gives; while the database is away it is tried again, for so long at most.

    Raises:
        OperationalError, InterfaceError: It was away all that time.
    """
    gives_up_at = monotonic() + seconds
    while True:
        try:
            return do()
        except AWAY as error:
            connection.close()
            if monotonic() > gives_up_at:
                raise
            _log.warning("%s waits for the database: %s", what, error)
            time.sleep(pause_s)
