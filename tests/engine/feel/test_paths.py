"""The paths that a compiled expression says it reads."""

import pytest

from apps.engine.feel import compile_expression


def paths(source):
    return {".".join(path) for path in compile_expression(source).paths}


def guarded(source):
    return {".".join(path) for path in compile_expression(source).guarded_paths}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1", set()),
        ("trigger", {"trigger"}),
        ('trigger.body.amount > 1 and trigger.body.tier = "x"', {"trigger.body.amount", "trigger.body.tier"}),
        ("trigger.body.items[qty > 1].price", {"trigger.body.items"}),
        ("trigger.body.items[price > trigger.body.limit]", {"trigger.body.items", "trigger.body.limit"}),
        ("steps.a.output.list[1].x", {"steps.a.output.list"}),
        ("for i in steps.a.output return i.x + trigger.y", {"steps.a.output", "trigger.y"}),
        ("some x in a, y in x.b satisfies y = c", {"a", "c"}),
        ("for i in 1..n return partial", {"n"}),
        ("function(x) x + y", {"y"}),
        ("{a: 1, b: a + c, c: d}", {"c", "d"}),
        ('get value(trigger.body, "odd key")', {"trigger.body.odd key"}),
        ('get value(trigger.body, "odd key").x', {"trigger.body.odd key.x"}),
        ("get value(trigger.body, k)", {"trigger.body", "k"}),
        ("item.x + index", {"item.x", "index"}),
        ("if a.b then c.d else e", {"a.b", "c.d", "e"}),
        ("x in [a..b]", {"x", "a", "b"}),
        ("sort(a, function(x, y) x.p < y.p)", {"a"}),
        ("date(a).year", {"a"}),
        ("{x: trigger.a}.x", {"trigger.a"}),
    ],
)  # fmt: skip
def test_paths(source, expected):
    assert paths(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("is defined(a.b)", {"a.b"}),
        ("get or else(a.b, c.d)", {"a.b"}),
        ("get or else(a.b, 1) + a.b", set()),
        ("is defined(a.b) and a.b.c > 1", {"a.b", "a.b.c"}),
        ("a.b.c > 1 and is defined(a.b)", {"a.b"}),
        ("is defined(a.b) or a.b > 1", set()),
        ("if is defined(a.b) then a.b else a.c", {"a.b"}),
        ("if is defined(a.b) then 1 else a.b", set()),
        ('get or else(get value(a, "b c"), 1)', {"a.b c"}),
    ],
)
def test_guarded_paths_are_those_that_may_be_missing(source, expected):
    assert guarded(source) == expected
    assert guarded(source) <= paths(source)


def test_names_in_a_filter_may_be_fields_of_the_elements():
    expression = compile_expression('trigger.items[qty > minimum and customer.tier = "x"]')
    assert expression.paths == {("trigger", "items")}
    assert expression.possible_paths == {("qty",), ("minimum",), ("customer", "tier")}


def test_the_same_source_is_compiled_once():
    assert compile_expression("a + 1") is compile_expression("a + 1")
