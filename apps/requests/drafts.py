"""What somebody has begun to fill in, kept sealed: nobody reads it in the database or a backup."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from apps.connections import vault
from apps.engine import values
from apps.requests.models import RequestDraft


def draft_context(pk: UUID) -> str:
    """What a draft is sealed for."""
    return f"requests.draft:{pk}"


def sealed(pk: UUID, answers: Mapping[str, Any]) -> bytes:
    """Answers as they are kept."""
    return vault.seal(values.dumps(dict(answers)).encode(), draft_context(pk))


def opened(draft: RequestDraft) -> dict[str, Any] | None:
    """The answers of a draft; None where no key opens them any more.

    A key that is kept no longer takes drafts with it; what they held is filled in anew.
    """
    if draft.answers or draft.sealed is None:
        return dict(draft.answers)
    try:
        text = vault.open(draft.sealed, draft_context(draft.pk)).decode()
    except vault.CannotOpen:
        return None
    found: Any = values.loads(text)
    return dict(found)
