"""Schedules fire once per time, in their zone, through both nights, and after an outage."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

BERLIN = "Europe/Berlin"


class TestFiring:
    @pytest.fixture
    def daily(self, shop, bells):
        """Fires at nine in Berlin; the next time is set to 2026-06-01."""
        from apps.triggers.models import Schedule

        flow = shop.flow(type="schedule", cron="0 9 * * *", zone=BERLIN)
        Schedule.objects.exclude(trigger__flow=flow).update(enabled=False)
        Schedule.objects.filter(trigger__flow=flow).update(next_at=self.nine(1), looked_at=None)
        bells.clear()
        return flow

    def nine(self, day):
        return datetime(2026, 6, day, 7, tzinfo=UTC)

    def fire(self, now):
        from apps.triggers.firing import fire_due

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
        Schedule.objects.filter(trigger__flow=daily).update(next_at=self.nine(1), looked_at=None)
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
            zone="Nowhere/Land", next_at=self.nine(1) - timedelta(hours=1), looked_at=None
        )
        assert self.fire(self.nine(1)) == 1
        assert "Nowhere/Land" in caplog.text

    def test_takes_each_due_schedule(self, shop, daily, bells):
        from apps.triggers.models import Schedule

        shop.move(daily, "archived")
        for _ in range(3):
            shop.flow(type="schedule", cron="0 9 * * *")
        Schedule.objects.filter(trigger__workspace=shop.workspace).update(
            next_at=self.nine(1), looked_at=None
        )
        assert self.fire(self.nine(1)) == 3


class TestOverlap:
    """A daily schedule whose run waits for a day and a half."""

    def nine(self, day):
        return datetime(2026, 6, day, 7, tzinfo=UTC)

    def fire(self, day, **later):
        from apps.triggers.firing import fire_due

        return fire_due(now=self.nine(day) + timedelta(**later))

    @pytest.fixture
    def daily(self, shop, bells):
        from apps.triggers.models import Schedule

        def make(**config):
            Schedule.objects.update(enabled=False)
            steps = {"wait": {"type": "delay", "version": 1, "config": {"for": "PT36H"}}}
            links = [{"from": "trigger", "to": "wait"}]
            config = {"cron": "0 9 * * *", "zone": BERLIN, **config}
            flow = shop.flow(type="schedule", steps=steps, links=links, **config)
            Schedule.objects.filter(trigger__flow=flow).update(next_at=self.nine(1), looked_at=None)
            return flow

        return make

    def fires(self, flow):
        from apps.triggers.models import ScheduleFire

        found = ScheduleFire.objects.filter(schedule__trigger__flow=flow).order_by("fire_at")
        return [(one.fire_at.day, one.status) for one in found]

    def end(self, shop):
        """What the driver does when a run is over."""
        from apps.runs.models import RunState

        RunState.objects.filter(workspace_id=shop.workspace.pk).delete()

    def test_by_default_runs_go_side_by_side(self, shop, daily):
        flow = daily()
        assert [self.fire(1), self.fire(2)] == [1, 1]
        assert self.fires(flow) == [(1, "started"), (2, "started")]

    def test_skip_passes_over_what_comes_while_one_is_under_way(self, shop, daily):
        flow = daily(overlap="skip")
        assert [self.fire(1), self.fire(2), self.fire(2, minutes=1)] == [1, 0, 0]
        self.end(shop)
        assert [self.fire(2, hours=1), self.fire(3)] == [0, 1]
        assert self.fires(flow) == [(1, "over"), (2, "skipped"), (3, "started")]

    def test_queue_starts_them_one_after_the_other(self, shop, daily):
        flow = daily(overlap="queue")
        assert [self.fire(1), self.fire(2), self.fire(3), self.fire(3, hours=1)] == [1, 0, 0, 0]
        assert self.fires(flow) == [(1, "started"), (2, "waiting"), (3, "waiting")]
        self.end(shop)
        assert [self.fire(3, hours=2), self.fire(3, hours=3)] == [1, 0]
        assert self.fires(flow) == [(1, "over"), (2, "started"), (3, "waiting")]
        _first, second = shop.runs
        assert shop.started_with(second.id)["body"] == {"scheduled_for": "2026-06-02T07:00:00Z"}
        self.end(shop)
        assert self.fire(3, hours=4) == 1
        assert len(shop.runs) == 3

    def test_queue_holds_while_the_flow_is_paused_and_ends_with_it(self, shop, daily):
        flow = daily(overlap="queue")
        assert [self.fire(1), self.fire(2)] == [1, 0]
        shop.move(flow, "paused")
        self.end(shop)
        assert self.fire(2, hours=1) == 0
        shop.move(flow, "active")
        assert self.fire(2, hours=2) == 1
        assert self.fire(3) == 0
        shop.move(flow, "archived")
        self.end(shop)
        assert self.fire(4) == 0
        assert self.fires(flow)[-1] == (3, "skipped")

    def test_cancel_old_ends_the_one_before_and_says_why(self, shop, daily):
        from apps.audit.models import AuditEvent
        from apps.runs.models import RunCommand

        flow = daily(overlap="cancel_old")
        assert [self.fire(1), self.fire(2)] == [1, 1]
        first, second = shop.runs
        (cancel,) = RunCommand.objects.filter(run_id__in=[first.id, second.id], kind="cancel")
        assert (cancel.run_id, cancel.payload["reason"]) == (
            first.id,
            "The next time of its schedule has come.",
        )
        (row,) = AuditEvent.objects.filter(workspace_id=shop.workspace.pk, verb="run.cancel")
        assert (row.target_id, row.actor_kind) == (str(first.id), "system")
        assert self.fires(flow) == [(1, "over"), (2, "started")]
        assert self.fire(2, hours=1) == 0

    def test_is_judged_by_one_clock_at_a_time(self, shop, daily):
        from django.db import connection

        flow = daily(overlap="skip", missed={"all": 3})

        def clock(_number):
            try:
                return self.fire(3, hours=1)
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as clocks:
            assert sum(clocks.map(clock, range(8))) == 1
        assert self.fires(flow) == [(1, "started"), (2, "skipped"), (3, "skipped")]

    def test_a_waiting_time_is_started_by_one_clock(self, shop, daily):
        from django.db import connection

        flow = daily(overlap="queue", missed={"all": 3})
        assert self.fire(3, hours=1) == 1
        self.end(shop)

        def clock(_number):
            try:
                return self.fire(3, hours=2)
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as clocks:
            assert sum(clocks.map(clock, range(8))) == 1
        assert self.fires(flow) == [(1, "over"), (2, "started"), (3, "waiting")]

    def test_after_three_days_away_each_missed_time_may_have_its_run(self, shop, daily):
        daily(missed={"all": 10})
        assert self.fire(3, hours=20) == 3
        bodies = [shop.started_with(run.id)["body"]["scheduled_for"] for run in shop.runs]
        assert [body[8:10] for body in bodies] == ["01", "02", "03"]

    def test_after_three_days_away_missed_times_may_pass(self, shop, daily):
        from apps.triggers.models import Schedule

        flow = daily(missed="skip")
        assert self.fire(3, hours=20) == 0
        assert self.fires(flow) == []
        assert Schedule.objects.get(trigger__flow=flow).next_at == self.nine(4)
        assert self.fire(4) == 1

    def test_what_waits_and_what_runs_is_kept_for_the_next_judgement(self, shop, daily):
        from apps.triggers.commands import forget_keys

        flow = daily(overlap="queue")
        assert [self.fire(1), self.fire(2)] == [1, 0]
        forget_keys(now=self.nine(2) + timedelta(days=60))
        assert self.fires(flow) == [(1, "started"), (2, "waiting")]


class TestAClockThatJumpsBack:
    def fire(self, now):
        from apps.triggers.firing import fire_due

        return fire_due(now=now)

    @pytest.fixture
    def hourly(self, shop, bells):
        from apps.triggers.models import Schedule

        flow = shop.flow(type="schedule", cron="0 * * * *", missed={"all": 10})
        Schedule.objects.exclude(trigger__flow=flow).update(enabled=False)
        Schedule.objects.filter(trigger__flow=flow).update(next_at=self.at(10), looked_at=None)
        return flow

    def at(self, hour, minute=0):
        return datetime(2026, 6, 1, hour, minute, tzinfo=UTC)

    def next_at(self, flow):
        from apps.triggers.models import Schedule

        return Schedule.objects.get(trigger__flow=flow).next_at

    def test_fires_no_time_twice(self, shop, hourly):
        assert [self.fire(self.at(10)), self.fire(self.at(11))] == [1, 1]
        assert self.fire(self.at(9, 30)) == 0
        assert self.next_at(hourly) == self.at(10)
        assert [self.fire(self.at(hour)) for hour in (10, 11, 12)] == [0, 0, 1]
        assert len(shop.runs) == 3

    def test_after_it_was_a_year_ahead_goes_on_at_once(self, shop, hourly):
        assert self.fire(self.at(10)) == 1
        ahead = self.at(10, 30) + timedelta(days=365)
        assert self.fire(ahead) == 10
        assert self.fire(self.at(10, 31)) == 0
        assert self.next_at(hourly) == self.at(11)
        assert self.fire(self.at(11)) == 1

    def test_by_less_than_a_minute_is_no_matter(self, shop, hourly):
        assert self.fire(self.at(10)) == 1
        assert self.fire(self.at(9, 59) + timedelta(seconds=30)) == 0
        assert self.next_at(hourly) == self.at(11)


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
