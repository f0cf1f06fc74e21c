"""Runs on the real tables, driven in this process."""

import pytest

from apps.runs.drive import drive_all, drive_batch
from apps.runs.models import RunCommand, RunState
from tests.runs.support import assert_replays, document, journal, outputs

pytestmark = pytest.mark.django_db(transaction=True)

THREE = document(
    {
        "name": {"type": "map", "config": {"fields": {"who": "= trigger.body.customer.name"}}},
        "size": {
            "type": "decide",
            "config": {
                "branches": [{"port": "large", "when": "trigger.body.amount > 1000"}],
                "otherwise": "small",
            },
        },
        "big": {"type": "map", "config": {"fields": {"text": '= "Big: " + steps.name.output.who'}}},
        "end": {"type": "stop", "config": {"outcome": "completed"}},
    },
    ["trigger -> name", "name -> size", "size.large -> big", "big -> end", "size.small -> end"],
)
BODY = {"customer": {"name": "Ada"}, "amount": 5000}


def test_a_run_of_pure_steps_is_finished_by_one_batch(bench):
    run = bench.run(THREE, BODY)

    assert run.status == "completed"
    assert [type_ for type_, _ in journal(run.id)] == [
        "run.started",
        "step.completed",
        "step.completed",
        "step.completed",
        "step.completed",
        "run.completed",
    ]
    assert outputs(run.id)["big"] == {"text": "Big: Ada"}
    assert not RunState.objects.exists()
    assert not RunCommand.objects.exists()
    assert_replays(run.id)


def test_an_expression_that_fails_ends_the_run_with_step_class_and_sentence(bench):
    run = bench.run(THREE, {"customer": {}, "amount": 1})

    assert run.status == "failed"
    assert run.error["step"] == "name"
    assert run.error["class"] == "permanent"
    assert "name" in run.error["message"]
    assert_replays(run.id)


def test_a_large_output_is_kept_once_and_read_back(bench):
    doc = document(
        {
            "copy": {"type": "map", "config": {"fields": {"text": "= trigger.body.text"}}},
            "wait": {"type": "delay", "config": {"for": "PT0S"}},
            "read": {
                "type": "map",
                "config": {"fields": {"n": "= string length(steps.copy.output.text)"}},
            },
        },
        ["trigger -> copy", "copy -> wait", "wait -> read"],
    )
    run_id = bench.start(bench.publish(doc), {"text": "x" * 40_000})
    bench.settle()

    assert outputs(run_id)["read"] == {"n": 40_000}
    assert_replays(run_id)


def test_a_delay_waits_and_goes_on(bench):
    doc = document(
        {
            "wait": {"type": "delay", "config": {"for": "P2D"}},
            "end": {"type": "map", "config": {"fields": {}}},
        },
        ["trigger -> wait", "wait -> end"],
    )
    run = bench.run(doc)

    assert run.status == "waiting"
    assert_replays(run.id)


def test_a_loop_without_an_end_is_stopped_and_named(bench):
    doc = document(
        {
            "a": {"type": "map", "config": {"fields": {}}},
            "b": {"type": "map", "config": {"fields": {}}},
        },
        ["trigger -> a", "a -> b", "b -> a"],
        settings={"max_steps": 500},
    )
    run = bench.run(doc)

    assert run.status == "failed"
    assert run.error["code"] == "too_many_steps"
    assert_replays(run.id)


def test_no_more_runs_than_the_limit_are_under_way(bench):
    doc = document(
        {"wait": {"type": "delay", "config": {"for": "PT0S"}}},
        ["trigger -> wait"],
        settings={"concurrency": {"max": 2}},
    )
    version = bench.publish(doc)
    ids = [bench.start(version) for _ in range(5)]
    drive_batch()

    from apps.runs.models import Limit, Run, WaitingStart

    assert Limit.objects.get().used == 2
    assert WaitingStart.objects.count() == 3
    bench.settle()
    assert {run.status for run in Run.objects.filter(pk__in=ids)} == {"completed"}
    assert Limit.objects.get().used == 0


def test_a_fault_of_ours_pauses_its_own_run_only(bench, monkeypatch):
    from apps.runs.models import Run

    good = bench.start(bench.publish(THREE), BODY)
    broken = bench.start(
        bench.publish(document({"x": {"type": "join", "config": {}}}, ["trigger -> x"])), {}
    )
    monkeypatch.setattr(
        "apps.engine.joins.due",
        lambda graph, *_: (_ for _ in ()).throw(RuntimeError("x")) if "x" in graph.steps else None,
    )
    drive_all()

    assert Run.objects.get(pk=good).status == "completed"
    assert Run.objects.get(pk=broken).status == "paused"
