import pytest

from apps.core import clock
from apps.flows import commands, ports
from tests.support import people


@pytest.fixture
def acme(db):
    return people.make_workspace("acme")


@pytest.fixture
def builder(acme):
    return people.person(acme, "builder")


@pytest.fixture
def viewer(acme):
    return people.person(acme, "viewer")


@pytest.fixture
def operator(acme):
    return people.person(acme, "operator")


@pytest.fixture
def admin(acme):
    return people.person(acme, "admin")


@pytest.fixture
def stranger(db):
    return people.person(people.make_workspace("other"), "builder", "admin", "operator")


@pytest.fixture
def actor(builder):
    return people.actor(builder)


@pytest.fixture
def now(db):
    return clock.now()


@pytest.fixture
def flow(actor, now):
    """A flow whose draft can be published."""
    return commands.create_flow(actor=actor, name="Report", example="daily-report", now=now)


@pytest.fixture
def released(monkeypatch):
    """What packages above were told, without those packages."""
    told = []

    def tell(*, flow, version, state, actor, now):
        told.append((version.number if version else None, str(state)))

    monkeypatch.setattr(ports, "_releases", [tell])
    return told


@pytest.fixture(autouse=True)
def _alone(monkeypatch):
    """Only this package judges and follows, unless a test says otherwise."""
    monkeypatch.setattr(ports, "_releases", [])
    monkeypatch.setattr(ports, "_checks", [])
