"""Why a run waits: one exact reason per thing that it waits for."""

from datetime import timedelta

import pytest

from apps.core import clock
from apps.engine import events as ev
from apps.flows.models import Flow
from apps.runs import commands, effects, queries, queueing, stopping, stuck
from apps.runs.drive import drive_all
from apps.runs.models import PARKED, Effect, Run, RunCommand, RunState, StuckRun
from apps.runs.priorities import Priority
from tests.runs.support import complete, document, flood

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

    def test_one_that_waits_for_a_worker_says_what_goes_before_it(self, bench):
        version = bench.publish(document({"call": CALL}, ["trigger -> call"]))
        for priority in (Priority.HIGH, Priority.NORMAL, Priority.LOW, Priority.LOW):
            run_id = bench.start(version, priority=priority)
        drive_all()

        [reason] = why(run_id)
        assert (reason["kind"], reason["priority"], reason["ahead"]) == ("effect", "low", 2)
        assert reason["detail"].endswith("Its priority is “low”, and 2 go before it.")

    def test_a_silent_worker_is_named_as_such(self, bench):
        run_id = bench.start(bench.publish(document({"call": CALL}, ["trigger -> call"])))
        drive_all()
        effects.claim()
        Effect.objects.update(lease_until=clock.real_now() - timedelta(seconds=1))

        [reason] = why(run_id)
        assert reason["kind"] == "effect"
        assert "is silent" in reason["detail"]

    def test_one_that_killed_two_workers_waits_for_an_idle_one(self, bench):
        run_id = bench.start(bench.publish(document({"call": CALL}, ["trigger -> call"])))
        drive_all()
        Effect.objects.update(deaths=2)

        [reason] = why(run_id)
        assert reason["detail"] == "Waits for a worker with nothing else to do: 2 died with it."

    def test_while_everything_is_stopped_it_says_by_whom(self, bench, people_of):
        run_id = bench.start(bench.publish(document({"call": CALL}, ["trigger -> call"])))
        drive_all()
        stopping.stop_everything(actor=people_of(bench), reason="Fire drill", now=clock.now())

        [reason] = why(run_id)
        assert (reason["kind"], reason["step"]) == ("stopped", "call")
        assert "Fire drill" in reason["detail"]


class TestWorkers:
    """Runs with something to do that nobody drives yet."""

    DOC = document({"a": {"type": "map", "config": {"fields": {}}}}, ["trigger -> a"])

    def test_none_is_free(self, bench):
        run_id = bench.start(bench.publish(self.DOC))
        [reason] = why(run_id)
        assert (reason["kind"], reason["detail"]) == ("worker", "Waits for a worker.")
        assert (reason["priority"], reason["ahead"]) == ("normal", 0)

    def test_others_go_before_it(self, bench):
        version = bench.publish(self.DOC)
        bench.start(version, priority=Priority.HIGH)
        bench.start(version)
        run_id = bench.start(version)
        bench.start(version)
        [reason] = why(run_id)
        assert reason["ahead"] == 2
        assert "Its priority is “normal”, and 2 go before it." in reason["detail"]

    def test_so_many_that_they_are_not_counted(self, bench):
        version = bench.publish(self.DOC)
        flood(version, queueing.MOST_COUNTED + 5)
        run_id = bench.start(version, priority=Priority.BULK)
        [reason] = why(run_id)
        assert reason["ahead"] == queueing.MOST_COUNTED
        assert "more than 1000 go before it" in reason["detail"]

    def test_it_has_killed_a_driver(self, bench):
        run_id = bench.start(bench.publish(self.DOC))
        RunState.objects.update(deaths=2)
        [reason] = why(run_id)
        assert reason["kind"] == "worker"
        assert "takes it alone: 2 of them died" in reason["detail"]

    def test_it_was_put_aside_because_it_could_not_even_be_paused(self, bench):
        run_id = bench.start(bench.publish(self.DOC))
        RunCommand.objects.update(priority=PARKED)
        [reason] = why(run_id)
        assert reason["kind"] == "fault"
        assert "Put aside" in reason["detail"]

    def test_a_newer_release_has_written_it(self, bench):
        run_id = bench.start(bench.publish(self.DOC))
        RunState.objects.update(format=max(ev.READABLE) + 1, snapshot={"unheard": "of"})
        [reason] = why(run_id)
        assert reason["kind"] == "worker"
        assert "newer release" in reason["detail"]


