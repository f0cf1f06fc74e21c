"""security.md: a committed table of route x role x grant x other workspace; an unlisted route fails."""

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from apps.accounts import commands
from apps.accounts.commands import GrantSubject
from apps.accounts.models import Membership
from apps.audit.models import AuditEvent
from apps.connections import commands as connections
from apps.core import clock
from tests.support import people

TABLE = Path(__file__).with_name("routes.txt")
CALLERS = (
    "none", "viewer", "builder", "operator", "approver", "auditor", "admin",
    "g.view", "g.edit", "g.publish", "g.run", "other",
)  # fmt: skip
#: Packages whose routes must all be in the table.
COVERED = ("apps.accounts.", "apps.connections.")

BODIES = {
    "PATCH /api/v1/me/": {"theme": "dark"},
    "POST /api/v1/me/workspace/": {"slug": "acme"},
    "POST /api/v1/me/password/": {"current": "not it", "new": "eleven other green lamps"},
    "PATCH /api/v1/members/{member}/": {"roles": ["auditor"]},
    "POST /api/v1/invitations/": {"email": "fresh@acme.test", "roles": ["viewer"]},
    "POST /api/v1/teams/": {"slug": "legal", "name": "Legal"},
    "PATCH /api/v1/teams/{team}/": {"name": "Money"},
    "POST /api/v1/tokens/": {"name": "ci"},
    "PUT /api/v1/flows/{flow}/grants/": {"grants": []},
    "PUT /api/v1/secrets/{secret}/": {"value": "x", "hosts": []},
    "POST /api/v1/allowed-hosts/": {"host": "erp.internal", "port": 8443, "reason": "orders"},
}


def rows():
    """``(method, path, {caller: status})`` of every line."""
    for line in TABLE.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            method, path, *statuses = line.split()
            yield method, path, dict(zip(CALLERS, map(int, statuses), strict=True))


def routes(patterns=None, prefix=""):
    """``METHOD /path/{}/`` of every route of the covered packages."""
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry.url_patterns, path)
        elif isinstance(entry, URLPattern) and path.startswith("api/"):
            view = getattr(entry.callback, "view_class", None) or getattr(
                entry.callback, "cls", None
            )
            if view is None or not view.__module__.startswith(COVERED):
                continue
            for method in ("get", "post", "put", "patch", "delete"):
                if hasattr(view, method):
                    yield f"{method.upper()} /{re.sub(r'<[^>]+>', '{}', path)}"


@pytest.fixture
def world(db):
    """A workspace with one of everything, and a browser for every caller."""
    acme, other = people.make_workspace("acme"), people.make_workspace("other")
    now = clock.now()
    users = {role: people.person(acme, role) for role in people.ROLES}
    admin = people.actor(users["admin"])
    flow = apps.get_model("flows.Flow").objects.create(
        workspace=acme, name="Onboarding", owner=users["builder"], created_at=now, updated_at=now
    )
    for right in ("view", "edit", "publish", "run"):
        users[f"g.{right}"] = people.person(acme, "approver", email=f"{right}@acme.test")
        commands.grant_flow(
            actor=admin,
            flow_id=flow.pk,
            subject=GrantSubject("user", users[f"g.{right}"].pk),
            rights=[right],
            now=now,
        )
    users["other"] = people.person(other, *people.ROLES, email="everything@other.test")
    newcomer = people.person(acme, "viewer", email="newcomer@acme.test")
    people.bearer(newcomer)
    connections.set_secret(actor=admin, name="crm", value="hush", hosts=[], now=now)
    ids = {
        "member": Membership.objects.get(user=newcomer).pk,
        "invitation": commands.invite_member(
            actor=admin, email="new@acme.test", roles=["viewer"], now=now
        ).pk,
        "team": commands.create_team(actor=admin, slug="finance", name="Finance", now=now).pk,
        "token": apps.get_model("accounts.ApiToken").objects.get().pk,
        "flow": flow.pk,
        "secret": "crm",
        "host": connections.allow_host(
            actor=admin, host="old.internal", port=443, reason="orders", now=now
        ).pk,
    }
    browsers = {name: people.browser(user) for name, user in users.items()}
    return ids, {**browsers, "none": Client(enforce_csrf_checks=True)}


def test_route_x_role_x_grant_x_other_workspace(world):
    """And every change leaves a row in the trail; a read or a refusal leaves none of its own."""
    ids, browsers = world
    wrong = []
    for method, path, expected in rows():
        for caller, status in expected.items():
            with transaction.atomic():
                before = AuditEvent.objects.count()
                answer = people.send(
                    browsers[caller], method, path.format(**ids), BODIES.get(f"{method} {path}", {})
                )
                written = AuditEvent.objects.count() - before
                transaction.set_rollback(True)
            if answer.status_code != status:
                wrong.append(f"{method} {path} as {caller}: {answer.status_code}, not {status}")
            elif method != "GET" and status < 300 and not written:
                wrong.append(f"{method} {path} as {caller}: no row in the trail")
            elif (method == "GET" or status >= 400) and written:
                wrong.append(f"{method} {path} as {caller}: {written} rows in the trail")
    assert not wrong, "\n".join(wrong)


def test_an_unlisted_route_fails():
    listed = {f"{method} {re.sub(r'{[a-z]+}', '{}', path)}" for method, path, _ in rows()}

    assert set(routes()) == listed
