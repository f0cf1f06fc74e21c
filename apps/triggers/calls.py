"""One call to a webhook: read by its content type, known again by its key, masked for storage.

Pure but for the vault's keys. Everything that PostgreSQL could not keep, or two programs could
read in two ways, is refused here, before anything is stored.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import parse_qsl
from uuid import UUID

from apps.connections import masking, vault
from apps.core.errors import BadBody, ProductError
from apps.engine import feel, values
from apps.runs.commands import start_payload
from apps.steps import contracts
from apps.steps.document import expression_source
from apps.steps.types.trigger_webhook import Webhook
from apps.triggers import signatures

MAX_BODY = 1024 * 1024
MAX_FIELDS = 1000
MAX_KEY = 200
MAX_WAIT_S = 30
#: About five milliseconds of evaluation on the slowest machine we run on, and the same everywhere.
DEDUPE_BUDGET = feel.Budget(operations=5_000, size=20_000, depth=32)

Kind = Literal["JSON", "form", "text", "empty"]


class UnsupportedMediaType(ProductError):
    """The body is of a kind that the webhook does not read."""

    code = "unsupported_media_type"
    status = 415


class MalformedJson(ProductError):
    """The body is not JSON."""

    code = "malformed_json"
    status = 400


class BadField(ProductError):
    """A text, form or query that cannot be stored."""

    code = "bad_text"
    status = 422


class BadWait(ProductError):
    """``wait`` is not a number of seconds from 1 to 30."""

    code = "bad_wait"
    status = 422


class BadKey(ProductError):
    """The ``Idempotency-Key`` is too long."""

    code = "bad_idempotency_key"
    status = 422


class ContractBroken(ProductError):
    """The body is not what the flow says it takes; ``errors`` says where and why."""

    code = "contract_broken"
    status = 422


class DedupeFailed(ProductError):
    """The trigger's expression for equal calls fails on this one."""

    code = "dedupe_failed"
    status = 422


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it arrived: header names in small letters, repeated ones joined by commas."""

    headers: Mapping[str, str]
    query_string: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class Key:
    """What makes a call the same as another. ``binds_body``: another body is a conflict."""

    sha256: bytes
    binds_body: bool


@dataclass(frozen=True, slots=True)
class Ready:
    """A verified call, ready to be stored."""

    payload: str
    headers: str
    query: str
    sealed: bytes
    summary: str
    key: Key | None
    body_sha256: bytes
    wait_s: int


def body_context(delivery_id: UUID) -> str:
    """What the vault binds a delivery's raw body to."""
    return f"delivery:{delivery_id}"


@lru_cache(maxsize=1024)
def webhook_config(text: str) -> Webhook:
    """The trigger's config from its JSON; the text is the key, so a change is seen at once."""
    return Webhook.model_validate(values.loads(text))


def make_ready(
    call: Call,
    config: Webhook,
    *,
    contract: str | None = None,
    run_id: UUID,
    delivery_id: UUID,
    now: datetime,
    zone: str,
) -> Ready:
    """Read, check and mask a call whose signature is good.

    Args:
        contract: The JSON text of what the flow takes; None where it takes anything.

    Raises:
        ProductError: One of this module's, or ``BadBody``; the call is refused.
    """
    kind = content_kind(call, config)
    body = read_body(call.body, kind)
    if contract is not None:
        hold_contract(contract, body)
    query = read_fields(call.query_string, "query")
    masked_headers = stored_headers(call.headers, config)
    masked_query = masking.mask_query(query)
    trigger = {
        "type": "webhook",
        "id": str(run_id),
        "received_at": now.isoformat(),
        "body": body,
        "headers": masked_headers,
        "query": masked_query,
    }
    return Ready(
        payload=start_payload(
            run_id=run_id,
            trigger_type="webhook",
            body=masking.mask_paths(body, config.masked) if config.masked else body,
            now=now,
            headers=masked_headers,
            query=masked_query,
        ),
        headers=values.dumps(masked_headers),
        query=values.dumps(masked_query),
        sealed=vault.seal(call.body, body_context(delivery_id)),
        summary=summary_of(call, kind),
        key=key_of(call, config, trigger, now=now, zone=zone),
        body_sha256=hashlib.sha256(call.body).digest(),
        wait_s=wait_of(query),
    )


def hold_contract(contract: str, body: Any) -> None:
    """See that the flow takes this body.

    Raises:
        ContractBroken: It does not.
    """
    if wrong := contracts.found_faults(contracts.schema_of(contract), body):
        said = "; ".join(map(str, wrong))
        raise ContractBroken(
            f"What was sent does not fit what this flow takes: {said}.",
            errors=[{"path": one.path, "message": f"It {one.message}."} for one in wrong],
        )


def content_kind(call: Call, config: Webhook) -> Kind:
    """How the body is to be read.

    Raises:
        UnsupportedMediaType: Standard Webhooks and GitHub send JSON (GitHub also forms); other
            webhooks read JSON, forms and text.
    """
    if call.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("Send the body as it is: a Content-Encoding is not read.")
    if not call.body:
        return "empty"
    named, _, parameters = call.headers.get("content-type", "").partition(";")
    kind = _kind_of(named.strip().lower())
    scheme = config.signature.scheme
    if kind == "text" and scheme in {"github", "standard-webhooks"}:
        kind = None
    if kind == "form" and scheme == "standard-webhooks":
        kind = None
    if kind is None:
        raise UnsupportedMediaType(
            f"Expected Content-Type: application/json, found “{named.strip()[:100] or 'none'}”."
        )
    charset = _charset(parameters)
    if charset not in {"", "utf-8", "utf8", "us-ascii"}:
        raise UnsupportedMediaType(f"Expected the body in UTF-8, found “{charset[:40]}”.")
    return kind


