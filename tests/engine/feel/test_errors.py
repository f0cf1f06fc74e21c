"""Mistakes: each with its code and the piece of source that it points at."""

import pytest

from apps.engine.feel import FeelError, FeelSyntaxError, compile_expression
from tests.engine.feel.conftest import CONTEXT, NOW

MISTAKES = [
    ("trigger.body.amout > 3", "missing_path", "amout"),
    ("trigger.body.nope = null", "missing_path", "nope"),
    ("trigger.body.none.x", "missing_path", "x"),
    ("trigger.body.amount.x", "missing_path", "x"),
    ("trigger.body.items.nope", "missing_path", "nope"),
    ("steps.absent.output.x", "missing_path", "absent"),
    ('get value(trigger.body, "od key")', "missing_path", 'get value(trigger.body, "od key")'),
    ("nothing + 1", "unknown_name", "nothing"),
    ("trigger.body.items[nope > 1]", "unknown_name", "nope"),
    ("trigger.body.items[3]", "index_out_of_range", "3"),
    ("trigger.body.items[0]", "index_out_of_range", "0"),
    ("trigger.body.items[-3]", "index_out_of_range", "-3"),
    ("[1][10 ** 40]", "index_out_of_range", "10 ** 40"),
    ("for i in 0.5..10 ** 40 return i", "wrong_type", "0.5..10 ** 40"),
    ("odd(2.5)", "bad_arguments", "odd(2.5)"),
    ("remove([1], 10 ** 40)", "bad_arguments", "remove([1], 10 ** 40)"),
    ('duration("-P999999999DT1H")', "overflow", 'duration("-P999999999DT1H")'),
    ("time(1, 2, 61)", "conversion", "time(1, 2, 61)"),
    ("[][1]", "index_out_of_range", "1"),
    ("(for i in [1] return [][i])", "index_out_of_range", "i"),
    ('"a" + 1', "wrong_type", '"a" + 1'),
    ('1 = "1"', "wrong_type", '1 = "1"'),
    ("[1] = [true]", "wrong_type", "[1] = [true]"),
    ('date("2026-01-01") = "2026-01-01"', "wrong_type", 'date("2026-01-01") = "2026-01-01"'),
    ("trigger.body.none + 1", "wrong_type", "trigger.body.none + 1"),
    ("1 + 2 * null", "wrong_type", "2 * null"),
    ("null < 1", "wrong_type", "null < 1"),
    ("true < false", "wrong_type", "true < false"),
    ("2 between 1 and null", "wrong_type", "2 between 1 and null"),
    ('1 in ["a"]', "wrong_type", '["a"]'),
    ("5[1]", "wrong_type", "5"),
    ("null[1]", "wrong_type", "null"),
    ('-"x"', "wrong_type", '-"x"'),
    ("upper case(limit)", "wrong_type", "limit"),
    ("count(5)", "wrong_type", "5"),
    ('sum(["a"])', "wrong_type", 'sum(["a"])'),
    ("all([true, null])", "wrong_type", "all([true, null])"),
    ("1 + trigger.body.items.qty", "wrong_type", "1 + trigger.body.items.qty"),
    ('@"10:00:00Z" < @"10:00:00"', "wrong_type", '@"10:00:00Z" < @"10:00:00"'),
    ("for i in 5 return i", "wrong_type", "5"),
    ("(function(x: number) x)(null)", "wrong_type", "x: number"),
    ("limit(1)", "unknown_function", "limit"),
    ("{f: 1, r: f(1)}", "wrong_type", "f(1)"),
    ("if limit then 1 else 2", "not_boolean", "limit"),
    ("true and limit", "not_boolean", "limit"),
    ("null or true", "not_boolean", "null"),
    ("some x in [1] satisfies x", "not_boolean", "x"),
    ('[1, 2]["a"]', "not_boolean", '"a"'),
    ("1 / 0", "division_by_zero", "1 / 0"),
    ("1 + limit / (limit - 50)", "division_by_zero", "limit / (limit - 50"),
    ("modulo(1, 0)", "division_by_zero", "modulo(1, 0)"),
    ("0 ** -1", "division_by_zero", "0 ** -1"),
    ('@"P1D" / 0', "division_by_zero", '@"P1D" / 0'),
    ("10 ** 6145", "overflow", "10 ** 6145"),
    ("10 ** 6144 * 10", "overflow", "10 ** 6144 * 10"),
    ("12345678901234567890123456789012345", "overflow", "12345678901234567890123456789012345"),
    ('@"999999999-12-31" + @"P1D"', "overflow", '@"999999999-12-31" + @"P1D"'),
    ("sum([])", "bad_arguments", "sum([])"),
    ("product([])", "bad_arguments", "product([])"),
    ('number("12,5")', "conversion", 'number("12,5")'),
    ('date("2026-02-30")', "conversion", 'date("2026-02-30")'),
    ('date("01.02.2026")', "conversion", 'date("01.02.2026")'),
    ('@"2026-02-30"', "conversion", '@"2026-02-30"'),
    ('duration("2 days")', "conversion", 'duration("2 days")'),
    ('time("24:00:00")', "conversion", 'time("24:00:00")'),
    ('date and time("2026-01-01T00:00:00@Mars/X")', "conversion", 'date and time("2026-01-01T00:00:00@Mars/X")'),
    ("string(null)", "conversion", "string(null)"),
    ('substring("abc")', "bad_arguments", 'substring("abc")'),
    ('substring(text: "abc")', "bad_arguments", 'substring(text: "abc")'),
    ("now(1)", "bad_arguments", "now(1)"),
    ("is defined()", "bad_arguments", "is defined()"),
    ("(function(x) x)()", "bad_arguments", "(function(x) x)()"),
    ("sqrt(-1)", "bad_arguments", "sqrt(-1)"),
    ('matches("a", "(a")', "bad_arguments", 'matches("a", "(a")'),
    ('matches("a", "(a)\\\\1")', "bad_arguments", 'matches("a", "(a)\\\\1")'),
    ("strng length(1)", "unknown_function", "strng length"),
    ("counts([1])", "unknown_function", "counts"),
    ("1e999", "syntax", "e999"),
    ("1 == 1", "syntax", "="),
    ("1 < 2 < 3", "syntax", "<"),
    ("foo bar", "syntax", "bar"),
    ("(1", "syntax", ""),
    ("[1, 2", "syntax", ""),
    ('"abc', "syntax", '"abc'),
    ("'abc'", "syntax", "'"),
    ("a && b", "syntax", "&"),
    ("", "syntax", ""),
    ("= 1", "syntax", "="),
    ("trigger.", "syntax", ""),
    ("f(a: 1, 2)", "syntax", "2"),
    ("{a: 1, a: 2}", "syntax", "a"),
    ('"\\u0000"', "syntax", "\\u0000"),
    ("x instance of thing", "syntax", "thing"),
    ("function(x, x) x", "syntax", "x"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "code", "place"), MISTAKES)
