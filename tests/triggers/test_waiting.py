"""``?wait=N``: the flow's answer, or how the run ended, or 202 at the end (engine rule 31)."""

import asyncio
import json
import time
from uuid import UUID

import pytest

from apps.engine.events import Responded, to_row
from apps.triggers import waiting


def responds(run_id, status, body, *, delivered=True, seq=1):
    """What a driver writes when a respond step is reached while somebody waits."""
    from django.db import connection

    type_, step, data = to_row(Responded("answer", status, body, delivered))
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into run_event (run_id, seq, type, step, at, data)"
            " values (%s, %s, %s, %s, now(), %s)",
            [run_id, seq, type_, step, json.dumps(data)],
        )


def ends(run_id, status, error=None):
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "update run set status = 'running', started_at = now() where id = %s", [run_id]
        )
        cursor.execute(
            "update run set status = %s, finished_at = now(), error = %s where id = %s",
            [status, json.dumps(error) if error else None, run_id],
        )


def notifies(run_id):
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("select pg_notify('run_answer', %s)", [str(run_id)])


def in_a_thread(*steps):
    """Do database work beside the loop; the connection of that thread is closed at the end."""
    from django.db import connection

    try:
        for step in steps:
            step()
    finally:
        connection.close()


def written(shop):
    """The runs that are committed, on a connection that ends with its thread."""
    found: list[UUID] = []
    in_a_thread(lambda: found.extend(run.id for run in shop.runs))
    return found


async def once_written(shop, count=1):
    """Until so many calls are stored and their callers wait."""
    while len(runs := await asyncio.to_thread(written, shop)) < count:  # noqa: ASYNC110 - rows tell nobody
        await asyncio.sleep(0.01)
    return runs


@pytest.fixture
def waits(shop, hooks):
    """Post with ``?wait``, and while the caller waits do something to the run."""

    def post(then=None, *, wait="30", notify=True, **options):
        async def both():
            task = asyncio.ensure_future(hooks.apost(query=f"wait={wait}", **options))
            (run_id,) = await once_written(shop)
            steps = [lambda: then(run_id)] if then else []
            if notify and then:
                steps.append(lambda: notifies(run_id))
            await asyncio.to_thread(in_a_thread, *steps)
            return await task

        return hooks.run(both())

    shop.flow(path="orders")
    return post


class TestACallerWhoWaits:
    def test_gets_the_first_answer_with_its_status_and_body(self, shop, waits):
        reply = waits(lambda run: responds(run, 201, {"id": 7, "price": 1}))
        assert (reply.status, reply.json) == (201, {"id": 7, "price": 1})
        assert reply.headers["content-type"] == "application/json"
        assert reply.headers["x-content-type-options"] == "nosniff"

    def test_gets_a_text_as_text_that_no_browser_runs(self, shop, waits):
        reply = waits(lambda run: responds(run, 200, "<script>alert(1)</script>"))
        assert reply.body == b"<script>alert(1)</script>"
        assert reply.headers["content-type"] == "text/plain; charset=utf-8"
        assert reply.headers["content-security-policy"] == "sandbox; default-src 'none'"

    def test_gets_no_body_where_the_status_has_none(self, shop, waits):
        reply = waits(lambda run: responds(run, 204, None))
        assert (reply.status, reply.body) == (204, b"")

    def test_gets_it_also_when_the_notice_is_lost(self, shop, waits, monkeypatch):
        monkeypatch.setattr(waiting, "LOOK_EVERY_S", 0.05)
        assert waits(lambda run: responds(run, 200, {}), notify=False).status == 200

    def test_is_told_how_a_run_ended_without_an_answer(self, shop, waits):
        reply = waits(lambda run: ends(run, "completed"))
        (run,) = shop.runs
        assert reply.status == 200
        assert (reply.json["run"], reply.json["status"]) == (str(run.id), "completed")

    def test_is_told_why_a_run_failed(self, shop, waits):
        error = {"step": "pay", "class": "permanent", "code": "declined", "message": "No funds."}
        reply = waits(lambda run: ends(run, "failed", error))
        assert reply.status == 502
        assert reply.headers["content-type"] == "application/problem+json"
        assert (reply.json["code"], reply.json["detail"]) == ("run_failed", "No funds.")
        assert reply.json["error"] == error

    def test_is_answered_202_at_the_end_of_the_time(self, shop, waits):
        started = time.monotonic()
        reply = waits(wait="1")
        assert reply.status == 202
        assert 0.9 < time.monotonic() - started < 10

    def test_is_not_given_an_answer_that_came_after_the_drivers_time(self, shop, waits):
        def late(run):
            responds(run, 200, {}, delivered=False)
            ends(run, "completed")

        assert waits(late).json["status"] == "completed"

    def test_is_known_to_the_driver_until_then(self, shop, waits):
        from apps.runs.models import RunState

        waits(lambda run: responds(run, 200, {}))
        (run,) = shop.runs
        state = RunState.objects.get(run_id=run.id)
        assert state.awaited_until is not None
        assert (state.awaited_until - run.created_at).total_seconds() == 30

    def test_who_goes_away_leaves_nothing_waiting(self, shop, hooks):
        shop.flow(path="orders")

        async def leaves():
            gone = asyncio.Event()
            task = asyncio.ensure_future(hooks.apost(query="wait=30", disconnect=gone))
            await once_written(shop)
            gone.set()
            return await task

        assert hooks.run(leaves()).status == 0
        assert not hooks.gateway._answers._waiting
        assert len(shop.runs) == 1

    def test_of_a_repeat_is_answered_at_once(self, shop, hooks):
        shop.flow(path="orders")
        key = {"idempotency-key": "k"}
        assert hooks.post(headers=key).status == 202
        assert hooks.post(headers=key, query="wait=30").json["duplicate"] is True
        assert not hooks.gateway._answers._waiting

    @pytest.mark.parametrize("wait", ["0", "31", "-1", "1.5", "soon", "", "1&wait=2", "\uff11"])
    def test_may_wait_one_to_thirty_seconds(self, shop, hooks, wait):
        shop.flow(path="orders")
        reply = hooks.post(query=f"wait={wait}")
        assert (reply.status, reply.json["code"]) == (422, "bad_wait")
        assert shop.runs == []

    def test_is_released_when_the_process_ends(self, shop, hooks):
        shop.flow(path="orders")

        async def ends_meanwhile():
            task = asyncio.ensure_future(hooks.apost(query="wait=30"))
            await once_written(shop)
            await hooks.gateway.close()
            return await task

        assert hooks.run(ends_meanwhile()).status == 202

    def test_many_share_one_listener(self, shop, hooks):
        from django.db import connection

        shop.flow(path="orders")

        async def many():
            tasks = [asyncio.ensure_future(hooks.apost(query="wait=30")) for _ in range(20)]
            runs = await once_written(shop, 20)
            await asyncio.to_thread(
                in_a_thread,
                *[lambda run=run: (responds(run, 200, {}), notifies(run)) for run in runs],
            )
            return await asyncio.gather(*tasks)

        assert {reply.status for reply in hooks.run(many())} == {200}
        with connection.cursor() as cursor:
            cursor.execute(
                "select count(*) from pg_stat_activity where datname = current_database()"
                " and application_name = 'signalbox-gateway'"
            )
            assert cursor.fetchone()[0] <= 9
