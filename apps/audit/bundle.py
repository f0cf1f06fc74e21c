"""A bundle: a part of the trail as one file of JSON lines that anybody can check offline.

It goes by whole seals. What the reader may not see, rows of others and erased or withheld values,
is there as hashes. The last line signs the file, so that nobody on its way can leave rows out.
``tools/verify_audit.py`` checks it; ``docs/audit-format.md`` describes it.
"""

from collections.abc import Collection, Iterator
from datetime import datetime
from hashlib import sha256
from itertools import accumulate, chain, groupby
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db import connection
from django.db.models import Max, Min

from apps.audit import format as audit_format
from apps.audit import merkle
from apps.audit.keys import signing_keys
from apps.audit.models import AuditLeaf, AuditSeal
from apps.audit.queries import audit_rows, get_row
from apps.audit.stored import StoredRow, json_object, rows_of_seals
from apps.core.errors import Conflict

__all__ = ["bundle_of_period", "proof_of_row"]

_SEALS_AT_ONCE: Final = 200
_ROWS_AT_ONCE: Final = 5_000


def bundle_of_period(
    workspace_id: UUID,
    *,
    since: datetime | None,
    until: datetime | None,
    withhold: Collection[str],
    made_by: str,
    now: datetime,
) -> Iterator[bytes]:
    """The workspace's sealed rows of a period, with every seal from the first to the last.

    ``withhold`` names fields whose values are left out: ``actor.label``, or ``before.`` for all
    of a part. Rows that are not sealed yet are not in it.
    """
    first, last = _span(workspace_id, since, until)
    header = {
        "format": audit_format.BUNDLE_FORMAT,
        "from": audit_format.time_text(since) if since else "",
        "made_at": audit_format.time_text(now),
        "made_by": made_by,
        "seals": [first, last] if first else [],
        "to": audit_format.time_text(until) if until else "",
        "workspace": str(workspace_id),
    }
    return _signed(header, _period_lines(workspace_id, first, last, withhold))


def proof_of_row(
    workspace_id: UUID, event_id: UUID, *, withhold: Collection[str], made_by: str, now: datetime
) -> Iterator[bytes]:
    """A bundle of one row: its seal, and the path of hashes from the row to the seal's root.

    Raises:
        NotFound: The workspace has no such row.
        Conflict: The row is not sealed yet.
    """
    get_row(workspace_id, event_id)
    leaf = AuditLeaf.objects.filter(event_id=event_id).first()
    if leaf is None:
        raise Conflict("This row is not sealed yet; try again in a few seconds.")
    seal = AuditSeal.objects.get(number=leaf.seal_number)
    leaves = _leaves_by_seal(workspace_id, seal.number, seal.number)[seal.number]
    steps = merkle.path([row.leaf for row in leaves], leaf.leaf_index)
    header = {
        "format": audit_format.BUNDLE_FORMAT,
        "from": "",
        "made_at": audit_format.time_text(now),
        "made_by": made_by,
        "seals": [seal.number, seal.number],
        "to": "",
        "workspace": str(workspace_id),
    }
    row = _row(leaves[leaf.leaf_index], withhold)
    proof = {**row, "index": leaf.leaf_index, "path": [step.hex() for step in steps]}
    return _signed(header, iter([_seal(seal), proof]))


def _signed(header: dict[str, Any], lines: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    """The lines between a header and an end that signs all the bytes before it."""
    key = signing_keys()[0]
    digest = sha256()
    count = {"row": 0, "seal": 0}
    head: list[dict[str, Any]] = [{"bundle": header}]
    for line in chain(head, lines):
        for kind in count.keys() & line.keys():
            count[kind] += 1
        text = msgspec.json.encode(line) + b"\n"
        digest.update(text)
        yield text
    end = {
        "key": key.public.hex(),
        "rows": count["row"],
        "seals": count["seal"],
        "sha256": digest.hexdigest(),
        "signature": key.sign_bundle(digest.digest()).hex(),
    }
    yield msgspec.json.encode({"end": end}) + b"\n"


def _period_lines(
    workspace_id: UUID, first: int, last: int, withhold: Collection[str]
) -> Iterator[dict[str, Any]]:
    # By keyset, not by cursor: nothing stays open while the reader takes its time.
    while first and first <= last:
        batch = list(
            AuditSeal.objects.filter(number__gte=first, number__lte=last).order_by("number")[
                :_SEALS_AT_ONCE
            ]
        )
        totals = accumulate(seal.count for seal in batch)
        fitting = sum(total <= _ROWS_AT_ONCE for total in totals)
        batch = batch[: max(1, fitting)]
        leaves = _leaves_by_seal(workspace_id, batch[0].number, batch[-1].number)
        for seal in batch:
            yield _seal(seal)
            yield from _leaf_lines(leaves.get(seal.number, []), workspace_id, withhold)
        first = batch[-1].number + 1


def _span(workspace_id: UUID, since: datetime | None, until: datetime | None) -> tuple[int, int]:
    """The first and last seal that hold rows of the period; zeros where there are none."""
    mine = audit_rows(workspace_id, since=since, until=until).order_by()
    found = AuditLeaf.objects.filter(event_id__in=mine.values("id")).aggregate(
        first=Min("seal_number"), last=Max("seal_number")
    )
    return found["first"] or 0, found["last"] or 0


def _leaves_by_seal(workspace_id: UUID, first: int, last: int) -> dict[int, list[StoredRow]]:
    """The leaves of those seals that hold a row of the workspace."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select distinct l.seal_number from audit_leaf l"
            " join audit_event e on e.id = l.event_id"
            " where l.seal_number between %s and %s and e.workspace_id = %s",
            [first, last, workspace_id],
        )
        mine = {number for (number,) in cursor.fetchall()}
        if not mine:
            return {}
    groups = groupby(rows_of_seals(min(mine), max(mine)), key=lambda row: row.seal or 0)
    return {number: list(group) for number, group in groups if number in mine}


def _leaf_lines(
    leaves: list[StoredRow], workspace_id: UUID, withhold: Collection[str]
) -> Iterator[dict[str, Any]]:
    """A line for each own row, and one for each run of leaves between them."""
    for is_own, group in groupby(leaves, key=lambda row: row.workspace == str(workspace_id)):
        if is_own:
            for row in group:
                yield _row(row, withhold)
        else:
            yield {"hashes": [row.leaf.hex() for row in group]}


def _row(row: StoredRow, withhold: Collection[str]) -> dict[str, Any]:
    salted = json_object(row.salted)
    shown = {name: pair for name, pair in salted.items() if not _is_withheld(name, withhold)}
    return {"row": row.body(), "values": shown}


def _is_withheld(name: str, withhold: Collection[str]) -> bool:
    return any(
        name == field or (field.endswith(".") and name.startswith(field)) for field in withhold
    )


def _seal(seal: AuditSeal) -> dict[str, Any]:
    statement = audit_format.seal_statement(
        number=seal.number,
        kind=seal.kind,
        at=audit_format.time_text(seal.at),
        count=seal.count,
        root=bytes(seal.root),
        previous=bytes(seal.previous),
        key=seal.key,
        extra=seal.extra,
    )
    return {"seal": statement, "signature": bytes(seal.signature).hex()}
