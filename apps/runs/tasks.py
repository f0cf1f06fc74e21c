"""Celery's side of the doorbells: each task does what its bell was rung for.

While PostgreSQL is away a task ends quietly: the clock rings again when it is back.
"""

import logging
from functools import partial
from time import monotonic
from typing import Any

from celery import shared_task

from apps.runs import doorbell
from apps.runs.drive import MAX_SECONDS_A_CALL, drive_all
from apps.runs.effects import work_effects
from apps.runs.patience import AWAY

#: How long a worker stays that has found no more work.
LISTENS_S = 0.1

_log = logging.getLogger(__name__)


# A driver gives way after seconds. One that a step holds for ever is killed, which counts as a
# death of its runs: they are then driven alone, and the culprit is paused.
@shared_task(name="runs.drive", time_limit=60)
def drive(**_future: Any) -> None:
    """Drive every run that has commands, and those that get some a moment later."""
    gives_way_at = monotonic() + MAX_SECONDS_A_CALL
    stay = partial(doorbell.stay, "drive")
    stay()
    try:
        drive_all(stay=stay)
        while monotonic() < gives_way_at and doorbell.is_rung("drive", within=LISTENS_S):
            drive_all(stay=stay)
    except AWAY as error:
        _log.warning("driving stops until the clock rings again: %s", error)
    finally:
        doorbell.leave("drive")


@shared_task(name="runs.work_effects")
def do_effects(**_future: Any) -> None:
    """Do the effects that are due, and those that come a moment later."""
    gives_way_at = monotonic() + MAX_SECONDS_A_CALL
    try:
        work_effects()
        while monotonic() < gives_way_at and doorbell.is_rung("effects", within=LISTENS_S):
            work_effects()
    except AWAY as error:
        _log.warning("effects stop until the clock rings again: %s", error)
