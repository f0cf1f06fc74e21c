"""security.md, first paragraph: what a program holds, and what may be done with it."""

import json
from datetime import timedelta

import pytest
from django.apps import apps
from django.test import Client

from apps.accounts.models import ApiToken, User
from apps.core import clock
from tests.security.signing_in import NEW, verbs
from tests.support import people
from tests.support.people import PASSWORD

pytestmark = pytest.mark.django_db


class TestTokens:
    def test_bearer_requests_ignore_cookies(self, acme, ann, admin):
        client = people.browser(admin)

        mine = client.get("/api/v1/me/", headers=people.bearer(ann))
        bad = client.get("/api/v1/me/", headers={"Authorization": "Bearer sbx_wrong"})
        empty = client.get("/api/v1/me/", headers={"Authorization": "Bearer"})

        assert mine.json()["email"] == "ann@acme.test"
        assert bad.status_code == empty.status_code == 401
        assert not mine.cookies
        assert client.get("/api/v1/me/").json()["email"] == admin.email

    @pytest.mark.parametrize("path", ["/sign-out/", "/admin/", "/"])
    def test_a_token_opens_the_api_and_no_page(self, acme, path):
        root = User.objects.create_superuser("root@example.org", PASSWORD, name="Root")
        people.person(acme, "admin", email=root.email)

        answer = Client().get(path, headers=people.bearer(root))

        assert answer.status_code == 302
        assert "/sign-in/" in answer["Location"] or "/login/" in answer["Location"]

    def test_a_bearer_write_needs_no_csrf_token(self, ann):
        answer = Client(enforce_csrf_checks=True).patch(
            "/api/v1/me/teams", headers=people.bearer(ann)
        )
        assert answer.status_code == 404
        answer = Client(enforce_csrf_checks=True).post(
            "/api/v1/tokens/",
            {"name": "second"},
            content_type="application/json",
            headers=people.bearer(ann),
        )
        assert answer.status_code == 201

    @pytest.mark.parametrize("name", ["token", "access_token", "api_key", "authorization"])
    def test_never_in_urls(self, ann, name):
        value = people.bearer(ann)["Authorization"].removeprefix("Bearer ")

        assert Client().get(f"/api/v1/me/?{name}={value}").status_code == 401

    def test_stored_hashed(self, ann):
        value = people.bearer(ann)["Authorization"].removeprefix("Bearer ")
        token = ApiToken.objects.get()

        assert value.startswith("sbx_")
        assert value.startswith(token.prefix)
        assert value not in json.dumps({name: str(text) for name, text in vars(token).items()})
        for model in apps.get_models():
            if model._meta.managed and not model._meta.proxy:
                found = [row for row in model._base_manager.values_list() if value in repr(row)]
                assert not found, model

    def test_a_repeat_under_one_key_does_not_show_the_value_again(self, ann):
        client = people.browser(ann)
        first, again = (
            people.send(
                client, "POST", "/api/v1/tokens/", {"name": "ci"}, **{"Idempotency-Key": "k1"}
            )
            for _ in range(2)
        )

        assert first.json()["token"].startswith("sbx_")
        assert again.status_code == 201
        assert again.json()["id"] == first.json()["id"]
        assert "token" not in again.json()
        assert ApiToken.objects.count() == 1

    def test_scopes_limit_rights(self, ann):
        headers = people.bearer(ann, scopes=["flow.view"])
        client = Client()

        assert client.get("/api/v1/members/", headers=headers).status_code == 200
        refused = client.get("/api/v1/secrets/", headers=headers)
        assert refused.status_code == 403
        assert refused.json()["code"] == "out_of_scope"

    def test_a_token_cannot_make_a_wider_one(self, ann):
        headers = people.bearer(ann, scopes=["flow.view"], days=1)
        client = Client()

        def ask(**body):
            return client.post(
                "/api/v1/tokens/",
                {"name": "n", **body},
                content_type="application/json",
                headers=headers,
            ).status_code

        assert ask() == 403
        assert ask(scopes=["flow.view", "flow.edit"]) == 403
        assert ask(scopes=["flow.view"], days=30) == 201
        assert ask(scopes=["flow.view"]) == 201
        assert len(set(ApiToken.objects.values_list("expires_at", flat=True))) == 1

    def test_a_token_cannot_change_the_person(self, ann):
        headers = people.bearer(ann)
        client = Client()

        def ask(path, body):
            return client.post(
                f"/api/v1/{path}", body, content_type="application/json", headers=headers
            ).status_code

        assert ask("me/password/", {"current": PASSWORD, "new": NEW}) == 403
        assert ask("me/sessions/end/", {}) == 403
        assert ask("me/workspace/", {"slug": "acme"}) == 403

    def test_an_expired_one_is_good_for_nothing(self, ann):
        headers = people.bearer(ann, days=1)
        ApiToken.objects.update(expires_at=clock.now() - timedelta(seconds=1))

        assert Client().get("/api/v1/me/", headers=headers).status_code == 401

    def test_revoked_at_once(self, ann):
        headers = people.bearer(ann)
        token = ApiToken.objects.get()
        client = people.browser(ann)

        assert people.send(client, "DELETE", f"/api/v1/tokens/{token.pk}/").status_code == 204

        assert Client().get("/api/v1/me/", headers=headers).status_code == 401
        assert people.send(client, "DELETE", f"/api/v1/tokens/{token.pk}/").status_code == 404
        assert verbs()[-1] == "token.revoke"

    def test_somebody_elses_is_not_there_except_for_who_manages_them(
        self, acme, ann, admin, builder
    ):
        people.bearer(ann)
        token = ApiToken.objects.get()
        path = f"/api/v1/tokens/{token.pk}/"

        assert people.send(people.browser(builder), "DELETE", path).status_code == 404
        assert people.send(people.browser(admin), "DELETE", path).status_code == 204

    def test_last_use_is_noted_at_most_once_a_minute(self, ann):
        headers = people.bearer(ann)
        Client().get("/api/v1/me/", headers=headers)
        first = ApiToken.objects.get().last_used_at

        Client().get("/api/v1/me/", headers=headers)

        assert first is not None
        assert ApiToken.objects.get().last_used_at == first
