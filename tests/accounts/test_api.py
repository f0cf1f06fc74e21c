"""The API about people."""

import pytest
from django.apps import apps
from django.test import Client

from apps.accounts import commands, queries
from apps.accounts.models import Membership, Team
from apps.audit.models import AuditCounter, AuditEvent
from apps.core import clock
from apps.core.models import uuid7
from tests.support import people
from tests.support.people import send

pytestmark = pytest.mark.django_db


def last_verb():
    return AuditEvent.objects.order_by("-id").values_list("verb", flat=True).first()


def member_of(user, workspace):
    return Membership.objects.get(user=user, workspace=workspace)


@pytest.fixture
def at(admin):
    return people.browser(admin)


class TestMe:
    def test_says_who_where_and_what(self, acme, other, builder):
        people.person(other, "viewer", email=builder.email)

        me = people.browser(builder).get("/api/v1/me/").json()

        assert me == {
            "id": str(builder.pk),
            "email": "builder@acme.test",
            "name": "Builder",
            "theme": "system",
            "language": "",
            "zone": "",
            "workspace": {"id": str(acme.pk), "slug": "acme", "name": "Acme", "zone": "UTC"},
            "workspaces": [{"slug": "acme", "name": "Acme"}, {"slug": "other", "name": "Other"}],
            "roles": ["builder"],
            "teams": [],
            "rights": queries.rights_of(people.actor(builder)),
            "needs": queries.needs_of(queries.rights_of(people.actor(builder))),
            "admins": [],
            "embedded": True,
        }

    def test_names_what_is_lacking_and_whom_to_ask(self, acme, builder, admin):
        me = people.browser(builder).get("/api/v1/me/").json()

        assert me["needs"]["audit.view"] == ["admin", "auditor"]
        assert not me["needs"].keys() & set(me["rights"])
        assert me["admins"] == [admin.get_full_name()]

    def test_a_stranger_is_asked_to_sign_in(self, db):
        answer = Client().get("/api/v1/me/")

        assert answer.status_code == 401
        assert answer["Content-Type"] == "application/problem+json"
        assert answer["WWW-Authenticate"] == "Bearer"

    def test_name_theme_and_zone_can_be_changed(self, builder):
        client = people.browser(builder)

        answer = send(
            client, "PATCH", "/api/v1/me/", {"name": "Bo", "theme": "dark", "zone": "Europe/Berlin"}
        )

        assert answer.status_code == 200
        me = client.get("/api/v1/me/").json()
        assert (me["name"], me["theme"], me["zone"]) == ("Bo", "dark", "Europe/Berlin")
        assert last_verb() == "settings.change"

    @pytest.mark.parametrize(
        "body",
        [
            {"theme": "pink"},
            {"language": "xx"},
            {"language": "DE"},
            {"zone": "Mars/Olympus"},
            {"zone": "../../etc/passwd"},
            {"name": ""},
            {"name": "a\nb"},
            {"name": "x" * 151},
            {"name": ["a"]},
        ],
    )
    def test_what_does_not_fit_is_refused_with_a_sentence(self, builder, body):
        answer = send(people.browser(builder), "PATCH", "/api/v1/me/", body)

        assert answer.status_code == 422
        assert answer.json()["detail"]

    def test_one_can_turn_to_another_workspace_and_stays_there(self, acme, other, builder):
        people.person(other, "auditor", email=builder.email)
        client = people.browser(builder)

        assert send(client, "POST", "/api/v1/me/workspace/", {"slug": "other"}).status_code == 204

        me = client.get("/api/v1/me/").json()
        assert (me["workspace"]["slug"], me["roles"]) == ("other", ["auditor"])

    def test_but_not_to_one_where_one_does_not_belong(self, acme, other, builder):
        client = people.browser(builder)

        assert send(client, "POST", "/api/v1/me/workspace/", {"slug": "other"}).status_code == 404
        assert client.get("/api/v1/me/").json()["workspace"]["slug"] == "acme"

    def test_whose_membership_of_that_workspace_ends_falls_back_to_another(
        self, acme, other, builder
    ):
        people.person(other, "auditor", email=builder.email)
        client = people.browser(builder)
        send(client, "POST", "/api/v1/me/workspace/", {"slug": "other"})
        Membership.objects.filter(user=builder, workspace=other).update(is_active=False)

        assert client.get("/api/v1/me/").json()["workspace"]["slug"] == "acme"

    def test_knowing_who_asks_costs_three_queries(self, builder, django_assert_num_queries):
        client = people.browser(builder)
        client.get("/api/v1/me/")

        # session, user, membership with roles and teams; then the answer's own three
        with django_assert_num_queries(6):
            client.get("/api/v1/me/")


