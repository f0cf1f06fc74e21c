"""When a schedule is due: in its zone, through both nights, and after an outage."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.steps.types.trigger_schedule import AllMissed, Schedule
from apps.triggers.schedules import judge, next_after, owed

BERLIN = "Europe/Berlin"


def next_time(cron, zone, after):
    found = next_after(cron, zone, after)
    assert found is not None
    return found


def last_time(cron, zone, until):
    (found,) = owed(cron, zone, "once", since=until - timedelta(days=3650), now=until)
    return found


def times(cron, start, count, zone=BERLIN):
    found = [start]
    for _ in range(count):
        found.append(next_time(cron, zone, found[-1]))
    return [f"{at:%m-%d %H:%M}" for at in found[1:]]


class TestTheNightInSpring:
    """On 2026-03-29 at 01:00 UTC, Berlin goes from 02:00 to 03:00."""

    evening = datetime(2026, 3, 28, 20, tzinfo=UTC)

    def test_a_time_that_is_skipped_fires_after_the_gap(self):
        assert times("30 2 * * *", self.evening, 2) == ["03-29 01:00", "03-30 00:30"]

    def test_a_time_in_the_morning_keeps_its_hour_on_the_wall(self):
        assert times("0 9 * * *", self.evening - timedelta(days=1), 2) == [
            "03-28 08:00",
            "03-29 07:00",
        ]

    def test_an_hourly_line_goes_on_by_elapsed_time(self):
        assert times("0 * * * *", self.evening + timedelta(hours=3), 4) == [
            "03-29 00:00",
            "03-29 01:00",
            "03-29 02:00",
            "03-29 03:00",
        ]


class TestTheNightInAutumn:
    """On 2026-10-25 at 01:00 UTC, Berlin goes from 03:00 back to 02:00."""

    evening = datetime(2026, 10, 24, 20, tzinfo=UTC)

    def test_a_time_that_comes_twice_fires_the_first_time(self):
        assert times("30 2 * * *", self.evening, 2) == ["10-25 00:30", "10-26 01:30"]

    def test_also_for_a_clock_that_looks_between_the_two(self):
        between = datetime(2026, 10, 25, 1, 0, tzinfo=UTC)
        assert times("30 2 * * *", between, 1) == ["10-26 01:30"]
        assert last_time("30 2 * * *", BERLIN, datetime(2026, 10, 25, 2, tzinfo=UTC)) == datetime(
            2026, 10, 25, 0, 30, tzinfo=UTC
        )

    def test_an_hourly_line_fires_in_both(self):
        assert times("30 * * * *", self.evening + timedelta(hours=4), 4) == [
            "10-25 00:30",
            "10-25 01:30",
            "10-25 02:30",
            "10-25 03:30",
        ]

    def test_a_time_in_the_morning_keeps_its_hour_on_the_wall(self):
        assert times("0 9 * * *", self.evening, 2) == ["10-25 08:00", "10-26 08:00"]


@pytest.mark.parametrize(
    "zone", ["America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"]
)
@pytest.mark.parametrize("cron", ["30 1,2 * * *", "*/7 * * * *"])
def test_looking_back_agrees_with_looking_forward(zone, cron):
    at = datetime(2026, 3, 27, tzinfo=UTC)
    for _ in range(300):
        after = next_time(cron, zone, at)
        assert after > at
        assert last_time(cron, zone, after) == after
        assert last_time(cron, zone, after - timedelta(seconds=1)) <= at
        at = after


def test_a_line_that_never_fires_says_so():
    assert next_after("0 0 30 2 *", "UTC", datetime(2026, 1, 1, tzinfo=UTC)) is None
    assert next_time("0 0 29 2 *", "UTC", datetime(2026, 3, 1, tzinfo=UTC)).year == 2028


class TestTimesThatAreOwed:
    """The machine was down for three days; the line is for nine every day."""

    since = datetime(2026, 6, 1, 7, tzinfo=UTC)
    back = datetime(2026, 6, 4, 6, tzinfo=UTC)

    def owed(self, missed, now=None):
        found = owed("0 9 * * *", BERLIN, missed, since=self.since, now=now or self.back)
        return [at.day for at in found]

    def test_are_none_where_they_may_pass(self):
        assert self.owed("skip") == []
        assert self.owed("skip", self.back + timedelta(hours=1, seconds=59)) == [4]
        assert self.owed("skip", self.back + timedelta(hours=1, seconds=61)) == []

    def test_are_made_up_for_by_the_last(self):
        assert self.owed("once") == [3]
        assert self.owed("once", self.back + timedelta(hours=1)) == [4]

    @pytest.mark.parametrize(
        ("most", "days"), [(1, [3]), (2, [2, 3]), (3, [1, 2, 3]), (9, [1, 2, 3])]
    )
    def test_are_all_of_them_up_to_a_number(self, most, days):
        assert self.owed(AllMissed(all=most)) == days
        on_time = self.back + timedelta(hours=1)
        assert self.owed(AllMissed(all=most), on_time) == [*days, 4]

    @pytest.mark.parametrize("missed", ["skip", "once", AllMissed(all=5)])
    def test_are_one_where_nothing_was_missed(self, missed):
        assert self.owed(missed, self.since + timedelta(milliseconds=1)) == [1]

    def test_of_both_nights_are_one_each(self):
        """Half past two: skipped by the clocks in March, there twice in October."""
        every = AllMissed(all=100)
        for first, last, count in [
            (datetime(2026, 3, 28, 1, 30, tzinfo=UTC), datetime(2026, 3, 30, 0, 30, tzinfo=UTC), 3),
            (
                datetime(2026, 10, 24, 0, 30, tzinfo=UTC),
                datetime(2026, 10, 26, 1, 30, tzinfo=UTC),
                3,
            ),
        ]:
            found = owed("30 2 * * *", BERLIN, every, since=first, now=last)
            assert (found[0], found[-1], len(found)) == (first, last, count)


class TestJudging:
    day = datetime(2026, 6, 1, 7, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("overlap", "is_busy", "waiting", "verdicts"),
        [
            ("allow", True, 0, "sss"),
            ("skip", False, 0, "s--"),
            ("skip", True, 0, "---"),
            ("cancel_old", True, 0, "--s"),
            ("cancel_old", False, 0, "--s"),
            ("queue", False, 0, "sww"),
            ("queue", True, 0, "www"),
            ("queue", False, 1, "www"),
            ("queue", True, 98, "ww-"),
            ("queue", True, 100, "---"),
        ],
    )
    def test_gives_each_time_what_becomes_of_it(self, overlap, is_busy, waiting, verdicts):
        letters = {"started": "s", "waiting": "w", "skipped": "-"}
        found = judge([self.day] * 3, overlap, is_busy=is_busy, waiting=waiting)
        assert "".join(letters[one] for one in found) == verdicts
        assert judge([], overlap, is_busy=is_busy, waiting=waiting) == []


class TestWhatMayBeSaid:
    @pytest.mark.parametrize(
        "config",
        [
            {"missed": "never"},
            {"missed": {"all": 0}},
            {"missed": {"all": 101}},
            {"missed": {"all": 2, "most": 3}},
            {"missed": None},
            {"overlap": "wait"},
            {"cron": "R 9 * * *"},
            {"cron": "0 0 9 * * *"},
            {"cron": "@daily"},
            {"zone": "Europe/Atlantis"},
            {"zone": "../etc/passwd"},
        ],
    )
    def test_is_nothing_else(self, config):
        from pydantic import ValidationError

        Schedule.model_validate({"cron": "0 9 * * *"})
        with pytest.raises(ValidationError):
            Schedule.model_validate({"cron": "0 9 * * *", **config})

    def test_may_be_a_month_or_a_day_by_its_name(self):
        assert Schedule(cron="0 9 * mar,apr fri").cron
