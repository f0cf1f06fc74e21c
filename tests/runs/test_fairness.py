"""Slices, lanes, limits and waiting lists (engine rules 5 and 9)."""

import pytest
from django.db import connection

from apps.core import clock
from apps.engine import events as ev
from apps.runs import claiming, commands, drive, evaluation, late, limits, sweep, verify
from apps.runs.drive import drive_all, drive_batch
from apps.runs.models import Limit, Run, RunCommand, RunState, WaitingStart
from tests.runs.support import assert_replays, complete, document, flood, journal, status

pytestmark = pytest.mark.django_db(transaction=True)

SHORT = document({"one": {"type": "map", "config": {"fields": {}}}}, ["trigger -> one"])
LONG = document(
    {
        "a": {"type": "map", "config": {"fields": {}}},
        "b": {"type": "decide", "config": {"branches": [{"port": "on", "when": "true"}], "otherwise": "off"}},
    },
    ["trigger -> a", "a -> b", "b.on -> a"],
    settings={"max_steps": 900},
)  # fmt: skip


def limited(most):
    return document(
        {"wait": {"type": "delay", "config": {"for": "PT1H"}}},
        ["trigger -> wait"],
        settings={"concurrency": {"max": most}},
    )


class TestSlices:
    """Rule 5."""

    def test_a_long_run_is_cut_and_goes_to_the_back(self, bench):
        long = bench.start(bench.publish(LONG))
        short = bench.start(bench.publish(SHORT))

        assert drive_batch() == 2

        assert status(short) == "completed"
        assert status(long) == "running"
        assert RunCommand.objects.get().kind == "continue"
        assert len(journal(long)) <= evaluation.MAX_STEPS_A_SLICE + 1
        assert_replays(long)
        drive_all()
        assert status(long) == "failed"
        assert Run.objects.get(pk=long).error["code"] == "too_many_steps"
        assert_replays(long)

    def test_one_megabyte_of_journal_is_a_slice(self, bench):
        doc = document(
            {"a": {"type": "map", "config": {"fields": {"t": "= trigger.body.t"}}}},
            ["trigger -> a", "a -> a"],
            settings={"max_steps": 150},
        )
        run_id = bench.start(bench.publish(doc), {"t": "x" * 20_000})
        drive_batch()

        assert 20 < len(journal(run_id)) < 70
        assert status(run_id) == "running"

    def test_a_batch_that_takes_too_long_leaves_the_rest_for_the_next(self, bench, monkeypatch):
        monkeypatch.setattr(drive, "MAX_SECONDS_A_BATCH", 0.0)
        version = bench.publish(limited(10))
        ids = [bench.start(version) for _ in range(3)]

        assert drive_batch() == 3
        assert sorted(map(status, ids)) == ["queued", "queued", "waiting"]
        assert Limit.objects.get().used == 1  # those left have no slot yet
        drive_all()
        assert set(map(status, ids)) == {"waiting"}
        assert Limit.objects.get().used == 3


class TestLanes:
    """Rule 9: claims are fair."""

    def test_a_flood_of_one_flow_does_not_hold_up_another(self, bench):
        flood, other = bench.publish(SHORT), bench.publish(SHORT)
        for _ in range(60):
            bench.start(flood)
        last = bench.start(other)

        drive_batch(limit=10)

        assert status(last) == "completed"
        assert Run.objects.filter(status="completed").count() == 6  # its share was five

    def test_with_more_flows_than_places_everyone_has_a_turn(self, bench):
        ids = [bench.start(bench.publish(SHORT)) for _ in range(12)]

        for _ in range(3):
            assert drive_batch(limit=4) == 4

        assert {status(one) for one in ids} == {"completed"}


FLOOD = 50_000


