"""Writes about the logs elsewhere that the trail is sent to."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from apps.accounts.actors import Actor
from apps.accounts.permissions import has_right, require
from apps.audit.commands import record
from apps.audit.records import Target
from apps.connections import addresses
from apps.connections import queries as connections
from apps.connections.outgoing import OutgoingError, Refused, parse
from apps.core.errors import Conflict, Invalid, NotFound, ProductError
from apps.core.models import uuid7
from apps.operations import forwarding
from apps.operations.models import DestinationKind, TrailDestination

__all__ = [
    "add_destination",
    "change_destination",
    "destinations",
    "remove_destination",
    "test_destination",
]

MANAGE = "settings.manage"
MOST = 20


class NameTaken(Conflict):
    """Another destination of the workspace has the name."""

    code = "name_taken"


def destinations(actor: Actor) -> QuerySet[TrailDestination]:
    """The workspace's destinations, for who keeps the settings or reads the trail."""
    if not has_right(actor, "audit.view"):
        require(actor, MANAGE)
    return TrailDestination.objects.for_workspace(actor.workspace_id).order_by("-id")


@transaction.atomic
def add_destination(
    *,
    actor: Actor,
    name: str,
    kind: str,
    address: str,
    secret: str,
    with_rows: bool,
    with_checkpoints: bool,
    from_start: bool,
    now: datetime,
) -> TrailDestination:
    """Send the trail to another log from now on, or from its first seal.

    Raises:
        Invalid: An address or name that does not do, nothing to send, or too many destinations.
        NameTaken: Another one has the name.
    """
    require(actor, MANAGE)
    if TrailDestination.objects.for_workspace(actor.workspace_id).count() >= MOST:
        raise Invalid(f"A workspace has at most {MOST} destinations; remove one first.")
    seal, leaf_index = (0, -1) if from_start else (forwarding.head_seal(), forwarding.AFTER_ALL)
    row = TrailDestination(
        id=uuid7(),
        workspace_id=actor.workspace_id,
        name=name.strip(),
        kind=kind,
        address=address.strip(),
        secret_name=secret.strip(),
        with_rows=with_rows,
        with_checkpoints=with_checkpoints,
        seal=seal,
        leaf_index=leaf_index,
        next_try_at=now,
        created_by_id=actor.user_id,
        created_at=now,
    )
    _check(row)
    _save(row, is_new=True)
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb="destination.add",
        target=_target(row),
        after={**_told(row), "from_start": from_start},
        now=now,
    )
    return row


@transaction.atomic
def change_destination(
    *, actor: Actor, destination_id: UUID, changes: dict[str, Any], now: datetime
) -> TrailDestination:
    """Change what is sent where, or pause it; its place in the trail stays.

    Raises:
        NotFound: There is none of that id.
        Invalid, NameTaken: As ``add_destination``.

    Locks:
        The destination.
    """
    require(actor, MANAGE)
    row = _get(actor, destination_id, for_update=True)
    before, address = _told(row), row.address
    for field in ("name", "address", "secret"):
        if field in changes:
            setattr(row, "secret_name" if field == "secret" else field, changes[field].strip())
    for field in ("kind", "with_rows", "with_checkpoints", "is_paused"):
        if field in changes:
            setattr(row, field, changes[field])
    _check(row)
    after = _told(row)
    if after == before and row.address == address:
        return row
    # What was wrong may be right now: it is tried at once.
    row.next_try_at, row.failures = now, 0
    _save(row)
    changed = {name for name in after if after[name] != before[name]}
    changed |= {"address"} if row.address != address else set()
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb="destination.change",
        target=_target(row),
        before={name: before[name] for name in sorted(changed)},
        after={name: after[name] for name in sorted(changed)},
        now=now,
    )
    return row


