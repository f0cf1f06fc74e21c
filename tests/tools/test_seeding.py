"""Copies of finished runs have everything that a run leaves, and pass the check of runs."""

import pytest
from django.db import connection

from apps.runs import verify
from apps.runs.models import Run, RunEvent
from tests.runs.support import Bench, cursor_of_this_thread, document
from tools import seeding

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def bench(transactional_db, valkey, monkeypatch) -> Bench:
    monkeypatch.setattr("apps.runs.drive._cursor", cursor_of_this_thread)
    return Bench()


def test_copies_are_whole_runs_with_ids_and_times_of_their_own(bench, monkeypatch):
    monkeypatch.setattr(seeding, "AT_ONCE", 40)
    steps = {"m": {"type": "map", "config": {"fields": {"n": "= trigger.body.n"}}}}
    version = bench.publish(document(steps, ["trigger -> m"]))
    for n in range(3):
        bench.start(version, {"n": n})
    bench.settle()
    rows = RunEvent.objects.count()
    flow = str(version.flow_id)

    assert seeding.fill(connection_url(), flow, 103) == 100
    assert seeding.fill(connection_url(), flow, 50) == 0

    assert Run.objects.filter(status="completed").count() == 103
    assert RunEvent.objects.count() == rows // 3 * 103
    days = (
        Run.objects.latest("created_at").created_at - Run.objects.earliest("created_at").created_at
    ).days
    assert 0 <= days <= seeding.KEPT_DAYS
    for run in Run.objects.all():  # ids are as old as the runs
        assert abs((run.id.int >> 80) / 1000 - run.created_at.timestamp()) < 60
    assert verify.check_runs().problems == []


def test_without_a_finished_run_there_is_nothing_to_copy(bench):
    steps = {"m": {"type": "map", "config": {"fields": {"n": "= 1"}}}}
    version = bench.publish(document(steps, ["trigger -> m"]))
    with pytest.raises(ValueError, match="no finished run"):
        seeding.fill(connection_url(), str(version.flow_id), 10)


def connection_url() -> str:
    given = connection.get_connection_params()
    return (
        f"host={given['host']} dbname={given['dbname']} user={given['user']}"
        f" port={given.get('port') or 5432}"
    )
