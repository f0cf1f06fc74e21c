"""``/metrics``: the installation's numbers, for those who may see all of it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from apps.audit.sealing import seal_pending
from apps.core import clock
from apps.operations import metrics
from apps.runs import commands
from apps.runs.drive import drive_all
from apps.runs.models import Effect, Run, RunCommand, WaitingStart
from apps.triggers import answers
from tests.inbox.support import approval, move_clock
from tests.runs.support import document
from tests.support import people

pytestmark = pytest.mark.django_db

MAIL = document(
    {"tell": {"type": "mail.send", "config": {"to": "a@b.test", "subject": "Hi", "text": "Ho"}}},
    ["trigger -> tell"],
)


@pytest.fixture(autouse=True)
def _counted_anew(monkeypatch):
    monkeypatch.setattr(metrics, "_day", metrics._Day(0.0, {}))


@pytest.fixture
def owner(desk):
    """The administrator of the installation."""
    user = desk.someone("root", "admin")
    user.is_superuser = True
    user.save()
    return user


@pytest.fixture
def scraped(owner):
    """``scraped()`` is what Prometheus gets: ``{name or (name, label): value}``."""

    def scrape():
        program = Client(headers=people.bearer(owner, scopes=["metrics.read"]))
        answer = program.get("/metrics")
        assert answer.status_code == 200, answer.content
        assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
        found = {}
        for family in text_string_to_metric_families(answer.content.decode()):
            for one in family.samples:
                [*label] = one.labels.values()
                name = one.name.removeprefix("signalbox_")
                found[(name, *label) if label else name] = one.value
        return found

    return scrape


def test_work_that_waits_and_how_long(desk, scraped):
    desk.start(desk.publish(approval()), {"amount": 1})
    RunCommand.objects.update(created_at=clock.now() - timedelta(seconds=90))
    found = scraped()
    assert 90 <= found["oldest_command_age_seconds"] < 200
    assert found["commands", "waiting"] == 1
    assert found["runs_last_day", "queued"] == 1
    RunCommand.objects.update(priority=20)
    bulk = scraped()
    assert (bulk["commands", "waiting"], bulk["commands", "bulk"]) == (0, 1)
    assert bulk["oldest_command_age_seconds"] == 0  # it waits behind what is live, and may
    RunCommand.objects.update(priority=100)
    parked = scraped()
    assert (parked["commands", "waiting"], parked["commands", "parked"]) == (0, 1)
    assert parked["oldest_command_age_seconds"] == 0


def test_effects_tasks_and_held_runs(desk, scraped):
    desk.ask_named("ada")
    desk.ask_named("ada")
    move_clock(days=3)
    desk.start(desk.publish(MAIL))
    desk.start(desk.publish(MAIL))
    drive_all()
    first = Effect.objects.earliest("id")
    Effect.objects.filter(pk=first.pk).update(status="running")
    desk.start(desk.publish(MAIL), held=True)
    Run.objects.filter(pk=first.run_id).update(status="paused")
    found = scraped()
    assert (found["effects", "queued"], found["effects", "running"]) == (1, 1)
    assert (found["open_tasks"], found["overdue_tasks"]) == (2, 2)
    assert WaitingStart.objects.count() == 1
    assert [found["held_runs", reason] for reason in ("limit", "paused", "fault")] == [0, 1, 1]
    assert found["outbox_rows", "waiting"] == 2


def test_runs_of_the_last_day_by_status(desk, scraped):
    task = desk.ask_named("ada")
    desk.decide(task, desk.someone("ada"))
    drive_all()
    desk.ask_named("ada")
    found = scraped()
    assert found["runs_last_day", "completed"] == 1
    assert found["runs_last_day", "waiting"] == 1
    assert found["runs_last_day", "failed"] == 0


def test_they_are_counted_once_a_minute(desk, scraped):
    assert scraped()["runs_last_day", "queued"] == 0
    desk.start(desk.publish(MAIL))
    assert scraped()["runs_last_day", "queued"] == 0
    metrics._day.until = 0.0
    assert scraped()["runs_last_day", "queued"] == 1


def test_what_takes_too_long_to_count_does_not_keep_the_rest(desk, scraped, monkeypatch, caplog):
    monkeypatch.setattr(metrics, "STATEMENT_TIMEOUT", "100ms")
    monkeypatch.setattr(
        metrics, "_DAY", "select 'x', 1 from pg_sleep(5) where %(since)s is not null"
    )
    found = scraped()
    assert found["runs_last_day", "queued"] == 0
    assert "not counted" in caplog.text
    assert found["commands", "waiting"] == 0


def test_the_trail(desk, scraped):
    seal_pending(now=clock.now())
    assert scraped()["unsealed_rows"] == 1  # the token's own
    move_clock(minutes=5)
    found = scraped()
    assert found["unsealed_rows"] == 2
    assert 300 <= found["oldest_unsealed_row_age_seconds"] < 400
    assert found["refused_rows"] == 0
    assert found["default_partition_in_use", "audit_event"] == 0


def test_answers_of_the_gateway_by_code(scraped, monkeypatch):
    monkeypatch.setattr(answers, "given", type(answers.given)({202: 7, 503: 2}))
    found = scraped()
    assert found["gateway_answers_total", "202"] == 7
    assert found["gateway_answers_total", "503"] == 2


def test_nothing_of_one_workspace_is_named(desk, owner):
    desk.ask_named("ada")
    text = Client(headers=people.bearer(owner)).get("/metrics").content.decode()
    assert "acme" not in text
    assert "ada" not in text


class TestWhoMay:
    def test_a_key_made_for_something_else_may_not(self, owner):
        program = Client(headers=people.bearer(owner, scopes=["run.view"]))
        answer = program.get("/metrics")
        assert (answer.status_code, answer.json()["code"]) == (403, "out_of_scope")

    def test_an_administrator_of_a_workspace_alone_may_not(self, desk):
        program = Client(headers=people.bearer(desk.someone("boss", "admin")))
        answer = program.get("/metrics")
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")

    def test_a_stranger_from_this_machine_may_not(self, db):
        answer = Client().get("/metrics", REMOTE_ADDR="127.0.0.1")
        assert answer.status_code == 401
        assert answer["Content-Type"] == "application/problem+json"

    def test_a_key_that_is_none_is_counted(self, db):
        from apps.audit.models import AuditCounter

        Client(headers={"Authorization": "Bearer sbx_nothing"}).get("/metrics")
        assert AuditCounter.objects.count() == 1

    def test_the_address_beside_it_is_a_page_and_opens_to_no_key(self, owner):
        answer = Client(headers=people.bearer(owner)).get("/metrics/")
        assert answer.status_code == 302

    def test_answers_are_not_kept(self, owner):
        answer = Client(headers=people.bearer(owner)).get("/metrics")
        assert answer["Cache-Control"] == "no-store"


def test_a_cancelled_run_leaves_no_work_behind(desk, scraped):
    task = desk.ask_named("ada")
    operator = desk.actor(desk.someone("op", "operator"))
    commands.cancel_run(actor=operator, run_id=task.run_id, reason="", now=clock.now())
    drive_all()
    found = scraped()
    assert (found["open_tasks"], found["commands", "waiting"]) == (0, 0)


def test_effects_are_counted_without_reading_what_is_done(db):
    with connection.cursor() as cursor:
        cursor.execute("set local enable_seqscan = off")
        cursor.execute(f"explain {metrics._EFFECTS}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Seq Scan on effect" not in plan
