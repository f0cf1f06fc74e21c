"""Waits in working time: the calendar in force when they open, and what it gave is journaled."""

from datetime import UTC, datetime

import pytest

from apps.accounts import calendars
from apps.accounts.models import WorkingCalendar
from apps.accounts.queries import calendar_of
from apps.core import clock
from apps.runs.drive import drive_all
from apps.runs.models import RunEvent, Timer
from apps.steps.working import after_working
from tests.runs.support import assert_replays, document, status

pytestmark = pytest.mark.django_db(transaction=True)

WAIT = document(
    {"wait": {"type": "delay", "config": {"for": "PT8H", "business": True}}}, ["trigger -> wait"]
)


def set_hours(bench, start, end, **more):
    content = calendars.checked(
        zone="Europe/Berlin", hours=[[{"from": start, "to": end}]] * 7, holidays=[], **more
    )
    WorkingCalendar.objects.update_or_create(
        workspace=bench.workspace, defaults={"content": content, "updated_at": clock.now()}
    )


def waits_until(run_id):
    row = RunEvent.objects.get(run_id=run_id, type="step.started")
    return datetime.fromisoformat(row.data["input"]["until"])


def test_a_wait_counts_by_the_calendar_as_it_is_and_keeps_what_it_gave(bench):
    version = bench.publish(WAIT)
    set_hours(bench, "00:00", "01:00")
    first = bench.start(version)
    drive_all()
    at = RunEvent.objects.get(run_id=first, type="run.started").at
    until = after_working(calendar_of(bench.workspace.pk), at, "PT8H")
    assert waits_until(first) == until
    assert Timer.objects.get(run_id=first).fires_at == until

    set_hours(bench, "00:00", "24:00")
    assert Timer.objects.get(run_id=first).fires_at == until
    assert_replays(first)

    second = bench.start(version)
    drive_all()
    assert waits_until(second) < until


def test_nobody_has_to_set_one(bench):
    run_id = bench.start(bench.publish(WAIT))
    drive_all()
    found = waits_until(run_id)
    assert found.astimezone(UTC).weekday() < 5
    assert 9 <= found.hour <= 17


def test_a_calendar_that_cannot_be_read_pauses_its_own_runs_only(bench):
    version = bench.publish(WAIT)
    WorkingCalendar.objects.create(
        workspace=bench.workspace, content={"version": 99}, updated_at=clock.now()
    )
    broken = bench.start(version)
    plain = document({"wait": {"type": "delay", "config": {"for": "PT8H"}}}, ["trigger -> wait"])
    whole = bench.start(bench.publish(plain))
    drive_all()
    assert (status(broken), status(whole)) == ("paused", "waiting")


def test_a_calendar_with_no_working_time_left_fails_the_step_with_a_sentence(bench):
    content = {
        **calendars.standard("UTC"),
        "hours": [[]] * 7,  # as if somebody had written it past the settings
    }
    WorkingCalendar.objects.create(
        workspace=bench.workspace, content=content, updated_at=clock.now()
    )
    run = bench.run(WAIT)
    assert run.status == "failed"
    assert run.error["code"] == "no_working_time"
