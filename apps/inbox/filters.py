"""Filters that a person keeps under a name. They are the person's own, and follow them around."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from apps.accounts.actors import Actor
from apps.accounts.models import User
from apps.accounts.permissions import require
from apps.audit.commands import record
from apps.audit.records import Target
from apps.core.errors import Conflict, Forbidden, Invalid, NotFound
from apps.inbox.lists import Wanted
from apps.inbox.models import SavedFilter

MOST = 50
MAX_NAME = 60


def filters_of(actor: Actor) -> QuerySet[SavedFilter]:
    """The filters the actor has kept here, by name."""
    require(actor, "task.view")
    return SavedFilter.objects.for_workspace(actor.workspace_id).filter(user=actor.user_id)


@transaction.atomic
def save_filter(
    *, actor: Actor, name: str, fields: Mapping[str, Any], now: datetime
) -> SavedFilter:
    """Keep what a list shows under a name; a name that there is already is given anew.

    Raises:
        Invalid: No name, or one that is too long; fields that no list has.
        Conflict: So many are kept already.

    Locks:
        The person's row, so that two tabs cannot keep one name twice.
    """
    require(actor, "task.decide")
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME or "\x00" in name:
        raise Invalid(f"Give the filter a name of at most {MAX_NAME} characters.")
    kept = Wanted.of(fields).as_fields()
    mine = filters_of(actor)
    if actor.user_id is None:
        raise Forbidden("Only a person keeps filters.")
    User.objects.select_for_update(no_key=True).get(pk=actor.user_id)
    found = mine.filter(name=name).first()
    if found is None and mine.count() >= MOST:
        raise Conflict(f"You have kept {MOST} filters; delete one first.")
    before = found.fields if found else None
    if found is None:
        found = SavedFilter(
            workspace_id=actor.workspace_id, user_id=actor.user_id, name=name, created_at=now
        )
    found.fields = kept
    found.save()
    _record(actor, "filter.save", found, now, before=before, after=kept)
    return found


@transaction.atomic
def delete_filter(*, actor: Actor, filter_id: UUID, now: datetime) -> None:
    """Forget a filter of one's own.

    Raises:
        NotFound: There is none, or it is somebody else's.
    """
    require(actor, "task.decide")
    found = filters_of(actor).filter(pk=filter_id).first()
    if found is None:
        raise NotFound("There is no such filter, or it is not yours.")
    _record(actor, "filter.delete", found, now, before=found.fields)
    found.delete()


def _record(
    actor: Actor,
    verb: str,
    kept: SavedFilter,
    now: datetime,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb=verb,
        target=Target("filter", str(kept.pk), kept.name),
        before=dict(before) if before is not None else None,
        after=dict(after) if after is not None else None,
        now=now,
    )
