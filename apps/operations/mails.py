"""Mails to our own people: written once as a row, then sent by the outbox after commit.

No mail says more of a request than its title: who reads it may not be who it was sent to.
"""

from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext

from apps.accounts.models import User, Workspace
from apps.core import clock, outbox
from apps.core.models import uuid7
from apps.engine.lifecycle import TaskStatus
from apps.inbox import words
from apps.inbox.models import Decision, TaskAssignee, UserTask
from apps.operations.models import Notice

KEPT = timedelta(days=90)


def tell_assignees(payload: dict[str, Any]) -> None:
    """Handles ``task.opened``: a mail to everybody a task was put to. Safe to call twice."""
    task = UserTask.objects.filter(pk=payload["task"], status=TaskStatus.OPEN).first()
    if task is None:
        return
    now = clock.now()
    workspace = Workspace.objects.get(pk=task.workspace_id)
    for assignee in task.assignees.filter(dropped_at__isnull=True).select_related("user"):
        with translation.override(assignee.user.mail_language):
            zone = ZoneInfo(assignee.user.zone or workspace.zone)
            text = render_to_string(
                "operations/mail/task.txt",
                {
                    "name": assignee.user.get_full_name(),
                    "title": task.title,
                    "until": words.moment(task.due_at, zone) if task.due_at else "",
                    "link": address(f"/inbox/{task.pk}/"),
                    "workspace": workspace.name,
                },
            )
            write_notice(
                workspace_id=task.workspace_id,
                user=assignee.user,
                key=f"task/{task.pk}/{assignee.user_id}",
                task_id=task.pk,
                subject=gettext("To decide: %(title)s") % {"title": task.title},
                text=text,
                now=now,
            )


@transaction.atomic
def write_notice(
    *,
    workspace_id: UUID,
    user: User,
    key: str,
    subject: str,
    text: str,
    now: datetime,
    task_id: UUID | None = None,
) -> None:
    """Put a mail to one of our people out; a second one under the same key is not written."""
    notice_id = uuid7()
    written, is_new = Notice.objects.get_or_create(
        key=key,
        defaults={
            "id": notice_id,
            "workspace_id": workspace_id,
            "user": user,
            "task_id": task_id,
            "subject": one_line(subject, 200),
            "text": text,
            "created_at": now,
        },
    )
    if is_new:
        outbox.enqueue(topic="notice.send", payload={"notice": str(written.pk)}, now=now)


def send_notice(payload: dict[str, Any]) -> None:
    """Handles ``notice.send``. A mail that went out is not sent again, a pointless one never.

    Raises:
        OSError: The mail server is away; the outbox tries again later.
        BadHeaderError: The subject holds a line break; nothing is sent.
    """
    notice = (
        Notice.objects.filter(pk=payload["notice"], sent_at__isnull=True, dropped_at__isnull=True)
        .select_related("user")
        .first()
    )
    if notice is None:
        return
    mine = Notice.objects.filter(pk=notice.pk, sent_at__isnull=True)
    if _is_pointless(notice):
        mine.update(dropped_at=clock.now())
        return
    # No transaction here: a mail server may take its time. The Message-ID is the notice's, so
    # that a receiver knows a repeat, should we end between the server's yes and our own note.
    EmailMessage(
        subject=notice.subject,
        body=notice.text,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[notice.user.email],
        headers={
            "Message-ID": f"<{notice.pk}@{_domain()}>",
            "Auto-Submitted": "auto-generated",
        },
    ).send()
    mine.update(sent_at=clock.now())


def forget_notices(*, now: datetime) -> int:
    """Delete mails that ended long ago; returns how many."""
    old = Notice.objects.filter(created_at__lt=now - KEPT)
    count, _ = old.exclude(sent_at__isnull=True, dropped_at__isnull=True).delete()
    return count


def one_line(text: str, length: int) -> str:
    """Text that can stand in a mail's header: one line, printable, not longer than that."""
    spaced = " ".join(text.split())
    clean = "".join(sign for sign in spaced if sign.isprintable())
    return clean if len(clean) <= length else clean[: length - 1] + "…"


def address(path: str) -> str:
    """The full address of one of our pages."""
    return settings.PUBLIC_URL.rstrip("/") + path


def _is_pointless(notice: Notice) -> bool:
    """Whether the reader is gone, or there is nothing left for them to decide."""
    if not notice.user.is_active:
        return True
    if notice.task_id is None:
        return False
    waits = TaskAssignee.objects.filter(
        task_id=notice.task_id, user=notice.user, is_open=True, dropped_at__isnull=True
    )
    answered = Decision.objects.filter(task_id=notice.task_id, user=notice.user)
    return not waits.exists() or answered.exists()


def _domain() -> str:
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
