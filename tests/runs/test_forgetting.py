"""What grows goes: work of runs long over, and whole months of runs where that is wished."""

import os
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from apps.audit.models import AuditEvent
from apps.audit.queries import with_values
from apps.core import clock
from apps.core.models import first_uuid7_at
from apps.core.partitions import Month, months_of
from apps.runs import commands, effects, forgetting, partitions, queries, verify
from apps.runs.drive import drive_all
from apps.runs.models import Effect, Run, RunEvent, Timer
from tests.runs.support import complete, document, journal, status

pytestmark = pytest.mark.django_db(transaction=True)

BOTH = document(
    {
        "wait": {"type": "delay", "config": {"for": "PT1H"}},
        "tell": {
            "type": "mail.send",
            "config": {"to": "a@b.test", "subject": "Hi", "text": "Ho"},
        },
    },
    ["trigger -> wait", "wait -> tell"],
)
WEEK = timedelta(days=7)


@pytest.fixture
def finished(bench):
    """A run that waited, sent a mail and is over."""
    run_id = bench.start(bench.publish(BOTH))
    drive_all()
    complete(run_id, "wait")
    drive_all()
    effects.work_effects()
    drive_all()
    assert status(run_id) == "completed"
    return run_id


def left():
    return Effect.objects.count(), Timer.objects.count()


class TestWorkOfRunsThatAreOver:
    def test_goes_a_week_after_their_end_and_not_before(self, finished):
        now = clock.now()
        assert forgetting.forget_work(now=now + WEEK - timedelta(minutes=1)) == 0
        assert left() == (1, 1)
        assert forgetting.forget_work(now=now + WEEK + timedelta(minutes=1)) == 2
        assert left() == (0, 0)
        assert verify.check_runs().problems == []

    def test_leaves_what_a_page_shows_of_them(self, finished):
        run = Run.objects.get(pk=finished)
        before = queries.steps_of(run, queries.journal(run)), queries.waiting_for(run)
        forgetting.forget_work(now=clock.now() + timedelta(days=8))
        assert (queries.steps_of(run, queries.journal(run)), queries.waiting_for(run)) == before

    def test_an_unknown_outcome_stays_in_the_journal(self, bench):
        run_id = bench.start(bench.publish(BOTH))
        drive_all()
        complete(run_id, "wait")
        drive_all()
        assert effects.claim() is not None
        long_ago = clock.now() - timedelta(hours=1)
        Effect.objects.update(deaths=2, sent_at=long_ago, lease_until=long_ago)
        effects.expire_leases()
        drive_all()
        assert Effect.objects.get().status == "unknown"
        forgetting.forget_work(now=clock.now() + timedelta(days=8))
        assert left() == (0, 0)
        run = Run.objects.get(pk=run_id)
        assert run.error["class"] == "unknown"
        assert queries.steps_of(run, queries.journal(run))["tell"]["error"]["class"] == "unknown"

    def test_a_result_that_comes_after_all_that_is_journaled(self, bench, people_of):
        run_id = bench.start(bench.publish(BOTH))
        drive_all()
        complete(run_id, "wait")
        drive_all()
        late = effects.claim()
        assert late is not None
        commands.cancel_run(actor=people_of(bench), run_id=run_id, reason="", now=clock.now())
        drive_all()
        forgetting.forget_work(now=clock.now() + timedelta(days=8))
        assert left() == (0, 0)
        effects.perform(late)
        assert journal(run_id)[-1] == ("outcome.ignored", "tell")

    def test_of_a_run_that_goes_on_it_stays_however_old(self, bench, finished):
        waiting = bench.start(bench.publish(BOTH))
        drive_all()
        forgetting.forget_work(now=clock.now() + timedelta(days=800))
        assert left() == (0, 1)
        complete(waiting, "wait")
        drive_all()
        forgetting.forget_work(now=clock.now() + timedelta(days=800))
        assert left() == (1, 1)

    def test_goes_in_batches_whole(self, bench, monkeypatch):
        monkeypatch.setattr(forgetting, "CHUNK", 2)
        version = bench.publish(BOTH)
        ids = [bench.start(version) for _ in range(5)]
        drive_all()
        for run_id in ids:
            complete(run_id, "wait")
        drive_all()
        for _ in ids:
            effects.work_effects()
        drive_all()
        assert left() == (5, 5)
        assert forgetting.forget_work(now=clock.now() + timedelta(days=8)) == 10

    def test_a_call_ends_after_a_while_and_the_next_goes_on(self, finished, monkeypatch):
        monkeypatch.setattr(forgetting, "CHUNK", 1)
        monkeypatch.setattr(forgetting, "SECONDS_A_CALL", -1.0)
        later = clock.now() + timedelta(days=8)
        assert forgetting.forget_work(now=later) == 2  # one batch of each kind at least
        assert forgetting.forget_work(now=later) == 0

    def test_what_somebody_holds_is_passed_over(self, finished):
        with psycopg.connect(os.environ["DATABASE_URL"]) as other:
            other.execute("select * from timer for update")
            assert forgetting.forget_work(now=clock.now() + timedelta(days=8)) == 1
        assert left() == (0, 1)


