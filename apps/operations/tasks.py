"""Celery's side of the housekeeping bell, and what is done with the trail beside requests."""

from typing import Any
from uuid import UUID

from celery import shared_task

from apps.core import outbox
from apps.operations import forwarding, trail_jobs
from apps.runs import doorbell


@shared_task(name="operations.relay")
def relay(**_future: Any) -> None:
    """Send what is due in the outbox."""
    doorbell.answered("housekeeping")
    while outbox.relay(limit=50) == 50:
        pass


@shared_task(name="operations.forward_trail", queue="effects")
def forward_trail(*, destination: str, **_future: Any) -> None:
    """Send the trail to one log elsewhere, as far as it is behind."""
    forwarding.forward(UUID(destination))


@shared_task(name="operations.trail_job", queue="effects")
def trail_job(*, job: str, **_future: Any) -> None:
    """Do one check or evidence pack, in a process of its own."""
    trail_jobs.work_outside(UUID(job))
