"""Links in mails with which one person may answer one task once; see ``inbox.link_views``.

The value is random and signed; only its hash is kept. So reading the table opens nothing, and
what was never given out is refused without a look at the table.
"""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from django.core import signing
from django.core.signing import BadSignature

from apps.accounts.models import User
from apps.core.errors import NotFound, ProductError
from apps.core.models import uuid7
from apps.notices.models import DecisionLink

#: The longest that a link is good for; a task's own end may come before.
GOOD_FOR = timedelta(days=7)
_SIGNER = "notices.decision_link"


class BadLink(NotFound):
    """It was never given out, or was changed on its way."""

    code = "bad_link"


class LinkOver(ProductError):
    """It was good once: its time is over, or it has been used."""

    code = "link_over"
    status = 410


def make_link(
    *,
    workspace_id: UUID,
    task_id: UUID,
    user: User,
    until: datetime | None,
    now: datetime,
) -> str:
    """A new link's value, for the mail alone. Good until the task's end, at most seven days."""
    random = secrets.token_urlsafe(32)
    end = now + GOOD_FOR
    DecisionLink.objects.create(
        id=uuid7(),
        workspace_id=workspace_id,
        task_id=task_id,
        user=user,
        token_hash=_hash(random),
        created_at=now,
        expires_at=min(end, until) if until else end,
    )
    return signing.Signer(salt=_SIGNER, sep=".").sign(random)


def link_of(value: str, *, for_update: bool = False) -> DecisionLink:
    """The link of that value, whether or not it is over.

    Raises:
        BadLink: There is none.

    Locks:
        The link's row, where asked.
    """
    refused = BadLink("This link does not work. Open the mail again, or sign in and look there.")
    try:
        random = signing.Signer(salt=_SIGNER, sep=".").unsign(value[:200])
    except BadSignature:
        raise refused from None
    rows = DecisionLink.objects.select_related("user")
    rows = rows.select_for_update(of=("self",)) if for_update else rows
    found = rows.filter(token_hash=_hash(random)).first()
    if found is None:
        raise refused
    return found


def require_good(link: DecisionLink, now: datetime) -> None:
    """Refuse a link that is over.

    Raises:
        LinkOver: It was used, or its time is over.
    """
    if link.used_at is not None:
        raise LinkOver("This link has been used. Sign in to see how it stands.")
    if link.expires_at <= now:
        raise LinkOver("The time of this link is over. Sign in to see how it stands.")


def use_link(link: DecisionLink, now: datetime) -> None:
    """Use it up; the caller holds its row."""
    link.used_at = now
    link.save(update_fields=["used_at"])


def forget_links(*, now: datetime) -> int:
    """Delete links whose time has long been over; returns how many."""
    return DecisionLink.objects.filter(expires_at__lt=now - GOOD_FOR).delete()[0]


def _hash(random: str) -> str:
    return sha256(random.encode()).hexdigest()
