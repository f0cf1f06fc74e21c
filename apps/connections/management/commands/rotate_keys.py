"""``manage.py rotate_keys``: seal everything under the first encryption key."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.connections.commands import rotate_keys
from apps.core import clock


class Command(BaseCommand):
    """Ends with status 0 only where nothing is left that needs an older key."""

    help = (
        "Put a new key first in SIGNALBOX_ENCRYPTION_KEYS, restart, then run this. Once it ends"
        " well the older keys can be taken out."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        done = rotate_keys(now=clock.now())
        for one in done:
            self.stdout.write(f"{one.column}: {one.resealed} sealed anew, {one.lost} lost")
        if lost := sum(one.lost for one in done):
            raise CommandError(
                f"{lost} values cannot be opened with any key in SIGNALBOX_ENCRYPTION_KEYS."
            )
        self.stdout.write("Everything is sealed under the first key.")
