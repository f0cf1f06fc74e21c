"""How a driver and a clock speak with PostgreSQL: for so long at most, in plans made once (rule 6).

A process that was frozen in the middle of a transaction must not hold its locks for ever: the
server ends the transaction, and the woken process's commit fails harmlessly.
"""

from django.db import connections

SECONDS = 10


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
