"""Runs limited for each value of a key: so many at once, in the order in which they came."""

from typing import Any
from uuid import UUID

import pytest

from apps.core import clock
from apps.core.models import uuid7
from apps.flows.models import FlowVersion
from apps.runs import commands, queries, verify
from apps.runs.drive import drive_all, drive_batch
from apps.runs.models import Run, RunCommand
from apps.steps.check import check_document
from tests.runs.support import Stopped, complete, document, status

pytestmark = pytest.mark.django_db(transaction=True)


def flow(**concurrency: Any) -> dict[str, Any]:
    return document(
        {"wait": {"type": "delay", "config": {"for": "P1D"}}},
        ["trigger -> wait"],
        settings={"concurrency": {"max": 1, "key": "trigger.body.customer", **concurrency}},
    )


def begun(runs: list[UUID]) -> list[int]:
    """Which of them are under way or over, by their place."""
    return [place for place, run_id in enumerate(runs) if status(run_id) != "queued"]


@pytest.fixture
def started(bench):
    def start(doc: dict[str, Any], *customers: Any) -> list[UUID]:
        version = bench.publish(doc)
        return [bench.start(version, {"customer": one}) for one in customers]

    return start


def test_each_value_has_places_of_its_own(started):
    runs = started(flow(), "a", "a", "b", "a")
    drive_all()
    assert begun(runs) == [0, 2]
    assert not verify.check_runs().problems


def test_the_next_of_a_value_goes_when_one_is_over_in_the_order_they_came(started):
    runs = started(flow(), "a", "b", "a", "a", "b")
    drive_all()
    for done, then in ((0, [0, 1, 2]), (2, [0, 1, 2, 3]), (1, [0, 1, 2, 3, 4])):
        complete(runs[done], "wait")
        drive_all()
        assert begun(runs) == then
        assert not verify.check_runs().problems


def test_a_place_that_was_handed_on_is_counted_before_it_is_taken(started):
    runs = started(flow(), "a", "a")
    drive_all()
    complete(runs[0], "wait")
    drive_batch()
    assert RunCommand.objects.filter(kind="admit").exists()
    assert not verify.check_runs().problems


def test_one_that_waits_says_who_has_the_place(started):
    runs = started(flow(), "a", "a")
    drive_all()
    (reason,) = queries.waiting_for(Run.objects.get(pk=runs[1]))
    assert (reason["kind"], reason["held_by"]) == ("limit", [runs[0]])


def test_a_key_that_cannot_be_told_counts_as_one_value(started):
    runs = started(flow(key="trigger.body.customer.id"), "a", "b")
    drive_all()
    assert begun(runs) == [0]


def test_without_a_key_all_runs_share_the_places(started):
    runs = started(flow(key=None), "a", "b")
    drive_all()
    assert begun(runs) == [0]


def test_one_that_is_cancelled_while_it_waits_takes_no_place(started, bench, people_of):
    runs = started(flow(), "a", "a", "a")
    drive_all()
    commands.cancel_run(actor=people_of(bench), run_id=runs[1], reason="", now=clock.now())
    complete(runs[0], "wait")
    drive_all()
    assert status(runs[1]) == "cancelled"
    assert status(runs[2]) == "waiting"
    assert not verify.check_runs().problems


def test_a_driver_does_not_pass_a_start_that_another_has_in_hand(started):
    runs = started(flow(), "a")
    with Stopped("run_limit") as first:
        version = Run.objects.get(pk=runs[0]).version_id
        later = _again(version)
        assert status(later) == "queued"
        drive_batch()
        assert status(later) == "queued"
        first.go_on()
    drive_all()
    assert (status(runs[0]), status(later)) == ("waiting", "queued")


def _again(version_id: UUID) -> UUID:
    version = FlowVersion.objects.get(pk=version_id)
    run_id, now = uuid7(), clock.now()
    payload = commands.start_payload(
        run_id=run_id, trigger_type="manual", body={"customer": "a"}, now=now
    )
    commands.enqueue_run(
        parameters=commands.run_values(
            run_id=run_id,
            workspace_id=version.workspace_id,
            flow_id=version.flow_id,
            version_id=version.pk,
            trigger_type="manual",
            payload=payload,
            now=now,
            held=False,
        )
    )
    return run_id


@pytest.mark.parametrize("key", ["trigger.", "steps.wait.output", "trigger.bdy.customer"])
def test_a_key_that_reads_what_is_not_there_is_found_at_check(key):
    found = {one.code for one in check_document(flow(key=key)) if one.severity == "error"}
    assert found & {"bad_expression", "unknown_name", "missing_path"}
