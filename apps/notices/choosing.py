"""Writes about how people want to be told: preferences, browsers, chats, tests, tries again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from apps.accounts.actors import Actor
from apps.accounts.models import User
from apps.accounts.permissions import require
from apps.audit.commands import record
from apps.audit.records import Target
from apps.connections import addresses, vault
from apps.connections.outgoing import OutgoingClient, OutgoingError
from apps.connections.wire import Deadline
from apps.core.errors import Forbidden, Invalid, NotFound, ProductError
from apps.core.models import uuid7
from apps.notices import commands, planning, pushing, queries
from apps.notices.models import (
    Channel,
    ChatHook,
    Delivery,
    Preference,
    PushSubscription,
    State,
    hook_context,
    subscription_context,
)
from apps.notices.planning import Choice, Group

MANAGE = "settings.manage"
MOST_BROWSERS = 10
MOST_TESTS = 10
#: How long the look-up of an address may take while somebody waits for the answer.
LOOK_UP_S = 5.0


class TooManyTests(ProductError):
    """So many tests within the hour that somebody else would be bothered."""

    code = "too_many_tests"
    status = 429


@dataclass(frozen=True)
class Wanted:
    """What a person chose, as it was sent."""

    choices: Mapping[str, Mapping[str, str]]
    quiet_from: time | None
    quiet_until: time | None
    digest_at: time | None


@dataclass(frozen=True)
class Place:
    """An address that is a secret, and the host that may be shown."""

    url: str
    host: str


@transaction.atomic
def change_preference(*, actor: Actor, wanted: Wanted, now: datetime) -> Preference:
    """Be told so from now on; what is held or collected goes by it, too.

    Raises:
        Invalid: A choice that is not offered, quiet hours without an end or of no length, or a
            digest wanted without an hour.
    """
    user_id = _own(actor)
    try:
        choices = planning.choices_from(wanted.choices)
    except (KeyError, ValueError):
        raise Invalid("This choice is not offered; load the page again.") from None
    if (wanted.quiet_from is None) != (wanted.quiet_until is None):
        raise Invalid("Quiet hours need both a beginning and an end.")
    if wanted.quiet_from is not None and wanted.quiet_from == wanted.quiet_until:
        raise Invalid("Quiet hours that end when they begin would never end; choose another end.")
    collected = [one for groups in choices.values() for one in groups.values()]
    if Choice.DIGEST in collected and wanted.digest_at is None:
        raise Invalid("Say at what time the daily mail is to come.")
    row = queries.preference_of(actor.workspace_id, user_id)
    before = _told(row)
    if row is None:
        row = Preference(id=uuid7(), workspace_id=actor.workspace_id, user_id=user_id)
    row.choices, row.updated_at = choices, now
    row.quiet_from, row.quiet_until = wanted.quiet_from, wanted.quiet_until
    row.digest_at = wanted.digest_at
    row.save()
    _plan_anew(row, now)
    _record(actor, "preference.change", now, before=before, after=_told(row))
    return row


def add_browser(
    *, actor: Actor, endpoint: str, p256dh: str, auth: str, label: str, now: datetime
) -> PushSubscription:
    """Let a browser show messages; the same one again replaces what was kept of it.

    Raises:
        Invalid: The address or a key is none, or leads into the network; or too many browsers.
    """
    user_id = _own(actor)
    try:
        address = pushing.checked(endpoint, p256dh, auth)
    except ValueError:
        raise Invalid("The browser did not say how it takes messages; try it again.") from None
    host = checked_place(actor.workspace_id, endpoint)
    known = sha256(endpoint.encode()).hexdigest()
    with transaction.atomic():
        # One person's additions wait for one another, so that the limit holds.
        User.objects.select_for_update(no_key=True).get(pk=user_id)
        rows = PushSubscription.objects.for_workspace(actor.workspace_id)
        rows.filter(endpoint_hash=known).delete()
        if rows.filter(user=user_id).count() >= MOST_BROWSERS:
            raise Invalid(f"At most {MOST_BROWSERS} browsers show messages; take one away first.")
        pk = uuid7()
        row = PushSubscription.objects.create(
            id=pk,
            workspace_id=actor.workspace_id,
            user_id=user_id,
            endpoint_hash=known,
            sealed=vault.seal(address.sealed(), subscription_context(pk)),
            host=host,
            label="".join(sign for sign in label if sign.isprintable())[:200],
            created_at=now,
        )
        _record(actor, "browser.add", now, details={"host": host, "browser": str(pk)})
    return row


@transaction.atomic
def remove_browser(*, actor: Actor, browser_id: UUID, now: datetime) -> None:
    """Let a browser show messages no more.

    Raises:
        NotFound: It is not one's own, or is gone.
    """
    found = queries.subscriptions(actor.workspace_id, [_own(actor)]).filter(pk=browser_id).first()
    if found is None:
        raise NotFound("This browser does not show messages; there is nothing to take away.")
    _record(actor, "browser.remove", now, details={"host": found.host, "browser": str(found.pk)})
    found.delete()


def set_own_chat(*, actor: Actor, url: str, now: datetime) -> ChatHook:
    """Be told in a chat of one's own.

    Raises:
        Invalid: The address is none, is not safe from readers, or leads into the network.
    """
    user_id = _own(actor)
    place = Place(url, checked_place(actor.workspace_id, url))
    return _set_chat(actor, user_id, place, now, with_titles=True, groups=[])


@transaction.atomic
def remove_own_chat(*, actor: Actor, now: datetime) -> None:
    """Be told there no more.

    Raises:
        NotFound: There is none.
    """
    _remove_chat(actor, queries.own_hook(actor.workspace_id, _own(actor)), now)


def set_workspace_chat(
    *, actor: Actor, url: str | None, with_titles: bool, groups: list[str], now: datetime
) -> ChatHook:
    """Have the workspace's chat told of these groups of kinds; without ``url`` it stays.

    Raises:
        Invalid: As ``set_own_chat``; or no group, or one that there is not.
    """
    require(actor, MANAGE)
    wanted = [one for one in Group.values if one in groups]
    if not wanted or len(wanted) != len(set(groups)):
        raise Invalid("Choose what the chat is told of.")
    place = Place(url, checked_place(actor.workspace_id, url)) if url is not None else None
    return _set_chat(actor, None, place, now, with_titles=with_titles, groups=wanted)


@transaction.atomic
def remove_workspace_chat(*, actor: Actor, now: datetime) -> None:
    """Tell the workspace's chat no more.

    Raises:
        NotFound: There is none.
    """
    require(actor, MANAGE)
    _remove_chat(actor, queries.workspace_hook(actor.workspace_id), now)


@transaction.atomic
def send_test(*, actor: Actor, channel: Channel, now: datetime) -> list[Delivery]:
    """Send oneself a test by one way, whatever one has chosen; the log says what became of it.

    Raises:
        Invalid: There is no browser or chat to send it to.
        TooManyTests: See there.
    """
    user = User.objects.get(pk=_own(actor))
    places: list[UUID | None] = [None]
    if channel is Channel.PUSH:
        places = [
            *queries.subscriptions(actor.workspace_id, [user.pk]).values_list("pk", flat=True)
        ]
        if not places:
            raise Invalid("No browser shows messages yet; let this one show them first.")
    if channel is Channel.CHAT:
        hook = queries.own_hook(actor.workspace_id, user.pk)
        if hook is None:
            raise Invalid("There is no chat yet; give its address first.")
        places = [hook.pk]
    _check_tests(actor, user.pk, now)
    rows = commands.write_test(
        user=user, workspace_id=actor.workspace_id, channel=channel, places=places, now=now
    )
    _record(actor, "notice.test", now, details={"channel": channel})
    return rows


@transaction.atomic
def send_chat_test(*, actor: Actor, now: datetime) -> list[Delivery]:
    """Send the workspace's chat a test.

    Raises:
        Invalid: There is no chat.
        TooManyTests: See there.
    """
    require(actor, MANAGE)
    if queries.workspace_hook(actor.workspace_id) is None:
        raise Invalid("There is no chat yet; give its address first.")
    _check_tests(actor, None, now)
    rows = commands.write_test(
        user=None,
        workspace_id=actor.workspace_id,
        channel=Channel.CHAT,
        places=[None],
        now=now,
    )
    _record(actor, "notice.test", now, details={"channel": Channel.CHAT, "whose": "workspace"})
    return rows


@transaction.atomic
def try_again(*, actor: Actor, delivery_id: UUID, now: datetime) -> Delivery:
    """Have what was given up sent again; one's own, or the workspace's chat's by who keeps it.

    Raises:
        NotFound: There is none of that id for the actor.
        Invalid: It was not given up.

    Locks:
        The delivery's row.
    """
    row = _locked(queries.deliveries_of(actor), delivery_id)
    if row is None:
        of_chat = queries.workspace_deliveries(actor.workspace_id)
        row = _locked(of_chat, delivery_id)
        if row is None:
            raise NotFound("There is no such delivery.")
        require(actor, MANAGE)
    if row.state != State.FAILED:
        raise Invalid("Only what was given up can be sent again.")
    commands.wait_again([row], now)
    _record(actor, "notice.retry", now, details={"channel": row.channel, "delivery": str(row.pk)})
    row.refresh_from_db()
    return row


def _locked(rows: QuerySet[Delivery], delivery_id: UUID) -> Delivery | None:
    return rows.select_for_update(of=("self",)).filter(pk=delivery_id).first()


def _own(actor: Actor) -> UUID:
    """The person who chooses for themselves; no key that is limited to something else."""
    if actor.user_id is None or actor.scopes is not None:
        raise Forbidden("This key was not made for choosing how its person is told.")
    return actor.user_id


def _plan_anew(row: Preference, now: datetime) -> None:
    """What waits goes by the new choice: what is held is looked at again, what is collected too."""
    mine = Delivery.objects.filter(
        notice__user=row.user_id, notice__workspace_id=row.workspace_id, digest__isnull=True
    )
    mine.filter(state=State.HELD).update(held_until=now)
    user = User.objects.get(pk=row.user_id)
    zone = queries.zone_for(user, row.workspace_id)
    until = planning.next_time(row.digest_at, zone, now) if row.digest_at else now
    mine.filter(state=State.DIGEST).update(held_until=until)


@transaction.atomic
def _set_chat(
    actor: Actor,
    user_id: UUID | None,
    place: Place | None,
    now: datetime,
    *,
    with_titles: bool,
    groups: list[str],
) -> ChatHook:
    rows = ChatHook.objects.for_workspace(actor.workspace_id).select_for_update()
    row = rows.filter(user=user_id).first() if user_id else rows.filter(user__isnull=True).first()
    before = _chat_told(row)
    if row is None:
        if place is None:
            raise Invalid("Give the address that the chat shows for incoming messages.")
        row = ChatHook(
            id=uuid7(),
            workspace_id=actor.workspace_id,
            user_id=user_id,
            created_by_id=_own(actor),
            created_at=now,
        )
    if place is not None:
        row.host = place.host
        row.sealed = vault.seal(place.url.encode(), hook_context(row.pk))
    row.with_titles, row.groups = with_titles, groups
    row.save()
    after = {**_chat_told(row), **({"address": "set anew"} if place is not None else {})}
    _record(actor, "chat.set", now, before=before, after=after)
    return row


def _remove_chat(actor: Actor, row: ChatHook | None, now: datetime) -> None:
    if row is None:
        raise NotFound("There is no chat to take away.")
    _record(actor, "chat.remove", now, before=_chat_told(row))
    row.delete()


def checked_place(workspace_id: UUID, url: str) -> str:
    """The host and port where an address leads, if we may call it and nobody can listen.

    Looks its name up, so no transaction is open around it.

    Raises:
        Invalid: See ``set_own_chat``.
    """
    if len(url) > 2000:
        raise Invalid("The address is longer than 2000 characters.")
    try:
        target = OutgoingClient(workspace_id).check(url, Deadline(LOOK_UP_S))
    except OutgoingError as refused:
        raise Invalid(refused.message) from None
    inside = [addresses.literal(one) for one in target.addresses]
    if target.scheme != "https" and all(one and addresses.is_global(one) for one in inside):
        raise Invalid("The address begins with http; over it anybody could read along. Use https.")
    return f"{target.host}:{target.port}" if target.port not in {80, 443} else target.host


def _check_tests(actor: Actor, user_id: UUID | None, now: datetime) -> None:
    if queries.tests_since(actor.workspace_id, user_id, now - timedelta(hours=1)) >= MOST_TESTS:
        raise TooManyTests(f"{MOST_TESTS} tests within an hour are enough; try again later.")


def _told(row: Preference | None) -> dict[str, Any]:
    if row is None:
        return {"choices": {}, "quiet": None, "digest_at": None}
    quiet = row.quiet
    return {
        "choices": row.choices,
        "quiet": [f"{quiet[0]:%H:%M}", f"{quiet[1]:%H:%M}"] if quiet else None,
        "digest_at": f"{row.digest_at:%H:%M}" if row.digest_at else None,
    }


def _chat_told(row: ChatHook | None) -> dict[str, Any]:
    """What the trail holds of it; the address is a secret."""
    if row is None:
        return {}
    whose = "own" if row.user_id else "workspace"
    return {
        "host": row.host,
        "whose": whose,
        "with_titles": row.with_titles,
        "groups": row.groups,
    }


def _record(
    actor: Actor,
    verb: str,
    now: datetime,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    details: dict[str, Any] | None = None,
) -> None:
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb=verb,
        target=Target("person", str(actor.user_id), actor.email),
        before=before,
        after=after,
        details=details,
        now=now,
    )
