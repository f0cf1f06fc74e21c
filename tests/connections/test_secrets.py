"""Secrets: set, rotated, deleted, never shown; and the rotation of the keys themselves."""

import io
import json
import logging
from base64 import b64encode
from datetime import timedelta
from secrets import token_bytes

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command

from apps.audit.models import AuditEvent
from apps.connections import queries, vault
from apps.connections.models import Secret
from apps.core import clock
from tests.support import people
from tests.support.people import send

pytestmark = pytest.mark.django_db

PLANTED = "planted-value-7f3a"


@pytest.fixture
def at(builder):
    return people.browser(builder)


def put(client, name="crm", **body):
    return send(client, "PUT", f"/api/v1/secrets/{name}/", body)


def last_verb():
    return AuditEvent.objects.order_by("-id").values_list("verb", flat=True).first()


class TestKeeping:
    def test_put_sets_and_the_answer_does_not_show_it(self, acme, at):
        answer = put(at, value=PLANTED, hosts=["api.crm.test"])

        assert answer.status_code == 200
        assert answer.json()["hosts"] == ["api.crm.test"]
        assert answer.json()["has_previous"] is False
        assert PLANTED not in answer.content.decode()
        assert PLANTED not in at.get("/api/v1/secrets/").content.decode()
        assert queries.secret_values(acme.pk, "crm") == [PLANTED]
        assert last_verb() == "secret.set"

    def test_there_is_no_way_to_read_one(self, acme, at):
        put(at, value=PLANTED, hosts=[])

        assert at.get("/api/v1/secrets/crm/").status_code == 405

    def test_a_planted_value_is_nowhere_in_the_database_or_the_log(self, acme, at, caplog):
        with caplog.at_level(logging.DEBUG):
            put(at, value=PLANTED, hosts=["api.crm.test"])
            put(at, value=PLANTED + "-2", hosts=["api.crm.test"])

        for model in apps.get_models():
            for row in model._base_manager.values_list():
                assert PLANTED not in repr(
                    [bytes(one) if isinstance(one, memoryview) else one for one in row]
                )
        assert PLANTED not in caplog.text
        assert PLANTED not in repr(queries.open_secret(acme.pk, "crm"))

    def test_delete_forgets_it(self, acme, at):
        put(at, value=PLANTED, hosts=[])

        assert send(at, "DELETE", "/api/v1/secrets/crm/").status_code == 204

        assert last_verb() == "secret.delete"
        assert send(at, "DELETE", "/api/v1/secrets/crm/").status_code == 404
        with pytest.raises(queries.UnknownSecret):
            queries.secret_values(acme.pk, "crm")

    @pytest.mark.parametrize("role", ["viewer", "operator", "approver", "auditor"])
    def test_only_builders_and_administrators_keep_them(self, acme, role):
        client = people.browser(people.person(acme, role))

        assert put(client, value="x", hosts=[]).status_code == 403
        assert client.get("/api/v1/secrets/").status_code == 403
        assert send(client, "DELETE", "/api/v1/secrets/crm/").status_code == 403
        assert (
            put(people.browser(people.person(acme, "admin")), value="x", hosts=[]).status_code
            == 200
        )

    def test_a_stranger_sees_and_changes_nothing(self, acme, other, at):
        put(at, value=PLANTED, hosts=[])
        stranger = people.browser(people.person(other, "builder"))

        assert stranger.get("/api/v1/secrets/").json()["results"] == []
        assert send(stranger, "DELETE", "/api/v1/secrets/crm/").status_code == 404
        put(stranger, value="other", hosts=[])
        assert queries.secret_values(acme.pk, "crm") == [PLANTED]

    @pytest.mark.parametrize(
        ("name", "body"),
        [
            ("crm", {}),
            ("crm", {"value": "", "hosts": []}),
            ("crm", {"value": "x" * 40_000, "hosts": []}),
            ("crm", {"value": "x", "hosts": ["a b"]}),
            ("crm", {"value": "x", "hosts": ["http://a.test/"]}),
            ("crm", {"value": "x", "hosts": ["a.test:0"]}),
            ("crm", {"value": "x", "hosts": ["127.1"]}),
            ("crm", {"value": "x", "hosts": "a.test"}),
            ("crm", {"value": "x", "hosts": [f"h{n}.test" for n in range(51)]}),
            ("crm", {"value": "x", "previous_hours": -1}),
            ("crm", {"value": "x", "previous_hours": 10_000}),
            ("crm", {"value": ["x"]}),
            ("a b", {"value": "x", "hosts": []}),
            (".crm", {"value": "x", "hosts": []}),
            ("c" * 101, {"value": "x", "hosts": []}),
        ],
    )
    def test_what_does_not_fit_is_refused(self, acme, at, name, body):
        answer = send(at, "PUT", f"/api/v1/secrets/{name}/", body)

        assert answer.status_code == 422
        assert not Secret.objects.exists()


