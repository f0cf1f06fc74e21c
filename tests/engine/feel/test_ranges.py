"""The functions of DMN 1.5, table 78, and ranges as values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.engine.feel import Range
from tests.engine.feel.conftest import feel

HOLDS = """
before(1, 10) and not(before(10, 1)) and not(before(1, 1))
not(before(1, [1..10])) and before(1, (1..10]) and before(1, [5..10])
before([1..10], 11) and not(before([1..10], 10)) and before([1..10), 10)
before([1..10], [15..20]) and not(before([1..10], [10..20])) and before([1..10), [10..20])
before([1..10], (10..20]) and not(before([1..15], [10..20]))
after(10, 5) and not(after(5, 10)) and after(12, [1..10]) and after(10, [1..10)) and not(after(10, [1..10]))
after([11..20], 10) and after((10..20], 10) and not(after([11..20], 12)) and after([11..20], [1..10])
meets([1..5], [5..10]) and not(meets([1..5), [5..10])) and not(meets([1..5], (5..10]))
met by([5..10], [1..5]) and not(met by((5..10], [1..5]))
overlaps([1..5], [3..8]) and overlaps([3..8], [1..5]) and overlaps([1..8], [3..5])
not(overlaps([1..5], [6..8])) and overlaps([1..5], [5..8]) and not(overlaps([1..5], (5..8]))
overlaps before([1..5], [3..8]) and not(overlaps before([1..5], [6..8])) and overlaps before([1..5], [5..8])
not(overlaps before([1..5), [5..8])) and overlaps before([1..5), (1..5])
overlaps after([3..8], [1..5]) and not(overlaps after([6..8], [1..5])) and overlaps after([5..8], [1..5])
finishes(10, [1..10]) and not(finishes(10, [1..10))) and finishes([5..10], [1..10]) and not(finishes([5..10), [1..10]))
finished by([1..10], 10) and finished by([1..10], [5..10]) and not(finished by([1..10], [5..10)))
includes([1..10], 5) and includes([1..10], 1) and not(includes((1..10], 1)) and not(includes([1..10], 12))
includes([1..10], [4..6]) and includes([1..10], (1..10)) and not(includes((1..10], [1..10]))
during(5, [1..10]) and not(during(12, [1..10])) and during([4..6], [1..10]) and not(during([1..10], (1..10)))
starts(1, [1..10]) and not(starts(1, (1..10])) and starts([1..5], [1..10]) and not(starts((1..5], [1..10]))
started by([1..10], 1) and started by([1..10], [1..5]) and not(started by([1..10], (1..5]))
coincides(5, 5) and not(coincides(3, 4)) and coincides([1..5], [1..5]) and not(coincides((1..5], [1..5]))
before(point1: 1, point2: 2) and before(point: 1, range: [2..3]) and before(range1: [1..2], range2: [3..4])
includes(range: [1..10], point: 5) and during(range1: [4..5], range2: [1..10])
before(@"2026-01-01", [@"2026-02-01"..@"2026-03-01"]) and before("a", ["b".."c"])
(> 5).start = 5 and (> 5).start included = false and (> 5).end = null
6 in (> 5) and not(5 in (> 5)) and 5 in (>= 5) and 4 in (< 5) and 5 in (<= 5) and 5 in (= 5)
before((< 5), (> 5)) and includes((< 5), -1000000) and during([1..2], (> 0)) and overlaps((> 5), (< 6))
(> 5) instance of range<number> and not((> 5) instance of range<string>)
range("[1..10)") = [1..10) and range("(1..10]") = (1..10] and range("]1..10[") = (1..10)
range("[-1..1]").start = -1 and range("[1..)").end = null and range("(..5]").start = null
range("[\\"a\\"..\\"c\\"]").end = "c"
range("[@\\"2026-01-01\\"..date(\\"2026-02-01\\")]").end = @"2026-02-01"
range("[duration(\\"P1D\\")..duration(\\"P2D\\")]").start = @"P1D"
range(from: "[1..2]") = [1..2]
is(1, 1.0) and not(is(1, "1")) and is(null, null) and not(is(null, 0)) and is([1, "a"], [1, "a"])
is(@"10:00:00Z", @"10:00:00Z") and not(is(@"10:00:00Z", @"12:00:00+02:00")) and @"10:00:00Z" = @"12:00:00+02:00"
is(@"2026-01-01", @"2026-01-01T00:00:00") = false
is(value1: 2, value2: 2)
""".strip().splitlines()


@pytest.mark.parametrize("source", HOLDS)
def test_holds(evaluate, source):
    assert evaluate(source) is True


@pytest.mark.parametrize(
    "source, code",
    [
        ('before(1, "a")', "wrong_type"),
        ('before([1..2], "a")', "wrong_type"),
        ("before(null, 1)", "wrong_type"),
        ("includes(1, [1..2])", "wrong_type"),
        ("starts(1, 1)", "wrong_type"),
        ("meets(1, [1..2])", "wrong_type"),
        ("coincides(1, [1..1])", "wrong_type"),
        ("coincides(1, null)", "wrong_type"),
        ("before(1)", "bad_arguments"),
        ("before(point1: 1, range2: [1..2])", "bad_arguments"),
        ('range("")', "conversion"),
        ('range("1..2")', "conversion"),
        ('range("[1..]x")', "conversion"),
        ('range("[..]")', "conversion"),
        ('range("[1..2]+1")', "conversion"),
        ('range("[a..b]")', "conversion"),
        ('range("[2..1]")', "conversion"),
        ('range("[1..\\"a\\"]")', "wrong_type"),
        ('range("[sum(1)..2]")', "conversion"),
        ('range("[@\\"x\\"..@\\"y\\"]")', "conversion"),
        ("(!= 5)", "syntax"),
        ("(> 5, < 3)", "syntax"),
    ],
)
def test_refuses(failure, source, code):
    assert failure(source).code == code


ranges = st.builds(
    Range, st.integers(0, 4), st.integers(5, 9), st.booleans(), st.booleans()
) | st.builds(Range, st.integers(3, 6), st.integers(7, 9), st.booleans(), st.booleans())


@given(ranges, ranges)
def test_each_relation_is_the_other_one_turned_round(a, b):
    context = {"a": a, "b": b}
    for one, other in [
        ("before", "after"),
        ("meets", "met by"),
        ("overlaps before", "overlaps after"),
        ("finishes", "finished by"),
        ("includes", "during"),
        ("starts", "started by"),
        ("overlaps", "overlaps"),
        ("coincides", "coincides"),
    ]:
        assert feel(f"{one}(a, b)", context) is feel(f"{other}(b, a)", context)


@given(ranges, ranges)
def test_ranges_overlap_where_they_have_a_point_in_common(a, b):
    context = {"a": a, "b": b}
    halves = [number / 2 for number in range(20)]
    common = any(feel(f"({point} in a) and ({point} in b)", context) for point in halves)
    assert feel("overlaps(a, b)", context) is common
    assert feel("before(a, b) or after(a, b)", context) is not common
