"""What expressions mean: a table of sources and results, both in FEEL's own words."""

import pytest

from apps.engine.feel import compile_expression, compile_unary_tests
from tests.engine.feel.conftest import CONTEXT, NOW

EQUAL = """
1 + 2 * 3 = 7
(1 + 2) * 3 = 9
2 ** 3 ** 2 = 64
-2 ** 2 = 4
-3 - -4 = 1
10 / 4 = 2.5
1.0 = 1.00
0.1 + 0.2 = 0.3
10 ** 999 / 10 ** 998 = 10
.5 + 1 = 1.5
string(-1.234567890123456789012345678901234) = "-1.234567890123456789012345678901234"
"a" + "b" = "ab"
"\\u00e9\\U01F600\\n\\"" = "é😀\\n\\""
"a\\sb" = "a\\\\sb"
"b" > "a"
1 != 2
null = null
not(1 = null)
trigger.body.none = null
trigger.body.amount > 1000 and trigger.body.tier = "gold"
true or 1 / 0 = 1
not(false and 1 / 0 = 1)
trigger.body.items.price = [10.25, 99.99]
trigger.body.items[1].sku = "a"
trigger.body.items[-1].sku = "b"
trigger.body.items[qty > 1].sku = ["a"]
trigger.body.items[item.qty > 1].sku = ["a"]
trigger.body.items[price > limit].sku = ["b"]
trigger.body.items[qty > 5] = []
trigger.body.words[item = "y"] = ["y"]
[1, 2, 3][item >= 2] = [2, 3]
[{item: 1}, {item: 2}][item >= 2] = [{item: 2}]
[][x > 1] = []
[[1, 2], [3]][1][2] = 2
for i in 1..3 return [1, 2, 3][i] = 3
get value(trigger.body, "odd key") = 7
get value({a: {b: 1}}, ["a", "b"]) = 1
get or else(trigger.body.nope, 5) = 5
get or else(trigger.body.nope.deeper, 5) = 5
get or else(trigger.body.none, 5) = 5
get or else(trigger.body.amount, 5) = 1250
get or else([][1], 5) = 5
is defined(trigger.body.amount)
is defined(trigger.body.none)
not(is defined(trigger.body.nope))
not(is defined(steps.absent.output))
(if 1 > 2 then "a" else if 2 > 1 then "b" else "c") = "b"
(for x in 1..3, y in [10, 20] return x * y) = [10, 20, 20, 40, 30, 60]
(for x in [[1, 2], [3]], y in x return y) = [1, 2, 3]
(for i in 3..1 return i) = [3, 2, 1]
(for i in (1..4) return i) = [2, 3]
(for i in 1..5 return if i = 1 then 1 else partial[-1] * i) = [1, 2, 6, 24, 120]
(for d in @"2026-02-28"..@"2026-03-01" return d.day) = [28, 1]
some x in [1, 2, 3] satisfies x > 2
every x in [1, 2], y in [3, 4] satisfies x < y
every x in [] satisfies false
not(some x in [] satisfies true)
5 in [1..10]
not(5 in (5..10])
5 in (< 3, > 4)
5 in [1, 5]
5 in (1, [4..6])
5 in > 4
1 in ]0..2[
"b" in ["a".."c"]
not(null in ["a"])
5 between 1 and 5
{a: 1, b: a + 1}.b = 2
{"a b": 1, c d: 2, if: 3} = {"c d": 2, "if": 3, "a b": 1}
{a: {b: 1}}.a.b = 1
{add: function(a, b) a + b, r: add(b: 1, a: 2)}.r = 3
(function(x: number) x + 1)(2) = 3
{f: function(n, f) if n < 2 then n else f(n - 1, f) + f(n - 2, f), r: f(10, f)}.r = 55
{k: 3, f: function(x) x * k, r: for k in [1] return f(2)}.r = [6]
[1..5].start = 1 and [1..5].end included
1 instance of number
[1, 2] instance of list<number>
not([1, "a"] instance of list<number>)
{a: 1} instance of context<a: number>
@"P1D" instance of days and time duration
date and time("2026-01-01T00:00:00") instance of date and time
string(1.50) = "1.50"
string(10 ** 3) = "1000"
string({a: 1, b: [true, null, "x"]}) = "{a: 1, b: [true, null, \\"x\\"]}"
string(date("2026-01-01")) = "2026-01-01"
number("-12.50") = -12.5
number("1 234,5", " ", ",") = 1234.5
substring("foobar", 3) = "obar"
substring("foobar", -2, 1) = "a"
substring(string: "foobar", start position: 3, length: 2) = "ob"
string length("😀é") = 2
upper case("aé") + lower case("AÉ") = "AÉaé"
substring before("foobar", "bar") + substring after("foobar", "o") = "fooobar"
contains("foobar", "ob") and starts with("foobar", "fo") and ends with("foobar", "ar")
replace("abcd", "(ab)|(a)", "[$1$2]") = "[ab]cd"
split("John Doe", "\\s") = ["John", "Doe"]
split("a;b;;c", ";") = ["a", "b", "", "c"]
string join(["a", "b"], "-") = "a-b"
trim("  a ") = "a"
matches("foobar", "^fo+b") and not(matches("x", "^y"))
list contains([1, "a", null], "a")
count([1, null]) = 2
min(3, 1, 2) = 1 and max([1, 3, 2]) = 3 and min("b", "a") = "a"
sum([1, 2.5]) = 3.5 and sum(1, 2) = 3 and sum(@"P1D", @"P2D") = @"P3D"
sum([@"P1D", @"PT12H"]) = @"P1DT12H"
mean(1, 2) = 1.5 and median([3, 1, 2]) = 2 and median(1, 2, 3, 4) = 2.5
product(2, 3, 4) = 24 and mode([1, 2, 2]) = [2]
decimal(stddev(2, 4, 7, 5), 6) = 2.081666
all([true, true]) and any(false, true) and all([]) and not(any([]))
any([true, null]) and not(all([false, 1]))
sublist([1, 2, 3], 2) = [2, 3] and sublist([1, 2, 3], -2, 1) = [2]
append([1], 2, 3) = [1, 2, 3]
concatenate([1], [2, 3]) = [1, 2, 3]
insert before([1, 3], 2, 2) = [1, 2, 3] and remove([1, 2], 1) = [2]
list replace([1, 2], 1, 9) = [9, 2]
list replace([1, 2, 3], function(x, new) x > new, 1) = [1, 1, 1]
reverse([1, 2]) = [2, 1] and index of([1, 2, 1], 1) = [1, 3]
union([1, 2], [2, 3]) = [1, 2, 3]
distinct values([1, 1.0, "a", null, [1], [1]]) = [1, "a", null, [1]]
flatten([1, [2, [3]]]) = [1, 2, 3]
sort([3, 1, 2]) = [1, 2, 3]
sort(["b", "a"], function(x, y) x < y) = ["a", "b"]
sort([3, 1, 2], function(x, y) x > y) = [3, 2, 1]
decimal(1 / 3, 2) = 0.33 and decimal(2.5, 0) = 2 and decimal(0.515, 2) = 0.52
floor(-1.5) = -2 and ceiling(1.5) = 2 and ceiling(1.56, 1) = 1.6
round up(5.1, 0) = 6 and round down(-5.9) = -5 and round half up(2.5) = 3 and round half down(2.5) = 2
abs(-1) = 1 and abs(-@"P1D") = @"P1D" and modulo(-12, 5) = 3 and modulo(10.1, -4.5) = -3.4
sqrt(16) = 4 and odd(3) and even(-2) and decimal(log(10), 4) = 2.3026 and exp(0) = 1
get entries({a: 1}) = [{key: "a", value: 1}]
context([{key: "a", value: 1}]) = {a: 1}
context put({a: {b: 1}}, ["a", "c"], 2) = {a: {b: 1, c: 2}}
context merge([{a: 1, b: 1}, {b: 2}]) = {a: 1, b: 2}
""".strip().splitlines()


