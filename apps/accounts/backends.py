"""Who a pair of mail address and password is."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from apps.accounts.models import User
from apps.accounts.queries import can_sign_in


class PasswordBackend(BaseBackend):
    """Signs in by mail address and password; an unknown address takes as long as a known one."""

    def authenticate(
        self,
        request: HttpRequest | None,  # noqa: ARG002 - Django's signature
        email: str | None = None,
        password: str | None = None,
        **_credentials: Any,
    ) -> User | None:
        """The person, or None: wrong, unknown and shut accounts all look alike."""
        if not email or password is None:
            return None
        user = User.objects.filter(email=email.strip().lower()).first()
        if user is None or not user.has_usable_password():
            # The same work as a check, so that the clock does not tell who has an account.
            make_password(password)
            return None
        if not user.check_password(password) or not can_sign_in(user):
            return None
        return user

    def get_user(self, user_id: UUID | str) -> User | None:
        """The person a session names, while the account is active."""
        try:
            return User.objects.filter(pk=user_id, is_active=True).first()
        except ValidationError:
            return None
