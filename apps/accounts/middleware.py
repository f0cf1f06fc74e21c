"""Gives every request its actor and its language, and counts refusals of the API in the trail."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import parse_accept_lang_header

from apps.accounts import commands
from apps.accounts.authentication import bearer_value, identify, is_for_programs
from apps.accounts.callers import ip_of
from apps.core import clock

Handler = Callable[[HttpRequest], HttpResponse]


#: What says only that somebody may not.
ORDINARY = frozenset({"forbidden", "not_found", "not_signed_in"})
#: What refuses an act for what it would do, not for who asks.
POLICIES = frozenset({"has_errors"})


class ActorMiddleware:
    """Stands after Django's AuthenticationMiddleware; see ``authentication.identify``."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        identify(request)
        actor = getattr(request, "actor", None)
        response = self.get_response(request)
        if is_for_programs(request.path) and not response.has_header("Cache-Control"):
            # Answers are one person's; neither browser nor proxy keeps them.
            response["Cache-Control"] = "no-store"
        rule = _rule(response)
        if is_for_programs(request.path) and (
            rule in POLICIES or _is_refusal(request, response.status_code, actor)
        ):
            commands.note_refusal(
                actor=actor,
                route=_route(request),
                status=response.status_code,
                ip=ip_of(request),
                now=clock.now(),
                rule=rule,
                verb="policy.refused" if rule in POLICIES else "access.denied",
            )
        return response


class LanguageMiddleware:
    """Answers in the language the person has chosen, else in what the browser asks for.

    Stands after ``ActorMiddleware``, which knows the person. No cookie and no address chooses a
    language: a link that somebody is sent reads in the reader's own.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = getattr(request.user, "language", "")
        language = chosen or _asked_for(request)
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        patch_vary_headers(response, ("Accept-Language",))
        return response


def _asked_for(request: HttpRequest) -> str:
    offered = dict(settings.LANGUAGES)
    for wanted, _weight in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        language = wanted.split("-")[0]
        if language in offered:
            return language
    return str(settings.LANGUAGE_CODE)


def _rule(response: HttpResponse) -> str:
    """The rule that said no, where it was one of its own: a duty, a scope, the check of a flow."""
    said = getattr(response, "data", None)
    code = said.get("code") if isinstance(said, dict) and response.status_code >= 400 else None
    return code if isinstance(code, str) and code not in ORDINARY else ""


def _is_refusal(request: HttpRequest, status: int, actor: object) -> bool:
    """A caller who may not, or a stranger with a bad token; not one who only forgot to sign in."""
    if request.resolver_match is None:
        # Nothing is at this address for anybody, so nothing was refused.
        return False
    if actor is None:
        return status == 401 and bearer_value(request) is not None
    return status in {403, 404}


def _route(request: HttpRequest) -> str:
    # The pattern, not the address: an address holds ids, and whatever a caller writes into it.
    assert request.resolver_match is not None  # noqa: S101 - `_is_refusal` has seen to it
    return request.resolver_match.route
