"""Why a run waits: one exact reason per thing that it waits for."""

from datetime import timedelta

import pytest

from apps.core import clock
from apps.engine import events as ev
from apps.runs import commands, effects, queries
from apps.runs.drive import drive_all
from apps.runs.models import Effect, Run
from tests.runs.support import complete, document

pytestmark = pytest.mark.django_db(transaction=True)

CALL = {"type": "http.request", "config": {"url": "http://127.0.0.1:9/", "method": "GET"}}


def hold(hours="PT1H", **more):
    return {"type": "delay", "config": {"for": hours}, **more}


def why(run_id):
    return queries.waiting_for(Run.objects.get(pk=run_id))


class TestJoin:
    DOC = document(
        {
            "a": hold(),
            "b": hold(),
            "c": hold(),
            "meet": {"type": "join", "config": {"mode": "all"}},
        },
        ["trigger -> a", "trigger -> b", "trigger -> c", "a -> meet", "b -> meet", "c -> meet"],
    )

    def test_names_the_links_that_have_not_come(self, bench):
        run_id = bench.start(bench.publish(self.DOC))
        drive_all()
        assert [one["kind"] for one in why(run_id)] == ["time"] * 3
        complete(run_id, "a")
        drive_all()

        *timers, join = why(run_id)
        assert [one["step"] for one in timers] == ["b", "c"]
        assert timers[0]["until"] - timers[0]["since"] == timedelta(hours=1)
        assert (join["kind"], join["step"]) == ("join", "meet")
        assert [(one["from"], one["port"]) for one in join["missing"]] == [
            ("b", "done"),
            ("c", "done"),
        ]
        assert join["detail"] == "Waits for “b”, “c”."


class TestLock:
    def test_names_the_lock_and_the_step_that_holds_it(self, bench):
        doc = document(
            {"a": hold(lock="till"), "b": hold(lock="till")}, ["trigger -> a", "trigger -> b"]
        )
        run_id = bench.start(bench.publish(doc))
        drive_all()

        reasons = {one["step"]: one for one in why(run_id)}
        assert reasons["a"]["kind"] == "time"
        assert (reasons["b"]["kind"], reasons["b"]["lock"]) == ("lock", "till")
        assert reasons["b"]["holders"] == [{"step": "a", "visit": 1, "title": "a"}]


class TestLimit:
    def test_names_the_runs_that_hold_it_and_how_many_wait_before(self, bench):
        doc = document({"a": hold()}, ["trigger -> a"], settings={"concurrency": {"max": 1}})
        version = bench.publish(doc)
        first, second, third = (bench.start(version) for _ in range(3))
        drive_all()

        [reason] = why(third)
        assert (reason["kind"], reason["ahead"], reason["held_by"]) == ("limit", 1, [first])
        assert reason["holders"][0]["title"] == "Test"
        assert reason["detail"].startswith("At most 1 run of the flow")
        assert why(second)[0]["ahead"] == 0


class TestEffects:
    def test_under_way_with_its_lease(self, bench):
        run_id = bench.start(bench.publish(document({"call": CALL}, ["trigger -> call"])))
        drive_all()
        assert why(run_id)[0]["detail"] == "Waits for a free worker."
        effects.claim()

        [reason] = why(run_id)
        assert (reason["kind"], reason["attempt"]) == ("effect", 1)
        assert reason["lease_until"] > clock.now()
        assert reason["since"] is not None

    def test_a_retry_says_after_which_error_and_when(self, bench):
        run_id = bench.start(bench.publish(document({"call": CALL}, ["trigger -> call"])))
        drive_all()
        effect = Effect.objects.get()
        next_at = clock.now() + timedelta(minutes=5)
        error = ev.Error("call", "transient", "http_status", "It answered 503.")
        Effect.objects.update(attempt=1, available_at=next_at)
        commands.add_command(
            run_id=run_id,
            lane=effect.lane,
            kind="retry",
            payload={"step": "call", "visit": 1, "attempt": 1, "error": error.as_json(),
                     "next_at": next_at.isoformat()},
            now=clock.now(),
        )  # fmt: skip
        drive_all()

        [reason] = why(run_id)
        assert (reason["kind"], reason["until"], reason["attempt"]) == ("retry", next_at, 1)
        assert reason["max_attempts"] == effect.max_attempts
        assert reason["error"] == error.as_json()


class TestContainers:
    def test_count_what_is_done(self, bench):
        doc = document(
            {
                "all": {"type": "for_each", "config": {"items": "= trigger.body", "parallel": 3}},
                "wait": hold(**{"in": "all"}),
            },
            ["trigger -> all", "all.body -> wait"],
        )
        run_id = bench.start(bench.publish(doc), [1, 2, 3, 4, 5])
        drive_all()
        complete(run_id, "wait", 1)
        drive_all()

        items, *inside = why(run_id)
        assert items["kind"] == "items"
        assert items["counts"] == {"done": 1, "failed": 0, "at_work": 3, "of": 5}
        assert [one["kind"] for one in inside] == ["time"] * 3


class TestQueries:
    def test_do_not_grow_with_the_number_of_waits(self, bench, django_assert_num_queries):
        def asked(count):
            steps = {f"s{n}": hold() for n in range(count)}
            doc = document(steps, [f"trigger -> s{n}" for n in range(count)])
            run_id = bench.start(bench.publish(doc))
            drive_all()
            run = Run.objects.get(pk=run_id)
            with django_assert_num_queries(5):
                assert len(queries.waiting_for(run)) == count

        asked(1)
        asked(12)


def test_a_run_that_is_over_waits_for_nothing(bench):
    assert why(bench.run(document({"a": hold("PT0S")}, ["trigger -> a"])).id)[0]["kind"] == "time"
    bench.settle()
    assert why(Run.objects.get().id) == []
