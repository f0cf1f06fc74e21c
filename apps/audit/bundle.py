"""A bundle: a part of the trail as one file of JSON lines that anybody can check offline.

It goes by whole seals. What the reader may not see, rows of others and erased or withheld values,
is there as hashes. The last line signs the file, so that nobody on its way can leave rows out.
``tools/verify_audit.py`` checks it; ``docs/audit-format.md`` describes it.
"""

from collections.abc import Callable, Collection, Iterator
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
from apps.audit.stored import (
    StoredRow,
    json_object,
    leaf_hashes,
    one_stored_row,
    rows_of_seals,
)
from apps.core.errors import Conflict

__all__ = ["bundle_of_period", "consistency", "parts_of_proof", "proof_of_row"]

#: Which of the workspace's rows are shown.
Chosen = Callable[[StoredRow], bool]

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
    chosen: Chosen | None = None,
) -> Iterator[bytes]:
    """The workspace's sealed rows of a period, with every seal from the first to the last.

    ``withhold`` names fields whose values are left out: ``actor.label``, or ``before.`` for all
    of a part. Rows that are not sealed yet are not in it. ``chosen`` says which rows are shown;
    the others are there as hashes, or not at all where a row's path to the root is shorter.
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
    return _signed(header, _period_lines(workspace_id, first, last, withhold, chosen))


def proof_of_row(
    workspace_id: UUID, event_id: UUID, *, withhold: Collection[str], made_by: str, now: datetime
) -> Iterator[bytes]:
    """A bundle of one row: its seal, and the path of hashes from the row to the seal's root.

    Raises:
        NotFound: The workspace has no such row.
        Conflict: The row is not sealed yet.
    """
    parts = parts_of_proof(workspace_id, event_id, withhold=withhold)
    number = parts["seal"]["number"]
    header = {
        "format": audit_format.BUNDLE_FORMAT,
        "from": "",
        "made_at": audit_format.time_text(now),
        "made_by": made_by,
        "seals": [number, number],
        "to": "",
        "workspace": str(workspace_id),
    }
    seal = {name: parts[name] for name in ("seal", "signature")}
    proof = {name: parts[name] for name in ("row", "values", "index", "path")}
    return _signed(header, iter([seal, proof]))


def parts_of_proof(
    workspace_id: UUID, event_id: UUID, *, withhold: Collection[str] = ()
) -> dict[str, Any]:
    """One row with its values, its seal, and the path of hashes from the one to the other.

    Raises:
        NotFound: The workspace has no such row.
        Conflict: The row is not sealed yet.
    """
    get_row(workspace_id, event_id)
    leaf = AuditLeaf.objects.filter(event_id=event_id).first()
    if leaf is None:
        raise Conflict("This row is not sealed yet; try again in a few seconds.")
    seal = AuditSeal.objects.get(number=leaf.seal_number)
    steps = merkle.path(leaf_hashes(seal.number), leaf.leaf_index)
    stored = one_stored_row(event_id)
    if stored is None or stored.stored_id is None:
        raise Conflict("This row was deleted from the trail while it was read.")
    return {
        **_seal(seal),
        **_row(stored, withhold),
        "index": leaf.leaf_index,
        "path": [step.hex() for step in steps],
    }


def consistency(
    workspace_id: UUID, first: int, last: int, *, made_by: str, now: datetime
) -> Iterator[bytes]:
    """That one checkpoint continues another: every seal from ``first`` to ``last``, and no row.

    Each seal names the hash of the one before, so who kept the line of ``first`` in a checkpoint
    file knows that nothing before it was changed while ``last`` was reached. It is a bundle, and
    ``verify_audit.py`` checks it with ``--checkpoints``.

    Raises:
        Conflict: The trail does not have these seals, or they are the wrong way round.
    """
    head = AuditSeal.objects.aggregate(last=Max("number"))["last"] or 0
    if not 1 <= first <= last <= head:
        raise Conflict(
            f"There are seals 1 to {head}; give two of them, the earlier one first."
            if head
            else "Nothing is sealed yet; try again in a few seconds."
        )
    header = {
        "format": audit_format.BUNDLE_FORMAT,
        "from": "",
        "made_at": audit_format.time_text(now),
        "made_by": made_by,
        "seals": [first, last],
        "to": "",
        "workspace": str(workspace_id),
    }
    return _signed(header, _seal_lines(first, last))


def _seal_lines(first: int, last: int) -> Iterator[dict[str, Any]]:
    while first <= last:
        batch = AuditSeal.objects.filter(number__gte=first, number__lte=last).order_by("number")
        seals = list(batch[:_SEALS_AT_ONCE])
        yield from map(_seal, seals)
        if not seals:
            return
        first = seals[-1].number + 1


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
    workspace_id: UUID,
    first: int,
    last: int,
    withhold: Collection[str],
    chosen: Chosen | None,
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
            own = leaves.get(seal.number, [])
            yield from (
                _leaf_lines(own, workspace_id, withhold)
                if chosen is None
                else _chosen_lines(own, workspace_id, withhold, chosen)
            )
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


def _chosen_lines(
    leaves: list[StoredRow], workspace_id: UUID, withhold: Collection[str], chosen: Chosen
) -> Iterator[dict[str, Any]]:
    """The chosen rows of a seal, each with its own path to the root: others are not shown."""
    own = str(workspace_id)
    places = [
        at for at, row in enumerate(leaves) if row.workspace == own and row.at and chosen(row)
    ]
    if not places:
        return
    tree = merkle.Tree([row.leaf for row in leaves])
    for at in places:
        path = [step.hex() for step in tree.path(at)]
        yield {**_row(leaves[at], withhold), "index": at, "path": path}


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
