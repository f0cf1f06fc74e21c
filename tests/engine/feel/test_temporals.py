"""Dates, times and durations."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.engine.feel import FeelError, Months, to_json
from apps.engine.feel.temporal import format_temporal, parse_any
from tests.engine.feel.conftest import feel

YEARS = datetime.fromisoformat("1950-01-01"), datetime.fromisoformat("2049-01-01")

EQUAL = """
date("2026-03-01") + duration("P2D") = date("2026-03-03")
date("2026-03-01") - duration("PT36H") = date("2026-02-27")
date("2026-01-31") + duration("P1M") = date("2026-02-28")
date("2024-02-29") + duration("P1Y") = date("2025-02-28")
duration("P1M") + date("2026-12-31") = date("2027-01-31")
date("2026-03-01") - date("2026-02-01") = duration("P28D")
@"2026-03-29T01:30:00@Europe/Berlin" + @"PT1H" = @"2026-03-29T03:30:00+02:00"
@"2026-03-28T02:30:00@Europe/Berlin" + @"P1M" = @"2026-04-28T02:30:00@Europe/Berlin"
@"2026-02-28T02:30:00@Europe/Berlin" + @"P1M" - @"PT0S" = @"2026-03-28T02:30:00+01:00"
@"2026-10-25T02:30:00@Europe/Berlin" + @"PT1H" = @"2026-10-25T01:30:00Z"
@"2026-03-01T10:00:00Z" - @"2026-02-28T09:00:00+01:00" = @"P1DT2H"
@"2026-03-30T00:00:00@Europe/Berlin" - @"2026-03-29T00:00:00@Europe/Berlin" = @"PT23H"
@"2026-01-01T10:00:00Z" = @"2026-01-01T11:00:00@Europe/Berlin"
@"2026-01-01T10:00:00Z" < @"2026-01-01T10:00:00-01:00"
@"10:00:00" + @"PT15H" = @"01:00:00"
@"10:00:00" - @"09:00:00" = @"PT1H"
@"10:00:00Z" = @"11:00:00+01:00"
@"PT90M" = @"PT1H30M" and @"P1Y2M" = @"P14M"
@"P1D" * 1.5 = @"PT36H" and 2 * @"P1M" = @"P2M"
@"P1D" / @"PT1H" = 24 and @"P1Y" / @"P1M" = 12 and @"P1D" / 2 = @"PT12H"
@"P1D" - @"PT1H" = @"PT23H" and -@"P1D" = @"-P1D" and @"P1Y" - @"P1M" = @"P11M"
@"P1D" > @"PT23H" and @"P1Y" > @"P11M"
date("2026-03-01") = date(2026, 3, 1) and time("10:20:30") = time(10, 20, 30)
time(10, 0, 0, @"PT2H") = @"10:00:00+02:00"
date and time(date("2026-01-02"), time("03:04:05")) = @"2026-01-02T03:04:05"
date and time("2026-01-02") = @"2026-01-02T00:00:00"
date(@"2026-01-02T03:04:05Z") = @"2026-01-02" and time(@"2026-01-02T03:04:05Z") = @"03:04:05Z"
date and time(@"2026-07-01T10:00:00Z", "Europe/Berlin") = @"2026-07-01T12:00:00+02:00"
date and time("2026-05-15T15:20:18.123456789Z").second = 18.123456789
@"2026-03-01".year = 2026 and @"2026-03-01".month = 3 and @"2026-03-01".day = 1
@"2026-03-01".weekday = 7
@"2026-03-01T04:05:06+02:00".hour = 4 and @"2026-03-01T04:05:06+02:00".time offset = @"PT2H"
@"2026-07-01T04:05:06@Europe/Berlin".timezone = "Europe/Berlin"
@"2026-07-01T04:05:06@Europe/Berlin".time offset = @"PT2H"
@"04:05:06".minute = 5 and @"04:05:06".time offset = null
@"-P1DT2H3M4S".days = -1 and @"-P1DT2H3M4S".hours = -2 and @"P1DT2H3M4S".seconds = 4
@"-P14M".years = -1 and @"-P14M".months = -2
years and months duration(@"2020-01-31", @"2021-03-01") = @"P13M"
years and months duration(@"2021-03-01", @"2020-01-31") = -@"P13M"
day of week(@"2026-03-01") = "Sunday" and month of year(@"2026-03-01") = "March"
day of year(@"2026-02-01") = 32 and week of year(@"2026-12-31") = 53
now() = @"2026-03-29T03:30:00@Europe/Berlin" and today() = @"2026-03-29"
@"2026-01-01" in [@"2025-01-01"..@"2027-01-01"]
string(@"2026-01-01T00:00:00.500@Europe/Berlin") = "2026-01-01T00:00:00.5@Europe/Berlin"
string(@"PT36H") = "P1DT12H" and string(@"PT0S") = "PT0S" and string(@"P0Y") = "P0M"
string(@"10:00:00+00:00") = "10:00:00Z" and string(-@"P1DT0.5S") = "-P1DT0.5S"
""".strip().splitlines()


@pytest.mark.parametrize("source", EQUAL)
def test_holds(evaluate, source):
    assert evaluate(source) is True


@pytest.mark.parametrize(
    "text",
    [
        "2026-1-01", "26-01-01", "02026-01-01", "2026-13-01", "+2026-01-01", "2026-01-01T", "-0000-01-01",
        "10:00", "24:00:00", "10:60:00", "10:00:00+15:00", "10:00:00@Nowhere/City", "10:00:00@../x",
        "2026-01-01 10:00:00", "P", "PT", "P1DT", "P1Y1D", "P-1D", "1D", "", "٢٠٢٦-01-01",
    ],
)  # fmt: skip
def test_refuses_what_is_not_iso_8601(text):
    for name in ("date", "time", "date and time", "duration"):
        with pytest.raises(FeelError) as error:
            feel(f"{name}(text)", {"text": text})
        assert error.value.code == "conversion"


@given(
    st.one_of(
        st.dates(),
        st.times(),
        st.datetimes(),
        st.datetimes(timezones=st.just(UTC)),
        st.datetimes(
            timezones=st.sampled_from([ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Dhaka")])
        ),
        st.timedeltas(timedelta(-999999), timedelta(999999)),
        st.builds(Months, st.integers(-9999, 9999)),
    )
)
def test_text_reads_back_as_the_same_value(value):
    again = parse_any(format_temporal(value))
    assert type(again) is type(value)
    if not getattr(value, "fold", 0):  # the text does not tell the second 2:30 of a night
        assert again == value


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.integers(-500, 500))
def test_a_later_month_has_the_same_day_or_is_shorter(day, months):
    later = feel("d + m", {"d": day, "m": Months(months)})
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later.day < day.day and (later + timedelta(1)).day == 1)


@given(
    st.datetimes(YEARS[0], YEARS[1]),
    st.timedeltas(timedelta(-999), timedelta(999)),
)
def test_sums_in_a_zone_are_made_on_the_time_line(moment, gap):
    moment = moment.replace(tzinfo=ZoneInfo("America/New_York"))
    context = {"d": moment, "g": gap}
    assert feel("d + g - d", context) == gap
    assert feel("d + g - g = d", context) is True


def test_json_has_offsets_and_iso_durations():
    value: Any = {
        "a": [date(2026, 1, 2), time(3, 4, 5)],
        "b": datetime(2026, 7, 1, tzinfo=ZoneInfo("Europe/Berlin")),
        "c": timedelta(hours=36),
        "d": Months(14),
    }
    assert to_json(value) == {
        "a": ["2026-01-02", "03:04:05"],
        "b": "2026-07-01T00:00:00+02:00",
        "c": "P1DT12H",
        "d": "P1Y2M",
    }


def test_json_without_dates_is_not_copied():
    value: Any = {"a": [1, {"b": None}]}
    assert to_json(value) is value


def test_json_has_no_functions(evaluate):
    with pytest.raises(FeelError, match="JSON can hold"):
        to_json(evaluate("[function(x) x]"))
