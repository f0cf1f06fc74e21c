"""Ways to tell events apart that nobody uses any more go, and no wait loses its own."""

from datetime import timedelta

import pytest

from apps.core import clock
from apps.core.models import ClockOffset
from apps.runs import verify
from apps.runs.drive import drive_all
from apps.runs.models import Run
from apps.triggers import events
from apps.triggers.matching import match_all
from apps.triggers.models import Event, EventPattern, EventSubscription
from tests.events.support import BY_ORDER, document, waiting
from tests.runs.support import status

pytestmark = pytest.mark.django_db(transaction=True)


def begin(bench):
    run_id = bench.start(bench.publish(waiting(**BY_ORDER)), {"order": 7})
    drive_all()
    match_all()
    return run_id


def jump(**by):
    offset, _ = ClockOffset.objects.get_or_create(pk=1, defaults={"offset": timedelta()})
    offset.offset += timedelta(**by)
    offset.save()


class TestPatterns:
    def test_stay_while_a_wait_is_open_or_not_long_over(self, bench, later):
        run_id = begin(bench)
        later(days=8)
        events.forget_events(now=clock.now())
        assert EventPattern.objects.count() == 1
        bench.tell({"order": 7})
        bench.settle()
        assert status(run_id) == "completed"
        later(days=6)
        events.forget_events(now=clock.now())
        assert EventPattern.objects.count() == 1

    def test_go_with_the_last_wait_that_used_them_and_come_again_with_the_next(self, bench, later):
        begin(bench)
        bench.tell({"order": 7})
        bench.settle()
        later(days=8)
        events.forget_events(now=clock.now())
        assert not EventSubscription.objects.exists()
        assert not EventPattern.objects.exists()

        bench.tell({"order": 7})  # still good for who begins to wait
        bench.settle()
        run_id = begin(bench)
        bench.settle()
        assert EventPattern.objects.count() == 1
        assert status(run_id) == "completed"
        assert verify.check_runs().problems == []

    def test_that_are_new_stay_though_no_wait_is_bound_to_them_yet(self, bench):
        EventPattern.objects.create(
            workspace_id=bench.workspace.pk, type="invoice.paid", created_at=clock.now()
        )
        events.forget_events(now=clock.now())
        assert EventPattern.objects.count() == 1

    def test_more_than_go_at_once_all_go(self, bench, monkeypatch):
        monkeypatch.setattr(events, "CHUNK", 3)
        for n in range(10):
            EventPattern.objects.create(
                workspace_id=bench.workspace.pk,
                type=f"t{n}",
                created_at=clock.now() - timedelta(days=9),
            )
        assert events.forget_events(now=clock.now()) == 10
        assert not EventPattern.objects.exists()

    @pytest.mark.parametrize(
        "point",
        ["for key share", "update event_subscription set pattern_id"],
        ids=["before it is held", "before the wait is bound"],
    )
    def test_that_a_wait_is_about_to_use_are_kept_or_made_anew(self, bench, stop_at, point):
        """The wait has read the pattern; it is forgotten just then."""
        EventPattern.objects.create(
            workspace_id=bench.workspace.pk,
            type="invoice.paid",
            key_of="event.data.order",
            created_at=clock.now() - timedelta(days=9),
        )
        run_id = bench.start(bench.publish(waiting(**BY_ORDER)), {"order": 7})
        drive_all()
        # As where the pattern was made just after the wait was opened.
        EventSubscription.objects.update(pattern_id=None)
        with stop_at(point):
            events.forget_events(now=clock.now())
        bench.settle()
        assert EventSubscription.objects.get().pattern_id == EventPattern.objects.get().pk
        bench.tell({"order": 7})
        bench.settle()
        assert status(run_id) == "completed"


class TestAClockThatJumpsBack:
    def test_an_event_that_was_due_at_once_is_so_again(self, bench):
        run_id = begin(bench)
        bench.tell({"order": 7})
        jump(hours=-3)
        match_all()
        drive_all()
        assert status(run_id) == "waiting"
        assert (
            events.mend_times_ahead() == 2
        )  # the event, and the wait that was opened later than now
        assert events.mend_times_ahead() == 0
        bench.settle()
        assert status(run_id) == "completed"

    def test_a_wait_that_was_due_at_once_is_so_again(self, bench):
        run_id = bench.start(bench.publish(waiting(**BY_ORDER)), {"order": 7})
        drive_all()
        jump(hours=-3)
        bench.tell({"order": 7})
        match_all()
        assert events.mend_times_ahead() == 1
        assert events.mend_times_ahead() == 0
        bench.settle()
        assert status(run_id) == "completed"

    def test_an_event_that_the_run_took_before_the_jump_is_not_taken_again(self, bench):
        wait = {"type": "wait.event", "config": {"type": "invoice.paid", **BY_ORDER}}
        doc = document({"one": wait, "two": wait}, ["trigger -> one", "one.done -> two"])
        run_id = bench.start(bench.publish(doc), {"order": 7})
        bench.settle()
        bench.tell({"order": 7})
        bench.settle()
        assert EventSubscription.objects.filter(status="matched").count() == 1
        jump(hours=-3)
        events.mend_times_ahead()
        bench.settle()
        assert status(run_id) == "waiting"
        bench.tell({"order": 7})
        bench.settle()
        assert status(run_id) == "completed"

    def test_what_was_put_off_keeps_its_pause(self, bench):
        begin(bench)
        bench.tell({"order": 8})
        made = clock.now() - timedelta(hours=2)
        Event.objects.update(created_at=made, look_at=clock.now() + timedelta(hours=2))
        EventSubscription.objects.update(look_at=clock.now() + timedelta(minutes=1))
        assert events.mend_times_ahead() == 0
        jump(hours=-1)
        assert events.mend_times_ahead() == 2
        assert Run.objects.get().status == "waiting"
