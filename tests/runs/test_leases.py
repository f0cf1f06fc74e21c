"""Who holds an effect, for how long, and whose outcome counts (engine rules 12 and 13)."""

import time
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import OperationalError, connections, transaction

from apps.core import clock
from apps.engine.lifecycle import EffectStatus
from apps.runs import commands, effect_claims, effect_reports, effects, prepared, verify
from apps.runs.drive import drive_all
from apps.runs.models import Effect, RunCommand
from tests.runs.calls import (
    calling,
    claimed,
    error_of,
    lose_lease,
    started,
    wait_until,
)
from tests.runs.support import journal, last_row, status
from tests.support.servers import response

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_slots")]

JSON = "Content-Type: application/json"


class Commit:
    """A transaction whose end nobody is told; ``meanwhile`` happens before it is asked about."""

    def __init__(self, *, is_made, meanwhile=lambda: None):
        self.is_made, self.meanwhile = is_made, meanwhile

    @contextmanager
    def atomic(self):
        with transaction.atomic():
            yield
            transaction.set_rollback(not self.is_made)
        self.meanwhile()
        raise OperationalError("planted: the server went away at the commit")


class TestClaimsWithoutAnAnswer:
    """Rule 12: a claim that nobody knows to hold would be counted as a death."""

    @pytest.mark.parametrize(
        ("deaths", "claim"), [(0, effect_claims.claim_any), (2, effect_claims.claim_alone)]
    )
    def test_a_claim_that_was_committed_is_held(self, bench, monkeypatch, deaths, claim):
        started(bench, calling(9))
        Effect.objects.update(deaths=deaths)
        with monkeypatch.context() as patched:
            patched.setattr(effect_claims, "transaction", Commit(is_made=True))
            held = claim()

        assert effect_reports.mark_sent(held.id, held.fence)
        assert effects.claim() is None

    @pytest.mark.parametrize(
        ("deaths", "claim"), [(0, effect_claims.claim_any), (2, effect_claims.claim_alone)]
    )
    def test_a_claim_that_was_not_committed_is_not(self, bench, monkeypatch, deaths, claim):
        started(bench, calling(9))
        Effect.objects.update(deaths=deaths)
        with monkeypatch.context() as patched, pytest.raises(OperationalError):
            patched.setattr(effect_claims, "transaction", Commit(is_made=False))
            claim()

        assert Effect.objects.values_list("status", "fence", "deaths").get() == (
            "queued",
            0,
            deaths,
        )
        assert effects.claim() is not None

    def test_what_another_claimed_meanwhile_is_the_others(self, bench, monkeypatch):
        started(bench, calling(9))
        others = []

        def meanwhile():
            monkeypatch.setattr(effect_claims, "transaction", transaction)
            others.append(claimed())

        monkeypatch.setattr(
            effect_claims, "transaction", Commit(is_made=False, meanwhile=meanwhile)
        )
        with pytest.raises(OperationalError):
            effect_claims._claim_for([True])

        assert others[0].fence == 1

    def test_of_several_those_that_were_given_up_meanwhile_are_not_held(self, bench, monkeypatch):
        version = bench.publish(calling(9))
        for _ in range(3):
            bench.start(version, {"n": 1})
        drive_all()

        def meanwhile():
            first = Effect.objects.order_by("id")[:1]
            Effect.objects.filter(pk__in=first.values("pk")).update(
                lease_until=clock.now() - timedelta(hours=1)
            )
            effects.expire_leases()

        monkeypatch.setattr(effect_claims, "transaction", Commit(is_made=True, meanwhile=meanwhile))
        held = [one for one in effect_claims._claim_for([True] * 4) if one]

        assert len(held) == 2
        assert {one.id for one in held} == {
            one.pk for one in Effect.objects.filter(status="running")
        }

    def test_the_database_is_asked_again_until_it_answers(self, bench, monkeypatch):
        monkeypatch.setattr(effect_claims, "ASK_AGAIN_S", 0)
        monkeypatch.setattr(effect_claims, "transaction", Commit(is_made=True))
        plain, asked = prepared.fetched, []

        def away_twice(statement, given):
            if statement is effect_claims._STANDING:
                asked.append(1)
                if len(asked) < 3:
                    raise OperationalError("planted")
            return plain(statement, given)

        monkeypatch.setattr(effect_claims, "fetched", away_twice)
        started(bench, calling(9))

        assert claimed() is not None
        assert len(asked) == 3


