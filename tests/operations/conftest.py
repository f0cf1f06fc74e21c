import pytest

from tests.inbox.support import Desk


@pytest.fixture
def desk(db) -> Desk:
    return Desk()


@pytest.fixture(autouse=True)
def _own_checkpoints(settings, tmp_path):
    """The seals of one test are not the next one's."""
    settings.CHECKPOINTS = tmp_path / "checkpoints.log"