class TestBeforeItBegins:
    def test_its_flow_is_paused(self, bench):
        run_id = bench.start(bench.publish(TestWorkers.DOC), held=True)
        [reason] = why(run_id)
        assert (reason["kind"], reason["detail"]) == ("paused", "The flow is paused")
        assert reason["since"] is not None

    def test_everything_is_stopped(self, bench, people_of):
        stopping.stop_everything(actor=people_of(bench), reason="Fire drill", now=clock.now())
        run_id = bench.start(bench.publish(TestWorkers.DOC))
        drive_all()
        [reason] = why(run_id)
        assert reason["kind"] == "stopped"
        assert "Fire drill" in reason["detail"]

    def test_bulk_starts_that_came_first_do_not_go_before_a_live_one(self, bench):
        doc = document({"a": hold()}, ["trigger -> a"], settings={"concurrency": {"max": 1}})
        version = bench.publish(doc)
        bench.start(version)
        drive_all()
        bulk = bench.start(version, priority=Priority.BULK)
        live = bench.start(version)
        drive_all()
        assert (why(live)[0]["ahead"], why(bulk)[0]["ahead"]) == (0, 1)


class TestAFlowThatRunsItself:
    """Under its own run limit it waits for a place that it holds."""

    @staticmethod
    def publish(bench, most, wait=True):
        config = {"flow": "Itself", "wait": wait, "input": {"again": "= false"}}
        doc = document(
            {
                "again": {
                    "type": "decide",
                    "config": {
                        "branches": [{"port": "yes", "when": "trigger.body.again"}],
                        "otherwise": "no",
                    },
                },
                "itself": {"type": "subflow", "config": config},
            },
            ["trigger -> again", "again.yes -> itself"],
            settings={"concurrency": {"max": most}},
        )
        version = bench.publish(doc)
        Flow.objects.filter(pk=version.flow_id).update(name="Itself")
        return version

    def test_both_say_that_neither_goes_on_and_are_stuck(self, bench):
        run_id = bench.start(self.publish(bench, 1), {"again": True})
        drive_all()
        child = RunState.objects.get(parent_id=run_id).run_id

        [upper], [lower] = why(run_id), why(child)
        assert (upper["kind"], upper["run"], upper["for_ever"]) == ("run", child, True)
        assert "neither goes on" in upper["detail"]
        assert (lower["kind"], lower["held_by"], lower["for_ever"]) == ("limit", [run_id], True)
        assert "neither goes on" in lower["detail"]
        assert stuck.note_stuck(now=clock.now() + timedelta(minutes=5)) == 1
        assert StuckRun.objects.get().run_id == run_id

    def test_with_a_place_left_it_goes_on(self, bench):
        run_id = bench.start(self.publish(bench, 2), {"again": True})
        drive_all()
        assert Run.objects.get(pk=run_id).status == "completed"

    def test_one_that_another_holder_may_make_room_for_only_waits(self, bench):
        version = self.publish(bench, 2)
        doc = document({"a": hold()}, ["trigger -> a"], settings={"concurrency": {"max": 2}})
        other = bench.publish(doc)
        holder = bench.start(other)
        RunState.objects.filter(run_id=holder).update(flow_id=version.flow_id)
        drive_all()
        run_id = bench.start(version, {"again": True})
        drive_all()
        child = RunState.objects.get(parent_id=run_id).run_id
        [reason] = why(child)
        assert "for_ever" not in reason
        assert set(reason["held_by"]) == {holder, run_id}


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
