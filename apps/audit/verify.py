"""Check the whole trail: rows, values, trees, chain, signatures, and the file of checkpoints.

Nothing that the database says about itself is believed: every hash is computed again, and the
keys to trust come from outside.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from psycopg import sql

from apps.audit import format as audit_format
from apps.audit import merkle
from apps.audit.checkpoints import Checkpoint, read_checkpoints
from apps.audit.keys import fingerprint, is_signature, signing_keys
from apps.audit.partitions import TABLES
from apps.audit.stored import StoredRow, fetch, json_object, rows_of_seals, stream, unsealed_rows

__all__ = ["Problem", "Report", "verify_trail"]

BATCH_ROWS: Final = 10_000
BATCH_SEALS: Final = 2_000


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


@dataclass(frozen=True)
class _Seal:
    number: int
    kind: str
    at: Any
    count: int
    root: bytes
    previous: bytes
    key: str
    extra: dict[str, Any]
    hash: bytes
    signature: bytes


def verify_trail(*, checkpoints: Path | None, fingerprints: Collection[str] = ()) -> Report:
    """Check everything, in one snapshot of the database.

    Args:
        checkpoints: The file outside the database; None leaves it out.
        fingerprints: Keys to trust beside the configured ones.
    """
    report = Report(fingerprint=signing_keys()[0].fingerprint)
    # The file is read up to its present end, before the snapshot: every line has its seal then.
    points = read_checkpoints(checkpoints) if checkpoints else iter(())
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("set transaction isolation level repeatable read read only")
        _Verifier(report, points, set(fingerprints), has_file=checkpoints is not None).run()
    return report


class _Verifier:
    def __init__(
        self, report: Report, points: Iterator[Checkpoint], trusted: set[str], *, has_file: bool
    ) -> None:
        self.report = report
        self.points = points
        self.point = next(points, None)
        self.has_file = has_file
        self.file_ended_at: int | None = None
        self.trusted = trusted | {key.fingerprint for key in signing_keys()}
        self.untrusted: dict[str, list[int]] = defaultdict(list)
        self.previous: _Seal | None = None
        self.dropped: list[tuple[UUID, UUID]] = []
        self.erased: dict[str, set[str]] = defaultdict(set)
        self.misfiled: list[str] = []

    def run(self) -> None:
        self._read_erasures()
        self._read_anchors()
        for batch in self._seal_batches():
            for seal in batch:
                self._check_seal(seal)
            self._check_rows(batch)
        self._check_end()
        self._check_unsealed()
        self._check_strays()
        self._check_erasures()
        self._check_guards()

    def _seal_batches(self) -> Iterator[list[_Seal]]:
        batch: list[_Seal] = []
        rows = 0
        for seal in map(_read_seal, stream("seals", _SEALS)):
            batch.append(seal)
            rows += seal.count
            if rows >= BATCH_ROWS or len(batch) >= BATCH_SEALS:
                yield batch
                batch, rows = [], 0
        if batch:
            yield batch

    def _read_anchors(self) -> None:
        """What later seals say about earlier rows; they are themselves checked in their turn."""
        for (text,) in fetch("select extra::text from audit_seal where kind = 'anchor'"):
            try:
                extra = json_object(text)
                self.dropped.append((UUID(extra["from"]), UUID(extra["to"])))
            except (KeyError, ValueError, AttributeError):
                continue

    def _check_seal(self, seal: _Seal) -> None:
        report, before = self.report, self.previous
        report.seals += 1
        expected = before.number + 1 if before else 1
        if seal.number != expected:
            report.add(
                "seal_missing",
                f"Seals {expected} to {seal.number - 1} are missing: rows were cut with them.",
                seal=expected,
            )
        elif seal.previous != (before.hash if before else audit_format.NO_SEAL):
            report.add(
                "chain_broken",
                f"Seal {seal.number} does not continue seal {expected - 1}:"
                " the chain was rewritten.",
                seal=seal.number,
            )
        computed = audit_format.seal_hash(
            audit_format.seal_statement(
                number=seal.number,
                kind=seal.kind,
                at=audit_format.time_text(seal.at),
                count=seal.count,
                root=seal.root,
                previous=seal.previous,
                key=seal.key,
                extra=seal.extra,
            )
        )
        if computed != seal.hash:
            report.add(
                "seal_changed",
                f"Seal {seal.number} was changed: its hash is another.",
                seal=seal.number,
            )
        public = _bytes(seal.key)
        if fingerprint(public) not in self.trusted:
            self.untrusted[fingerprint(public)].append(seal.number)
        elif not is_signature(public, seal.signature, computed):
            report.add(
                "signature_wrong",
                f"Seal {seal.number} does not bear the signature of the key it names.",
                seal=seal.number,
            )
        elif seal.kind == "key":
            self.trusted.add(fingerprint(_bytes(seal.extra.get("next_key"))))
        self._check_point(seal)
        self.previous = seal

    def _check_point(self, seal: _Seal) -> None:
        """Walk the file beside the seals."""
        while self.point is not None and self.point.number < seal.number:
            self._bad_point(self.point)
            self._next_point()
        if self.point is None:
            if self.has_file and self.file_ended_at is None:
                self.file_ended_at = seal.number
            return
        if self.point.number > seal.number:
            self.report.add(
                "checkpoint_missing",
                f"The checkpoint file skips seal {seal.number}: a line was taken out.",
                seal=seal.number,
            )
            return
        self.report.checkpoints += 1
        if self.point.hash != seal.hash.hex() or self.point.signature != seal.signature.hex():
            self.report.add(
                "checkpoint_differs",
                f"Seal {seal.number} is not the one in the checkpoint file (line"
                f" {self.point.line}): the trail was sealed again, or the file was changed.",
                seal=seal.number,
            )
        self._next_point()

    def _next_point(self) -> None:
        before = self.point
        self.point = next(self.points, None)
        if before and self.point and 0 < self.point.number <= before.number:
            self._bad_point(self.point)
            self._next_point()

    def _bad_point(self, point: Checkpoint) -> None:
        what = f"names seal {point.number} out of order" if point.number else "cannot be read"
        seal = f", or seal {point.number} was cut" if point.number else ""
        self.report.add(
            "checkpoint_bad",
            f"Line {point.line} of the checkpoint file {what}{seal}.",
            seal=point.number or None,
        )

    def _check_end(self) -> None:
        report, last = self.report, self.previous.number if self.previous else 0
        lines = [point for point in (self.point, *self.points) if point]
        for point in (point for point in lines if not point.number):
            self._bad_point(point)
        beyond = [point.number for point in lines if point.number > last]
        if beyond:
            report.add(
                "tail_cut",
                f"The checkpoint file knows seals up to {max(beyond)}, the database ends at"
                f" {last}: seals {last + 1} to {max(beyond)} and their rows were cut, or an"
                " older backup was restored.",
                seal=last + 1,
            )
        if self.file_ended_at is not None:
            report.notes.append(
                f"The checkpoint file does not have seals {self.file_ended_at} to {last} yet;"
                " the next sealing adds them."
            )
        for key, numbers in self.untrusted.items():
            report.add(
                "key_unknown",
                f"{len(numbers)} seals from {numbers[0]} to {numbers[-1]} are signed by the key"
                f" {key}, which is not trusted here: list it in SIGNALBOX_SIGNING_KEY behind the"
                " present one, or they are forged.",
                seal=numbers[0],
            )

    def _check_rows(self, batch: list[_Seal]) -> None:
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
            self._check_content(row)
        elif self._is_dropped(row.id):
            self.report.dropped += 1
        else:
            self.report.add(
                "row_missing",
                f"Row {row.id} of seal {row.seal} was deleted.",
                row=row.id,
                seal=row.seal,
            )

    def _is_dropped(self, id_: str) -> bool:
        return any(low <= UUID(id_) < high for low, high in self.dropped)

    def _check_content(self, row: StoredRow) -> None:
        """Compare a row with its hash, and its values with its commitments."""
        report, seal = self.report, row.seal
        report.rows += 1
        where = f"row {row.id} " + (f"of seal {seal}" if seal else "that is not sealed yet")
        body = row.body()
        if audit_format.row_hash(body) != row.leaf or row.row_hash != row.leaf:
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
        wrong = [
            name
            for name, pair in salted.items()
            if not _is_committed(name, pair, commitments.get(name))
        ]
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
        if not wrong and set(row.words or ()) != set(audit_format.words(salted)):
            self.misfiled.append(row.id)

    def _check_unsealed(self) -> None:
        keys = signing_keys()
        for row in unsealed_rows():
            self.report.unsealed += 1
            if not any(key.mac(row.leaf) == row.mac for key in keys):
                self.report.add(
                    "unsealed_forged",
                    f"Row {row.id}, which is not sealed yet, was written or changed by somebody"
                    " without the key.",
                    row=row.id,
                )
            if row.stored_id is None:
                self.report.add(
                    "row_missing", f"Row {row.id} was deleted before it was sealed.", row=row.id
                )
            else:
                self._check_content(row)

    def _check_strays(self) -> None:
        """Rows that no seal knows and none will."""
        for number, count in fetch(_LOST_LEAVES):
            self.report.add(
                "seal_missing", f"{count} rows name seal {number}, which is missing.", seal=number
            )
        for (id_,) in stream("strays", _STRAYS):
            self.report.add(
                "row_stray",
                f"Row {id_} is neither sealed nor waiting for a seal: it was added, or its leaf"
                " deleted.",
                row=id_,
            )
        for (id_,) in stream("loose", _LOOSE_VALUES):
            self.report.add(
                "value_stray", f"There are values for row {id_}, which is not there.", row=id_
            )

    def _read_erasures(self) -> None:
        for event_id, name in fetch("select event_id, field from audit_erasure"):
            self.erased[str(event_id)].add(name)

    def _check_erasures(self) -> None:
        """Each list of erased values is the one that its row of the trail tells of."""
        rows = fetch("select by_event_id, event_id, field from audit_erasure order by by_event_id")
        for by, group in groupby(rows, key=lambda row: row[0]):
            digest = audit_format.erasure_digest((event_id, name) for _, event_id, name in group)
            if self._is_dropped(str(by)):
                continue
            told = fetch(
                "select e.verb, v.salted -> 'details.list' ->> 1 from audit_event e"
                " left join audit_value v on v.event_id = e.id where e.id = %s",
                [by],
            )
            if [("audit.erase", f'"{digest}"')] != [tuple(row) for row in told]:
                self.report.add(
                    "erasure_wrong",
                    f"The list of erased values does not agree with row {by}, which tells of it.",
                    row=by,
                )

    def _check_guards(self) -> None:
        """The triggers stand on every partition, and DEFAULT is empty."""
        for table, expected in fetch(_GUARDS, [list(TABLES), list(TABLES)]):
            self.report.add(
                "guard_missing",
                f"The table {table} lacks its trigger {expected!r}, or it is off: rows could be"
                " changed there.",
            )
        if self.misfiled:
            # No evidence hangs on them, and another Python may know another alphabet.
            self.report.notes.append(
                f"The search words of {len(self.misfiled)} rows, such as {self.misfiled[0]}, are"
                " not those of their values: a search may miss them."
            )
        for table in TABLES:
            name = sql.Identifier(f"{table}_default")
            if fetch(sql.SQL("select 1 from {} limit 1").format(name)):
                self.report.notes.append(
                    f"Rows lie in {table}_default: partitions were not made in time."
                )


def _bytes(text: object) -> bytes:
    """Hex as bytes; what is no hex names no key."""
    try:
        return bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        return b""


def _is_committed(name: str, pair: Any, commitment: object) -> bool:
    try:
        salt, text = pair
        return audit_format.commitment(bytes.fromhex(salt), name, text) == commitment
    except (ValueError, TypeError, AttributeError):
        return False


def _read_seal(row: tuple[Any, ...]) -> _Seal:
    number, kind, at, count, root, previous, key, extra, hash_, signature = row
    return _Seal(number, kind, at, count, root, previous, key, json_object(extra), hash_, signature)


_SEALS = (
    "select number, kind, at, count, root, previous, key, extra::text, hash, signature"
    " from audit_seal order by number"
)
_STRAYS = (
    "select e.id from audit_event e where"
    " not exists (select 1 from audit_leaf l where l.event_id = e.id)"
    " and not exists (select 1 from audit_unsealed u where u.event_id = e.id)"
)
_LOST_LEAVES = (
    "select seal_number, count(*) from audit_leaf l where not exists"
    " (select 1 from audit_seal s where s.number = l.seal_number) group by 1 order by 1"
)
_LOOSE_VALUES = (
    "select v.event_id from audit_value v where not exists"
    " (select 1 from audit_event e where e.id = v.event_id)"
)
_GUARDS = """
with tables as (
  select c.oid, c.relname, coalesce(p.relname, c.relname) as root from pg_class c
  left join pg_inherits i on i.inhrelid = c.oid left join pg_class p on p.oid = i.inhparent
  where c.relkind in ('r', 'p')
    and c.relnamespace = (select relnamespace from pg_class where oid = 'audit_event'::regclass)
    and (c.relname in ('audit_seal', 'audit_erasure') or c.relname = any(%s::text[])
         or p.relname = any(%s::text[]))
), due as (
  select oid, relname, 'no_truncate' as name from tables
  union all
  select oid, relname, case when root = 'audit_value' then 'erase_only' else 'insert_only' end
  from tables
)
select d.relname, d.name from due d where not exists (
  select 1 from pg_trigger t
  where t.tgrelid = d.oid and t.tgname = d.name and t.tgenabled in ('O', 'A')
) order by 1, 2
"""
