"""Encryption at rest, and fingerprints of what must be recognised but not kept.

Keys come from ``SIGNALBOX_ENCRYPTION_KEYS``: the first encrypts, all decrypt. Every ciphertext
is bound to a context (which row, which column), so that one copied into another row does not
open there.

Format 1: ``01 | key id (4) | salt (12) | nonce (12) | AES-256-GCM ciphertext and tag``. The
message key is HMAC-SHA256(sealing key, salt); with 24 random bytes for each message, the number
of messages under one key needs no counting.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

FORMAT = b"\x01"
_HEAD = 1 + 4 + 12 + 12
_TAG = 16


class CannotOpen(Exception):
    """The ciphertext is damaged, stands in another row, or its key is no longer in the list."""


@dataclass(frozen=True)
class _Key:
    id: bytes
    sealing: bytes
    marking: bytes


def seal(plain: bytes, context: str) -> bytes:
    """Encrypt under the first key. ``context`` must be given again to open."""
    key = _keys()[0]
    salt, nonce = secrets.token_bytes(12), secrets.token_bytes(12)
    body = AESGCM(_derived(key.sealing, salt)).encrypt(nonce, plain, context.encode())
    return FORMAT + key.id + salt + nonce + body


def open(sealed: bytes | memoryview, context: str) -> bytes:  # noqa: A001 - the vault's own word
    """Decrypt with whichever key sealed it.

    Raises:
        CannotOpen: Damaged, sealed for another context, or by a key we do not have.
    """
    raw = bytes(sealed)
    if len(raw) < _HEAD + _TAG or raw[:1] != FORMAT:
        raise CannotOpen("This is not a sealed value, or it was cut.")
    salt, nonce, body = raw[5:17], raw[17:29], raw[29:]
    key = next((key for key in _keys() if key.id == raw[1:5]), None)
    if key is None:
        raise CannotOpen("The key that sealed this is not in SIGNALBOX_ENCRYPTION_KEYS any more.")
    try:
        return AESGCM(_derived(key.sealing, salt)).decrypt(nonce, body, context.encode())
    except InvalidTag:
        raise CannotOpen("The sealed value was changed, or belongs to another row.") from None


def is_current(sealed: bytes | memoryview) -> bool:
    """Whether the first key sealed it; if not, ``rotate_keys`` has work to do."""
    return bytes(sealed[:5]) == current_mark()


def current_mark() -> bytes:
    """The first five bytes of everything that the first key seals."""
    return FORMAT + _keys()[0].id


def fingerprint(value: bytes) -> str:
    """A short keyed mark, equal for equal values: ``fp:`` and 16 hex digits.

    Made with the first key; after a rotation the same value gets another mark.
    """
    digest = hmac.digest(_keys()[0].marking, value, hashlib.sha256)
    return f"fp:{digest[:8].hex()}"


def _derived(key: bytes, salt: bytes) -> bytes:
    return hmac.digest(key, salt, hashlib.sha256)


def _keys() -> tuple[_Key, ...]:
    return _read_keys(tuple(settings.ENCRYPTION_KEYS))


@lru_cache(maxsize=4)
def _read_keys(texts: tuple[str, ...]) -> tuple[_Key, ...]:
    return tuple(_read_key(text) for text in texts)


def _read_key(text: str) -> _Key:
    try:
        raw = base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except binascii.Error:
        raw = b""
    if len(raw) != 32:
        raise ImproperlyConfigured(
            "SIGNALBOX_ENCRYPTION_KEYS holds something that is not 32 bytes in base64;"
            " make a key with: openssl rand -base64 32"
        )
    return _Key(
        id=hmac.digest(raw, b"signalbox key id", hashlib.sha256)[:4],
        sealing=hmac.digest(raw, b"signalbox seal 1", hashlib.sha256),
        marking=hmac.digest(raw, b"signalbox fingerprint 1", hashlib.sha256),
    )
