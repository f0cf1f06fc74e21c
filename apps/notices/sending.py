"""Send what the outbox says is to be sent; one delivery at a time, outside any transaction."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.utils import translation

from apps.connections.outgoing import OutgoingError
from apps.core import clock
from apps.notices import chatting, mailing, ports, pushing, queries
from apps.notices.errors import GivenUp, NotTaken
from apps.notices.models import (
    DELIVERY_TRANSITIONS,
    Channel,
    Delivery,
    Kind,
    Notice,
    State,
    Urgency,
)
from apps.notices.planning import GROUPS, quiet_until

#: After so many tries it is given up. Below what the outbox itself tries, which would end without
#: a word on the delivery; with its pauses that is most of a day.
MOST_TRIES = 18


def deliver(payload: dict[str, Any]) -> None:
    """Handles ``notice.deliver``. What went out is not sent again, what is pointless never.

    Raises:
        OSError, OutgoingError: The other side is away; the outbox tries again later.
    """
    row = (
        Delivery.objects.filter(pk=payload["delivery"], state=State.WAITING)
        .select_related("notice__user")
        .first()
    )
    if row is None:
        return
    now = clock.now()
    if not _is_wanted(row):
        move(row, State.DROPPED, now=now)
        return
    if (until := _quiet_until(row, now)) is not None:
        move(row, State.HELD, now=now, held_until=until)
        return
    try:
        with translation.override(_language(row.notice)):
            _SEND[Channel(row.channel)](row, now)
    except Exception as error:
        _note_failure(row, error, clock.now())
        if row.state == State.WAITING:
            raise
    else:
        move(row, State.SENT, now=clock.now())


def move(
    row: Delivery,
    to: State,
    *,
    now: datetime,
    error: str = "",
    held_until: datetime | None = None,
) -> bool:
    """The one guarded update of a delivery's state; whether it was still in the one it leaves."""
    before = State(row.state)
    if to not in DELIVERY_TRANSITIONS[before]:
        raise AssertionError(before, to)
    is_end = to in {State.SENT, State.FAILED, State.DROPPED}
    changes: dict[str, Any] = {
        "state": to,
        "held_until": held_until,
        "ended_at": now if is_end else None,
        "last_error": error or ("" if to is State.SENT else row.last_error),
    }
    if to in {State.SENT, State.FAILED}:
        changes |= {"tried_at": now, "attempts": row.attempts + 1}
    found = Delivery.objects.filter(pk=row.pk, state=before).update(**changes)
    if found:
        row.state = to
        if row.notice.kind == Kind.DIGEST and is_end:
            row.notice.items.filter(state=State.DIGEST).update(
                state=to, held_until=None, ended_at=now, tried_at=now, last_error=error
            )
    return bool(found)


def _note_failure(row: Delivery, error: Exception, now: datetime) -> None:
    text = _said(error)
    if isinstance(error, GivenUp) or _is_final(error) or row.attempts + 1 >= MOST_TRIES:
        move(row, State.FAILED, now=now, error=text)
        return
    Delivery.objects.filter(pk=row.pk, state=State.WAITING).update(
        attempts=row.attempts + 1, last_error=text, tried_at=now
    )


def _is_final(error: Exception) -> bool:
    """Whether trying again cannot help: our own guard said no, or the address is none."""
    return isinstance(error, OutgoingError) and error.error_class == "permanent"


def _said(error: Exception) -> str:
    """What went wrong, for the log; never an address that is a secret."""
    if isinstance(error, GivenUp | NotTaken | OutgoingError):
        return str(error)[:300]
    if isinstance(error, OSError):
        return str(mailing.trouble(error))
    # A fault of ours: the outbox has it whole.
    return type(error).__name__


def _is_wanted(row: Delivery) -> bool:
    notice = row.notice
    if notice.kind == Kind.DIGEST:
        drop_pointless(notice, clock.now())
        return ports.is_wanted(notice) and notice.items.filter(state=State.DIGEST).exists()
    return ports.is_wanted(notice)


def drop_pointless(digest: Notice, now: datetime) -> None:
    """Take out of a digest what does not matter any more."""
    for item in digest.items.filter(state=State.DIGEST).select_related("notice__user"):
        if not ports.is_wanted(item.notice):
            move(item, State.DROPPED, now=now)


def _quiet_until(row: Delivery, now: datetime) -> datetime | None:
    """The end of the quiet hours, where a delivery has slipped into them since it was planned."""
    notice = row.notice
    if (
        notice.user is None
        or notice.kind not in GROUPS
        or notice.urgency == Urgency.URGENT
        or row.channel == Channel.APP
    ):
        return None
    chosen = queries.preference_of(notice.workspace_id, notice.user.pk)
    return quiet_until(queries.wishes(notice.user, notice.workspace_id, chosen), now)


def _language(notice: Notice) -> str | None:
    return notice.user.mail_language if notice.user else None


def _by_mail(row: Delivery, now: datetime) -> None:
    mailing.send(row.notice, row.pk, now)


def _in_the_app(row: Delivery, now: datetime) -> None:  # noqa: ARG001 - as the others
    ports.show(row.notice)


def _by_push(row: Delivery, now: datetime) -> None:
    found = queries.subscriptions(row.notice.workspace_id, [row.notice.user_id or row.pk])
    subscription = found.filter(pk__in=[row.place]).first()
    if subscription is None:
        raise GivenUp("This browser does not take messages any more.")
    pushing.send(subscription, row.notice, now)


def _by_chat(row: Delivery, now: datetime) -> None:
    notice = row.notice
    hook = (
        queries.own_hook(notice.workspace_id, notice.user.pk)
        if notice.user
        else queries.workspace_hook(notice.workspace_id)
    )
    if hook is None:
        raise GivenUp("The chat's address was taken away.")
    chatting.send(hook, notice, now)


_SEND: Mapping[Channel, Callable[[Delivery, datetime], None]] = {
    Channel.MAIL: _by_mail,
    Channel.APP: _in_the_app,
    Channel.PUSH: _by_push,
    Channel.CHAT: _by_chat,
}
