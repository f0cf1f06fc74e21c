"""What a worker does with its connections between two tasks."""

from types import SimpleNamespace

import pytest
from celery.fixups import django as fixups
from celery.signals import task_postrun
from django.db import connection

from config import celery


class Task:
    request = SimpleNamespace(is_eager=False)


@pytest.mark.django_db(transaction=True)
def test_a_task_finds_the_pool_that_the_last_one_left():
    fixup = fixups.DjangoWorkerFixup(celery.app)  # type: ignore[attr-defined]
    fixup.worker = SimpleNamespace(pool_cls="prefork")
    task = Task()
    connection.ensure_connection()
    pool = connection.pool  # type: ignore[attr-defined]
    fixup.on_task_postrun(task)
    task_postrun.send(sender=task)
    assert connection.connection is None  # given back
    fixup.on_task_prerun(task)
    connection.ensure_connection()

    assert connection.pool is pool  # type: ignore[attr-defined]
    assert not pool.closed
