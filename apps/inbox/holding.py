"""What was decided is held for a while, where its step says so, and passed on only then.

Until then nothing has followed from it, so that whoever answered may take that back. The question
stays open: its clock stands still, as it was answered in time, and nobody else can answer it. Each
stage of a question is held on its own: to ask the next people, too, is something that follows.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils.translation import gettext

from apps.accounts.queries import zone_of
from apps.core.errors import Conflict
from apps.engine.lifecycle import TaskStatus
from apps.inbox import limits, pausing, words
from apps.inbox.models import UserTask


class Held(Conflict):
    """It is decided, and waits only for the time in which that can be taken back."""

    code = "held"


def is_held(task: UserTask) -> bool:
    """Whether it is decided and not passed on yet."""
    return task.status == TaskStatus.OPEN and task.settles_at is not None


def is_over(task: UserTask, now: datetime) -> bool:
    """Whether the time to take it back has ended, though the clock may not have noticed."""
    return task.settles_at is not None and task.settles_at <= now


def due(now: datetime) -> Q:
    """Tasks whose outcome is to be passed on."""
    return Q(settles_at__lte=now, status=TaskStatus.OPEN)


def refuse_held(task: UserTask) -> None:
    """Refuse whatever only a question can have that is still to be decided.

    Raises:
        Held: It is decided.
    """
    if task.settles_at is not None and task.status == TaskStatus.OPEN:
        at = words.moment(task.settles_at, ZoneInfo(zone_of(task.workspace_id)))
        raise Held(f"This is decided and passes on at {at}; nothing was changed.")


def said(task: UserTask, zone: ZoneInfo) -> str:
    """As what it is decided and when that passes on, in the reader's zone; empty where not held."""
    if not is_held(task) or task.settles_at is None:
        return ""
    return gettext("Decided: %(word)s. It passes on at %(at)s.") % {
        "word": words.outcome_in_line(task.rule, task.pending),
        "at": words.moment(task.settles_at, zone),
    }


def undo_said(task: UserTask) -> str:
    """For how long it can be taken back once it is decided; empty where it cannot."""
    if not task.undo_seconds:
        return ""
    return gettext(
        "It goes on %(time)s later. Until then whoever answered can take their answer back."
    ) % {"time": words.length_of(timedelta(seconds=task.undo_seconds))}


def hold(task: UserTask, outcome: str, now: datetime) -> bool:
    """Hold what the answers have come to; whether it was still in time. Callers hold the row."""
    until = now + timedelta(seconds=task.undo_seconds)
    rows = UserTask.objects.filter(
        pausing.in_time(now), pk=task.pk, status=TaskStatus.OPEN, settles_at__isnull=True
    )
    if not rows.update(pending=outcome, settles_at=until, updated_at=now):
        return False
    task.pending, task.settles_at = outcome, until
    limits.pause([task], now=now)
    return True


def lift(task: UserTask, now: datetime) -> None:
    """Hold it no longer: it is to be decided again. Callers hold the row.

    Its clock goes on where it stood, unless an answer to a question is waited for.

    Raises:
        NobodyWorks: It counts working time, and there is none any more.
    """
    UserTask.objects.filter(pk=task.pk).update(pending="", settles_at=None, updated_at=now)
    task.pending, task.settles_at = "", None
    if not task.questions.filter(answered_at__isnull=True, closed_at__isnull=True).exists():
        limits.resume([task], now=now)
