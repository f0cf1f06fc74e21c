"""security.md: lists, counts, search, export and the console respect roles, grants and workspaces."""

import json
from importlib import import_module

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.admin import ModelAdmin

from apps.accounts.models import User
from apps.audit.models import AuditEvent
from apps.core import clock
from apps.flows import commands as flows
from apps.operations.governance.base import CommandAdmin, RecordAdmin
from tests.security.world import World
from tests.support import people


@pytest.fixture
def world(db):
    made = World()
    hidden = flows.create_flow(actor=made.author, name="Hidden from most", now=clock.now())
    made.ids["hidden"] = hidden.pk
    return made


def names(answer):
    return {one["name"] for one in answer.json()["results"]}


def test_lists_counts_and_search_show_what_a_grant_opens_and_no_more(world):
    browser = world.browsers["g.view"]
    assert names(browser.get("/api/v1/flows/")) == {"Onboarding", "Held"}
    assert names(browser.get("/api/v1/flows/?search=Hidden")) == set()
    assert browser.get(f"/api/v1/flows/{world.ids['hidden']}/").status_code == 404
    runs = browser.get("/api/v1/runs/").json()["results"]
    assert {one["flow"]["name"] for one in runs} == {"Onboarding"}
    latest = browser.get(f"/api/v1/runs/latest/?flows={world.ids['hidden']},{world.flow.pk}").json()
    assert set(latest) == {str(world.flow.pk)}
    assert browser.get("/api/v1/tasks/count/").json() == {"open": 0}
    assert browser.get("/api/v1/tasks/").json()["results"] == []


def test_without_a_grant_an_approver_sees_no_flow_and_no_run(world):
    browser = world.browsers["approver"]
    assert names(browser.get("/api/v1/flows/")) == set()
    assert browser.get("/api/v1/runs/").json()["results"] == []
    assert browser.get(f"/api/v1/runs/?flow={world.flow.pk}").json()["results"] == []
    assert browser.get("/api/v1/tasks/count/").json() == {"open": 2}


def test_a_grant_to_a_group_opens_it_to_its_members(world):
    from apps.accounts import commands
    from apps.accounts.models import Team

    team = Team.objects.get(workspace=world.acme, slug="approver", kind=Team.Kind.ROLE)
    subject = commands.GrantSubject("team", team.pk)
    commands.grant_flow(
        actor=world.admin,
        flow_id=world.ids["hidden"],
        subject=subject,
        rights=["view"],
        now=clock.now(),
    )
    assert names(world.browsers["approver"].get("/api/v1/flows/")) == {"Hidden from most"}


@pytest.mark.parametrize(
    "path",
    ["flows/", "runs/", "members/", "teams/", "secrets/", "allowed-hosts/", "audit/", "alerts/"],
)
def test_another_workspace_is_nowhere_in_a_list(world, path):
    answer = world.browsers["other"].get(f"/api/v1/{path}")
    assert answer.status_code == 200
    for word in ("Onboarding", "acme", "crm", "old.internal"):
        assert word not in answer.content.decode()


def test_exports_hold_only_the_callers_workspace(world):
    from tests.inbox.support import move_clock

    move_clock(seconds=30)
    for kind in ("flows", "versions", "runs", "tasks", "audit"):
        mine = b"".join(
            world.browsers["admin"].get(f"/api/v1/export/{kind}.ndjson").streaming_content
        )
        theirs = b"".join(
            world.browsers["other"].get(f"/api/v1/export/{kind}.ndjson").streaming_content
        )
        own = {json.loads(line).get("id") for line in mine.splitlines()} - {None}
        assert own
        assert not own & {json.loads(line).get("id") for line in theirs.splitlines()}


def test_an_admin_has_no_decision_on_others_tasks_nor_has_the_installations_owner(world):
    User.objects.filter(pk=world.users["admin"].pk).update(is_superuser=True)
    answer = people.send(
        world.browsers["admin"],
        "POST",
        f"/api/v1/tasks/{world.ids['task']}/decide/",
        {"outcome": "approved"},
    )
    assert answer.status_code == 403


class TestConsole:
    @pytest.fixture
    def registered(self):
        """What the console shows; it is looked for with the addresses."""
        import_module(settings.ROOT_URLCONF)
        return admin.site._registry

    def test_versions_runs_journals_tasks_seals_and_trail_have_no_door_to_a_change(
        self, registered
    ):
        from apps.audit.models import AuditSeal
        from apps.flows.models import Draft, FlowVersion
        from apps.inbox.models import Decision, UserTask
        from apps.runs.models import Run, RunEvent

        for model in (FlowVersion, Run, UserTask, AuditEvent, AuditSeal):
            assert isinstance(registered[model], RecordAdmin)
            assert not isinstance(registered[model], CommandAdmin)
        assert not {RunEvent, Decision, Draft} & set(registered)

    def test_everything_in_it_is_a_record_or_calls_a_command(self, registered):
        assert registered
        for model, console in registered.items():
            assert isinstance(console, RecordAdmin), model
            if isinstance(console, CommandAdmin):
                assert type(console).command is not CommandAdmin.command
                assert type(console).save_model is CommandAdmin.save_model
            else:
                assert type(console).has_change_permission is RecordAdmin.has_change_permission
            for method in ("has_add_permission", "has_delete_permission"):
                assert getattr(type(console), method) is getattr(RecordAdmin, method)
            assert type(console).actions is None
            assert type(console).delete_model is ModelAdmin.delete_model

    def test_who_is_no_superuser_sees_only_their_workspace(self, world):
        ids = [str(one) for one in world.ids.values() if len(str(one)) == 36]
        for path in (
            "flows/flow",
            "flows/flowversion",
            "triggers/trigger",
            "runs/run",
            "inbox/usertask",
            "accounts/membership",
            "accounts/team",
            "accounts/apitoken",
            "accounts/workspace",
            "audit/auditevent",
        ):
            own = world.browsers["admin"].get(f"/admin/{path}/").content.decode()
            theirs = world.browsers["other"].get(f"/admin/{path}/").content.decode()
            assert any(one in own for one in ids), path
            assert not [one for one in ids if one in theirs], path
            for word in ("Onboarding", "approver@acme.test", "newcomer"):
                assert word not in theirs, (path, word)

    def test_its_search_finds_nothing_of_another_workspace(self, world):
        for word in ("flow.publish", "Onboarding", "acme", str(world.flow.pk)):
            page = world.browsers["other"].get("/admin/audit/auditevent/", {"q": word})
            assert "flow Onboarding" not in page.content.decode()
            assert "@acme.test" not in page.content.decode()

    def test_a_filter_by_another_workspaces_id_is_no_way_round(self, world):
        page = world.browsers["other"].get(f"/admin/flows/flow/?id__exact={world.flow.pk}")
        assert "Onboarding" not in page.content.decode()


def test_a_refusal_is_counted_in_the_trail_and_a_mistyped_address_is_not(world, monkeypatch):
    from apps.accounts import commands

    noted = []
    monkeypatch.setattr(commands, "note_refusal", lambda **told: noted.append(told["route"]))
    browser = world.browsers["viewer"]
    for path in ("nothing/at/all/", "flow/", "admin.php"):
        assert browser.get(f"/api/v1/{path}").status_code == 404
    assert noted == []
    assert browser.get("/api/v1/audit/").status_code == 403
    assert browser.get(f"/api/v1/runs/{world.ids['hidden']}/").status_code == 404
    assert noted == ["api/v1/audit/", "api/v1/runs/<uuid:run_id>/"]
