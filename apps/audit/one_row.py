"""Is this one row as it was sealed? Its hash, its values, the way to the root, the signature.

Costs one seal, however long the trail is. Whether rows are missing elsewhere only ``audit.verify``
says.
"""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from apps.audit import format as audit_format
from apps.audit import merkle
from apps.audit.keys import fingerprint, is_signature, signing_keys
from apps.audit.models import AuditEvent, AuditLeaf, AuditSeal
from apps.audit.row_checks import Problem, Report, RowChecker
from apps.audit.stored import leaf_hashes, one_stored_row

__all__ = ["RowProof", "check_row"]


@dataclass
class RowProof:
    """Where a row is sealed, and what is wrong with it; nothing is where ``problems`` is empty."""

    seal: int | None = None
    place: int | None = None
    count: int = 0
    sealed_at: datetime | None = None
    key: str = ""
    steps: int = 0
    problems: list[Problem] = field(default_factory=list)


def check_row(event_id: UUID) -> RowProof:
    """Compute everything about a row again, from what the database holds now.

    A row that waits for its seal has none yet; its own hash and values are checked all the same.
    """
    report = Report()
    stored = one_stored_row(event_id)
    leaf = AuditLeaf.objects.filter(event_id=event_id).first()
    if stored is not None and stored.stored_id is not None:
        RowChecker(report).check_content(stored)
    elif stored is not None:
        report.add("row_missing", f"Row {event_id} was deleted.", row=event_id)
    if leaf is None:
        if AuditEvent.objects.filter(pk=event_id).exists() and stored is None:
            report.add(
                "row_stray",
                f"Row {event_id} is neither sealed nor waiting for a seal: it was added, or its"
                " leaf deleted.",
                row=event_id,
            )
        return RowProof(problems=report.problems)
    seal = AuditSeal.objects.filter(number=leaf.seal_number).first()
    if seal is None:
        report.add("seal_missing", f"Seal {leaf.seal_number} is missing.", seal=leaf.seal_number)
        return RowProof(seal=leaf.seal_number, problems=report.problems)
    steps = _check_seal(seal, leaf, report)
    return RowProof(
        seal=seal.number,
        place=leaf.leaf_index,
        count=seal.count,
        sealed_at=seal.at,
        key=fingerprint(_public(seal.key)),
        steps=steps,
        problems=report.problems,
    )


def _check_seal(seal: AuditSeal, leaf: AuditLeaf, report: Report) -> int:
    """The way from the row's hash to the seal's root, and the seal itself; how long that way is."""
    hashes = leaf_hashes(seal.number)
    steps = merkle.path(hashes, leaf.leaf_index) if leaf.leaf_index < len(hashes) else []
    root = merkle.root_from_path(bytes(leaf.hash), leaf.leaf_index, seal.count, steps)
    if root != bytes(seal.root):
        report.add(
            "root_wrong",
            f"The row does not lead to the root of seal {seal.number}: a row of it was changed,"
            " cut, added or moved.",
            seal=seal.number,
        )
    computed = audit_format.seal_hash(
        audit_format.seal_statement(
            number=seal.number,
            kind=seal.kind,
            at=audit_format.time_text(seal.at),
            count=seal.count,
            root=bytes(seal.root),
            previous=bytes(seal.previous),
            key=seal.key,
            extra=seal.extra,
        )
    )
    public = _public(seal.key)
    if computed != bytes(seal.hash):
        report.add("seal_changed", f"Seal {seal.number} was changed.", seal=seal.number)
    elif not is_signature(public, bytes(seal.signature), computed):
        report.add(
            "signature_wrong",
            f"Seal {seal.number} does not bear the signature of the key it names.",
            seal=seal.number,
        )
    elif not _is_trusted(public):
        report.add(
            "key_unknown",
            f"Seal {seal.number} is signed by the key {fingerprint(public)}, which is not ours.",
            seal=seal.number,
        )
    return len(steps)


def _is_trusted(public: bytes) -> bool:
    """Ours, or one that handed over: its seal is in the chain, which ``audit.verify`` follows."""
    if public in {key.public for key in signing_keys()}:
        return True
    return AuditSeal.objects.filter(kind="key", key=public.hex()).exists()


def _public(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
