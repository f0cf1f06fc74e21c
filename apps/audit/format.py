"""The trail's format: how a row, a value and a seal become hashes. ``docs/audit-format.md``.

What this module computes is signed and kept for ever: a change is a new format, beside this one.
"""

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, is_dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import msgspec

from apps.audit import merkle
from apps.audit.records import Target, Who
from apps.engine import values

ROW_FORMAT: Final = "signalbox.audit/1"
SEAL_FORMAT: Final = "signalbox.audit.seal/1"
BUNDLE_FORMAT: Final = "signalbox.audit.bundle/1"
EVIDENCE_FORMAT: Final = "signalbox.evidence/1"
DECISION_FORMAT: Final = "signalbox.decision/1"
SALT_BYTES: Final = 16
MAX_VALUE_CHARS: Final = 32_768
#: So many words a row is found by at most.
MOST_WORDS: Final = 200
NO_SEAL: Final = bytes(32)

_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,62}")
_VERB = re.compile(r"[a-z_]+(\.[a-z_]+)?")
_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
_quick_encode = msgspec.json.Encoder(order="sorted").encode

Salted = dict[str, list[str]]


def canonical(value: Mapping[str, Any]) -> bytes:
    """The RFC 8785 form of an object: sorted names, no spaces, minimal escapes, UTF-8.

    Names are ASCII; values are texts, whole numbers below 2**53, and objects of the same kind.
    Source: RFC 8785, which says the same for them as Python's encoder does.
    """
    return _encode(value).encode()


def commitment(salt: bytes, field: str, text: str) -> str:
    """What stands in a row for a value: binding to it, and telling nothing without the salt."""
    return sha256(b"\x02" + salt + field.encode() + b"\x00" + text.encode()).hexdigest()


def time_text(at: datetime) -> str:
    """UTC with six digits of a second and ``Z``."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def row_body(
    *,
    id_: str,
    workspace: str,
    at: str,
    verb: str,
    actor_kind: str,
    actor_id: str,
    on_behalf_of: str,
    target_type: str,
    target_id: str,
    flow: str,
    correlation_id: str,
    commitments: Mapping[str, str],
) -> dict[str, Any]:
    """The object whose canonical form is a row's leaf; what is absent is an empty text."""
    return {
        "actor": {"id": actor_id, "kind": actor_kind},
        "at": at,
        "commitments": commitments,
        "correlation_id": correlation_id,
        "flow": flow,
        "format": ROW_FORMAT,
        "id": id_,
        "on_behalf_of": on_behalf_of,
        "target": {"id": target_id, "type": target_type},
        "verb": verb,
        "workspace": workspace,
    }


def row_hash(body: Mapping[str, Any]) -> bytes:
    """A row's leaf hash."""
    return merkle.leaf_hash(_encode(body).encode())


def is_row_hash(body: Mapping[str, Any], leaf: bytes) -> bool:
    """Whether that is the row's leaf hash.

    For many rows: a quicker encoder is asked first, which writes the same for everything that is
    in the format. Only where it comes to another hash does the format's own decide.
    """
    return sha256(b"\x00" + _quick_encode(body)).digest() == leaf or row_hash(body) == leaf


def wrong_values(salted: Mapping[str, Any], commitments: Mapping[str, Any]) -> list[str]:
    """The fields whose values are not what the row is committed to; what is no pair is wrong."""
    wrong = []
    expected = commitments.get
    for field, pair in salted.items():
        try:
            salt, text = pair
            data = b"\x02" + bytes.fromhex(salt) + field.encode() + b"\x00" + text.encode()
        except (ValueError, TypeError, AttributeError):
            wrong.append(field)
            continue
        if sha256(data).hexdigest() != expected(field):
            wrong.append(field)
    return wrong


def salted_values(
    *,
    who: Who,
    target: Target,
    reason: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    details: Mapping[str, Any] | None,
) -> Salted:
    """Every value of a row that can be erased or withheld: ``{field: [salt in hex, JSON text]}``.

    Raises:
        ValueError: A field's name is not an identifier. Names stay readable for ever, so no
            data may become one.
    """
    found: dict[str, Any] = {}
    texts = {"actor.label": who.label, "target.label": target.label, "reason": reason}
    found.update((field, text) for field, text in texts.items() if text)
    for part, fields in (("before", before), ("after", after), ("details", details)):
        for name, value in (fields or {}).items():
            if not _FIELD.fullmatch(name):
                raise ValueError(
                    f"{part} has the field {name!r}; a field of the trail is named by the program, "
                    "never by data."
                )
            found[f"{part}.{name}"] = value
    salts = os.urandom(SALT_BYTES * len(found)).hex()
    width = SALT_BYTES * 2
    return {
        field: [salts[at * width : (at + 1) * width], _value_text(value)]
        for at, (field, value) in enumerate(found.items())
    }


def commitments_of(salted: Salted) -> dict[str, str]:
    """The commitment to each value."""
    return {
        field: commitment(bytes.fromhex(salt), field, text)
        for field, (salt, text) in salted.items()
    }


def check_row(*, who: Who, verb: str, target: Target) -> None:
    """Refuse what may not stand in a row in clear.

    Raises:
        ValueError: The verb is malformed, or an id looks like a mail address.
    """
    if not _VERB.fullmatch(verb):
        raise ValueError(f"{verb!r} is no verb of the trail; write it as 'noun.verb'.")
    for text in (who.id, who.on_behalf_of, target.id, target.type):
        if "@" in text:
            raise ValueError(
                f"{text!r} stays readable in the trail for ever; give an id here, "
                "and the address as the label."
            )


