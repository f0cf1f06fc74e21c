"""A published flow and a driver that does what a Celery worker would do."""

import pytest

from apps.accounts.actors import Actor
from tests.runs.support import Bench, cursor_of_this_thread


@pytest.fixture
def bench(transactional_db, valkey, monkeypatch) -> Bench:
    monkeypatch.setattr("apps.runs.drive._cursor", cursor_of_this_thread)
    return Bench()


@pytest.fixture
def people_of():
    """Somebody who may do everything in the bench's workspace."""
    return lambda bench: Actor.system(bench.workspace.id)
