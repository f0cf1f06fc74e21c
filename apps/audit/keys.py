"""The Ed25519 keys that sign seals, from ``SIGNALBOX_SIGNING_KEY``.

The setting may list several keys, separated by commas: the first signs; an older one behind it
signs only the statement that hands over to the first.
"""

import base64
import binascii
import hmac
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from apps.audit import format as audit_format

__all__ = ["SigningKey", "fingerprint", "is_signature", "signing_keys"]


@dataclass(frozen=True)
class SigningKey:
    """One private key, with what others may know of it."""

    private: Ed25519PrivateKey
    public: bytes
    fingerprint: str
    mac_key: bytes

    def sign(self, seal_hash: bytes) -> bytes:
        """Sign a seal's hash."""
        return self.private.sign(audit_format.signed_text(seal_hash))

    def sign_bundle(self, digest: bytes) -> bytes:
        """Sign the digest of a bundle's bytes."""
        return self.private.sign(audit_format.signed_bundle_text(digest))

    def sign_evidence(self, digest: bytes) -> bytes:
        """Sign the digest of an evidence pack's manifest."""
        return self.private.sign(audit_format.signed_evidence_text(digest))

    def sign_decision(self, digest: bytes) -> bytes:
        """Sign the digest of the page that is the evidence of one decision."""
        return self.private.sign(audit_format.signed_decision_text(digest))

    def mac(self, row_hash: bytes) -> bytes:
        """Mark a row that is not sealed yet, so that nobody without the key can change it."""
        return hmac.digest(self.mac_key, row_hash, "sha256")


def signing_keys() -> tuple[SigningKey, ...]:
    """The configured keys; the first one signs.

    Raises:
        ImproperlyConfigured: The setting is not base64 of 32 bytes, or several such.
    """
    return _read(settings.SIGNING_KEY)


def fingerprint(public: bytes) -> str:
    """How a public key is named: the SHA-256 of its 32 bytes, in hex."""
    return sha256(public).hexdigest()


def is_signature(public: bytes, signature: bytes, seal_hash: bytes) -> bool:
    """Whether the signature is this key's, over this seal."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(
            signature, audit_format.signed_text(seal_hash)
        )
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(maxsize=8)
def _read(setting: str) -> tuple[SigningKey, ...]:
    keys = []
    for part in filter(None, (part.strip() for part in setting.split(","))):
        try:
            seed = base64.b64decode(part.replace("-", "+").replace("_", "/"), validate=True)
        except (binascii.Error, ValueError):
            seed = b""
        if len(seed) != 32:
            raise ImproperlyConfigured(
                "SIGNALBOX_SIGNING_KEY is not a base64 Ed25519 private key of 32 bytes: make one"
                " with `head -c 32 /dev/urandom | base64`."
            )
        private = Ed25519PrivateKey.from_private_bytes(seed)
        public = private.public_key().public_bytes_raw()
        mac_key = hmac.digest(seed, b"signalbox.audit.unsealed/1", "sha256")
        keys.append(SigningKey(private, public, fingerprint(public), mac_key))
    if not keys:
        raise ImproperlyConfigured(
            "SIGNALBOX_SIGNING_KEY is empty: set it to a base64 key of 32 bytes."
        )
    return tuple(keys)
