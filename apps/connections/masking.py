"""Takes secrets out of what is about to be stored.

Masked before it is written, never when it is shown: what was not stored cannot leak.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, quote_plus

from apps.connections import vault

#: What stands in an output in place of a secret that the other side sent back.
ECHO = "[secret]"
#: A shorter secret would blot out half of an ordinary text.
SHORTEST_ECHO = 4

_NAMES = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "cookie",
        "set-cookie",
        "password",
        "passwd",
        "pwd",
        "sig",
        "hmac",
    }
)
_PARTS = re.compile(r"token|secret|key|signature|password|credential", re.IGNORECASE)


def fingerprint(value: str | bytes) -> str:
    """A keyed mark in place of a value: ``fp:…``, equal for equal values under one key."""
    return vault.fingerprint(value.encode() if isinstance(value, str) else value)


def is_sensitive(name: str) -> bool:
    """Whether a header or field of this name is taken for a secret."""
    return name.lower() in _NAMES or _PARTS.search(name) is not None


def mask_headers(headers: Mapping[str, Any]) -> dict[str, Any]:
    """The headers, sensitive values replaced by their fingerprints."""
    return {
        name: _marked(value) if is_sensitive(name) else value for name, value in headers.items()
    }


def mask_query(query: Mapping[str, Any]) -> dict[str, Any]:
    """Query or form fields, sensitive values replaced; a value may be a list of texts."""
    return mask_headers(query)


def mask_paths(body: Any, paths: Iterable[str]) -> Any:
    """A copy of a JSON value with the values at ``paths`` replaced by their fingerprints.

    ``paths`` are such as ``card.number`` or ``lines[].account``; a path that is not there is
    passed over. A list on the way is walked through with or without ``[]``.
    """
    for path in paths:
        steps = [step for step in path.replace("[]", "").split(".") if step]
        body = _masked_at(body, steps) if steps else _marked(body)
    return body


def mask_secret_echo(content: bytes, secrets: Iterable[str]) -> bytes:
    """The bytes with every secret in them replaced, as written or in base64, URL or JSON form."""
    for form in _forms(secrets):
        content = content.replace(form.encode(), ECHO.encode())
    return content


def mask_echo_in(value: Any, secrets: Iterable[str]) -> Any:
    """A copy of a JSON value with every secret in its texts and names replaced."""
    forms = _forms(secrets)
    return _without(value, forms) if forms else value


def _marked(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_marked(one) for one in value]
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
    return fingerprint(text)


def _masked_at(value: Any, steps: Sequence[str]) -> Any:
    if not steps:
        return _marked(value)
    if isinstance(value, list):
        return [_masked_at(one, steps) for one in value]
    if isinstance(value, dict) and steps[0] in value:
        return {**value, steps[0]: _masked_at(value[steps[0]], steps[1:])}
    return value


def _forms(secrets: Iterable[str]) -> list[str]:
    """Every way in which a secret may come back, the longest first."""
    forms: set[str] = set()
    for secret in secrets:
        if len(secret) < SHORTEST_ECHO:
            continue
        forms |= {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}
        forms.add(json.dumps(secret, ensure_ascii=False)[1:-1])
        forms |= _base64_forms(secret.encode())
    return sorted(forms, key=len, reverse=True)


def _base64_forms(raw: bytes) -> set[str]:
    # Inside a longer text (such as "user:secret") base64 looks different at each of three
    # offsets; the characters that also depend on the neighbours are left out.
    forms: set[str] = set()
    for offset in range(3):
        text = base64.b64encode(b"\0" * offset + raw).decode().rstrip("=")
        start = (0, 2, 3)[offset]
        spare = (offset + len(raw)) % 3
        text = text[start : len(text) - 1 if spare else len(text)]
        if len(text) >= 8:
            forms |= {text, text.replace("+", "-").replace("/", "_")}
    return forms


def _without(value: Any, forms: Sequence[str]) -> Any:
    if isinstance(value, str):
        for form in forms:
            value = value.replace(form, ECHO)
        return value
    if isinstance(value, list):
        return [_without(one, forms) for one in value]
    if isinstance(value, dict):
        return {_without(name, forms): _without(one, forms) for name, one in value.items()}
    return value