def seal_statement(
    *,
    number: int,
    kind: str,
    at: str,
    count: int,
    root: bytes,
    previous: bytes,
    key: str,
    extra: Mapping[str, Any],
) -> dict[str, Any]:
    """What a seal says; its hash is what gets signed."""
    return {
        "at": at,
        "count": count,
        "extra": extra,
        "format": SEAL_FORMAT,
        "key": key,
        "kind": kind,
        "number": number,
        "previous": previous.hex(),
        "root": root.hex(),
    }


def seal_hash(statement: Mapping[str, Any]) -> bytes:
    """The hash of a seal's statement; the next seal names it."""
    return sha256(b"\x03" + canonical(statement)).digest()


def signed_text(hash_: bytes) -> bytes:
    """The bytes that a seal's signature covers; the prefix keeps the key from signing else."""
    return SEAL_FORMAT.encode() + b"\x00" + hash_


def erasure_digest(pairs: Iterable[tuple[UUID, str]]) -> str:
    """What the row of an erasure says about the list of erased values."""
    lines = sorted(f"{event_id} {field}\n" for event_id, field in pairs)
    return sha256("".join(lines).encode()).hexdigest()


def signed_bundle_text(digest: bytes) -> bytes:
    """The bytes that the signature at a bundle's end covers."""
    return BUNDLE_FORMAT.encode() + b"\x00" + digest


def signed_evidence_text(digest: bytes) -> bytes:
    """The bytes that the signature beside an evidence pack's manifest covers."""
    return EVIDENCE_FORMAT.encode() + b"\x00" + digest


def signed_decision_text(digest: bytes) -> bytes:
    """The bytes that the signature at the end of a decision's evidence covers."""
    return DECISION_FORMAT.encode() + b"\x00" + digest


def words(salted: Salted) -> list[str]:
    """The words a row is found by: plain, and marked by whether they name the actor or target.

    At most 200, labels and the reason first, then by field: the same for any order of fields.
    """
    found: dict[str, None] = {}
    for field, mark in _MARKS.items():
        if field in salted:
            parts = _words_of(salted[field][1][:2_000])
            found.update(dict.fromkeys(parts))
            if mark:
                found.update(dict.fromkeys([mark + part for part in parts]))
    rest = [salted[field][1][:2_000] for field in sorted(salted) if field not in _MARKS]
    found.update(dict.fromkeys(_words_of("\n".join(rest))))
    return list(found)[:MOST_WORDS]


def are_words(found: Iterable[str], salted: Salted) -> bool:
    """Whether a row would be found by these words and no others; their order says nothing."""
    expected: set[str] = set()
    for field, (_, text) in salted.items():
        expected |= _marked_words(_MARKS.get(field, ""), text[:2_000])
    if len(expected) > MOST_WORDS:
        expected = set(words(salted))
    return expected == set(found)


def query_words(text: str, *, mark: str = "") -> list[str]:
    """A search text as the words it must find, each with its mark."""
    return [mark + word for word in _words_of(text)]


ACTOR_MARK: Final = "actor/"
TARGET_MARK: Final = "target/"
_MARKS = {"actor.label": ACTOR_MARK, "target.label": TARGET_MARK, "reason": ""}
_ESCAPE = re.compile(r"\\(?:u[0-9a-f]{4}|.)")
_find_words = re.compile(r"\w{1,64}").findall


def _marked_words(mark: str, text: str) -> frozenset[str]:
    # Names and short texts come again and again; who reads the whole trail reads them once.
    return _marked_in_short(mark, text) if len(text) <= 100 else _marked_in(mark, text)


def _marked_in(mark: str, text: str) -> frozenset[str]:
    found = _words_of(text)
    return frozenset([*found, *(mark + word for word in found)]) if mark else frozenset(found)


_marked_in_short = lru_cache(maxsize=20_000)(_marked_in)


def _words_of(text: str) -> list[str]:
    return _find_words(_ESCAPE.sub(" ", text.casefold()) if "\\" in text else text.casefold())


def _value_text(value: Any) -> str:
    try:
        text = values.dumps(plain(value))
    except values.NotJson:  # too deep, or a number too long: kept as text
        text = values.dumps(plain(str(value)))
    if len(text) <= MAX_VALUE_CHARS:
        return text
    digest = {
        "sha256": sha256(text.encode()).hexdigest(),
        "too_long": True,
        "characters": len(text),
    }
    return values.dumps(digest)


def plain(value: Any) -> Any:  # noqa: PLR0911 - one return for each kind of value
    """A Python value as exact JSON; what JSON has no form for becomes text.

    The trail must take what it is given: a character that cannot be stored is replaced,
    since refusing the row would refuse the act.
    """
    match value:
        case Enum():
            return plain(value.value)
        case None | bool() | int():
            return value
        case str():
            return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
        case Decimal():
            return value if value.is_finite() else str(value)
        case float():
            return Decimal(repr(value)) if abs(value) < float("inf") else str(value)
        case datetime():
            return time_text(value)
        case date() | time():
            return value.isoformat()
        case UUID() | timedelta():
            return str(value)
        case Mapping():
            return {plain(str(name)): plain(inner) for name, inner in value.items()}
        case set() | frozenset():
            return sorted((plain(inner) for inner in value), key=str)
        case list() | tuple():
            return [plain(inner) for inner in value]
        case bytes():
            return value.hex()
        case _ if is_dataclass(value) and not isinstance(value, type):
            return plain(asdict(value))
        case _:
            return plain(str(value))
