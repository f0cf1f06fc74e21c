"""Threads that ask at the same time share a round trip; none pays for another's fault."""

import threading
from collections.abc import Sequence

import pytest

from apps.runs.together import Together

HOPELESS = (ConnectionError,)


class Work:
    """Doubles numbers; the first group is held until told to go on."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.began = threading.Event()
        self.may_go = threading.Event()

    def __call__(self, asked: Sequence[int]) -> list[int]:
        self.groups.append(list(asked))
        self.began.set()
        assert self.may_go.wait(20)
        if -1 in asked:
            raise ValueError("planted")
        if -2 in asked:
            raise ConnectionError("planted")
        return [2 * one for one in asked]


def ask_all(together: Together[int, int], work: Work, *numbers: int) -> dict[int, object]:
    """Every number from a thread of its own, all but the first while the first is under way."""
    found: dict[int, object] = {}

    def ask(number: int) -> None:
        try:
            found[number] = together.ask(number)
        except Exception as error:  # noqa: BLE001 - what the test looks at
            found[number] = type(error)

    threads = [threading.Thread(target=ask, args=(one,)) for one in numbers]
    threads[0].start()
    assert work.began.wait(20)
    for one in threads[1:]:
        one.start()
    while len(together._waiting) < len(numbers) - 1:
        threading.Event().wait(0.01)
    work.may_go.set()
    for one in threads:
        one.join(20)
    return found


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def together(work: Work) -> Together[int, int]:
    return Together(work, hopeless=HOPELESS)


def test_one_alone_is_served_at_once(work, together):
    work.may_go.set()
    assert together.ask(4) == 8
    assert together.ask(5) == 10
    assert work.groups == [[4], [5]]


def test_those_who_come_meanwhile_go_together(work, together):
    found = ask_all(together, work, 1, 2, 3, 4)
    assert found == {1: 2, 2: 4, 3: 6, 4: 8}
    assert [len(group) for group in work.groups] == [1, 3]


def test_a_group_is_no_larger_than_it_may_be(work, together, monkeypatch):
    monkeypatch.setattr("apps.runs.together.MOST", 2)
    found = ask_all(together, work, *range(6))
    assert found == {one: 2 * one for one in range(6)}
    assert [len(group) for group in work.groups] == [1, 2, 2, 1]


def test_a_fault_is_the_fault_of_one(work, together):
    found = ask_all(together, work, 1, 2, -1, 3)
    assert found == {1: 2, 2: 4, 3: 6, -1: ValueError}


def test_what_is_hopeless_is_tried_once_for_all(work, together):
    found = ask_all(together, work, 1, 2, -2, 3)
    assert found == {1: 2, 2: ConnectionError, 3: ConnectionError, -2: ConnectionError}
    assert len(work.groups) == 2


def test_after_a_fault_the_next_is_served(work, together):
    work.may_go.set()
    with pytest.raises(ValueError, match="planted"):
        together.ask(-1)
    assert together.ask(1) == 2
