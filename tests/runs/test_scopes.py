"""Steps that contain steps, on the real tables: many items, undoing, time limits, withdrawing."""

import json
from datetime import timedelta

import pytest
from django.db import connection

from apps.connections.commands import allow_host
from apps.core import clock
from apps.inbox import commands as inbox
from apps.inbox.models import UserTask
from apps.runs import commands, effects, queries, snapshots, sweep, verify
from apps.runs.drive import drive_all, drive_batch
from apps.runs.models import Effect, Run, RunCommand, RunEvent, RunState, Timer
from apps.runs.slots import Slots
from tests.runs.support import (
    assert_replays,
    complete,
    document,
    journal,
    last_row,
    outputs,
    status,
)
from tests.support import people
from tests.support.servers import response, serving

pytestmark = pytest.mark.django_db(transaction=True)

MANY = list(range(1000))


def each(**config):
    return {"type": "for_each", "config": {"items": "trigger.body.list", **config}}


def note(**fields):
    return {"type": "map", "config": {"fields": fields}}


def items_kept():
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from run_item")
        return cursor.fetchone()[0]


def cancel(bench, people_of, run_id):
    commands.cancel_run(actor=people_of(bench), run_id=run_id, reason="", now=clock.now())


@pytest.fixture
def loads(monkeypatch):
    """How many items each slice had at hand when it began."""
    counts: list[int] = []
    plain = snapshots.load

    def load(cursor, runs):
        runs = list(runs)
        plain(cursor, runs)
        counts.extend(len(run.loaded.items) for run, _ in runs)

    monkeypatch.setattr(snapshots, "load", load)
    return counts


@pytest.fixture
def calls(bench, people_of, monkeypatch):
    """A server that calls may go to, and a document's steps that call it."""
    monkeypatch.setattr(effects, "_slots", Slots())
    allow_host(actor=people_of(bench), host="127.0.0.1", port=None, reason="Test.", now=clock.now())

    def answer(request, *_):
        wrong = b"/fail" in request.split(b"\r\n", 1)[0]
        return response(b"{}", status="404 Not Found" if wrong else "200 OK")

    with serving(answer) as server:
        yield Calls(server)


class Calls:
    def __init__(self, server):
        self.server = server

    def step(self, name, **more):
        url = f"http://127.0.0.1:{self.server.port}/{name}"
        return {"type": "http.request", "config": {"url": url, "method": "POST"}, **more}

    @property
    def made(self):
        """The calls that came, in order."""
        return [one.split(b" ")[1].decode().strip("/") for one in self.server.requests]

    def key(self, name):
        """The idempotency key of the call of that name."""
        (request,) = [one for one in self.server.requests if one.split(b" ")[1].endswith(name)]
        head = request.split(b"\r\n\r\n")[0].decode().lower()
        return head.partition("idempotency-key: ")[2].split("\r\n")[0]


