"""Rows as they lie in the database, for those who recompute what they should be.

Nothing here trusts what it reads: what somebody put in the place of an object or a time is given on
as it is, so that the hash over it comes out wrong and tells.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.db import connection

from apps.audit import format as audit_format

__all__ = [
    "StoredRow",
    "fetch",
    "json_object",
    "leaf_hashes",
    "one_stored_row",
    "rows_of_seals",
    "stream",
    "unsealed_rows",
]


class StoredRow(NamedTuple):
    """A leaf with its row, if that is there; ids and times are texts, as they are hashed.

    ``salted`` is None where the row has no values at all.
    """

    seal: int | None
    place: int | None
    leaf: bytes
    mac: bytes | None
    id: str
    stored_id: str | None
    workspace: str
    at: str
    verb: str
    actor_kind: str
    actor_id: str
    on_behalf_of: str
    target_type: str
    target_id: str
    flow: str
    correlation_id: str
    commitments: str
    row_hash: bytes
    salted: str | None
    #: With spaces between; a word has none.
    words: str | None

    def body(self) -> dict[str, Any]:
        """The object that was hashed."""
        return audit_format.row_body(
            id_=self.id,
            workspace=self.workspace,
            at=self.at,
            verb=self.verb,
            actor_kind=self.actor_kind,
            actor_id=self.actor_id,
            on_behalf_of=self.on_behalf_of,
            target_type=self.target_type,
            target_id=self.target_id,
            flow=self.flow,
            correlation_id=self.correlation_id,
            commitments=json_object(self.commitments),
        )


def rows_of_seals(first: int, last: int) -> list[StoredRow]:
    """The leaves of these seals in order, each with its row and values.

    Two statements: the leaves by index, then the rows by the span of their ids, which seals mostly
    hold without a gap; one joining statement would read whole partitions for each batch.
    """
    leaves = fetch(_LEAVES, [first, last])
    if not leaves:
        return []
    contents = _contents([leaf[4] for leaf in leaves])
    absent = (None,) * 15
    return [StoredRow(*leaf, *contents.get(leaf[4], absent)) for leaf in leaves]


def _contents(ids: Sequence[str]) -> dict[str, tuple[Any, ...]]:
    """Rows with their values, by id: those of the span, or each by itself where it holds others."""
    span, most = [min(ids), max(ids)], len(ids) * 2 + 1_000
    found = fetch(_SPAN, [*span, *span, most])
    if len(found) == most:
        found = fetch(_CONTENTS, [ids, ids])
    return {row[0]: row for row in found}


def leaf_hashes(seal: int) -> list[bytes]:
    """The hashes of a seal's leaves, in order."""
    return [row[2] for row in fetch(_LEAVES, [seal, seal])]


def one_stored_row(event_id: UUID) -> StoredRow | None:
    """One row with its leaf, or with its mark while it waits; None where it has neither."""
    for query in (_ONE_SEALED, _ONE_UNSEALED):
        for row in fetch(query, [event_id]):
            return StoredRow(*row)
    return None


def unsealed_rows() -> Iterator[StoredRow]:
    """The rows that wait for a seal, in order."""
    return (StoredRow(*row) for row in stream("audit_unsealed_rows", _UNSEALED))


def json_object(text: str | None) -> dict[str, Any]:
    """A JSON object; what somebody put in the place of one is no object of ours."""
    value = msgspec.json.decode(text) if text else {}
    return value if isinstance(value, dict) else {"": value}


def fetch(query: Any, arguments: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
    """All rows of a statement."""
    with connection.cursor() as cursor:
        cursor.execute(query, arguments)
        return list(cursor.fetchall())


def stream(name: str, query: str) -> Iterator[tuple[Any, ...]]:
    """Rows through a server-side cursor; memory does not grow with the trail."""
    connection.ensure_connection()
    with connection.connection.cursor(name=name) as cursor:
        cursor.itersize = 2_000
        yield from cursor.execute(query)


# PostgreSQL writes ids and times as they are hashed, faster than Python would; and one text where
# reading an array word by word takes as long as all the rest of a row.
_CONTENT = """
  e.id::text, coalesce(e.workspace_id::text, ''),
  to_char(e.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
  e.verb, e.actor_kind, e.actor_id, e.on_behalf_of, e.target_type, e.target_id,
  coalesce(e.flow_id::text, ''), e.correlation_id, e.commitments::text, e.row_hash,
  v.salted::text, array_to_string(tsvector_to_array(v.words), ' ')
"""
_LEAVES = """
select seal_number, leaf_index, hash, null, event_id::text from audit_leaf
where seal_number between %s and %s order by seal_number, leaf_index, event_id
"""
_CONTENTS = f"""
select {_CONTENT} from audit_event e
left join audit_value v on v.event_id = e.id and v.event_id = any(%s::uuid[])
where e.id = any(%s::uuid[])
"""  # noqa: S608 - constants
_SPAN = f"""
select {_CONTENT} from audit_event e
left join audit_value v on v.event_id = e.id and v.event_id between %s and %s
where e.id between %s and %s order by e.id limit %s
"""  # noqa: S608 - constants
_JOINED = f"""
{_CONTENT} from {{}} l left join audit_event e on e.id = l.event_id
left join audit_value v on v.event_id = l.event_id where l.event_id = %s
"""
_ONE_SEALED = (
    "select l.seal_number, l.leaf_index, l.hash, null, l.event_id::text,"
    + _JOINED.format("audit_leaf")
)
_ONE_UNSEALED = "select null, null, l.row_hash, l.mac, l.event_id::text," + _JOINED.format(
    "audit_unsealed"
)
_UNSEALED = f"""
select null, null, u.row_hash, u.mac, u.event_id::text, {_CONTENT} from audit_unsealed u
left join audit_event e on e.id = u.event_id left join audit_value v on v.event_id = u.event_id
order by u.event_id
"""  # noqa: S608 - constants
