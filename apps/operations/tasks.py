"""Celery's side of the housekeeping bell."""

from typing import Any

from celery import shared_task

from apps.core import outbox
from apps.runs import doorbell


@shared_task(name="operations.relay")
def relay(**_future: Any) -> None:
    """Send what is due in the outbox."""
    doorbell.answered("housekeeping")
    while outbox.relay(limit=50) == 50:
        pass
