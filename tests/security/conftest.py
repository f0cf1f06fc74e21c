import pytest

from tests.support import people


@pytest.fixture
def acme(db):
    return people.make_workspace("acme")


@pytest.fixture
def other(db):
    return people.make_workspace("other")


@pytest.fixture
def admin(acme):
    return people.person(acme, "admin")


@pytest.fixture
def builder(acme):
    return people.person(acme, "builder")


@pytest.fixture
def approver(acme):
    return people.person(acme, "approver")


@pytest.fixture(autouse=True)
def _own_checkpoints(settings, tmp_path):
    """The seals of one test are not the next one's."""
    settings.CHECKPOINTS = tmp_path / "checkpoints.log"
