"""The live channel: one socket per open page, which says what changed and never what it is.

A message is ``{seq, type, ids}``; ``seq`` counts this socket's messages from 0, so that a page
that misses one notices. Ids are only of what the person may see.
"""

import json
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

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

#: How old a socket's picture of its person may be: a session that just ends tells nobody.
JUDGED_FOR_S = 60.0
#: Close codes: sign in first; access changed, connect again; the broker is away.
NOT_SIGNED_IN, ACCESS_CHANGED, BROKER_AWAY = 4401, 4409, 1013


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc] # channels ships no types
    """``/ws/live/``."""

    async def connect(self) -> None:
        self.seq = 0
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
        if time.monotonic() - self.judged_at > JUDGED_FOR_S:
            actor = await self._who()
            if actor != self.actor:
                await self.close(NOT_SIGNED_IN if actor is None else ACCESS_CHANGED)
                return
        ids = await database_sync_to_async(visible)(self.actor, message["what"], message["ids"])
        if ids is not None:
            await self._say(message["what"], ids)

    async def _who(self) -> Actor | None:
        self.judged_at = time.monotonic()
        if not self.session_key:
            return None
        actor: Actor | None = await database_sync_to_async(actor_of_session)(self.session_key)
        return actor

    async def _say(self, what: str, ids: Sequence[str] = ()) -> None:
        message: dict[str, Any] = {"seq": self.seq, "type": what}
        if what != "hello":
            message["ids"] = list(ids)
        self.seq += 1
        await self.send(text_data=json.dumps(message))


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
