"""``manage.py trail_job ID``: do one check of the trail, or make one evidence pack."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand

from apps.operations import trail_jobs
from apps.operations.evidence import build_pack
from apps.operations.trail_checks import check_trail

DOERS: dict[str, trail_jobs.Doer] = {"check": check_trail, "evidence": build_pack}


class Command(BaseCommand):
    """Started by a worker for each job; by hand only to see why one fails."""

    help = __doc__
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("job", type=UUID)
        parser.add_argument(
            "--try", type=int, dest="taken", help="the try for which it was taken; else it is now"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        trail_jobs.work_on(options["job"], DOERS, taken=options["taken"])
