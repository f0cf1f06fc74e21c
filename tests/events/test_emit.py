"""What a run publishes is written with the run's own rows, and says what it follows from."""

from typing import Any

import pytest

from apps.core import clock
from apps.runs import verify
from apps.runs.drive import drive_all
from apps.runs.models import Run
from apps.runs.wanted import event_id
from apps.triggers import envelope
from apps.triggers.models import Event
from tests.events.support import document, emitting, starting
from tests.runs.support import Stopped, outputs, status

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_envelope(bench):
    version = bench.publish(emitting(subject="= trigger.body.number", version="2"))
    run_id = bench.start(version, {"number": "R-17", "amount": 2})
    drive_all()

    event = Event.objects.get()
    told = envelope.as_cloud_event(event)
    assert told == {
        "specversion": "1.0",
        "id": str(event.pk),
        "source": f"/flows/{version.flow_id}",
        "type": "invoice.paid",
        "time": event.occurred_at.isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "version": "2",
        "workspace": str(bench.workspace.pk),
        "correlationid": str(run_id),
        "causationid": str(run_id),
        "depth": 1,
        "subject": "R-17",
        "run": str(run_id),
        "step": "tell",
        "data": {"number": "R-17", "amount": 2},
    }
    assert outputs(run_id)["tell"]["id"] == event.event_id == str(event.pk)
    assert verify.check_runs().problems == []


def test_it_is_written_with_the_run_or_not_at_all(bench):
    run_id = bench.start(bench.publish(emitting()))
    with Stopped("insert into run_event"):
        assert not Event.objects.exists()

    assert status(run_id) == "completed"
    assert Event.objects.count() == 1


def test_a_run_that_ends_in_the_same_breath_has_still_told(bench):
    doc = document(
        {
            "tell": {"type": "emit", "config": {"type": "it.ends"}},
            "end": {"type": "stop", "config": {"outcome": "failed"}},
        },
        ["trigger -> tell", "tell -> end"],
    )
    bench.run(doc)

    assert Event.objects.get().data is None


def test_each_visit_tells_its_own_and_ids_follow_from_visit_and_time(bench):
    doc = document(
        {
            "all": {"type": "for_each", "config": {"items": "[1, 2, 3]"}},
            "tell": {"type": "emit", "in": "all", "config": {"type": "a.b", "data": "= item"}},
        },
        ["trigger -> all", "all.body -> tell"],
    )
    run = bench.run(doc)

    carried: list[Any] = list(Event.objects.values_list("data", flat=True))
    assert sorted(carried) == [1, 2, 3]
    now = clock.now()
    ids = {event_id(now, run.pk, "tell", visit) for visit in (1, 2, 3)}
    assert len(ids) == 3
    assert ids == {event_id(now, run.pk, "tell", visit) for visit in (1, 2, 3)}
    assert {one.version for one in ids} == {7}


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"type": '= "no good"'}, "bad_config"),
        ({"type": "= trigger.body.none"}, "expression.missing_path"),
        ({"ttl": '= "soon"'}, "bad_duration"),
        ({"ttl": '= "P31D"'}, "bad_duration"),
        ({"data": '= for i in 1..400000 return "abc"'}, None),
    ],
)
def test_what_cannot_be_told_fails_the_step(bench, config, code):
    doc = document(
        {"tell": {"type": "emit", "config": {"type": "a.b", **config}}}, ["trigger -> tell"]
    )
    run = bench.run(doc, {})

    assert run.status == "failed"
    assert code is None or run.error["code"] == code
    assert not Event.objects.exists()


def test_correlation_and_causation_go_on_from_flow_to_flow(bench):
    first = bench.release(emitting("one"))
    second = bench.release(
        {
            **emitting("two"),
            "trigger": {"type": "event", "config": {"type": "one"}},
        }
    )
    third = bench.release(starting("two"))
    run_id = bench.start(first, {"n": 1})
    bench.settle()

    one, two = Event.objects.order_by("id")
    assert [one.depth, two.depth] == [1, 2]
    assert (two.correlation, two.causation) == (str(run_id), one.event_id)
    assert {one.correlation_id for one in Run.objects.all()} == {run_id}
    [run] = bench.runs_of(third)
    assert run.status == "completed"
    assert outputs(run.pk)["note"]["got"] == {"n": 1}
    assert bench.runs_of(second)[0].trigger_type == "event"
