import pytest

from tests.inbox.support import Desk


@pytest.fixture
def desk(db) -> Desk:
    return Desk()
