"""A worker that hears no bells any more is found, and one that is busy or idle is not."""

from config.hearing import LOOKS, Hearing


class Worker:
    def __init__(self):
        self.bells, self.free = 0, 2
        self.hearing = Hearing(
            ["drive"], bells=lambda _queue: self.bells, free_hands=lambda: self.free
        )

    def look(self, times=LOOKS):
        return [self.hearing.is_lost() for _ in range(times)]


def test_bells_that_nobody_with_free_hands_takes_are_deafness():
    worker = Worker()
    worker.bells = 3

    assert worker.look() == [False] * (LOOKS - 1) + [True]


def test_silence_is_no_deafness():
    assert not any(Worker().look(50))


def test_a_worker_with_its_hands_full_is_not_deaf():
    worker = Worker()
    worker.bells, worker.free = 3, 0

    assert not any(worker.look(50))


def test_every_message_that_comes_begins_the_count_anew():
    worker = Worker()
    worker.bells = 3
    for _ in range(10):
        assert not any(worker.look(LOOKS - 1))
        worker.hearing.received()
        assert worker.look(1) == [False]


def test_so_does_a_queue_that_was_empty_for_a_moment():
    worker = Worker()
    worker.bells = 3
    worker.look(LOOKS - 1)
    worker.bells = 0
    worker.look(1)
    worker.bells = 3

    assert not any(worker.look(LOOKS - 1))
