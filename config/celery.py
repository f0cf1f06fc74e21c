"""The Celery application. Messages are doorbells: what is to be done is a row in PostgreSQL."""

import os
import signal
import sys
import warnings
from typing import Any

from celery import Celery
from celery.exceptions import SecurityWarning
from celery.signals import (
    task_postrun,
    task_received,
    worker_init,
    worker_process_init,
    worker_ready,
)
from celery.worker import state

from config.hearing import Hearing
from config.stack import notices, offspring

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings
from django.db import close_old_connections

# It warns of root because of pickled messages; ours are JSON and carry ids only.
warnings.filterwarnings("ignore", category=SecurityWarning)

app = Celery("signalbox")
app.conf.update(settings.CELERY)
# Left to itself a worker closes its whole pool of connections around every task; a task is short,
# and opening one costs the server more than most tasks do. See _give_back.
app.conf.update(CELERY_DB_REUSE_MAX=sys.maxsize)
app.autodiscover_tasks()

_hearing: Hearing | None = None


def doorbell_store() -> Any:
    """The broker's own store, as bells are rung there."""
    from apps.runs.doorbell import store  # noqa: PLC0415 - needs the app registry

    return store()


@worker_init.connect
def _limit_statements(**_: Any) -> None:
    """Before any connection is opened: a frozen worker's transaction ends without it."""
    from apps.runs.patience import limit_statements  # noqa: PLC0415 - needs the app registry

    limit_statements()


@worker_ready.connect
def _say_ready(sender: Any, **_: Any) -> None:
    """Tell the supervisor that this worker takes messages now, and see to it that it does."""
    _listen(sender)
    notices.ready()


def _listen(consumer: Any) -> None:
    """Watch the hearing of this worker. Started once: a consumer that reconnects is ready again."""
    global _hearing  # noqa: PLW0603 - one worker, one watch
    if _hearing is None:
        _hearing = Hearing(
            list(consumer.app.amqp.queues.consume_from),
            bells=lambda queue: int(doorbell_store().llen(queue)),
            free_hands=lambda: consumer.controller.concurrency - len(state.active_requests),
        )
        _hearing.watch()


@task_received.connect
def _hear(**_: Any) -> None:
    if _hearing is not None:
        _hearing.received()


@task_postrun.connect
def _give_back(**_: Any) -> None:
    """The connection goes back to the pool, which drops it where it is broken."""
    close_old_connections()


@worker_process_init.connect
def _end_with_the_worker(**_: Any) -> None:
    """A pool's process never outlives its worker, not even one that was killed."""
    offspring.die_with_parent(signal.SIGKILL, parent=os.getppid())
