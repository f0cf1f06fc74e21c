"""Writes about secrets, the allow-list and the keys."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from apps.accounts.actors import Actor
from apps.accounts.models import Workspace
from apps.accounts.permissions import require
from apps.audit.commands import record
from apps.audit.records import Target, Who
from apps.connections import addresses, rotation, vault
from apps.connections.models import SECRET_NAME, AllowedHost, Secret
from apps.connections.permissions import CHANGE_HOSTS, KEEP_SECRETS
from apps.connections.queries import value_context
from apps.core.errors import Conflict, Invalid, NotFound
from apps.core.models import uuid7

#: How long the value before still counts for signatures, where nothing else is said.
PREVIOUS_LASTS = timedelta(hours=24)
PREVIOUS_AT_MOST = timedelta(days=30)
MAX_BYTES = 32_768
MAX_HOSTS = 50


class ValueNeeded(Invalid):
    """The change sends the secret somewhere new; only who knows its value may do that."""

    code = "value_needed"


class OwnAddress(Invalid):
    """The product itself cannot be put on the allow-list."""

    code = "own_address"


class AlreadyAllowed(Conflict):
    """Host and port are on the list."""

    code = "already_allowed"


@transaction.atomic
def set_secret(
    *,
    actor: Actor,
    name: str,
    now: datetime,
    value: str | None = None,
    hosts: Iterable[str] | None = None,
    previous_for: timedelta | None = None,
) -> Secret:
    """Keep a secret, or give one that is kept another value or other hosts.

    The value before goes on counting for signatures for ``previous_for`` (a day where None is
    given, nothing for zero), so that the other side can change over. It ends at once where the
    new hosts are not all among the old.

    Raises:
        ValueNeeded: A new secret, or a host added, without the value. Otherwise somebody who
            may keep secrets but does not know this one could have it sent to themself.
        Invalid: A name, value or host that does not do.

    Locks:
        The workspace row (there may be no secret yet to lock), then the secret's.
    """
    require(actor, KEEP_SECRETS)
    _check_name(name)
    Workspace.objects.select_for_update(no_key=True).get(pk=actor.workspace_id)
    row = (
        Secret.objects.for_workspace(actor.workspace_id)
        .select_for_update(no_key=True)
        .filter(name=name)
        .first()
    )
    old_hosts: list[str] = list(row.hosts) if row else []
    new_hosts = old_hosts if hosts is None else _clean_hosts(hosts)
    wider = not set(new_hosts) <= set(old_hosts)
    if value is None and (row is None or wider):
        raise ValueNeeded("Give the value too: a new secret, or a new host for one, needs it.")
    if value is not None:
        _check_value(value)
    before = {"hosts": old_hosts} if row else None
    row = row or Secret(id=uuid7(), workspace_id=actor.workspace_id, name=name, revision=0)
    changed = value is not None and _put(row, value, now, previous_for, forget=wider)
    row.hosts = new_hosts
    row.revision += 1
    row.updated_at, row.updated_by_id = now, actor.user_id
    row.save()
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb="secret.set",
        target=Target("secret", str(row.pk), name),
        before=before,
        after={"hosts": new_hosts},
        details={"value_changed": changed, "previous_until": row.previous_until},
        now=now,
    )
    return row


@transaction.atomic
def delete_secret(*, actor: Actor, name: str, now: datetime) -> None:
    """Forget a secret. Flows that use it fail from now on, and say why.

    Raises:
        NotFound: There is none of that name.
    """
    require(actor, KEEP_SECRETS)
    row = (
        Secret.objects.for_workspace(actor.workspace_id)
        .select_for_update()
        .filter(name=name)
        .first()
    )
    if row is None:
        raise NotFound(f"There is no secret “{name[:100]}”.")
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb="secret.delete",
        target=Target("secret", str(row.pk), name),
        before={"hosts": row.hosts},
        now=now,
    )
    row.delete()


@transaction.atomic
def forget_previous(*, now: datetime) -> int:
    """Delete values before whose time is over; returns how many. Safe to call twice."""
    return Secret.objects.filter(previous_until__lte=now).update(previous=None, previous_until=None)


@transaction.atomic
def allow_host(
    *, actor: Actor, host: str, port: int | None, reason: str, now: datetime
) -> AllowedHost:
    """Let flows call one port of one host inside the network; all its ports where none is named.

    The product's own port stays shut either way.

    Raises:
        Invalid: Not a host name or port, or no reason.
        OwnAddress: It is the product's own port, or an address that nobody may call.
        AlreadyAllowed: It is on the list.
    """
    require(actor, CHANGE_HOSTS)
    try:
        name = addresses.normal_host(host)
    except addresses.BadHost as bad:
        raise Invalid(str(bad)) from None
    if port is not None and not 1 <= port <= 65535:
        raise Invalid(f"{port} is not a port; expected 1 to 65535.")
    reason = reason.strip()
    if not reason or len(reason) > 500:
        raise Invalid("Say in a sentence why flows may call this host.")
    fixed = addresses.literal(name)
    if port == settings.PORT or (fixed is not None and addresses.is_never_allowed(fixed)):
        raise OwnAddress(
            f"{name}:{port} cannot be allowed: it is the product's own port, or an address that"
            " no flow may ever call."
        )
    row, created = AllowedHost.objects.get_or_create(
        workspace_id=actor.workspace_id,
        host=name,
        port=port,
        defaults={"reason": reason, "created_by_id": actor.user_id, "created_at": now},
    )
    if not created:
        raise AlreadyAllowed(f"{row} is on the list already.")
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb="host.allow",
        target=Target("host", str(row.pk), str(row)),
        reason=reason,
        after={"host": name, "port": port},
        now=now,
    )
    return row


@transaction.atomic
def remove_host(*, actor: Actor, host_id: UUID, now: datetime) -> None:
    """Take a host off the list; the next call to it is refused.

    Raises:
        NotFound: It is not on the list.
    """
    require(actor, CHANGE_HOSTS)
    row = AllowedHost.objects.for_workspace(actor.workspace_id).filter(pk=host_id).first()
    if row is None:
        raise NotFound("There is no such host on the list.")
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb="host.remove",
        target=Target("host", str(row.pk), str(row)),
        before={"host": row.host, "port": row.port, "reason": row.reason},
        now=now,
    )
    row.delete()


def rotate_keys(*, now: datetime) -> list[rotation.Rotated]:
    """Seal everything in the database under the first key, and write it to the trail.

    Values whose key is no longer in the list are counted as lost and left alone. Safe to call
    twice: the second time there is nothing left to do.
    """
    done = [rotation.reseal(column) for column in rotation.registered()]
    with transaction.atomic():
        record(
            who=Who(kind="system", id="system", label="Signalbox"),
            workspace_id=None,
            verb="keys.rotate",
            target=Target("keys", vault.current_mark().hex(), "encryption keys"),
            details={
                "resealed": sum(one.resealed for one in done),
                "lost": sum(one.lost for one in done),
                "columns": [one.column for one in done],
            },
            now=now,
        )
    return done


def _put(
    row: Secret, value: str, now: datetime, previous_for: timedelta | None, *, forget: bool
) -> bool:
    """Put a value in; whether it differs from the one before."""
    context = value_context(row.pk)
    plain = value.encode()
    lasts = PREVIOUS_LASTS if previous_for is None else previous_for
    if not timedelta(0) <= lasts <= PREVIOUS_AT_MOST:
        raise Invalid("The value before can count for 0 to 30 days.")
    old = _opened(row, context)
    same = old == plain
    if old is not None and not same and lasts and not forget:
        row.previous, row.previous_until = row.ciphertext, now + lasts
    elif not same or not lasts or forget:
        row.previous = row.previous_until = None
    if not same:
        row.ciphertext = vault.seal(plain, context)
    return not same


def _opened(row: Secret, context: str) -> bytes | None:
    """The value so far; None where there is none, or its key is gone and a new one is welcome."""
    if not row.ciphertext:
        return None
    try:
        return vault.open(row.ciphertext, context)
    except vault.CannotOpen:
        return None


def _check_name(name: str) -> None:
    try:
        SECRET_NAME(name)
    except ValidationError as error:
        raise Invalid(str(error.message)) from None


def _check_value(value: str) -> None:
    if not value or len(value.encode()) > MAX_BYTES:
        raise Invalid("A secret has at least one character and at most 32 KB.")
    if "\0" in value:
        raise Invalid("A secret cannot hold a NUL character.")


def _clean_hosts(hosts: Iterable[str]) -> list[str]:
    cleaned: dict[str, None] = {}
    for text in hosts:
        try:
            host, port = addresses.split_host_port(text)
        except addresses.BadHost as bad:
            raise Invalid(str(bad)) from None
        shown = f"[{host}]" if ":" in host and port else host
        cleaned[f"{shown}:{port}" if port else shown] = None
    if len(cleaned) > MAX_HOSTS:
        raise Invalid(f"A secret names at most {MAX_HOSTS} hosts.")
    return list(cleaned)
