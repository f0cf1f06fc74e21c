"""The clock of a task, which stands still while somebody is asked for more."""

from datetime import datetime

from django.db.models import Q

from apps.inbox import limits
from apps.inbox.models import UserTask


def is_late(task: UserTask, now: datetime) -> bool:
    """Whether the time to decide is over; never while its clock stands still."""
    return task.paused_at is None and task.due_at is not None and task.due_at <= now


def late(now: datetime) -> Q:
    """Tasks whose time to decide is over."""
    return Q(paused_at__isnull=True, due_at__lte=now)


def in_time(now: datetime) -> Q:
    """Tasks that have no limit, or time left, or stand still."""
    return Q(due_at__isnull=True) | Q(due_at__gt=now) | Q(paused_at__isnull=False)


def pause(task: UserTask, now: datetime) -> None:
    """Let the clock stand still, if it does not yet. The caller holds the task's row."""
    limits.pause([task], now=now)


def resume(task: UserTask, now: datetime) -> None:
    """Let it go on: what was left is left now. The caller holds the task's row.

    Raises:
        NobodyWorks: It counts working time, and there is none any more.
    """
    limits.resume([task], now=now)
