"""How a request gets its actor: a Bearer token or a session, never both.

``identify`` is called once, by the middleware; DRF's two classes only report what it found, and
the session's one holds the request to CSRF.
"""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request

from apps.accounts.actors import Actor
from apps.accounts.models import User
from apps.accounts.queries import WORKSPACE_KEY, actor_of_token, actor_of_user
from apps.accounts.sessions import SessionStore

API = "/api/"
METRICS = "/metrics"


def identify(request: HttpRequest) -> None:
    """Set ``request.actor`` (None for a stranger) and, to match, ``request.user``.

    A request with a Bearer header is judged by that alone: its cookies are as if not sent, and
    so it needs no CSRF token. Tokens open the API and the metrics and nothing else: a page, or the
    admin console, knows nothing of scopes. Whose session leads nowhere any more is signed out.
    """
    bearer = bearer_value(request)
    if bearer is not None:
        request.COOKIES = {}
        request.session = SessionStore()
        request.user, actor = AnonymousUser(), None
        if bearer and is_for_programs(request.path):
            request.user, actor = actor_of_token(bearer) or (AnonymousUser(), None)
            # Django's own name for "this request carries no ambient authority".
            request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]  # noqa: SLF001
        _set_actor(request, actor)
        return
    user = request.user
    if not isinstance(user, User):
        _set_actor(request, None)
        return
    actor = actor_of_user(user, request.session.get(WORKSPACE_KEY))
    _set_actor(request, actor)
    if actor is None:
        request.session.flush()
        request.user = AnonymousUser()
    elif isinstance(request.session, SessionStore):
        request.session.touch()


def is_for_programs(path: str) -> bool:
    """Whether tokens open this address."""
    return path.startswith(API) or path == METRICS


def bearer_value(request: HttpRequest) -> str | None:
    """The token in the Authorization header; None where there is no Bearer header at all."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else None


class BearerAuthentication(authentication.BaseAuthentication):
    """``Authorization: Bearer sbx_…``."""

    def authenticate(self, request: Request) -> tuple[User, Actor] | None:
        if bearer_value(request._request) is None:  # noqa: SLF001 - the request the middleware saw
            return None
        found = _found(request)
        if found is None:
            raise AuthenticationFailed
        return found

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - DRF's signature
        return "Bearer"


class SessionAuthentication(authentication.SessionAuthentication):
    """The browser's session, with CSRF on every write."""

    def authenticate(self, request: Request) -> tuple[User, Actor] | None:
        found = _found(request)
        if found is not None:
            self.enforce_csrf(request)
        return found

    def enforce_csrf(self, request: Request) -> None:
        # On Django's request: DRF's own would read the body for a form field, and nobody after
        # it could see the bytes as they came.
        super().enforce_csrf(request._request)  # type: ignore[arg-type] # noqa: SLF001 - the request the middleware saw


def _found(request: Request) -> tuple[User, Actor] | None:
    actor = getattr(request._request, "actor", None)  # noqa: SLF001 - the request the middleware saw
    user = request._request.user  # noqa: SLF001 - as above
    if actor is None or not isinstance(user, User):
        return None
    return user, actor


def _set_actor(request: HttpRequest, actor: Actor | None) -> None:
    request.actor = actor  # type: ignore[attr-defined] # ours, read by every view


def actor_of(request: Request | HttpRequest) -> Actor:
    """The request's actor, typed.

    Raises:
        NotAuthenticated: A stranger asks.
    """
    actor: Actor | None = getattr(request, "actor", None)
    if actor is None:
        raise NotAuthenticated
    return actor
