"""``manage.py audit_verify``: check the whole trail; exit status 0 only where all is well."""

import json
import os
import sys
import time
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from apps.audit.verify import Report, verify_trail


class Command(BaseCommand):
    """Check every row, value, tree, seal and signature, and compare with the checkpoint file."""

    help = __doc__
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--checkpoints",
            type=Path,
            help="another file of checkpoints than SIGNALBOX_CHECKPOINTS: the copy you keep",
        )
        parser.add_argument(
            "--fingerprint",
            action="append",
            default=[],
            help="trust this key too; may be given several times",
        )
        parser.add_argument(
            "--processes",
            type=int,
            default=os.cpu_count() or 1,
            help="how many processes check at once where there are many rows; one for each core",
        )
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        started = time.monotonic()
        path = options["checkpoints"] or settings.CHECKPOINTS
        report = verify_trail(
            checkpoints=path,
            fingerprints=options["fingerprint"],
            processes=max(1, options["processes"]),
        )
        seconds = time.monotonic() - started
        if options["json"]:
            result = {"ok": not report.problems, "seconds": round(seconds, 3), **asdict(report)}
            self.stdout.write(json.dumps(result))
        else:
            self._tell(report, seconds)
        if report.problems:
            sys.exit(1)

    def _tell(self, report: Report, seconds: float) -> None:
        self.stdout.write(
            f"{report.rows} rows with {report.values} values ({report.erased} erased),"
            f" {report.seals} seals, {report.checkpoints} checkpoints,"
            f" {report.unsealed} rows not sealed yet; {seconds:.1f} s."
        )
        if report.dropped:
            self.stdout.write(f"{report.dropped} rows were dropped under a signed anchor.")
        self.stdout.write(f"Key {report.fingerprint}")
        for note in report.notes:
            self.stdout.write(note)
        for problem in report.problems:
            self.stdout.write(f"{problem.code}: {problem.message}")
        if report.problems:
            self.stdout.write(f"The trail is NOT intact: {len(report.problems)} problems.")
        else:
            self.stdout.write("The trail is intact.")
