"""Reads about triggers and what arrived at them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from pydantic import ValidationError

from apps.accounts.actors import Actor
from apps.accounts.permissions import require
from apps.flows.models import Flow, FlowState
from apps.runs.models import WaitingStart
from apps.steps.forms import REQUEST
from apps.steps.types.trigger_webhook import Signature, Webhook
from apps.triggers import schedules
from apps.triggers.models import WEBHOOK, Delivery, Schedule, ScheduleFire, Trigger

TIMES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class TriggerCard:
    """What the editor shows of how a flow is started. ``enabled``: signals start runs now."""

    type: str
    path: str
    url: str
    curl: str
    secret: str
    enabled: bool
    state: str
    next_at: datetime | None = None
    next_times: Sequence[datetime] = ()
    fires: Sequence[ScheduleFire] = ()


def held_signals(*, flow: Flow) -> int:
    """How many signals wait for the paused flow to be resumed."""
    waiting = WaitingStart.objects.filter(flow_id=flow.pk, reason=WaitingStart.Reason.PAUSED)
    return waiting.count()


def trigger_card(actor: Actor, flow_id: UUID, now: datetime) -> TriggerCard:
    """The published trigger of a flow; before the first publication, that of the draft.

    Of a schedule also its next five times, none while it does not run, and what became of the
    last five.

    Raises:
        NotFound: There is no such flow, or not for this actor.
    """
    require(actor, "flow.view", flow_id)
    flow = Flow.objects.select_related("workspace", "draft").get(pk=flow_id)
    trigger = Trigger.objects.select_related("schedule").filter(flow=flow).first()
    if trigger is None:
        described = flow.draft.document.get("trigger") or {}
        type_, config = described.get("type", ""), described.get("config") or {}
    else:
        type_, config = trigger.type, trigger.config
    path, url, curl, secret = "", "", "", ""
    if type_ == WEBHOOK:
        signature = _signature(config)
        path = str(config.get("path") or "")
        url = f"{settings.PUBLIC_URL.rstrip('/')}/hooks/{flow.workspace.slug}/{path}"
        curl = curl_line(url, signature)
        secret = signature.secret if signature.scheme != "none" else ""
    if type_ == REQUEST and trigger is not None:
        url = form_url(trigger)
    schedule = getattr(trigger, "schedule", None)
    return TriggerCard(
        type=type_,
        path=path,
        url=url,
        curl=curl,
        secret=secret,
        enabled=trigger is not None and trigger.enabled and flow.state == FlowState.ACTIVE,
        state=flow.state,
        next_at=schedule.next_at if schedule else None,
        next_times=_next_times(schedule, now) if schedule and schedule.enabled else (),
        fires=schedule.fires.order_by("-fire_at")[:TIMES_SHOWN] if schedule else (),
    )


def form_url(trigger: Trigger) -> str:
    """Where a form is filled in: without signing in where it is open to everybody."""
    is_public = trigger.config.get("open_to") == "public"
    page = f"forms/{trigger.pk}" if is_public else f"requests/new/{trigger.flow_id}"
    return f"{settings.PUBLIC_URL.rstrip('/')}/{page}/"


def _next_times(schedule: Schedule, now: datetime) -> list[datetime]:
    if schedule.next_at is None:
        return []
    after = max(schedule.next_at, now)
    first = [schedule.next_at] if schedule.next_at >= now else []
    rest = schedules.upcoming(schedule.cron, schedule.zone, after, TIMES_SHOWN - len(first))
    return first + rest


def deliveries(actor: Actor, flow_id: UUID) -> QuerySet[Delivery]:
    """What arrived at the flow's webhook, the newest first.

    Raises:
        NotFound: There is no such flow, or not for this actor.
        Forbidden: The actor may not see the flow's runs.
    """
    require(actor, "run.view", flow_id)
    trigger = Trigger.objects.filter(flow_id=flow_id).values_list("pk", flat=True)
    return (
        Delivery.objects.for_workspace(actor.workspace_id)
        .filter(trigger_id__in=list(trigger))
        .defer("body", "headers", "query")
        .order_by("-id")
    )


def taken_by(workspace_id: UUID, path: str, *, but: UUID) -> Trigger | None:
    """The enabled webhook of another flow at this address."""
    return (
        Trigger.objects.for_workspace(workspace_id)
        .filter(type=WEBHOOK, enabled=True, path=path)
        .exclude(flow_id=but)
        .select_related("flow")
        .first()
    )


def curl_line(url: str, signature: Signature) -> str:
    """Shell lines that send a signed call; the secret is read from ``$SECRET``, never written."""
    body = 'BODY=\'{"hello": "world"}\''
    send = f"curl -X POST {quoted(url)} \\\n  -H 'Content-Type: application/json'"
    data = ' \\\n  --data-binary "$BODY"'
    match signature.scheme:
        case "none":
            return f"{body}\n{send}{data}"
        case "standard-webhooks":
            return (
                f"{body}\nID=msg_$(openssl rand -hex 12); TIME=$(date +%s)\n"
                'KEY=$(printf %s "${SECRET#whsec_}" | openssl base64 -d -A | od -An -v -tx1'
                " | tr -d ' \\n')\n"
                'SIGN=$(printf %s "$ID.$TIME.$BODY" | openssl dgst -sha256 -mac HMAC'
                ' -macopt "hexkey:$KEY" -binary | openssl base64 -A)\n'
                f'{send} \\\n  -H "webhook-id: $ID" -H "webhook-timestamp: $TIME" \\\n'
                f'  -H "webhook-signature: v1,$SIGN"{data}'
            )
        case "github":
            return (
                f"{body}\n{_sign('$BODY', 'hex')}\n"
                f"{send} \\\n  -H 'X-GitHub-Event: ping' -H \"X-GitHub-Delivery: $(uuidgen)\" \\\n"
                f'  -H "X-Hub-Signature-256: sha256=$SIGN"{data}'
            )
        case _:
            return f"{body}\n{_keyed_hash(send, signature)}{data}"


def quoted(text: str) -> str:
    """The text as one word of a shell, whatever is in it."""
    return "'" + text.replace("'", "'\\''") + "'"


def _keyed_hash(send: str, signature: Signature) -> str:
    header = quoted(f"{signature.header}: {signature.prefix}")
    if not signature.timestamp_header:
        return f'{_sign("$BODY", signature.encoding)}\n{send} \\\n  -H {header}"$SIGN"'
    stamp = quoted(f"{signature.timestamp_header}: ")
    return (
        f"TIME=$(date +%s)\n{_sign('$TIME.$BODY', signature.encoding)}\n"
        f'{send} \\\n  -H {stamp}"$TIME" -H {header}"$SIGN"'
    )


def _sign(what: str, encoding: str) -> str:
    # The key goes in as hex: openssl would otherwise read it from the list of processes' words
    # with its own quoting, and a secret may hold anything.
    key = "KEY=$(printf %s \"$SECRET\" | od -An -v -tx1 | tr -d ' \\n')"
    digest = f'printf %s "{what}" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$KEY"'
    if encoding == "hex":
        return f"{key}\nSIGN=$({digest} -r | cut -d ' ' -f 1)"
    return f"{key}\nSIGN=$({digest} -binary | openssl base64 -A)"


def _signature(config: dict[str, Any]) -> Signature:
    """The signature of a config that may still be half written."""
    try:
        return Webhook.model_validate(config).signature
    except ValidationError:
        given = config.get("signature")
        try:
            return Signature.model_validate(given if isinstance(given, dict) else {})
        except ValidationError:
            return Signature()