@pytest.mark.parametrize("source", EQUAL)
def test_holds(evaluate, source):
    result = evaluate(source)
    assert result is True or (isinstance(result, list) and result[-1] is True)


def test_passes_over_comments(evaluate):
    assert evaluate("/* a\n b */ 1 + // one\n 2 // two") == 3


def test_reads_no_further_than_it_needs(evaluate):
    class Refusing(dict[str, int]):
        def __missing__(self, key):
            raise AssertionError(key)

    assert evaluate('if a = 1 then "x" else b', Refusing(a=1)) == "x"


def test_never_changes_the_context(evaluate):
    before = str(CONTEXT)
    evaluate("append(trigger.body.items, 1)")
    evaluate('context put(trigger.body, "tier", 1)')
    evaluate("sort(trigger.body.items.qty)")
    assert str(CONTEXT) == before


def test_takes_any_mapping_as_context(evaluate):
    from types import MappingProxyType

    context = MappingProxyType({"a": MappingProxyType({"b": 1})})
    assert evaluate("a.b + 1", context) == 2
    assert evaluate("[a][b = 1].b", context) == [1]


def test_names_of_models_may_have_spaces_and_be_functions():
    names = {"Loan Amount", "Pre-bureau", "f"}
    source = "Loan Amount + Pre-bureau + f(1)"
    double = compile_expression("function(x) x * 2").evaluate({}, now=NOW)
    context = {"Loan Amount": 1, "Pre-bureau": 2, "f": double}
    assert compile_expression(source, names=names).evaluate(context, now=NOW) == 5


class TestHolds:
    def test_answers_a_condition(self):
        assert compile_expression("limit > 1").holds(CONTEXT, now=NOW) is True


class TestUnaryTests:
    @pytest.mark.parametrize(
        ("source", "value", "expected"),
        [
            ("-", 1, True),
            ("1", 1, True),
            ("1, 2", 2, True),
            ("> 5", 5, False),
            (">= 5", 5, True),
            ("[1..3], 7", 7, True),
            ("(1..3)", 3, False),
            ("not(1, 2)", 3, True),
            ('"a", "b"', "b", True),
            ("? > 1 and ? < 4", 3, True),
            ("limit", 50, True),
            ("< limit", 50, False),
            ("null", None, True),
            ('not("a")', "a", False),
            ("[1, 2]", 2, True),
        ],
    )
    def test_hold_or_not(self, source, value, expected):
        tests = compile_unary_tests(source)
        assert tests.hold(value, CONTEXT, now=NOW) is expected
