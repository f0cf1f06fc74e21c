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
def test_a_task_finds_the_connection_that_the_last_one_left(settings, monkeypatch):
    connection.close()
    # The same options stand in the settings, where the fixup looks.
    options = connection.settings_dict["OPTIONS"]
    monkeypatch.setitem(settings.DATABASES, "default", connection.settings_dict)
    options["pool"] = {"min_size": 1, "max_size": 1}
    fixup = fixups.DjangoWorkerFixup(celery.app)  # type: ignore[attr-defined]
    fixup.worker = SimpleNamespace(pool_cls="prefork")
    task = Task()
    try:
        first = _backend()
        fixup.on_task_postrun(task)
        task_postrun.send(sender=task)
        assert connection.connection is None  # given back
        fixup.on_task_prerun(task)

        assert _backend() == first
    finally:
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]
        del options["pool"]


def _backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        return int(cursor.fetchone()[0])