class TestManyItems:
    DOUBLE = document(
        {
            "each": each(result="steps.double.output.value", parallel=50),
            "double": {**note(value="=item * 2 + index"), "in": "each"},
            "sum": note(
                sum="=sum(steps.each.output.results)", last="=steps.each.output.results[-1]"
            ),
        },
        ["trigger -> each", "each.body -> double", "each -> sum"],
    )

    def test_they_are_worked_on_a_slice_at_a_time_and_read_piecewise(self, bench, loads):
        run = bench.run(self.DOUBLE, {"list": MANY})

        assert run.status == "completed"
        assert outputs(run.id)["sum"] == {"sum": 3 * sum(MANY), "last": 3 * 999}
        assert len(loads) > 5
        assert max(loads) <= snapshots.AHEAD + 50
        assert items_kept() == 0
        assert verify.check_runs().problems == []
        assert_replays(run.id)

    def test_the_state_stays_small_and_the_items_are_rows(self, bench):
        run_id = bench.start(bench.publish(self.DOUBLE), {"list": MANY})
        drive_batch()
        assert status(run_id) == "running"
        kept = RunState.objects.get(run_id=run_id)
        assert len(json.dumps(kept.snapshot)) < 64 * 1024
        assert items_kept() == 1000
        assert_replays(run_id)
        assert verify.check_runs().problems == []
        drive_all()
        assert status(run_id) == "completed"

    def test_items_that_wait_end_in_any_order_and_keep_their_places(self, bench):
        doc = document(
            {
                "each": each(result="steps.name.output.name", parallel=7),
                "wait": {"type": "delay", "config": {"for": "PT1H"}, "in": "each"},
                "name": {**note(name='=item + "!"'), "in": "each"},
            },
            ["trigger -> each", "each.body -> wait", "wait -> name"],
        )
        letters = [chr(ord("a") + at) for at in range(20)]
        run_id = bench.start(bench.publish(doc), {"list": letters})
        drive_all()
        at_once = []
        while timers := list(Timer.objects.filter(status="open").order_by("-visit")):
            at_once.append(len(timers))
            for timer in timers[:3]:  # the youngest first
                complete(run_id, "wait", timer.visit)
                Timer.objects.filter(pk=timer.pk).update(status="fired")
            drive_all()

        assert status(run_id) == "completed"
        assert max(at_once) == 7
        assert outputs(run_id)["each"]["results"] == [f"{one}!" for one in letters]
        assert items_kept() == 0
        assert_replays(run_id)

    def test_a_second_round_takes_what_failed_and_the_results_stand_together(self, bench, calls):
        doc = document(
            {
                "each": each(rounds=2, result="index"),
                "call": {**calls.step("x"), "in": "each"},
            },
            ["trigger -> each", "each.body -> call"],
        )
        failed = set()

        def answer(request, *_):
            number = json.loads(request.split(b"\r\n\r\n", 1)[1])["n"]
            if number % 3 == 0 and number not in failed:
                failed.add(number)
                return response(b"{}", status="404 Not Found")
            return response(b"{}")

        calls.server.answer = answer
        doc["steps"]["call"]["config"]["body"] = {"n": "=item"}
        run_id = bench.start(bench.publish(doc), {"list": list(range(10))})
        bench.settle()

        assert status(run_id) == "completed"
        assert len(calls.made) == 14
        assert outputs(run_id)["each"] == {"results": list(range(10)), "failed": [], "count": 10}
        assert verify.check_runs().problems == []
        assert_replays(run_id)

    def test_items_that_were_added_are_rows_like_the_others(self, bench):
        doc = document(
            {
                "each": each(result="item", parallel=1),
                "few": {
                    "type": "decide",
                    "config": {
                        "branches": [{"port": "yes", "when": "item < 500"}],
                        "otherwise": "no",
                    },
                    "in": "each",
                },
                "more": {
                    "type": "add_items",
                    "config": {"to": "each", "items": "[item + 1]"},
                    "in": "each",
                },
            },
            ["trigger -> each", "each.body -> few", "few.yes -> more"],
        )
        run = bench.run(doc, {"list": [0]})

        assert run.status == "completed"
        assert outputs(run.id)["each"]["results"] == list(range(501))
        assert items_kept() == 0

    def test_they_are_forgotten_with_a_run_that_ends_long_after_them(self, bench, people_of):
        doc = document(
            {
                "each": each(parallel=200),
                "one": {**note(), "in": "each"},
                "turn": note(count="=get or else(steps.turn.output.count, 0) + 1"),
                "again": {
                    "type": "decide",
                    "config": {
                        "branches": [{"port": "yes", "when": "steps.turn.output.count < 300"}],
                        "otherwise": "no",
                    },
                },
            },
            [
                *("trigger -> each", "each.body -> one", "each -> turn"),
                *("turn -> again", "again.yes -> turn"),
            ],
        )
        run = bench.run(doc, {"list": MANY[:300]})
        assert run.status == "completed"
        assert items_kept() == 0

        run_id = bench.start(bench.publish(doc), {"list": MANY[:300]})
        drive_batch()
        assert items_kept() == 300
        cancel(bench, people_of, run_id)
        drive_all()
        assert status(run_id) == "cancelled"
        assert items_kept() == 0

    def test_the_check_finds_those_that_were_left(self, bench):
        run = bench.run(self.DOUBLE, {"list": [1]})
        with connection.cursor() as cursor:
            cursor.execute("insert into run_item values (%s, 'each', 1, 0, '1')", [run.id])

        (problem,) = verify.check_runs().problems
        assert problem.run_id == run.id
        assert problem.message == "Items are kept of a run that is over."

    def test_large_values_are_set_aside_and_come_back(self, bench):
        doc = document(
            {
                "each": each(result="steps.big.output"),
                "big": {**note(text="=item"), "in": "each"},
                "count": note(
                    lengths="=for one in steps.each.output.results return string length(one.text)"
                ),
            },
            ["trigger -> each", "each.body -> big", "each -> count"],
        )
        run = bench.run(doc, {"list": ["x" * 50_000, "y", "z" * 60_000]})

        assert outputs(run.id)["count"] == {"lengths": [50_000, 1, 60_000]}
        assert_replays(run.id)


