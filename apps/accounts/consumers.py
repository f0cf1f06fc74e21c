"""The live channel: one socket per open page, which says what changed and never what it is.

A message is ``{seq, type, ids}``; ``seq`` counts this socket's messages from 0, so that a page
that misses one notices. Ids are only of what the person may see.

A page that shows a flow says so (``{type: "here", flow, selected}``), and those who show the same
flow hear who it is: ``{seq, type: "here", flow, who, selected}``, ``{seq, type: "gone", …}``.
Nobody keeps a list: each answers for itself when somebody new says ``here``, and is forgotten by
the others when it has said nothing for a while.
"""

import hashlib
import json
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.apps import apps
from django.conf import settings
from django.db.models import Model, Q
from django.http.cookie import parse_cookie

from apps.accounts.actors import Actor
from apps.accounts.permissions import flows_with, in_scope, rights_by_role
from apps.accounts.queries import actor_of_session
from apps.core import live
from apps.steps.texts import STEP_ID

#: How old a socket's picture of its person may be: a session that just ends tells nobody.
JUDGED_FOR_S = 60.0
#: Close codes: sign in first; access changed, connect again; the broker is away.
NOT_SIGNED_IN, ACCESS_CHANGED, BROKER_AWAY = 4401, 4409, 1013
#: A page that says more than this in ten seconds, or as much at once, is no page of ours.
MOST_SAID, TOO_MUCH, MOST_SIGNS = 60, 1008, 8_000
MOST_SELECTED = 50
SPAN_S = 10.0


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc] # channels ships no types
    """``/ws/live/``."""

    async def connect(self) -> None:
        self.seq = 0
        self.here: dict[str, Any] | None = None
        self.heard: deque[float] = deque(maxlen=MOST_SAID)
        headers = {name.lower(): value.decode("latin-1") for name, value in self.scope["headers"]}
        if not is_same_origin(headers.get(b"origin", ""), headers.get(b"host", "")):
            await self.close()
            return
        cookies = parse_cookie(headers.get(b"cookie", ""))
        self.session_key = cookies.get(settings.SESSION_COOKIE_NAME, "")
        actor = await self._who()
        # Accepted first: a page learns the reason only from a socket that was open.
        await self.accept()
        if actor is None:
            await self.close(NOT_SIGNED_IN)
            return
        self.actor = actor
        self.groups = [live.group_of(actor.workspace_id), live.user_group_of(actor.user_id)]
        try:
            for group in self.groups:
                await self.channel_layer.group_add(group, self.channel_name)
        except OSError:
            await self.close(BROKER_AWAY)
            return
        await self._say("hello")

    async def live_changed(self, message: dict[str, Any]) -> None:
        """Something changed in the workspace, or the person's access did."""
        if message["what"] == "access":
            await self.close(ACCESS_CHANGED)
            return
        if not await self._may_stay():
            return
        ids = await database_sync_to_async(visible)(self.actor, message["what"], message["ids"])
        if ids is not None:
            await self._say(message["what"], ids)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """A page says what it shows; anything else is not for this channel and is dropped."""
        now = time.monotonic()
        is_fast = len(self.heard) == MOST_SAID and now - self.heard[0] < SPAN_S
        self.heard.append(now)
        if is_fast or bytes_data is not None or len(text_data or "") > MOST_SIGNS:
            await self.close(TOO_MUCH)
            return
        if not hasattr(self, "actor") or not await self._may_stay():
            return
        said = said_in(text_data or "")
        if said is None:
            return
        flow, selected = said
        if self.here and self.here["flow"] != flow:
            await self._leave()
        if flow is None:
            return
        is_new = self.here is None
        if is_new and not await database_sync_to_async(visible)(self.actor, "flow", [flow]):
            return
        self.here = {"flow": flow, "selected": selected}
        if is_new:
            await self.channel_layer.group_add(self._room(flow), self.channel_name)
        await self._tell_room("live.here", asks=is_new)

    async def live_here(self, message: dict[str, Any]) -> None:
        """Somebody shows the flow that this page shows."""
        mine = self.here
        if message["from"] == self.channel_name or not mine or mine["flow"] != message["flow"]:
            return
        if not await self._may_stay():
            return
        told = {name: message[name] for name in ("flow", "who", "selected")}
        await self._say("here", **told)
        if message["asks"]:
            await self.channel_layer.send(message["from"], self._about("live.here", asks=False))

    async def live_gone(self, message: dict[str, Any]) -> None:
        """Somebody shows it no longer."""
        mine = self.here
        if message["from"] != self.channel_name and mine and mine["flow"] == message["flow"]:
            await self._say("gone", flow=message["flow"], who=message["who"])

    async def disconnect(self, _code: int) -> None:
        """Say that nobody is here any more; where that is lost, the others notice by themselves."""
        try:
            await self._leave()
        except OSError:
            self.here = None

    async def _leave(self) -> None:
        if self.here is not None:
            await self._tell_room("live.gone", asks=False)
            room = self._room(self.here["flow"])
            self.here = None
            await self.channel_layer.group_discard(room, self.channel_name)

    def _room(self, flow: str) -> str:
        # The workspace is part of the name: an id from elsewhere leads to an empty room.
        return f"here.{self.actor.workspace_id}.{flow}"

    def _about(self, type_: str, *, asks: bool) -> dict[str, Any]:
        """What others hear of this page; who it is comes from the session alone."""
        who = {
            "id": hashlib.sha256(self.channel_name.encode()).hexdigest()[:16],
            "user": str(self.actor.user_id),
            "name": self.actor.name,
        }
        return {
            "type": type_,
            "from": self.channel_name,
            "who": who,
            "asks": asks,
            **(self.here or {}),
        }

    async def _tell_room(self, type_: str, *, asks: bool) -> None:
        message = self._about(type_, asks=asks)
        await self.channel_layer.group_send(self._room(message["flow"]), message)

    async def _may_stay(self) -> bool:
        """Whether the session still says what it said; else the socket is closed."""
        if time.monotonic() - self.judged_at <= JUDGED_FOR_S:
            return True
        actor = await self._who()
        if actor == self.actor:
            return True
        await self.close(NOT_SIGNED_IN if actor is None else ACCESS_CHANGED)
        return False

    async def _who(self) -> Actor | None:
        self.judged_at = time.monotonic()
        if not self.session_key:
            return None
        actor: Actor | None = await database_sync_to_async(actor_of_session)(self.session_key)
        return actor

    async def _say(self, what: str, ids: Sequence[str] | None = None, **told: Any) -> None:
        message: dict[str, Any] = {"seq": self.seq, "type": what, **told}
        if ids is not None:
            message["ids"] = list(ids)
        self.seq += 1
        await self.send(text_data=json.dumps(message))