class TestMembers:
    def test_lists_people_with_roles_and_teams(self, acme, at, builder):
        rows = at.get("/api/v1/members/").json()["results"]

        row = next(row for row in rows if row["email"] == "builder@acme.test")
        assert (row["roles"], row["teams"], row["is_active"]) == (["builder"], [], True)
        assert row["last_sign_in_at"] is None
        assert len(rows) == 2

    def test_it_is_as_many_queries_however_many_there_are(
        self, acme, admin, django_assert_max_num_queries
    ):
        """Who asks takes three; then people, roles and teams, places, and who leads them."""
        for n in range(10):
            people.person(acme, "viewer", email=f"v{n}@acme.test")
        client = people.browser(admin)
        with django_assert_max_num_queries(7):
            assert len(client.get("/api/v1/members/").json()["results"]) == 11

    def test_pages_go_on_by_cursor(self, acme, at, builder):
        first = at.get("/api/v1/members/?limit=1").json()
        second = at.get(first["next"]).json()

        assert len(first["results"]) == len(second["results"]) == 1
        assert first["results"] != second["results"]

    def test_roles_and_teams_are_set_together_and_audited(self, acme, at, admin, builder):
        send(at, "POST", "/api/v1/teams/", {"slug": "finance", "name": "Finance"})
        member = member_of(builder, acme)

        answer = send(
            at,
            "PATCH",
            f"/api/v1/members/{member.pk}/",
            {"roles": ["viewer", "approver"], "teams": ["finance"], "reason": "moved"},
        )

        assert answer.status_code == 200
        assert answer.json()["roles"] == ["approver", "viewer"]
        assert answer.json()["teams"] == ["finance"]
        actor = people.actor(builder)
        assert actor.roles == {"viewer", "approver"}
        assert actor.team_slugs == {"finance"}
        assert last_verb() == "member.change"

    def test_a_change_that_changes_nothing_leaves_no_row(self, acme, at, builder):
        member = member_of(builder, acme)
        before = AuditEvent.objects.count()

        send(at, "PATCH", f"/api/v1/members/{member.pk}/", {"roles": ["builder"]})

        assert AuditEvent.objects.count() == before

    @pytest.mark.parametrize("body", [{"roles": ["king"]}, {"teams": ["ghosts"]}, {"roles": "x"}])
    def test_unknown_roles_and_teams_are_refused(self, acme, at, builder, body):
        answer = send(at, "PATCH", f"/api/v1/members/{member_of(builder, acme).pk}/", body)

        assert answer.status_code == 422
        assert people.actor(builder).roles == {"builder"}

    def test_a_role_is_not_a_team(self, acme, at, builder):
        answer = send(
            at, "PATCH", f"/api/v1/members/{member_of(builder, acme).pk}/", {"teams": ["admin"]}
        )

        assert answer.status_code == 422

    @pytest.mark.parametrize("role", ["viewer", "builder", "operator", "approver", "auditor"])
    def test_only_administrators_change_people(self, acme, builder, role):
        client = people.browser(people.person(acme, role, email="x@acme.test"))
        member = member_of(builder, acme)

        for method, path, body in [
            ("PATCH", f"members/{member.pk}/", {"roles": ["admin"]}),
            ("POST", "invitations/", {"email": "y@acme.test", "roles": ["viewer"]}),
            ("POST", "teams/", {"slug": "finance", "name": "Finance"}),
        ]:
            assert send(client, method, f"/api/v1/{path}", body).status_code == 403
        assert client.get("/api/v1/invitations/").status_code == 403

    def test_a_stranger_gets_404(self, acme, other, builder, at):
        client = people.browser(people.person(other, "admin", email="boss@other.test"))
        team = send(at, "POST", "/api/v1/teams/", {"slug": "finance", "name": "Finance"}).json()
        invited = send(
            at, "POST", "/api/v1/invitations/", {"email": "y@acme.test", "roles": ["viewer"]}
        ).json()
        people.bearer(builder)
        token = apps.get_model("accounts.ApiToken").objects.get()

        for method, path, body in [
            ("PATCH", f"members/{member_of(builder, acme).pk}/", {"roles": ["admin"]}),
            ("PATCH", f"teams/{team['id']}/", {"name": "Mine"}),
            ("DELETE", f"teams/{team['id']}/", None),
            ("DELETE", f"invitations/{invited['id']}/", None),
            ("DELETE", f"tokens/{token.pk}/", None),
        ]:
            assert send(client, method, f"/api/v1/{path}", body).status_code == 404, path
        rows = client.get("/api/v1/members/").json()["results"]
        assert [row["email"] for row in rows] == ["boss@other.test"]


