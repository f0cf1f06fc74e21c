"""API tokens: made once, shown once, revoked at once."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.accounts.actors import Actor
from apps.accounts.commands.people import clean_name
from apps.accounts.models import ApiToken
from apps.accounts.permissions import ALL_RIGHTS
from apps.accounts.queries import token_hash, tokens_for
from apps.audit.commands import record
from apps.audit.records import Target
from apps.core.errors import Forbidden, Invalid, NotFound
from apps.core.models import uuid7

PREFIX = "sbx_"
MAX_DAYS = 730


@transaction.atomic
def create_token(
    *,
    actor: Actor,
    name: str,
    now: datetime,
    scopes: Iterable[str] | None = None,
    days: int | None = None,
) -> tuple[ApiToken, str]:
    """Make a token that acts as the actor; returns it and its value, which is kept nowhere.

    Args:
        actor: Whose rights the token has, at most.
        name: What it is for.
        scopes: The only rights it is good for; None is all of the person's.
        days: How long it works; None is until revoked.

    Raises:
        Invalid: An unknown scope, no scope, or a time out of range.
        Forbidden: A token may not make one that may more than itself; it ends no later either.
    """
    if actor.user_id is None:
        raise Forbidden("Only a person can hold a token.")
    limited = _clean_scopes(scopes)
    if days is not None and not 1 <= days <= MAX_DAYS:
        raise Invalid(f"A token lasts from 1 to {MAX_DAYS} days; {days} was asked for.")
    expires_at = None if days is None else now + timedelta(days=days)
    if actor.token_id is not None:
        expires_at = _not_more(actor, actor.token_id, limited, expires_at)
    value = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        id=uuid7(),
        workspace_id=actor.workspace_id,
        user_id=actor.user_id,
        name=clean_name(name),
        prefix=value[:10],
        hash=token_hash(value),
        scopes=limited,
        expires_at=expires_at,
        created_at=now,
    )
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb="token.create",
        target=Target("token", str(token.pk), token.name),
        after={"scopes": limited, "expires_at": expires_at, "prefix": token.prefix},
        now=now,
    )
    return token, value


@transaction.atomic
def revoke_token(*, actor: Actor, token_id: UUID, now: datetime, reason: str = "") -> None:
    """Make a token good for nothing from this commit on. One's own, or anybody's for who manages.

    Raises:
        NotFound: There is no live token of this id that the actor may see.
    """
    token = tokens_for(actor).filter(pk=token_id).first()
    done = token and ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(
        revoked_at=now
    )
    if token is None or not done:
        raise NotFound("There is no such token, or it was revoked before.")
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb="token.revoke",
        target=Target("token", str(token.pk), token.name),
        before={"prefix": token.prefix, "owner": token.user.email},
        reason=reason,
        now=now,
    )


def _clean_scopes(scopes: Iterable[str] | None) -> list[str] | None:
    if scopes is None:
        return None
    wanted = sorted(set(scopes))
    if not wanted:
        raise Invalid("A token without any scope could do nothing; name at least one.")
    if unknown := [scope for scope in wanted if scope not in ALL_RIGHTS]:
        raise Invalid(
            f"“{unknown[0][:60]}” is not a scope; choose from {', '.join(sorted(ALL_RIGHTS))}."
        )
    return wanted


def _not_more(
    actor: Actor, token_id: UUID, scopes: list[str] | None, expires_at: datetime | None
) -> datetime | None:
    """Refuse a token that may more than the one that makes it; the end it gets is no later."""
    if actor.scopes is not None and (scopes is None or not actor.scopes.issuperset(scopes)):
        raise Forbidden("A token cannot make one that may more than itself.")
    own_end = ApiToken.objects.get(pk=token_id).expires_at
    ends = [end for end in (own_end, expires_at) if end is not None]
    return min(ends, default=None)