class TestUndoing:
    def doc(self, calls, *links, **more):
        return document(
            {
                "block": {"type": "block", "time_limit": "PT10M"},
                "book": calls.step("book", **{"in": "block", "undo": "unbook"}),
                "wait": {"type": "delay", "config": {"for": "PT1H"}, "in": "block"},
                "unbook": calls.step("unbook", **{"in": "block"}),
                **more,
            },
            ["trigger -> block", "block.body -> book", "book -> wait", *links],
        )

    def late(self):
        """The time limit is over, and the clock sees it."""
        limits = Timer.objects.filter(kind="limit", status="open")
        assert limits.update(fires_at=clock.now() - timedelta(seconds=1)) == 1
        return sweep.fire_timers(now=clock.now())

    def test_a_block_that_is_too_late_is_undone_and_left_by_timeout(self, bench, calls):
        run_id = bench.start(
            bench.publish(self.doc(calls, "block.timeout -> hurry", hurry=calls.step("hurry")))
        )
        bench.settle()
        assert status(run_id) == "waiting"
        assert self.late() == 1
        assert RunCommand.objects.get().kind == "expire"
        drive_batch()

        # what was inside is closed in the transaction that withdrew it
        assert set(Timer.objects.filter(step="wait").values_list("status", flat=True)) == {"closed"}
        bench.settle()
        assert status(run_id) == "completed"
        assert calls.made == ["book", "unbook", "hurry"]
        assert calls.key(b"/book") != calls.key(b"/unbook")
        assert verify.check_runs().problems == []
        assert_replays(run_id)

    def test_a_run_is_cancelling_until_its_calls_are_undone(self, bench, people_of, calls):
        run_id = bench.start(bench.publish(self.doc(calls)))
        bench.settle()
        cancel(bench, people_of, run_id)
        drive_batch()

        assert status(run_id) == "cancelling"
        assert not Timer.objects.filter(status="open").exists()
        assert verify.check_runs().problems == []
        assert_replays(run_id)
        bench.settle()
        assert status(run_id) == "cancelled"
        assert calls.made == ["book", "unbook"]
        assert verify.check_runs().problems == []
        assert_replays(run_id)

    def test_a_limit_that_is_over_in_time_for_nobody_is_closed_with_the_run(self, bench, calls):
        run_id = bench.start(bench.publish(self.doc(calls)))
        bench.settle()
        Timer.objects.filter(kind="delay").update(fires_at=clock.now())
        bench.settle()

        assert status(run_id) == "completed"
        assert not Timer.objects.filter(status="open").exists()

    def test_more_is_undone_than_one_slice_reads(self, bench):
        doc = document(
            {
                "each": each(parallel=20),
                "make": {**note(name="=item"), "in": "each", "undo": "unmake"},
                "unmake": {**note(undone="=steps.make.output.name"), "in": "each"},
                "wrong": note(value="=1 / 0"),
            },
            ["trigger -> each", "each.body -> make", "each -> wrong"],
        )
        count = snapshots.UNDONE * 3 + 7
        run = bench.run(doc, {"list": list(range(count))})

        assert run.status == "failed"
        assert run.error["step"] == "wrong"
        rows = RunEvent.objects.filter(run_id=run.id, step="unmake", type="step.completed")
        undone = [row.data["output"]["undone"] for row in rows.order_by("seq")]
        assert undone == list(reversed(range(count)))
        assert items_kept() == 0
        assert_replays(run.id)


