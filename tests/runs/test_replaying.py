"""A run is done again: what was done is not done twice; and a run is shown as it was."""

from datetime import timedelta

import pytest

from apps.core import clock
from apps.core.errors import Invalid, NotFound
from apps.flows.models import FlowVersion
from apps.runs import commands, history, queries, replaying, sweep, verify
from apps.runs.drive import drive_all
from apps.runs.models import Effect, Run, RunEvent, RunState, Timer
from tests.runs.support import assert_replays, document, journal, outputs, status

pytestmark = pytest.mark.django_db(transaction=True)


def call(**more):
    config = {"url": "http://127.0.0.1:9/", "method": "POST"}
    return {"type": "http.request", "config": config, **more}


def tell(text, **more):
    return {"type": "map", "config": {"fields": {"text": text}}, **more}


TWO = document(
    {
        "first": call(),
        "between": tell("= steps.first.output.body.n"),
        "second": call(),
        "last": tell("= steps.second.output.body.n"),
    },
    ["trigger -> first", "first -> between", "between -> second", "second -> last"],
)


@pytest.fixture
def system(bench, people_of):
    return people_of(bench)


def answer(run_id, step, n, visit=1):
    """What a worker writes when the other side has answered."""
    output = {"status": 200, "headers": {}, "body": {"n": n}}
    finish(run_id, "complete", step, visit, port="done", output=output)


def refuse(run_id, step, visit=1):
    error = {"step": step, "class": "permanent", "code": "http_status", "message": "No."}
    finish(run_id, "fail", step, visit, error=error, output=None)


def finish(run_id, kind, step, visit, **payload):
    Effect.objects.filter(run_id=run_id, step=step, visit=visit).update(status="succeeded")
    commands.add_command(
        run_id=run_id,
        lane=RunState.objects.get(run_id=run_id).lane,
        kind=kind,
        payload={"step": step, "visit": visit, **payload},
        now=clock.now(),
    )
    drive_all()


def again(system, run_id, from_step="", version="own", mode="live"):
    run = replaying.replay_run(
        actor=system,
        run_id=run_id,
        from_step=from_step,
        version=version,
        mode=mode,
        now=clock.now(),
    )
    drive_all()
    return run.id


def sent(run_id):
    return list(Effect.objects.filter(run_id=run_id).values_list("step", "visit"))


def half_done(bench):
    run_id = bench.start(bench.publish(TWO), {"a": 1}, started_by="ada@example.org")
    drive_all()
    answer(run_id, "first", 1)
    refuse(run_id, "second")
    assert status(run_id) == "failed"
    return run_id


class TestLive:
    def test_from_the_start_sends_only_what_was_not_done(self, bench, system):
        run_id = half_done(bench)
        new = again(system, run_id)

        assert Run.objects.get(pk=new).replay_of == run_id
        assert sent(new) == [("second", 1)]
        assert outputs(new)["between"] == {"text": 1}
        taken = RunEvent.objects.get(run_id=new, step="first", type="step.completed")
        assert taken.data["taken"] is True
        assert_replays(new)
        answer(new, "second", 2)
        assert status(new) == "completed"
        assert outputs(new)["last"] == {"text": 2}
        assert_replays(new)
        assert verify.check_runs().problems == []

    def test_from_a_step_takes_over_what_came_before_it(self, bench, system):
        doc = document(
            {
                "wait": {"type": "delay", "config": {"for": "PT1H"}},
                "stamp": tell("= string(now())"),
                "send": call(),
            },
            ["trigger -> wait", "wait -> stamp", "stamp -> send"],
        )
        run_id = bench.start(bench.publish(doc))
        drive_all()
        Timer.objects.update(fires_at=clock.now() - timedelta(seconds=1))
        sweep.fire_timers(now=clock.now())
        drive_all()
        refuse(run_id, "send")
        before = outputs(run_id)["stamp"]

        new = again(system, run_id, "send")
        assert outputs(new)["stamp"] == before
        assert not Timer.objects.filter(run_id=new).exists()
        assert sent(new) == [("send", 1)]
        assert_replays(new)
        assert status(again(system, run_id)) == "waiting"  # the hour is waited for anew

    def test_items_of_a_list_have_each_its_own_outcome(self, bench, system):
        doc = document(
            {
                "all": {"type": "for_each", "config": {"items": "= trigger.body", "parallel": 3}},
                "a": call(**{"in": "all"}),
                "b": tell("= string(item) + string(steps.a.output.body.n)", **{"in": "all"}),
                "c": call(**{"in": "all"}),
            },
            ["trigger -> all", "all.body -> a", "a -> b", "b -> c"],
        )
        run_id = bench.start(bench.publish(doc), [10, 20, 30])
        drive_all()
        for visit in (3, 1, 2):  # not in the order of the items
            answer(run_id, "a", visit * 100, visit)
        answer(run_id, "c", 7, 1)  # the item that was through first: the third
        refuse(run_id, "c", 2)

        new = again(system, run_id)
        texts = {
            row.data["output"]["text"]
            for row in RunEvent.objects.filter(run_id=new, step="b", type="step.completed")
        }
        assert texts == {"10100", "20200", "30300"}
        assert [step for step, _ in sent(new)] == ["c", "c"]
        taken = RunEvent.objects.get(run_id=new, step="c", type="step.completed")
        assert taken.data["visit"] == 3
        assert_replays(new)

    def test_what_was_undone_is_done_anew(self, bench, system):
        doc = document(
            {"book": call(undo="unbook"), "unbook": call(), "pay": call()},
            ["trigger -> book", "book -> pay"],
        )
        run_id = bench.start(bench.publish(doc))
        drive_all()
        answer(run_id, "book", 1)
        refuse(run_id, "pay")
        answer(run_id, "unbook", 1)
        assert status(run_id) == "failed"

        assert sent(again(system, run_id)) == [("book", 1)]

    def test_on_the_latest_version_where_steps_are_other_ones(self, bench, system):
        run_id = half_done(bench)
        version = FlowVersion.objects.get()
        latest = FlowVersion.objects.create(
            flow=version.flow,
            workspace=version.workspace,
            number=2,
            hash="f" * 64,
            document={**TWO, "steps": {**TWO["steps"], "between": {**tell("new"), "version": 1}}},
            trigger_type="manual",
            created_at=clock.now(),
        )
        version.flow.active_version = latest
        version.flow.save()

        new = again(system, run_id, version="latest")
        assert outputs(new)["between"] == {"text": "new"}
        assert sent(new) == [("second", 1)]
        assert outputs(again(system, run_id))["between"] == {"text": 1}