JANUARY = Month(2025, 1)
NOW = datetime(2026, 1, 15, tzinfo=UTC)


@pytest.fixture
def old_ids(monkeypatch):
    """Runs are started with ids of January 2025."""
    partitions.ensure_partitions(datetime(2025, 1, 1, tzinfo=UTC))  # and the two after it
    january = int(datetime(2025, 1, 20, tzinfo=UTC).timestamp() * 1000)
    numbers = iter(range(1000))
    monkeypatch.setattr("tests.runs.support.uuid7", lambda: first_uuid7_at(january + next(numbers)))


@pytest.fixture
def old_run(bench, old_ids):
    """A run of that month, over since then."""
    run_id = bench.start(
        bench.publish(
            document({"one": {"type": "map", "config": {"fields": {}}}}, ["trigger -> one"])
        )
    )
    drive_all()
    when = datetime(2025, 1, 20, tzinfo=UTC)
    Run.objects.filter(pk=run_id).update(created_at=when, updated_at=when, finished_at=when)
    return run_id


def notes():
    rows = AuditEvent.objects.filter(verb="run.forget").order_by("id")
    return [(row.event.workspace_id, row.group("details")) for row in with_values(rows)]


class TestMonthsOfRuns:
    def test_are_kept_for_ever_unless_days_are_set(self, old_run, settings):
        assert settings.RUN_DAYS == 0
        assert forgetting.drop_old_months(now=NOW) == []
        assert Run.objects.filter(pk=old_run).exists()

    def test_go_whole_with_their_journals_and_a_note_in_the_trail(self, bench, old_run, settings):
        settings.RUN_DAYS = 300
        assert forgetting.drop_old_months(now=NOW) == ["202501", "202502"]
        assert not Run.objects.exists()
        assert not RunEvent.objects.exists()
        assert JANUARY not in months_of("run")
        assert JANUARY not in months_of("run_event")
        details = {"month": "2025-01", "days": 300}
        assert (bench.workspace.pk, details) in notes()
        assert (None, {**details, "about": 0}) in notes()
        assert verify.check_runs().problems == []
        assert forgetting.drop_old_months(now=NOW) == []

    def test_stay_while_one_of_their_runs_is_not_over(self, bench, old_run, settings):
        settings.RUN_DAYS = 300
        bench.start(bench.publish(BOTH))
        assert "202501" not in forgetting.drop_old_months(now=NOW)
        assert Run.objects.filter(pk=old_run).exists()
        assert notes() == [(None, {"month": "2025-02", "days": 300, "about": 0})]

    def test_stay_until_so_many_days_after_anything_happened(self, old_run, settings):
        settings.RUN_DAYS = 300
        Run.objects.filter(pk=old_run).update(updated_at=NOW - timedelta(days=299))
        assert "202501" not in forgetting.drop_old_months(now=NOW)
        assert "202501" in forgetting.drop_old_months(now=NOW + timedelta(days=2))

    def test_stay_until_their_last_day_is_so_many_days_ago(self, old_run, settings):
        settings.RUN_DAYS = 300
        end = datetime(2025, 2, 1, tzinfo=UTC)
        assert forgetting.drop_old_months(now=end + timedelta(days=300, seconds=-1)) == []
        assert forgetting.drop_old_months(now=end + timedelta(days=300)) == ["202501"]

    def test_are_dropped_later_where_somebody_reads_them(self, old_run, settings):
        settings.RUN_DAYS = 300
        with psycopg.connect(os.environ["DATABASE_URL"]) as other:
            other.execute("select count(*) from run")
            assert forgetting.drop_old_months(now=NOW) == []
        assert Run.objects.filter(pk=old_run).exists()
        assert notes() == []
        assert forgetting.drop_old_months(now=NOW) == ["202501", "202502"]

    def test_runs_of_today_are_driven_as_before(self, bench, old_run, settings, monkeypatch):
        from apps.core.models import uuid7

        settings.RUN_DAYS = 300
        forgetting.drop_old_months(now=NOW)
        monkeypatch.setattr("tests.runs.support.uuid7", uuid7)
        run = bench.run(
            document({"one": {"type": "map", "config": {"fields": {}}}}, ["trigger -> one"])
        )
        assert run.status == "completed"
