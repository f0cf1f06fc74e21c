"""The clock's parts, each done once on real tables."""

import pytest

from apps.operations import ticking

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_part_can_be_done(valkey, caplog):
    everything = ticking.parts()
    ticking.tick(everything)
    assert caplog.text == ""
    assert all(part.next_at > 0 for part in everything)


def test_a_part_that_fails_is_logged_and_the_others_go_on(valkey, caplog):
    done = []

    def fails():
        raise RuntimeError("planted")

    parts = [ticking.Part("broken", 60, fails), ticking.Part("sound", 60, lambda: done.append(1))]
    ticking.tick(parts)
    assert done == [1]
    assert "“broken” failed" in caplog.text
    ticking.tick(parts)
    assert done == [1]
