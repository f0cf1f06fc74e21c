"""The Celery application. Messages are doorbells: what is to be done is a row in PostgreSQL."""

import os
import signal
import warnings
from typing import Any

from celery import Celery
from celery.exceptions import SecurityWarning
from celery.signals import worker_init, worker_process_init, worker_ready

from config.stack import notices, offspring

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings

# It warns of root because of pickled messages; ours are JSON and carry ids only.
warnings.filterwarnings("ignore", category=SecurityWarning)

app = Celery("signalbox")
app.conf.update(settings.CELERY)
app.autodiscover_tasks()


@worker_init.connect
def _limit_statements(**_: Any) -> None:
    """Before any connection is opened: a frozen worker's transaction ends without it."""
    from apps.runs.patience import limit_statements  # noqa: PLC0415 - needs the app registry

    limit_statements()


@worker_ready.connect
def _say_ready(**_: Any) -> None:
    """Tell the supervisor that this worker takes messages now."""
    notices.ready()


@worker_process_init.connect
def _end_with_the_worker(**_: Any) -> None:
    """A pool's process never outlives its worker, not even one that was killed."""
    offspring.die_with_parent(signal.SIGKILL, parent=os.getppid())
