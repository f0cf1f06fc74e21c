"""Flows that publish, start by and wait for events; a driver and a matcher as in a worker."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from apps.core import clock
from apps.triggers.matching import match_all
from tests.events.support import EventBench, stopped
from tests.runs.support import cursor_of_this_thread


@pytest.fixture
def bench(transactional_db, valkey, monkeypatch) -> EventBench:
    monkeypatch.setattr("apps.runs.drive._cursor", cursor_of_this_thread)
    return EventBench()


@pytest.fixture
def later(settings) -> Callable[..., Any]:
    """Moves business time on."""
    settings.TEST_CLOCK = True
    return lambda **by: clock.advance(by=timedelta(**by))


@pytest.fixture
def stop_at() -> Callable[[str], Any]:
    """A matcher in a thread of its own that stops before a statement."""
    return partial(stopped, work=match_all)
