"""Many runs are done again: ordered in one go, started once each, behind what is live."""

import json

import pytest

from apps.audit.models import AuditEvent, AuditValue
from apps.core import clock
from apps.core.errors import Invalid
from apps.core.models import Outbox, uuid7
from apps.flows.models import Flow, FlowVersion
from apps.runs import again
from apps.runs.drive import drive_all, drive_batch
from apps.runs.models import Run, RunState
from apps.runs.priorities import Priority
from apps.runs.steering import Selection
from tests.runs.support import document, status
from tests.support import people

pytestmark = pytest.mark.django_db(transaction=True)

FAILING = document({"stop": {"type": "stop", "config": {"outcome": "failed"}}}, ["trigger -> stop"])
FINE = document({"a": {"type": "map", "config": {"fields": {}}}}, ["trigger -> a"])


@pytest.fixture
def system(bench, people_of):
    return people_of(bench)


def order(system, selection, version="own", reason="The shop was away"):
    return again.replay_runs(
        actor=system, selection=selection, version=version, reason=reason, now=clock.now()
    )


def hand_out():
    """Give every row of an order to its handler, as the relay does."""
    for row in Outbox.objects.filter(topic=again.TOPIC).order_by("id"):
        again.start_ordered(row.payload)


def said(row):
    """What the trail keeps of a row beside who and what, by its name."""
    salted = AuditValue.objects.get(event_id=row.pk).salted
    return {name: json.loads(text) for name, (_, text) in salted.items()}


def started():
    return list(Run.objects.filter(replay_of__isnull=False).order_by("id"))


def failed(bench, count):
    version = bench.publish(FAILING)
    ids = [bench.start(version) for _ in range(count)]
    drive_all()
    assert {status(one) for one in ids} == {"failed"}
    return version, ids


def test_each_is_done_again_once_whoever_hands_the_order_out_twice(bench, system):
    _, ids = failed(bench, 50)
    assert order(system, Selection(filter={"status": "failed"})) == 50
    assert not started()  # so far it is only ordered
    rows = list(Outbox.objects.filter(topic=again.TOPIC))
    assert [len(row.payload["runs"]) for row in rows] == [20, 20, 10]
    hand_out()
    hand_out()

    assert {run.replay_of for run in started()} == set(ids)
    assert len(started()) == 50
    assert set(RunState.objects.values_list("priority", flat=True)) == {Priority.BULK}
    drive_all()
    assert {run.status for run in started()} == {"failed"}


def test_live_runs_go_before_them(bench, system):
    failed(bench, 60)
    order(system, Selection(filter={"status": "failed"}))
    hand_out()
    live = bench.start(bench.publish(FINE))
    drive_batch(limit=20)
    assert status(live) == "completed"
    assert sum(run.status == "queued" for run in started()) >= 58


@pytest.mark.parametrize("way", ["ids", "flow"])
def test_only_those_that_are_over_are_meant(bench, system, way):
    version, ids = failed(bench, 3)
    wait = document({"wait": {"type": "delay", "config": {"for": "PT1H"}}}, ["trigger -> wait"])
    under_way = bench.start(bench.publish(wait))
    RunState.objects.filter(run_id=under_way).update(flow_id=version.flow_id)
    drive_all()
    selections = {
        "ids": Selection(ids=(*ids, under_way)),
        "flow": Selection(flow=version.flow_id),
    }
    assert order(system, selections[way]) == 3
    hand_out()
    assert {run.replay_of for run in started()} == set(ids)


def test_on_the_latest_version_where_that_is_asked_for(bench, system):
    version, ids = failed(bench, 1)
    better = FlowVersion.objects.create(
        flow=version.flow,
        workspace=bench.workspace,
        number=2,
        hash=uuid7().hex * 2,
        document=FINE,
        trigger_type="manual",
        created_at=clock.now(),
    )
    Flow.objects.filter(pk=version.flow_id).update(active_version=better)
    order(system, Selection(ids=tuple(ids)), version="latest")
    hand_out()
    drive_all()
    assert [(run.version_id, run.status) for run in started()] == [(better.pk, "completed")]


