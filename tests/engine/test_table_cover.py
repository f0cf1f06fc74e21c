"""Gaps and overlaps of decision tables, each with an input that shows it."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.engine.feel import FeelError, compile_unary_tests
from apps.engine.table_cover import find_gap, find_overlaps, said

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def gap(*rules):
    found = find_gap(rules)
    return found and [said(one) for one in found]


def overlaps(*rules):
    return [
        (one.first, one.second, [said(x) for x in one.example], one.is_fallback)
        for one in find_overlaps(rules)
    ]


@pytest.mark.parametrize(
    "rules, example",
    [
        ([["< 5"], ["> 5"]], ["5"]),
        ([["< 5"], [">= 5"]], None),
        ([["[1..5]"], ["[6..10]"], ["< 1"], ["> 10"]], ["5.5"]),
        ([["< 5", '"a"'], [">= 5", "-"]], ["4", '"another text"']),
        ([["true", "< 5"], ["false", "-"], ["true", ">= 5"]], None),
        ([["true"]], ["false"]),
        ([['"a"', "-"], ['not("a")', "< 1"], ['not("a")', ">= 1"]], None),
        ([['"a", "b"'], ['not("a")']], None),
        ([["< 1, > 1"]], ["1"]),
        ([["not(< 1, > 1)"]], ["0"]),
        ([['< @"2026-01-01"'], ['> @"2026-01-01"']], ["2026-01-01"]),
        ([['<= date("2026-01-01")'], ['>= @"2026-01-02"']], None),
        ([['< @"2026-01-01T00:00:00Z"'], ['> @"2026-01-01T00:00:00Z"']], ["2026-01-01T00:00:00Z"]),
        ([['<= @"10:00:00"'], ['[@"10:00:00"..@"23:00:00")']], ["23:00:00"]),
        ([['< @"P1D"'], ['>= duration("P1D")']], None),
        ([['< @"P1Y"'], ['> @"P1Y"']], ["P1Y"]),
        ([["null"], ["< 0"]], ["0"]),
        ([["< -1"], ["(>= -1)"]], None),
        ([["", "-"]], None),
        ([["!= 3"]], ["3"]),
        # What is not understood may match everything.
        ([["< 5"], ["trigger.body.limit"]], None),
        ([["< 5"], ["? > 3"]], None),
        ([["< 5"], ['"a"']], None),
        ([['< "m"'], ['"z"']], None),
        ([["< 5"], ["}"]], None),
        ([["< 5", "1"], ["trigger.x", "2"], [">= 5", "1"]], ["4", "0"]),
    ],
)
def test_a_gap_is_shown_by_an_input_that_no_rule_matches(rules, example):
    assert gap(*rules) == example


def test_an_overlap_is_shown_by_an_input_that_both_match():
    assert overlaps(["< 5"], ["> 3"]) == [(0, 1, ["4"], False)]
    assert overlaps(["< 5"], [">= 5"]) == []
    assert overlaps(["< 5", '"a"'], ["< 9", '"a", "b"']) == [(0, 1, ["4", '"a"'], True)]
    assert overlaps(["< 5", "-"], ["-", "-"]) == [(0, 1, ["4", "any value"], True)]
    assert overlaps(["< 5"], ["trigger.x"], ["? < 5"]) == []
    assert overlaps(["1", "true"], ["1", "false"]) == []


# Tables of interval cells, over an input of numbers and one of texts.

numbers = st.integers(0, 6).map(str)
intervals = st.builds(
    lambda a, b, left, right: f"{left}{min(a, b)}..{max(a, b)}{right}",
    st.integers(0, 6),
    st.integers(0, 6),
    st.sampled_from("[("),
    st.sampled_from("])"),
)
bounds = st.builds(
    lambda sign, n: f"{sign} {n}", st.sampled_from(["<", "<=", ">", ">=", "!="]), numbers
)
number_tests = intervals | bounds | numbers
number_cells = (
    number_tests
    | st.just("-")
    | st.lists(number_tests, min_size=1, max_size=2).map(", ".join)
    | number_tests.map(lambda test: f"not({test})")
)
text_cells = st.sampled_from(['"a"', '"b"', '"a", "b"', 'not("a")', "-"])
tables = st.lists(st.tuples(number_cells, text_cells, number_cells), min_size=1, max_size=6)
inputs = [
    (a / 2, text, b / 2) for a in range(-2, 15) for text in ("a", "b", "c") for b in range(-2, 15)
]


def matches(rule, values):
    return all(
        compile_unary_tests(cell).hold(value, {}, now=NOW)
        for cell, value in zip(rule, values, strict=True)
    )


def values_of(example):
    return [
        ("c" if place == 1 else 0) if one.is_any else one.value for place, one in enumerate(example)
    ]


@given(tables)
def test_no_rule_matches_the_example_of_a_gap_and_without_one_there_is_none(rules):
    example = find_gap(rules)
    if example is not None:
        assert not any(matches(rule, values_of(example)) for rule in rules)
        return
    for a, text, b in inputs[::7]:
        assert any(matches(rule, [Decimal(a), text, Decimal(b)]) for rule in rules)


@given(tables)
def test_both_rules_match_the_example_of_an_overlap_and_the_others_share_nothing(rules):
    found = {(one.first, one.second): one for one in find_overlaps(rules)}
    for (first, second), one in found.items():
        assert matches(rules[first], values_of(one.example))
        assert matches(rules[second], values_of(one.example))
    for first in range(len(rules)):
        for second in range(first + 1, len(rules)):
            if (first, second) not in found:
                for a, text, b in inputs[::29]:
                    values = [Decimal(a), text, Decimal(b)]
                    assert not (matches(rules[first], values) and matches(rules[second], values))


def test_two_hundred_rules_are_judged_at_once():
    rules = [[f"[{n}..{n + 1})", f'"{n % 7}"'] for n in range(200)]
    assert find_gap(rules) is not None
    assert list(find_overlaps(rules)) == []


# Columns of every kind: what the finder shows must be so, whatever it leaves unsaid.

POOLS = [
    ["1", "5.5", "-1", "0", "1.0"],
    ['@"2026-01-01"', '@"9999-12-31"', '@"0001-01-01"', 'date("2026-01-02")'],
    ['@"10:00:00"', '@"00:00:00"', 'time("23:59:59.999999")'],
    ['@"10:00:00Z"', '@"11:00:00+01:00"', '@"09:00:00Z"'],
    ['@"P1D"', '@"PT1H"', '-@"P1D"', '@"P999999999D"', '-@"P999999999D"'],
    ['@"P1Y"', '@"P1M"', '@"P13M"'],
    ['@"2026-01-01T10:00:00Z"', '@"2026-01-01T11:00:00+01:00"', '@"9999-12-31T23:59:59Z"'],
    ['"a"', '"b"', '"another text"'],
    ["true", "false"],
    ['@"12000-01-01"', '@"2026-01-01"'],
]


@st.composite
def any_tables(draw):
    columns = draw(st.lists(st.sampled_from(POOLS), min_size=1, max_size=2))

    def cell(pool):
        value, other = draw(st.sampled_from(pool)), draw(st.sampled_from(pool))
        sign = draw(st.sampled_from(["<", "<=", ">", ">=", "!=", "="]))
        shapes = ["-", value, f"{sign} {value}", f"[{value}..{other})", f"({value}..{other}]"]
        return draw(st.sampled_from([*shapes, f"not({value})", f"{value}, {sign} {other}"]))

    count = draw(st.integers(1, 4))
    return [[cell(pool) for pool in columns] for _ in range(count)]


def may_hold(cell, value):
    """Whether a cell matches; one that cannot be asked may."""
    try:
        return compile_unary_tests(cell).hold(value, {}, now=NOW)
    except FeelError:
        return True


@given(any_tables())
def test_what_is_shown_is_so_for_columns_of_every_kind(rules):
    gap = find_gap(rules)
    if gap is not None:
        for rule in rules:
            fixed = [(cell, one) for cell, one in zip(rule, gap, strict=True) if not one.is_any]
            holding = [may_hold(cell, one.value) for cell, one in fixed]
            assert not all(holding) or len(fixed) < len(rule)
    for overlap in find_overlaps(rules):
        for number in (overlap.first, overlap.second):
            for cell, one in zip(rules[number], overlap.example, strict=True):
                assert one.is_any or compile_unary_tests(cell).hold(one.value, {}, now=NOW)
