"""``manage.py clock run`` is the clock's process; ``clock advance PT48H`` moves business time.

``clock measure`` ticks a few times beside it and prints how long that took.
"""

import json
import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import import_string

from apps.core import clock
from apps.core.errors import ProductError
from apps.operations import ticking
from apps.runs.patience import limit_statements
from apps.steps.outcomes import StepError
from apps.steps.types.delay import after


class Command(BaseCommand):
    """Run the clock, or move it where the test clock is on."""

    #: Done while preparing; here it would load every page there is.
    requires_system_checks: list[str] = []
    help = "Run the clock, measure its rounds, or move business time where SIGNALBOX_TEST_CLOCK=1."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("run")
        advance = actions.add_parser("advance")
        advance.add_argument("duration", help="ISO 8601, for example PT48H")

        measure = actions.add_parser("measure")
        measure.add_argument("--rounds", type=int, default=5, choices=range(1, 3601), metavar="N")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["action"] == "measure":
            limit_statements()
            for line in ticking.measured(options["rounds"]):
                self.stdout.write(json.dumps(line))
            return
        if options["action"] == "advance":
            self._advance(options["duration"])
            return
        limit_statements()
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        ticking.run_until(stop, ready=import_string(settings.READY))

    def _advance(self, duration: str) -> None:
        try:
            before = clock.now()
            now = clock.advance(by=after(before, duration) - before)
        except (ProductError, StepError) as refused:
            raise CommandError(refused.message) from None
        self.stdout.write(now.isoformat())
