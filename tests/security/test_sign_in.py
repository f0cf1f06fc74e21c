"""security.md, first paragraph and the one about people: a test per sentence."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core import mail
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from apps.accounts import commands, queries, throttle
from apps.accounts.hashers import Argon2id
from apps.accounts.models import (
    ApiToken,
    Invitation,
    Membership,
    PasswordReset,
    Session,
    Throttle,
    User,
)
from apps.audit.models import AuditCounter, AuditEvent
from apps.core import clock, live, outbox
from apps.core.models import Outbox, uuid7
from tests.support import people
from tests.support.people import PASSWORD

pytestmark = pytest.mark.django_db

NEW = "eleven other green lamps"


@pytest.fixture
def ann(acme):
    return people.person(acme, "builder", email="ann@acme.test", password=PASSWORD)


def sign_in(client, email="ann@acme.test", password=PASSWORD, **more):
    return client.post("/sign-in/", {"email": email, "password": password, **more})


def verbs():
    return list(AuditEvent.objects.order_by("id").values_list("verb", flat=True))


def counted():
    return dict(AuditCounter.objects.values_list("key", "count"))


def session_of(client):
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def link_in_mail():
    text = str(mail.outbox[-1].body)
    [line] = [line for line in text.splitlines() if line.startswith("http")]
    return line.removeprefix(settings.PUBLIC_URL)


@pytest.fixture
def told(monkeypatch):
    """Channel groups that were told something after commit."""
    groups = []
    monkeypatch.setattr(live, "_put", lambda group, *_: groups.append(group))
    return groups


class TestPasswords:
    def test_argon2id(self, ann):
        assert ann.password.startswith("argon2$argon2id$v=19$m=47104,t=2,p=1$")

    def test_a_password_made_with_other_settings_is_renewed_at_sign_in(self, ann, monkeypatch):
        monkeypatch.setattr(Argon2id, "time_cost", 1)
        ann.set_password(PASSWORD)
        ann.save()
        monkeypatch.undo()

        assert sign_in(Client()).status_code == 302

        ann.refresh_from_db()
        assert "t=2" in ann.password

    @pytest.mark.parametrize("weak", ["short", "password1234", "ann@acme.test"])
    def test_a_password_that_can_be_guessed_is_refused(self, ann, weak):
        client = people.browser(ann)

        answer = people.send(
            client, "POST", "/api/v1/me/password/", {"current": PASSWORD, "new": weak}
        )

        assert answer.status_code == 422
        assert answer.json()["code"] == "weak_password"
        assert answer.json()["reasons"]


class TestSessions:
    def test_the_session_id_changes_at_sign_in(self, ann):
        client = Client()
        before = client.session
        before["something"] = 1
        before.save()
        key = str(before.session_key)
        client.cookies[settings.SESSION_COOKIE_NAME] = key

        sign_in(client)

        assert session_of(client) != key
        assert not client.session.exists(key)

    def test_the_table_holds_no_value_that_a_cookie_could_be_made_of(self, ann):
        client = Client()
        sign_in(client)

        assert not Session.objects.filter(session_key=session_of(client)).exists()
        assert Session.objects.filter(user=ann).count() == 1

    def test_it_ends_at_sign_out_its_socket_too(
        self, ann, told, django_capture_on_commit_callbacks
    ):
        client = Client()
        sign_in(client)
        key = session_of(client)
        with django_capture_on_commit_callbacks(execute=True):
            assert client.post("/sign-out/").status_code == 302

        assert queries.actor_of_session(key) is None
        assert f"user.{ann.pk}" in told
        assert "sign_out" in verbs()

    def test_a_get_signs_nobody_out(self, ann):
        client = people.browser(ann)

        assert client.get("/sign-out/").status_code == 200
        assert client.get("/api/v1/me/").status_code == 200

    def test_the_others_end_at_password_change_their_sockets_too(
        self, ann, told, django_capture_on_commit_callbacks
    ):
        here, elsewhere = people.browser(ann), people.browser(ann)
        key = session_of(here)

        with django_capture_on_commit_callbacks(execute=True):
            answer = people.send(
                here, "POST", "/api/v1/me/password/", {"current": PASSWORD, "new": NEW}
            )

        assert answer.status_code == 204
        assert elsewhere.get("/api/v1/me/").status_code == 401
        assert here.get("/api/v1/me/").status_code == 200
        assert session_of(here) != key
        assert queries.actor_of_session(key) is None
        assert queries.actor_of_session(session_of(here)) is not None
        assert told == [f"user.{ann.pk}"]
        assert "password.change" in verbs()

    def test_a_wrong_current_password_changes_nothing_and_is_throttled(self, ann):
        client = people.browser(ann)
        wrong = {"current": "not it", "new": NEW}

        statuses = [
            people.send(client, "POST", "/api/v1/me/password/", wrong).status_code
            for _ in range(11)
        ]

        assert statuses == [403] * 10 + [429]
        ann.refresh_from_db()
        assert ann.check_password(PASSWORD)

    def test_deactivation_ends_sessions_tokens_and_sockets_at_once(
        self, acme, ann, admin, told, django_capture_on_commit_callbacks
    ):
        client, headers = people.browser(ann), people.bearer(ann)
        key = session_of(client)
        membership = Membership.objects.get(user=ann)

        with django_capture_on_commit_callbacks(execute=True):
            commands.change_member(
                actor=people.actor(admin),
                membership_id=membership.pk,
                is_active=False,
                reason="left",
                now=clock.now(),
            )

        assert client.get("/api/v1/me/").status_code == 401
        assert Client().get("/api/v1/me/", headers=headers).status_code == 401
        assert queries.actor_of_session(key) is None
        assert f"user.{ann.pk}" in told
        assert sign_in(Client()).status_code == 422
        assert "member.deactivate" in verbs()

    def test_a_session_not_used_for_half_a_day_is_over(self, ann):
        client = people.browser(ann)
        Session.objects.update(last_seen_at=timezone.now() - timedelta(hours=13))

        assert client.get("/api/v1/me/").status_code == 401

    def test_use_does_not_move_the_end_of_a_session(self, ann):
        client = people.browser(ann)
        end = Session.objects.get(user=ann).expire_date

        people.send(client, "POST", "/api/v1/me/workspace/", {"slug": "acme"})

        assert Session.objects.get(user=ann).expire_date == end

    def test_last_use_is_written_at_most_once_a_minute(self, ann, django_assert_num_queries):
        client = people.browser(ann)
        Session.objects.update(last_seen_at=timezone.now() - timedelta(minutes=2))
        client.get("/api/v1/me/")
        seen = Session.objects.get(user=ann).last_seen_at

        client.get("/api/v1/me/")

        assert timezone.now() - seen < timedelta(minutes=1)
        assert Session.objects.get(user=ann).last_seen_at == seen

    def test_one_of_them_can_be_ended_and_all_others(self, ann):
        here, phone, old = (people.browser(ann) for _ in range(3))
        rows = here.get("/api/v1/me/sessions/").json()["results"]
        assert [row["current"] for row in rows].count(True) == 1
        phone_id = str(Session.objects.get(session_key=_hash(session_of(phone))).id)

        one = people.send(here, "POST", "/api/v1/me/sessions/end/", {"id": phone_id})
        assert one.status_code == 204
        assert phone.get("/api/v1/me/").status_code == 401
        assert old.get("/api/v1/me/").status_code == 200

        people.send(here, "POST", "/api/v1/me/sessions/end/", {})
        assert old.get("/api/v1/me/").status_code == 401
        assert here.get("/api/v1/me/").status_code == 200

    def test_somebody_elses_cannot_be_ended(self, ann, admin):
        theirs = people.browser(ann)
        row = Session.objects.get(user=ann)

        answer = people.send(
            people.browser(admin), "POST", "/api/v1/me/sessions/end/", {"id": str(row.id)}
        )

        assert answer.status_code == 404
        assert theirs.get("/api/v1/me/").status_code == 200

    def test_the_row_says_where_from(self, ann):
        client = Client(headers={"User-Agent": "Firefox/<b>\n"}, REMOTE_ADDR="198.51.100.7")
        sign_in(client)

        row = Session.objects.get(user=ann)
        assert (row.ip, row.user_agent[:8]) == ("198.51.100.7", "Firefox/")


def _hash(key):
    from apps.accounts.sessions import hashed

    return hashed(key)


class TestCookies:
    def test_http_only_and_same_site_lax(self, ann):
        client = Client()
        cookie = sign_in(client).cookies[settings.SESSION_COOKIE_NAME]

        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
        assert client.get("/sign-in/?again").cookies.get("csrftoken") is None

    def test_in_production_secure_with_the_host_prefix(self, tmp_path):
        script = (
            "import json\nfrom config import settings as s\n"
            "print(json.dumps([s.SESSION_COOKIE_NAME, s.SESSION_COOKIE_SECURE, s.SESSION_COOKIE_HTTPONLY,"
            " s.SESSION_COOKIE_SAMESITE, s.CSRF_COOKIE_NAME, s.CSRF_COOKIE_SECURE,"
            " getattr(s, 'SESSION_COOKIE_DOMAIN', None), getattr(s, 'SESSION_COOKIE_PATH', '/')]))"
        )
        environment = {
            **os.environ,
            "SIGNALBOX_ENV": "production",
            "SIGNALBOX_HOSTS": "signalbox.example.com",
            "SIGNALBOX_HOME": str(tmp_path),
        }
        for name in ("SIGNALBOX_DEMO", "SIGNALBOX_TEST_CLOCK"):
            environment.pop(name, None)
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=Path(settings.BASE_DIR),
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(done.stdout) == [
            "__Host-sessionid", True, True, "Lax", "__Host-csrftoken", True, None, "/",
        ]  # fmt: skip


def _api_routes(patterns=None, prefix=""):
    """Every route below /api/v1/ with its view, ids filled in."""
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _api_routes(entry.url_patterns, path)
        elif isinstance(entry, URLPattern) and path.startswith("api/v1/"):
            yield path, entry.callback


def _filled(path):
    for kind, value in (("uuid", str(uuid7())), ("int", "1"), ("str", "x"), ("slug", "x")):
        while f"<{kind}:" in path:
            start = path.index(f"<{kind}:")
            path = path[:start] + value + path[path.index(">", start) + 1 :]
    return "/" + path


class TestCrossSiteRequests:
    def test_csrf_on_every_cookie_authenticated_write_api_included(self, acme):
        everybody = people.person(acme, *people.ROLES)
        client = people.browser(everybody)
        checked = 0
        for path, view in _api_routes():
            methods = getattr(
                getattr(view, "view_class", getattr(view, "cls", None)), "http_method_names", []
            )
            actions = getattr(view, "actions", None)
            cls = getattr(view, "view_class", getattr(view, "cls", None))
            for method in ("post", "put", "patch", "delete"):
                offered = method in actions if actions else cls is not None and hasattr(cls, method)
                if not offered or method not in methods:
                    continue
                answer = client.generic(
                    method.upper(), _filled(path), data=b"{}", content_type="application/json"
                )
                assert answer.status_code == 403, f"{method} {path}: {answer.status_code}"
                checked += 1
        assert checked >= 15

    @pytest.mark.parametrize(
        "path",
        ["/sign-in/", "/sign-out/", "/password/reset/", "/password/reset/x/", "/invitation/x/"],
    )
    def test_csrf_on_the_pages_before_sign_in(self, db, path):
        answer = Client(enforce_csrf_checks=True).post(path, {"email": "a@b.test"})

        assert answer.status_code == 403
        assert "Load the page again" in answer.content.decode()

    def test_with_its_token_a_write_goes_through(self, ann):
        answer = people.send(people.browser(ann), "PATCH", "/api/v1/me/", {"theme": "dark"})

        assert answer.status_code == 200
        assert answer.json()["theme"] == "dark"


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


class TestThrottling:
    def test_by_account(self, ann):
        statuses = [
            sign_in(Client(REMOTE_ADDR=f"198.51.100.{n}"), password="wrong").status_code
            for n in range(11)
        ]
        right = sign_in(Client(REMOTE_ADDR="198.51.100.200"))

        assert statuses == [422] * 10 + [429]
        assert right.status_code == 429
        assert int(right["Retry-After"]) > 0

    def test_by_address(self, ann, monkeypatch):
        monkeypatch.setitem(
            throttle.LIMITS, "sign_in.address", throttle.Limit(3, timedelta(minutes=15))
        )
        statuses = [
            sign_in(Client(), email=f"somebody{n}@acme.test", password="wrong").status_code
            for n in range(4)
        ]

        assert statuses == [422, 422, 422, 429]
        assert sign_in(Client(REMOTE_ADDR="198.51.100.9")).status_code == 302

    def test_an_ipv6_network_is_one_address(self):
        assert throttle.network_of("2001:db8:1:2:3::1") == throttle.network_of("2001:db8:1:2:9::9")
        assert throttle.network_of("2001:db8:1:2::1") != throttle.network_of("2001:db8:1:3::1")
        assert throttle.network_of("::ffff:198.51.100.7") == "198.51.100.7"

    def test_good_sign_ins_use_nothing_up(self, ann):
        for _ in range(12):
            assert sign_in(Client()).status_code == 302
        assert max(Throttle.objects.values_list("count", flat=True)) == 0

    def test_in_a_store_shared_by_all_processes_that_no_flush_empties(self, ann, settings):
        """The store is PostgreSQL: with Valkey stopped or emptied the count goes on."""
        settings.CACHES = {
            "default": {
                "BACKEND": "django.core.cache.backends.redis.RedisCache",
                "LOCATION": "unix:///nowhere/valkey.sock",
            }
        }
        statuses = [sign_in(Client(), password="wrong").status_code for _ in range(11)]

        assert statuses[-1] == 429
        assert (
            sign_in(
                Client(),
                email=people.person(
                    queries.workspaces_of(ann.pk)[0],
                    "viewer",
                    email="bo@acme.test",
                    password=PASSWORD,
                ).email,
            ).status_code
            == 302
        )

    def test_it_ends_with_its_window(self, ann):
        for _ in range(11):
            sign_in(Client(), password="wrong")
        Throttle.objects.update(resets_at=timezone.now() - timedelta(seconds=1))

        assert sign_in(Client()).status_code == 302

    def test_same_answer_for_unknown_accounts(self, ann):
        shut = people.person(
            queries.workspaces_of(ann.pk)[0], "viewer", email="shut@acme.test", password=PASSWORD
        )
        Membership.objects.filter(user=shut).update(is_active=False)

        def answer(email, password):
            found = sign_in(Client(), email=email, password=password)
            text = found.content.decode().replace(email, "…")
            return found.status_code, _without_form_token(text)

        known = answer("ann@acme.test", "wrong")
        assert known == answer("nobody@acme.test", "wrong")
        assert known == answer("shut@acme.test", PASSWORD)

    def test_same_time_for_unknown_accounts(self, ann, monkeypatch):
        """The time is the password hash's: as many of them, whoever is asked for."""
        spent: list[str] = []

        def noted(real):
            def counting(*arguments):
                spent.append("hash")
                return real(*arguments)

            return counting

        for name in ("encode", "verify"):
            monkeypatch.setattr(Argon2id, name, noted(getattr(Argon2id, name)))

        def cost(email):
            spent.clear()
            sign_in(Client(), email=email, password="wrong")
            return len(spent)

        person_without_password = people.person(
            queries.workspaces_of(ann.pk)[0], "viewer", email="new@acme.test"
        )
        assert cost("ann@acme.test") == cost("nobody@acme.test") == 1
        assert cost(person_without_password.email) == 1

    def test_failed_sign_ins_are_one_counted_row_per_address_and_minute(self, ann):
        for _ in range(3):
            sign_in(Client(), password="wrong")

        [(key, count)] = [(k, n) for k, n in counted().items() if k.startswith("sign_in.failure")]
        assert count == 3
        assert "ann" not in key


