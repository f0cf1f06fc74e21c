"""``check_runs`` finds what is planted, and nothing while runs go on."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from apps.core import clock
from apps.core.models import uuid7
from apps.runs import verify
from apps.runs.drive import drive_all
from apps.runs.models import RunCommand
from tests.inbox.support import Desk
from tests.runs.support import Stopped, complete, document

pytestmark = pytest.mark.django_db(transaction=True)

WAIT = document({"wait": {"type": "delay", "config": {"for": "PT1H"}}}, ["trigger -> wait"])


@pytest.fixture
def both(bench):
    """A finished run and one that waits."""
    version = bench.publish(WAIT)
    finished, waiting = bench.start(version), bench.start(version)
    drive_all()
    complete(finished, "wait")
    drive_all()
    return finished, waiting


def planted(*statements):
    with connection.cursor() as cursor:
        cursor.execute("set session_replication_role = replica")  # no trigger stops a superuser
        for statement, arguments in statements:
            cursor.execute(statement, arguments)
            assert cursor.rowcount
        cursor.execute("set session_replication_role = origin")
    return {(one.run_id, one.message) for one in verify.check_runs().problems}


def test_nothing_is_found_where_all_is_well(both):
    report = verify.check_runs()

    assert report.problems == []
    assert (report.runs, dict(report.statuses)) == (2, {"completed": 1, "waiting": 1})
    assert report.summary.endswith("all is well")


def test_a_row_missing_from_a_journal(both):
    finished, _ = both
    found = planted(("delete from run_event where run_id = %s and seq = 2", [finished]))
    assert (finished, "The journal has a gap or a row too many.") in found


def test_a_status_that_the_journal_does_not_give(both):
    _, waiting = both
    found = planted(("update run set status = 'running' where id = %s", [waiting]))
    assert (waiting, "The run is running, its journal says waiting.") in found


def test_a_finished_run_that_was_changed(both):
    finished, _ = both
    found = planted(("update run set status = 'failed', error = '{}' where id = %s", [finished]))
    assert (finished, "The run is failed, its journal says completed.") in found
    assert (finished, "The run's error is not the one in its journal.") in found


def test_a_snapshot_that_replay_does_not_give(both):
    _, waiting = both
    found = planted(
        (
            (
                "update run_state set snapshot = replace(snapshot::text, '\"activated\":1',"
                " '\"activated\":2')::json where run_id = %s"
            ),
            [waiting],
        )
    )
    assert (waiting, "The snapshot is not what the journal gives.") in found


def test_a_run_whose_live_state_is_lost(both):
    _, waiting = both
    found = planted(("delete from run_state where run_id = %s", [waiting]))
    assert (waiting, "The run is waiting but has no live state: it is lost.") in found


def test_a_run_that_nothing_will_take_further(bench):
    run_id = bench.start(bench.publish(WAIT))
    found = planted(("delete from run_command where run_id = %s", [run_id]))
    assert (run_id, "The run is queued, but nothing is under way that could take it further.") in found  # fmt: skip


def test_a_waiting_run_whose_wait_is_gone(both):
    _, waiting = both
    found = planted(("update timer set status = 'closed' where run_id = %s", [waiting]))
    assert (waiting, "The run waits at “wait”, but nothing is open there.") in found


def test_what_an_ended_run_left_behind(both):
    finished, _ = both
    found = planted(("update timer set status = 'open' where run_id = %s", [finished]))
    assert (finished, "The run is over but has 1 open timers.") in found


@pytest.fixture
def asked(transactional_db, valkey):
    """A task that waits for people."""
    return Desk().ask_named("ada")


def test_nothing_is_found_while_people_are_asked(asked):
    assert verify.check_runs().problems == []


def test_a_run_whose_task_is_gone(asked):
    found = planted(("update inbox_usertask set status = 'cancelled', closed_at = now()", []))
    assert found == {(asked.run_id, "The run waits at “ask”, but nothing is open there.")}


def test_a_task_of_a_visit_that_the_run_does_not_wait_for(asked):
    found = planted(("update inbox_usertask set visit = 2", []))
    assert found == {
        (asked.run_id, "The run waits at “ask”, but nothing is open there."),
        (asked.run_id, "A task is open at “ask”, but the run does not wait there."),
    }


def test_a_task_that_its_run_has_left_behind(transactional_db, valkey):
    desk = Desk()
    asked = desk.ask_named("ada")
    desk.decide(asked, desk.someone("ada"))
    assert desk.run_of(asked).is_final
    reopened = "update inbox_usertask set status = 'open', closed_at = null, outcome = ''"
    found = planted((reopened, []))
    assert (asked.run_id, "A task is open at “ask”, but the run does not wait there.") in found


def test_commands_and_states_of_runs_that_there_are_not(both):
    nobody = uuid7()
    long_ago = clock.now().replace(year=2020)
    RunCommand.objects.create(
        run_id=nobody, lane=nobody, kind="complete", payload={}, created_at=long_ago
    )
    found = planted(
        (
            (
                "insert into run_state (run_id, workspace_id, flow_id, version_id, lane, format,"
                " snapshot) values (%s, %s, %s, %s, %s, 1, '{}')"
            ),
            [uuid7()] + [nobody] * 4,
        )
    )
    assert (nobody, "A command has waited for a run that is over.") in found
    assert any("does not exist" in message for _, message in found)


def test_a_limit_that_counts_slots_nobody_holds(both):
    found = planted(
        ("insert into run_limit (key, max, used) values ('flow:x', 3, 2)", []),
    )
    assert any("says 2 slots are used, but runs hold 0" in message for _, message in found)


def test_nothing_is_found_in_the_middle_of_a_batch(both):
    _, waiting = both
    complete(waiting, "wait")
    with Stopped("with journal as"):
        assert verify.check_runs().problems == []
    assert verify.check_runs().problems == []


def test_the_command_prints_one_line_and_fails_where_something_is_amiss(both):
    out = StringIO()
    call_command("check_runs", json=True, stdout=out)
    assert json.loads(out.getvalue())["problems"] == []

    planted(("update run set status = 'running' where status = 'waiting'", []))
    with pytest.raises(CommandError, match="problem"):
        call_command("check_runs", stdout=StringIO(), stderr=StringIO())
