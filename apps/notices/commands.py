"""Tell people something: a row first, sent by the outbox after commit.

``tell`` is the one door. Whoever has something to say about a task calls ``inbox.telling``,
which knows what a task's notice needs; it runs inside the caller's transaction and sends
nothing itself, so nothing leaves where that is rolled back.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import translation

from apps.accounts.models import User
from apps.core import outbox
from apps.core.models import uuid7
from apps.notices import queries
from apps.notices.models import (
    Channel,
    ChatHook,
    Delivery,
    Kind,
    Notice,
    State,
    Urgency,
)
from apps.notices.planning import GROUPS, NOW, Plan, Wishes, plan
from apps.notices.words import one_line

#: How long what people were told is kept.
KEPT = timedelta(days=90)
#: So many notices are let go or collected in one transaction.
BATCH = 500
MOST_WORDS = 2000
#: Where a test leads.
TEST_PATH = "/account/notifications/"
CHAT_PATH = "/settings/chat/"


@dataclass(frozen=True)
class Subject:
    """What a notice is about. ``path`` is the page on which the reader acts."""

    workspace_id: UUID
    title: str
    path: str
    task_id: UUID | None = None
    flow_id: UUID | None = None
    run_id: UUID | None = None
    due_at: datetime | None = None


@dataclass(frozen=True)
class _Occasion:
    """What there is to tell, whoever is told."""

    kind: Kind
    about: Subject
    key: str
    urgency: Urgency
    words: Callable[[], str] | str
    now: datetime

    def notice(self, user: User | None) -> Notice:
        """For one reader, or for the workspace's chat; not yet stored."""
        about = self.about
        with translation.override(user.mail_language if user else None):
            said = self.words() if callable(self.words) else self.words
        return Notice(
            id=uuid7(),
            workspace_id=about.workspace_id,
            user=user,
            key=f"{self.key}/{user.pk if user else 'chat'}",
            kind=self.kind,
            urgency=self.urgency,
            title=one_line(about.title, 300),
            words=said.replace("\x00", "")[:MOST_WORDS],
            path=about.path,
            task_id=about.task_id,
            flow_id=about.flow_id,
            run_id=about.run_id,
            due_at=about.due_at,
            created_at=self.now,
        )


@transaction.atomic
def tell(
    *,
    people: Iterable[User],
    kind: Kind,
    about: Subject,
    key: str,
    now: datetime,
    urgency: Urgency = Urgency.NORMAL,
    words: Callable[[], str] | str = "",
    in_chat: bool = True,
) -> int:
    """Tell people something by the ways each of them wants; returns how many had not been told.

    Safe to call twice: a person is told once under one ``key``, at most 150 characters that name
    the occasion (``"limit/80/<task>"``). To be called inside the transaction of what it tells of;
    everything leaves after it, and what has become pointless until then does not.

    Args:
        people: Who is told, each once. Those without an active account are left out.
        kind: Why; it decides what the notice says and which preference counts.
        about: What about. Its title is all that leaves the house of the matter.
        key: The occasion.
        now: The time to stamp.
        urgency: What is urgent passes quiet hours and digests.
        words: What there is to say beside the kind's own sentence; where it is a function, it is
            called once for each person, in their language.
        in_chat: Whether the workspace's chat is told as well, if it wants this kind.
    """
    told = {user.pk: user for user in people if user.is_active}
    if not told:
        return 0
    keys = [f"{key}/{pk}" for pk in told]
    known = set(Notice.objects.filter(key__in=keys).values_list("user_id", flat=True))
    occasion = _Occasion(kind, about, key, urgency, words, now)
    notices = [occasion.notice(user) for pk, user in told.items() if pk not in known]
    if notices and in_chat and _wants(queries.workspace_hook(about.workspace_id), kind):
        notices.append(occasion.notice(None))
    # Somebody else may be telling just now: of two rows under one key the second is not written.
    Notice.objects.bulk_create(notices, ignore_conflicts=True)
    written = Notice.objects.filter(pk__in=[one.pk for one in notices])
    ours = set(written.values_list("pk", flat=True))
    fresh = [one for one in notices if one.pk in ours]
    _put_out(_deliveries(fresh, told, about, now), now)
    return sum(one.user_id is not None for one in fresh)


def release_due(*, now: datetime) -> int:
    """Send what was held until now; called by the clock. Returns how many.

    Locks:
        The deliveries' rows; those that somebody else holds are left to them.
    """
    with transaction.atomic():
        rows = list(
            Delivery.objects.select_for_update(skip_locked=True)
            .filter(state=State.HELD, held_until__lte=now)
            .order_by("held_until")[:BATCH]
        )
        wait_again(rows, now)
    return len(rows)


