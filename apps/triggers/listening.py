"""An address for a draft: what arrives is checked and kept as a sample, and starts nothing.

It has a form of its own beside the addresses of published flows, so that the hot path of the
gateway asks nothing about it. A call is judged by the draft as it is when the call arrives:
signature, size, JSON rules and contract, and masked before it is stored.
"""

import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from pydantic import ValidationError

from apps.accounts.actors import Actor
from apps.accounts.permissions import require
from apps.accounts.queries import zone_of
from apps.audit.commands import record
from apps.audit.records import Target
from apps.connections.queries import UnknownSecret, secret_values
from apps.core import clock, live
from apps.core.errors import Conflict, NotFound, ProductError
from apps.core.models import uuid7
from apps.engine import values
from apps.flows.models import Draft, Flow, FlowState
from apps.runs.models import Sample
from apps.runs.samples import make_room
from apps.steps.findings import at
from apps.steps.types.trigger_webhook import Webhook
from apps.triggers import queries, signatures
from apps.triggers.calls import MAX_BODY, Call, make_ready
from apps.triggers.models import MAX_REASON, WEBHOOK, Listener

OPEN_FOR = timedelta(minutes=10)
#: One address takes so many calls; whoever wants more opens another.
MOST_HEARD = 50
MOST_REFUSED = 200
#: No workspace can be called so: names of workspaces begin with a letter or a digit.
PLACE = "-/listen"
_PATH = re.compile(r"/hooks/-/listen/([A-Za-z0-9_-]{20,64})")


class NotAWebhook(Conflict):
    """Only a flow that other systems call can listen."""

    code = "not_a_webhook"


class NotReady(Conflict):
    """The draft's trigger is not filled in."""

    code = "trigger_not_ready"


class HeardEnough(ProductError):
    """The address has taken as many calls as one does."""

    code = "heard_enough"
    status = 429


class TooLargeToHear(ProductError):
    """The body is over the limit."""

    code = "too_large"
    status = 413


@dataclass(frozen=True)
class Heard:
    """What became of a call: the sample that it is now."""

    sample_id: UUID


def token_in(path: str) -> str | None:
    """The token of a path that is such an address."""
    found = _PATH.fullmatch(path)
    return found[1] if found else None


@transaction.atomic
def open_listener(*, actor: Actor, flow_id: UUID, now: datetime) -> Listener:
    """Give the draft an address for ten minutes; one that it had before is gone.

    Raises:
        NotAWebhook: Another kind of signal starts the flow.
        NotReady: What the trigger asks for is not filled in.

    Locks:
        The flow's row.
    """
    require(actor, "flow.edit", flow_id)
    flow = Flow.objects.for_workspace(actor.workspace_id).select_for_update(no_key=True)
    found = flow.get(pk=flow_id)
    if found.state == FlowState.ARCHIVED:
        raise Conflict("The flow is archived; duplicate it to try it out.")
    config_of(Draft.objects.get(flow_id=flow_id))
    listener, _ = Listener.objects.update_or_create(
        flow_id=flow_id,
        defaults={
            "workspace_id": actor.workspace_id,
            "token": secrets.token_urlsafe(24),
            "opened_by": actor.email,
            "opened_at": now,
            "until": now + OPEN_FOR,
            "heard": 0,
            "refused": 0,
            "said": "",
        },
    )
    _note(actor, found, "sample.listen", {"until": listener.until.isoformat()}, now)
    return listener


@transaction.atomic
def close_listener(*, actor: Actor, flow_id: UUID, now: datetime) -> None:
    """Take the address away.

    Raises:
        NotFound: There is none.
    """
    require(actor, "flow.edit", flow_id)
    count, _ = Listener.objects.for_workspace(actor.workspace_id).filter(flow_id=flow_id).delete()
    if not count:
        raise NotFound("The draft has no address any more.")
    flow = Flow.objects.for_workspace(actor.workspace_id).get(pk=flow_id)
    _note(actor, flow, "sample.listen", {"until": now.isoformat(), "closed": True}, now)


def listener_of(actor: Actor, flow_id: UUID, now: datetime) -> Listener | None:
    """The draft's address, while it has one.

    Raises:
        NotFound: There is no such flow for this actor.
    """
    require(actor, "flow.view", flow_id)
    here = Listener.objects.for_workspace(actor.workspace_id)
    return here.filter(flow_id=flow_id, until__gt=now).first()


def url_of(listener: Listener) -> str:
    """The address itself."""
    return f"{settings.PUBLIC_URL.rstrip('/')}/hooks/{PLACE}/{listener.token}"