class TestLeases:
    """Rule 12."""

    def test_only_one_worker_gets_an_effect(self, bench):
        started(bench, calling(9))

        assert effects.claim() is not None
        assert effects.claim() is None

    def test_a_lost_lease_is_a_try_and_a_death_and_the_next_worker_has_a_higher_fence(self, bench):
        run_id = started(bench, calling(9))
        first = claimed()
        lose_lease()
        second = claimed()
        drive_all()

        assert (second.fence, second.attempt, second.deaths) == (first.fence + 1, 2, 1)
        assert (second.key, second.input) == (first.key, first.input)
        assert [type_ for type_, step in journal(run_id) if step == "call"] == [
            *("step.started", "step.retried", "step.attempted")
        ]

    def test_a_database_that_is_just_back_gives_workers_time_to_say_that_they_live(
        self, bench, monkeypatch
    ):
        started(bench, calling(9))
        held = claimed()
        Effect.objects.update(lease_until=clock.now() - timedelta(hours=1))
        monkeypatch.setattr(effects, "BACK_FOR_S", 1e9)
        assert effects.expire_leases() == 0

        effects._hearts._renew([(held.id, held.fence)])
        monkeypatch.setattr(effects, "BACK_FOR_S", 0)
        assert effects.expire_leases() == 0
        assert Effect.objects.get().deaths == 0

    def test_a_late_result_is_refused_and_journaled(self, bench, server_of):
        with server_of(response(b"{}", JSON)) as server:
            run_id = started(bench, calling(server.port))
            late = claimed()
            lose_lease()
            bench.settle()
            assert status(run_id) == "completed"
            effects._report(late, EffectStatus.FAILED, "fail", {})

        last = last_row(run_id)
        assert (last.type, last.step, last.data["reason"]) == (
            "outcome.ignored",
            "call",
            "run_over",
        )
        assert status(run_id) == "completed"
        assert verify.check_runs().problems == []

    def test_a_late_result_of_a_run_that_goes_on_is_journaled_too(self, bench):
        run_id = started(bench, calling(9))
        late = claimed()
        lose_lease()
        effects.claim()
        effects._report(late, EffectStatus.SUCCEEDED, "complete", {})
        drive_all()

        last = last_row(run_id)
        assert last.data == {"visit": 1, "outcome": "complete", "reason": "lease_lost"}
        assert Effect.objects.get().status == "running"  # the other worker's

    def test_who_has_lost_the_lease_sends_nothing_any_more(self, bench, server_of):
        with server_of(response(b"{}", JSON)) as server:
            started(bench, calling(server.port))
            late = claimed()
            lose_lease()
            effects.perform(late)

            assert server.requests == []

    def test_the_result_of_a_cancelled_run_is_refused(self, bench, people_of, server_of):
        with server_of(response(b"{}", JSON)) as server:
            run_id = started(bench, calling(server.port))
            held = claimed()
            commands.cancel_run(actor=people_of(bench), run_id=run_id, reason="", now=clock.now())
            drive_all()
            effects.perform(held)

        assert server.requests == []
        assert status(run_id) == "cancelled"
        assert journal(run_id)[-1] == ("outcome.ignored", "call")

    def test_the_third_death_makes_the_outcome_unknown(self, bench):
        run_id = started(bench, calling(9))
        for _ in range(3):
            assert effects.claim() is not None
            lose_lease()
        drive_all()

        assert Effect.objects.get().status == "unknown"
        assert error_of(run_id)["class"] == "unknown"

    def test_after_two_deaths_it_runs_alone(self, bench):
        started(bench, calling(9))
        Effect.objects.update(deaths=2)

        assert effects._slots.enter()  # another thread of this process is at work
        assert effects._slots.enter()
        assert effects.claim() is None
        effects._slots.leave()
        assert effects.claim() is not None
        assert not effects._slots.enter()  # nothing else beside it
        effects._slots.leave()
        assert effects._slots.enter()
        effects._slots.leave()

    def test_heartbeats_keep_the_lease_and_stop_at_the_deadline(self, bench, monkeypatch):
        monkeypatch.setattr(effects, "HEARTBEAT_S", 0.02)
        started(bench, calling(9))
        effect = claimed()
        hearts = effects._Hearts()
        long_ago = clock.now() - timedelta(hours=1)
        with hearts.beating(effect, 60):
            Effect.objects.update(lease_until=long_ago)
            wait_until(lambda: Effect.objects.filter(lease_until__gt=clock.now()).exists())
        beats: list[float] = []
        overdue = effects._Hearts()
        monkeypatch.setattr(overdue, "_renew", beats.append)
        with overdue.beating(effect, -1):
            time.sleep(0.1)

        assert beats == []

    def test_no_database_connection_is_held_while_the_other_side_thinks(self, bench, server_of):
        ours, seen = connections["default"], []

        def answer(*_):
            seen.append(ours.connection)
            return response(b"{}", JSON)

        with server_of(answer) as server:
            started(bench, calling(server.port))
            bench.settle()

        assert seen == [None]

    def test_an_outcome_is_reported_when_the_database_is_back(self, bench, server_of, monkeypatch):
        monkeypatch.setattr(effects, "REPORT_AGAIN_S", 0)
        plain, tries = effects._guarded, []

        def guarded(*arguments):
            tries.append(1)
            if len(tries) < 3:
                raise OperationalError("planted")
            return plain(*arguments)

        monkeypatch.setattr(effects, "_guarded", guarded)
        with server_of(response(b"{}", JSON)) as server:
            run_id = started(bench, calling(server.port))
            bench.settle()

        assert status(run_id) == "completed"
        assert len(server.requests) == 1

    def test_a_database_that_is_away_before_sending_fails_nothing(
        self, bench, server_of, monkeypatch
    ):
        plain, tries = effects.Context._about_to_send, []

        def about_to_send(context):
            tries.append(1)
            if len(tries) == 1:
                raise OperationalError("planted")
            plain(context)

        monkeypatch.setattr(effects.Context, "_about_to_send", about_to_send)
        with server_of(response(b"{}", JSON)) as server:
            run_id = started(bench, calling(server.port))
            bench.settle()

        assert status(run_id) == "completed"
        assert len(server.requests) == 1

    def test_a_try_that_failed_is_told_when_the_database_is_back(
        self, bench, server_of, monkeypatch
    ):
        """Nothing that is asked of the database on the way to the report may lose it."""
        monkeypatch.setattr(effects, "REPORT_AGAIN_S", 0)
        now, asked = clock.now, []

        def away_twice():
            asked.append(1)
            if len(asked) < 3:
                raise OperationalError("planted")
            return now()

        with server_of(response(b"{}", JSON, status="500 Not Well")) as server:
            started(bench, calling(server.port))
            effect = claimed()
            monkeypatch.setattr(clock, "now", away_twice)
            effects.perform(effect)

        assert Effect.objects.values_list("status", "deaths").get() == ("queued", 0)
        assert len(server.requests) == 1
        assert RunCommand.objects.get().kind == "retry"

    def test_a_late_outcome_is_journaled_when_the_database_is_back(
        self, bench, server_of, monkeypatch
    ):
        monkeypatch.setattr(effects, "REPORT_AGAIN_S", 0)
        plain, asked = commands.add_command, []

        def away_once(**what):
            asked.append(1)
            if len(asked) == 1:
                raise OperationalError("planted")
            plain(**what)

        with server_of(response(b"{}", JSON)) as server:
            started(bench, calling(server.port))
            effect = claimed()
            Effect.objects.update(fence=effect.fence + 1)
            monkeypatch.setattr("apps.runs.effects.add_command", away_once)
            effects.perform(effect)

        assert RunCommand.objects.get().kind == "late"

    def test_a_step_that_raises_is_an_outcome_and_says_no_more_than_it_may(
        self, bench, monkeypatch
    ):
        def http(*_arguments, **_options):
            raise RuntimeError("planted \0 fault")

        monkeypatch.setattr(effects.Context, "http", http)
        run_id = started(bench, calling(9))
        bench.settle()

        assert error_of(run_id)["code"] == "step_fault"
        assert "\0" not in error_of(run_id)["message"]

    def test_lanes_are_drawn_by_lot_so_a_flood_holds_up_nobody(self, bench):
        flood = bench.publish(calling(9))
        for _ in range(40):
            bench.start(flood, {"n": 1})
        other = bench.start(bench.publish(calling(9)), {"n": 1})
        drive_all()

        taken = [claimed().run_id for _ in range(30)]

        assert other in taken

    def test_threads_that_ask_together_get_one_each_and_every_lane_its_turn(self, bench):
        flood = bench.publish(calling(9))
        for _ in range(50):
            bench.start(flood, {"n": 1})
        others = [bench.start(bench.publish(calling(9)), {"n": 1}) for _ in range(3)]
        drive_all()

        first = effect_claims._claim_for([True] * 8)
        rest = effect_claims._claim_for([True] * 60)

        assert None not in first
        assert set(others) <= {one.run_id for one in first if one}
        assert [one is None for one in rest] == [False] * 45 + [True] * 15
        assert len({one.id for one in (*first, *rest) if one}) == 53

    def test_threads_that_report_together_count_each_under_its_own_fence(self, bench):
        version = bench.publish(calling(9))
        for _ in range(3):
            bench.start(version, {"n": 1})
        drive_all()
        held = [claimed() for _ in range(3)]
        Effect.objects.filter(pk=held[1].id).update(fence=7)
        reports = [
            effect_reports.Report(one.id, one.fence, EffectStatus.SUCCEEDED, "complete", "{}")
            for one in held
        ]

        assert effect_reports._write_reports(reports) == [True, False, True]
        assert RunCommand.objects.filter(kind="complete").count() == 2
        assert Effect.objects.get(pk=held[1].id).status == "running"
        assert effect_reports._write_marks([(one.id, one.fence) for one in held]) == [False] * 3
