"""The database connection of a thread that waits for something else next."""

from django.db import connection


def give_back() -> None:
    """Leave the connection to other threads; the next statement takes one again.

    In the middle of a transaction it stays, since the transaction would go with it.
    """
    if not connection.in_atomic_block:
        connection.close()
