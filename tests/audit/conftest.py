from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from apps.audit.commands import record
from apps.audit.records import Target, Who
from apps.audit.sealing import seal_pending
from apps.core.models import uuid7


@pytest.fixture
def now():
    """A moment that has a partition: the template database was made just now."""
    return datetime.now(UTC)


@pytest.fixture
def workspace_id():
    return uuid7()


@pytest.fixture
def ada():
    return Who("person", str(uuid7()), "Ada Lovelace <ada@example.org>")


@pytest.fixture(autouse=True)
def checkpoints(settings, tmp_path):
    settings.CHECKPOINTS = tmp_path / "checkpoints.log"
    return settings.CHECKPOINTS


@pytest.fixture
def write(ada, workspace_id, now):
    """Write rows in a transaction of their own, a second apart; returns their ids."""
    from django.db import transaction

    written: list[UUID] = []

    def write_rows(count=1, **changes):
        with transaction.atomic():
            for _ in range(count):
                number = len(written)
                given = {
                    "who": ada,
                    "workspace_id": workspace_id,
                    "verb": "flow.publish",
                    "target": Target("flow", str(uuid7()), f"Flow {number}"),
                    "reason": f"Reason {number}",
                    "before": {"number": number},
                    "after": {"number": number + 1},
                    "now": now + timedelta(seconds=number),
                }
                written.append(record(**(given | changes)))
        return written[-count:]

    return write_rows


@pytest.fixture
def write_seal(write, now):
    """Write two rows and seal them."""

    def write_and_seal():
        ids = write(2)
        seal_pending(now=now + timedelta(hours=1))
        return ids

    return write_and_seal


@pytest.fixture
def sealed(write, now):
    """Three seals of four rows each; returns the rows' ids by seal."""
    groups = []
    for number in range(3):
        groups.append(write(4))
        seal_pending(now=now + timedelta(minutes=number + 1))
    return groups


@pytest.fixture
def as_superuser():
    """SQL by somebody who owns the database: with every trigger off."""
    from django.db import connection

    def run(sql, *arguments):
        with connection.cursor() as cursor:
            cursor.execute("set session_replication_role = replica")
            cursor.execute(sql, arguments)
            assert cursor.rowcount != 0, "the test changed nothing"
            cursor.execute("set session_replication_role = origin")

    return run
