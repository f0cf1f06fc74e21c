"""What every test may ask for: a real, migrated PostgreSQL, a real Valkey, people, a running stack."""

import os

import pytest

from tests.support import database

database.prepare_environment()

import django  # noqa: E402
from django.conf import settings as django_settings  # noqa: E402

# The variable stays only while it is read: an xdist worker that inherited it would load the
# settings before this file has named the worker's own database.
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django_settings._setup()
django.setup()
del os.environ["DJANGO_SETTINGS_MODULE"]

import hypothesis  # noqa: E402
from asgiref.sync import SyncToAsync  # noqa: E402
from django.db import connections  # noqa: E402
from django.test import TransactionTestCase  # noqa: E402

# No test fails on a clock, whatever else the machine does.
hypothesis.settings.register_profile(
    "signalbox", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("signalbox")

_services = database.Services()


def _is_worker() -> bool:
    return "PYTEST_XDIST_WORKER" in os.environ


def pytest_configure(config: pytest.Config) -> None:
    """With xdist the services start at once, while the workers are still collecting."""
    if not _is_worker() and getattr(config.option, "numprocesses", None):
        _services.start()


def pytest_unconfigure() -> None:
    if not _is_worker():
        _services.stop()


@pytest.fixture(scope="session")
def services() -> None:
    """PostgreSQL and Valkey answer. Without xdist they start with the first test that asks."""
    if not _is_worker():
        _services.start()
    database.wait_for_services()


@pytest.fixture(scope="session")
def django_db_setup(services, django_db_blocker):
    """This worker's own copy of the migrated template; replaces pytest-django's."""
    database.make_template()
    database.copy_template()
    yield
    with django_db_blocker.unblock():
        _close_connections()
    database.drop_copy()


def _close_connections() -> None:
    """Those of this thread and of the one in which asynchronous tests run what blocks."""
    _close_in_this_thread()
    SyncToAsync.single_thread_executor.submit(_close_in_this_thread).result()


def _close_in_this_thread() -> None:
    for connection in connections.all(initialized_only=True):
        connection.close()
        if close_pool := getattr(connection, "close_pool", None):
            close_pool()


def _make_as_new(_test_case: TransactionTestCase) -> None:
    """Take away what a committing test left behind.

    Django would empty every table instead: insert-only tables refuse that, and rows that
    migrations made would be gone for the tests that follow.
    """
    _close_connections()
    database.make_as_new()


# The stubs leave private methods out.
TransactionTestCase._fixture_teardown = _make_as_new  # type: ignore[attr-defined]


@pytest.fixture
def valkey(services):
    """This worker's Valkey database, empty at the start; a connected client."""
    import redis

    client = redis.Redis.from_url(os.environ["REDIS_URL"])
    client.flushdb()
    yield client
    client.close()


@pytest.fixture(autouse=True)
def _nothing_cached(request):
    """Throttles and caches of one test are not the next one's."""
    if "django_db_setup" not in request.fixturenames:
        return
    from django.core.cache import cache

    cache.clear()


@pytest.fixture(autouse=True)
def _server_of_long_ago(request, monkeypatch):
    """The tests' PostgreSQL has only just started, and leases are to end all the same."""
    if "django_db_setup" in request.fixturenames:
        from apps.runs import effects

        monkeypatch.setattr(effects, "BACK_FOR_S", 0)


# The whole product


@pytest.fixture(scope="session")
def live_stack():
    """A running Signalbox of its own, for stories and chaos; demo people, test clock."""
    from tests.support.live import LiveStack

    stack = LiveStack(database.folder() / "live")
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()


# People


@pytest.fixture
def workspace(db):
    """A workspace with a role team for each role."""
    from tests.support import people

    return people.make_workspace("acme")


@pytest.fixture
def people(workspace):
    """One member for each role, by role."""
    from tests.support.people import ROLES, person

    return {role: person(workspace, role) for role in ROLES}


@pytest.fixture
def client_as(people):
    """``client_as("builder")``: a signed-in browser, held to CSRF like a real one."""
    from tests.support.people import browser

    return lambda role: browser(people[role])


@pytest.fixture
def api_as(people):
    """``api_as("builder")``: a client that acts by a token of that person."""
    from django.test import Client

    from tests.support.people import bearer

    return lambda role, **options: Client(headers=bearer(people[role], **options))


# Browsers


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A browser test is skipped where there is no Chromium, unless one is required."""
    if item.get_closest_marker("browser") is None:
        return
    from tests.support.browsers import chromium

    if chromium() is not None:
        return
    if os.environ.get("SIGNALBOX_REQUIRE_BROWSER"):
        pytest.fail("Chromium is required here and was not found.")
    pytest.skip("there is no Chromium on this machine: `apt install chromium`")
