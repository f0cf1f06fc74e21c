"""The live channel: who may open it, what it says, and when it closes."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from apps.accounts import consumers
from apps.accounts.consumers import is_same_origin, visible
from apps.core import live
from tests.support import people

COOKIE = "sessionid"


def headers(cookie="", origin="http://127.0.0.1:8000", host="127.0.0.1:8000"):
    found = [(b"host", host.encode()), (b"cookie", cookie.encode())]
    return [*found, (b"origin", origin.encode())] if origin else found


class Socket:
    """A page's end of a socket, straight on the application."""

    def __init__(self, found_headers, path="/ws/live/"):
        from config.asgi import application

        self.incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.said: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
        scope = {
            "type": "websocket",
            "path": path,
            "query_string": b"",
            "headers": found_headers,
            "subprotocols": [],
        }
        self.incoming.put_nowait({"type": "websocket.connect"})
        self.task = asyncio.ensure_future(application(scope, self.incoming.get, self.said.put))

    async def next(self):
        """``accept``, a close code, or the message."""
        async with asyncio.timeout(10):
            message = await self.said.get()
        if message["type"] == "websocket.send":
            return json.loads(message["text"])
        return "accept" if message["type"] == "websocket.accept" else message.get("code", 1000)

    async def leave(self):
        self.incoming.put_nowait({"type": "websocket.disconnect", "code": 1000})
        async with asyncio.timeout(10):
            await self.task


async def tell(group, what, ids=()):
    """What ``core.live`` sends, without its pause."""
    from channels.layers import get_channel_layer

    await get_channel_layer().group_send(
        group, {"type": "live.changed", "what": what, "ids": list(ids)}
    )


def on_a_loop(scenario):
    """Run it on a loop of its own, and leave no connection to the broker behind."""

    async def whole():
        from channels.layers import channel_layers

        try:
            await scenario()
        finally:
            for layer in channel_layers.backends.values():
                await layer.flush()
            channel_layers.backends.clear()

    asyncio.run(whole())


@pytest.fixture
def cookie_of(transactional_db, valkey, monkeypatch):
    # What making people and sessions says must not arrive in the middle of the test.
    monkeypatch.setattr(live, "_put", lambda *_message: None)

    def cookie(user):
        return f"{COOKIE}={people.browser(user).cookies[COOKIE].value}"

    return cookie


@pytest.fixture
def acme(transactional_db, cookie_of):
    return people.make_workspace("acme")


class TestASocket:
    def test_says_hello_then_counts_what_changed_and_closes_when_access_changes(
        self, acme, cookie_of
    ):
        viewer = people.person(acme, "viewer")
        cookie = cookie_of(viewer)

        async def scenario():
            socket = Socket(headers(cookie))
            assert await socket.next() == "accept"
            assert await socket.next() == {"seq": 0, "type": "hello"}
            await tell(live.group_of(acme.pk), "run", ["a", "b"])
            assert await socket.next() == {"seq": 1, "type": "run", "ids": ["a", "b"]}
            await tell(live.group_of(acme.pk), "flow", ["c"])
            assert await socket.next() == {"seq": 2, "type": "flow", "ids": ["c"]}
            await tell(live.user_group_of(viewer.pk), "access")
            assert await socket.next() == consumers.ACCESS_CHANGED
            await socket.leave()

        on_a_loop(scenario)

    def test_of_another_workspace_hears_nothing(self, acme, cookie_of):
        other = people.make_workspace("other")
        cookie = cookie_of(people.person(acme, "viewer"))

        async def scenario():
            socket = Socket(headers(cookie))
            await socket.next()
            await socket.next()
            await tell(live.group_of(other.pk), "run", ["secret"])
            await tell(live.group_of(acme.pk), "run", ["own"])
            assert (await socket.next())["ids"] == ["own"]
            await socket.leave()

        on_a_loop(scenario)

    def test_without_a_session_is_closed(self, acme, cookie_of):
        async def scenario():
            for cookie in ("", f"{COOKIE}=made-up"):
                socket = Socket(headers(cookie))
                assert await socket.next() == "accept"
                assert await socket.next() == consumers.NOT_SIGNED_IN
                await socket.leave()

        on_a_loop(scenario)

    @pytest.mark.parametrize(
        "origin", ["http://evil.test", "http://127.0.0.1:9999", "null", "", "file://127.0.0.1:8000"]
    )
    def test_opened_by_another_page_is_refused_before_it_opens(self, acme, cookie_of, origin):
        cookie = cookie_of(people.person(acme, "viewer"))

        async def scenario():
            socket = Socket(headers(cookie, origin=origin))
            assert await socket.next() != "accept"
            await socket.leave()

        on_a_loop(scenario)

    def test_at_another_address_is_refused(self, transactional_db):
        async def scenario():
            assert await Socket(headers(), path="/ws/other/").next() == 1000

        on_a_loop(scenario)

    def test_judges_its_person_anew_after_a_minute(self, acme, cookie_of, monkeypatch):
        """A session that just ends tells nobody."""
        from apps.accounts.models import Session

        monkeypatch.setattr(consumers, "JUDGED_FOR_S", -1)
        cookie = cookie_of(people.person(acme, "viewer"))

        async def scenario():
            socket = Socket(headers(cookie))
            await socket.next()
            await socket.next()
            await sync_to_async(Session.objects.all().delete)()
            await tell(live.group_of(acme.pk), "run", ["a"])
            assert await socket.next() == consumers.NOT_SIGNED_IN
            await socket.leave()

        on_a_loop(scenario)


