"""What the gateway says: JSON or plain text that no browser runs, without cookies or CORS."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from apps.core.errors import ProductError
from apps.core.http import PROBLEM, problem_body
from apps.engine import values
from apps.triggers.intake import Accepted
from apps.triggers.waiting import Answer

Header = tuple[bytes, bytes]

_ALWAYS: Sequence[Header] = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"sandbox; default-src 'none'"),
    (b"cache-control", b"no-store"),
)
#: How often each status was given by this process, for the metrics.
given: Counter[int] = Counter()

_BODILESS = frozenset({204, 205, 304})
_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=str)


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer."""

    status: int
    headers: Sequence[Header]
    body: bytes


def accepted(run: Accepted) -> Reply:
    """202 for a new run, 200 for one that an earlier call started."""
    said: dict[str, Any] = {"run": str(run.run_id), "status_url": status_url(str(run.run_id))}
    if run.is_repeat:
        said["duplicate"] = True
    if run.is_held:
        said |= {"held": True, "detail": "The flow is paused; the run starts when it is resumed."}
    return _reply(200 if run.is_repeat else 202, "application/json", _encoder.encode(said))


def heard(sample_id: UUID) -> Reply:
    """202 for a call that a draft's own address keeps; it started nothing."""
    said = {"sample": str(sample_id), "detail": "Kept as a sample; nothing was started."}
    return _reply(202, "application/json", _encoder.encode(said))


def flow_answer(answer: Answer) -> Reply:
    """What the flow responded; else how the run ended (502 with the problem if it failed)."""
    run = str(answer.run_id)
    if answer.responded is not None:
        status, body = answer.responded.status, answer.responded.body
        if isinstance(body, str):
            return _reply(status, "text/plain; charset=utf-8", body.encode())
        return _reply(status, "application/json", values.dumps(body).encode())
    if answer.run_status == "failed":
        error = answer.error or {}
        said = {
            "type": "/problems/run_failed",
            "title": "Run failed",
            "status": 502,
            "detail": error.get("message") or "The run failed.",
            "code": "run_failed",
            "run": run,
            "status_url": status_url(run),
            "error": error,
        }
        return _reply(502, PROBLEM, values.dumps(said).encode())
    said = {"run": run, "status": answer.run_status, "status_url": status_url(run)}
    return _reply(200, "application/json", _encoder.encode(said))


def problem(error: ProductError) -> Reply:
    """A refusal as problem+json, with ``Retry-After`` or ``Allow`` where it has one."""
    headers: list[Header] = []
    if "retry_after" in error.fields:
        headers.append((b"retry-after", str(error.fields["retry_after"]).encode()))
    if "allow" in error.fields:
        headers.append((b"allow", str(error.fields["allow"]).encode()))
    return _reply(error.status, PROBLEM, json.dumps(problem_body(error)).encode(), headers)


def fault() -> Reply:
    """A mistake of ours; what it was is in the log."""
    said: Mapping[str, Any] = {
        "type": "/problems/fault",
        "title": "Fault",
        "status": 500,
        "detail": "Something went wrong on our side; nothing was stored. It has been written down.",
        "code": "fault",
    }
    return _reply(500, PROBLEM, json.dumps(said).encode())


def status_url(run_id: str) -> str:
    """Where the run's state can be asked, on this host."""
    return f"/api/v1/runs/{run_id}/"


def _reply(status: int, content_type: str, body: bytes, more: Sequence[Header] = ()) -> Reply:
    if status in _BODILESS:
        return Reply(status, (*_ALWAYS, *more), b"")
    headers = (
        (b"content-type", content_type.encode()),
        (b"content-length", str(len(body)).encode()),
        *_ALWAYS,
        *more,
    )
    return Reply(status, headers, body)
