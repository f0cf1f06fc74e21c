"""Every browser test: what is in this folder for Chromium, against the running product."""

import subprocess
import sys

import psycopg
import pytest

from tests.support.browsers import chromium
from tests.support.live import PASSWORD, ROOT, LiveStack
from tools.installing import npm_command

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(2400)]


def test_the_pages_and_the_story_hold_in_a_real_browser(live_stack: LiveStack):
    command, environ = npm_command()
    done = subprocess.run(
        [*command, "run", "--silent", "e2e"],
        cwd=ROOT,
        env={
            # What journeys call reaches the stack that they look at, not the tests' own servers.
            **live_stack.environ,
            **environ,
            "E2E_CHROMIUM": chromium() or "",
            "E2E_URL": live_stack.url,
            "E2E_PASSWORD": PASSWORD,
            "E2E_HOME": str(live_stack.home),
            "E2E_DATABASE": _database_url(live_stack),
        },
        check=False,
    )
    assert done.returncode == 0


def _verify(stack: LiveStack) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "config.stack", "manage", "audit_verify"],
        cwd=ROOT,
        env=stack.environ,
        capture_output=True,
        text=True,
        check=False,
    )


def _database_url(stack: LiveStack) -> str:
    from config.stack.places import Places

    return Places(stack.home.resolve()).cluster.url()


def test_the_trail_of_the_story_verifies_and_a_changed_row_is_named(live_stack: LiveStack):
    """A superuser changes one row with the triggers off; it is found, and put back."""
    whole = _verify(live_stack)
    assert whole.returncode == 0, whole.stdout + whole.stderr

    with psycopg.connect(_database_url(live_stack), autocommit=True) as database:
        found = database.execute(
            "select e.id, e.verb from audit_event e join audit_leaf l on l.event_id = e.id"
            " order by l.seal_number, l.leaf_index limit 1"
        ).fetchone()
        assert found is not None, "no entry is sealed"
        row, verb = found
        database.execute("set session_replication_role = replica")
        database.execute("update audit_event set verb = 'flow.forget' where id = %s", [row])
        try:
            changed = _verify(live_stack)
        finally:
            database.execute("update audit_event set verb = %s where id = %s", [verb, row])

    assert changed.returncode != 0
    assert str(row) in changed.stdout + changed.stderr
    assert _verify(live_stack).returncode == 0