def curl_of(listener: Listener) -> str:
    """Lines that send it a call that is signed as the draft asks."""
    try:
        signature = config_of(Draft.objects.get(flow_id=listener.flow_id)).signature
    except ProductError:
        return ""
    return queries.curl_line(url_of(listener), signature)


def hear(token: str, call: Call, *, is_whole: bool) -> Heard:
    """Judge a call and keep it as a sample; what was refused is counted with its reason.

    For a thread of its own; its connection is closed afterwards.

    Raises:
        ProductError: The call is refused, or there is no such address.
    """
    try:
        return _heard(token, call, is_whole=is_whole, now=clock.now())
    finally:
        if not connection.in_atomic_block:
            connection.close()


def forget_old(*, now: datetime) -> int:
    """Delete addresses that have ended; returns how many."""
    count, _ = Listener.objects.filter(until__lt=now).delete()
    return count


def _heard(token: str, call: Call, *, is_whole: bool, now: datetime) -> Heard:
    listener = Listener.objects.filter(token=token, until__gt=now).first()
    if listener is None:
        raise NotFound("There is no webhook at this address.")
    if listener.heard >= MOST_HEARD or listener.refused >= MOST_REFUSED:
        raise HeardEnough("This address has taken as many calls as it does; open another one.")
    mine = Listener.objects.filter(pk=listener.pk, token=token)
    try:
        found = _kept(listener, call, is_whole=is_whole, now=now)
    except ProductError as refused:
        mine.update(refused=F("refused") + 1, said=refused.message[:MAX_REASON])
        live.publish(listener.workspace_id, "flow", [listener.flow_id])
        raise
    return found


def _kept(listener: Listener, call: Call, *, is_whole: bool, now: datetime) -> Heard:
    draft = Draft.objects.select_related("flow").get(flow_id=listener.flow_id)
    config = config_of(draft)
    if not is_whole:
        raise TooLargeToHear(f"The body is larger than {MAX_BODY:,} bytes; send less.")
    signatures.verify(
        config.signature,
        _secrets(draft, config, now),
        headers=call.headers,
        body=call.body,
        at=time.time(),
    )
    asked = at(draft.document, "settings", "contract", "input")
    sample_id = uuid7()
    ready = make_ready(
        call,
        config,
        contract=None if asked is None or asked is True or asked == {} else values.dumps(asked),
        run_id=sample_id,
        delivery_id=sample_id,
        now=now,
        zone=zone_of(listener.workspace_id),
    )
    started: Any = values.loads(ready.payload)
    with transaction.atomic():
        # Counted under the row's lock, so that two at once do not both take the last place.
        place = Listener.objects.filter(
            pk=listener.pk, token=listener.token, heard__lt=MOST_HEARD
        ).update(heard=F("heard") + 1)
        if not place:
            raise HeardEnough("This address has taken as many calls as it does; open another one.")
        Sample.objects.create(
            id=sample_id,
            workspace_id=listener.workspace_id,
            flow_id=listener.flow_id,
            source=Sample.Source.HEARD,
            name=ready.summary[:150],
            trigger=started["trigger"],
            created_at=now,
        )
        make_room(listener.flow_id)
        live.publish(listener.workspace_id, "flow", [listener.flow_id])
    return Heard(sample_id)


def config_of(draft: Draft) -> Webhook:
    """The draft's trigger, if it is a webhook that is filled in."""
    kind = at(draft.document, "trigger", "type")
    if kind != WEBHOOK:
        raise NotAWebhook("Only a flow that other systems call can listen: choose Webhook first.")
    config = at(draft.document, "trigger", "config")
    given: Mapping[str, Any] = config if isinstance(config, Mapping) else {}
    try:
        # The address it will have when it is published is no matter here.
        return Webhook.model_validate({**given, "path": "draft"})
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False)[0]
        said = str(first["msg"]).removeprefix("Value error, ")
        where = ".".join(map(str, first["loc"])) or "trigger"
        raise NotReady(f"The trigger is not filled in yet: {where}: {said}") from None


def _secrets(draft: Draft, config: Webhook, now: datetime) -> list[str]:
    if config.signature.scheme == "none":
        return []
    try:
        return secret_values(draft.flow.workspace_id, config.signature.secret, now)
    except UnknownSecret:
        raise NotReady(
            f"There is no secret “{config.signature.secret}”; add it under Settings, Secrets."
        ) from None


def _note(actor: Actor, flow: Flow, verb: str, details: Mapping[str, Any], now: datetime) -> None:
    record(
        who=actor.who,
        workspace_id=flow.workspace_id,
        verb=verb,
        target=Target("flow", str(flow.pk), flow.name),
        details=dict(details),
        now=now,
    )