def test_is_told_with_code_and_place(failure, source, code, place):
    error = failure(source)
    assert (error.code, source[slice(*error.position)]) == (code, place)


@pytest.mark.parametrize(
    ("source", "suggestion"),
    [
        ("trigger.body.amout", "amount"),
        ("trigger.body.Amount", "amount"),
        ("triger.body", "trigger"),
        ("trigger.body.items[quantity > 1]", None),
        ("trigger.body.items[qyt > 1]", "qty"),
        ("trigger.body.items.prize", "price"),
        ("counts([1])", "count"),
        ("string lenght(1)", "string length"),
        ('date("2026-01-01").years', "year"),
        ("trigger.body.zzz", None),
    ],
)
def test_suggests_the_nearest_name(failure, source, suggestion):
    error = failure(source)
    assert error.suggestion == suggestion
    assert (f"Did you mean {suggestion}?" in error.message) is (suggestion is not None)


def test_names_the_element_that_lacks_a_part(failure):
    assert '"trigger.body.items[1]" has no "x"' in failure("trigger.body.items.x").message


def test_says_what_is_wrong_before_anything_is_evaluated():
    for source in ("counts([1])", "1 +", 'substring("a")', '@"x"'):
        with pytest.raises(FeelSyntaxError):
            compile_expression(source)


def test_a_condition_must_be_true_or_false():
    with pytest.raises(FeelError, match="true or false") as caught:
        compile_expression("limit + 1").holds(CONTEXT, now=NOW)
    assert caught.value.code == "not_boolean"
    assert caught.value.position == (0, 9)