def collect_digests(*, now: datetime) -> int:
    """Write the digests that are due; called by the clock. Returns how many.

    Locks:
        The collected deliveries' rows; those that somebody else holds are left to them.
    """
    with transaction.atomic():
        rows = list(
            Delivery.objects.select_for_update(of=("self",), skip_locked=True)
            .filter(state=State.DIGEST, digest__isnull=True, held_until__lte=now)
            .select_related("notice__user")
            .order_by("id")[:BATCH]
        )
        per_reader: dict[tuple[UUID, UUID | None], list[Delivery]] = {}
        for row in rows:
            reader = (row.notice.workspace_id, row.notice.user_id)
            per_reader.setdefault(reader, []).append(row)
        for items in per_reader.values():
            _write_digest(items, now)
    return len(per_reader)


def forget_notices(*, now: datetime) -> int:
    """Delete what people were told long ago, unless some of it is still to go; returns how many."""
    pending = Delivery.objects.filter(state__in=[State.WAITING, State.HELD, State.DIGEST])
    old = Notice.objects.filter(created_at__lt=now - KEPT)
    _, by_model = old.exclude(
        Q(pk__in=pending.values("notice")) | Q(pk__in=pending.values("digest"))
    ).delete()
    return by_model.get("notices.Notice", 0)


def _wants(hook: ChatHook | None, kind: Kind) -> bool:
    """Whether the workspace's chat is told of this, once, however many people are."""
    group = GROUPS.get(kind)
    return hook is not None and group is not None and group in hook.groups


def _deliveries(
    notices: list[Notice], people: dict[UUID, User], about: Subject, now: datetime
) -> list[Delivery]:
    """A row for each way that each reader wants and has."""
    wishes = queries.wishes_of(about.workspace_id, people.values())
    browsers: dict[UUID, list[UUID]] = {}
    for row in queries.subscriptions(about.workspace_id, people):
        browsers.setdefault(row.user_id, []).append(row.pk)
    chats = dict(
        ChatHook.objects.for_workspace(about.workspace_id)
        .filter(user__in=list(people))
        .values_list("user", "pk")
    )
    rows = []
    for notice in notices:
        if notice.user_id is None:
            rows.append(_row(notice, Channel.CHAT, NOW, None))
            continue
        places: dict[Channel, list[UUID | None]] = {
            Channel.MAIL: [None],
            Channel.APP: [] if notice.kind == Kind.ALERT else [None],
            Channel.PUSH: [*browsers.get(notice.user_id, [])],
            Channel.CHAT: [chats[notice.user_id]] if notice.user_id in chats else [],
        }
        for channel, found in places.items():
            if found and (how := _how(wishes[notice.user_id], channel, notice, now)):
                rows += [_row(notice, channel, how, place) for place in found]
    return rows


def _how(wishes: Wishes, channel: Channel, notice: Notice, now: datetime) -> Plan | None:
    return plan(wishes, channel=channel, kind=notice.kind, urgency=notice.urgency, now=now)


def _row(notice: Notice, channel: Channel, how: Plan, place: UUID | None) -> Delivery:
    return Delivery(
        id=uuid7(),
        notice=notice,
        channel=channel,
        place=place,
        state=how.state,
        held_until=how.held_until,
    )


def _put_out(rows: list[Delivery], now: datetime) -> None:
    Delivery.objects.bulk_create(rows)
    waiting = [row for row in rows if row.state == State.WAITING]
    outbox.enqueue_many(
        topic="notice.deliver", payloads=[{"delivery": str(row.pk)} for row in waiting], now=now
    )


def write_test(
    *,
    user: User | None,
    workspace_id: UUID,
    channel: Channel,
    places: Sequence[UUID | None],
    now: datetime,
) -> list[Delivery]:
    """A test by one way, whatever its reader has chosen; the caller has checked who asks."""
    about = Subject(workspace_id, "", TEST_PATH if user else CHAT_PATH)
    key = f"test/{uuid7()}"
    notice = _Occasion(Kind.TEST, about, key, Urgency.NORMAL, "", now).notice(user)
    notice.save(force_insert=True)
    rows = [_row(notice, channel, NOW, place) for place in places]
    _put_out(rows, now)
    return rows


def wait_again(rows: list[Delivery], now: datetime) -> None:
    """Have deliveries sent that were held or given up; the caller holds their rows."""
    ids = [row.pk for row in rows]
    Delivery.objects.filter(pk__in=ids).update(
        state=State.WAITING, held_until=None, ended_at=None, attempts=0
    )
    outbox.enqueue_many(
        topic="notice.deliver", payloads=[{"delivery": str(pk)} for pk in ids], now=now
    )


def _write_digest(items: list[Delivery], now: datetime) -> None:
    first = items[0].notice
    about = Subject(first.workspace_id, "", "/inbox/")
    key = f"digest/{items[0].pk}"
    digest = _Occasion(Kind.DIGEST, about, key, Urgency.NORMAL, "", now).notice(first.user)
    digest.save(force_insert=True)
    Delivery.objects.filter(pk__in=[one.pk for one in items]).update(digest=digest)
    _put_out([_row(digest, Channel.MAIL, NOW, None)], now)
