"""Bring database, static files and demo data up to date: ``python -m config.prepare``.

Safe to run at any time, also beside running processes: migrations expand first, files of older
builds stay until nobody asks for them.
"""

import os
import sys


def prepare() -> None:
    """Migrate, collect static files, and in embedded mode make the demo workspace."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django  # noqa: PLC0415 - the variable above names the settings
    from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415

    try:
        django.setup()
    except ImproperlyConfigured as error:
        sys.exit(f"Signalbox refuses to start. {error}")

    from django.conf import settings  # noqa: PLC0415
    from django.core.management import call_command, get_commands  # noqa: PLC0415

    # For all processes: workers leave it out, see ``config.stack.programs``.
    call_command("check")
    call_command("migrate", interactive=False, verbosity=1)
    # Made now, so that no first message waits for it, and two processes do not make two.
    from apps.connections.vault import CannotOpen  # noqa: PLC0415 - wants the settings
    from apps.notices.pushing import private_key  # noqa: PLC0415 - wants the tables

    try:
        private_key()
    except CannotOpen as error:
        sys.exit(
            f"Signalbox refuses to start. {error} Set the keys that this database was used with."
        )
    call_command("collectstatic", interactive=False, verbosity=0)
    if settings.DEMO and "demo" in get_commands():
        call_command("demo")


if __name__ == "__main__":
    prepare()
