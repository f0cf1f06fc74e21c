"""One answer per ``Idempotency-Key``: a repeat of a create returns what the first one returned."""

import functools
import hashlib
from collections.abc import Callable
from typing import Any

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.core.errors import Conflict, Invalid
from apps.core.http import ExactJSONRenderer
from apps.core.models import IdempotencyRecord
from apps.engine import values


class KeyReused(Conflict):
    """The key came before with another body."""

    code = "idempotency_key_reused"


def idempotent(method: Callable[..., Response]) -> Callable[..., Response]:
    """Make a creating API method safe to repeat under ``Idempotency-Key``.

    The record and the created rows are one transaction. A refused create leaves no record,
    so that it can be sent again once put right. Two at once: the second waits for the first.
    """

    @functools.wraps(method)
    def wrapped(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get("Idempotency-Key", "")
        if not key:
            return method(view, request, *args, **kwargs)
        if len(key) > 200:
            raise Invalid("Idempotency-Key is too long: at most 200 characters.")
        digest = hashlib.sha256(request._request.body).hexdigest()  # noqa: SLF001 - DRF offers no raw body
        actor = getattr(request, "actor")  # noqa: B009 - set by authentication, above this package
        caller = f"{actor.workspace_id}/{actor.who.id}"
        with transaction.atomic():
            record, created = IdempotencyRecord.objects.get_or_create(
                caller=caller,
                route=request.path,
                key=key,
                defaults={"body_sha256": digest, "created_at": clock.now()},
            )
            if not created:
                return _repeat(record, digest)
            response = method(view, request, *args, **kwargs)
            record.status, record.answer = response.status_code, _plain(response)
            record.save(update_fields=["status", "answer"])
            return response

    return wrapped


def _repeat(record: IdempotencyRecord, digest: str) -> Response:
    if record.body_sha256 != digest:
        raise KeyReused("This Idempotency-Key was used with another body; send a new key.")
    return Response(record.answer, status=record.status)


def _plain(response: Response) -> Any:
    return values.loads(ExactJSONRenderer().render(response.data))
