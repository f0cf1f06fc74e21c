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

import msgspec
from django.db import connection, transaction
from psycopg import sql

from apps.audit import format as audit_format
from apps.audit import merkle
from apps.audit.checkpoints import Checkpoint, read_checkpoints
from apps.audit.keys import fingerprint, is_signature, signing_keys
from apps.audit.partitions import TABLES

__all__ = ["ROWS_OF_SEALS", "Problem", "Report", "read_content", "verify_trail"]

BATCH_ROWS: Final = 10_000
BATCH_SEALS: Final = 2_000

_json = msgspec.json.Decoder(dict[str, Any])


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
        self.erased: dict[UUID, set[str]] = defaultdict(set)

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
        for seal in map(_read_seal, _stream("seals", _SEALS)):
            batch.append(seal)
            rows += seal.count
            if rows >= BATCH_ROWS or len(batch) >= BATCH_SEALS:
                yield batch
                batch, rows = [], 0
        if batch:
            yield batch

    def _read_anchors(self) -> None:
        """What later seals say about earlier rows; they are themselves checked in their turn."""
        for (text,) in _fetch("select extra::text from audit_seal where kind = 'anchor'"):
            try:
                extra = _json.decode(text)
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
        rows = _fetch(ROWS_OF_SEALS, [batch[0].number, batch[-1].number])
        for number, group in groupby(rows, key=lambda row: row[0]):
            leaves = by_seal[number]
            due = 0
            for row in group:
                self._check_place(row, due)
                self._check_row(row)
                leaves.append(row[2])
                due = row[1] + 1
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

    def _check_place(self, row: tuple[Any, ...], due: int) -> None:
        seal, index, _, id_ = row[:4]
        if index > due:
            many = f"places {due} to {index - 1}" if index - 1 > due else f"place {due}"
            self.report.add(
                "leaf_missing",
                f"Rows were cut from {many} of seal {seal}, before row {id_}.",
                seal=seal,
            )
        elif index < due:
            self.report.add(
                "row_moved",
                f"Row {id_} was put at place {index} of seal {seal}, which is another's.",
                row=id_,
                seal=seal,
            )

    def _check_row(self, row: tuple[Any, ...]) -> None:
        seal, _, leaf, id_, event_id = row[:5]
        report = self.report
        if event_id is None:
            if self._is_dropped(id_):
                report.dropped += 1
            else:
                report.add(
                    "row_missing", f"Row {id_} of seal {seal} was deleted.", row=id_, seal=seal
                )
            return
        self._check_content(row, leaf, seal)

    def _is_dropped(self, id_: UUID) -> bool:
        return any(low <= id_ < high for low, high in self.dropped)

    def _check_content(self, row: tuple[Any, ...], leaf: bytes, seal: int | None) -> None:
        """Compare a row with its hash, and its values with its commitments."""
        id_, stored = row[3], row[15]
        body, salted = read_content(row)
        commitments = body["commitments"]
        report = self.report
        report.rows += 1
        where = f"of seal {seal}" if seal else "that is not sealed yet"
        if audit_format.row_hash(body) != leaf or stored != leaf:
            report.add("row_changed", f"Row {id_} {where} was changed.", row=id_, seal=seal)
        if row[17] is None:
            if commitments:
                report.add(
                    "values_missing",
                    f"The values of row {id_} {where} were deleted.",
                    row=id_,
                    seal=seal,
                )
            return
        is_whole = True
        for name, pair in salted.items():
            report.values += 1
            if not _is_committed(name, pair, commitments.get(name)):
                report.add(
                    "value_changed",
                    f"The value {name!r} of row {id_} {where} was changed.",
                    row=id_,
                    seal=seal,
                )
                is_whole = False
        if len(salted) < len(commitments):
            missing = commitments.keys() - salted.keys()
            report.erased += len(missing)
            for name in sorted(missing - self.erased.get(id_, set())):
                report.add(
                    "value_missing",
                    f"The value {name!r} of row {id_} {where} is gone, and no erasure names it.",
                    row=id_,
                    seal=seal,
                )
        if is_whole and set(row[18]) != set(audit_format.words(salted)):
            report.add(
                "words_changed",
                f"The search words of row {id_} {where} are not those of its values: it would be"
                " found wrongly or not at all.",
                row=id_,
                seal=seal,
            )

    def _check_unsealed(self) -> None:
        keys = signing_keys()
        for row in _stream("unsealed", _UNSEALED):
            self.report.unsealed += 1
            row_hash, mac, id_, event_id = row[2], row[1], row[3], row[4]
            if not any(key.mac(row_hash) == mac for key in keys):
                self.report.add(
                    "unsealed_forged",
                    f"Row {id_}, which is not sealed yet, was written or changed by somebody"
                    " without the key.",
                    row=id_,
                )
            if event_id is None:
                self.report.add(
                    "row_missing", f"Row {id_} was deleted before it was sealed.", row=id_
                )
            else:
                self._check_content(row, row_hash, None)

    def _check_strays(self) -> None:
        """Rows that no seal knows and none will."""
        for number, count in _fetch(_LOST_LEAVES):
            self.report.add(
                "seal_missing", f"{count} rows name seal {number}, which is missing.", seal=number
            )
        for (id_,) in _stream("strays", _STRAYS):
            self.report.add(
                "row_stray",
                f"Row {id_} is neither sealed nor waiting for a seal: it was added, or its leaf"
                " deleted.",
                row=id_,
            )
        for (id_,) in _stream("loose", _LOOSE_VALUES):
            self.report.add(
                "value_stray", f"There are values for row {id_}, which is not there.", row=id_
            )

    def _read_erasures(self) -> None:
        for event_id, name in _fetch("select event_id, field from audit_erasure"):
            self.erased[event_id].add(name)

    def _check_erasures(self) -> None:
        """Each list of erased values is the one that its row of the trail tells of."""
        rows = _fetch("select by_event_id, event_id, field from audit_erasure order by by_event_id")
        for by, group in groupby(rows, key=lambda row: row[0]):
            digest = audit_format.erasure_digest((event_id, name) for _, event_id, name in group)
            if self._is_dropped(by):
                continue
            told = _fetch(
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
        for table, expected in _fetch(_GUARDS, [list(TABLES), list(TABLES)]):
            self.report.add(
                "guard_missing",
                f"The table {table} lacks its trigger {expected!r}, or it is off: rows could be"
                " changed there.",
            )
        for table in TABLES:
            name = sql.Identifier(f"{table}_default")
            if _fetch(sql.SQL("select 1 from {} limit 1").format(name)):
                self.report.notes.append(
                    f"Rows lie in {table}_default: partitions were not made in time."
                )


def read_content(row: tuple[Any, ...]) -> tuple[dict[str, Any], audit_format.Salted]:
    """A row of ``ROWS_OF_SEALS`` as the object that was hashed, and what is left of its values."""
    body = audit_format.row_body(
        id_=str(row[4]),
        workspace=str(row[5] or ""),
        at=audit_format.time_text(row[6]),
        verb=row[7],
        actor_kind=row[8],
        actor_id=row[9],
        on_behalf_of=row[10],
        target_type=row[11],
        target_id=row[12],
        flow=str(row[13] or ""),
        correlation_id=row[16],
        commitments=_object(row[14]),
    )
    return body, _object(row[17])


def _bytes(text: object) -> bytes:
    """Hex as bytes; what is no hex names no key."""
    try:
        return bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        return b""


def _object(text: str | None) -> dict[str, Any]:
    """A JSON object; what somebody put in the place of one is no object of ours."""
    value = msgspec.json.decode(text) if text else {}
    return value if isinstance(value, dict) else {"": value}


def _is_committed(name: str, pair: Any, commitment: object) -> bool:
    try:
        salt, text = pair
        return audit_format.commitment(bytes.fromhex(salt), name, text) == commitment
    except (ValueError, TypeError, AttributeError):
        return False


def _read_seal(row: tuple[Any, ...]) -> _Seal:
    number, kind, at, count, root, previous, key, extra, hash_, signature = row
    return _Seal(
        number, kind, at, count, root, previous, key, _json.decode(extra), hash_, signature
    )


def _fetch(query: Any, arguments: list[Any] | None = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, arguments)
        return list(cursor.fetchall())


def _stream(name: str, query: str) -> Iterator[tuple[Any, ...]]:
    """Rows through a server-side cursor; memory does not grow with the trail."""
    connection.ensure_connection()
    with connection.connection.cursor(name=f"audit_{name}") as cursor:
        cursor.itersize = 2_000
        yield from cursor.execute(query)


_SEALS = (
    "select number, kind, at, count, root, previous, key, extra::text, hash, signature"
    " from audit_seal order by number"
)
_CONTENT = (
    "e.id, e.workspace_id, e.at, e.verb, e.actor_kind, e.actor_id, e.on_behalf_of, e.target_type,"
    " e.target_id, e.flow_id, e.commitments::text, e.row_hash, e.correlation_id, v.salted::text,"
    " tsvector_to_array(v.words)"
)
ROWS_OF_SEALS = (
    f"select l.seal_number, l.leaf_index, l.hash, l.event_id, {_CONTENT} from audit_leaf l"  # noqa: S608 - constants
    " left join audit_event e on e.id = l.event_id"
    " left join audit_value v on v.event_id = l.event_id"
    " where l.seal_number between %s and %s order by l.seal_number, l.leaf_index, l.event_id"
)
_UNSEALED = (
    f"select null, u.mac, u.row_hash, u.event_id, {_CONTENT} from audit_unsealed u"  # noqa: S608 - constants
    " left join audit_event e on e.id = u.event_id"
    " left join audit_value v on v.event_id = u.event_id"
    " order by u.event_id"
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
