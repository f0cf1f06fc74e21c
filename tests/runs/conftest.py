"""A published flow and a driver that does what a Celery worker would do."""

import pytest

from apps.accounts.actors import Actor
from apps.connections.commands import allow_host
from apps.core import clock
from apps.runs import effects
from apps.runs.slots import Slots
from tests.runs.support import Bench, cursor_of_this_thread
from tests.support.servers import serving


@pytest.fixture
def bench(transactional_db, valkey, monkeypatch) -> Bench:
    monkeypatch.setattr("apps.runs.drive._cursor", cursor_of_this_thread)
    return Bench()


@pytest.fixture
def people_of():
    """Somebody who may do everything in the bench's workspace."""
    return lambda bench: Actor.system(bench.workspace.id)


@pytest.fixture
def server_of(bench, people_of):
    """A server on this machine that the workspace may call."""
    allow_host(actor=people_of(bench), host="127.0.0.1", port=None, reason="Test.", now=clock.now())
    return serving


@pytest.fixture
def own_slots(monkeypatch):
    """What one test claimed by hand and never left is not the next one's."""
    monkeypatch.setattr(effects, "_slots", Slots())
