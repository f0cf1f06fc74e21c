"""``manage.py check_runs``: is every run what its journal says, and is none lost?"""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.runs import verify


class Command(BaseCommand):
    """Replay journals and compare them with runs and snapshots; exit status 0 only if all fit."""

    help = "Check that runs, snapshots and journals agree and that no run is lost."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")
        parser.add_argument("--since", default="", help="only runs created at or after (ISO 8601)")

    def handle(self, *_args: Any, **options: Any) -> None:
        report = verify.check_runs(since=options["since"])
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json()))
        else:
            for problem in report.problems[:50]:
                self.stderr.write(f"{problem.run_id}: {problem.message}")
            self.stdout.write(report.summary)
        if report.problems:
            raise CommandError(f"{len(report.problems)} problems were found.")