class TestTeams:
    def test_make_rename_and_remove(self, acme, at, builder):
        made = send(at, "POST", "/api/v1/teams/", {"slug": "finance", "name": "Finance"})
        assert made.status_code == 201
        assert last_verb() == "group.create"
        path = f"/api/v1/teams/{made.json()['id']}/"

        assert send(at, "PATCH", path, {"name": "Money"}).json()["name"] == "Money"
        assert last_verb() == "group.change"
        assert send(at, "DELETE", path).status_code == 204
        assert last_verb() == "group.delete"
        assert not Team.objects.filter(slug="finance").exists()

    def test_the_list_has_roles_and_teams(self, acme, at):
        send(at, "POST", "/api/v1/teams/", {"slug": "finance", "name": "Finance"})

        rows = at.get("/api/v1/teams/").json()["results"]

        assert {row["slug"] for row in rows if row["kind"] == "role"} == set(people.ROLES)
        assert {row["slug"] for row in rows if row["kind"] == "team"} == {"finance"}

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"slug": "admin", "name": "A"}, "slug_taken"),
            ({"slug": "Fi nance", "name": "A"}, "invalid"),
            ({"slug": "fin\nance", "name": "A"}, "invalid"),
            ({"slug": "-x", "name": "A"}, "invalid"),
            ({"slug": "x", "name": " "}, "invalid"),
            ({"slug": "x", "name": "a\rb"}, "bad_name"),
            ({"name": "A"}, "invalid"),
        ],
    )
    def test_bad_ones_are_refused(self, acme, at, body, code):
        answer = send(at, "POST", "/api/v1/teams/", body)

        assert answer.status_code in {409, 422}
        assert answer.json()["code"] == code

    def test_a_role_cannot_be_renamed_or_removed(self, acme, at):
        role = Team.objects.get(workspace=acme, slug="viewer")

        assert send(at, "PATCH", f"/api/v1/teams/{role.pk}/", {"name": "X"}).status_code == 409
        assert send(at, "DELETE", f"/api/v1/teams/{role.pk}/").status_code == 409

    def test_a_repeat_under_one_key_is_one_team(self, acme, at):
        body = {"slug": "finance", "name": "Finance"}
        first, again = (
            send(at, "POST", "/api/v1/teams/", body, **{"Idempotency-Key": "k"}) for _ in range(2)
        )

        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json() == again.json()

    def test_two_workspaces_may_have_teams_of_one_name(self, acme, other, at):
        there = people.browser(people.person(other, "admin", email="boss@other.test"))
        body = {"slug": "finance", "name": "Finance"}

        assert send(at, "POST", "/api/v1/teams/", body).status_code == 201
        assert send(there, "POST", "/api/v1/teams/", body).status_code == 201


