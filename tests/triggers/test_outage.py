"""What callers are told while something behind the gateway is away, and what is never lost.

Engine rules 3, 9, 34 and 35.
"""

import asyncio
import socket
import time

import psycopg
import pytest

from apps.triggers import addresses, intake, wires
from apps.triggers import gateway as gateway_module
from tests.triggers.conftest import Hooks, call


def break_idle_connections(hooks):
    """End the server's side of every connection the gateway keeps."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'signalbox-gateway' and datname = current_database()"
        )
        return cursor.rowcount


class TestABrokenConnection:
    def test_is_replaced_once_without_the_caller_noticing(self, shop, hooks):
        shop.flow(path="orders")
        assert hooks.post().status == 202
        for _ in range(3):
            assert break_idle_connections(hooks) >= 1
            assert hooks.post().status == 202
        assert len(shop.runs) == 4

    def test_after_the_commit_makes_no_second_run(self, shop, hooks, monkeypatch):
        """The answer of the first try is lost; the second finds what the first one wrote."""
        shop.flow(path="orders")
        written = intake._write
        tries = []

        async def write_and_break(connection, stored, **options):
            found = await written(connection, stored, **options)
            tries.append(found)
            if len(tries) == 1:
                connection.pgconn.finish()
                raise psycopg.OperationalError("planted: the connection is lost")
            return found

        monkeypatch.setattr(intake, "_write", write_and_break)
        # The second call's address is remembered: that it was written is told by a third try, which
        # reads the address anew.
        for headers, count in (({}, 2), ({"idempotency-key": "k"}, 3)):
            tries.clear()
            reply = hooks.post(headers=headers)
            assert (reply.status, len(tries)) == (202, count)
            assert "duplicate" not in reply.json
        assert len(shop.runs) == 2
        assert len(shop.deliveries) == 2


class TestADatabaseThatIsAway:
    def test_is_503_with_retry_after_within_two_seconds_and_well_again_at_once(
        self, shop, hooks, monkeypatch, caplog
    ):
        shop.flow(path="orders")
        conninfo = wires.conninfo
        monkeypatch.setattr(wires, "conninfo", lambda: "host=/nowhere dbname=x")
        started = time.monotonic()
        reply = hooks.post()
        assert time.monotonic() - started < 2
        assert (reply.status, reply.json["code"]) == (503, "unavailable")
        assert reply.headers["retry-after"] == "2"
        assert hooks.post().status == 503
        assert caplog.text.count("the database does not answer the gateway") == 1
        monkeypatch.setattr(wires, "conninfo", conninfo)
        assert hooks.post().status == 202

    def test_that_takes_a_connection_and_says_nothing_is_503_too(self, shop, hooks, monkeypatch):
        """As one that is just starting, on a machine that has more to do."""
        shop.flow(path="orders")
        monkeypatch.setattr(wires, "CONNECT_S", 0.1)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            monkeypatch.setattr(wires, "conninfo", lambda: f"host=127.0.0.1 port={port} dbname=x")
            reply = hooks.post()
        assert (reply.status, reply.json["code"]) == (503, "unavailable")

    def test_that_hangs_is_503_too(self, shop, hooks, monkeypatch):
        shop.flow(path="orders")
        monkeypatch.setattr(gateway_module, "STORE_S", 0.2)
        held = asyncio.Event()

        async def hangs(_wires, places):
            await held.wait()
            return [None] * len(places)

        monkeypatch.setattr(addresses, "addresses_of", hangs)
        assert hooks.post().status == 503
        held.set()

    def test_a_call_told_503_is_not_stored_afterwards(self, shop, hooks, monkeypatch):
        """It waited for its turn; its sender will come again."""
        shop.flow(path="orders")
        monkeypatch.setattr(gateway_module, "STORE_S", 0.2)
        find = addresses.addresses_of

        async def slow(*arguments):
            found = await find(*arguments)
            await asyncio.sleep(0.3)
            return found

        monkeypatch.setattr(addresses, "addresses_of", slow)
        assert hooks.post().status == 503
        hooks.run(asyncio.sleep(0.3))
        assert shop.runs == []

    def test_more_callers_than_connections_wait_for_their_turn(self, shop, hooks):
        shop.flow(path="orders")

        async def many():
            return await asyncio.gather(*(hooks.apost() for _ in range(60)))

        assert {reply.status for reply in hooks.run(many())} == {202}
        assert len(shop.runs) == 60

    def test_too_many_at_once_are_503(self, shop, hooks, monkeypatch):
        shop.flow(path="orders")
        monkeypatch.setattr(gateway_module, "MOST_IN_FLIGHT", 0)
        reply = hooks.post()
        assert (reply.status, reply.headers["retry-after"]) == (503, "1")
        monkeypatch.setattr(gateway_module, "MOST_IN_FLIGHT", 1)
        assert hooks.post().status == 202

    def test_more_than_memory_is_meant_for_is_503(self, shop, hooks, monkeypatch):
        shop.flow(path="orders")
        monkeypatch.setattr(gateway_module, "MOST_HELD", 1000)

        async def one_slow_and_one_more():
            more = asyncio.Event()
            parts = [b"x" * 2000]

            async def receive():
                if parts:
                    return {"type": "http.request", "body": parts.pop(), "more_body": True}
                await more.wait()
                return {"type": "http.disconnect"}

            async def send(_message):
                raise AssertionError("nobody is there to be answered")

            scope = {
                "type": "http",
                "method": "POST",
                "path": f"/hooks/{shop.workspace.slug}/orders",
                "query_string": b"",
                "headers": [(b"host", b"localhost")],
            }
            slow = asyncio.ensure_future(hooks.gateway(scope, receive, send))
            await asyncio.sleep(0.01)
            refused = await hooks.apost()
            more.set()
            await slow
            return refused, await hooks.apost()

        refused, accepted = hooks.run(one_slow_and_one_more())
        assert (refused.status, accepted.status) == (503, 202)


class TestBackPressure:
    def test_refuses_while_the_oldest_command_is_old_and_many_wait(self, shop, hooks, monkeypatch):
        from django.db import connection

        shop.flow(path="orders")
        hooks.post()
        with connection.cursor() as cursor:
            cursor.execute("update run_command set created_at = created_at - interval '10 minutes'")
        monkeypatch.setattr(gateway_module, "SAMPLE_EVERY_S", 0)
        # Old alone is not enough: with the workers stopped, calls are still taken.
        hooks.post()
        hooks.settle()
        assert hooks.post().status == 202
        monkeypatch.setattr(gateway_module, "BACKLOG", 2)
        hooks.post()
        hooks.settle()
        reply = hooks.post()
        assert (reply.status, reply.headers["retry-after"]) == (503, "15")
        with connection.cursor() as cursor:
            cursor.execute("delete from run_command")
        hooks.post()
        hooks.settle()
        assert hooks.post().status == 202


class TestValkeyAway:
    def test_intake_still_answers_202(self, shop, settings, monkeypatch):
        from apps.runs import doorbell

        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        monkeypatch.setattr(doorbell, "_client", None)
        shop.flow(path="orders")
        hooks = Hooks(shop.workspace.slug)
        try:
            started = time.monotonic()
            assert hooks.post().status == 202
            assert time.monotonic() - started < 1
        finally:
            hooks.close()
        assert len(shop.runs) == 1


class TestACallerWhoGoesAway:
    def test_after_sending_is_stored_all_the_same(self, shop, hooks):
        shop.flow(path="orders")

        async def impatient():
            task = asyncio.ensure_future(hooks.apost())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.wait(hooks.gateway._tasks)

        hooks.run(impatient())
        assert len(shop.runs) == 1

    def test_in_the_middle_of_the_body_leaves_nothing(self, shop, hooks):
        shop.flow(path="orders")

        async def half():
            async def receive():
                return messages.pop(0)

            messages = [
                {"type": "http.request", "body": b'{"a"', "more_body": True},
                {"type": "http.disconnect"},
            ]
            await hooks.gateway(scope, receive, sent.append)

        scope = {
            "type": "http",
            "method": "POST",
            "path": f"/hooks/{shop.workspace.slug}/orders",
            "query_string": b"",
            "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
        }
        sent: list[object] = []
        hooks.run(half())
        assert sent == []
        assert shop.runs == []

    def test_who_sends_too_slowly_is_told_so(self, shop, hooks, monkeypatch):
        shop.flow(path="orders")
        monkeypatch.setattr(gateway_module, "BODY_S", 0.05)

        async def slowly():
            async def receive():
                if parts:
                    return {"type": "http.request", "body": parts.pop(), "more_body": True}
                return await asyncio.Event().wait()

            parts = [b"{"]
            sent = []

            async def send(message):
                sent.append(message)

            scope = {
                "type": "http",
                "method": "POST",
                "path": f"/hooks/{shop.workspace.slug}/orders",
                "query_string": b"",
                "headers": [(b"host", b"localhost")],
            }
            await hooks.gateway(scope, receive, send)
            return sent[0]["status"]

        assert hooks.run(slowly()) == 408


class TestTheApplication:
    def test_mounts_the_gateway_before_django_and_closes_it_at_the_end(self, shop, bells):
        from config.asgi import application, gateway

        shop.flow(path="orders")

        async def a_life():
            messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
            said = []

            async def receive():
                if len(messages) == 1:
                    reply = await call(application, f"/hooks/{shop.workspace.slug}/orders", b"{}")
                    assert reply.status == 202
                    other = await call(application, "/healthz", method="GET")
                    assert other.status == 200
                return messages.pop(0)

            async def send(message):
                said.append(message["type"])

            await application({"type": "lifespan"}, receive, send)
            return said

        assert asyncio.run(a_life()) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
        assert gateway._loop is None