class TestHosts:
    def test_each_names_the_hosts_it_may_go_to(self, acme, at):
        put(at, value=PLANTED, hosts=["API.crm.test.", "other.test:8443", "[2606:2800::1]:443"])

        assert queries.secret_hosts(acme.pk) == {
            "crm": ["api.crm.test", "other.test:8443", "[2606:2800::1]:443"]
        }
        for host, port in [
            ("api.crm.test", 443), ("api.crm.test", 8000), ("other.test", 8443), ("2606:2800::1", 443),
        ]:  # fmt: skip
            assert queries.secret_for_host(acme.pk, "crm", host, port) == PLANTED

    @pytest.mark.parametrize(
        ("host", "port"),
        [
            ("evil.test", 443),
            ("other.test", 443),
            ("crm.test", 443),
            ("api.crm.test.evil.test", 443),
            ("a b", 1),
        ],
    )
    def test_others_are_a_refusal_when_it_runs(self, acme, at, host, port):
        put(at, value=PLANTED, hosts=["api.crm.test", "other.test:8443"])

        with pytest.raises(queries.SecretNotForHost):
            queries.secret_for_host(acme.pk, "crm", host, port)

    def test_a_host_cannot_be_added_without_knowing_the_value(self, acme, at):
        """Else a builder could have a secret sent to a server of their own."""
        put(at, value=PLANTED, hosts=["a.test", "b.test"])

        assert put(at, hosts=["a.test", "evil.test"]).json()["code"] == "value_needed"
        assert put(at, hosts=["a.test"]).status_code == 200
        assert queries.secret_hosts(acme.pk) == {"crm": ["a.test"]}
        assert put(at, value=PLANTED, hosts=["a.test", "c.test"]).status_code == 200

    def test_with_a_new_host_the_value_before_is_forgotten(self, acme, at):
        put(at, value=PLANTED, hosts=["a.test"])
        put(at, value="mine", hosts=["evil.test"])

        assert queries.secret_values(acme.pk, "crm") == ["mine"]


class TestTwoLiveValues:
    def test_the_value_before_counts_for_a_day(self, acme, at):
        put(at, value="one", hosts=[])
        assert put(at, value="two", hosts=[]).json()["has_previous"] is True

        now = clock.now()
        assert queries.secret_values(acme.pk, "crm", now) == ["two", "one"]
        assert queries.secret_values(acme.pk, "crm", now + timedelta(hours=25)) == ["two"]

    def test_or_as_long_as_is_said(self, acme, at):
        put(at, value="one")
        put(at, value="two", previous_hours=0)
        assert queries.secret_values(acme.pk, "crm") == ["two"]

        put(at, value="three", previous_hours=48)
        now = clock.now()
        assert queries.secret_values(acme.pk, "crm", now + timedelta(hours=47)) == ["three", "two"]

    def test_the_same_value_again_does_not_push_the_other_out(self, acme, at):
        put(at, value="one", hosts=[])
        put(at, value="two", hosts=[])
        put(at, value="two", hosts=[])

        assert queries.secret_values(acme.pk, "crm") == ["two", "one"]

    def test_every_change_raises_the_revision(self, acme, at):
        put(at, value="one", hosts=[])
        put(at, value="two", hosts=[])

        assert queries.open_secret(acme.pk, "crm").revision == 2

    def test_outdated_ones_are_deleted(self, acme, at):
        from apps.connections.commands import forget_previous

        put(at, value="one", hosts=[])
        put(at, value="two", hosts=[])
        now = clock.now()

        assert forget_previous(now=now) == 0
        assert forget_previous(now=now + timedelta(hours=25)) == 1
        assert Secret.objects.get().previous is None


class TestRotateKeys:
    def rotate(self):
        out = io.StringIO()
        call_command("rotate_keys", stdout=out)
        return out.getvalue()

    def test_re_encrypts_everything_and_audits(self, acme, at, settings):
        put(at, value="one", hosts=[])
        put(at, value=PLANTED, hosts=[])
        for n in range(3):
            put(at, name=f"more-{n}", value=f"v{n}", hosts=[])
        old = settings.ENCRYPTION_KEYS
        new = b64encode(token_bytes(32)).decode()
        settings.ENCRYPTION_KEYS = [new, *old]

        said = self.rotate()

        assert "connections.Secret.ciphertext: 4 sealed anew" in said
        assert "connections.Secret.previous: 1 sealed anew" in said
        settings.ENCRYPTION_KEYS = [new]
        assert queries.secret_values(acme.pk, "crm") == [PLANTED, "one"]
        assert last_verb() == "keys.rotate"

    def test_a_second_time_there_is_nothing_to_do(self, acme, at, settings):
        put(at, value="one", hosts=[])
        before = bytes(Secret.objects.get().ciphertext)

        assert "0 sealed anew" in self.rotate()
        assert bytes(Secret.objects.get().ciphertext) == before

    def test_many_pages(self, acme, at, settings, monkeypatch):
        from apps.connections import rotation

        monkeypatch.setattr(rotation, "PAGE", 2)
        for n in range(5):
            put(at, name=f"s{n}", value=f"v{n}", hosts=[])
        settings.ENCRYPTION_KEYS = [b64encode(token_bytes(32)).decode(), *settings.ENCRYPTION_KEYS]

        assert "ciphertext: 5 sealed anew" in self.rotate()
        assert all(vault.is_current(row.ciphertext) for row in Secret.objects.all())

    def test_what_no_key_opens_is_said_and_left_alone(self, acme, at, settings):
        put(at, value="one", hosts=[])
        settings.ENCRYPTION_KEYS = [b64encode(token_bytes(32)).decode()]

        with pytest.raises(CommandError, match="1 values cannot be opened"):
            self.rotate()

        assert json.dumps(put(at, value="new", hosts=[]).json()["hosts"]) == "[]"
        assert queries.secret_values(acme.pk, "crm") == ["new"]
