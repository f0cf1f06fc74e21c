"""How many effects are at work at once, over runs; and how often one is tried, by its error."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from apps.core import clock
from apps.engine.lifecycle import EffectStatus
from apps.runs import effect_claims, effect_limits, effects, queries, sweep, tries, verify
from apps.runs.drive import drive_all
from apps.runs.models import Effect, Run, RunEvent
from apps.runs.slots import Slots
from apps.steps.outcomes import StepError
from tests.runs.support import at_once, document, status

pytestmark = pytest.mark.django_db(transaction=True)
CALL = {"type": "http.request", "config": {"url": "https://shop.example/orders"}}


@pytest.fixture(autouse=True)
def own_slots(monkeypatch):
    monkeypatch.setattr(effects, "_slots", Slots())


def flow(**fields: Any) -> dict[str, Any]:
    return document({"call": {**CALL, **fields}}, ["trigger -> call"])


def start(bench, version, *bodies: Any) -> list[UUID]:
    runs = [bench.start(version, body) for body in bodies]
    drive_all()
    return runs


def claimed() -> effect_claims.Claimed:
    effect = effects.claim()
    assert effect is not None
    return effect


def finish(effect: effect_claims.Claimed) -> None:
    payload = {"step": effect.step, "visit": effect.visit, "port": "done", "output": {}}
    effects._report(effect, EffectStatus.SUCCEEDED, "complete", payload)


class TestAtOnce:
    def test_no_more_than_allowed_over_all_runs_and_the_next_when_one_is_done(self, bench):
        version = bench.publish(flow(concurrency={"max": 2}))
        start(bench, version, *[{}] * 4)
        first, second = claimed(), claimed()
        assert effects.claim() is None
        finish(first)
        third = claimed()
        assert third.run_id not in {first.run_id, second.run_id}
        assert effects.claim() is None
        drive_all()
        assert not verify.check_runs().problems

    def test_for_each_key_by_itself(self, bench):
        limit = {"max": 1, "key": "trigger.body.customer"}
        version = bench.publish(flow(concurrency=limit))
        runs = start(bench, version, {"customer": "a"}, {"customer": "a"}, {"customer": "b"})
        served = {claimed().run_id, claimed().run_id}
        assert effects.claim() is None
        assert runs[2] in served
        assert len(served) == 2

    def test_two_flows_do_not_share_a_limit(self, bench):
        for _ in range(2):
            start(bench, bench.publish(flow(concurrency={"max": 1})), {}, {})
        assert effects.claim() is not None
        assert effects.claim() is not None
        assert effects.claim() is None

    def test_oldest_first(self, bench):
        version = bench.publish(flow(concurrency={"max": 1}))
        runs = start(bench, version, *[{}] * 5)
        served = []
        while (effect := effects.claim()) is not None:
            served.append(effect.run_id)
            finish(effect)
        assert served == runs

    def test_what_waits_keeps_nobody_else_waiting(self, bench):
        start(bench, bench.publish(flow(concurrency={"max": 1})), *[{}] * 20)
        start(bench, bench.publish(flow()), {}, {})
        assert sum(effects.claim() is not None for _ in range(3)) == 3
        assert effects.claim() is None

    def test_of_one_flow_many_keys_do_not_crowd_out_another_flow(self, bench):
        limit = {"max": 1, "key": "trigger.body.n"}
        start(bench, bench.publish(flow(concurrency=limit)), *[{"n": n} for n in range(20)])
        other = bench.publish(flow(concurrency={"max": 1}))
        start(bench, other, {})
        served = [effects.claim() for _ in range(12)]  # one in two is the other's
        assert other.flow_id in {one.lane for one in served if one is not None}

    def test_a_retry_that_waits_gives_its_place_up(self, bench):
        version = bench.publish(flow(concurrency={"max": 1}))
        start(bench, version, {}, {})
        first = claimed()
        effects._report_failure(
            first, effects.Context(first), StepError("busy", "Busy.", error_class="transient")
        )
        second = claimed()
        assert second.run_id != first.run_id

    def test_a_worker_that_died_gives_its_place_up_with_its_lease(self, bench):
        start(bench, bench.publish(flow(concurrency={"max": 1})), {}, {})
        effects.claim()
        assert not sweep.are_effects_due()
        Effect.objects.filter(status="running").update(
            lease_until=clock.real_now() - timedelta(seconds=1)
        )
        effects.expire_leases()
        assert sweep.are_effects_due()
        assert effects.claim() is not None

    def test_many_workers_at_once_never_pass_it(self, bench):
        start(bench, bench.publish(flow(concurrency={"max": 3})), *[{}] * 12)
        at_once(*[effects.claim] * 8)
        assert Effect.objects.filter(status="running").count() <= 3
        for _ in range(3):
            effects.claim()
        assert Effect.objects.filter(status="running").count() == 3

    def test_is_seen_where_the_run_says_why_it_waits(self, bench):
        limit = {"max": 1, "key": "trigger.body.customer"}
        runs = start(
            bench,
            bench.publish(flow(concurrency=limit)),
            {"customer": "acme"},
            {"customer": "acme"},
        )
        effects.claim()
        (reason,) = queries.waiting_for(Run.objects.get(pk=runs[1]))
        assert (reason["kind"], reason["step"], reason["held_by"]) == ("limit", "call", [runs[0]])
        assert reason["detail"] == "At most 1 of this step are at work at once for “acme”."
        (other,) = queries.waiting_for(Run.objects.get(pk=runs[0]))
        assert other["kind"] == "effect"

    def test_a_key_that_cannot_be_told_fails_the_step(self, bench):
        limit = {"max": 1, "key": "trigger.body.customer"}
        (run_id,) = start(bench, bench.publish(flow(concurrency=limit)), {})
        assert status(run_id) == "failed"

    def test_a_hundred_limits_are_looked_at_from_a_place_drawn_by_lot(self, bench):
        limit = {"max": 1, "key": "trigger.body.n"}
        start(bench, bench.publish(flow(concurrency=limit)), *[{"n": n} for n in range(100)])
        assert effect_limits.AT_ONCE <= len(effect_limits.with_room()) < 100
        assert sum(effects.claim() is not None for _ in range(100)) == 100


class TestTries:
    def outcome(self, bench, error_class: str, **config: Any) -> tuple[int, str]:
        """How often it is tried in all, and the status it ends with."""
        doc = flow(**config.pop("fields", {}))
        doc["steps"]["call"]["config"] |= config
        (run_id,) = start(bench, bench.publish(doc), {})
        for count in range(1, 30):
            Effect.objects.filter(run_id=run_id).update(available_at=clock.now())
            effect = claimed()
            failed = StepError("no", "No.", error_class=error_class)  # type: ignore[arg-type]
            effects._report_failure(effect, effects.Context(effect), failed)
            drive_all()
            found = Effect.objects.get(run_id=run_id)
            if found.status != "queued":
                return count, found.status
        raise AssertionError("it never ends")

    def test_by_the_class_of_the_error(self, bench):
        retry = {
            "transient": {"max_attempts": 6},
            "unknown": {"max_attempts": 2},
            "permanent": {"max_attempts": 3},
        }
        fields = {"retry": retry}
        assert self.outcome(bench, "transient", fields=fields) == (6, "failed")
        assert self.outcome(bench, "unknown", fields=fields) == (2, "unknown")
        assert self.outcome(bench, "permanent", fields=fields) == (3, "failed")

    def test_what_is_not_said_stays_as_it_is(self, bench):
        fields = {"retry": {"permanent": {"max_attempts": 2}}}
        assert self.outcome(bench, "transient", fields=fields) == (4, "failed")
        assert self.outcome(bench, "unknown", fields=fields) == (4, "failed")
        assert self.outcome(bench, "permanent") == (1, "failed")

    def test_the_requests_own_word_wins(self, bench):
        fields = {"retry": {"transient": {"max_attempts": 6}, "unknown": {"max_attempts": 6}}}
        own = {"max_attempts": 2, "first_delay_s": 0}
        assert self.outcome(bench, "transient", fields=fields, retry=own) == (2, "failed")
        assert self.outcome(bench, "unknown", fields=fields, on_unknown="fail") == (1, "unknown")

    def test_a_person_is_asked_at_once(self, bench):
        fields = {"retry": {"permanent": {"max_attempts": 5}}}
        assert self.outcome(bench, "human", fields=fields) == (1, "failed")

    def test_pauses_grow_up_to_the_longest(self):
        assert 50 <= tries.backoff(1, 9, 100) <= 100
        assert 0.5 <= tries.backoff(1, 1, 100) <= 1

    def test_the_pause_is_that_of_the_class(self, bench):
        said = {"max_attempts": 9, "first_delay_s": 600, "max_delay_s": 600}
        (run_id,) = start(bench, bench.publish(flow(retry={"permanent": said})), {})
        effect = claimed()
        effects._report_failure(effect, effects.Context(effect), StepError("no", "No."))
        wait = Effect.objects.get(run_id=run_id).available_at - clock.now()
        assert timedelta(seconds=290) < wait <= timedelta(seconds=600)
        drive_all()
        assert RunEvent.objects.filter(run_id=run_id, type="step.retried").exists()
        assert not verify.check_runs().problems
