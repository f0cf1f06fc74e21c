"""What stands before a run or an effect that only waits for its turn, and why it has none."""

from typing import Any
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext, ngettext

from apps.engine import events as ev
from apps.runs.models import PARKED, Effect, Limit, RunCommand, RunState, WaitingStart
from apps.runs.priorities import Priority, shown

#: Counting stops here: beyond it the number changes faster than anybody reads it.
MOST_COUNTED = 1000

# Of each priority above, and of the own one what came before in the same lane: others of that
# priority take turns with it.
_COMMANDS_AHEAD = """
select (select count(*) from (
  select 1 from run_command where priority < %(priority)s limit %(most)s) a)
+ (select count(*) from (
  select 1 from run_command
  where (priority, lane, id) >= (%(priority)s::smallint, %(lane)s::uuid, 0)
    and (priority, lane, id) < (%(priority)s::smallint, %(lane)s::uuid, %(id)s::bigint)
  limit %(most)s) b)
"""
_EFFECTS_AHEAD = """
select count(*) from (
  select 1 from effect where status = 'queued' and limit_id is null
    and priority < %s and available_at <= business_now() limit %s) a
"""


def turn_of_run(state: RunState) -> dict[str, Any]:
    """Why a run that has something to do is not driven: ``{detail, priority, ahead}``.

    ``kind`` is in it where it is not simply a worker that is missing.
    """
    if state.format not in ev.READABLE:
        return {"detail": gettext("Waits for a worker of a newer release, which has written it.")}
    commands = RunCommand.objects.filter(run_id=state.run_id).order_by("id")
    first = commands.filter(priority__lt=PARKED).first()
    if first is None:
        if commands.exists():
            detail = gettext(
                "Put aside: Signalbox could neither drive nor pause it. Resume or cancel it."
            )
            return {"kind": "fault", "detail": detail}
        return {"detail": gettext("Waits for a worker.")}
    if state.deaths:
        detail = ngettext(
            "Waits for a worker that takes it alone: %(count)d died while driving it.",
            "Waits for a worker that takes it alone: %(count)d of them died while driving it.",
            state.deaths,
        )
        return {"detail": detail % {"count": state.deaths}}
    with connection.cursor() as cursor:
        given: dict[str, Any] = {
            "priority": first.priority,
            "lane": first.lane,
            "id": first.pk,
            "most": MOST_COUNTED,
        }
        cursor.execute(_COMMANDS_AHEAD, given)
        (ahead,) = cursor.fetchone()
    return _behind(gettext("Waits for a worker."), first.priority, min(ahead, MOST_COUNTED))


def turn_of_effect(effect: Effect) -> dict[str, Any]:
    """Why an effect that is due has not begun: as :func:`turn_of_run`."""
    if effect.deaths > 1:
        detail = gettext("Waits for a worker with nothing else to do: %(count)d died with it.")
        return {"detail": detail % {"count": effect.deaths}}
    ahead = 0
    if effect.priority > Priority.HIGH:
        with connection.cursor() as cursor:
            cursor.execute(_EFFECTS_AHEAD, [effect.priority, MOST_COUNTED])
            (ahead,) = cursor.fetchone()
    return _behind(gettext("Waits for a free worker."), effect.priority, ahead)


def _behind(plainly: str, priority: int, ahead: int) -> dict[str, Any]:
    named = {"priority": shown(priority), "ahead": ahead}
    if not ahead:
        return {"detail": plainly, **named}
    words = gettext("%(plainly)s Its priority is “%(priority)s”, and %(ahead)d go before it.")
    if ahead >= MOST_COUNTED:
        words = gettext(
            "%(plainly)s Its priority is “%(priority)s”, and more than %(ahead)d go before it."
        )
    return {"detail": words % {"plainly": plainly, **named}, **named}


def holder_above(held: WaitingStart) -> UUID | None:
    """The run that has the place which a start waits for, and itself waits for that start.

    Such a start waits for ever: its place is free when it has ended, and not before. Starts are
    only as deep below each other as runs may be, so the walk is short.
    """
    most = Limit.objects.filter(key=held.limit_key).values_list("max", flat=True).first() or 1
    holders = RunState.objects.filter(limit_key=held.limit_key)
    callers = _callers_of(held.run_id)
    above = list(holders.filter(run_id__in=callers).values_list("run_id", flat=True))
    # With places to spare another holder may end, and hand its own on.
    return above[0] if above and len(above) >= most else None


def _callers_of(run_id: UUID) -> list[UUID]:
    """The runs that wait for the end of this one, the one that waits for it itself first."""
    found: list[UUID] = []
    here: UUID | None = run_id
    while here is not None:
        waiting = RunState.objects.filter(run_id=here).values_list("parent_id", flat=True)
        here = waiting.first()
        if here is None or here in found:
            break
        found.append(here)
    return found