def test_one_that_cannot_be_done_again_holds_up_no_other_and_is_named(bench, system):
    _, ids = failed(bench, 2)
    other, more = failed(bench, 1)
    Flow.objects.filter(pk=other.flow_id).update(state="archived")
    order(system, Selection(ids=(*ids, *more)))
    hand_out()
    assert {run.replay_of for run in started()} == set(ids)
    row = AuditEvent.objects.filter(verb="run.replay").order_by("id").last()
    assert f"'run': '{more[0]}', 'code': 'flow_not_running'" in str(said(row))


def test_an_id_that_is_there_already_starts_nothing(bench, system):
    _, ids = failed(bench, 1)
    order(system, Selection(ids=tuple(ids)))
    payload = Outbox.objects.get(topic=again.TOPIC).payload
    again.start_ordered({**payload, "runs": [[str(ids[0]), str(ids[0])]]})
    assert not started()


def test_another_workspaces_run_is_left_alone(bench, system):
    _, ids = failed(bench, 1)
    order(system, Selection(ids=tuple(ids)))
    payload = Outbox.objects.get(topic=again.TOPIC).payload
    again.start_ordered({**payload, "workspace": str(ids[0])})
    assert not started()


def test_the_order_is_one_row_in_the_trail_with_the_reason(bench, system):
    _, ids = failed(bench, 3)
    order(system, Selection(filter={"status": "failed"}))
    row = AuditEvent.objects.get(verb="run.replay")
    assert "The shop was away" in str(said(row))
    assert all(str(one) in str(said(row)) for one in ids)


def test_without_a_reason_or_with_too_many_nothing_is_ordered(bench, system, monkeypatch):
    failed(bench, 3)
    with pytest.raises(Invalid):
        order(system, Selection(filter={"status": "failed"}), reason=" ")
    monkeypatch.setattr(again, "MOST", 2)
    with pytest.raises(Invalid):
        order(system, Selection(filter={"status": "failed"}))
    assert not Outbox.objects.filter(topic=again.TOPIC).exists()


class TestTheApi:
    URL = "/api/v1/runs/replay/"

    @pytest.fixture
    def browser(self, bench):
        bench.workspace = people.make_workspace(f"w{uuid7().hex[-12:]}")
        return people.browser(people.person(bench.workspace, "operator"))

    @pytest.fixture
    def post(self, browser):
        return lambda body: people.send(browser, "POST", self.URL, body)

    def test_counts_first_and_then_orders(self, bench, post):
        _, ids = failed(bench, 3)
        asked = {"filter": {"status": "failed"}, "version": "own"}
        assert post({**asked, "preview": True}).json() == {"count": 3}
        assert not Outbox.objects.filter(topic=again.TOPIC).exists()
        answer = post({**asked, "reason": "The shop was away"})
        assert (answer.status_code, answer.json()) == (200, {"count": 3})
        hand_out()
        assert {run.replay_of for run in started()} == set(ids)
        assert all(run.started_by for run in started())

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"all": True, "flow": "01a1fa86-4def-7fc0-b97d-b5b49d85a632"},
            {"filter": {"status": "failed"}},  # no reason
            {"filter": {"status": "failed"}, "reason": "So", "version": "newest"},
            {"filter": {"states": "failed"}, "reason": "So"},
            {"ids": ["7"], "reason": "So"},
        ],
    )
    def test_what_cannot_be_meant_is_refused(self, bench, post, body):
        failed(bench, 1)
        assert post(body).status_code in {400, 422}
        assert not Outbox.objects.filter(topic=again.TOPIC).exists()

    @pytest.mark.parametrize(
        ("sent", "code", "priority"),
        [({}, 201, 0), ({"priority": "bulk"}, 201, 20), ({"priority": "low"}, 201, 10),
         ({"priority": "high"}, 422, None), ({"priority": "now"}, 422, None),
         ({"priority": 7}, 422, None)],
    )  # fmt: skip
    def test_a_start_may_say_its_priority(self, bench, browser, sent, code, priority):
        version = bench.publish({**FINE, "settings": {"priority": "normal"}})
        url = f"/api/v1/flows/{version.flow_id}/runs/"
        answer = people.send(browser, "POST", url, {"input": {}, **sent})
        assert answer.status_code == code
        assert list(RunState.objects.values_list("priority", flat=True)) == (
            [] if priority is None else [priority]
        )
