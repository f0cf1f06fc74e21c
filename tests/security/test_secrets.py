"""security.md, on secrets: where they may be used, and that their values are found nowhere."""

import base64
import io
import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import connection

from apps.audit.models import AuditEvent
from apps.audit.sealing import seal_pending
from apps.connections import commands as connections
from apps.connections import vault
from apps.connections.models import Secret
from apps.connections.queries import value_context
from apps.connections.rotation import registered
from apps.core import clock, outbox
from apps.runs.models import Run
from apps.triggers.calls import body_context
from apps.triggers.commands import forget_raw
from apps.triggers.models import Delivery
from tests.inbox.support import Desk, move_clock
from tests.runs.support import cursor_of_this_thread, document, outputs
from tests.support import people
from tests.support.servers import Server

PLANTED = "planted-Zq7/3a+lamp"
FORMS = [
    PLANTED,
    PLANTED.encode().hex(),
    base64.b64encode(PLANTED.encode()).decode(),
    base64.b64encode(f"Bearer {PLANTED}".encode()).decode(),
    PLANTED.replace("/", "%2F").replace("+", "%2B"),
]


def echo(status):
    """A server that sends back whatever it was sent, in its headers and its body."""

    def answer(request, _peer, _stopping):
        sent = request.decode("latin-1")
        value = next(
            (line[15:] for line in sent.split("\r\n") if line.lower().startswith("authorization")),
            "",
        )
        packed = base64.b64encode(value.encode()).decode()
        body = json.dumps({"you_sent": sent, "packed": packed, value: True}).encode()
        return (
            f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nX-Echo: {value}\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        ).encode() + body

    return answer


@pytest.fixture
def desk(db):
    return Desk()


def calling(port, **config):
    return document(
        {
            "call": {
                "type": "http.request",
                "title": "Call",
                "config": {
                    "method": "POST",
                    "url": f"http://127.0.0.1:{port}/orders",
                    "headers": {"Authorization": {"secret": "crm", "prefix": "Bearer "}},
                    "query": {"api_key": {"secret": "crm"}},
                    "body": {"password": {"secret": "crm"}},
                    **config,
                },
            }
        },
        ["trigger -> call"],
    )


def allow(desk, port, hosts=None):
    boss = desk.actor(desk.someone("boss", "admin"))
    now = clock.now()
    connections.allow_host(actor=boss, host="127.0.0.1", port=port, reason="a test", now=now)
    hosts = [f"127.0.0.1:{port}"] if hosts is None else hosts
    connections.set_secret(actor=boss, name="crm", value=PLANTED, hosts=hosts, now=now)


def in_the_database():
    """Tables in which a row, in whatever column, holds one of the forms of the value."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select format('%I.%I', table_schema, table_name) from information_schema.tables"
            " where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')"
        )
        tables = [name for (name,) in cursor.fetchall()]
        found = []
        for name in tables:
            cursor.execute(
                f"select count(*) from {name} as one where one::text like any(%s)",
                [[f"%{form}%" for form in FORMS]],
            )
            if cursor.fetchone()[0]:
                found.append(name)
    return tables, found


def in_the_broker(client):
    """Everything that Valkey holds, as text."""
    read = {
        b"string": client.get,
        b"list": lambda key: client.lrange(key, 0, -1),
        b"hash": client.hgetall,
        b"set": client.smembers,
        b"zset": lambda key: client.zrange(key, 0, -1),
        b"stream": client.xrange,
    }
    return "".join(f"{key!r} {read[client.type(key)](key)!r}" for key in client.keys("*"))


def packed_forms(text):
    """Celery packs a message's body in base64: the text, and what is packed in it."""
    import re

    found = [text]
    for part in re.findall(r"[A-Za-z0-9+/]{40,}={0,2}", text):
        try:
            found.append(base64.b64decode(part).decode("utf-8", "replace"))
        except ValueError:
            continue
    return "\n".join(found)


@pytest.fixture
def whole(transactional_db, valkey, monkeypatch):
    """A desk whose rows are really committed, and whose messages really reach the broker."""
    monkeypatch.setattr("apps.runs.drive._cursor", cursor_of_this_thread)
    return Desk()