@pytest.mark.django_db
class TestWhatIsVisible:
    @pytest.fixture
    def team(self, db):
        workspace = people.make_workspace("team")
        return {
            role: people.actor(people.person(workspace, role), workspace)
            for role in ("viewer", "approver", "auditor", "admin")
        }

    def test_flows_and_runs_are_for_those_who_may_view_them(self, team):
        ids = ["01a1f927-e61f-7072-b7e6-9e9b52a31d47"]
        for what in ("flow", "run"):
            assert visible(team["viewer"], what, ids) == ids
            assert visible(team["approver"], what, ids) is None

    def test_the_trail_is_for_auditors_and_administrators(self, team):
        assert visible(team["auditor"], "audit", ["1"]) == ["1"]
        assert visible(team["admin"], "audit", ["1"]) == ["1"]
        assert visible(team["viewer"], "audit", ["1"]) is None

    def test_a_granted_flow_is_seen_by_its_person_alone(self, team):
        from django.utils import timezone

        from apps.accounts import commands
        from apps.accounts.commands.grants import GrantSubject
        from apps.accounts.models import Workspace
        from apps.flows.models import Flow

        workspace = Workspace.objects.get(slug="team")
        now = timezone.now()
        granted, other = (
            Flow.objects.create(workspace=workspace, name=name, created_at=now, updated_at=now)
            for name in ("granted", "other")
        )
        commands.grant_flow(
            actor=team["admin"],
            flow_id=granted.pk,
            subject=GrantSubject(kind="user", id=team["approver"].user_id),
            rights=["view"],
            now=now,
        )
        ids = [str(granted.pk), str(other.pk)]
        assert visible(team["approver"], "flow", ids) == [str(granted.pk)]

    def test_a_hint_about_a_whole_list_goes_to_everybody_whose_list_it_may_be(self, team):
        assert visible(team["approver"], "task", []) == []
        assert visible(team["viewer"], "task", []) == []
        assert visible(team["viewer"], "audit", []) is None

    def test_a_task_is_told_to_those_it_was_put_to(self, team):
        assert visible(team["viewer"], "task", ["01a1f927-e61f-7072-b7e6-9e9b52a31d47"]) is None

    def test_alerts_carry_no_ids(self, team):
        assert visible(team["viewer"], "alert", ["1"]) == []


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        ("https://app.example.com", "app.example.com", True),
        ("http://127.0.0.1:8000", "127.0.0.1:8000", True),
        ("https://app.example.com", "APP.example.com", True),
        ("https://app.example.com.evil.test", "app.example.com", False),
        ("https://evil.test", "app.example.com", False),
        ("http://[broken", "app.example.com", False),
        ("", "", False),
        ("http://", "", False),
    ],
)
def test_a_page_of_this_host_has_its_origin(origin, host, same):
    assert is_same_origin(origin, host) is same