@pytest.mark.slow
class TestAFloodOf50000:
    """Rule 9: one flow's flood, as it is found and once the database has looked at it."""

    @pytest.fixture(params=[False, True], ids=["not analyzed", "analyzed"])
    def flooded(self, bench, request):
        version = bench.publish(SHORT)
        flood(version, FLOOD)
        if request.param:
            with connection.cursor() as cursor:
                cursor.execute("analyze run_command, run_state")
        return version

    def test_the_next_batch_takes_another_flows_run(self, bench, flooded):
        others = [bench.start(bench.publish(SHORT)) for _ in range(3)]

        assert drive_batch() <= drive.BATCH

        assert {status(one) for one in others} == {"completed"}
        of_flood = Run.objects.filter(flow_id=flooded.flow_id, status="completed").count()
        assert of_flood == drive.BATCH // 4

    def test_a_claim_visits_as_many_rows_as_it_takes_not_as_wait(self, bench, flooded):
        for _ in range(3):
            bench.start(bench.publish(SHORT))
        given = {"limit": drive.BATCH, "parked": 100, "formats": list(ev.READABLE)}

        assert visited(claiming._FAIR, given) < 20 * drive.BATCH

    def test_so_does_the_look_for_earlier_starts_of_a_flow_with_a_key(self, bench, flooded):
        lane = flooded.flow_id
        mine = list(RunState.objects.order_by("run_id").values_list("run_id", flat=True)[:200])
        given = [[0], [lane], list(ev.READABLE), mine]

        assert visited(limits._EARLIER, given) < 20 * drive.BATCH

    def test_so_do_the_clocks_looks(self, bench, flooded):
        for _ in range(3):
            bench.start(bench.publish(SHORT))

        assert visited(sweep.OLDEST, {"below": 100}) < 100
        assert visited(late._LATE, {"limit": late.AT_ONCE}) < 20 * late.AT_ONCE

    def test_the_flood_is_driven_to_its_end(self, bench, flooded):
        last = bench.start(bench.publish(SHORT))
        driven = 0
        while (count := drive_all()) and driven < 5 * drive.BATCH:
            driven += count
        assert status(last) == "completed"


def visited(statement, given):
    """How many rows a statement looks at, of tables and of indexes, kept or not."""
    with connection.cursor() as cursor:
        cursor.execute("explain (analyze, format json) " + statement, given)
        (plan,) = cursor.fetchone()[0]
    return _visited(plan["Plan"])


def _visited(node):
    own = 0
    if "Scan" in node["Node Type"] and "CTE" not in node["Node Type"]:
        passed_over = sum(node.get(name, 0) for name in node if name.startswith("Rows Removed"))
        own = node["Actual Loops"] * (node["Actual Rows"] + passed_over)
    return own + sum(map(_visited, node.get("Plans", [])))


class TestLimits:
    """Rule 9: limits, waiting lists, admission."""

    def test_no_more_than_allowed_are_under_way_and_those_who_wait_come_in_order(self, bench):
        version = bench.publish(limited(2))
        ids = [bench.start(version) for _ in range(6)]
        drive_all()

        assert [status(one) for one in ids] == ["waiting"] * 2 + ["queued"] * 4
        assert not RunCommand.objects.exists()
        for done in range(4):
            complete(ids[done], "wait")
            drive_all()
            assert status(ids[done]) == "completed"
            assert status(ids[done + 2]) == "waiting"
            assert Limit.objects.get().used == 2
        for last in ids[4:]:
            complete(last, "wait")
        drive_all()
        assert Limit.objects.get().used == 0
        assert not WaitingStart.objects.exists()
        assert verify.check_runs().problems == []

    def test_a_batch_that_only_finds_waiting_places_is_no_empty_claim(self, bench):
        version = bench.publish(limited(1))
        for _ in range(9):
            bench.start(version)

        drive_all(limit=3)

        assert WaitingStart.objects.count() == 8
        assert not RunCommand.objects.exists()

    def test_nobody_passes_those_who_wait(self, bench):
        version = bench.publish(limited(1))
        first, second = bench.start(version), bench.start(version)
        drive_all()
        complete(first, "wait")
        late = bench.start(version)  # in one batch with the end of the first
        drive_all()

        assert (status(second), status(late)) == ("waiting", "queued")

    def test_a_higher_limit_lets_the_waiting_in_with_the_next_start(self, bench):
        version = bench.publish(limited(1))
        ids = [bench.start(version) for _ in range(4)]
        drive_all()
        version.document["settings"]["concurrency"]["max"] = 3
        raised = bench.publish(version.document)
        raised_run = bench.start(raised)
        RunState.objects.filter(run_id=raised_run).update(flow_id=version.flow_id)
        drive_all()

        assert [status(one) for one in ids] == ["waiting"] * 3 + ["queued"]

    @pytest.mark.parametrize("admitted", [False, True], ids=["still waiting", "just admitted"])
    def test_a_waiting_run_that_is_withdrawn_takes_no_slot_with_it(
        self, bench, people_of, admitted
    ):
        version = bench.publish(limited(1))
        first, second = bench.start(version), bench.start(version)
        drive_all()
        if admitted:
            complete(first, "wait")
            drive_batch()
            assert RunCommand.objects.get().kind == "admit"
        commands.cancel_run(actor=people_of(bench), run_id=second, reason="", now=clock.now())
        drive_all()

        assert status(second) == "cancelled"
        assert Limit.objects.get().used == (0 if admitted else 1)
        assert not WaitingStart.objects.exists()
        assert verify.check_runs().problems == []


