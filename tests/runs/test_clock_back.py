"""The clock jumps back: nothing is done twice, and nothing that is due at once waits for it."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from apps.core import clock, outbox
from apps.core.models import ClockOffset, Outbox
from apps.runs import effects, sweep
from apps.runs.drive import drive_all
from apps.runs.models import Effect, RunCommand, Timer
from apps.runs.slots import Slots
from tests.runs.support import assert_replays, document, journal, status
from tests.support.servers import response, serving

pytestmark = pytest.mark.django_db(transaction=True)

WAIT = document({"wait": {"type": "delay", "config": {"for": "PT1H"}}}, ["trigger -> wait"])
JSON = "Content-Type: application/json"


@pytest.fixture(autouse=True)
def own_slots(monkeypatch):
    monkeypatch.setattr(effects, "_slots", Slots())


def jump(**by):
    """Move business time, also backwards, as a machine whose clock is put right."""
    offset, _ = ClockOffset.objects.get_or_create(pk=1, defaults={"offset": timedelta()})
    offset.offset += timedelta(**by)
    offset.save()


@pytest.fixture
def calling(bench, people_of):
    from apps.connections.commands import allow_host

    allow_host(actor=people_of(bench), host="127.0.0.1", port=None, reason="Test.", now=clock.now())

    def make(port):
        config = {"url": f"http://127.0.0.1:{port}/", "method": "POST"}
        return document({"call": {"type": "http.request", "config": config}}, ["trigger -> call"])

    return make


def test_a_timer_fires_once_and_not_before_its_time(bench):
    run_id = bench.start(bench.publish(WAIT))
    drive_all()
    jump(days=-1)
    assert sweep.fire_timers(now=clock.now()) == 0
    jump(days=1, hours=2)
    assert sweep.fire_timers(now=clock.now()) == 1
    jump(hours=-2)
    assert sweep.fire_timers(now=clock.now()) == 0
    drive_all()
    jump(hours=2)
    assert sweep.fire_timers(now=clock.now()) == 0
    assert status(run_id) == "completed"
    assert journal(run_id).count(("step.completed", "wait")) == 1
    assert not Timer.objects.filter(run_id=run_id, status="open").exists()
    assert_replays(run_id)


def test_a_wait_that_opens_meanwhile_is_as_long_as_it_says(bench):
    jump(days=-1)
    run_id = bench.start(bench.publish(WAIT))
    drive_all()
    left = Timer.objects.get(run_id=run_id).fires_at - clock.now()
    assert timedelta(minutes=50) < left <= timedelta(hours=1)


def test_a_lease_goes_by_the_machines_own_clock(bench, calling):
    with serving(response(b"{}", JSON)) as server:
        run_id = bench.start(bench.publish(calling(server.port)))
        drive_all()
        effect = effects.claim()
        assert effect is not None
        jump(days=2)
        assert effects.expire_leases() == 0
        jump(days=-4)
        assert effects.expire_leases() == 0
        effects.perform(effect)
        effects._slots.leave()
        drive_all()
        assert status(run_id) == "completed"
        assert len(server.requests) == 1


def test_an_effect_that_was_due_at_once_is_so_again(bench, calling):
    with serving(response(b"{}", JSON)) as server:
        run_id = bench.start(bench.publish(calling(server.port)))
        drive_all()
        jump(hours=-3)
        assert effects.work_effects() == 0
        assert sweep.mend_times_ahead() == 1
        assert sweep.mend_times_ahead() == 0
        assert effects.work_effects() == 1
        drive_all()
        assert status(run_id) == "completed"
        assert len(server.requests) == 1


def test_one_that_waits_for_its_next_try_keeps_its_pause(bench, calling):
    bench.start(bench.publish(calling(9)))
    drive_all()
    Effect.objects.update(attempt=1, available_at=clock.now() + timedelta(minutes=5))
    assert sweep.mend_times_ahead() == 0


def test_a_command_from_the_future_is_rung_for_and_driven(bench, monkeypatch):
    rung: list[str] = []
    # Only the sweep's own: what a start rings comes from a thread, any time later.
    monkeypatch.setattr(sweep, "doorbell", SimpleNamespace(ring_now=rung.append))
    run_id = bench.start(bench.publish(WAIT))
    jump(hours=-3)
    assert RunCommand.objects.filter(run_id=run_id).exists()
    sweep.ring_for_the_unheard()
    assert rung == ["drive"]
    drive_all()
    assert status(run_id) == "waiting"
    assert_replays(run_id)


@pytest.fixture
def sent(monkeypatch):
    """What a relay sent under the topic ``test``."""
    found: list[dict[str, int]] = []
    monkeypatch.setitem(outbox._handlers, "test", found.append)
    return found


def test_a_message_that_was_due_at_once_is_so_again(bench, sent):
    outbox.enqueue(topic="test", payload={"n": 1}, now=clock.now())
    jump(hours=-3)
    assert outbox.relay() == 0
    assert outbox.mend_times_ahead() == 1
    assert outbox.mend_times_ahead() == 0
    assert outbox.relay() == 1
    assert sent == [{"n": 1}]


@pytest.mark.parametrize(("attempts", "pause_s"), [(0, 60), (1, 5), (4, 40), (19, 3600)])
def test_a_message_that_was_put_off_keeps_its_pause_and_not_the_jump(bench, attempts, pause_s):
    outbox.enqueue(topic="test", payload={}, now=clock.now())
    Outbox.objects.update(attempts=attempts, available_at=clock.now() + timedelta(seconds=pause_s))
    assert outbox.mend_times_ahead() == 0
    jump(hours=-3)
    assert outbox.mend_times_ahead() == 1
    assert outbox.has_due()


def test_a_message_that_was_given_up_stays_so(bench):
    outbox.enqueue(topic="test", payload={}, now=clock.now())
    Outbox.objects.update(attempts=20, failed_at=clock.now())
    jump(hours=-3)
    assert outbox.mend_times_ahead() == 0


def test_a_run_may_end_before_it_began(bench):
    run_id = bench.start(bench.publish(WAIT))
    drive_all()
    jump(days=-2)
    Timer.objects.update(fires_at=clock.now())
    sweep.fire_timers(now=clock.now())
    drive_all()
    assert status(run_id) == "completed"
    assert_replays(run_id)
