"""Names of several words, functions as values, and the tests of a cell."""

import pytest

from apps.engine.feel import compile_expression, compile_unary_tests, odd_names
from tests.engine.feel.conftest import NOW

HOLDS = """
{a b: 1, c: a b + 1}.c = 2 and {a b: {c d: 2}}.a b.c d = 2
{foo-bar: 3, c: foo-bar}.c = 3 and {"foo bar": 3, c: foo bar}.c = 3
(for my item in [1, 2] return my item + 1) = [2, 3] and some my item in [1] satisfies my item = 1
(every a b in [1], c d in [2] satisfies a b < c d) and (for a b in [1], c d in [2] return a b + c d) = [3]
(function(a b, c: number) a b + c)(1, 2) = 3 and {f: function(x y) x y * 2, r: f(x y: 4)}.r = 8
{f: function(x + y: number) x + y, r: f(x + y: 4)}.r = 4
{🐎: 1}.🐎 = 1 and {a·b: 2}.a·b = 2
sort([3, 1, 2], before) = [1, 2, 3] and {m: max, r: m([1, 5])}.r = 5
(function(f) f("a b", "b"))(ends with) and list replace([1, 5], function(a, b) a > 2, 0) = [1, 0]
sum instance of function and string length instance of function<string>->number
{date and time: 1}.date and time = 1
(function(a: number) a) instance of function<number>->Any and not((function(a: number) a) instance of function<string>->Any)
(function(a: list<number>, b) a) instance of function<list<number>, string>->number and not(sum instance of number)
(function() 1) instance of function<>->number and not((function(a) a) instance of function<>->number)
{limit: 5, r: [1, 9][item > limit]}.r = [9]
all([true, true and 1 in [1]]) and {a: true, b: 1, r: [a, a and b in [1, 2]]}.r = [true, true]
{a: 1, b: 2, c: [a, b - a], d: (function(a, b) a - b)(b, a)}.d = 1
{a: 1, b: [a, if a = 1 then 2 else 3], c: b}.c = [1, 2]
"""


@pytest.mark.parametrize("source", HOLDS.strip().splitlines())
def test_holds(evaluate, source):
    assert evaluate(source) is True


@pytest.mark.parametrize(
    "source, code",
    [
        ("sum > 5", "unknown_name"),
        ("count", "unknown_name"),
        ("sum(count)", "unknown_name"),
        ("sort([1, 2], sqrt)", "bad_arguments"),
        ("a b", "syntax"),
        ("{a: 1, b: a b}", "syntax"),
        ("(function(f) f(1))(max min)", "syntax"),
        ("{a b: 1, a b: 2}", "syntax"),
    ],
)
def test_refuses(failure, source, code):
    assert failure(source).code == code


def test_the_names_of_a_given_context_are_read_as_they_stand():
    context = {"Monthly fee": 5, "person": {"first name": "Ann"}, "odd things": [{"a-key": 1}]}
    names = odd_names(context)
    assert names == {"Monthly fee", "first name", "odd things", "a-key"}
    source = "string(Monthly fee * 12 + odd things[1].a-key) + person.first name"
    assert compile_expression(source, names=names).evaluate(context, now=NOW) == "61Ann"


def test_only_so_many_names_are_looked_for():
    many = {f"a {n}": {f"b {n}": [{f"c {n}": 1}]} for n in range(5_000)}
    assert len(odd_names(many)) <= 200
    assert odd_names({"": 1, " ": 2, "x" * 300 + " y": 3}) == frozenset()


@pytest.mark.parametrize(
    "tests, value, holds",
    [
        ("limit > 3", "any text", True),
        ("limit > 60", 5, False),
        ("? > limit", 60, True),
        ("limit in [1..100]", "a", True),
        ("limit instance of number", [1], True),
        ("limit > 3", True, True),
        ("limit > 3", False, False),
        ("> 5, < 3", 4, False),
        ("(> 5)", 6, True),
        ("not(> 5)", 6, False),
        ('"a", "b"', "b", True),
        ('["a", "b"]', "b", True),
        ("-", None, True),
        ("null", None, True),
        ("null", 1, False),
        ("[1..3], 7", 7, True),
    ],
)
def test_a_cell_holds_by_its_tests(tests, value, holds):
    assert compile_unary_tests(tests).hold(value, {"limit": 50}, now=NOW) is holds
