"""A page that is evidence of one decision: one file that a person reads and a program checks.

The page holds the trail's row that it was made from, with the row's way to its seal and nothing of
any other row; a last line signs every byte before it. ``docs/audit-format.md`` describes it.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from apps.audit import format as audit_format
from apps.audit.bundle import parts_of_proof
from apps.audit.keys import signing_keys

__all__ = ["signed_page"]


def signed_page(
    workspace_id: UUID,
    event_id: UUID,
    *,
    render: Callable[[dict[str, Any]], str],
    also: Mapping[str, str],
    made_by: str,
    now: datetime,
) -> bytes:
    """The page that ``render`` makes of the proof, signed.

    ``render`` is given what has to stand in the page as JSON, in the element ``proof``. ``also``
    are texts beside the row, such as a value that is too long for it and is there as its hash.

    Raises:
        NotFound: The workspace has no such row.
        Conflict: The row is not sealed yet.
    """
    proof = {
        "format": audit_format.DECISION_FORMAT,
        "workspace": str(workspace_id),
        "made_at": audit_format.time_text(now),
        "made_by": made_by,
        **parts_of_proof(workspace_id, event_id),
        **also,
    }
    key = signing_keys()[0]
    page = render(proof).strip().encode() + b"\n"
    signature = key.sign_decision(sha256(page).digest())
    last = f"<!-- {audit_format.DECISION_FORMAT} {key.public.hex()} {signature.hex()} -->\n"
    return page + last.encode()
