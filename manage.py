#!/usr/bin/env python
"""Django's command line, with Signalbox's settings."""

import os
import sys


def main() -> None:
    if sys.argv[1:2] == ["up"]:
        # Before Django: it is what makes the keys and the database that the settings ask for.
        from config.stack.__main__ import main as stack

        sys.exit(stack())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