class TestPeopleIn:
    def test_finds_by_address_and_team_each_once(self, acme, admin, builder, approver):
        team = commands.create_team(
            actor=people.actor(admin), slug="finance", name="Finance", now=clock.now()
        )
        approver.groups.add(team.group)

        found = queries.people_in(
            acme.pk, users=["Approver@Acme.test", "builder@acme.test"], teams=["finance"]
        )

        assert [user.email for user in found] == ["approver@acme.test", "builder@acme.test"]

    def test_a_role_may_stand_for_its_people(self, acme, admin, approver):
        assert queries.people_in(acme.pk, teams=["approver"]) == [approver]

    def test_leaves_out_the_inactive_the_strangers_and_pure_auditors(self, acme, other, admin):
        gone = people.person(acme, "approver", email="gone@acme.test")
        Membership.objects.filter(user=gone).update(is_active=False)
        shut = people.person(acme, "approver", email="shut@acme.test")
        shut.is_active = False
        shut.save()
        people.person(acme, "auditor", email="only@acme.test")
        people.person(other, "approver", email="far@other.test")

        emails = ["gone@acme.test", "shut@acme.test", "only@acme.test", "far@other.test"]

        assert queries.people_in(acme.pk, users=emails, teams=["approver", "auditor"]) == []


class TestGrantsOverTheApi:
    @pytest.fixture
    def flow(self, acme, builder):
        now = clock.now()
        return apps.get_model("flows.Flow").objects.create(
            workspace=acme, name="Onboarding", owner=builder, created_at=now, updated_at=now
        )

    def test_put_sets_all_and_get_shows_them(self, acme, at, approver, flow):
        role = Team.objects.get(workspace=acme, slug="viewer")
        path = f"/api/v1/flows/{flow.pk}/grants/"
        wanted = [
            {"subject": {"kind": "user", "id": str(approver.pk)}, "rights": ["view", "run"]},
            {"subject": {"kind": "team", "id": str(role.pk)}, "rights": ["edit"]},
        ]

        answer = send(at, "PUT", path, {"grants": wanted})

        assert answer.status_code == 200
        assert [row["rights"] for row in answer.json()["grants"]] == [["view", "run"], ["edit"]]
        assert at.get(path).json() == answer.json()
        assert last_verb() == "flow.grant"
        send(at, "PUT", path, {"grants": wanted[1:]})
        assert [row["subject"]["kind"] for row in at.get(path).json()["grants"]] == ["team"]

    def test_only_administrators_put(self, builder, approver, flow):
        answer = send(
            people.browser(builder), "PUT", f"/api/v1/flows/{flow.pk}/grants/", {"grants": []}
        )
        assert answer.status_code == 403
        answer = people.browser(approver).get(f"/api/v1/flows/{flow.pk}/grants/")
        assert answer.status_code == 404

    @pytest.mark.parametrize(
        "grants",
        [
            [{"subject": {"kind": "robot", "id": str(uuid7())}, "rights": ["view"]}],
            [{"subject": {"kind": "user", "id": "x"}, "rights": ["view"]}],
            [{"subject": {"kind": "user", "id": str(uuid7())}, "rights": ["own"]}],
            [{"rights": ["view"]}],
            "all",
        ],
    )
    def test_bad_ones_are_refused(self, at, flow, grants):
        answer = send(at, "PUT", f"/api/v1/flows/{flow.pk}/grants/", {"grants": grants})

        assert answer.status_code == 422

    def test_an_unknown_person_is_not_found(self, at, flow):
        grants = [{"subject": {"kind": "user", "id": str(uuid7())}, "rights": ["view"]}]

        answer = send(at, "PUT", f"/api/v1/flows/{flow.pk}/grants/", {"grants": grants})

        assert answer.status_code == 404


class TestRefusalsAreCounted:
    def denied(self):
        return {
            key: count
            for key, count in AuditCounter.objects.values_list("key", "count")
            if key.startswith("access.denied")
        }

    def test_one_row_per_address_caller_and_minute(self, acme, builder):
        client = people.browser(builder)
        for _ in range(3):
            client.get("/api/v1/invitations/")

        assert list(self.denied().values()) == [3]

    def test_a_bad_token_counts_a_missing_one_does_not(self, db):
        Client().get("/api/v1/me/")
        assert not self.denied()

        Client().get("/api/v1/me/", headers={"Authorization": "Bearer sbx_wrong"})
        assert list(self.denied().values()) == [1]

    def test_a_page_that_is_not_there_is_no_refusal(self, builder):
        people.browser(builder).get("/static/nowhere")
        assert not self.denied()
