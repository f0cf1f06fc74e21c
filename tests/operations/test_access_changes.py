"""Whose rights on a flow changed: grants on it, and roles and teams beside it."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from apps.accounts import commands
from apps.accounts.commands import GrantSubject
from apps.core import clock
from apps.flows import commands as flows
from apps.operations.access_api import quarter_of
from tests.support import people

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme():
    return people.make_workspace("acme")


@pytest.fixture
def admin(acme):
    return people.actor(people.person(acme, "admin"))


@pytest.fixture
def flow(acme):
    builder = people.actor(people.person(acme, "builder"))
    return flows.create_flow(actor=builder, name="Onboarding", now=clock.now())


@pytest.fixture
def auditor(acme):
    return people.browser(people.person(acme, "auditor"))


def changes(browser, flow, query=""):
    answer = browser.get(f"/api/v1/flows/{flow.pk}/access-changes/{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def grant(admin, flow, subject, *rights):
    commands.grant_flow(
        actor=admin, flow_id=flow.pk, subject=subject, rights=rights, now=clock.now()
    )


def test_a_grant_is_told_by_the_name_of_that_moment(acme, admin, flow, auditor):
    team = commands.create_team(actor=admin, slug="finance", name="Finance", now=clock.now())
    grant(admin, flow, GrantSubject("team", team.pk), "view", "edit")
    grant(admin, flow, GrantSubject("team", team.pk), "view")
    commands.delete_team(actor=admin, team_id=team.pk, now=clock.now())
    found = [one for one in changes(auditor, flow) if one["verb"] == "flow.grant"]
    assert [(one["subject"], one["before"], one["after"]) for one in found] == [
        ("Finance", "edit, view", "view"),
        ("Finance", "\N{EN DASH}", "edit, view"),
    ]
    assert found[0]["by"] == "admin@acme.test"


def test_roles_and_teams_count_and_other_flows_do_not(acme, admin, flow, auditor):
    ada = people.person(acme, "viewer", email="ada@acme.test")
    other = flows.create_flow(
        actor=people.actor(people.person(acme, "builder", email="bea@acme.test")),
        name="Another",
        now=clock.now(),
    )
    grant(admin, other, GrantSubject("user", ada.pk), "edit")
    commands.change_member(
        actor=admin,
        membership_id=ada.memberships.get().pk,
        roles=["builder"],
        reason="New work",
        now=clock.now(),
    )
    found = changes(auditor, flow)
    assert "flow.grant" not in {one["verb"] for one in found}
    changed = next(one for one in found if one["verb"] == "member.change")
    assert changed["subject"] == "ada@acme.test"
    assert "viewer" in changed["before"]
    assert "builder" in changed["after"]
    assert changed["reason"] == "New work"


def test_what_lies_before_the_period_is_left_out(admin, flow, auditor):
    grant(admin, flow, GrantSubject("user", admin.user_id), "view")
    assert changes(auditor, flow)
    assert changes(auditor, flow, "?from=2999-01-01&to=2999-02-01") == []


@pytest.mark.parametrize(
    ("at", "begins"),
    [
        ("2026-11-21T10:00:00", "2026-10-01T00:00:00+02:00"),
        ("2026-03-31T21:59:00", "2026-01-01T00:00:00+01:00"),
        ("2026-03-31T22:00:00", "2026-04-01T00:00:00+02:00"),
    ],
)
def test_a_quarter_begins_where_people_are(at, begins):
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert quarter_of(moment, ZoneInfo("Europe/Berlin")) == datetime.fromisoformat(begins)


def test_only_who_reads_the_trail_may_ask(acme, flow, admin):
    path = f"/api/v1/flows/{flow.pk}/access-changes/"
    assert people.browser(people.person(acme, "viewer")).get(path).status_code == 403
    stranger = people.person(people.make_workspace("other"), "auditor")
    assert people.browser(stranger).get(path).status_code == 404
