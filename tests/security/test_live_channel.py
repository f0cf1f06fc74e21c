"""security.md: WebSockets check Origin and object rights, again when rights change; sockets end
with their sessions."""

import asyncio
import copy
import json

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async
from django.apps import apps
from django.conf import settings

from apps.accounts import commands
from apps.accounts.commands import GrantSubject
from apps.accounts.models import Membership
from apps.core import clock, live
from config.asgi import application
from tests.security.test_route_table import rows
from tests.security.world import World
from tests.support import people

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

HOST = "signalbox.test"


class Socket(ApplicationCommunicator):
    """A browser's side of a socket. (Channels' own needs a server that we do not use.)"""

    async def connect(self):
        await self.send_input({"type": "websocket.connect"})
        return (await self.receive_output(10))["type"] == "websocket.accept"

    async def told(self):
        message = await self.receive_output(10)
        assert message["type"] == "websocket.send", message
        return json.loads(message["text"])

    async def disconnect(self):
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(10)


def socket_of(cookies=None, origin=f"http://{HOST}", path="/ws/live/"):
    headers = [(b"host", HOST.encode()), (b"origin", origin.encode())]
    if cookies is not None:
        value = cookies[settings.SESSION_COOKIE_NAME].value
        headers.append((b"cookie", f"{settings.SESSION_COOKIE_NAME}={value}".encode()))
    scope = {"type": "websocket", "path": path, "headers": headers, "client": ("127.0.0.1", 1)}
    return Socket(application, {**scope, "query_string": b"", "subprotocols": []})


async def opened(browser):
    socket = socket_of(browser.cookies)
    assert await socket.connect()
    assert await socket.told() == {"seq": 0, "type": "hello"}
    return socket


async def close_code(socket):
    message = await socket.receive_output(10)
    assert message["type"] == "websocket.close"
    return message["code"]


def member(*arguments, **options):
    """A new person, of whom no message is still on its way to the sockets they will open."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live, "publish_access", lambda _users: None)
        return people.person(*arguments, **options)


@pytest.fixture
def acme(transactional_db):
    return people.make_workspace()


@pytest.fixture
def builder(acme):
    return member(acme, "builder")


@pytest.fixture
def admin(acme):
    return member(acme, "admin")


@pytest.mark.parametrize(
    "origin", ["http://evil.test", "https://signalbox.test.evil.test", "null", ""]
)
async def test_another_origin_is_refused(builder, origin):
    browser = await database_sync_to_async(people.browser)(builder)

    assert not await socket_of(browser.cookies, origin).connect()


async def test_a_stranger_is_sent_away(acme):
    socket = socket_of()
    await socket.connect()

    assert await close_code(socket) == 4401


async def test_it_opens_for_each_caller_as_the_table_of_routes_says(transactional_db):
    ((_route, expected),) = rows("ws")
    world = await database_sync_to_async(World)()
    for caller, outcome in expected.items():
        browser = world.browsers[caller]
        if outcome == "open":
            await (await opened(browser)).disconnect()
            continue
        socket = socket_of()
        await socket.connect()
        assert await close_code(socket) == int(outcome)


async def test_no_other_path_is_a_socket(builder):
    browser = await database_sync_to_async(people.browser)(builder)

    assert not await socket_of(browser.cookies, path="/ws/other/").connect()


async def test_sockets_end_with_sign_out(builder):
    browser = await database_sync_to_async(people.browser)(builder)
    socket = await opened(browser)

    stale = copy.deepcopy(browser.cookies)
    answer = await database_sync_to_async(people.send)(browser, "POST", "/sign-out/")

    assert answer.status_code == 302
    assert await close_code(socket) in {4401, 4409}
    again = socket_of(stale)
    assert await again.connect()
    assert await close_code(again) == 4401


async def test_sockets_end_with_deactivation_at_once(builder, admin):
    socket = await opened(await database_sync_to_async(people.browser)(builder))

    def deactivate():
        commands.change_member(
            actor=people.actor(admin),
            membership_id=Membership.objects.get(user=builder).pk,
            is_active=False,
            now=clock.now(),
        )

    await database_sync_to_async(deactivate)()

    assert await close_code(socket) in {4401, 4409}


async def test_object_rights_hold_and_are_judged_again_when_they_change(acme, admin):
    def prepare():
        approver = member(acme, "approver")
        now = clock.now()
        flows = [
            apps.get_model("flows.Flow").objects.create(
                workspace=acme, name=name, owner=admin, created_at=now, updated_at=now
            )
            for name in ("Granted", "Other")
        ]
        return approver, flows, people.browser(approver), people.browser(admin)

    approver, (granted, other), his, hers = await database_sync_to_async(prepare)()
    mine, boss = await opened(his), await opened(hers)
    ids = {str(granted.pk), str(other.pk)}

    await database_sync_to_async(live.publish)(acme.pk, "flow", ids)

    told = await boss.told()
    assert (told["type"], set(told["ids"])) == ("flow", ids)
    assert await mine.receive_nothing(timeout=0.3)

    def grant():
        commands.grant_flow(
            actor=people.actor(admin),
            flow_id=granted.pk,
            subject=GrantSubject("user", approver.pk),
            rights=["view"],
            now=clock.now(),
        )

    await database_sync_to_async(grant)()
    assert await close_code(mine) == 4409, "the page connects anew and is judged anew"
    mine = await opened(his)
    await database_sync_to_async(live.publish)(acme.pk, "flow", ids)
    assert (await mine.told())["ids"] == [str(granted.pk)]
    await asyncio.gather(mine.disconnect(), boss.disconnect())


async def test_another_workspace_is_told_nothing(acme, admin):
    def prepare():
        other = people.make_workspace("other")
        return other, people.browser(member(other, "admin", email="boss@other.test"))

    _other, theirs = await database_sync_to_async(prepare)()
    socket = await opened(theirs)

    await database_sync_to_async(live.publish)(acme.pk, "flow", ["x"])

    assert await socket.receive_nothing(timeout=0.5)
    await socket.disconnect()
