"""Calls lie in partitions of a day: what is too old goes whole, and of an event nothing twice."""

import os
from datetime import UTC, datetime, timedelta
from importlib import import_module
from uuid import UUID

import psycopg
import pytest
from django.apps import apps as django_apps
from django.conf import settings
from django.db import connection

from apps.core.models import first_uuid7_at, uuid7
from apps.core.partitions import Day
from apps.triggers import partitions
from apps.triggers.commands import forget_raw
from apps.triggers.models import Delivery

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def id_at(at: datetime, n: int = 0) -> UUID:
    return UUID(int=first_uuid7_at(int(at.timestamp() * 1000)).int | (0x7 << 76) | (0x8 << 62) | n)


def call(at: datetime, n: int = 0) -> Delivery:
    return Delivery.objects.create(
        id=id_at(at, n),
        workspace_id=uuid7(),
        trigger_id=uuid7(),
        run_id=uuid7(),
        verdict="accepted",
        headers={},
        query={},
        received_at=at,
    )


def lies_in(delivery: Delivery) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "select tableoid::regclass::text from triggers_delivery where id = %s", [delivery.pk]
        )
        return str(cursor.fetchone()[0])


@pytest.fixture
def old_days():
    """Partitions of the days around ``NOW`` less 31; gone again at the end."""
    first = NOW - timedelta(days=31)
    partitions.ensure_partitions(first)
    yield [Day.of(first), Day.of(first).next, Day.of(first).next.next]
    with connection.cursor() as cursor:
        for day in (Day.of(first), Day.of(first).next, Day.of(first).next.next):
            cursor.execute(f"drop table if exists triggers_delivery_{day.suffix}")


def test_today_and_the_next_two_days_are_there_from_the_start():
    today = Day.of(datetime.now(UTC))
    assert {today, today.next, today.next.next} <= {*partitions.days(), today}
    assert partitions.ensure_partitions(datetime.now(UTC)).in_default == []
    assert {today, today.next, today.next.next} <= set(partitions.days())


def test_a_day_ends_where_the_next_begins_also_over_a_year():
    last = Day(2026, 12, 31)
    assert last.next == Day(2027, 1, 1)
    assert last.first_id < id_at(datetime(2026, 12, 31, 23, 59, tzinfo=UTC)) < last.next.first_id
    assert Day.named("20261231") == last
    assert Day.named("202612") is None


def test_days_that_are_too_old_go_whole(old_days, real_now):
    gone, kept = call(NOW - timedelta(days=31)), call(NOW - timedelta(days=30))
    assert lies_in(gone) == f"triggers_delivery_{old_days[0].suffix}"
    assert lies_in(kept) == f"triggers_delivery_{old_days[1].suffix}"
    with connection.cursor() as cursor:
        cursor.execute("analyze triggers_delivery")
    assert settings.RAW_DAYS == 30
    real_now(NOW)
    assert forget_raw(now=NOW) == 1
    assert list(Delivery.objects.all()) == [kept]
    assert old_days[0] not in partitions.days()
    assert old_days[1] in partitions.days()
    assert forget_raw(now=NOW) == 0


def test_a_day_in_use_is_dropped_later_and_nobody_waits_for_it(old_days, real_now):
    call(NOW - timedelta(days=31))
    real_now(NOW)
    with psycopg.connect(os.environ["DATABASE_URL"]) as other:
        other.execute(f"select * from triggers_delivery_{old_days[0].suffix}")
        assert forget_raw(now=NOW) == 0
    assert Delivery.objects.count() == 1
    forget_raw(now=NOW)
    assert not Delivery.objects.exists()


def test_what_met_no_partition_goes_too(real_now):
    stray = call(datetime(2025, 5, 5, tzinfo=UTC))
    assert lies_in(stray) == "triggers_delivery_default"
    assert partitions.rows_in_default() == ["triggers_delivery"]
    assert forget_raw(now=datetime.now(UTC)) == 1
    assert partitions.rows_in_default() == []


def test_a_clock_that_is_ahead_takes_no_partition_of_today_away():
    call(datetime.now(UTC))
    before = set(partitions.days())
    ahead = datetime.now(UTC) + timedelta(days=40)
    assert forget_raw(now=ahead) == 1
    assert {Day.of(datetime.now(UTC))} <= before & set(partitions.days())


def test_what_a_trigger_makes_of_an_event_has_one_id_at_the_events_time():
    event, trigger, other = uuid7(), uuid7(), uuid7()
    found = partitions.id_of_taking(event, trigger)
    assert found == partitions.id_of_taking(event, trigger) != partitions.id_of_taking(event, other)
    assert (found.version, found.variant) == (event.version, event.variant)
    low, high = partitions.ids_of_event(event)
    assert low < found < high
    assert found.hex[:12] == event.hex[:12]


def test_calls_from_before_are_moved_with_their_bodies(real_now):
    """The migration, on rows as the table before it held them."""
    migration = import_module("apps.triggers.migrations.0010_calls_by_day")
    event, trigger = uuid7(), uuid7()
    old, now = datetime.now(UTC) - timedelta(days=12), datetime.now(UTC)
    with connection.cursor() as cursor:
        cursor.execute(
            "create table triggers_delivery_before (like triggers_delivery including all)"
        )
        cursor.execute(
            "insert into triggers_delivery_before (id, workspace_id, trigger_id, event_id, run_id,"
            " verdict, reason, summary, headers, query, body, received_at) values"
            " (%(call)s, %(x)s, %(x)s, null, %(x)s, 'accepted', '', 'a', '{}', '{}', 'raw', now()),"
            " (%(taking)s, %(x)s, %(trigger)s, %(event)s, %(x)s, 'accepted', '', 'b', '{}', '{}',"
            "  null, now())",
            {"call": id_at(old), "taking": uuid7(), "x": uuid7(), "trigger": trigger,
             "event": event},
        )  # fmt: skip
    migration.move(django_apps, None)
    moved = {one.summary: one for one in Delivery.objects.all()}
    assert (moved["a"].pk, bytes(moved["a"].body or b"")) == (id_at(old), b"raw")
    assert lies_in(moved["a"]) == f"triggers_delivery_{Day.of(old).suffix}"
    assert moved["b"].pk == partitions.id_of_taking(event, trigger)
    assert lies_in(moved["b"]) == f"triggers_delivery_{Day.of(now).suffix}"
    with connection.cursor() as cursor:
        cursor.execute("select to_regclass('triggers_delivery_before')")
        assert cursor.fetchone() == (None,)
        for day in partitions.days():
            if day.first_id < Day.of(now).first_id:
                cursor.execute(f"drop table triggers_delivery_{day.suffix}")


@pytest.fixture
def real_now(monkeypatch):
    """Sets what the clock takes for real time."""

    def be(at: datetime) -> None:
        monkeypatch.setattr("apps.core.clock.real_now", lambda: at)

    return be
