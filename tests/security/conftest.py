import pytest

from apps.core import live
from tests.support import people
from tests.support.people import PASSWORD


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


@pytest.fixture
def ann(acme):
    return people.person(acme, "builder", email="ann@acme.test", password=PASSWORD)


@pytest.fixture
def told(monkeypatch):
    """Channel groups that were told something after commit."""
    groups = []
    monkeypatch.setattr(live, "_put", lambda group, *_: groups.append(group))
    return groups


@pytest.fixture(autouse=True)
def _own_checkpoints(settings, tmp_path):
    """The seals of one test are not the next one's."""
    settings.CHECKPOINTS = tmp_path / "checkpoints.log"
