"""Hit policies of decision tables (DMN 1.5, 8.2.8), strictly."""

from decimal import Decimal
from functools import partial

import pytest

from apps.engine.feel.errors import Fault
from apps.engine.feel.types import Months
from apps.engine.tables import Rule, TableError, decide


def rules(*results, matching=None):
    """Rules with one output each; those of ``matching`` (all, where left out) match."""
    return [
        Rule(partial(matches, n, matching), partial(dict, out=value))
        for n, value in enumerate(results, start=1)
    ]


def matches(number, matching):
    return matching is None or number in matching


def answer(hit, *results, matching=None, **options):
    return decide(rules(*results, matching=matching), hit=hit, outputs=["out"], **options)


def test_unique_gives_the_one_rule_that_matches():
    assert answer("unique", 1, 2, 3, matching={2}) == {"out": 2}


def test_unique_names_the_rules_that_match_at_once():
    with pytest.raises(TableError) as error:
        answer("unique", 1, 2, 3, matching={1, 3})
    assert error.value.code == "many_rules"
    assert error.value.rules == (1, 3)
    assert "1 and 3" in error.value.message


def test_first_stops_at_the_first_match():
    asked: list[int] = []

    def holds(number):
        asked.append(number)
        return number >= 2

    table = [Rule(partial(holds, n), partial(dict, out=n)) for n in (1, 2, 3)]
    assert decide(table, hit="first", outputs=["out"]) == {"out": 2}
    assert asked == [1, 2]


def test_any_wants_the_same_result_of_all():
    assert answer("any", 1, Decimal("1.0"), 9, matching={1, 2}) == {"out": 1}
    with pytest.raises(TableError) as error:
        answer("any", 1, 1, 2)
    assert error.value.code == "many_rules"


@pytest.mark.parametrize("hit", ["unique", "first", "any", "priority"])
def test_no_rule_is_an_error_or_the_default(hit):
    with pytest.raises(TableError) as error:
        answer(hit, 1, 2, matching=set())
    assert error.value.code == "no_rule"
    assert answer(hit, 1, 2, matching=set(), default={"out": 7}) == {"out": 7}


def test_collect_gives_all_in_order_and_nothing_is_an_empty_list():
    assert answer("collect", 3, 1, 2) == [{"out": 3}, {"out": 1}, {"out": 2}]
    assert answer("collect", 3, matching=set()) == []
    assert answer("collect", 3, matching=set(), default={"out": 7}) == [{"out": 7}]


@pytest.mark.parametrize("aggregate, result", [("sum", 6), ("min", 1), ("max", 3), ("count", 3)])
def test_collect_makes_one_value_of_all(aggregate, result):
    assert answer("collect", 3, 1, 2, aggregate=aggregate) == result


def test_aggregates_of_durations_and_of_nothing():
    assert answer("collect", Months(1), Months(2), aggregate="sum") == Months(3)
    assert answer("collect", 1, matching=set(), aggregate="count") == 0
    for aggregate in ("sum", "min", "max"):
        with pytest.raises(TableError) as error:
            answer("collect", 1, matching=set(), aggregate=aggregate)
        assert error.value.code == "no_rule"
    with pytest.raises(Fault) as wrong:
        answer("collect", 1, "a", aggregate="sum")
    assert wrong.value.code == "wrong_type"


def test_priority_takes_the_most_wanted_and_output_order_sorts():
    order = [["high", "medium", "low"]]
    assert answer("priority", "low", "high", "medium", order=order) == {"out": "high"}
    found = answer("output_order", "low", "high", "medium", order=order)
    assert [one["out"] for one in found] == ["high", "medium", "low"]
