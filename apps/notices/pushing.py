"""Messages to browsers: encrypted for the one that asked (RFC 8291), signed by us (RFC 8292).

What is sent names no fact: only the kind's own sentence and the page to open. The receiver's
address comes from a browser, so it is called through the same guard as everything else.
"""

import base64
import json
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import IntegrityError, transaction

from apps.connections import vault
from apps.connections.outgoing import OutgoingClient
from apps.core import clock
from apps.core.pool import give_back
from apps.notices import words
from apps.notices.errors import GivenUp, NotTaken
from apps.notices.models import (
    Notice,
    PushKey,
    PushSubscription,
    Urgency,
    key_context,
    subscription_context,
)

TIMEOUT_S = 5.0
#: A receiver keeps a message for a browser that is away for so long.
KEPT_S = 24 * 3600
#: A signature is good for so long; a receiver refuses more than a day.
SIGNED_FOR = timedelta(hours=12)
RECORD_SIZE = 4096
_CURVE = ec.SECP256R1()
_GONE = frozenset({404, 410})
_HOW_URGENT = {Urgency.LOW: "low", Urgency.NORMAL: "normal", Urgency.URGENT: "high"}


@dataclass(frozen=True)
class Address:
    """Where a browser takes messages, and the keys with which it opens them."""

    endpoint: str
    p256dh: bytes
    auth: bytes

    def sealed(self) -> bytes:
        """As it is stored, before it is sealed."""
        found = {
            "endpoint": self.endpoint,
            "p256dh": encoded(self.p256dh),
            "auth": encoded(self.auth),
        }
        return json.dumps(found).encode()


def send(subscription: PushSubscription, notice: Notice, now: datetime) -> None:
    """Send one message; a browser that has ended its subscription is forgotten.

    Raises:
        OutgoingError, NotTaken: The receiver is away or says later.
        GivenUp: It does not take this message, or there is nobody behind the address any more.
    """
    to, key = address_of(subscription), private_key()
    body = encrypt(message(notice), to)
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Encoding": "aes128gcm",
        "TTL": str(KEPT_S),
        "Urgency": _HOW_URGENT[Urgency(notice.urgency)],
        "Authorization": authorization(to.endpoint, key, now),
    }
    client = OutgoingClient(subscription.workspace_id)
    give_back()
    answer = client.request("POST", to.endpoint, headers=headers, content=body, timeout_s=TIMEOUT_S)
    if answer.status in _GONE:
        PushSubscription.objects.filter(pk=subscription.pk).delete()
        raise GivenUp("This browser does not take messages any more.")
    if 200 <= answer.status < 300:
        return
    if answer.status == 429 or answer.status >= 500:
        raise NotTaken(f"The receiver answered {answer.status}.")
    raise GivenUp(f"The receiver refused it with {answer.status}.")


def message(notice: Notice) -> bytes:
    """What the browser is given: no name, no fact, nothing of the matter."""
    shown = {
        "title": "Signalbox",
        "body": words.plain(notice),
        "path": notice.path,
        "tag": str(notice.task_id or notice.pk),
    }
    return json.dumps(shown, ensure_ascii=False).encode()


def encrypt(
    plain: bytes,
    to: Address,
    *,
    salt: bytes | None = None,
    sender: ec.EllipticCurvePrivateKey | None = None,
) -> bytes:
    """One record of ``aes128gcm`` that only the browser can open.

    ``salt`` and ``sender`` are fresh for each message; given only to repeat the standard's example.

    Source: RFC 8291, sections 3 and 4; RFC 8188, section 2.
    """
    salt = salt or os.urandom(16)
    sender = sender or ec.generate_private_key(_CURVE)
    receiver = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, to.p256dh)
    ours = public_bytes(sender)
    shared = sender.exchange(ec.ECDH(), receiver)
    secret = _derived(shared, to.auth, b"WebPush: info\0" + to.p256dh + ours, 32)
    key = _derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derived(secret, salt, b"Content-Encoding: nonce\0", 12)
    # 0x02 ends the last record; there is but one.
    sealed = AESGCM(key).encrypt(nonce, plain + b"\x02", None)
    head = salt + RECORD_SIZE.to_bytes(4, "big") + bytes([len(ours)]) + ours
    return head + sealed


def authorization(endpoint: str, key: ec.EllipticCurvePrivateKey, now: datetime) -> str:
    """Who sends, signed for this receiver alone.

    Source: RFC 8292, sections 2 and 3; RFC 7515 for the form, RFC 7518, section 3.4 for ES256.
    """
    place = urlsplit(endpoint)
    claims = {
        "aud": f"{place.scheme}://{place.netloc}",
        "exp": int((now + SIGNED_FOR).timestamp()),
        "sub": settings.PUBLIC_URL,
    }
    head = encoded(json.dumps({"typ": "JWT", "alg": "ES256"}).encode())
    signed = f"{head}.{encoded(json.dumps(claims).encode())}"
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    signature = encoded(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return f"vapid t={signed}.{signature}, k={encoded(public_bytes(key))}"


def private_key() -> ec.EllipticCurvePrivateKey:
    """The installation's key; made where there is none yet. Safe to call from several at once."""
    row = PushKey.objects.first() or _make_key()
    number = int.from_bytes(vault.open(row.sealed, key_context(row.pk)), "big")
    return ec.derive_private_key(number, _CURVE)


def public_key() -> str:
    """What a browser is told when it subscribes."""
    return encoded(public_bytes(private_key()))


def address_of(subscription: PushSubscription) -> Address:
    """The address, opened for the moment of use."""
    found = json.loads(vault.open(subscription.sealed, subscription_context(subscription.pk)))
    return Address(found["endpoint"], decoded(found["p256dh"]), decoded(found["auth"]))


def checked(endpoint: str, p256dh: str, auth: str) -> Address:
    """What a browser says of itself, if it is good for anything.

    Raises:
        ValueError: A key that is none.
    """
    found = Address(endpoint, decoded(p256dh), decoded(auth))
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, found.p256dh)
    except UnsupportedAlgorithm:
        raise ValueError("p256dh") from None
    if len(found.auth) != 16 or len(found.p256dh) != 65:
        raise ValueError("auth")
    return found


def public_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The public point, uncompressed."""
    return key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )


def encoded(raw: bytes) -> str:
    """Base64 for addresses, without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """The bytes again.

    Raises:
        ValueError: It is none.
    """
    return base64.b64decode(
        text.translate(str.maketrans("-_", "+/")) + "=" * (-len(text) % 4), validate=True
    )


def _make_key() -> PushKey:
    number = ec.generate_private_key(_CURVE).private_numbers().private_value
    sealed = vault.seal(number.to_bytes(32, "big"), key_context(1))
    try:
        with transaction.atomic():
            return PushKey.objects.create(id=1, sealed=sealed, created_at=clock.now())
    except IntegrityError:
        return PushKey.objects.get(pk=1)


def _derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)
