"""Schedules fire once per time, in their zone, through both nights, and after an outage."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from apps.triggers.schedules import last_until, next_after

BERLIN = "Europe/Berlin"


def next_time(cron, zone, after):
    found = next_after(cron, zone, after)
    assert found is not None
    return found


def last_time(cron, zone, until):
    found = last_until(cron, zone, until)
    assert found is not None
    return found


def times(cron, start, count, zone=BERLIN):
    found = [start]
    for _ in range(count):
        found.append(next_time(cron, zone, found[-1]))
    return [f"{at:%m-%d %H:%M}" for at in found[1:]]


class TestTheNightInSpring:
    """On 2026-03-29 at 01:00 UTC, Berlin goes from 02:00 to 03:00."""

    evening = datetime(2026, 3, 28, 20, tzinfo=UTC)

    def test_a_time_that_is_skipped_fires_after_the_gap(self):
        assert times("30 2 * * *", self.evening, 2) == ["03-29 01:00", "03-30 00:30"]

    def test_a_time_in_the_morning_keeps_its_hour_on_the_wall(self):
        assert times("0 9 * * *", self.evening - timedelta(days=1), 2) == [
            "03-28 08:00",
            "03-29 07:00",
        ]

    def test_an_hourly_line_goes_on_by_elapsed_time(self):
        assert times("0 * * * *", self.evening + timedelta(hours=3), 4) == [
            "03-29 00:00",
            "03-29 01:00",
            "03-29 02:00",
            "03-29 03:00",
        ]


class TestTheNightInAutumn:
    """On 2026-10-25 at 01:00 UTC, Berlin goes from 03:00 back to 02:00."""

    evening = datetime(2026, 10, 24, 20, tzinfo=UTC)

    def test_a_time_that_comes_twice_fires_the_first_time(self):
        assert times("30 2 * * *", self.evening, 2) == ["10-25 00:30", "10-26 01:30"]

    def test_also_for_a_clock_that_looks_between_the_two(self):
        between = datetime(2026, 10, 25, 1, 0, tzinfo=UTC)
        assert times("30 2 * * *", between, 1) == ["10-26 01:30"]
        assert last_until("30 2 * * *", BERLIN, datetime(2026, 10, 25, 2, tzinfo=UTC)) == datetime(
            2026, 10, 25, 0, 30, tzinfo=UTC
        )

    def test_an_hourly_line_fires_in_both(self):
        assert times("30 * * * *", self.evening + timedelta(hours=4), 4) == [
            "10-25 00:30",
            "10-25 01:30",
            "10-25 02:30",
            "10-25 03:30",
        ]

    def test_a_time_in_the_morning_keeps_its_hour_on_the_wall(self):
        assert times("0 9 * * *", self.evening, 2) == ["10-25 08:00", "10-26 08:00"]


@pytest.mark.parametrize(
    "zone", ["America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"]
)
@pytest.mark.parametrize("cron", ["30 1,2 * * *", "*/7 * * * *"])
def test_looking_back_agrees_with_looking_forward(zone, cron):
    at = datetime(2026, 3, 27, tzinfo=UTC)
    for _ in range(300):
        after = next_time(cron, zone, at)
        assert after > at
        assert last_time(cron, zone, after) == after
        assert last_time(cron, zone, after - timedelta(seconds=1)) <= at
        at = after


def test_a_line_that_never_fires_says_so():
    assert next_after("0 0 30 2 *", "UTC", datetime(2026, 1, 1, tzinfo=UTC)) is None
    assert next_time("0 0 29 2 *", "UTC", datetime(2026, 3, 1, tzinfo=UTC)).year == 2028


class TestFiring:
    @pytest.fixture
    def daily(self, shop, bells):
        """Fires at nine in Berlin; the next time is set to 2026-06-01."""
        from apps.triggers.models import Schedule

        flow = shop.flow(type="schedule", cron="0 9 * * *", zone=BERLIN)
        Schedule.objects.exclude(trigger__flow=flow).update(enabled=False)
        Schedule.objects.filter(trigger__flow=flow).update(next_at=self.nine(1))
        bells.clear()
        return flow

    def nine(self, day):
        return datetime(2026, 6, day, 7, tzinfo=UTC)

    def fire(self, now):
        from apps.triggers.commands import fire_due

        return fire_due(now=now)

    def bodies(self, shop):
        return [shop.started_with(run.id)["body"] for run in shop.runs]

    def test_starts_a_run_that_knows_its_time(self, shop, daily, bells):
        assert self.fire(self.nine(1) - timedelta(seconds=1)) == 0
        assert self.fire(self.nine(1) + timedelta(milliseconds=300)) == 1
        (run,) = shop.runs
        assert (run.flow_id, run.trigger_type, run.started_by) == (daily.pk, "schedule", "")
        assert self.bodies(shop) == [{"scheduled_for": "2026-06-01T07:00:00Z"}]
        assert bells == ["drive"]
        assert self.fire(self.nine(1) + timedelta(seconds=1)) == 0
        assert self.fire(self.nine(2)) == 1

    def test_makes_up_for_missed_times_once_for_the_last_of_them(self, shop, daily):
        assert self.fire(self.nine(4) + timedelta(hours=3)) == 1
        assert self.bodies(shop) == [{"scheduled_for": "2026-06-04T07:00:00Z"}]
        assert self.fire(self.nine(5)) == 1

    def test_starts_no_second_run_for_a_time_whatever_the_row_says(self, shop, daily):
        from apps.triggers.models import Schedule

        assert self.fire(self.nine(1)) == 1
        Schedule.objects.filter(trigger__flow=daily).update(next_at=self.nine(1))
        assert self.fire(self.nine(1)) == 0
        assert len(shop.runs) == 1
        assert Schedule.objects.get(trigger__flow=daily).next_at == self.nine(2)

    def test_by_several_clocks_at_once_starts_one_run(self, shop, daily):
        from django.db import connection

        def clock(_number):
            try:
                return self.fire(self.nine(1))
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as clocks:
            assert sum(clocks.map(clock, range(8))) == 1
        assert len(shop.runs) == 1

    def test_waits_while_the_flow_is_paused_and_makes_up_once(self, shop, daily):
        shop.move(daily, "paused")
        assert self.fire(self.nine(3)) == 0
        shop.move(daily, "active")
        assert self.fire(self.nine(3) + timedelta(minutes=1)) == 1
        assert self.bodies(shop) == [{"scheduled_for": "2026-06-03T07:00:00Z"}]

    def test_ends_with_the_flow(self, shop, daily):
        shop.move(daily, "archived")
        assert self.fire(self.nine(3)) == 0
        assert shop.runs == []

    def test_of_one_that_cannot_be_worked_out_stops_no_other(self, shop, daily, caplog):
        from apps.triggers.models import Schedule

        broken = shop.flow(type="schedule", cron="0 9 * * *")
        Schedule.objects.filter(trigger__flow=broken).update(
            zone="Nowhere/Land", next_at=self.nine(1) - timedelta(hours=1)
        )
        assert self.fire(self.nine(1)) == 1
        assert "Nowhere/Land" in caplog.text

    def test_takes_each_due_schedule(self, shop, daily, bells):
        from apps.triggers.models import Schedule

        shop.move(daily, "archived")
        for _ in range(3):
            shop.flow(type="schedule", cron="0 9 * * *")
        Schedule.objects.filter(trigger__workspace=shop.workspace).update(next_at=self.nine(1))
        assert self.fire(self.nine(1)) == 3


class TestARelease:
    def publish(self, shop, flow, number, type, **config):
        from django.db import transaction

        from apps.core import clock
        from apps.flows.models import FlowVersion
        from apps.triggers.commands import apply_release

        version = FlowVersion.objects.create(
            flow=flow,
            workspace=shop.workspace,
            number=number,
            hash=f"{number:064x}",
            document={"trigger": {"type": type, "config": config}},
            trigger_type=type,
            created_at=clock.now(),
        )
        flow.active_version = version
        flow.save()
        with transaction.atomic():
            apply_release(
                flow=flow, version=version, state=flow.state, actor=shop.actor, now=clock.now()
            )

    def test_with_the_same_line_keeps_the_next_time(self, shop, bells):
        from apps.triggers.models import Schedule

        flow = shop.flow(type="schedule", cron="0 9 * * *", zone=BERLIN)
        due = datetime(2026, 1, 1, 8, tzinfo=UTC)
        Schedule.objects.filter(trigger__flow=flow).update(next_at=due)
        self.publish(shop, flow, 2, "schedule", cron="0 9 * * *", zone=BERLIN)
        assert Schedule.objects.get(trigger__flow=flow).next_at == due
        self.publish(shop, flow, 3, "schedule", cron="0 10 * * *", zone=BERLIN)
        assert not Schedule.objects.filter(trigger__flow=flow, next_at__lte=due).exists()

    def test_may_change_the_type_and_counts_the_revision(self, shop, bells):
        from apps.triggers.models import Schedule, Trigger

        flow = shop.flow(path="orders", signature={"scheme": "github", "secret": "portal"})
        trigger = Trigger.objects.get(flow=flow)
        assert (trigger.path, trigger.secret_name, trigger.revision) == ("orders", "portal", 1)
        self.publish(shop, flow, 2, "schedule", cron="0 9 * * *")
        trigger.refresh_from_db()
        assert (trigger.path, trigger.secret_name, trigger.revision) == ("", "", 2)
        assert Schedule.objects.filter(trigger=trigger).exists()
        self.publish(shop, flow, 3, "manual")
        assert not Schedule.objects.filter(trigger=trigger).exists()

    def test_of_a_path_that_is_taken_is_refused_by_check_and_by_the_database(self, shop, bells):
        from apps.triggers.checks import address_is_free
        from apps.triggers.commands import PathTaken

        first, second = shop.flow(path="orders"), shop.flow(path="returns")
        document = {"trigger": {"type": "webhook", "config": {"path": "orders"}}}
        assert address_is_free(flow=first, document=document) == []
        (finding,) = address_is_free(flow=second, document=document)
        assert (finding.code, finding.severity, finding.path) == (
            "path_taken",
            "error",
            "/trigger/config/path",
        )
        with pytest.raises(PathTaken, match="orders"):
            self.publish(shop, second, 2, "webhook", path="orders")
        shop.move(first, "archived")
        assert address_is_free(flow=second, document=document) == []

    def test_of_a_path_taken_in_another_workspace_is_no_matter(self, shop, bells):
        from apps.flows.models import Flow
        from apps.triggers.checks import address_is_free
        from tests.support import people

        shop.flow(path="orders")
        stranger = Flow(workspace=people.make_workspace(f"other-{shop.workspace.slug}"))
        document = {"trigger": {"type": "webhook", "config": {"path": "orders"}}}
        assert address_is_free(flow=stranger, document=document) == []

    @pytest.mark.parametrize(
        "document", [{}, {"trigger": 1}, {"trigger": {"type": "webhook", "config": {"path": 7}}}]
    )
    def test_of_a_broken_document_is_judged_elsewhere(self, shop, bells, document):
        from apps.triggers.checks import address_is_free

        assert address_is_free(flow=shop.flow(path="orders"), document=document) == []


class TestForgetting:
    def test_calls_go_after_their_days_with_their_raw_bodies(self, shop, hooks, settings):
        from datetime import timedelta

        from django.utils import timezone

        from apps.triggers.commands import forget_raw

        settings.RAW_DAYS = 30
        shop.flow(path="orders")
        hooks.post()
        hooks.post(body=b"{")
        now = timezone.now()
        forget_raw(now=now + timedelta(days=29))
        assert [bool(one.body) for one in shop.deliveries] == [True, False]
        forget_raw(now=now + timedelta(days=31))
        assert shop.deliveries == []
        assert len(shop.runs) == 1

    def test_keys_and_fires_go_after_thirty_days(self, shop, hooks):
        from django.utils import timezone

        from apps.triggers.commands import forget_keys
        from apps.triggers.models import DedupeKey

        shop.flow(path="orders")
        key = {"idempotency-key": "k"}
        first = hooks.post(headers=key)
        forget_keys(now=timezone.now() + timedelta(days=29))
        assert hooks.post(headers=key).json["run"] == first.json["run"]
        assert forget_keys(now=timezone.now() + timedelta(days=31)) >= 1
        assert not DedupeKey.objects.filter(run_id=first.json["run"]).exists()
        assert hooks.post(headers=key).status == 202
