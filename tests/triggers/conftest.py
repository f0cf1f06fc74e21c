"""A flow behind a webhook, called through the gateway in process, on a database that commits."""

import asyncio
import itertools
import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support import database

_numbers = itertools.count(1)


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


async def call(
    application,
    path: str,
    body: bytes = b"",
    *,
    method: str = "POST",
    headers: dict[str, str] | None = None,
    query: str = "",
    chunks: list[bytes] | None = None,
    disconnect: asyncio.Event | None = None,
) -> Reply:
    """One request through an ASGI application."""
    given = {"host": "127.0.0.1:8000", "content-type": "application/json", **(headers or {})}
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [
            (name.lower().encode(), value.encode("latin-1")) for name, value in given.items()
        ],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
        "scheme": "http",
        "http_version": "1.1",
    }
    parts = [body] if chunks is None else list(chunks)
    sent: list[dict[str, Any]] = []

    async def receive():
        if parts:
            part = parts.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(parts)}
        await (disconnect or asyncio.Event()).wait()
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    await application(scope, receive, send)
    if not sent:
        return Reply(0, {}, b"")
    answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Reply(sent[0]["status"], answered, b"".join(one.get("body", b"") for one in sent[1:]))


@pytest.fixture(scope="module")
def committed(django_db_setup, django_db_blocker):
    """Rows are really written: the gateway has connections of its own. Gone with the module."""
    from tests.conftest import _close_connections

    with django_db_blocker.unblock():
        yield
        _close_connections()
    database.copy_template()


@dataclass
class Shop:
    """A workspace of its own for each test, with helpers to publish and to look."""

    workspace: Any
    builder: Any
    flows: list[Any] = field(default_factory=list)

    @property
    def actor(self):
        from tests.support import people

        return people.actor(self.builder, self.workspace)

    def secret(self, name="portal", value="s3cret-of-the-portal"):
        from apps.connections import vault
        from apps.connections.models import Secret
        from apps.connections.queries import value_context
        from apps.core import clock

        row = Secret(workspace=self.workspace, name=name, updated_at=clock.now())
        row.ciphertext = vault.seal(value.encode(), value_context(row.pk))
        row.save()
        return row

    def flow(
        self,
        trigger=None,
        *,
        type="webhook",
        state="active",
        steps=None,
        links=None,
        settings=None,
        **config,
    ):
        """A flow with a published version, released as ``flows`` does it."""
        from django.db import transaction

        from apps.core import clock
        from apps.flows.models import Flow, FlowVersion
        from apps.triggers.commands import apply_release

        now = clock.now()
        if trigger is None:
            trigger = {"type": type, "config": config}
        document = {
            "format": "signalbox.flow/1",
            "name": "Orders",
            "trigger": trigger,
            "steps": steps
            or {"end": {"type": "stop", "version": 1, "config": {"outcome": "completed"}}},
            "links": links or [{"from": "trigger", "to": "end"}],
            "settings": settings or {},
        }
        with transaction.atomic():
            flow = Flow.objects.create(
                workspace=self.workspace,
                name="Orders",
                owner=self.builder,
                state=state,
                created_at=now,
                updated_at=now,
            )
            version = FlowVersion.objects.create(
                flow=flow,
                workspace=self.workspace,
                number=1,
                hash=f"{next(_numbers):064x}",
                document=document,
                trigger_type=trigger["type"],
                trigger_path=trigger["config"].get("path", ""),
                created_at=now,
            )
            flow.active_version = version
            flow.save()
            apply_release(flow=flow, version=version, state=state, actor=self.actor, now=now)
        self.flows.append(flow)
        return flow

    def move(self, flow, state):
        """Pause, resume or archive, as ``flows`` does it."""
        from django.db import transaction

        from apps.core import clock
        from apps.flows.models import Flow
        from apps.triggers.commands import apply_release

        with transaction.atomic():
            Flow.objects.select_for_update().get(pk=flow.pk)
            Flow.objects.filter(pk=flow.pk).update(state=state)
            flow.refresh_from_db()
            apply_release(
                flow=flow,
                version=flow.active_version,
                state=state,
                actor=self.actor,
                now=clock.now(),
            )

    @property
    def runs(self):
        from apps.runs.models import Run

        return list(Run.objects.filter(workspace_id=self.workspace.pk).order_by("id"))

    @property
    def deliveries(self):
        from apps.triggers.models import Delivery

        return list(Delivery.objects.filter(workspace_id=self.workspace.pk).order_by("id"))

    def started_with(self, run_id):
        """What expressions will read as ``trigger``."""
        from apps.runs.models import RunCommand

        return RunCommand.objects.get(run_id=run_id, kind="start").payload["trigger"]


@pytest.fixture
def shop(committed):
    from tests.support import people

    workspace = people.make_workspace(f"shop{next(_numbers)}")
    return Shop(workspace, people.person(workspace, "builder"))


@pytest.fixture
def bells(monkeypatch):
    """Who was rung for; nothing goes to the broker."""
    from apps.runs import doorbell

    rung: list[str] = []
    monkeypatch.setattr(doorbell, "ring", rung.append)
    return rung


class Hooks:
    """The gateway, on a loop of its own; ``post`` is a call from outside."""

    def __init__(self, slug):
        from apps.triggers.gateway import Gateway

        self.slug = slug
        self.gateway = Gateway()
        self.runner = asyncio.Runner()

    def post(self, path="orders", body: Any = b'{"id": 1}', **options):
        return self.run(self.apost(path, body, **options))

    async def apost(self, path="orders", body: Any = b'{"id": 1}', **options):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await call(self.gateway, f"/hooks/{self.slug}/{path}", raw, **options)

    def run(self, work):
        return self.runner.run(work)

    def settle(self):
        """Until everything that goes on in the background is done."""

        async def done():
            while self.gateway._tasks:
                await asyncio.wait(self.gateway._tasks)

        self.run(done())

    def close(self):
        self.runner.run(self.gateway.close())
        self.runner.close()


@pytest.fixture
def hooks(shop, bells):
    found = Hooks(shop.workspace.slug)
    yield found
    found.close()
