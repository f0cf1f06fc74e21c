"""The programs of the stack, and the environment they run in."""

import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from config.stack.errors import Refusal
from config.stack.keys import DEMO_PASSWORD, keys
from config.stack.offspring import Footing, unprivileged
from config.stack.places import Places


@dataclass(frozen=True)
class Program:
    """One process of the stack: how to start it, how to know that it is up, how to end it."""

    name: str
    command: Sequence[str]
    footing: Footing = Footing.OWN
    stops_by: signal.Signals = signal.SIGTERM  # when a successor has taken over
    ends_by: signal.Signals | None = None  # when everything ends, if not the same
    dies_by: signal.Signals = signal.SIGKILL  # when the supervisor is gone
    answers: Callable[[], bool] | None = None  # None: it sends a notice when it is ready
    listens: bool = False  # it is given the socket of the web port


def is_embedded() -> bool:
    """Whether this is the self-contained mode; ``make up`` chooses it unless told otherwise."""
    return (os.environ.get("SIGNALBOX_ENV") or "embedded") == "embedded"


def servers(places: Places) -> list[Program]:
    """The embedded servers, less those that the environment points elsewhere."""
    found = []
    if not os.environ.get("DATABASE_URL"):
        found.append(
            Program(
                "postgres",
                places.cluster.command(),
                footing=unprivileged(),
                stops_by=signal.SIGINT,
                dies_by=signal.SIGINT,
                answers=places.cluster.answers,
            )
        )
    if not os.environ.get("REDIS_URL"):
        found.append(
            Program(
                "valkey",
                places.broker.command(),
                dies_by=signal.SIGTERM,
                answers=places.broker.answers,
            )
        )
    return found


def workers() -> list[Program]:
    """The product's own processes. Each may be killed at any moment: what it held is done again."""
    celery = [sys.executable, "-m", "celery", "--quiet", "--app=config.celery", "worker"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=WARNING"]
    return [
        Program(
            "web",
            [sys.executable, "-m", "config.stack.web"],
            ends_by=signal.SIGINT,
            listens=True,
        ),
        Program(
            "drive",
            [
                *celery,
                "--hostname=drive@%h",
                "--queues=drive,housekeeping",
                "--pool=prefork",
                f"--concurrency={os.environ.get('SIGNALBOX_DRIVE_PROCESSES') or 2}",
                *quiet,
            ],
        ),
        Program(
            "effects",
            [
                *celery,
                "--hostname=effects@%h",
                "--queues=effects",
                "--pool=threads",
                f"--concurrency={os.environ.get('SIGNALBOX_EFFECT_THREADS') or 208}",
                *quiet,
            ],
        ),
        Program("clock", [sys.executable, "manage.py", "clock", "run"]),
    ]


def environment(places: Places) -> Mapping[str, str]:
    """What every process of the stack finds in its environment.

    Raises:
        Refusal: Production mode, and an address is missing.
        KeysMissing: See ``keys``.
    """
    given = dict(os.environ)
    if is_embedded():
        made = keys(places)
        given.setdefault("DATABASE_URL", places.cluster.url())
        given.setdefault("REDIS_URL", places.broker.url)
    else:
        made = {}
        for name in ("DATABASE_URL", "REDIS_URL"):
            if not given.get(name):
                raise Refusal(f"{name} is not set: production uses servers of its own, name them.")
    return {
        **given,
        **made,
        "SIGNALBOX_ENV": "embedded" if is_embedded() else given["SIGNALBOX_ENV"],
        "SIGNALBOX_HOME": str(places.home),
        "PORT": str(port()),
        "PYTHONUNBUFFERED": "1",
        # Checked once while preparing: again in each worker it would load every page there is,
        # some 10 MB a process.
        "CELERY_SKIP_CHECKS": "1",
    }


def port() -> int:
    """The web port."""
    return int(os.environ.get("PORT") or 8000)


def host() -> str:
    """The address the web port is opened on: this machine only, unless told otherwise."""
    return os.environ.get("HOST") or "127.0.0.1"


def demo_password(environ: Mapping[str, str]) -> str | None:
    """What the demo people sign in with, or None where there are none."""
    wanted = (environ.get("SIGNALBOX_DEMO") or "1").lower() in {"1", "true", "yes", "on"}
    return environ.get(DEMO_PASSWORD) if is_embedded() and wanted else None
