"""Gives every request its actor, and counts refusals in the trail."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from apps.accounts.authentication import identify

Handler = Callable[[HttpRequest], HttpResponse]


class ActorMiddleware:
    """Stands after Django's AuthenticationMiddleware; see ``authentication.identify``."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        identify(request)
        return self.get_response(request)
