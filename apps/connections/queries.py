"""Reads about secrets and allowed hosts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.connections import addresses, vault
from apps.connections.models import AllowedHost, Secret
from apps.core import clock
from apps.core.errors import Forbidden, NotFound
from apps.core.pool import give_back


class UnknownSecret(NotFound):
    """No secret of that name is kept here."""

    code = "unknown_secret"


class SecretNotForHost(Forbidden):
    """The secret does not name the host it was about to be sent to."""

    code = "secret_not_for_host"


@dataclass(frozen=True)
class OpenSecret:
    """A secret's values for the moment of use; never stored, logged or shown."""

    current: str
    previous: str | None
    revision: int

    def __repr__(self) -> str:
        return f"OpenSecret(revision={self.revision})"


def value_context(secret_id: UUID) -> str:
    """What the vault binds a secret's values to."""
    return f"secret:{secret_id}"


def secrets(workspace_id: UUID) -> QuerySet[Secret]:
    """The secrets of a workspace, without their values."""
    return (
        Secret.objects.for_workspace(workspace_id)
        .select_related("updated_by")
        .defer("ciphertext", "previous")
    )


def secret_hosts(workspace_id: UUID) -> dict[str, list[str]]:
    """Which secrets there are and where each may go; what publishing checks against."""
    rows = Secret.objects.for_workspace(workspace_id).values_list("name", "hosts")
    return {name: list(hosts) for name, hosts in rows}


def secret_values(workspace_id: UUID, name: str, now: datetime | None = None) -> list[str]:
    """The live values, the current one first; two while a rotation lasts. For signatures.

    Raises:
        UnknownSecret: There is none of that name.
    """
    opened = open_secret(workspace_id, name, now)
    return [opened.current] if opened.previous is None else [opened.current, opened.previous]


def open_secret(workspace_id: UUID, name: str, now: datetime | None = None) -> OpenSecret:
    """A secret with its values opened.

    Raises:
        UnknownSecret: There is none of that name.
        CannotOpen: Its key is not in the list of keys any more.
    """
    row = Secret.objects.for_workspace(workspace_id).filter(name=name).first()
    if row is None:
        raise UnknownSecret(f"There is no secret “{name[:100]}”; add it under Settings, Secrets.")
    context = value_context(row.pk)
    previous = None
    if row.previous is not None and row.has_previous(now or clock.now()):
        previous = vault.open(row.previous, context).decode()
    return OpenSecret(vault.open(row.ciphertext, context).decode(), previous, row.revision)


def secret_for_host(workspace_id: UUID, name: str, host: str, port: int | None) -> str:
    """The current value of a secret, if it may go to this host.

    Raises:
        UnknownSecret: There is none of that name.
        SecretNotForHost: Its hosts do not name this one.
    """
    row = Secret.objects.for_workspace(workspace_id).filter(name=name).first()
    if row is None:
        raise UnknownSecret(f"There is no secret “{name[:100]}”; add it under Settings, Secrets.")
    if not may_go_to(row.hosts, host, port):
        raise SecretNotForHost(
            f"The secret “{name}” may not go to {host[:100]}; add the host to the secret first."
        )
    return vault.open(row.ciphertext, value_context(row.pk)).decode()


def may_go_to(hosts: list[str], host: str, port: int | None) -> bool:
    """Whether a secret's list of hosts names this one. An entry without a port is for all ports."""
    try:
        wanted = addresses.normal_host(host)
    except addresses.BadHost:
        return False
    for entry in hosts:
        name, only = addresses.split_host_port(entry)
        if name == wanted and (only is None or port is None or only == port):
            return True
    return False


def allowed_hosts(workspace_id: UUID) -> QuerySet[AllowedHost]:
    """The allow-list."""
    return AllowedHost.objects.for_workspace(workspace_id).select_related("created_by")


def is_allowed_host(workspace_id: UUID, host: str, port: int) -> bool:
    """Whether the allow-list names host and port. Leaves no database connection in the hand.

    Asked in the middle of a call to the outside, during which no connection may be held.
    """
    allowed = (
        AllowedHost.objects.for_workspace(workspace_id)
        .filter(Q(port=port) | Q(port__isnull=True), host=host)
        .exists()
    )
    give_back()
    return allowed
