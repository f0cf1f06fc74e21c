"""Working time only grows, may be taken in parts, and knows the nights on which clocks change."""

from datetime import UTC, date, datetime, timedelta
from time import perf_counter
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from apps.engine.working_time import (
    STANDARD,
    Calendar,
    NoWorkingTime,
    add_days,
    add_time,
    next_moment,
    time_between,
)

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = Calendar("Europe/Berlin", holidays=frozenset({date(2026, 12, 25)}))
ALWAYS = Calendar("Europe/Berlin", (((0, 1440),),) * 7)
PAUSE = Calendar("Europe/Berlin", (((540, 720), (780, 1020)),) * 4 + (((540, 720),),) + ((),) * 2)

zones = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]
)
#: A year from each of two days; Apia left out a day at the end of 2011.
moments = st.builds(
    lambda first, second: first + timedelta(seconds=second),
    st.sampled_from([datetime(2011, 12, 20, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)]),
    st.integers(0, 365 * 24 * 3600),
)
amounts = st.integers(1, 200 * 3600).map(lambda seconds: timedelta(seconds=seconds))


@st.composite
def calendars(draw):
    def day():
        edges = sorted(draw(st.sets(st.integers(0, 48), max_size=6)))
        edges = [edge * 30 for edge in edges]
        return tuple(zip(edges[::2], edges[1::2], strict=False))

    hours = tuple(day() for _ in range(7))
    assume(any(hours))
    free = draw(st.sets(st.integers(0, 364), max_size=20))
    holidays = frozenset(date(2026, 1, 1) + timedelta(days=one) for one in free)
    return Calendar(draw(zones), hours, holidays)


def local(text, zone=BERLIN):
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def shown(at, zone=BERLIN):
    return f"{at.astimezone(zone):%m-%d %H:%M}"


class TestProperties:
    @given(calendars(), moments, moments, amounts)
    def test_who_begins_later_ends_no_earlier(self, calendar, one, other, amount):
        first, second = sorted([one, other])
        assert add_time(calendar, first, amount) <= add_time(calendar, second, amount)
        assert next_moment(calendar, first) <= next_moment(calendar, second)

    @given(calendars(), moments, amounts, amounts)
    def test_more_ends_later(self, calendar, at, amount, more):
        assert at < add_time(calendar, at, amount) < add_time(calendar, at, amount + more)

    @given(calendars(), moments, amounts, amounts)
    def test_two_parts_are_as_long_as_the_whole(self, calendar, at, one, other):
        whole = add_time(calendar, at, one + other)
        assert add_time(calendar, add_time(calendar, at, one), other) == whole

    @given(calendars(), moments, amounts)
    def test_what_was_added_lies_between(self, calendar, at, amount):
        assert time_between(calendar, at, add_time(calendar, at, amount)) == amount

    @given(calendars(), moments)
    def test_the_next_moment_is_one_and_nothing_lies_before_it(self, calendar, at):
        found = next_moment(calendar, at)
        assert found >= at
        assert next_moment(calendar, found) == found
        assert time_between(calendar, at, found) == timedelta()
        assert time_between(calendar, found, found + timedelta(seconds=1)) > timedelta()

    @given(zones, moments, amounts)
    def test_of_a_calendar_without_rest_is_elapsed_time(self, zone, at, amount):
        assert add_time(Calendar(zone, (((0, 1440),),) * 7), at, amount) == at + amount

    @given(calendars(), moments, st.integers(1, 20))
    def test_days_lead_to_a_later_working_day(self, calendar, at, days):
        found = add_days(calendar, at, days)
        assert found > at
        # The end of a span belongs to it here.
        assert time_between(calendar, found - timedelta(seconds=1), found + timedelta(seconds=1))
        assert found < add_days(calendar, at, days + 1)


class TestHours:
    @pytest.mark.parametrize(
        ("start", "hours", "end"),
        [
            ("2026-11-20 15:00", 1, "11-20 16:00"),
            ("2026-11-20 15:00", 2, "11-20 17:00"),
            ("2026-11-20 15:00", 8, "11-23 15:00"),
            ("2026-11-21 12:00", 8, "11-23 17:00"),
            ("2026-11-21 12:00", 0, "11-23 09:00"),
            ("2026-11-20 17:00", 0, "11-23 09:00"),
            ("2026-12-24 16:00", 2, "12-28 10:00"),
        ],
    )
    def test_count_while_people_work(self, start, hours, end):
        assert shown(add_time(OFFICE, local(start), timedelta(hours=hours))) == end

    def test_leave_out_the_pause(self):
        assert (
            shown(add_time(PAUSE, local("2026-11-16 11:00"), timedelta(hours=2))) == "11-16 14:00"
        )

    def test_between_are_none_where_the_end_comes_first(self):
        end = local("2026-11-16 11:00")
        assert time_between(OFFICE, end, end - timedelta(days=3)) == timedelta()

    def test_without_a_calendar_are_nine_to_five(self):
        friday = datetime(2026, 11, 20, 16, tzinfo=UTC)
        assert add_time(STANDARD, friday, timedelta(hours=2)) == datetime(
            2026, 11, 23, 10, tzinfo=UTC
        )


