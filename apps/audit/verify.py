"""Check the whole trail: rows, values, trees, chain, signatures, and the file of checkpoints.

Nothing that the database says about itself is believed: every hash is computed again, and the
keys to trust come from outside.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from django.db import connection, transaction
from psycopg import sql

from apps.audit import format as audit_format
from apps.audit.beside import Beside
from apps.audit.checkpoints import Checkpoint, read_checkpoints
from apps.audit.keys import fingerprint, is_signature, signing_keys
from apps.audit.partitions import TABLES
from apps.audit.row_checks import Problem, Report, RowChecker, SealedRows
from apps.audit.stored import fetch, json_object, stream, unsealed_rows

__all__ = ["Problem", "Report", "verify_trail"]

BATCH_ROWS: Final = 10_000
BATCH_SEALS: Final = 2_000
#: Below so many rows other processes take longer to start than one takes to check them.
FEW_ROWS: Final = 100_000


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

    @property
    def rows(self) -> SealedRows:
        return SealedRows(self.number, self.count, self.root)


def verify_trail(
    *, checkpoints: Path | None, fingerprints: Collection[str] = (), processes: int = 1
) -> Report:
    """Check everything, in one snapshot of the database.

    Args:
        checkpoints: The file outside the database; None leaves it out.
        fingerprints: Keys to trust beside the configured ones.
        processes: How many check rows at once where there are many.
    """
    report = Report(fingerprint=signing_keys()[0].fingerprint)
    # The file is read up to its present end, before the snapshot: every line has its seal then.
    points = read_checkpoints(checkpoints) if checkpoints else iter(())
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("set transaction isolation level repeatable read read only")
        verifier = _Verifier(report, points, set(fingerprints), has_file=checkpoints is not None)
        with _beside(processes if is_outermost else 1) as beside:
            verifier.run(beside)
    return report


def _beside(processes: int) -> Any:
    """Processes that see what this transaction sees, where it is worth it."""
    [(rows,)] = fetch("select coalesce(sum(count), 0) from audit_seal")
    if processes < 2 or rows < FEW_ROWS:
        return nullcontext()
    [(snapshot,)] = fetch("select pg_export_snapshot()")
    return closing(Beside(processes, snapshot))


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
        self.rows = RowChecker(report)

    def run(self, beside: Beside | None) -> None:
        for batch in self._seal_batches():
            for seal in batch:
                self._check_seal(seal)
            rows = [seal.rows for seal in batch]
            if beside is None:
                self.rows.check_seals(rows)
            else:
                self._take_in(beside.check(rows))
        if beside is not None:
            self._take_in(beside.rest())
        self._check_end()
        self._check_unsealed()
        self._check_strays()
        self._check_erasures()
        self._check_guards()

    def _take_in(self, found: Iterator[tuple[Report, list[str]]]) -> None:
        for report, misfiled in found:
            self.report.take_in(report)
            self.rows.misfiled += misfiled

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
                self.rows.check_content(row)

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

    def _check_erasures(self) -> None:
        """Each list of erased values is the one that its row of the trail tells of."""
        rows = fetch("select by_event_id, event_id, field from audit_erasure order by by_event_id")
        for by, group in groupby(rows, key=lambda row: row[0]):
            digest = audit_format.erasure_digest((event_id, name) for _, event_id, name in group)
            if self.rows.is_dropped(str(by)):
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
        if misfiled := self.rows.misfiled:
            # No evidence hangs on them, and another Python may know another alphabet.
            self.report.notes.append(
                f"The search words of {len(misfiled)} rows, such as {misfiled[0]}, are"
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