class TestAPlantedValue:
    def test_is_found_in_no_database_log_export_celery_message_mail_or_answer(
        self, whole, valkey, caplog
    ):
        desk = whole
        caplog.set_level(logging.DEBUG)
        good, bad = Server(echo("200 OK")), Server(echo("400 Bad Request"))
        runs = []
        for server in (good, bad):
            allow(desk, server.port, [f"127.0.0.1:{good.port}", f"127.0.0.1:{bad.port}"])
            retry = {"max_attempts": 1, "first_delay_s": 1}
            runs.append(desk.start(desk.publish(calling(server.port, retry=retry)), {"n": 1}))
        desk.settle()
        in_broker = in_the_broker(valkey)
        while outbox.relay():
            pass
        in_broker += in_the_broker(valkey)
        seal_pending(now=clock.now())
        move_clock(seconds=20)

        # It did arrive where it was meant to, and came back in every form.
        for server in (good, bad):
            (request,) = server.requests
            assert f"Bearer {PLANTED}".encode() in request
        assert [one.status for one in Run.objects.order_by("id")] == ["completed", "failed"]
        assert "[secret]" in json.dumps(outputs(runs[0]), default=str)

        tables, found = in_the_database()
        assert len(tables) > 30
        assert not found
        assert not holds(caplog.text)
        assert "celery" in in_broker or "drive" in in_broker
        assert not holds(packed_forms(in_broker))
        assert mail.outbox
        assert not holds("".join(str(one.message()) for one in mail.outbox))
        browser = people.browser(desk.someone("eye", *people.ROLES))
        for kind in ("flows", "versions", "runs", "tasks", "audit"):
            answer: Any = browser.get(f"/api/v1/export/{kind}.ndjson")
            assert not holds(b"".join(answer.streaming_content).decode())
        for path in ("secrets/", "runs/", "audit/", "alerts/", "me/"):
            assert not holds(browser.get(f"/api/v1/{path}").content.decode())
        for run in runs:
            for path in ("", "journal/"):
                assert not holds(browser.get(f"/api/v1/runs/{run}/{path}").content.decode())

    @pytest.mark.django_db
    def test_would_be_found_if_it_were_there(self, desk):
        """The search is one that finds: text, JSON and bytes."""
        desk.workspace.name = f"x {PLANTED} y"
        desk.workspace.save()
        Secret.objects.create(
            workspace=desk.workspace,
            name="odd",
            ciphertext=f"raw {PLANTED}".encode(),
            updated_at=clock.now(),
        )
        assert set(in_the_database()[1]) == {
            "public.accounts_workspace",
            "public.connections_secret",
        }


def holds(text):
    return [form for form in FORMS if form in text]


@pytest.mark.django_db
class TestUse:
    @pytest.mark.parametrize(
        "expression",
        [
            "secret",
            "secrets.crm",
            'secret("crm")',
            "env",
            "trigger.secret",
            "settings",
            "run.secrets",
        ],
    )
    def test_expressions_cannot_read_them(self, desk, expression):
        allow(desk, 9)
        answer = people.send(
            people.browser(desk.owner),
            "POST",
            "/api/v1/evaluate/",
            {"expression": expression, "context": {"secret_name": "crm"}},
        )
        assert answer.status_code in {200, 422}
        assert answer.json().get("value") is None
        assert not holds(answer.content.decode())

    def test_a_name_in_any_other_place_is_only_a_value(self, desk):
        allow(desk, 9)
        doc = document(
            {"map": {"type": "map", "config": {"fields": {"a": {"secret": "crm"}}}}},
            ["trigger -> map"],
        )
        run = desk.run(doc, {})
        assert not holds(json.dumps(outputs(run.pk), default=str))

    def test_each_names_the_hosts_it_may_go_to_others_are_a_publishing_error(self, desk):
        allow(desk, 9, hosts=["api.crm.test"])
        browser = people.browser(desk.owner)
        made = people.send(browser, "POST", "/api/v1/flows/", {"name": "Calls"}).json()
        answer = people.send(
            browser, "POST", f"/api/v1/flows/{made['id']}/check/", {"document": calling(9)}
        )
        errors = [one for one in answer.json()["findings"] if one["severity"] == "error"]
        assert any("secret" in one["code"] for one in errors), errors

    def test_and_a_run_time_refusal_before_anything_is_sent(self, desk):
        server = Server(echo("200 OK"))
        allow(desk, server.port, hosts=["api.crm.test"])
        run_id = desk.start(desk.publish(calling(server.port)), {})
        desk.settle()
        run = Run.objects.get(pk=run_id)
        assert run.status == "failed"
        assert "crm" in run.error["message"]
        assert server.requests == []


