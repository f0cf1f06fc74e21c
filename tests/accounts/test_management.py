"""``manage.py issue_token`` and ``first_admin``."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from apps.accounts.models import ApiToken, User
from apps.audit.models import AuditEvent
from tests.support import people

pytestmark = pytest.mark.django_db


def run(name, *arguments, **options):
    out = io.StringIO()
    call_command(name, *arguments, stdout=out, **options)
    return out.getvalue()


class TestIssueToken:
    def test_the_token_is_the_last_word(self, acme, builder):
        value = run("issue_token", "Builder@acme.test").split()[-1]

        answer = Client().get("/api/v1/me/", headers={"Authorization": f"Bearer {value}"})

        assert answer.json()["email"] == "builder@acme.test"
        assert (
            AuditEvent.objects.order_by("-id").values_list("verb", flat=True)[0] == "token.create"
        )

    def test_scopes_days_and_workspace(self, acme, other, builder):
        people.person(other, "viewer", email=builder.email)

        run(
            "issue_token", builder.email, "--scope", "flow.view", "--scope", "run.view",
            "--days", "3", "--workspace", "other",
        )  # fmt: skip

        token = ApiToken.objects.get()
        assert token.scopes == ["flow.view", "run.view"]
        assert token.workspace == other
        assert token.expires_at == token.created_at + timedelta(days=3)

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["nobody@acme.test"], "no account"),
            (["builder@acme.test", "--scope", "fly"], "not a scope"),
            (["builder@acme.test", "--days", "0"], "1 to 730"),
            (["builder@acme.test", "--days", "100000"], "1 to 730"),
            (["builder@acme.test", "--workspace", "other"], "no such workspace"),
        ],
    )
    def test_what_does_not_fit_is_a_sentence(self, acme, builder, arguments, says):
        with pytest.raises(CommandError, match=says):
            run("issue_token", *arguments)
        assert not ApiToken.objects.exists()


class TestFirstAdmin:
    def test_makes_a_workspace_and_its_owner(self, db, monkeypatch):
        monkeypatch.setenv("SIGNALBOX_ADMIN_PASSWORD", people.PASSWORD)

        said = run("first_admin", "Root@example.org")

        user = User.objects.get()
        assert "root@example.org can sign in" in said
        assert user.is_superuser
        actor = people.actor(user)
        assert actor.workspace_slug == "main"
        assert actor.roles == {"admin"}
        answer = Client().post(
            "/sign-in/", {"email": "root@example.org", "password": people.PASSWORD}
        )
        assert answer.status_code == 302

    def test_a_second_time_changes_nothing(self, db, monkeypatch):
        monkeypatch.setenv("SIGNALBOX_ADMIN_PASSWORD", people.PASSWORD)
        run("first_admin", "root@example.org")
        monkeypatch.delenv("SIGNALBOX_ADMIN_PASSWORD")

        run("first_admin", "root@example.org")

        assert User.objects.get().check_password(people.PASSWORD)

    def test_a_weak_password_makes_nobody(self, db, monkeypatch):
        monkeypatch.setenv("SIGNALBOX_ADMIN_PASSWORD", "secret")

        with pytest.raises(CommandError, match="too short"):
            run("first_admin", "root@example.org")

        assert not User.objects.exists()

    def test_no_mail_address_makes_nobody(self, db):
        with pytest.raises(CommandError, match="not a mail address"):
            run("first_admin", "root")


class TestSuperusers:
    def test_administer_every_workspace_without_belonging_to_it(self, acme, other):
        root = User.objects.create_superuser("root@example.org", people.PASSWORD, name="Root")

        actor = people.actor(root, other)

        assert actor.workspace_slug == "other"
        assert actor.roles == {"admin"}
