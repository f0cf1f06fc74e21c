"""Celery's side of the doorbells: each task does what its bell was rung for."""

from typing import Any

from celery import shared_task

from apps.runs.drive import drive_all
from apps.runs.effects import work_effects


@shared_task(name="runs.drive", queue="drive")  # type: ignore[untyped-decorator]
def drive(**_future: Any) -> None:
    """Drive every run that has commands."""
    drive_all()


@shared_task(name="runs.work_effects", queue="effects")  # type: ignore[untyped-decorator]
def do_effects(**_future: Any) -> None:
    """Do the effects that are due."""
    work_effects()
