"""Events as others see them: ``event`` in expressions, CloudEvents 1.0 JSON outside.

Source: CloudEvents 1.0.2, JSON event format 1.0.2; its extension for correlation.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from apps.core.errors import Invalid
from apps.engine import values
from apps.steps.event_ways import TYPE_PATTERN
from apps.steps.outcomes import StepError
from apps.steps.types.delay import after
from apps.triggers.models import Event

MEDIA_TYPE = "application/cloudevents+json"
MAX_DATA = 1024 * 1024
MAX_TTL = timedelta(days=30)
DEFAULT_TTL = timedelta(hours=1)
MAX_ATTRIBUTES = 20
#: Of events that runs publish; nobody outside may speak in a flow's name.
OWN_SOURCE = "/flows/"

_KNOWN = frozenset(
    {
        "specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema",
        "data", "data_base64", "version", "correlationid", "causationid", "ttl",
    }
)  # fmt: skip
#: What we say ourselves of each event.
_OURS = frozenset({"workspace", "depth", "run", "step"})
_NAME = re.compile(r"[a-z0-9]{1,20}")
_START = datetime(2000, 1, 1, tzinfo=UTC)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class BadEvent(Invalid):
    """What was sent is not an event that can be kept."""

    code = "bad_event"


@dataclass(frozen=True, slots=True)
class Sent:
    """An event that came from outside, every part of it checked."""

    event_id: str
    source: str
    type: str
    version: str
    subject: str
    occurred_at: datetime | None
    data: Any
    correlation: str
    causation: str
    ttl: timedelta
    attributes: Mapping[str, Any] = field(default_factory=dict)


def read(sent: Any) -> Sent:
    """An event in CloudEvents JSON.

    Raises:
        BadEvent: It is none, or more than can be kept; ``errors`` names each part.
    """
    if not isinstance(sent, Mapping):
        raise BadEvent("An event is a set of named attributes, in CloudEvents 1.0 JSON.")
    errors = [*_faults(sent)]
    if errors:
        told = [{"path": path, "message": message} for path, message in errors]
        raise BadEvent("Some attributes of the event do not fit.", errors=told)
    return Sent(
        event_id=sent["id"],
        source=sent["source"],
        type=sent["type"],
        version=str(sent.get("version") or "1"),
        subject=sent.get("subject") or "",
        occurred_at=_moment(sent.get("time")),
        data=sent.get("data"),
        correlation=sent.get("correlationid") or "",
        causation=sent.get("causationid") or "",
        ttl=DEFAULT_TTL if sent.get("ttl") is None else after(_START, sent["ttl"]) - _START,
        attributes={name: value for name, value in sent.items() if name not in _KNOWN},
    )


def as_feel(event: Event) -> dict[str, Any]:
    """What expressions read as ``event``."""
    return {
        "id": event.event_id,
        "type": event.type,
        "version": event.version,
        "source": event.source,
        "subject": event.subject,
        "time": event.occurred_at.isoformat(),
        "workspace": str(event.workspace_id),
        "correlation": event.correlation,
        "causation": event.causation,
        "depth": event.depth,
        "data": event.data,
    }


def as_cloud_event(event: Event) -> dict[str, Any]:
    """CloudEvents 1.0 JSON. What is empty is left out, as the specification asks."""
    named = {
        "subject": event.subject,
        "causationid": event.causation,
        "run": str(event.run_id) if event.run_id else "",
        "step": event.step,
    }
    return {
        "specversion": "1.0",
        "id": event.event_id,
        "source": event.source,
        "type": event.type,
        "time": event.occurred_at.isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        **event.attributes,
        "version": event.version,
        "workspace": str(event.workspace_id),
        "correlationid": event.correlation,
        "depth": event.depth,
        **{name: value for name, value in named.items() if value},
        "data": event.data,
    }


def correlation_id(correlation: str) -> UUID:
    """The correlation of a run that an event starts; texts that are no UUID have one each."""
    try:
        return UUID(correlation)
    except ValueError:
        return uuid5(NAMESPACE_URL, correlation)


def _faults(sent: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What does not fit, as ``(attribute, sentence)``."""
    found: list[tuple[str, str]] = []
    if sent.get("specversion") != "1.0":
        found.append(("specversion", "Must be “1.0”."))
    for name, most in (("id", 200), ("source", 300), ("type", 200)):
        if not sent.get(name):
            found.append((name, "Must be there."))
        elif fault := _text_fault(sent[name], most):
            found.append((name, fault))
    for name, most in (("subject", 300), ("correlationid", 200), ("causationid", 200)):
        if sent.get(name) is not None and (fault := _text_fault(sent[name], most)):
            found.append((name, fault))
    return found or [*_further_faults(sent)]


def _further_faults(sent: Mapping[str, Any]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    if not re.fullmatch(TYPE_PATTERN, sent["type"]):
        found.append(("type", "Use letters, digits and . _ : / - only, such as invoice.paid."))
    if sent["source"].startswith(OWN_SOURCE):
        found.append(("source", f"{OWN_SOURCE} is for the flows of this installation."))
    version = sent.get("version")
    if version is not None and not re.fullmatch(r"[\w.-]{1,20}", str(version)):
        found.append(("version", "Use at most 20 letters, digits, dots and hyphens."))
    if sent.get("time") is not None and _moment(sent["time"]) is None:
        found.append(("time", "Write it as 2026-03-01T12:00:00Z."))
    if "data_base64" in sent:
        found.append(("data_base64", "Send JSON in “data”; binary data is not kept."))
    kind = sent.get("datacontenttype")
    if kind is not None and (not isinstance(kind, str) or not _is_json(kind)):
        found.append(("datacontenttype", "Only application/json is kept."))
    if len(values.dumps(sent.get("data"))) > MAX_DATA:
        found.append(("data", "The data of an event has at most 1 MB."))
    if fault := _ttl_fault(sent.get("ttl")):
        found.append(("ttl", fault))
    return found + _attribute_faults(sent)


def _attribute_faults(sent: Mapping[str, Any]) -> list[tuple[str, str]]:
    more = {name: value for name, value in sent.items() if name not in _KNOWN}
    found = [(name[:60], "Is said by Signalbox itself.") for name in more if name in _OURS] or [
        (name[:60], "A name is at most 20 small letters and digits, its value plain.")
        for name, value in more.items()
        if not _NAME.fullmatch(name)
        or not (isinstance(value, bool | int) or not _text_fault(value, 1000))
    ]
    if len(more) > MAX_ATTRIBUTES:
        found.append(("", f"At most {MAX_ATTRIBUTES} further attributes are kept."))
    return found


def _text_fault(value: Any, most: int) -> str:
    if not isinstance(value, str):
        return "Must be text."
    if len(value) > most:
        return f"Has {len(value)} characters; {most} at most."
    return "Must be one line without hidden signs." if _CONTROL.search(value) else ""


def _ttl_fault(ttl: Any) -> str:
    if ttl is None:
        return ""
    try:
        length = after(_START, ttl) - _START if isinstance(ttl, str) else None
    except StepError as wrong:
        return wrong.message
    if length is None:
        return "Write a duration such as PT1H."
    return "" if length <= MAX_TTL else "An event waits for at most 30 days."


def _moment(text: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return found.astimezone(UTC) if found.tzinfo else None


def _is_json(kind: str) -> bool:
    plain = kind.partition(";")[0].strip().lower()
    return plain == "application/json" or plain.endswith("+json")
