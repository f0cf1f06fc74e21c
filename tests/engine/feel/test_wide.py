"""Years beyond 1 to 9999, and seconds finer than a microsecond."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from apps.engine.feel import Months, to_json
from apps.engine.feel.temporal import format_temporal, parse_any
from apps.engine.feel.wide import (
    MAX_YEAR,
    WideDate,
    combine,
    from_ordinal,
    from_utc,
    make_date,
    make_time,
    nanoseconds,
    ordinal,
    year_of,
)
from tests.engine.feel.conftest import feel

HOLDS = """
string(date("-2017-12-31")) = "-2017-12-31" and date(-2017, 12, 31) = @"-2017-12-31"
date("999999999-12-31").year = 999999999 and date("-999999999-01-01").year = -999999999
@"9999-12-31" + @"P1D" = @"10000-01-01" and @"10000-01-01" - @"P1D" = @"9999-12-31"
@"0001-01-01" - @"P1D" = @"0000-12-31" and @"0000-03-01" - @"P1D" = @"0000-02-29"
@"10000-01-01" - @"9999-12-31" = @"P1D" and @"10000-01-01" > @"9999-12-31" and @"-0001-01-01" < @"0001-01-01"
@"12000-02-29" + @"P1Y" = @"12001-02-28" and @"12000-01-31" + @"P1M" = @"12000-02-29"
@"12400-03-01".weekday = @"2000-03-01".weekday and day of week(@"12400-03-01") = "Wednesday"
day of year(@"12000-12-31") = 366 and week of year(@"12005-01-01") = 53 and month of year(@"12000-12-31") = "December"
years and months duration(@"-0001-01-01", @"12000-06-01") = @"P12001Y5M"
@"12000-01-01T00:00:00Z" - @"11999-12-31T23:00:00Z" = @"PT1H"
@"9999-12-31T23:00:00Z" + @"PT2H" = @"10000-01-01T01:00:00Z"
@"12000-01-01T00:00:00+02:00" = @"11999-12-31T22:00:00Z"
date(@"12000-01-01T10:00:00Z") = @"12000-01-01" and time(@"12000-01-01T10:00:00Z") = @"10:00:00Z"
date and time(@"12000-01-01", @"10:00:00") = @"12000-01-01T10:00:00"
date and time("12000-06-15") = @"12000-06-15T00:00:00" and date and time(@"-0044-03-15") = @"-0044-03-15T00:00:00"
string(date and time(@"12000-07-01T10:00:00Z", "Europe/Berlin")) = "12000-07-01T12:00:00@Europe/Berlin"
@"12000-07-01T10:00:00@Europe/Berlin".time offset = @"PT2H" and @"12000-07-01T10:00:00@Europe/Berlin".timezone = "Europe/Berlin"
@"12000-07-01T10:00:00".hour = 10 and @"12000-07-01T10:00:00".minute = 0 and @"12000-07-01T10:00:00".day = 1
@"12000-01-01" instance of date and @"12000-01-01T00:00:00" instance of date and time
time("10:00:00.123456789").second = 0.123456789 and string(@"10:00:00.1234567") = "10:00:00.1234567"
@"10:00:00.000000001" > @"10:00:00" and @"10:00:00.000000001" != @"10:00:00" and @"10:00:00.000000001" instance of time
time(10, 0, 1.123456789) = @"10:00:01.123456789" and @"10:00:00.000000001" + @"PT1H" = @"11:00:00.000000001"
@"2026-01-01T10:00:00.000000001Z" + @"P1D" = @"2026-01-02T10:00:00.000000001Z"
count(for d in [@"9999-12-30"..@"10000-01-02"] return d) = 4
before(@"9999-01-01", @"12000-01-01") and max([@"9999-01-01", @"12000-01-01"]) = @"12000-01-01"
@"12000-01-01" in [@"9999-01-01"..@"12000-01-02"]
@"2026-01-02T00:00:00Z" - @"2026-01-01" = @"P1D" and @"2026-01-02" - @"2026-01-01T12:00:00Z" = @"PT12H"
""".strip().splitlines()


@pytest.mark.parametrize("source", HOLDS)
def test_holds(evaluate, source):
    assert evaluate(source) is True


@pytest.mark.parametrize(
    "source, code",
    [
        ('date("1000000000-01-01")', "conversion"),
        ("date(1000000000, 1, 1)", "overflow"),
        ('date("12001-02-29")', "conversion"),
        ("date(-2017, 2, 29)", "conversion"),
        ('@"999999999-12-31" + @"P1M"', "overflow"),
        ('@"999999999-12-31" - @"-999999999-01-01"', "overflow"),
        ('@"10:00:00.000000001" - @"10:00:00"', "overflow"),
        ('duration("PT0.0000001S")', "conversion"),
        ("time(10, 0, 1.1234567891)", "conversion"),
        ("time(24, 0, 0)", "conversion"),
        ('@"2026-01-02T00:00:00" - @"2026-01-01"', "wrong_type"),
        ('@"12000-01-01" = @"12000-01-01T00:00:00"', "wrong_type"),
    ],
)
def test_refuses(failure, source, code):
    assert failure(source).code == code


def test_leaves_as_text():
    assert to_json(feel('@"12000-07-01"')) == "12000-07-01"
    assert to_json(feel('[@"12000-07-01T10:00:00@Europe/Berlin"]')) == [
        "12000-07-01T10:00:00+02:00"
    ]
    assert to_json(feel('{t: @"10:00:00.000000001Z"}')) == {"t": "10:00:00.000000001Z"}


years = st.integers(-MAX_YEAR, MAX_YEAR)
dates = st.builds(make_date, years, st.integers(1, 12), st.integers(1, 28))
moments = st.builds(
    combine,
    dates | st.dates(),
    st.builds(make_time, st.times(), st.integers(0, 999))
    | st.times(timezones=st.sampled_from([UTC, ZoneInfo("Asia/Dhaka")])),
)


@given(dates | moments)
def test_text_reads_back_as_the_same_value(value):
    assert parse_any(format_temporal(value)) == value


@given(dates)
def test_a_day_has_one_number_and_one_form(day):
    again = from_ordinal(ordinal(day))
    assert again == day
    assert (type(day) is date) is (1 <= year_of(day) <= 9999)
    assert isinstance(day, date | WideDate)


@given(moments)
def test_a_moment_has_one_number(value):
    zone = value.tzinfo if isinstance(value, datetime) else value.base.tzinfo
    assume(zone in {None, UTC} or abs(year_of(value) - 5000) < 4990)  # a zone knows its own years
    assert from_utc(nanoseconds(value), zone) == value


@given(dates, st.integers(-10_000_000, 10_000_000))
def test_months_forth_and_back_keep_the_month(day, months):
    if abs(year_of(day)) + abs(months) // 12 + 1 > MAX_YEAR:
        return
    there = feel("d + m", {"d": day, "m": Months(months)})
    assert feel("d - m", {"d": there, "m": Months(months)}) == day


@given(dates, st.timedeltas(timedelta(-999_999), timedelta(999_999)))
def test_days_added_are_days_between(day, gap):
    if abs(year_of(day)) > MAX_YEAR - 3000:
        return
    later = feel("d + g", {"d": day, "g": gap})
    assert feel("a - b", {"a": later, "b": day}) == timedelta(days=gap.days)


@given(st.times(), st.timedeltas(timedelta(-9), timedelta(9)))
def test_a_time_goes_round_the_clock(clock: time, gap):
    moved = feel("t + g", {"t": clock, "g": gap})
    plain = (datetime.combine(date(2026, 1, 1), clock) + gap).time()
    assert moved == plain
