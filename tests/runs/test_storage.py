"""Partitions, guards, blobs, exact numbers, snapshots (engine rules 8, 15, 17, 18)."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from apps.core import clock
from apps.core.models import first_uuid7_at, uuid7
from apps.engine import values
from apps.engine.lifecycle import FINAL_RUN, RUN_TRANSITIONS, reachable
from apps.flows.compiled import compiled
from apps.runs import partitions, stored, sweep
from apps.runs.drive import drive_all
from apps.runs.models import Blob, Run, RunEvent, RunState
from apps.steps.outcomes import Exit
from tests.runs.support import assert_replays, complete, document, outputs, status

pytestmark = pytest.mark.django_db(transaction=True)

SHORT = document({"one": {"type": "map", "config": {"fields": {}}}}, ["trigger -> one"])
WAIT = document({"wait": {"type": "delay", "config": {"for": "PT1H"}}}, ["trigger -> wait"])
COPY = document(
    {
        "copy": {"type": "map", "config": {"fields": {"t": "= trigger.body.t"}}},
        "wait": {"type": "delay", "config": {"for": "PT1H"}},
        "read": {"type": "map", "config": {"fields": {"n": "= string length(steps.copy.output.t)"}}},
    },
    ["trigger -> copy", "copy -> wait", "wait -> read"],
)  # fmt: skip


def refused(statement, *arguments):
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, arguments)


def part_of(table):
    with connection.cursor() as cursor:
        cursor.execute(f"select tableoid::regclass::text from {table} limit 1")
        return cursor.fetchone()[0]


class TestRule15:
    def test_rows_lie_in_the_partition_of_their_ids_month(self, bench):
        bench.run(SHORT)
        month = datetime.now(UTC).strftime("%Y%m")

        assert part_of("run") == f"run_{month}"
        assert part_of("run_event") == f"run_event_{month}"
        assert partitions.rows_in_default() == []

    def test_two_months_ahead_are_made_once_even_by_two_clocks(self, bench):
        later = datetime.now(UTC) + timedelta(days=200)

        made = partitions.ensure_partitions(later)

        assert len(made.created) == 6
        assert partitions.ensure_partitions(later).created == []

    def test_the_default_partition_alarms_when_it_is_used(self, bench, caplog):
        run = bench.run(SHORT)
        far = datetime.now(UTC) + timedelta(days=4000)
        stray = first_uuid7_at(int(far.timestamp() * 1000))
        with connection.cursor() as cursor:
            cursor.execute(
                "insert into run_event (run_id, seq, type, at, data)"
                " values (%s, 1, 'run.started', now(), '{}')",
                [stray],
            )
        assert partitions.rows_in_default() == ["run_event"]
        made = partitions.ensure_partitions(far)

        assert "run_event_default holds rows" in caplog.text
        # Rows of a journal are never moved: that month stays where it is.
        month = far.strftime("%Y%m")
        assert f"run_{month}" in made.created
        assert f"run_event_{month}" not in made.created
        assert run.status == "completed"

    def test_a_look_up_by_id_reads_one_partition(self, bench):
        run = bench.run(SHORT)
        with connection.cursor() as cursor:
            cursor.execute("explain select * from run_event where run_id = %s", [run.pk])
            plan = "\n".join(row[0] for row in cursor.fetchall())

        assert plan.count(" on run_event") == 1

    def test_the_journal_is_insert_only_on_every_partition(self, bench):
        run = bench.run(SHORT)
        part = part_of("run_event")

        for table in ("run_event", part):
            refused(f"update {table} set step = 'x' where run_id = %s", run.pk)
            refused(f"delete from {table} where run_id = %s", run.pk)
            refused(f"truncate {table}")
        refused("truncate run_event_default")

    def test_a_new_partition_has_the_triggers_too(self, bench):
        later = datetime.now(UTC) + timedelta(days=300)
        partitions.ensure_partitions(later)
        name = f"run_event_{later.strftime('%Y%m')}"
        with connection.cursor() as cursor:
            cursor.execute(
                "select tgname from pg_trigger where tgrelid = %s::regclass order by 1", [name]
            )
            assert [row[0] for row in cursor.fetchall()] == ["insert_only", "no_truncate"]

    @pytest.mark.parametrize("before", sorted(FINAL_RUN))
    def test_a_final_state_is_never_overwritten(self, bench, before):
        run_id = stored_run(bench, before)

        for after in RUN_TRANSITIONS:
            if after != before:
                refused(
                    "update run set status = %s, finished_at = null where id = %s", after, run_id
                )
        assert status(run_id) == before

    def test_the_guard_allows_what_several_moves_allow_and_no_more(self, bench):
        for before in set(RUN_TRANSITIONS) - FINAL_RUN:
            for after in set(RUN_TRANSITIONS) - {before}:
                run_id = stored_run(bench, before)
                statement = "update run set status = %s, finished_at = %s where id = %s"
                finished = clock.now() if after in FINAL_RUN else None
                if after in reachable(RUN_TRANSITIONS)[before]:
                    with connection.cursor() as cursor:
                        cursor.execute(statement, [after, finished, run_id])
                else:
                    refused(statement, after, finished, run_id)

    def test_live_state_is_gone_with_the_end(self, bench):
        run_id = bench.start(bench.publish(WAIT))
        drive_all()
        assert RunState.objects.filter(run_id=run_id).exists()
        complete(run_id, "wait")
        drive_all()
        assert not RunState.objects.exists()


class TestRule8:
    def test_a_snapshot_holds_references_and_never_outputs(self, bench):
        run_id = bench.start(bench.publish(COPY), {"t": "planted-output"})
        drive_all()

        with connection.cursor() as cursor:
            cursor.execute("select snapshot::text from run_state where run_id = %s", [run_id])
            (snapshot,) = cursor.fetchone()
        assert "planted-output" not in snapshot
        assert set(json.loads(snapshot)["outputs"]) == {"copy"}

    def test_replay_evaluates_nothing(self, bench, monkeypatch):
        run_id = bench.start(bench.publish(COPY), {"t": "x"})
        drive_all()

        def refuse(*_arguments, **_options):
            raise AssertionError("evaluated")

        monkeypatch.setattr("apps.engine.feel.Expression.evaluate", refuse)
        monkeypatch.setattr("apps.flows.compiled.compiled", refuse)
        assert_replays(run_id)


class TestRule17:
    EXACT = [
        "1.50",
        "1E+6000",
        "12345678901234567890123456789012.34",
        "-0.0",
        "10000000000000000000000000",
    ]

    @pytest.mark.parametrize("number", EXACT)
    def test_numbers_keep_every_digit_from_signal_to_journal(self, bench, number):
        doc = document(
            {"m": {"type": "map", "config": {"fields": {"n": "= trigger.body.n"}}}},
            ["trigger -> m"],
        )
        run_id = bench.start(bench.publish(doc), {"n": values.loads(number)})
        drive_all()

        with connection.cursor() as cursor:
            cursor.execute(
                "select data::text from run_event where run_id = %s and step = 'm'", [run_id]
            )
            assert f'"n":{number}' in cursor.fetchone()[0]

    @given(
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers(-(10**33), 10**33)
            | st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**9), max_value=10**9)
            | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
            lambda inner: st.lists(inner, max_size=4)
            | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), inner, max_size=4),
            max_leaves=12,
        )
    )  # fmt: skip
    def test_the_quick_codec_writes_and_reads_what_the_careful_one_does(self, value):
        text = values.dumps(value)

        assert stored.dumps(value) == text
        assert repr(stored.loads(text)) == repr(values.loads(text))

    def test_an_output_that_cannot_be_kept_is_a_permanent_error(self, bench):
        doc = document({"m": {"type": "map", "config": {"fields": {}}}}, ["trigger -> m"])
        version = bench.publish(doc)
        step = compiled(version.pk).steps["m"]
        not_json: Any = {"n": float("nan")}
        broken = replace(step.type, run=lambda *_: Exit("done", not_json))
        object.__setattr__(step, "type", broken)
        run_id = bench.start(version)
        drive_all()

        run = Run.objects.get(pk=run_id)
        assert (run.status, run.error["class"]) == ("failed", "permanent")
        assert run.error["code"] == "bad_output"


class TestRule18:
    BIG = {"t": "x" * 40_000}

    def test_a_large_value_is_kept_once_per_workspace_and_content(self, bench):
        version = bench.publish(COPY)
        ids = [bench.start(version, self.BIG) for _ in range(3)]
        drive_all()

        # The trigger differs by id; the copy is the same each time.
        shas = [
            row.data["blob"]["sha256"]
            for row in RunEvent.objects.filter(step="copy", type="step.completed")
        ]
        assert len(shas) == 3
        assert len(set(shas)) == 1
        assert Blob.objects.count() == 4
        for run_id in ids:
            complete(run_id, "wait")
        drive_all()
        assert outputs(ids[0])["read"] == {"n": 40_000}

    def test_storing_one_again_touches_its_date_and_never_turns_it_back(self, bench):
        version = bench.publish(COPY)
        bench.start(version, self.BIG)
        drive_all()
        sha = RunEvent.objects.get(step="copy", type="step.completed").data["blob"]["sha256"]
        old = clock.now() - timedelta(days=30)
        Blob.objects.filter(sha256=sha).update(touched_at=old)
        bench.start(version, self.BIG)
        drive_all()
        assert Blob.objects.get(sha256=sha).touched_at > old + timedelta(days=29)

        ahead = clock.now() + timedelta(days=5)
        Blob.objects.filter(sha256=sha).update(touched_at=ahead)
        bench.start(version, self.BIG)
        drive_all()
        assert Blob.objects.get(sha256=sha).touched_at == ahead

    def test_only_what_no_kept_journal_can_name_is_removed_after_a_week(self, bench):
        now = clock.now()
        for days in (1, 8, 400):
            Blob.objects.create(
                workspace_id=uuid7(),
                sha256=f"{days:064}",
                data='"x"',
                touched_at=now - timedelta(days=days),
            )
        assert sweep.forget_blobs(now=now) == 2  # no journal at all: a week is the bound
        assert Blob.objects.count() == 1

    def test_one_that_a_journal_names_stays_however_old(self, bench):
        bench.start(bench.publish(COPY), self.BIG)
        drive_all()
        later = clock.now() + timedelta(days=300)

        assert sweep.forget_blobs(now=later) == 0
        assert Blob.objects.count() == 2


def stored_run(bench, before):
    run_id, now = uuid7(), clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into run (id, workspace_id, flow_id, version_id, status, correlation_id,"
            " trigger_type, created_at, updated_at, finished_at)"
            " values (%s, %s, %s, %s, %s, %s, 'manual', %s, %s, %s)",
            [
                *(run_id, bench.workspace.pk, run_id, run_id, before, run_id, now, now),
                now if before in FINAL_RUN else None,
            ],
        )
    return run_id
