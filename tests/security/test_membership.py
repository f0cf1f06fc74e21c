"""security.md, the paragraph about people: who comes in, and who must stay."""

from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client

from apps.accounts import commands, queries
from apps.accounts.models import Invitation, Membership, User
from apps.core import clock, outbox
from tests.security.signing_in import NEW, link_in_mail, verbs
from tests.support import people
from tests.support.people import PASSWORD

pytestmark = pytest.mark.django_db


class TestInvitations:
    def invite(self, admin, email="new@acme.test", roles=("viewer",)):
        answer = people.send(
            people.browser(admin),
            "POST",
            "/api/v1/invitations/",
            {"email": email, "roles": list(roles)},
        )
        outbox.relay()
        return answer

    def join(self, link, name="Neo", password=PASSWORD):
        client = Client()
        return client, client.post(link, {"name": name, "password": password})

    def test_invitations_by_mail(self, acme, admin):
        assert self.invite(admin, roles=("viewer", "approver")).status_code == 201
        assert mail.outbox[-1].to == ["new@acme.test"]
        page = Client().get(link_in_mail())
        assert "Join Acme" in page.content.decode()

        client, joined = self.join(link_in_mail())

        assert joined.status_code == 302
        me = client.get("/api/v1/me/").json()
        assert (me["email"], me["name"], me["roles"]) == (
            "new@acme.test",
            "Neo",
            ["approver", "viewer"],
        )
        assert {"member.invite", "member.join", "sign_in.success"} <= set(verbs())

    def test_single_use(self, acme, admin):
        self.invite(admin)
        link = link_in_mail()
        self.join(link)

        assert Client().get(link).status_code == 404
        _client, again = self.join(link, name="Second")
        assert again.status_code == 404
        assert User.objects.get(email="new@acme.test").name == "Neo"

    def test_seven_days(self, acme, admin):
        self.invite(admin)
        row = Invitation.objects.get()
        assert row.expires_at - row.created_at == timedelta(days=7)
        Invitation.objects.update(expires_at=clock.now() - timedelta(seconds=1))

        assert self.join(link_in_mail())[1].status_code == 404

    def test_taken_back(self, acme, admin):
        made = self.invite(admin).json()

        answer = people.send(people.browser(admin), "DELETE", f"/api/v1/invitations/{made['id']}/")

        assert answer.status_code == 204
        assert self.join(link_in_mail())[1].status_code == 404

    def test_a_new_one_ends_the_earlier(self, acme, admin):
        self.invite(admin)
        first = link_in_mail()
        self.invite(admin)

        assert Client().get(first).status_code == 404
        assert Client().get(link_in_mail()).status_code == 200

    def test_its_value_is_stored_nowhere(self, acme, admin):
        self.invite(admin)
        value = link_in_mail().rstrip("/").rpartition("/")[2]

        assert Invitation.objects.get().token_hash == queries.token_hash(value)

    def test_the_link_alone_takes_over_no_account(self, acme, other, admin, ann):
        elsewhere = people.person(other, "viewer", email="eve@other.test", password=PASSWORD)
        self.invite(admin, email=elsewhere.email)
        link = link_in_mail()

        stranger = Client().post(link, {"name": "Mallory", "password": NEW})
        wrong = people.browser(ann).post(link, HTTP_X_CSRFTOKEN="x")

        assert "Sign in with it to join" in stranger.content.decode()
        assert wrong.status_code == 403
        assert not Membership.objects.filter(workspace=acme, user=elsewhere).exists()
        client = Client()
        client.force_login(elsewhere)
        assert client.post(link).status_code == 302
        assert client.get("/api/v1/me/").json()["workspace"]["slug"] == "acme"

    def test_who_left_comes_back_with_the_new_roles_only(self, acme, admin, ann):
        membership = Membership.objects.get(user=ann)
        commands.change_member(
            actor=people.actor(admin), membership_id=membership.pk, is_active=False, now=clock.now()
        )
        self.invite(admin, email=ann.email)

        client, joined = self.join(link_in_mail(), name="Ann", password=NEW)

        assert joined.status_code == 302
        assert client.get("/api/v1/me/").json()["roles"] == ["viewer"]

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"email": "no address", "roles": ["viewer"]}, "invalid"),
            ({"email": "a@b.test\nBcc: c@d.test", "roles": ["viewer"]}, "invalid"),
            ({"email": "a@b.test", "roles": ["emperor"]}, "invalid"),
            ({"email": "a@b.test", "roles": []}, "invalid"),
            ({"email": "admin@acme.test", "roles": ["viewer"]}, "already_member"),
            ({"roles": ["viewer"]}, "invalid"),
        ],
    )
    def test_bad_ones_are_refused(self, acme, admin, body, code):
        answer = people.send(people.browser(admin), "POST", "/api/v1/invitations/", body)

        assert answer.status_code in {409, 422}
        assert answer.json()["code"] == code

    def test_line_breaks_in_mail_headers_are_refused_or_flattened(self, acme, admin):
        acme.name = "Acme\nBcc: everybody@example.com"
        acme.save()
        self.invite(admin)

        assert mail.outbox[-1].subject == "Invitation to Acme Bcc: everybody@example.com"
        assert "\nBcc: e" not in str(mail.outbox[-1].message().as_string().partition("\n\n")[0])

    def test_markup_in_names_is_shown_as_text(self, acme, admin):
        acme.name = "<script>alert(1)</script>"
        acme.save()
        self.invite(admin)

        page = Client().get(link_in_mail()).content.decode()

        assert "<script>" not in page
        assert "&lt;script&gt;" in page


class TestAdministrators:
    @pytest.mark.parametrize("change", [{"roles": ["viewer"]}, {"is_active": False}, {"roles": []}])
    def test_the_last_administrator_cannot_be_removed(self, acme, admin, change):
        member = Membership.objects.get(user=admin)

        answer = people.send(
            people.browser(admin), "PATCH", f"/api/v1/members/{member.pk}/", change
        )

        assert answer.status_code == 409
        assert answer.json()["code"] == "last_administrator"
        assert "admin" in people.actor(admin).roles

    def test_one_of_two_can(self, acme, admin):
        second = people.person(acme, "admin", email="second@acme.test")
        member = Membership.objects.get(user=second)

        answer = people.send(
            people.browser(admin), "PATCH", f"/api/v1/members/{member.pk}/", {"is_active": False}
        )

        assert answer.status_code == 200
        assert answer.json()["is_active"] is False

    def test_a_deactivated_administrator_is_none(self, acme, admin):
        second = people.person(acme, "admin", email="second@acme.test")
        Membership.objects.filter(user=second).update(is_active=False)
        member = Membership.objects.get(user=admin)

        answer = people.send(
            people.browser(admin), "PATCH", f"/api/v1/members/{member.pk}/", {"roles": ["viewer"]}
        )

        assert answer.status_code == 409

    @pytest.mark.parametrize("path", ["/sign-up/", "/signup/", "/accounts/signup/", "/register/"])
    def test_no_open_sign_up(self, db, path):
        answer = Client().post(path, {"email": "x@y.test", "password": PASSWORD})

        assert answer.status_code in {302, 404, 405}
        assert not User.objects.exists()
