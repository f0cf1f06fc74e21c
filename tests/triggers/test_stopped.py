"""Signals while everything is stopped: each is accepted, and none starts before it goes on."""

from datetime import timedelta

import pytest

from apps.core import clock
from apps.core.models import uuid7
from apps.runs import stopping
from apps.runs.drive import drive_all
from apps.runs.models import RunCommand, RunState, WaitingStart
from apps.runs.priorities import Priority
from apps.triggers import events, firing, matching
from apps.triggers.models import Schedule


@pytest.fixture
def system(shop):
    from apps.accounts.actors import Actor

    return Actor.system(shop.workspace.pk)


@pytest.fixture
def stopped(system):
    stopping.stop_everything(actor=system, reason="Breach", now=clock.now())


def lift(system):
    count = stopping.lift_stop(actor=system, reason="", now=clock.now())
    drive_all()
    return count


def statuses(shop):
    return [run.status for run in shop.runs]


def test_a_call_is_accepted_and_held(shop, hooks, bells, stopped, system):
    shop.flow(path="orders")
    assert [hooks.post().status for _ in range(3)] == [202] * 3
    drive_all()
    assert statuses(shop) == ["queued"] * 3
    assert lift(system) == 3
    assert statuses(shop) == ["completed"] * 3


def test_a_caller_who_waits_for_the_answer_is_told_that_it_was_accepted(
    shop, hooks, bells, stopped, system
):
    shop.flow(path="orders")
    reply = hooks.post(query="wait=1")
    assert reply.status == 202
    drive_all()
    assert statuses(shop) == ["queued"]


def test_a_schedule_fires_and_its_run_is_held(shop, bells, stopped, system):
    flow = shop.flow(type="schedule", cron="0 9 * * *", zone="UTC")
    Schedule.objects.exclude(trigger__flow=flow).update(enabled=False)
    Schedule.objects.filter(trigger__flow=flow).update(next_at=clock.now())
    assert firing.fire_due(now=clock.now()) == 1
    drive_all()
    assert statuses(shop) == ["queued"]
    assert lift(system) == 1
    assert statuses(shop) == ["completed"]


def test_an_event_is_accepted_and_what_it_starts_is_held(shop, bells, stopped, system):
    shop.flow(type="event", config={}, trigger={"type": "event", "config": {"type": "paid"}})
    sent = {"specversion": "1.0", "id": uuid7().hex, "source": "/bank", "type": "paid", "data": {}}
    events.publish_event(actor=system, event=sent, now=clock.now())
    matching.match_all()
    drive_all()
    assert statuses(shop) == ["queued"]
    assert WaitingStart.objects.filter(reason="stopped").exists()
    assert lift(system) == 1
    assert statuses(shop) == ["completed"]


class TestPriorities:
    """What starts a run gives it the priority of the flow."""

    @pytest.mark.parametrize(("name", "priority"), [("high", -10), ("low", 10), (None, 0)])
    @pytest.mark.parametrize("kind", ["webhook", "schedule", "event"])
    def test_are_the_flows_whatever_starts_it(
        self, shop, hooks, bells, system, kind, name, priority
    ):
        settings = {"priority": name} if name else {}
        if kind == "webhook":
            shop.flow(path="orders", settings=settings)
            assert {hooks.post().status for _ in range(2)} == {202}
        elif kind == "schedule":
            flow = shop.flow(type="schedule", cron="0 9 * * *", zone="UTC", settings=settings)
            Schedule.objects.exclude(trigger__flow=flow).update(enabled=False)
            Schedule.objects.filter(trigger__flow=flow).update(next_at=clock.now())
            firing.fire_due(now=clock.now())
        else:
            shop.flow(trigger={"type": "event", "config": {"type": "paid"}}, settings=settings)
            sent = {"specversion": "1.0", "id": uuid7().hex, "source": "/bank", "type": "paid"}
            events.publish_event(actor=system, event=sent, now=clock.now())
            matching.match_all()
        runs = [run.pk for run in shop.runs]
        assert runs
        for table in (RunState, RunCommand):
            found = table.objects.filter(run_id__in=runs).values_list("priority", flat=True)
            assert set(found) == {priority}

    def test_a_group_of_calls_has_each_its_own(self, shop, hooks, bells):
        import asyncio

        expected = {}
        for name, priority in (("high", -10), ("normal", 0), ("low", 10)):
            flow = shop.flow(path=f"orders/{name}", settings={"priority": name})
            expected[flow.pk] = priority

        async def many():
            paths = [f"orders/{name}" for name in ("high", "normal", "low")] * 10
            return await asyncio.gather(*(hooks.apost(path) for path in paths))

        assert {one.status for one in hooks.run(many())} == {202}
        rows = RunState.objects.filter(flow_id__in=expected)
        assert len(rows) == 30
        assert all(one.priority == expected[one.flow_id] for one in rows)

    def test_the_next_version_may_have_another(self, shop, hooks, bells):
        flow = shop.flow(path="orders", settings={"priority": "low"})
        hooks.post()
        version = flow.active_version
        version.document["settings"]["priority"] = "high"
        version.pk, version.number, version.hash = uuid7(), 2, uuid7().hex * 2
        version.save(force_insert=True)
        flow.active_version = version
        flow.save()
        shop.move(flow, "active")
        hooks.post()
        found = [RunState.objects.get(run_id=run.pk).priority for run in shop.runs]
        assert found == [Priority.LOW, Priority.HIGH]

    @pytest.mark.parametrize(
        ("missed", "found"), [({"all": 5}, [20, 20, 20, -10]), ("once", [-10])], ids=["all", "once"]
    )
    def test_times_that_are_made_up_for_are_bulk_work(self, shop, bells, missed, found):
        settings = {"priority": "high"}
        flow = shop.flow(
            type="schedule", cron="* * * * *", zone="UTC", missed=missed, settings=settings
        )
        Schedule.objects.exclude(trigger__flow=flow).update(enabled=False)
        now = clock.now().replace(second=30, microsecond=0)
        first = now.replace(second=0) - timedelta(minutes=3)
        Schedule.objects.filter(trigger__flow=flow).update(next_at=first, looked_at=None)
        firing.fire_due(now=now)
        runs = sorted(shop.runs, key=lambda run: shop.started_with(run.pk)["body"]["scheduled_for"])
        assert [RunState.objects.get(run_id=run.pk).priority for run in runs] == found