class TestPresence:
    """Pages that show the same flow hear of each other."""

    FLOW = "019a2f3c-0000-7000-8000-000000000001"

    @staticmethod
    def says(socket, **said):
        socket.incoming.put_nowait({"type": "websocket.receive", "text": json.dumps(said)})

    async def open(self, cookie):
        socket = Socket(headers(cookie))
        assert await socket.next() == "accept"
        assert (await socket.next())["type"] == "hello"
        return socket

    async def quiet(self, socket):
        await asyncio.sleep(0.2)
        assert socket.said.empty()

    def test_names_who_is_here_and_what_they_have_selected(self, acme, cookie_of):
        ana = people.person(acme, "builder", email="ana@acme.test")
        bob = people.person(acme, "viewer", email="bob@acme.test")
        cookies = cookie_of(ana), cookie_of(bob)

        async def scenario():
            first, second = [await self.open(cookie) for cookie in cookies]
            self.says(first, type="here", flow=self.FLOW, selected=["approve"])
            await self.quiet(second)
            self.says(second, type="here", flow=self.FLOW, selected=["<b>", 3, "tell"])
            seen = await first.next()
            assert (seen["type"], seen["who"]["name"], seen["selected"]) == (
                "here",
                "Bob",
                ["tell"],
            )
            answered = await second.next()
            assert (answered["who"]["user"], answered["selected"]) == (str(ana.pk), ["approve"])
            self.says(first, type="here", flow=self.FLOW, selected=[])
            assert (await second.next())["selected"] == []
            await first.leave()
            gone = await second.next()
            assert (gone["type"], gone["who"]["id"]) == ("gone", answered["who"]["id"])
            await second.leave()

        on_a_loop(scenario)

    def test_keeps_workspaces_apart_and_asks_for_the_right_to_see(self, acme, cookie_of):
        elsewhere = people.person(people.make_workspace("other"), "builder", email="x@other.test")
        blind = people.person(acme, "approver", email="blind@acme.test")
        seen = people.person(acme, "builder")
        cookies = [cookie_of(one) for one in (seen, elsewhere, blind)]

        async def scenario():
            sockets = [await self.open(cookie) for cookie in cookies]
            for socket in sockets:
                self.says(socket, type="here", flow=self.FLOW, selected=[])
            for socket in sockets:
                await self.quiet(socket)
                await socket.leave()

        on_a_loop(scenario)

    def test_drops_what_is_no_such_message(self, acme, cookie_of):
        cookie = cookie_of(people.person(acme, "builder"))

        async def scenario():
            socket = await self.open(cookie)
            for text in ("", "{", "[]", "3", "null", '{"type": "here"}', '{"flow": 3}', "[" * 5000):
                socket.incoming.put_nowait({"type": "websocket.receive", "text": text})
            self.says(socket, type="here", flow="not-an-id")
            self.says(socket, type="other", flow=self.FLOW)
            await self.quiet(socket)
            await tell(live.group_of(acme.pk), "flow", ["a"])
            assert (await socket.next())["type"] == "flow"
            await socket.leave()

        on_a_loop(scenario)

    @pytest.mark.parametrize("how", ["long", "often", "bytes"])
    def test_closes_on_a_flood(self, acme, cookie_of, how):
        cookie = cookie_of(people.person(acme, "builder"))

        async def scenario():
            socket = await self.open(cookie)
            if how == "bytes":
                socket.incoming.put_nowait({"type": "websocket.receive", "bytes": b"x"})
            for _ in range(1 if how == "long" else consumers.MOST_SAID + 1):
                text = "x" * 9000 if how == "long" else "{}"
                socket.incoming.put_nowait({"type": "websocket.receive", "text": text})
            assert await socket.next() == consumers.TOO_MUCH
            await socket.leave()

        on_a_loop(scenario)

    def test_ends_with_the_session(self, acme, cookie_of, monkeypatch):
        user = people.person(acme, "builder")
        cookie = cookie_of(user)
        monkeypatch.setattr(consumers, "JUDGED_FOR_S", -1)

        async def scenario():
            socket = await self.open(cookie)
            monkeypatch.setattr(consumers, "actor_of_session", lambda _key: None)
            self.says(socket, type="here", flow=self.FLOW, selected=[])
            assert await socket.next() == consumers.NOT_SIGNED_IN
            await socket.leave()

        on_a_loop(scenario)
