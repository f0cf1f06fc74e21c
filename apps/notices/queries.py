"""Reads about what people are told and how they want to be."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from apps.accounts.actors import Actor
from apps.accounts.models import User
from apps.accounts.queries import zone_of
from apps.notices.models import ChatHook, Delivery, Kind, Notice, Preference, PushSubscription
from apps.notices.planning import Wishes


def zone_for(user: User | None, workspace_id: UUID) -> ZoneInfo:
    """The reader's own zone, else the workspace's."""
    return ZoneInfo((user.zone if user else "") or zone_of(workspace_id))


def preference_of(workspace_id: UUID, user_id: UUID) -> Preference | None:
    """What a person has chosen; None where nothing."""
    return Preference.objects.for_workspace(workspace_id).filter(user=user_id).first()


def wishes_of(workspace_id: UUID, people: Iterable[User]) -> dict[UUID, Wishes]:
    """How each of these people wants to be told. One query."""
    people = list(people)
    rows: Mapping[UUID, Preference] = {
        row.user_id: row
        for row in Preference.objects.for_workspace(workspace_id).filter(user__in=people)
    }
    return {user.pk: wishes(user, workspace_id, rows.get(user.pk)) for user in people}


def wishes(user: User, workspace_id: UUID, row: Preference | None) -> Wishes:
    """A person's preferences as the plan goes by them."""
    zone = zone_for(user, workspace_id)
    if row is None:
        return Wishes(zone, {})
    return Wishes(zone, row.choices, row.quiet, row.digest_at)


def subscriptions(workspace_id: UUID, user_ids: Iterable[UUID]) -> QuerySet[PushSubscription]:
    """The browsers of these people that take messages."""
    return PushSubscription.objects.for_workspace(workspace_id).filter(user__in=list(user_ids))


def own_hook(workspace_id: UUID, user_id: UUID) -> ChatHook | None:
    """A person's own chat, if they have given one."""
    return ChatHook.objects.for_workspace(workspace_id).filter(user=user_id).first()


def workspace_hook(workspace_id: UUID) -> ChatHook | None:
    """The workspace's chat, if an administrator has given one."""
    return ChatHook.objects.for_workspace(workspace_id).filter(user__isnull=True).first()


def tests_since(workspace_id: UUID, user_id: UUID | None, since: datetime) -> int:
    """How many tests a person, or the workspace's chat, was sent."""
    rows = Notice.objects.for_workspace(workspace_id).filter(kind=Kind.TEST, created_at__gt=since)
    return (rows.filter(user=user_id) if user_id else rows.filter(user__isnull=True)).count()


def deliveries_of(actor: Actor) -> QuerySet[Delivery]:
    """The reader's own delivery log, newest first."""
    if actor.user_id is None:
        return Delivery.objects.none()
    return (
        Delivery.objects.filter(
            Q(notice__workspace_id=actor.workspace_id), notice__user=actor.user_id
        )
        .select_related("notice")
        .order_by("-id")
    )


def workspace_deliveries(workspace_id: UUID) -> QuerySet[Delivery]:
    """The delivery log of the workspace's chat, newest first."""
    return (
        Delivery.objects.filter(notice__workspace_id=workspace_id, notice__user__isnull=True)
        .select_related("notice")
        .order_by("-id")
    )
