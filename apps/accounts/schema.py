"""How OpenAPI names the two ways in."""

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers

#: How far a list is read.
PAGE = [
    OpenApiParameter("limit", int, description="Rows on a page, at most 200; else 50."),
    OpenApiParameter("cursor", str, description="From `next` or `previous` of another page."),
]


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # ships no types
    """``Authorization: Bearer sbx_…``."""

    target_class = "apps.accounts.authentication.BearerAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ARG002 - its signature
        return {"type": "http", "scheme": "bearer"}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # ships no types
    """The browser's cookie; writes also need ``X-CSRFToken``."""

    target_class = "apps.accounts.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ARG002 - its signature
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


def paged(
    shape: type[serializers.Serializer[Any]], **more: serializers.Field[Any, Any, Any, Any]
) -> Any:
    """The shape of one cursor page: ``{results, next, previous}``, and what a list says besides."""
    return inline_serializer(
        f"{shape.__name__}Page",
        {
            "results": shape(many=True),
            "next": serializers.URLField(allow_null=True),
            "previous": serializers.URLField(allow_null=True),
            **more,
        },
    )
