"""Check rows of the trail in several processes, all in the snapshot of the one that asks.

Nothing at the top of this module needs Django: a new process imports it before Django is ready.
"""

import gc
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from apps.audit.row_checks import Report, SealedRows

__all__ = ["Beside"]

_checker: Any = None
#: So many batches wait for a process at most: what they hold stays small.
AHEAD: Final = 4


class Beside:
    """Processes that check batches of seals; what each finds comes back in the order it was given.

    Args:
        processes: How many.
        snapshot: What ``pg_export_snapshot()`` gave; its transaction must stay open.
    """

    def __init__(self, processes: int, snapshot: str) -> None:
        self._limit = processes * AHEAD
        self._pool = ProcessPoolExecutor(
            processes,
            mp_context=get_context("spawn"),
            initializer=_begin,
            initargs=(snapshot,),
        )
        self._given: list[Future[tuple[Report, list[str]]]] = []

    def check(self, batch: "Sequence[SealedRows]") -> "Iterator[tuple[Report, list[str]]]":
        """Give a batch away; what of earlier ones is back by now, or has to be waited for."""
        self._given.append(self._pool.submit(_check, list(batch)))
        while len(self._given) > self._limit or (self._given and self._given[0].done()):
            yield self._given.pop(0).result()

    def rest(self) -> "Iterator[tuple[Report, list[str]]]":
        """Wait for the others."""
        while self._given:
            yield self._given.pop(0).result()

    def close(self) -> None:
        """End the processes."""
        self._pool.shutdown(cancel_futures=True)


def _begin(snapshot: str) -> None:
    """In a new process: Django, and a transaction that sees what the asking one sees."""
    global _checker  # noqa: PLW0603 - one for each process, made once
    # Rows make no cycles, and looking for them again and again takes a fifth of the time.
    gc.disable()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django  # noqa: PLC0415 - see the module

    django.setup()
    from django.db import connection, transaction  # noqa: PLC0415
    from psycopg import sql  # noqa: PLC0415

    from apps.audit.row_checks import Report, RowChecker  # noqa: PLC0415

    transaction.set_autocommit(False)
    with connection.cursor() as cursor:
        cursor.execute("set transaction isolation level repeatable read read only")
        cursor.execute(sql.SQL("set transaction snapshot {}").format(sql.Literal(snapshot)))
    _checker = RowChecker(Report())


def _check(batch: "list[SealedRows]") -> "tuple[Report, list[str]]":
    from apps.audit.row_checks import Report  # noqa: PLC0415

    _checker.report, _checker.misfiled = Report(), []
    _checker.check_seals(batch)
    return _checker.report, _checker.misfiled
