"""``python -m config.stack COMMAND``: what the Makefile calls, inside the virtual environment."""

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from config.stack import backup, control, oneoff
from config.stack.errors import Refusal
from config.stack.offspring import die_with_parent
from config.stack.places import Places
from config.stack.supervisor import Supervisor


def main() -> int:
    """Run one command; the exit status is 0 only where all is well."""
    parser = argparse.ArgumentParser(prog="signalbox")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start everything and stay")
    only = commands.add_parser("only", help="start single processes and stay")
    only.add_argument("names", nargs="+", choices=["web", "drive", "effects", "clock"])
    commands.add_parser("prepare", help="migrate, collect static files, make demo data")
    commands.add_parser("restart", help="replace the running processes without a gap")
    commands.add_parser("status", help="name the running processes")
    commands.add_parser("healthy", help="succeed if all that runs here can take work")
    commands.add_parser("stop", help="end the running processes")
    back = commands.add_parser("backup", help="copy the data")
    back.add_argument("to", nargs="?", type=Path)
    commands.add_parser("restore", help="put a backup into an empty home").add_argument(
        "source", type=Path
    )
    manage = commands.add_parser("manage", help="run manage.py against the same data")
    manage.add_argument("arguments", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    places = Places.here()
    try:
        match given.command:
            case "up" | "only":
                return _stay(places, getattr(given, "names", []))
            case "prepare":
                return oneoff.run(places, [sys.executable, "-m", "config.prepare"])
            case "manage":
                return oneoff.run(places, [sys.executable, "manage.py", *given.arguments])
            case "healthy":
                return control.check_health(places)
            case "backup":
                return backup.make(places, given.to)
            case "restore":
                return backup.restore(places, given.source)
            case order:
                return control.order(places, order)
    except (Refusal, PermissionError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 1


def _stay(places: Places, names: list[str]) -> int:
    if os.environ.get("MAKELEVEL"):
        # Whoever kills `make` wants everything gone that it started.
        die_with_parent(signal.SIGTERM, parent=os.getppid())
    if names:
        asyncio.run(Supervisor(places, only=names).run())
        return 0
    if control.is_running(places):
        raise Refusal(f"It already runs from {places.home}: `make restart` replaces its processes.")
    with places.alone():
        asyncio.run(Supervisor(places).run())
    return 0


if __name__ == "__main__":
    sys.exit(main())
