"""A published flow and a driver that does what a Celery worker would do."""

import pytest

from tests.runs.support import Bench


@pytest.fixture
def bench(transactional_db) -> Bench:
    return Bench()
