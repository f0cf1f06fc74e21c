"""Celery's side of the doorbells: each task does what its bell was rung for.

While PostgreSQL is away a task ends quietly: the clock rings again when it is back.
"""

import logging
from typing import Any

from celery import shared_task
from django.db import InterfaceError, OperationalError

from apps.runs.drive import drive_all
from apps.runs.effects import work_effects

_log = logging.getLogger(__name__)


# A driver gives way after seconds. One that a step holds for ever is killed, which counts as a
# death of its runs: they are then driven alone, and the culprit is paused.
@shared_task(name="runs.drive", time_limit=60)
def drive(**_future: Any) -> None:
    """Drive every run that has commands."""
    try:
        drive_all()
    except (OperationalError, InterfaceError) as error:
        _log.warning("driving stops until the clock rings again: %s", error)


@shared_task(name="runs.work_effects")
def do_effects(**_future: Any) -> None:
    """Do the effects that are due."""
    try:
        work_effects()
    except (OperationalError, InterfaceError) as error:
        _log.warning("effects stop until the clock rings again: %s", error)
