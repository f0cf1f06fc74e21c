"""Signals that come by the API while more work waits than is done: 503 with Retry-After."""

import pytest
from django.db import connection

from apps.core.models import uuid7
from apps.runs import pressure
from apps.runs.models import Run
from apps.runs.priorities import Priority
from apps.triggers.models import Event
from tests.runs.support import Bench, document, flood
from tests.support import people

pytestmark = pytest.mark.django_db(transaction=True)

FINE = document({"a": {"type": "map", "config": {"fields": {}}}}, ["trigger -> a"])


@pytest.fixture
def bench(transactional_db, valkey, monkeypatch):
    monkeypatch.setattr(pressure, "at_the_api", pressure.Pressure())
    monkeypatch.setattr(pressure, "SAMPLE_EVERY_S", 0)
    monkeypatch.setattr(pressure, "BACKLOG", 50)
    made = Bench()
    made.workspace = people.make_workspace(f"w{uuid7().hex[-12:]}")
    return made


@pytest.fixture
def send(bench):
    browser = people.browser(people.person(bench.workspace, "operator", "builder"))
    return lambda path, body: people.send(browser, "POST", f"/api/v1/{path}", body)


def old(version, count, priority):
    flood(version, count, priority=priority)
    with connection.cursor() as cursor:
        cursor.execute("update run_command set created_at = created_at - interval '10 minutes'")


def event():
    return {"specversion": "1.0", "id": uuid7().hex, "source": "/bank", "type": "paid", "data": {}}


def refused(answer):
    return (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (
        *(503, "unavailable", "15"),
    )


def test_is_refused_until_it_is_done(bench, send):
    version = bench.publish(FINE)
    old(version, 60, Priority.NORMAL)
    start = f"flows/{version.flow_id}/runs/"
    assert refused(send(start, {"input": {}}))
    assert refused(send("events/", event()))
    assert (Run.objects.count(), Event.objects.count()) == (60, 0)
    assert send(start, {"input": {}, "priority": "bulk"}).status_code == 201
    with connection.cursor() as cursor:
        cursor.execute("delete from run_command")
    assert send(start, {"input": {}}).status_code == 201
    assert send("events/", event()).status_code == 201


def test_under_one_key_is_taken_the_next_time(bench, send):
    """The refusal is no answer that a key would keep."""
    version = bench.publish(FINE)
    old(version, 60, Priority.NORMAL)
    browser = people.browser(people.person(bench.workspace, "operator", email="o2@acme.test"))
    start, keyed = f"/api/v1/flows/{version.flow_id}/runs/", {"Idempotency-Key": "k"}
    assert refused(people.send(browser, "POST", start, {"input": {}}, **keyed))
    with connection.cursor() as cursor:
        cursor.execute("delete from run_command")
    assert people.send(browser, "POST", start, {"input": {}}, **keyed).status_code == 201


@pytest.mark.parametrize(
    ("count", "priority"),
    [(60, Priority.BULK), (60, 100), (40, Priority.NORMAL)],
    ids=["bulk work", "put aside", "not so many"],
)
def test_is_taken_while_no_call_waits_behind_them(bench, send, count, priority):
    version = bench.publish(FINE)
    old(version, count, priority)
    assert send(f"flows/{version.flow_id}/runs/", {"input": {}}).status_code == 201
    assert send("events/", event()).status_code == 201


def test_many_that_are_young_are_no_reason(bench, send):
    version = bench.publish(FINE)
    flood(version, 60)
    assert send("events/", event()).status_code == 201
