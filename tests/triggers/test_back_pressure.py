"""Intake while PostgreSQL is slow or work piles up: 503 with Retry-After, and nothing breaks."""

import asyncio
import time
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connection

from apps.runs.priorities import Priority
from apps.triggers import gateway as gateway_module
from apps.triggers import wires
from tests.runs.support import flood


@contextmanager
def locked(table):
    """Another connection holds the table, as a long migration or a bad query of somebody would."""
    with psycopg.connect(wires.conninfo()) as other:
        other.execute("set statement_timeout = 0")
        other.execute(f"lock table {table} in access exclusive mode")
        yield
        other.rollback()


def refused(reply):
    assert reply.json["code"] == "unavailable"
    return reply.status == 503 and 1 <= int(reply.headers["retry-after"]) <= 15


class TestASlowDatabase:
    @pytest.mark.parametrize("table", ["run", "run_command", "triggers_trigger"])
    def test_is_503_within_two_seconds_and_well_again_at_once(self, shop, hooks, table):
        shop.flow(path="orders")
        assert hooks.post().status == 202
        with locked(table):
            started = time.monotonic()
            reply = hooks.post()
            took = time.monotonic() - started
        assert refused(reply)
        assert took < 5 * 2
        assert hooks.post().status == 202
        # What was refused was not stored: its sender comes again.
        assert len(shop.runs) == 2

    def test_a_flood_meanwhile_is_refused_and_none_of_it_is_stored_twice_or_lost(self, shop, hooks):
        shop.flow(path="orders")

        async def many(count):
            return await asyncio.gather(*(hooks.apost() for _ in range(count)))

        with locked("run_command"):
            replies = hooks.run(many(300))
            assert all(map(refused, replies))
        later = hooks.run(many(50))
        assert {one.status for one in later} == {202}
        ids = {one.json["run"] for one in later}
        assert {str(run.pk) for run in shop.runs} == ids

    def test_that_is_slow_and_not_stuck_is_waited_for(self, shop, hooks):
        shop.flow(path="orders")
        hooks.post()

        async def one_while_locked():
            call = asyncio.ensure_future(hooks.apost())
            await asyncio.sleep(0.3)
            return call

        with locked("run_command"):
            call = hooks.run(one_while_locked())

        async def finished():
            return await call

        assert hooks.run(finished()).status == 202


class TestALongQueue:
    @pytest.fixture(autouse=True)
    def sampled(self, monkeypatch):
        monkeypatch.setattr(gateway_module, "SAMPLE_EVERY_S", 0)
        monkeypatch.setattr(gateway_module, "BACKLOG", 50)

    def age(self):
        with connection.cursor() as cursor:
            cursor.execute("update run_command set created_at = created_at - interval '10 minutes'")

    def sampled_post(self, hooks):
        hooks.post()
        hooks.settle()
        return hooks.post()

    @pytest.mark.parametrize("priority", [Priority.HIGH, Priority.NORMAL, Priority.LOW])
    def test_of_live_work_refuses_calls_until_it_is_done(self, shop, hooks, priority):
        flow = shop.flow(path="orders")
        flood(flow.active_version, 60, priority=priority)
        self.age()
        assert refused(self.sampled_post(hooks))
        with connection.cursor() as cursor:
            cursor.execute("delete from run_command")
        assert self.sampled_post(hooks).status == 202

    @pytest.mark.parametrize("priority", [Priority.BULK, 100], ids=["bulk", "put aside"])
    def test_of_what_no_call_waits_behind_refuses_none(self, shop, hooks, priority):
        flow = shop.flow(path="orders")
        flood(flow.active_version, 60, priority=priority)
        self.age()
        assert self.sampled_post(hooks).status == 202
