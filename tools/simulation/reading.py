"""How production reads a run's journal and items from the simulated store."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from apps.runs import snapshots, stored
from tools.simulation.rows import Run


class Reader:
    """The cursor through which production reads a run's journal and items."""

    def __init__(self, run: Run, moment: Callable[[float], datetime]) -> None:
        self._run = run
        self._moment = moment
        self._rows: list[tuple[Any, ...]] = []

    def execute(self, statement: str, given: Sequence[Any], **_how: Any) -> None:
        """Answer one of the loader's statements."""
        run = self._run
        if statement is snapshots.ROWS:
            found = [run.journal[seq - 1] for seq in given[1]]
            self._rows = [
                (run.id, row.seq, row.step, self._moment(at), row.data) for row, at in found
            ]
        elif statement is snapshots.ITEMS:
            keys = zip(given[1], given[2], given[3], strict=True)
            self._rows = [
                (run.id, *key, stored.dumps(run.items[key])) for key in keys if key in run.items
            ]
        elif statement is snapshots.RESULTS:
            self._rows = [
                (row.type, row.data)
                for row, _ in run.journal
                if row.type in ("scope.opened", "item.ended") and row.step == given[1]
            ]
        else:
            raise NotImplementedError(statement)

    def fetchall(self) -> list[tuple[Any, ...]]:
        """What was asked last."""
        return self._rows
