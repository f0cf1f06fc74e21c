"""A workspace with people in it, for tests that need somebody to act."""

import json
from typing import Any

from django.test import Client

from apps.accounts import commands, queries
from apps.accounts.actors import Actor
from apps.accounts.models import User, Workspace
from apps.core import clock

PASSWORD = "seven quiet green lamps"
ROLES = ("viewer", "builder", "operator", "approver", "auditor", "admin")


def make_workspace(slug: str = "acme") -> Workspace:
    return commands.make_workspace(slug=slug, name=slug.capitalize(), now=clock.now())


def person(workspace: Workspace, *roles: str, email: str = "", password: str | None = None) -> User:
    """A member with these roles; without a password they cannot use the sign-in page."""
    email = email or f"{'-'.join(roles) or 'nobody'}@{workspace.slug}.test"
    membership = commands.add_member(
        workspace_id=workspace.pk,
        email=email,
        name=email.partition("@")[0].capitalize(),
        roles=roles,
        password=password,
        now=clock.now(),
    )
    return membership.user


def actor(user: User, workspace: Workspace | None = None) -> Actor:
    found = queries.actor_of_user(user, workspace.pk if workspace else None)
    assert found is not None
    return found


def browser(user: User) -> Client:
    """Signed in, and held to CSRF like a real one; ``send`` brings the token along."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    return client


def send(client: Client, method: str, path: str, body: Any = None, **headers: str) -> Any:
    """A write as the app's pages make it: JSON, with the CSRF token in its header."""
    client.cookies["csrftoken"] = "a" * 32
    return client.generic(
        method,
        path,
        data=b"" if body is None else json.dumps(body).encode(),
        content_type="application/json",
        headers={"X-CSRFToken": "a" * 32, **headers},
    )


def bearer(user: User, **options: Any) -> dict[str, str]:
    """Headers of a program that acts as this person."""
    _token, value = commands.create_token(
        actor=actor(user), name="test", now=clock.now(), **options
    )
    return {"Authorization": f"Bearer {value}"}
