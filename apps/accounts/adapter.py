"""What we tell django-allauth, which carries a sign-in through its stages."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest, HttpResponse

from apps.accounts import commands
from apps.accounts.callers import ip_of
from apps.accounts.models import User
from apps.accounts.queries import actor_of_user
from apps.core import clock


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc] # allauth ships no types
    """No sign-up, no messages of its own; a finished sign-in is a row of the trail."""

    def is_open_for_signup(self, _request: HttpRequest) -> bool:
        """People come by invitation."""
        return False

    def add_message(self, *_args: Any, **_kwargs: Any) -> None:
        """The page one lands on says enough."""

    def get_client_ip(self, request: HttpRequest) -> str:
        """As everywhere else."""
        return ip_of(request)

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        """Called when every stage is passed and the session has its new id."""
        actor = actor_of_user(user)
        if actor is not None:
            visit = commands.Visit(ip_of(request), request.headers.get("User-Agent", ""))
            commands.note_sign_in(actor=actor, visit=visit, now=clock.now())
        response: HttpResponse = super().post_login(request, user, **kwargs)
        return response
