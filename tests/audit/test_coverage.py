"""Everything that changes something is in the trail: each route of the table is called once.

``tests/security/routes.txt`` lists every route of the product; one that is missing there fails
``test_route_table.py``. So a new route without a row in the trail fails here, unless it stands in
``QUIET`` with the reason.
"""

import json
import re
from datetime import timedelta

import pytest

from apps.audit.commands import write_counted
from apps.audit.models import AuditCounter, AuditEvent
from apps.audit.queries import with_values
from apps.core import clock
from tests.security.test_route_table import NOTED_READS, QUIET, ask, rows, tried
from tests.security.world import DOCUMENT, World
from tests.support import people

pytestmark = pytest.mark.django_db

ROUTES = dict(rows("api"))
CHANGING = [
    route
    for route, outcomes in ROUTES.items()
    if not route.startswith("GET ") and any(one.startswith("2") for one in outcomes.values())
]
READS_OF_NOTE = [route for route in ROUTES if NOTED_READS.match(route)]


@pytest.fixture
def world(db):
    return World()


def allowed(route):
    """Somebody who may."""
    found = (who for who, status in ROUTES[route].items() if status.startswith("2"))
    return next(who for who in found if who != "none")


def test_every_change_leaves_a_row(world):
    silent = []
    for route in CHANGING:
        _, written = tried(world, allowed(route), route)
        if not written and route not in QUIET:
            silent.append(f"{route} as {allowed(route)}")
    assert not silent, "\n".join(["no row in the trail after:", *silent])


def test_what_leaves_none_is_listed_with_its_reason_and_is_a_route():
    assert not [route for route in QUIET if route not in ROUTES]
    assert all(len(reason.split()) > 3 for reason in QUIET.values())


def test_every_export_leaves_a_row(world):
    assert len(READS_OF_NOTE) >= 4
    for route in READS_OF_NOTE:
        before = set(AuditEvent.objects.values_list("pk", flat=True))
        ask(world, "auditor", route)
        [row] = AuditEvent.objects.exclude(pk__in=before)
        verb = "file.read" if "/files/" in route else "export.read"
        assert (row.verb, row.actor_kind) == (verb, "person"), route


def test_every_denial_is_counted_by_route(world):
    """One row for each caller, address and minute, however often somebody tries."""
    for route in CHANGING:
        if ROUTES[route]["viewer"] == "403":
            AuditCounter.objects.all().delete()
            ask(world, "viewer", route)
            [counter] = AuditCounter.objects.all()
            assert counter.row["verb"] == "access.denied", route
            assert counter.row["who"]["id"] == str(world.users["viewer"].pk), route
    write_counted(now=clock.now() + timedelta(minutes=2))
    row = AuditEvent.objects.filter(verb="access.denied").latest("id")
    assert with_values([row])[0].group("details")["status"] == 403


def test_what_a_policy_says_no_to_is_there_with_the_rule(world):
    """A flow that the check refuses to publish; a decision that separation of duties refuses."""
    flow = world.ids["flow"]
    builder = world.browsers["builder"]
    broken = {**DOCUMENT, "links": [{"from": "trigger", "to": "nowhere"}]}
    saved = people.send(
        builder,
        "PUT",
        f"/api/v1/flows/{flow}/draft/",
        broken,
        **{"If-Match": f'"{world.ids["revision"]}"'},
    )
    assert saved.status_code == 200, saved.content
    AuditCounter.objects.all().delete()
    answer = people.send(builder, "POST", f"/api/v1/flows/{flow}/publish/", {"note": "no"})
    assert (answer.status_code, answer.json()["code"]) == (422, "has_errors")
    task = f"/api/v1/tasks/{world.ids['task']}/decide/"
    people.send(world.browsers["viewer"], "POST", task, {"outcome": "approved"})
    found = {
        (one.row["verb"], one.row["details"].get("rule")) for one in AuditCounter.objects.all()
    }
    assert ("policy.refused", "has_errors") in found
    assert "access.denied" in {verb for verb, _ in found}
    write_counted(now=clock.now() + timedelta(minutes=2))
    row = AuditEvent.objects.get(verb="policy.refused")
    assert row.actor_id == str(world.users["builder"].pk)


def test_no_row_holds_a_value_that_must_stay_hidden(world):
    """Before and after are masked: a planted secret is in no value of the trail."""
    planted = "correct-horse-battery-staple"
    admin = world.browsers["builder"]
    people.send(admin, "PUT", "/api/v1/secrets/erp/", {"value": planted, "hosts": []})
    people.send(admin, "PUT", "/api/v1/secrets/erp/", {"value": planted + "2", "hosts": []})
    token = people.send(admin, "POST", "/api/v1/tokens/", {"name": "ci"}).json()["token"]
    found = with_values(AuditEvent.objects.all())
    text = json.dumps([one.values for one in found], default=str)
    assert "erp" in text
    assert planted not in text
    assert token not in text


def test_nothing_shows_a_masked_value(world):
    """There is no way to read one, so there is nothing to be in the trail: by design.

    Secrets are set and never read; what a trigger masks is a fingerprint before it is stored, and
    the sealed body of a call is opened by the trail's or anybody's page nowhere.
    """
    shown = [route for route in ROUTES if re.search(r"\b(secret|reveal|raw|unmask)", route)]
    assert shown == [
        "GET /api/v1/secrets/",
        "PUT /api/v1/secrets/{secret}/",
        "DELETE /api/v1/secrets/{secret}/",
    ]
    people.send(
        world.browsers["builder"], "PUT", "/api/v1/secrets/erp/", {"value": "hush", "hosts": []}
    )
    assert b"hush" not in world.browsers["builder"].get("/api/v1/secrets/").content
