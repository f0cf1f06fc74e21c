"""The admin console: who gets in, what they see, and that every change goes through its command."""

import pytest

from apps.accounts.models import ApiToken, Membership
from apps.audit.models import AuditEvent
from apps.core import clock
from apps.flows.commands import create_flow
from apps.flows.models import Flow
from tests.support.people import actor, make_workspace, person

pytestmark = pytest.mark.django_db

LISTS = [
    "accounts/membership",
    "accounts/team",
    "accounts/workspace",
    "accounts/apitoken",
    "flows/flow",
    "flows/flowversion",
    "triggers/trigger",
    "runs/run",
    "inbox/usertask",
    "audit/auditevent",
    "audit/auditseal",
]
RECORDS = [
    "flows/flowversion",
    "triggers/trigger",
    "runs/run",
    "inbox/usertask",
    "audit/auditevent",
    "audit/auditseal",
]


def post(browser, path, data):
    """A form sent as a browser would: with the token of the page it stands on."""
    browser.get(path)
    token = browser.cookies["csrftoken"].value
    return browser.post(path, {**data, "csrfmiddlewaretoken": token})


@pytest.fixture
def flow(people, workspace):
    return create_flow(actor=actor(people["builder"], workspace), name="Orders", now=clock.now())


def test_sign_in_is_the_products_own(client):
    answer = client.get("/admin/")
    assert answer.status_code == 302
    follow = client.get(answer["Location"])
    assert follow["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("role", ["viewer", "builder", "operator", "approver"])
def test_only_administrators_and_auditors_get_in(client_as, role):
    browser = client_as(role)
    assert browser.get("/admin/").status_code == 302
    refused = browser.get("/admin/", follow=True)
    assert refused.status_code == 403
    page = refused.content.decode()
    assert "You cannot open this" in page
    assert "Administrator or Auditor" in page
    assert "What needs attention" not in page


def test_titles_are_plain_words(client_as, flow):
    browser = client_as("admin")
    page = browser.get("/admin/flows/flow/").content.decode()
    assert "<h1>Flows</h1>" in page
    page = browser.get(f"/admin/flows/flow/{flow.pk}/change/").content.decode()
    assert "<h1>Flow</h1>" in page
    for path in ("accounts/membership", "audit/auditevent", "runs/run", "inbox/usertask"):
        page = browser.get(f"/admin/{path}/").content.decode()
        assert " to change" not in page
        assert " to view" not in page


def test_the_front_page_has_the_numbers_to_act_on(client_as, flow):
    Flow.objects.update(owner=None)
    page = client_as("admin").get("/admin/").content.decode()
    for words in (
        "Flows without an owner",
        "Failed runs today",
        "Stuck runs",
        "Overdue tasks",
        "Oldest unsealed",
        "Oldest work not begun",
    ):
        assert words in page


@pytest.mark.parametrize("path", LISTS)
def test_every_list_opens_and_can_be_searched(client_as, flow, path):
    assert client_as("admin").get(f"/admin/{path}/").status_code == 200
    assert client_as("auditor").get(f"/admin/{path}/").status_code == 200


@pytest.mark.parametrize("path", RECORDS)
def test_records_have_no_add_change_delete_or_bulk_action(client_as, flow, path):
    browser = client_as("admin")
    assert browser.get(f"/admin/{path}/add/").status_code == 403
    assert b'name="action"' not in browser.get(f"/admin/{path}/").content


def test_the_trail_is_searched_by_person_verb_and_target(client_as, flow):
    browser = client_as("auditor")
    for words in ("flow.create", "Orders"):
        assert (
            "flow.create" in browser.get("/admin/audit/auditevent/", {"q": words}).content.decode()
        )
    assert (
        "flow.create"
        not in browser.get("/admin/audit/auditevent/", {"q": "nothing like it"}).content.decode()
    )


def test_another_workspace_is_not_there(client_as, flow):
    other = make_workspace("other")
    stranger = person(other, "builder")
    theirs = create_flow(actor=actor(stranger, other), name="Theirs", now=clock.now())
    browser = client_as("admin")
    assert "Theirs" not in browser.get("/admin/flows/flow/").content.decode()
    assert browser.get(f"/admin/flows/flow/{theirs.pk}/change/").status_code == 302


def test_pausing_a_flow_calls_the_command_and_leaves_a_row_with_the_reason(client_as, flow, people):
    answer = post(
        client_as("admin"),
        f"/admin/flows/flow/{flow.pk}/change/",
        {"state": "paused", "owner": str(people["builder"].pk), "reason": "Too many calls"},
    )
    assert answer.status_code == 302
    flow.refresh_from_db()
    assert flow.state == "paused"
    assert AuditEvent.objects.filter(verb="flow.pause", target_id=str(flow.pk)).count() == 1


def test_a_change_without_a_reason_is_not_made(client_as, flow, people):
    post(
        client_as("admin"),
        f"/admin/flows/flow/{flow.pk}/change/",
        {"state": "paused", "owner": str(people["builder"].pk)},
    )
    flow.refresh_from_db()
    assert flow.state == "active"


def test_an_auditor_changes_nothing(client_as, flow, people):
    answer = post(
        client_as("auditor"),
        f"/admin/flows/flow/{flow.pk}/change/",
        {"state": "paused", "owner": str(people["builder"].pk), "reason": "I may not"},
    )
    flow.refresh_from_db()
    assert answer.status_code == 403
    assert flow.state == "active"


def test_roles_change_through_the_command_and_the_last_administrator_stays(
    client_as, people, workspace
):
    browser = client_as("admin")
    mine = Membership.objects.get(user=people["admin"], workspace=workspace)
    post(
        browser,
        f"/admin/accounts/membership/{mine.pk}/change/",
        {"is_active": "on", "roles": ["viewer"], "reason": "x"},
    )
    assert not AuditEvent.objects.filter(verb="member.change").exists()
    theirs = Membership.objects.get(user=people["viewer"], workspace=workspace)
    post(
        browser,
        f"/admin/accounts/membership/{theirs.pk}/change/",
        {"is_active": "on", "roles": ["viewer", "builder"], "reason": "New task"},
    )
    assert (
        AuditEvent.objects.filter(verb="member.change", target_id=str(people["viewer"].pk)).count()
        == 1
    )


def test_a_token_is_shown_without_its_value_and_can_be_revoked(client_as, api_as, people):
    made = api_as("builder").post(
        "/api/v1/tokens/", {"name": "ci", "days": 3}, content_type="application/json"
    )
    row = ApiToken.objects.get(name="ci")
    browser = client_as("admin")
    page = browser.get(f"/admin/accounts/apitoken/{row.pk}/change/").content.decode()
    assert made.json()["token"] not in page
    assert row.hash not in page
    post(browser, f"/admin/accounts/apitoken/{row.pk}/change/", {"revoke": "on", "reason": "Lost"})
    row.refresh_from_db()
    assert row.revoked_at is not None