class TestHeldSignals:
    def test_signals_held_while_the_flow_was_paused_start_in_the_order_they_came(self, bench):
        version = bench.publish(SHORT)
        ids = [bench.start(version, held=True) for _ in range(5)]
        drive_all()
        assert {status(one) for one in ids} == {"queued"}

        assert commands.release_held(flow_id=version.flow_id, now=clock.now()) == 5
        assert list(RunCommand.objects.order_by("id").values_list("run_id", flat=True)) == ids
        drive_all()
        assert {status(one) for one in ids} == {"completed"}

    def test_they_meet_the_flows_limit_like_others(self, bench):
        version = bench.publish(limited(2))
        ids = [bench.start(version, held=True) for _ in range(5)]
        commands.release_held(flow_id=version.flow_id, now=clock.now())
        drive_all()

        assert [status(one) for one in ids] == ["waiting"] * 2 + ["queued"] * 3


class TestTheAgeOfTheOldest:
    def test_is_that_of_the_first_of_any_lane(self, bench):
        for version in (bench.publish(SHORT), bench.publish(SHORT)):
            for _ in range(3):
                bench.start(version)
        assert 0 <= sweep.oldest_command_age_s() < 60
        with connection.cursor() as cursor:
            cursor.execute(
                "update run_command set created_at = created_at - interval '90 s' where id in"
                " (select max(id) from run_command)"
            )
        # Commands of a lane are in order, so only the first of each is looked at.
        assert sweep.oldest_command_age_s() < 60
        with connection.cursor() as cursor:
            cursor.execute(
                "update run_command set created_at = created_at - interval '90 s' where id in"
                " (select min(id) from run_command)"
            )
        assert 90 <= sweep.oldest_command_age_s() < 150

    def test_is_nothing_where_nothing_waits_but_what_is_parked(self, bench):
        bench.start(bench.publish(SHORT))
        RunCommand.objects.update(priority=100)

        assert sweep.oldest_command_age_s() == 0

    @pytest.mark.parametrize(
        "statement", [sweep.OLDEST, sweep._EFFECTS_DUE], ids=["commands", "effects"]
    )
    def test_is_found_without_reading_the_table(self, bench, statement):
        with connection.cursor() as cursor:
            cursor.execute(
                "insert into run_command (run_id, lane, priority, kind, payload, created_at)"
                " select gen_random_uuid(), md5((n %% 5)::text)::uuid, case n %% 3 when 0 then 100 else 0 end,"
                " 'continue', '{}', now() from generate_series(1, 20000) n",
                [],
            )
            cursor.execute(
                "insert into effect (id, run_id, workspace_id, flow_id, lane, step, visit, generation,"
                " kind, kind_version, input, status, attempt, max_attempts, fence, deaths,"
                " idempotency_key, available_at, created_at)"
                " select gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(),"
                " md5((n %% 5)::text)::uuid, 's', 1, 1, 'k', 1, '{}', 'queued', 0, 1, 0, 0, '', now() +"
                " interval '1 h', now() from generate_series(1, 20000) n",
                [],
            )
            cursor.execute("analyze run_command, effect")
            cursor.execute("explain (analyze, buffers, format json) " + statement, {"below": 100})
            (plan,) = cursor.fetchone()[0]
        assert read_whole(plan["Plan"]) <= {"workspace_stop"}  # a handful of rows
        assert plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"] < 200


def read_whole(plan):
    """The tables that a plan reads from end to end."""
    found = {plan["Relation Name"]} if plan["Node Type"] == "Seq Scan" else set()
    return found.union(*(read_whole(one) for one in plan.get("Plans", [])))