def _without_form_token(html):
    return "\n".join(line for line in html.splitlines() if "csrfmiddlewaretoken" not in line)


class TestPasswordReset:
    def ask(self, email="ann@acme.test"):
        answer = Client().post("/password/reset/", {"email": email})
        outbox.relay()
        return answer

    def test_password_reset(self, ann):
        elsewhere = people.browser(ann)
        assert self.ask().status_code == 302
        link = link_in_mail()
        page = Client().get(link)
        assert page.status_code == 200
        assert page["Referrer-Policy"] == "no-referrer"

        done = Client().post(link, {"password": NEW})

        assert done.status_code == 302
        assert elsewhere.get("/api/v1/me/").status_code == 401
        assert sign_in(Client(), password=NEW).status_code == 302
        assert sign_in(Client()).status_code == 422
        assert "password.reset" in verbs()

    def test_it_works_once(self, ann):
        self.ask()
        link = link_in_mail()
        Client().post(link, {"password": NEW})

        assert Client().get(link).status_code == 404
        assert Client().post(link, {"password": "yet another green lamp"}).status_code == 404
        assert sign_in(Client(), password=NEW).status_code == 302

    def test_it_works_for_an_hour(self, ann):
        self.ask()
        PasswordReset.objects.update(expires_at=clock.now() - timedelta(seconds=1))

        assert Client().post(link_in_mail(), {"password": NEW}).status_code == 404

    def test_a_later_link_replaces_the_earlier(self, ann):
        self.ask()
        first = link_in_mail()
        self.ask()

        assert Client().get(first).status_code == 404
        assert Client().get(link_in_mail()).status_code == 200

    def test_a_weak_password_is_refused_and_the_link_still_works(self, ann):
        self.ask()
        link = link_in_mail()

        refused = Client().post(link, {"password": "password1234"})

        assert refused.status_code == 422
        assert "too common" in refused.content.decode()
        assert Client().post(link, {"password": NEW}).status_code == 302

    def test_same_answer_for_unknown_accounts_and_no_mail(self, ann):
        known, unknown = self.ask(), self.ask("nobody@acme.test")

        assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
        assert len(mail.outbox) == 1

    def test_its_value_is_stored_nowhere(self, ann):
        Client().post("/password/reset/", {"email": "ann@acme.test"})
        assert "reset" in Outbox.objects.get().topic
        outbox.relay()
        value = link_in_mail().rstrip("/").rpartition("/")[2]

        assert PasswordReset.objects.get().token_hash == queries.token_hash(value)
        assert not Outbox.objects.exists()

    def test_asking_is_throttled(self, ann):
        assert [self.ask().status_code for _ in range(4)] == [302, 302, 302, 429]


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


