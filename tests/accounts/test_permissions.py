"""Rights: the role table, grants on flows, scopes of tokens."""

from dataclasses import replace

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts import commands, permissions, queries
from apps.accounts.actors import Actor
from apps.accounts.commands import GrantSubject
from apps.accounts.models import Team
from apps.core import clock
from apps.core.errors import Forbidden, Invalid, NotFound
from apps.core.models import uuid7
from tests.support import people

pytestmark = pytest.mark.django_db

Flow = apps.get_model("flows.Flow")


def make_flow(workspace, owner, name="Onboarding"):
    now = clock.now()
    return Flow.objects.create(
        workspace=workspace, name=name, owner=owner, created_at=now, updated_at=now
    )


@pytest.fixture
def flow(acme, builder):
    return make_flow(acme, builder)


def grant(admin, flow, subject, *rights):
    commands.grant_flow(
        actor=people.actor(admin), flow_id=flow.pk, subject=subject, rights=rights, now=clock.now()
    )


class TestRoles:
    @pytest.mark.parametrize(
        ("role", "rights"),
        [
            ("viewer", "flow.view request.make run.view task.decide task.view"),
            (
                "builder",
                "event.publish flow.create flow.edit flow.publish flow.run flow.view request.make run.view secrets.manage task.decide task.view",
            ),
            (
                "operator",
                "event.publish flow.archive flow.pause flow.run flow.view request.make run.cancel run.operate run.view task.decide task.view",
            ),
            ("approver", "request.make task.decide task.view"),
            ("auditor", "audit.view export.read flow.view run.view task.view"),
            (
                "admin",
                (
                    "audit.view export.read flow.archive flow.grant flow.pause flow.view hosts.manage metrics.read people.manage"
                    " request.make roles.manage run.view secrets.manage settings.manage task.decide task.view tokens.manage"
                ),
            ),
        ],
    )
    def test_a_role_brings_exactly_these_rights(self, acme, role, rights):
        user = people.person(acme, role)

        assert queries.rights_of(people.actor(user)) == rights.split()

    def test_two_roles_add_up(self, acme):
        actor = people.actor(people.person(acme, "viewer", "auditor"))

        assert permissions.has_right(actor, "audit.view")
        assert permissions.has_right(actor, "task.decide")

    def test_a_misspelt_right_is_a_bug_not_a_refusal(self, admin):
        with pytest.raises(ValueError, match="unknown right"):
            permissions.has_right(people.actor(admin), "flow.veiw")

    def test_the_system_may_everything_in_its_workspace_only(self, acme, other, flow, builder):
        assert permissions.has_right(Actor.system(acme.pk), "flow.publish", flow.pk)
        assert not permissions.has_right(Actor.system(other.pk), "flow.publish", flow.pk)


class TestOneFlow:
    def test_a_role_holds_for_every_flow_of_the_workspace(self, builder, flow):
        permissions.require(people.actor(builder), "flow.publish", flow.pk)

    def test_a_flow_of_another_workspace_is_not_there(self, other, flow):
        stranger = people.actor(people.person(other, "builder", "admin"))

        with pytest.raises(NotFound):
            permissions.require(stranger, "flow.view", flow.pk)

    def test_who_may_not_view_is_told_it_is_not_there(self, approver, flow):
        with pytest.raises(NotFound):
            permissions.require(people.actor(approver), "flow.edit", flow.pk)

    def test_who_may_view_is_told_that_they_may_not(self, acme, flow):
        viewer = people.actor(people.person(acme, "viewer"))

        with pytest.raises(Forbidden):
            permissions.require(viewer, "flow.edit", flow.pk)

    @pytest.mark.parametrize(
        ("granted", "gains"),
        [
            ("view", {"flow.view", "run.view"}),
            ("edit", {"flow.view", "run.view", "flow.edit"}),
            ("publish", {"flow.view", "run.view", "flow.publish"}),
            ("run", {"flow.view", "run.view", "flow.run", "run.cancel"}),
        ],
    )
    def test_a_grant_to_a_person_adds_its_rights(self, admin, approver, flow, granted, gains):
        before = permissions.rights_on_flows(people.actor(approver), [flow.pk])[flow.pk]

        grant(admin, flow, GrantSubject("user", approver.pk), granted)

        after = permissions.rights_on_flows(people.actor(approver), [flow.pk])[flow.pk]
        assert after - before == gains
        for right in gains:
            assert permissions.has_right(people.actor(approver), right, flow.pk)

    def test_a_grant_to_a_team_reaches_its_people(self, acme, admin, approver, flow):
        team = commands.create_team(
            actor=people.actor(admin), slug="finance", name="Finance", now=clock.now()
        )
        approver.groups.add(team.group)

        grant(admin, flow, GrantSubject("team", team.pk), "edit")

        assert permissions.has_right(people.actor(approver), "flow.edit", flow.pk)

    def test_a_grant_to_a_role_reaches_its_people(self, acme, admin, approver, flow):
        role = Team.objects.get(workspace=acme, slug="approver")

        grant(admin, flow, GrantSubject("team", role.pk), "view")

        assert permissions.has_right(people.actor(approver), "run.view", flow.pk)

    def test_a_grant_taken_away_is_gone(self, admin, approver, flow):
        grant(admin, flow, GrantSubject("user", approver.pk), "view")
        grant(admin, flow, GrantSubject("user", approver.pk))

        assert not permissions.has_right(people.actor(approver), "flow.view", flow.pk)

    def test_only_an_administrator_grants(self, builder, approver, flow):
        with pytest.raises(Forbidden):
            grant(builder, flow, GrantSubject("user", approver.pk), "view")

    def test_a_stranger_cannot_be_granted_anything(self, other, admin, flow):
        stranger = people.person(other, "builder")

        with pytest.raises(NotFound):
            grant(admin, flow, GrantSubject("user", stranger.pk), "view")

    def test_a_right_that_cannot_be_granted_is_refused(self, admin, approver, flow):
        with pytest.raises(Invalid, match="cannot be granted"):
            grant(admin, flow, GrantSubject("user", approver.pk), "archive")


