"""Check rows against their hashes, values against their commitments, trees against their roots.

The greater part of the work of ``audit.verify``, and the part that several processes can share:
what one of them finds depends on no other.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from apps.audit import format as audit_format
from apps.audit import merkle
from apps.audit.stored import StoredRow, fetch, json_object, rows_of_seals

__all__ = ["Problem", "Report", "RowChecker", "SealedRows"]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, and where."""

    code: str
    message: str
    row: str | None = None
    seal: int | None = None


@dataclass
class Report:
    """What was checked. All is well when ``problems`` is empty; ``notes`` say what to know."""

    rows: int = 0
    values: int = 0
    erased: int = 0
    seals: int = 0
    dropped: int = 0
    unsealed: int = 0
    checkpoints: int = 0
    fingerprint: str = ""
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, code: str, message: str, *, row: object = None, seal: int | None = None) -> None:
        self.problems.append(Problem(code, message, str(row) if row else None, seal))

    def take_in(self, other: "Report") -> None:
        """Add what somebody else has checked of the same trail."""
        self.rows += other.rows
        self.values += other.values
        self.erased += other.erased
        self.dropped += other.dropped
        self.problems += other.problems


@dataclass(frozen=True)
class SealedRows:
    """What a seal says about its rows."""

    number: int
    count: int
    root: bytes


class RowChecker:
    """Checks rows and tells ``report``; ``misfiled`` are rows that a search may miss.

    Made inside the snapshot that is checked: it reads which values were erased, and which rows
    were dropped.
    """

    def __init__(self, report: Report) -> None:
        self.report = report
        self.misfiled: list[str] = []
        self.erased = _erased()
        self.dropped = _dropped()

    def check_seals(self, batch: Sequence[SealedRows]) -> None:
        by_seal: dict[int, list[bytes]] = defaultdict(list)
        due = 0
        for row in rows_of_seals(batch[0].number, batch[-1].number):
            leaves = by_seal[row.seal or 0]
            due = self._check_place(row, due if leaves else 0)
            self._check_row(row)
            leaves.append(row.leaf)
        for seal in batch:
            leaves = by_seal.pop(seal.number, [])
            if len(leaves) != seal.count or merkle.root(leaves) != seal.root:
                self.report.add(
                    "root_wrong",
                    f"Seal {seal.number} was made over {seal.count} other rows than the"
                    f" {len(leaves)} that are there now: rows were changed, cut, added or"
                    " reordered.",
                    seal=seal.number,
                )

    def _check_place(self, row: StoredRow, due: int) -> int:
        """Whether a leaf stands where it should; returns the place that is due next."""
        index = row.place or 0
        if index > due:
            many = f"places {due} to {index - 1}" if index - 1 > due else f"place {due}"
            self.report.add(
                "leaf_missing",
                f"Rows were cut from {many} of seal {row.seal}, before row {row.id}.",
                seal=row.seal,
            )
        elif index < due:
            self.report.add(
                "row_moved",
                f"Row {row.id} was put at place {index} of seal {row.seal}, which is another's.",
                row=row.id,
                seal=row.seal,
            )
        return index + 1

    def _check_row(self, row: StoredRow) -> None:
        if row.stored_id is not None:
            self.check_content(row)
        elif self.is_dropped(row.id):
            self.report.dropped += 1
        else:
            self.report.add(
                "row_missing",
                f"Row {row.id} of seal {row.seal} was deleted.",
                row=row.id,
                seal=row.seal,
            )

    def is_dropped(self, id_: str) -> bool:
        return any(low <= UUID(id_) < high for low, high in self.dropped)

    def check_content(self, row: StoredRow) -> None:
        """Compare a row with its hash, and its values with its commitments."""
        report, seal = self.report, row.seal
        report.rows += 1
        where = f"row {row.id} " + (f"of seal {seal}" if seal else "that is not sealed yet")
        body = row.body()
        if row.row_hash != row.leaf or not audit_format.is_row_hash(body, row.leaf):
            report.add("row_changed", f"R{where[1:]} was changed.", row=row.id, seal=seal)
        commitments = body["commitments"]
        if row.salted is None:
            if commitments:
                report.add(
                    "values_missing", f"The values of {where} were deleted.", row=row.id, seal=seal
                )
            return
        salted = json_object(row.salted)
        report.values += len(salted)
        wrong = audit_format.wrong_values(salted, commitments)
        for name in wrong:
            report.add(
                "value_changed",
                f"The value {name!r} of {where} was changed.",
                row=row.id,
                seal=seal,
            )
        if len(salted) < len(commitments):
            missing = commitments.keys() - salted.keys()
            report.erased += len(missing)
            for name in sorted(missing - self.erased.get(row.id, set())):
                report.add(
                    "value_missing",
                    f"The value {name!r} of {where} is gone, and no erasure names it.",
                    row=row.id,
                    seal=seal,
                )
        if not wrong and not audit_format.are_words((row.words or "").split(), salted):
            self.misfiled.append(row.id)


def _erased() -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for event_id, name in fetch("select event_id, field from audit_erasure"):
        found[str(event_id)].add(name)
    return found


def _dropped() -> list[tuple[UUID, UUID]]:
    """What later seals say about earlier rows; they are themselves checked in their turn."""
    found = []
    for (text,) in fetch("select extra::text from audit_seal where kind = 'anchor'"):
        try:
            extra = json_object(text)
            found.append((UUID(extra["from"]), UUID(extra["to"])))
        except (KeyError, ValueError, AttributeError):
            continue
    return found
