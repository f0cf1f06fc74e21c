"""``manage.py demo``: make the demo workspace, once."""

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.core import clock
from apps.operations.demo import make_demo


class Command(BaseCommand):
    """Make the demo workspace with its people, a flow and a task that waits."""

    help = "Make the demo workspace. Embedded mode only; does nothing where it exists."

    def handle(self, *_args: Any, **_options: Any) -> None:
        if not settings.EMBEDDED:
            raise CommandError("The demo is for the embedded mode; production has no demo people.")
        password = os.environ.get("SIGNALBOX_DEMO_PASSWORD", "")
        if not password:
            raise CommandError("SIGNALBOX_DEMO_PASSWORD is not set: the demo people need one.")
        if make_demo(password=password, now=clock.now()):
            self.stdout.write("The demo workspace is made.")
