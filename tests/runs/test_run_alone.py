"""Rule 12: an effect present at two process deaths runs alone, and under steady load too."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from apps.core import clock
from apps.runs import effect_claims, effects, slots
from apps.runs.drive import drive_all
from apps.runs.models import Effect
from tests.runs.support import document

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def process(monkeypatch):
    """The slots of one worker process; ``process()`` is another one."""

    def another():
        made = slots.Slots()
        monkeypatch.setattr(effects, "_slots", made)
        return made

    another()
    return another


MAIL = document(
    {"tell": {"type": "mail.send", "config": {"to": "a@b.test", "subject": "Hi", "text": "Ho"}}},
    ["trigger -> tell"],
)


def queued(bench, count):
    version = bench.publish(MAIL)
    for _ in range(count):
        bench.start(version)
    drive_all()


def claimed() -> effect_claims.Claimed:
    """The next effect, which there is."""
    effect = effects.claim()
    assert effect is not None
    return effect


@pytest.fixture
def suspect(bench):
    """An effect that two processes died with, due for a minute; five others wait beside it."""
    queued(bench, 1)
    found = Effect.objects.get()
    Effect.objects.update(deaths=2, available_at=clock.now() - timedelta(minutes=1))
    queued(bench, 5)
    return found.pk


def test_one_that_waits_too_long_gets_its_turn_before_the_others(suspect):
    threads = effects._slots
    assert threads.enter()
    assert threads.enter()
    assert effects.claim() is None  # this thread takes no other work
    threads.leave()
    assert not threads.enter()  # nor does a new one, while one is still inside
    threads.leave()
    assert threads.enter()
    assert claimed().id == suspect
    assert not threads.enter()  # nothing else beside it
    threads.leave()
    assert threads.enter()
    assert claimed().deaths == 0
    assert threads.enter()  # and all is as before


def test_until_then_the_others_go_on(suspect):
    Effect.objects.filter(pk=suspect).update(available_at=clock.now() - timedelta(seconds=20))
    assert effects._slots.enter()
    assert effects._slots.enter()
    for _ in range(5):
        assert claimed().deaths == 0
    assert effects.claim() is None


def test_only_one_process_stops_for_it(suspect, process):
    first = effects._slots
    assert first.enter()
    assert first.enter()
    assert effects.claim() is None
    second = process()
    assert second.enter()
    assert second.enter()
    assert claimed().deaths == 0
    assert (first.is_reserved, second.is_reserved) == (True, False)


def test_where_another_had_it_meanwhile_the_process_goes_on(suspect, process):
    first = effects._slots
    assert first.enter()
    assert first.enter()
    assert effects.claim() is None
    Effect.objects.filter(pk=suspect).update(status="running")
    first.leave()
    assert effects.claim() is None
    assert not first.is_reserved
    assert claimed().deaths == 0


def test_a_process_that_cannot_become_idle_gives_up(suspect, monkeypatch):
    monkeypatch.setattr(slots, "RESERVED_S", 0.0)
    assert effects._slots.enter()
    assert effects._slots.enter()
    assert claimed().deaths == 0


def test_it_is_asked_for_now_and_then_only(suspect):
    Effect.objects.filter(pk=suspect).update(status="running")
    assert effects._slots.is_time_to_look()
    assert not effects._slots.is_time_to_look()


def test_under_steady_load_it_is_done_and_nothing_beside_it(bench, suspect, monkeypatch):
    queued(bench, 20)
    lock, inside, beside, order = threading.Lock(), set(), set(), []
    plain = effects.perform

    def perform(effect):
        with lock:
            inside.add(effect.id)
            order.append(effect.id)
            if suspect in inside:
                beside.update(inside)
        threading.Event().wait(0.02)
        try:
            plain(effect)
        finally:
            with lock:
                inside.discard(effect.id)

    monkeypatch.setattr(effects, "perform", perform)

    def work():
        try:
            while Effect.objects.filter(status="queued").exists():
                effects.work_effects()
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(order) == len(set(order)) == 26
    assert beside == {suspect}
    assert order.index(suspect) < 10


class TestUnderALimit:
    """One alone and one beside others never share the last place, whoever counts first."""

    @pytest.fixture
    def two(self, bench):
        """Two effects of a limit of one; the first must run alone."""
        call = {"type": "http.request", "config": {"url": "https://shop.example/"}}
        limited = document({"call": {**call, "concurrency": {"max": 1}}}, ["trigger -> call"])
        version = bench.publish(limited)
        for _ in range(2):
            bench.start(version)
        drive_all()
        first, second = Effect.objects.order_by("id")
        Effect.objects.filter(pk=first.pk).update(deaths=2)
        return first, second

    @staticmethod
    def stopped(before, work):
        """Does ``work`` in a thread that stops before it commits."""
        there, go_on, found = threading.Event(), threading.Event(), []

        def do():
            with transaction.atomic():
                found.append(work())
                there.set()
                go_on.wait(60)
            connection.close()

        thread = threading.Thread(target=do, name=before)
        thread.start()
        assert there.wait(60)

        def end():
            go_on.set()
            thread.join(60)
            assert not thread.is_alive()
            return found[0]

        return end

    def test_while_one_beside_others_is_taken_the_one_alone_is_not(self, two):
        _, second = two

        def take():
            hand = effect_claims._Hand(1, 1)
            hand.limited(1, 20)
            return hand.found

        end = self.stopped("beside others", take)
        alone = effect_claims.claim_alone()
        [taken] = end()
        assert (alone, taken.id) == (None, second.pk)
        assert effect_claims.claim_alone() is None
        assert Effect.objects.filter(status="running").count() == 1

    def test_while_the_one_alone_is_taken_none_beside_others_is(self, two):
        first, _ = two
        end = self.stopped("alone", effect_claims.claim_alone)
        assert effect_claims.claim_any() is None
        assert end().id == first.pk
        assert effect_claims.claim_any() is None
        assert Effect.objects.filter(status="running").count() == 1

    def test_one_whose_limit_is_full_does_not_keep_the_next_waiting(self, bench, two):
        effect_claims.claim_any()
        queued(bench, 1)
        free = Effect.objects.latest("id")
        Effect.objects.filter(pk=free.pk).update(deaths=2)
        taken = effect_claims.claim_alone()
        assert taken is not None
        assert taken.id == free.pk
