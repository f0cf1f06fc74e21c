"""The workspace's working calendar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from apps.accounts import calendars, queries
from apps.accounts.actors import Actor
from apps.accounts.models import WorkingCalendar, Workspace
from apps.accounts.permissions import require
from apps.audit.commands import record
from apps.audit.records import Target


@transaction.atomic
def set_calendar(
    *,
    actor: Actor,
    zone: str,
    hours: Sequence[Sequence[Mapping[str, str]]],
    holidays: Sequence[Mapping[str, Any]],
    now: datetime,
) -> calendars.Content:
    """Replace the working calendar. Waits that are open keep the moment they were given.

    Raises:
        Invalid: Nobody could work by it, or two things contradict each other.

    Locks:
        The workspace's row.
    """
    require(actor, "settings.manage")
    wanted = calendars.checked(zone=zone, hours=hours, holidays=holidays)
    calendars.check_works(wanted, now)
    workspace = Workspace.objects.select_for_update(no_key=True).get(pk=actor.workspace_id)
    before = queries.calendar_shown(actor.workspace_id)
    if wanted == before:
        return wanted
    WorkingCalendar.objects.update_or_create(
        workspace=workspace, defaults={"content": wanted, "updated_at": now}
    )
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb="settings.change",
        target=Target("calendar", str(workspace.pk), workspace.name),
        before=before,
        after=wanted,
        now=now,
    )
    return wanted