class TestWithdrawing:
    def test_closes_tasks_timers_and_effects_in_the_same_transaction(self, bench, calls):
        bench.workspace = people.make_workspace()
        boss = people.person(bench.workspace, "approver")
        inside = {"in": "block"}
        doc = document(
            {
                "block": {"type": "block"},
                "ask": {
                    "type": "approval",
                    "config": {"title": "Well?", "assignees": {"users": [boss.email]}},
                    **inside,
                },
                "call": calls.step("call", **inside),
                "wait": {"type": "delay", "config": {"for": "PT1H"}, **inside},
                "away": {"type": "delay", "config": {"for": "PT2H"}},
                "stop": {"type": "cancel", "config": {"steps": ["block"]}},
                "after": {"type": "delay", "config": {"for": "PT3H"}},
            },
            [
                *("trigger -> block", "trigger -> away", "away -> stop", "stop -> after"),
                *("block.body -> ask", "block.body -> call", "block.body -> wait"),
                *("ask.rejected -> call", "ask.timeout -> call"),
            ],
        )
        run_id = bench.start(bench.publish(doc))
        drive_all()
        assert UserTask.objects.get().status == "open"
        assert Effect.objects.get().status == "queued"
        Timer.objects.filter(step="away").update(status="fired")
        complete(run_id, "away")
        assert drive_batch() == 1

        assert UserTask.objects.get().status == "cancelled"
        assert Effect.objects.get().status == "dropped"
        assert dict(Timer.objects.filter(status="open").values_list("step", "status")) == {
            "after": "open"
        }
        assert status(run_id) == "waiting"
        assert outputs(run_id)["stop"] == {"withdrawn": 1}
        assert verify.check_runs().problems == []
        assert_replays(run_id)
        bench.settle()
        assert calls.made == []

    def test_an_answer_to_what_was_withdrawn_is_refused_and_written_down(self, bench, calls):
        doc = document(
            {
                "call": calls.step("call"),
                "away": {"type": "delay", "config": {"for": "PT2H"}},
                "stop": {"type": "cancel", "config": {"steps": ["call"]}},
                "after": {"type": "delay", "config": {"for": "PT3H"}},
            },
            ["trigger -> call", "trigger -> away", "away -> stop", "stop -> after"],
        )
        run_id = bench.start(bench.publish(doc))
        drive_all()
        claimed = effects.claim()  # a worker is at it
        assert claimed is not None
        Timer.objects.filter(step="away").update(status="fired")
        complete(run_id, "away")
        drive_all()
        assert Effect.objects.get().status == "dropped"
        effects.perform(claimed)
        drive_all()

        assert journal(run_id)[-1] == ("outcome.ignored", "call")
        assert last_row(run_id).data["reason"] == "lease_lost"
        assert status(run_id) == "waiting"
        assert verify.check_runs().problems == []


class TestLocks:
    def test_calls_with_one_lock_go_one_at_a_time_over_slices(self, bench, calls):
        doc = document(
            {
                "each": each(result="index"),
                "call": calls.step("call", **{"in": "each", "lock": "desk"}),
            },
            ["trigger -> each", "each.body -> call"],
        )
        run_id = bench.start(bench.publish(doc), {"list": [1, 2, 3, 4]})
        drive_all()
        for done in range(4):
            assert Effect.objects.filter(status="queued").count() == 1
            assert len(calls.made) == done
            assert_replays(run_id)
            effects.work_effects()
            drive_all()

        assert status(run_id) == "completed"
        assert outputs(run_id)["each"]["results"] == [0, 1, 2, 3]


class TestAskingPeople:
    def test_a_list_that_is_worked_through_again_gives_what_it_gives_then(self, bench):
        bench.workspace = people.make_workspace()
        olga = people.person(bench.workspace, "operator")
        doc = document(
            {
                "each": {
                    **each(result="steps.wait.output.until + string(index)", parallel=2),
                    "on_error": {"then": "ask"},
                },
                "wait": {
                    "type": "delay",
                    "config": {"until": 'date and time("2099-01-01T00:00:00Z")'},
                    "in": "each",
                },
                "check": {**note(value="=1 / (item - steps.wait.output.factor)"), "in": "each"},
                "after": note(count="=count(steps.each.output.results)"),
            },
            ["trigger -> each", "each.body -> wait", "wait -> check", "each -> after"],
        )
        run_id = bench.start(bench.publish(doc), {"list": [1, 2, 3]})
        drive_all()
        for visit, factor in ((1, 9), (2, 2)):  # the second item divides by nothing
            complete(run_id, "wait", visit, {"until": "x", "factor": factor})
            drive_all()
        assert status(run_id) == "waiting"
        rows = list(RunEvent.objects.filter(run_id=run_id).order_by("seq"))
        shown = queries.steps_of(Run.objects.get(pk=run_id), rows)
        assert (shown["each"]["status"], shown["wait"]["status"]) == ("waiting", "cancelled")
        task = UserTask.objects.get()
        assert task.step == "each"
        assert verify.check_runs().problems == []

        inbox.decide_task(
            actor=people.actor(olga, bench.workspace),
            task_id=task.pk,
            outcome="retry",
            comment="Once more.",
            seen=task.seen,
            now=clock.now(),
        )
        drive_all()
        assert items_kept() == 3
        while waits := list(Timer.objects.filter(status="open").order_by("visit")):
            for timer in waits:
                complete(run_id, "wait", timer.visit, {"until": "y", "factor": 9})
                Timer.objects.filter(pk=timer.pk).update(status="fired")
            drive_all()

        assert status(run_id) == "completed"
        assert outputs(run_id)["each"] == {
            "results": ["x0", "y1", "y2"],  # the first was done, and is not done again
            "failed": [],
            "count": 3,
        }
        assert outputs(run_id)["after"] == {"count": 3}
        assert items_kept() == 0
        assert verify.check_runs().problems == []
        assert_replays(run_id)
