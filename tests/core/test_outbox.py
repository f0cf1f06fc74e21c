"""The outbox: every row is sent, and by one relay at a time, however slow its handler is."""

from datetime import timedelta

import pytest

from apps.core import clock, outbox
from apps.core.models import Outbox
from tests.inbox.support import move_clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def handled(monkeypatch):
    """``handled(handler)`` makes it the handler of the topic ``test.slow``."""
    monkeypatch.setattr(outbox, "_handlers", dict(outbox._handlers))
    return lambda handler: outbox.register("test.slow", handler)


def put(count):
    for number in range(count):
        outbox.enqueue(topic="test.slow", payload={"number": number}, now=clock.now())


def test_rows_behind_a_slow_one_are_not_sent_twice(handled):
    sent = []

    def slow(payload):
        sent.append(payload["number"])
        if len(sent) <= 2:
            move_clock(seconds=40)
        if len(sent) == 2:
            outbox.relay()  # another worker looks while this one has been busy for 80 s

    handled(slow)
    put(5)
    outbox.relay()
    assert sorted(sent) == [0, 1, 2, 3, 4]
    assert not Outbox.objects.exists()


def test_a_killed_relay_delays_only_the_row_that_it_held(handled):
    sent = []

    def dies_once(payload):
        sent.append(payload["number"])
        if len(sent) == 1:
            raise SystemExit

    handled(dies_once)
    put(3)
    with pytest.raises(SystemExit):
        outbox.relay()
    outbox.relay()
    assert sent == [0, 1, 2]
    move_clock(seconds=61)
    outbox.relay()
    assert sent == [0, 1, 2, 0]


def test_a_failure_after_the_lease_ran_out_leaves_the_other_relays_lease_alone(handled):
    put(1)

    def too_slow(payload):
        move_clock(seconds=61)
        Outbox.objects.update(available_at=clock.now() + outbox.LEASE)  # taken by another
        raise OSError("away")

    handled(too_slow)
    outbox.relay()
    row = Outbox.objects.get()
    assert row.attempts == 0
    assert row.available_at > clock.now() + outbox.LEASE - timedelta(seconds=5)


def test_no_more_rows_are_tried_than_asked_for(handled):
    sent = []
    handled(lambda payload: sent.append(payload["number"]))
    put(3)
    assert [outbox.relay(limit=2), outbox.relay(limit=2), outbox.relay(limit=2)] == [2, 1, 0]
    assert sent == [0, 1, 2]
