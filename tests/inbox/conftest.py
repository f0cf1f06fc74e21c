"""A workspace with people, and requests put to them on the real tables."""

import pytest

from tests.inbox.support import Desk


@pytest.fixture
def desk(db) -> Desk:
    return Desk()
