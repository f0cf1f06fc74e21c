"""The HTTP edge: exact JSON in and out, problem+json, cursor pages, ETag and If-Match."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions as drf
from rest_framework import serializers
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.pagination import CursorPagination
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import encoding, sentences
from apps.core.errors import (
    BadBody,
    BodyTooLarge,
    Invalid,
    PreconditionFailed,
    PreconditionRequired,
    ProductError,
)
from apps.engine import values

PROBLEM = "application/problem+json"


class ExactJSONParser(BaseParser):
    """JSON with exact decimals; what engine rule 17 refuses is 422 ``bad_json``, with position."""

    media_type = "application/json"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        # Django holds only what it reads itself to its limit.
        raw = stream.read(most + 1)
        if len(raw) > most:
            raise BodyTooLarge(f"The body is larger than {most:,} bytes; send less.")
        if not raw:
            return {}
        try:
            return values.loads(raw)
        except values.BadJson as refused:
            error = BadBody(
                str(refused),
                position=refused.position,
                line=refused.line,
                column=refused.column,
            )
            if refused.code == "malformed_json":
                error.code, error.status = "malformed_json", 400
            raise error from refused


class ExactJSONRenderer(JSONRenderer):
    """JSON with Decimals as numbers; problems carry their own media type."""

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return b"" if data is None else encoding.as_json(data)


class OneForm(DefaultContentNegotiation):
    """Each address has one form of answer, and gives it whatever ``Accept`` asks for.

    A 406 would tell a caller less than the answer does; refusals are problem+json all the same.
    Source: RFC 9110, section 12.5.1, which leaves it to the server.
    """

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, str(first.media_type)


class SaidField(serializers.CharField):
    """A sentence that was written down in English, in the reader's language."""

    def to_representation(self, value: Any) -> str:
        return sentences.said(super().to_representation(value))


class CursorPages(CursorPagination):
    """``{results, next, previous}`` in a stable order; ``limit`` up to 200."""

    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 200
    ordering = "-id"


def problem(error: ProductError) -> Response:
    """The problem+json answer of a foreseen error."""
    headers = (
        {"Retry-After": str(error.fields["retry_after"])} if "retry_after" in error.fields else {}
    )
    return Response(problem_body(error), status=error.status, content_type=PROBLEM, headers=headers)


def problem_body(error: ProductError) -> dict[str, Any]:
    """A foreseen error as ``{type, title, status, detail, code, …}``."""
    fields = dict(error.fields)
    if isinstance(fields.get("findings"), list):
        fields["findings"] = sentences.findings_said(fields["findings"])
    if isinstance(fields.get("errors"), list):
        fields["errors"] = [
            sentences.said_in(one, "message") if isinstance(one, dict) else one
            for one in fields["errors"]
        ]
    return {
        "type": f"/problems/{error.code}",
        "title": re.sub(r"(?<!^)(?=[A-Z])", " ", type(error).__name__).capitalize(),
        "status": error.status,
        "detail": sentences.said(error.message),
        "code": error.code,
        **fields,
    }


def exception_handler(exception: Exception, context: dict[str, Any]) -> Response | None:
    """Map every foreseen error to problem+json; an unforeseen one stays a 500."""
    # DRF's views read their settings, which name this module, when they are imported.
    from rest_framework.views import set_rollback  # noqa: PLC0415

    set_rollback()
    if isinstance(exception, ProductError):
        return problem(exception)
    if isinstance(exception, Http404 | drf.NotFound):
        return _plain(404, "not_found", "There is nothing at this address, or not for you.")
    if isinstance(exception, PermissionDenied | drf.PermissionDenied):
        return _plain(
            403, "forbidden", str(getattr(exception, "detail", "")) or "You may not do this."
        )
    if isinstance(exception, drf.NotAuthenticated | drf.AuthenticationFailed):
        answer = _plain(
            401, "not_signed_in", "Sign in or send a valid token; this needs to know who you are."
        )
        answer["WWW-Authenticate"] = "Bearer"
        return answer
    if isinstance(exception, drf.ValidationError):
        invalid = Invalid("Some fields do not fit.", errors=_flat(exception.detail))
        return problem(invalid)
    if isinstance(exception, drf.Throttled):
        answer = _plain(429, "too_many", "Too many requests; wait a little and try again.")
        if (wait := getattr(exception, "wait", None)) is not None:
            answer["Retry-After"] = str(int(wait) + 1)
        return answer
    if isinstance(exception, drf.APIException):
        return _plain(exception.status_code, str(exception.default_code), str(exception.detail))
    return None


def if_match(request: Request) -> int:
    """The revision in ``If-Match``.

    Raises:
        PreconditionRequired: The header is missing.
        PreconditionFailed: It names no revision of ours.
    """
    header = request.headers.get("If-Match", "").strip()
    if not header:
        raise PreconditionRequired("Send If-Match with the revision you started from (its ETag).")
    found = re.fullmatch(r'(?:W/)?"?(\d{1,18})"?', header)
    if not found:
        raise PreconditionFailed("If-Match names no revision of this; read it again first.")
    return int(found.group(1))


def etag(response: Response, revision: int) -> Response:
    """Mark an answer with the revision it shows."""
    response["ETag"] = f'"{revision}"'
    return response


def _plain(status: int, code: str, detail: str) -> Response:
    body = {
        "type": f"/problems/{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": sentences.said(detail),
        "code": code,
    }
    return Response(body, status=status, content_type=PROBLEM)


def _flat(detail: Any, path: str = "") -> list[dict[str, str]]:
    if isinstance(detail, dict):
        return [
            row
            for name, inner in detail.items()
            for row in _flat(inner, f"{path}.{name}" if path else str(name))
        ]
    if isinstance(detail, list):
        return [row for inner in detail for row in _flat(inner, path)]
    return [{"path": path, "message": str(detail)}]
