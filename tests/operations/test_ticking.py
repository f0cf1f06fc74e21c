"""The clock's parts, each done once on real tables."""

import json
import threading
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.core import clock
from apps.operations import ticking

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_part_can_be_done(valkey, caplog):
    everything = ticking.parts()
    ticking.tick(everything)
    assert caplog.text == ""
    assert all(part.next_at > 0 for part in everything)


def test_a_part_that_fails_is_logged_and_the_others_go_on(valkey, caplog):
    done = []

    def fails():
        raise RuntimeError("planted")

    parts = [ticking.Part("broken", 60, fails), ticking.Part("sound", 60, lambda: done.append(1))]
    ticking.tick(parts)
    assert done == [1]
    assert "“broken” failed" in caplog.text
    ticking.tick(parts)
    assert done == [1]


def test_a_round_is_measured_part_by_part(valkey, monkeypatch):
    # Limits are for the process that is the clock; this one has other tests to run.
    monkeypatch.setattr("apps.operations.management.commands.clock.limit_statements", lambda: None)
    said = StringIO()
    call_command("clock", "measure", "--rounds", "2", stdout=said)
    first, second = map(json.loads, said.getvalue().splitlines())
    assert set(first["parts_ms"]) == {part.name for part in ticking.parts()}
    assert "timers" in second["parts_ms"]
    assert "old months" not in second["parts_ms"]
    assert second["round_ms"] > 0


@pytest.mark.parametrize("rounds", ["0", "-1", "many", "1e9"])
def test_a_number_of_rounds_that_is_none_is_refused(rounds):
    with pytest.raises(CommandError):
        call_command("clock", "measure", "--rounds", rounds)


def test_what_is_to_be_done_after_a_jump_is_done_then_and_at_the_start(monkeypatch):
    at = [clock.real_now()]
    monkeypatch.setattr(clock, "now", lambda: at[0])
    done = []
    part = ticking.AfterAJump(lambda: done.append(at[0]))
    for _ in range(5):
        part.look()
    assert len(done) == ticking.AfterAJump.TIMES
    at[0] += timedelta(days=1)  # the test clock moves on
    part.look()
    assert len(done) == 3
    at[0] -= timedelta(seconds=1)
    part.look()
    assert len(done) == 3
    at[0] -= timedelta(hours=1)
    for _ in range(5):
        part.look()
    assert len(done) == 6


def test_what_is_seldom_due_holds_up_nothing_that_people_wait_for(monkeypatch):
    rounds, began, may_go, stop = [], threading.Event(), threading.Event(), threading.Event()

    def takes_long():
        began.set()
        may_go.wait(20)

    def turn():
        rounds.append(1)
        if len(rounds) == 3 and began.wait(20):
            stop.set()

    made = [ticking.Part("long", 60, takes_long), ticking.Part("short", 0, turn)]
    monkeypatch.setattr(ticking, "parts", lambda: made)
    monkeypatch.setattr(ticking, "PATIENCE_S", 0.01)
    ready = []
    ticking.run_until(stop, ready=lambda: ready.append(len(rounds)))

    assert ready == [1]  # after the first round
    assert len(rounds) == 3
    assert not may_go.is_set()  # the long part is still under way
    may_go.set()


def test_timers_and_leases_belong_to_every_round():
    prompt = {part.name for part in ticking.parts() if part.is_prompt}
    assert {"timers", "leases", "unheard bells", "schedules", "overdue tasks"} <= prompt
    assert not prompt & {"stuck runs", "work of old runs", "old calls", "old months"}