@transaction.atomic
def remove_destination(*, actor: Actor, destination_id: UUID, now: datetime) -> None:
    """Send nothing there any more; what arrived stays there.

    Raises:
        NotFound: There is none of that id.
    """
    require(actor, MANAGE)
    row = _get(actor, destination_id, for_update=True)
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb="destination.remove",
        target=_target(row),
        before=_told(row),
        now=now,
    )
    row.delete()


def test_destination(*, actor: Actor, destination_id: UUID, now: datetime) -> tuple[bool, str]:
    """Send one line that says it is a test; whether it was taken, and else what is in the way.

    The attempt is in the trail either way. No transaction is open while it is sent.

    Raises:
        NotFound: There is none of that id.
    """
    require(actor, MANAGE)
    row = _get(actor, destination_id)
    fault = ""
    try:
        forwarding.send_test(row)
    except (OutgoingError, ProductError) as error:
        fault = error.message
    with transaction.atomic():
        record(
            who=actor.who,
            workspace_id=actor.workspace_id,
            verb="destination.test",
            target=_target(row),
            details={"taken": not fault, "fault": fault},
            now=now,
        )
    return not fault, fault


def _get(actor: Actor, destination_id: UUID, *, for_update: bool = False) -> TrailDestination:
    rows = TrailDestination.objects.for_workspace(actor.workspace_id)
    found = (rows.select_for_update() if for_update else rows).filter(pk=destination_id).first()
    if found is None:
        raise NotFound("There is no such destination.")
    return found


def _check(row: TrailDestination) -> None:
    if not row.name or len(row.name) > 100 or not row.name.isprintable():
        raise Invalid("Give the destination a name of at most 100 characters.")
    if not (row.with_rows or row.with_checkpoints):
        raise Invalid("Choose what is sent: entries, checkpoints or both.")
    if len(row.address) > 500:
        raise Invalid("The address is longer than 500 characters.")
    if row.kind == DestinationKind.HTTP:
        _check_url(row)
        return
    if row.secret_name:
        raise Invalid("A secret goes along with HTTP alone; a system log knows no such thing.")
    try:
        _, port = addresses.split_host_port(row.address)
    except addresses.BadHost as bad:
        raise Invalid(str(bad)) from None
    if port is None or not 1 <= port <= 65535:
        raise Invalid("Give the system log's host and port, such as logs.example.com:6514.")


def _check_url(row: TrailDestination) -> None:
    try:
        place = parse(row.address)
    except Refused as refused:
        raise Invalid(refused.message) from None
    if not row.secret_name:
        return
    if place.scheme != "https":
        raise Invalid("A secret goes along with https alone; over http anybody could read it.")
    hosts = connections.secret_hosts(row.workspace_id).get(row.secret_name)
    if hosts is None:
        raise Invalid(f"There is no secret “{row.secret_name[:100]}”; add it under Secrets.")
    if not connections.may_go_to(hosts, place.host, place.port):
        raise Invalid(
            f"The secret “{row.secret_name}” may not go to {place.host}; add the host to it first."
        )


def _save(row: TrailDestination, *, is_new: bool = False) -> None:
    try:
        with transaction.atomic():
            # What the sender writes meanwhile (place, state) is left alone.
            row.save(
                force_insert=is_new,
                update_fields=None
                if is_new
                else [
                    *("name", "kind", "address", "secret_name", "with_rows", "with_checkpoints"),
                    *("is_paused", "next_try_at", "failures"),
                ],
            )
    except IntegrityError:
        raise NameTaken(f"There is a destination “{row.name}” already.") from None


def _target(row: TrailDestination) -> Target:
    return Target("destination", str(row.pk), row.name)


def _told(row: TrailDestination) -> dict[str, Any]:
    """What the trail holds of it. An address may carry a token in its query: that is left out."""
    return {
        "name": row.name,
        "kind": row.kind,
        "address": row.address.partition("?")[0],
        "secret": row.secret_name,
        "with_rows": row.with_rows,
        "with_checkpoints": row.with_checkpoints,
        "is_paused": row.is_paused,
    }