def said_in(text: str) -> tuple[str | None, list[str]] | None:
    """The flow that a page says it shows, and what is selected there; None for anything else.

    A page that shows no flow any more says ``gone``.
    """
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    if said.get("type") == "gone":
        return None, []
    try:
        flow = str(UUID(said["flow"]))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    selected = said.get("selected")
    ids = [one for one in (selected if isinstance(selected, list) else []) if is_step_id(one)]
    return (flow, ids[:MOST_SELECTED]) if said.get("type") == "here" else None


def is_step_id(value: object) -> bool:
    """Whether it can be the id of a step, or ``trigger``."""
    return isinstance(value, str) and STEP_ID.fullmatch(value) is not None


def is_same_origin(origin: str, host: str) -> bool:
    """Whether the page that opens the socket came from this host. Browsers always say."""
    try:
        named = urlsplit(origin)
    except ValueError:
        return False
    return named.scheme in {"http", "https"} and bool(host) and named.netloc == host.lower()


def visible(actor: Actor, what: str, ids: Sequence[str]) -> list[str] | None:
    """Those of the ids that the actor may see; None where it may not even know of the change.

    One query at most, and none for people whose role shows it all.
    """
    rights = {right for right in rights_by_role(actor) if in_scope(actor, right)}
    sees = _SEES.get(what)
    if sees is None or "audit.view" in rights:
        # Alerts are one's own: the page asks again, and is shown its own.
        return list(ids) if sees else []
    right, some = sees
    if right in rights and what != "task":
        return list(ids)
    if not ids and what != "audit":
        # Said of a whole list: the page asks again, and is shown what is its own.
        return []
    return some(actor, ids) or None


def _some_flows(actor: Actor, ids: Sequence[str]) -> list[str]:
    return _matching("flows.Flow", Q(pk__in=ids) & flows_with(actor, "flow.view"))


def _some_runs(actor: Actor, ids: Sequence[str]) -> list[str]:
    return _matching("runs.Run", Q(pk__in=ids) & flows_with(actor, "run.view", field="flow_id"))


def _own_tasks(actor: Actor, ids: Sequence[str]) -> list[str]:
    model = _model("inbox.TaskAssignee")
    found = model._base_manager.filter(user_id=actor.user_id, task_id__in=ids)  # noqa: SLF001 - Django's documented name
    return [str(one) for one in found.values_list("task_id", flat=True)]


def _nothing(_actor: Actor, _ids: Sequence[str]) -> list[str]:
    return []


def _matching(label: str, condition: Q) -> list[str]:
    found = _model(label)._base_manager.filter(condition)  # noqa: SLF001 - Django's documented name
    return [str(one) for one in found.values_list("pk", flat=True)]


def _model(label: str) -> type[Model]:
    # These packages are above this one; their tables are named, not imported.
    return apps.get_model(label)


_Some = Callable[[Actor, Sequence[str]], list[str]]
_SEES: dict[str, tuple[str, _Some]] = {
    "flow": ("flow.view", _some_flows),
    "run": ("run.view", _some_runs),
    "task": ("task.view", _own_tasks),
    "audit": ("audit.view", _nothing),
}