class TestDays:
    @pytest.mark.parametrize(
        ("start", "days", "end"),
        [
            ("2026-11-20 15:00", 1, "11-23 15:00"),
            ("2026-11-20 15:00", 2, "11-24 15:00"),
            ("2026-11-22 15:00", 1, "11-24 09:00"),
            ("2026-11-20 18:00", 1, "11-24 09:00"),
            ("2026-12-24 10:30", 1, "12-28 10:30"),
        ],
    )
    def test_keep_the_time_on_the_wall(self, start, days, end):
        assert shown(add_days(OFFICE, local(start), days)) == end

    def test_end_with_a_day_that_ends_earlier_and_with_a_pause(self):
        assert shown(add_days(PAUSE, local("2026-11-19 15:00"), 1)) == "11-20 12:00"
        early = Calendar("UTC", (((540, 1020),), ((540, 720), (780, 1020)), *((),) * 5))
        monday = datetime(2026, 11, 16, 12, 30, tzinfo=UTC)
        assert add_days(early, monday, 1) == datetime(2026, 11, 17, 13, tzinfo=UTC)

    def test_of_none_change_nothing(self):
        saturday = local("2026-11-21 12:00")
        assert add_days(OFFICE, saturday, 0) == saturday


class TestTheNights:
    def test_in_spring_has_an_hour_less(self):
        night = local("2026-03-29 00:00"), local("2026-03-30 00:00")
        assert time_between(ALWAYS, *night) == timedelta(hours=23)
        assert shown(add_time(ALWAYS, night[0], timedelta(hours=3))) == "03-29 04:00"

    def test_in_autumn_has_an_hour_more(self):
        night = local("2026-10-25 00:00"), local("2026-10-26 00:00")
        assert time_between(ALWAYS, *night) == timedelta(hours=25)

    def test_a_shift_that_begins_in_the_gap_begins_at_its_end(self):
        shift = Calendar("Europe/Berlin", (((150, 360),),) * 7)  # 02:30 to 06:00
        assert shown(next_moment(shift, local("2026-03-29 00:00"))) == "03-29 03:00"
        whole = local("2026-03-29 00:00"), local("2026-03-29 12:00")
        assert time_between(shift, *whole) == timedelta(hours=3)

    def test_a_shift_inside_the_gap_does_not_take_place(self):
        shift = Calendar("Europe/Berlin", (((130, 170),),) * 7)  # 02:10 to 02:50
        assert shown(next_moment(shift, local("2026-03-29 00:00"))) == "03-30 02:10"
        assert shown(add_days(shift, local("2026-03-28 02:20"), 1)) == "03-30 02:20"

    def test_two_shifts_that_meet_in_the_doubled_hour_count_it_once(self):
        shifts = Calendar("Europe/Berlin", (((0, 150), (150, 360)),) * 7)
        night = local("2026-10-25 00:00"), local("2026-10-25 06:00")
        assert time_between(shifts, *night) == timedelta(hours=7)

    def test_where_midnight_does_not_exist(self):
        zone = ZoneInfo("America/Sao_Paulo")  # on 2018-11-04 the day began at 01:00
        always = Calendar(zone.key, (((0, 1440),),) * 7)
        day = datetime(2018, 11, 4, 1, tzinfo=zone)
        assert time_between(always, day - timedelta(days=1), day + timedelta(days=1)) > timedelta()
        assert add_time(always, day, timedelta(hours=5)) == day.astimezone(UTC) + timedelta(hours=5)


class TestWithoutEnd:
    @pytest.mark.parametrize(
        "ask",
        [
            next_moment,
            lambda calendar, at: add_time(calendar, at, timedelta(hours=1)),
            lambda calendar, at: add_days(calendar, at, 1),
        ],
    )
    def test_nobody_waits_for_a_calendar_without_work(self, ask):
        with pytest.raises(NoWorkingTime):
            ask(Calendar("UTC", ((),) * 7), datetime(2026, 1, 1, tzinfo=UTC))

    def test_ten_years_are_the_limit_and_soon_told(self):
        start, at = perf_counter(), datetime(2026, 1, 1, tzinfo=UTC)
        with pytest.raises(NoWorkingTime):
            add_time(OFFICE, at, timedelta(days=10_000))
        with pytest.raises(NoWorkingTime):
            add_days(OFFICE, at, 10**9)
        assert perf_counter() - start < 5