class TestAdminConsole:
    def test_sign_in_is_the_products_own(self, acme):
        """Django's own form signs nobody in, so no guess gets past the throttle."""
        User.objects.create_superuser("root@example.org", PASSWORD, name="Root")
        client = Client()

        client.post(
            "/admin/login/",
            {"username": "root@example.org", "password": PASSWORD, "next": "/admin/"},
        )

        assert settings.SESSION_COOKIE_NAME not in client.cookies
        assert client.get("/api/v1/me/").status_code == 401


class TestPages:
    @pytest.mark.parametrize("path", ["/sign-in/", "/password/reset/", "/password/reset/sent/"])
    def test_csp_nosniff_and_referrer_policy_without_inline_parts(self, db, path):
        page = Client().get(path)
        html = page.content.decode()

        assert "unsafe-eval" not in page["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
        assert page["X-Content-Type-Options"] == "nosniff"
        assert page["Referrer-Policy"] == "same-origin"
        assert "<script" not in html
        assert "style=" not in html
        assert "//" not in html.replace("<!doctype", "")

    def test_no_page_before_sign_in_is_kept_by_a_cache(self, db):
        assert "no-store" in Client().get("/sign-in/")["Cache-Control"]

    def test_after_sign_in_one_goes_where_one_was_going(self, ann):
        client = Client()
        answer = client.post(
            "/sign-in/?next=/flows/", {"email": "ann@acme.test", "password": PASSWORD}
        )
        assert answer["Location"] == "/flows/"

    @pytest.mark.parametrize(
        "target",
        ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"],
    )
    def test_but_never_to_another_site(self, ann, target):
        answer = sign_in(Client(), next=target)

        assert answer["Location"] == "/"

    def test_who_is_signed_in_need_not_sign_in(self, ann):
        assert people.browser(ann).get("/sign-in/").status_code == 302

    @pytest.mark.parametrize(
        "form",
        [
            {},
            {"email": "ann@acme.test"},
            {"email": "not an address", "password": "x"},
            {"email": "ann@acme.test\0", "password": "x"},
            {"email": "a" * 300 + "@acme.test", "password": "x"},
            {"email": "ann@acme.test", "password": "x" * 5000},
        ],
    )
    def test_a_form_that_does_not_fit_comes_back_with_a_sentence(self, ann, form):
        answer = Client().post("/sign-in/", form)

        assert answer.status_code == 422
        assert "field__error" in answer.content.decode()

    @pytest.mark.parametrize("path", ["/password/reset/nothing/", "/invitation/nothing/"])
    def test_a_link_that_never_was_says_so(self, db, path):
        assert Client().get(path).status_code == 404
        assert "sign-in" in Client().get(path).content.decode()
