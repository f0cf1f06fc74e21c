"""Hands what is due about the trail to the workers: the clock asks, every few seconds.

A message may be lost or doubled: what it is about is a row with a lease, and the clock asks again.
"""

import logging
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.utils.module_loading import import_string

from apps.core import clock
from apps.operations import forwarding, trail_jobs

__all__ = ["send_to_logs", "take_up_jobs"]

#: So long a message is taken to be on its way; what was lost is sent again then.
ON_ITS_WAY: Final = timedelta(seconds=4)

_handed: dict[str, datetime] = {}
_log = logging.getLogger(__name__)


def send_to_logs() -> None:
    """Have the trail sent to every log that is behind."""
    for destination in forwarding.due_destinations(now=clock.now()):
        _hand("operations.forward_trail", destination=str(destination))


def take_up_jobs() -> None:
    """Have checks and evidence packs made that nobody works on."""
    for job in trail_jobs.due_jobs(now=clock.now()):
        _hand("operations.trail_job", job=str(job))


def _hand(task: str, **given: Any) -> None:
    now = clock.real_now()
    for name in [name for name, at in _handed.items() if now - at > ON_ITS_WAY]:
        del _handed[name]
    named = f"{task} {given}"
    if named in _handed:
        return
    try:
        import_string(settings.CELERY_APP).send_task(
            task, kwargs=given, queue="effects", ignore_result=True, retry=False
        )
    except Exception as error:  # noqa: BLE001 - the clock asks again
        _log.warning("%s not handed on: %s", task, error)
    else:
        _handed[named] = now
