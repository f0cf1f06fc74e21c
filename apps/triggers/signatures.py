"""Whether a call was signed by who holds the secret. Raw bytes, constant time, two live secrets.

``docs/webhooks.md`` says how to sign for each scheme, and what each cannot refuse.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence

from apps.core.errors import ProductError
from apps.steps.types.trigger_webhook import Signature

GITHUB = Signature.model_construct(
    scheme="github", header="X-Hub-Signature-256", encoding="hex", prefix="sha256="
)
_ID, _TIMESTAMP, _SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
_SECRET_MARK = "whsec_"  # noqa: S105 - how Standard Webhooks marks a secret
TOLERANCE_S = 300


class BadSignature(ProductError):
    """The call is not signed, or not with the secret."""

    code = "bad_signature"
    status = 401


class StaleTimestamp(ProductError):
    """The signed time is too far from ours: the call may be a replay."""

    code = "stale_timestamp"
    status = 401


def verify(
    signature: Signature,
    secrets: Sequence[str],
    *,
    headers: Mapping[str, str],
    body: bytes,
    at: float,
) -> None:
    """Return if the call is signed as the trigger asks with one of the secrets.

    Args:
        signature: The trigger's scheme.
        secrets: The live values, the current one first.
        headers: Names in small letters.
        body: As received, before anything is parsed.
        at: Now, in seconds since 1970, by the real clock: senders know no other.

    Raises:
        BadSignature: A header is missing, or no secret fits.
        StaleTimestamp: The signature is good, but its time is outside the tolerance.
    """
    match signature.scheme:
        case "none":
            return
        case "standard-webhooks":
            _standard_webhooks(secrets, headers, body, at)
        case "github":
            _keyed_hash(GITHUB, secrets, headers, body, at)
        case _:
            _keyed_hash(signature, secrets, headers, body, at)


def delivery_id(signature: Signature, headers: Mapping[str, str]) -> str:
    """The sender's own name for the call, by which a repeat is known; empty where it has none."""
    match signature.scheme:
        case "github":
            return headers.get("x-github-delivery", "")
        case "standard-webhooks":
            return headers.get(_ID, "")
        case _:
            return ""


def standard_webhooks_key(secret: str) -> bytes:
    """The key's bytes: base64, with or without ``whsec_``; a text that is not base64 is itself.

    Source: Standard Webhooks, "Signature scheme".
    """
    text = secret.removeprefix(_SECRET_MARK)
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return text.encode()


def _keyed_hash(
    signature: Signature,
    secrets: Sequence[str],
    headers: Mapping[str, str],
    body: bytes,
    at: float,
) -> None:
    sent = _required(headers, signature.header)
    if not sent.startswith(signature.prefix):
        raise BadSignature(
            f"Expected {signature.header} to begin with “{signature.prefix}”; sign the raw body"
            " with the webhook's secret."
        )
    content, stamp = body, ""
    if signature.timestamp_header:
        stamp = _required(headers, signature.timestamp_header)
        content = stamp.encode() + b"." + body
    given = _decoded(sent.removeprefix(signature.prefix), signature.encoding)
    _match([given], [secret.encode() for secret in secrets], content)
    if stamp:
        _fresh(stamp, at, signature.tolerance_s)


def _standard_webhooks(
    secrets: Sequence[str], headers: Mapping[str, str], body: bytes, at: float
) -> None:
    message_id, stamp = _required(headers, _ID), _required(headers, _TIMESTAMP)
    given = [
        _decoded(value, "base64")
        for version, _, value in (
            one.partition(",") for one in _required(headers, _SIGNATURE).split(" ")
        )
        if version == "v1"
    ]
    content = f"{message_id}.{stamp}.".encode() + body
    _match(given, [standard_webhooks_key(secret) for secret in secrets], content)
    _fresh(stamp, at, TOLERANCE_S)


def _match(given: Sequence[bytes], keys: Sequence[bytes], content: bytes) -> None:
    fits = False
    # Every pair is compared, so that the time says nothing about which one fitted.
    for key in keys:
        expected = hmac.digest(key, content, hashlib.sha256)
        for one in given:
            fits |= hmac.compare_digest(expected, one)
    if not fits:
        raise BadSignature(
            "The signature does not fit the body; sign the raw bytes with the webhook's secret."
        )


def _fresh(stamp: str, at: float, tolerance_s: int) -> None:
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        raise StaleTimestamp("Expected the signed time as whole seconds since 1970.")
    if abs(at - int(stamp)) > tolerance_s:
        raise StaleTimestamp(
            f"The signed time is more than {tolerance_s} seconds from ours; sign each call anew"
            " and check the sender's clock."
        )


def _required(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name.lower(), "")
    if not value:
        raise BadSignature(f"The call is not signed: it has no {name} header.")
    return value


def _decoded(text: str, encoding: str) -> bytes:
    try:
        if encoding == "hex":
            return bytes.fromhex(text) if len(text) == 64 else b""
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
