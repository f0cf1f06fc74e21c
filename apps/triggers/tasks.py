"""Celery's side of the bell for events.

While PostgreSQL is away it ends quietly: the clock rings again when it is back.
"""

import logging
from typing import Any

from celery import shared_task
from django.db import InterfaceError, OperationalError

from apps.runs import doorbell
from apps.triggers.matching import match_all

_log = logging.getLogger(__name__)


@shared_task(name="triggers.match_events")
def match_events(**_future: Any) -> None:
    """Bring events together with who waits for them."""
    doorbell.answered("events")
    try:
        match_all()
    except (OperationalError, InterfaceError) as error:
        _log.warning("events are looked at again when the clock rings: %s", error)
