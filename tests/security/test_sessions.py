"""security.md, first paragraph: what a browser holds, and what may be done with it."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from apps.accounts import commands, queries
from apps.accounts.models import Membership, Session
from apps.core import clock
from apps.core.models import uuid7
from tests.security.signing_in import NEW, session_of, sign_in, verbs
from tests.support import people
from tests.support.people import PASSWORD

pytestmark = pytest.mark.django_db


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