class TestDry:
    def test_sends_nothing_and_uses_what_is_recorded(self, bench, system):
        run_id = bench.start(bench.publish(TWO), {})
        drive_all()
        answer(run_id, "first", 1)
        answer(run_id, "second", 2)

        new = again(system, run_id, mode="dry")
        assert status(new) == "completed"
        assert outputs(new)["last"] == {"text": 2}
        assert sent(new) == []

    def test_stops_where_nothing_is_recorded_and_says_so(self, bench, system):
        run_id = bench.start(bench.publish(TWO), {})
        drive_all()
        answer(run_id, "first", 1)

        new = again(system, run_id, mode="dry")
        assert (status(new), sent(new)) == ("completed", [])
        run = Run.objects.get(pk=new)
        shown = queries.replay_of(run, queries.journal(run))
        assert shown is not None
        assert (shown["stopped_at"], shown["mode"]) == ("second", "dry")
        assert "“second”" in RunEvent.objects.get(run_id=new, type="run.completed").data["message"]
        assert_replays(new)

    def test_asks_nobody_and_waits_for_nothing(self, bench, system):
        doc = document({"wait": {"type": "delay", "config": {"for": "PT1H"}}}, ["trigger -> wait"])
        run_id = bench.start(bench.publish(doc))
        drive_all()
        new = again(system, run_id, mode="dry")
        assert status(new) == "completed"
        assert not Timer.objects.filter(run_id=new).exists()


class TestRefused:
    def test_a_step_that_is_not_there_or_was_not_reached(self, bench, system):
        run_id = half_done(bench)
        with pytest.raises(Invalid):
            again(system, run_id, "nowhere")
        with pytest.raises(Invalid):
            again(system, run_id, "last")

    def test_what_the_latest_version_does_not_take(self, bench, system):
        version = bench.publish(TWO)
        run_id = bench.start(version, {"n": "x"})
        drive_all()
        contract = {"input": {"properties": {"n": {"type": "number"}}}}
        version.flow.active_version = FlowVersion.objects.create(
            flow=version.flow,
            workspace=bench.workspace,
            number=2,
            hash="2" * 64,
            document={**TWO, "settings": {"contract": contract}},
            trigger_type="manual",
            created_at=clock.now(),
        )
        version.flow.save()
        with pytest.raises(Invalid) as refused:
            again(system, run_id, version="latest")
        assert refused.value.fields["errors"] == [
            {"path": "n", "message": "It must be a number; it is text."}
        ]
        again(system, run_id)

    def test_a_run_that_never_began(self, bench, system):
        run_id = bench.start(bench.publish(TWO), {})
        with pytest.raises(replaying.NothingToReplay):
            again(system, run_id)


class TestAsItWas:
    def test_after_every_row(self, bench):
        run_id = half_done(bench)
        run = Run.objects.get(pk=run_id)
        rows = journal(run_id)
        last = len(rows)
        shown = {seq: history.run_at(run, seq) for seq in range(1, last + 1)}

        assert shown[1]["status"] == "running"
        assert (shown[1]["last_seq"], shown[1]["type"]) == (last, "run.started")
        opened = next(seq for seq in shown if rows[seq - 1] == ("step.started", "first"))
        waited = [(one["kind"], one["step"]) for one in shown[opened]["waiting_for"]]
        assert waited == [("effect", "first")]
        assert shown[opened]["steps"]["first"]["output"] is None
        assert "second" not in shown[opened]["steps"]
        assert shown[last]["status"] == "failed"
        assert shown[last]["error"]["step"] == "second"
        assert shown[last]["waiting_for"] == []
        assert shown[last]["steps"] == queries.steps_of(run, queries.journal(run))

    def test_a_row_that_is_not_there(self, bench):
        run = Run.objects.get(pk=half_done(bench))
        for seq in (0, 999):
            with pytest.raises(NotFound):
                history.run_at(run, seq)