class TestManyFlows:
    def test_a_role_sees_the_whole_workspace_and_no_other(self, acme, other, builder, flow):
        make_flow(other, people.person(other, "builder"))

        found = Flow.objects.filter(permissions.flows_with(people.actor(builder), "flow.view"))

        assert [one.pk for one in found] == [flow.pk]

    def test_without_the_role_only_what_was_granted(self, acme, admin, builder, approver, flow):
        granted = make_flow(acme, builder, "Granted")
        grant(admin, granted, GrantSubject("user", approver.pk), "run")

        found = Flow.objects.filter(permissions.flows_with(people.actor(approver), "flow.run"))

        assert [one.pk for one in found] == [granted.pk]

    def test_a_grant_does_not_reach_into_another_workspace(self, acme, other, admin, flow):
        both = people.person(acme, "approver", email="both@acme.test")
        people.person(other, "approver", email="both@acme.test")
        grant(admin, flow, GrantSubject("user", both.pk), "view")

        there = people.actor(both, other)

        assert not Flow.objects.filter(permissions.flows_with(there, "flow.view")).exists()

    def test_nothing_granted_is_nothing(self, approver, flow):
        assert not Flow.objects.filter(
            permissions.flows_with(people.actor(approver), "flow.view")
        ).exists()

    def test_it_is_one_query(self, admin, approver, flow):
        grant(admin, flow, GrantSubject("user", approver.pk), "view")
        actor = people.actor(approver)

        with CaptureQueriesContext(connection) as asked:
            list(Flow.objects.filter(permissions.flows_with(actor, "flow.view")))

        assert len(asked) == 1

    def test_rights_of_a_list_cost_two_queries_and_a_union_at_most(self, acme, builder, approver):
        flows = [make_flow(acme, builder, f"Flow {n}") for n in range(5)]
        actor = people.actor(approver)

        with CaptureQueriesContext(connection) as asked:
            rights = permissions.rights_on_flows(actor, [one.pk for one in flows])

        assert len(asked) == 2
        assert set(rights) == {one.pk for one in flows}


class TestScopes:
    def test_a_token_may_only_what_its_scopes_name(self, builder, flow):
        token = replace(people.actor(builder), kind="token", scopes=frozenset({"flow.view"}))

        assert permissions.has_right(token, "flow.view", flow.pk)
        assert not permissions.has_right(token, "flow.edit", flow.pk)
        with pytest.raises(permissions.OutOfScope):
            permissions.require(token, "flow.edit", flow.pk)
        assert permissions.rights_on_flows(token, [flow.pk])[flow.pk] == {"flow.view"}

    def test_a_scope_adds_nothing_to_the_person(self, approver, flow):
        token = replace(people.actor(approver), kind="token", scopes=frozenset({"flow.edit"}))

        assert not permissions.has_right(token, "flow.edit", flow.pk)

    def test_out_of_scope_lists_are_empty(self, builder, flow):
        token = replace(people.actor(builder), kind="token", scopes=frozenset({"run.view"}))

        assert not Flow.objects.filter(permissions.flows_with(token, "flow.view")).exists()


def test_a_flow_that_is_not_there_is_not_found(builder):
    with pytest.raises(NotFound):
        permissions.require(people.actor(builder), "flow.view", uuid7())


def test_who_sees_a_flow_by_a_grant_alone_is_offered_the_lists(admin, approver, flow):
    assert "flow.view" not in queries.rights_of(people.actor(approver))
    grant(admin, flow, GrantSubject("user", approver.pk), "view")
    assert {"flow.view", "run.view"} <= set(queries.rights_of(people.actor(approver)))
