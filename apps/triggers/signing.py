"""Sign a call as its sender would: the other side of ``signatures``."""

import base64
import hashlib
import hmac
from uuid import UUID

from apps.steps.types.trigger_webhook import Signature
from apps.triggers.signatures import standard_webhooks_key


def signed(
    signature: Signature, secret: str, *, body: bytes, at: float, call_id: UUID
) -> dict[str, str]:
    """The headers that make a call good for a trigger with that signature.

    Args:
        secret: Its current value; not looked at where calls are not signed.
        at: Now, in seconds since 1970.
        call_id: Names the call, for schemes that know repeats by that.
    """
    stamp = str(int(at))
    match signature.scheme:
        case "none":
            return {}
        case "standard-webhooks":
            name = f"msg_{call_id.hex}"
            content = f"{name}.{stamp}.".encode() + body
            sign = _digest(standard_webhooks_key(secret), content, "base64")
            return {
                "webhook-id": name,
                "webhook-timestamp": stamp,
                "webhook-signature": f"v1,{sign}",
            }
        case "github":
            return {
                "x-github-event": "ping",
                "x-github-delivery": str(call_id),
                "x-hub-signature-256": f"sha256={_digest(secret.encode(), body, 'hex')}",
            }
        case _:
            more = {}
            content = body
            if signature.timestamp_header:
                more = {signature.timestamp_header.lower(): stamp}
                content = stamp.encode() + b"." + body
            sign = _digest(secret.encode(), content, signature.encoding)
            return {signature.header.lower(): f"{signature.prefix}{sign}", **more}


def _digest(key: bytes, content: bytes, encoding: str) -> str:
    found = hmac.digest(key, content, hashlib.sha256)
    return found.hex() if encoding == "hex" else base64.b64encode(found).decode()
