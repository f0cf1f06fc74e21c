"""Send a test: a sample, signed as its sender would sign it, through the gateway itself.

The call goes the whole way that one from outside goes, only not over the network. To the flow's
own address it starts a real run of what is published; to the draft's address it is kept as a
sample and starts nothing.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from asgiref.sync import async_to_sync
from django.conf import settings
from django.db import transaction

from apps.accounts.actors import Actor
from apps.accounts.permissions import require
from apps.audit.commands import record
from apps.audit.records import Target
from apps.connections.queries import secret_values
from apps.core.errors import Conflict
from apps.core.models import uuid7
from apps.engine import values
from apps.flows.models import Draft, Flow
from apps.runs import samples
from apps.steps.types.trigger_webhook import Signature
from apps.triggers import listening
from apps.triggers.calls import webhook_config
from apps.triggers.gateway import Gateway
from apps.triggers.listening import NotAWebhook
from apps.triggers.models import WEBHOOK, Trigger
from apps.triggers.signing import signed

To = Literal["flow", "draft"]


class NoAddress(Conflict):
    """There is nothing to send it to."""

    code = "no_address"


@dataclass(frozen=True)
class Sent:
    """What came back: the status and the answer, and what was made of it."""

    status: int
    answer: Any
    run: str | None
    sample: str | None


@dataclass(frozen=True)
class _Target:
    path: str
    signature: Signature


def send_test(
    *, actor: Actor, flow_id: UUID, sample_id: UUID, to: To, key: str, now: datetime
) -> Sent:
    """Send a sample, signed with the trigger's secret; returns what the sender would be told.

    The trail hears of it before it is sent. A repeat under the same key starts nothing twice.

    Raises:
        NotFound: There is no such sample.
        NotAWebhook, NoAddress: Nothing takes calls there.
        UnknownSecret: The secret that signs is gone.
    """
    with transaction.atomic():
        require(actor, "flow.run", flow_id)
        sample = samples.get_sample(actor, flow_id, sample_id)
        flow = Flow.objects.for_workspace(actor.workspace_id).select_related("workspace")
        found = flow.get(pk=flow_id)
        target = _to_flow(found) if to == "flow" else _to_draft(actor, found, now)
        secret = ""
        if target.signature.scheme != "none":
            secret = secret_values(actor.workspace_id, target.signature.secret, now)[0]
        record(
            who=actor.who,
            workspace_id=actor.workspace_id,
            verb="sample.send",
            target=Target("flow", str(flow_id), found.name),
            details={"sample": str(sample_id), "to": to},
            now=now,
        )
    body, content_type = _body(sample.trigger)
    headers = {
        "host": urlsplit(settings.PUBLIC_URL).netloc,
        "content-type": content_type,
        "user-agent": "Signalbox test",
        "idempotency-key": key or str(uuid7()),
        **signed(target.signature, secret, body=body, at=time.time(), call_id=uuid7()),
    }
    status, answer = async_to_sync(_call)(target.path, headers, _query(sample.trigger), body)
    told: Mapping[str, Any] = answer if isinstance(answer, Mapping) else {}
    return Sent(status, answer, told.get("run"), told.get("sample"))


def _to_flow(flow: Flow) -> _Target:
    trigger = Trigger.objects.filter(flow=flow).first()
    if trigger is None:
        raise NoAddress("Nothing is published yet; publish the flow, or listen with the draft.")
    if trigger.type != WEBHOOK:
        raise NotAWebhook("The published flow is not one that other systems call.")
    config = webhook_config(values.dumps(trigger.config))
    return _Target(f"/hooks/{flow.workspace.slug}/{trigger.path}", config.signature)


def _to_draft(actor: Actor, flow: Flow, now: datetime) -> _Target:
    listener = listening.listener_of(actor, flow.pk, now)
    if listener is None:
        raise NoAddress("The draft does not listen; open its address first.")
    config = listening.config_of(Draft.objects.get(flow=flow))
    return _Target(f"/hooks/{listening.PLACE}/{listener.token}", config.signature)


def _body(trigger: Mapping[str, Any]) -> tuple[bytes, str]:
    """The body as it is sent, and its kind: as it came, as far as that is known."""
    given = trigger.get("body")
    headers = trigger.get("headers") or {}
    kind = str(headers.get("content-type", "")).partition(";")[0].strip().lower()
    if kind == "text/plain" and isinstance(given, str):
        return given.encode(), "text/plain; charset=utf-8"
    if kind == "application/x-www-form-urlencoded" and isinstance(given, Mapping):
        return urlencode(dict(given), doseq=True).encode(), kind
    return values.dumps(given).encode(), "application/json"


def _query(trigger: Mapping[str, Any]) -> bytes:
    """Without ``wait``: whoever tries something out is told at once."""
    given = trigger.get("query") or {}
    kept = {name: one for name, one in given.items() if name != "wait"}
    return urlencode(kept, doseq=True).encode()


async def _call(
    path: str, headers: Mapping[str, str], query: bytes, body: bytes
) -> tuple[int, Any]:
    """One call through a gateway of its own, which is closed afterwards."""
    gateway = Gateway()
    given = [{"type": "http.request", "body": body, "more_body": False}]
    answered: list[Mapping[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return given.pop() if given else {"type": "http.disconnect"}

    async def send(message: Mapping[str, Any]) -> None:
        answered.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": query,
        "headers": [(name.encode(), one.encode("latin-1")) for name, one in headers.items()],
    }
    try:
        await gateway(scope, receive, send)
    finally:
        await gateway.close()
    raw = b"".join(one.get("body", b"") for one in answered[1:])
    try:
        answer = values.loads(raw)
    except values.BadJson:
        answer = raw.decode(errors="replace")
    return int(answered[0]["status"]), answer