def read_body(body: bytes, kind: Kind) -> Any:
    """The body as expressions see it: any JSON value, a text, a context of texts, or null.

    Raises:
        MalformedJson: It is not JSON.
        BadBody: It is JSON that is refused; ``position``, ``line`` and ``column`` say where.
        BadField: A text or form that cannot be stored.
    """
    match kind:
        case "empty":
            return None
        case "form":
            return read_fields(body, "form")
        case "text":
            return _text(body)
    try:
        return values.loads(body)
    except values.BadJson as refused:
        error = MalformedJson if refused.code == "malformed_json" else BadBody
        raise error(
            refused.message,
            position=refused.position,
            line=refused.line,
            column=refused.column,
        ) from refused


def read_fields(raw: bytes, what: Literal["query", "form"]) -> dict[str, Any]:
    """A query or form as a context of texts; a repeated name is a list.

    Raises:
        BadField: Too many fields, not UTF-8, or a NUL.
    """
    if not raw:
        return {}
    try:
        pairs = parse_qsl(
            raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS
        )
    except UnicodeDecodeError:
        raise BadField(f"The {what} is not UTF-8; encode it as UTF-8, then as percent.") from None
    except ValueError:
        raise BadField(f"The {what} has more than {MAX_FIELDS} fields; send fewer.") from None
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if "\0" in name or "\0" in value:
            raise BadField(f"The {what} holds a NUL character, which cannot be stored.")
        if name not in fields:
            fields[name] = value
        elif isinstance(fields[name], list):
            fields[name].append(value)
        else:
            fields[name] = [fields[name], value]
    return fields


def stored_headers(headers: Mapping[str, str], config: Webhook | None) -> dict[str, str]:
    """The headers as they may be stored: secrets and signatures as fingerprints."""
    kept = masking.mask_headers(headers)
    name = config.signature.header.lower() if config else ""
    if name in kept and config and config.signature.scheme == "hmac-sha256":
        kept[name] = masking.fingerprint(headers[name])
    return kept


def key_of(
    call: Call, config: Webhook, trigger: Mapping[str, Any], *, now: datetime, zone: str
) -> Key | None:
    """The call's key: ``dedupe``, else ``Idempotency-Key``, else the sender's delivery id.

    A ``dedupe`` that is null on this call leaves the choice to the others.

    Raises:
        DedupeFailed: The expression fails.
        BadKey: The header is too long.
    """
    if config.dedupe:
        value = _dedupe(config.dedupe, trigger, now=now, zone=zone)
        if value is not None:
            return _key("dedupe", values.dumps(_normal(value)), binds_body=False)
    header = call.headers.get("idempotency-key", "")
    if len(header) > MAX_KEY:
        raise BadKey(f"Idempotency-Key is too long: at most {MAX_KEY} characters.")
    if header:
        return _key("header", header, binds_body=True)
    named = signatures.delivery_id(config.signature, call.headers)
    return _key("delivery", named, binds_body=False) if named else None


def wait_of(query: Mapping[str, Any]) -> int:
    """Seconds the caller wants to wait for the flow's answer; 0 where it does not.

    Raises:
        BadWait: Not a whole number from 1 to 30.
    """
    if "wait" not in query:
        return 0
    text = query["wait"]
    if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 2:
        seconds = int(text)
        if 1 <= seconds <= MAX_WAIT_S:
            return seconds
    raise BadWait(f"Expected wait as whole seconds from 1 to {MAX_WAIT_S}.")


def summary_of(call: Call, kind: Kind) -> str:
    """One line for lists: the event's name where the sender says one, the kind, the size."""
    event = call.headers.get("x-github-event", "")[:80]
    size = len(call.body)
    if kind == "empty":
        said = "no body"
    elif size < 1000:
        said = f"{kind}, {size} bytes"
    else:
        said = f"{kind}, {size / 1000:.1f} kB"
    return f"{event}: {said}" if event else said


def _kind_of(media_type: str) -> Kind | None:
    if media_type == "application/json" or media_type.endswith("+json"):
        return "JSON"
    if media_type == "application/x-www-form-urlencoded":
        return "form"
    if media_type == "text/plain":
        return "text"
    return None


def _charset(parameters: str) -> str:
    for one in parameters.split(";"):
        name, _, value = one.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower()
    return ""


def _text(body: bytes) -> str:
    try:
        text = body.decode()
    except UnicodeDecodeError as wrong:
        raise BadField(
            f"The text is not UTF-8 at byte {wrong.start}; send it as UTF-8.", position=wrong.start
        ) from None
    if "\0" in text:
        at = text.index("\0")
        raise BadField(
            f"The text holds a NUL character at {at}, which cannot be stored.", position=at
        )
    return text


def _dedupe(source: str, trigger: Mapping[str, Any], *, now: datetime, zone: str) -> Any:
    try:
        expression = feel.compile_expression(expression_source(source))
        value = expression.evaluate({"trigger": trigger}, now=now, zone=zone, budget=DEDUPE_BUDGET)
        return feel.to_json(value)
    except feel.FeelError as wrong:
        raise DedupeFailed(
            f"“Same call if equal” cannot be worked out for this call: {wrong}", reason=wrong.code
        ) from None


def _normal(value: Any) -> Any:
    """Equal values written alike: 1.0 and 1.00 are one key, and so are names in any order."""
    if isinstance(value, Decimal):
        return value.normalize()
    if isinstance(value, list):
        return [_normal(one) for one in value]
    if isinstance(value, dict):
        return {name: _normal(value[name]) for name in sorted(value)}
    return value


def _key(source: str, text: str, *, binds_body: bool) -> Key:
    return Key(hashlib.sha256(f"{source}\0{text}".encode()).digest(), binds_body)