@pytest.mark.django_db
class TestKeys:
    def test_rotate_keys_re_encrypts_everything_and_audits(self, desk, settings):
        allow(desk, 9)
        delivery = Delivery(
            workspace_id=desk.workspace.pk,
            trigger_id=desk.workspace.pk,
            verdict="refused",
            headers={},
            query={},
            received_at=clock.now(),
        )
        delivery.body = vault.seal(b"raw", body_context(delivery.pk))
        delivery.save()
        new = base64.b64encode(b"n" * 32).decode()
        settings.ENCRYPTION_KEYS = [new, *settings.ENCRYPTION_KEYS]

        call_command("rotate_keys", stdout=io.StringIO())

        settings.ENCRYPTION_KEYS = [new]
        delivery.refresh_from_db()
        assert vault.open(delivery.body, body_context(delivery.pk)) == b"raw"
        secret = Secret.objects.get()
        assert vault.open(secret.ciphertext, value_context(secret.pk)) == PLANTED.encode()
        assert AuditEvent.objects.filter(verb="keys.rotate").count() == 1

    def test_every_column_of_bytes_is_sealed_and_registered_or_known_to_be_no_secret(self):
        from django.apps import apps
        from django.db.models import BinaryField

        plain = {
            "audit": "hashes, seals and commitments",
            "triggers.DedupeKey": "hashes",
            "triggers.EventKey": "hashes",
            "triggers.EventSubscription": "hashes",
            "inbox.TaskWatch": "hashes",
            "runs": "",
            "operations.TrailJobPart": "what the trail says, masked as it is there",
        }
        sealed = {(one.model, one.column) for one in registered()}
        for model in apps.get_models():
            for field in model._meta.get_fields():
                if isinstance(field, BinaryField):
                    label = model._meta.label
                    known = label in plain or model._meta.app_label in plain
                    assert (label, field.name) in sealed or known, f"{label}.{field.name}"

    def test_raw_bodies_are_deleted_after_raw_days(self, desk, settings):
        settings.RAW_DAYS = 30
        now = clock.now()
        delivery = Delivery(
            workspace_id=desk.workspace.pk,
            trigger_id=desk.workspace.pk,
            run_id=desk.workspace.pk,
            verdict="accepted",
            headers={},
            query={},
            received_at=now,
        )
        delivery.body = vault.seal(b"raw", body_context(delivery.pk))
        delivery.save()
        forget_raw(now=now + timedelta(days=29))
        delivery.refresh_from_db()
        assert delivery.body is not None
        forget_raw(now=now + timedelta(days=31))
        assert not Delivery.objects.filter(pk=delivery.pk).exists()


@pytest.mark.django_db
class TestInputAndOutput:
    def test_need_the_flows_view_right_and_approvers_get_only_the_tasks_facts(self, desk):
        task = desk.ask_named("ada", body={"amount": 120, "salary": "hidden-4711"})
        ada = people.browser(desk.someone("ada"))
        for path in ("", "journal/"):
            assert ada.get(f"/api/v1/runs/{task.run_id}/{path}").status_code == 404
        asked = people.send(
            ada,
            "POST",
            "/api/v1/evaluate/",
            {"expression": "trigger.body", "run": str(task.run_id)},
        )
        assert asked.status_code == 404
        assert ada.get("/api/v1/runs/").json()["results"] == []
        for path in (f"/api/v1/tasks/{task.pk}/", f"/inbox/{task.pk}/", "/api/v1/tasks/"):
            answer = ada.get(path)
            assert answer.status_code == 200
            assert "hidden-4711" not in answer.content.decode()
        assert "120" in ada.get(f"/inbox/{task.pk}/").content.decode()
