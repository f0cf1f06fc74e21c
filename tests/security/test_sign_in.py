"""security.md, first paragraph: passwords, guesses, resets, and the pages for them."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client
from django.utils import timezone

from apps.accounts import queries, throttle
from apps.accounts.hashers import Argon2id
from apps.accounts.models import Membership, PasswordReset, Throttle, User
from apps.core import clock, outbox
from apps.core.models import Outbox
from tests.security.signing_in import NEW, counted, link_in_mail, sign_in, verbs
from tests.support import people
from tests.support.people import PASSWORD

pytestmark = pytest.mark.django_db


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
