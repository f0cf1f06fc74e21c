"""A notice as a mail: plain words, and the same as a page that works without pictures."""

import smtplib
from datetime import datetime
from email.utils import parseaddr
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils.translation import get_language

from apps.accounts.models import Workspace
from apps.notices import ports, queries, words
from apps.notices.errors import GivenUp, NotTaken
from apps.notices.models import Kind, Notice, State

#: A digest names so many; the rest is a number.
MOST_ITEMS = 50
PREFERENCES = "/account/notifications/"
_REFUSED_FOR_GOOD = range(500, 600)


def send(notice: Notice, delivery_id: UUID, now: datetime) -> None:
    """Send it; the delivery's id is its Message-ID.

    So a receiver knows a repeat, should we end between the server's yes and our own note.

    Raises:
        OSError: The mail server is away or says later.
        GivenUp: It does not take this mail at all.
    """
    assert notice.user is not None  # noqa: S101 - the chat's notices alone have no reader
    context = _context(notice, now)
    message = EmailMultiAlternatives(
        subject=words.subject(notice),
        body=render_to_string("notices/mail/notice.txt", context),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[notice.user.email],
        headers={
            "Message-ID": f"<{delivery_id}@{_domain()}>",
            "Auto-Submitted": "auto-generated",
            "Content-Language": get_language() or settings.LANGUAGE_CODE,
        },
    )
    message.attach_alternative(render_to_string("notices/mail/notice.html", context), "text/html")
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as refused:
        codes = [code for code, _ in refused.recipients.values()]
        if all(code in _REFUSED_FOR_GOOD for code in codes):
            raise GivenUp("The mail server does not know this address.") from None
        raise


def trouble(error: Exception) -> NotTaken:
    """What is in a mail's way, without what a server says of anybody."""
    if isinstance(error, smtplib.SMTPResponseException):
        return NotTaken(f"The mail server answered {error.smtp_code}.")
    return NotTaken(f"The mail server is away ({type(error).__name__}).")


def _context(notice: Notice, now: datetime) -> dict[str, Any]:
    assert notice.user is not None  # noqa: S101 - as above
    zone = queries.zone_for(notice.user, notice.workspace_id)
    path = ports.decision_path(notice, now) or notice.path
    return {
        "language": get_language(),
        "name": notice.user.get_full_name(),
        "title": notice.title,
        "sentence": words.sentence(notice),
        "paragraphs": [one for one in notice.words.split("\n\n") if one.strip()],
        "until": words.until(notice, zone),
        "action": words.action(notice),
        "link": words.address(path),
        "workspace": Workspace.objects.get(pk=notice.workspace_id).name,
        "preferences": words.address(PREFERENCES),
        **(_items(notice) if notice.kind == Kind.DIGEST else {}),
    }


def _items(digest: Notice) -> dict[str, Any]:
    """The lines of a digest: each says what to do, by when, and leads there."""
    found = digest.items.filter(state=State.DIGEST).select_related("notice__user").order_by("id")
    shown = []
    for item in found[:MOST_ITEMS]:
        one = item.notice
        zone = queries.zone_for(one.user, one.workspace_id)
        shown.append(
            {
                "subject": words.subject(one),
                "until": words.until(one, zone),
                "link": words.address(one.path),
            }
        )
    return {"items": shown, "more": max(0, found.count() - len(shown))}


def _domain() -> str:
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
