"""What an expression may not do to the machine, whatever is written in it."""

from time import thread_time

import pytest

from apps.engine.feel import FeelError, compile_expression
from tests.engine.feel.conftest import NOW

BAR = 0.1  # seconds of one core; the guard allows five times as much

TEXT = "x" * 1_000_000
CONTEXT = {"t": TEXT, "l": list(range(100_000)), "half": TEXT[:600_000]}


def tens(levels, last):
    """A context whose entries each hold ten times the one before: small, but endless as JSON."""
    entries = ["e0: [1,1,1,1,1,1,1,1,1,1]"]
    entries += [f"e{n}: [{','.join([f'e{n - 1}'] * 10)}]" for n in range(1, levels)]
    return f"{{{', '.join(entries)}, last: {last}}}"


BOMBS = {
    "a billion elements": ("for i in 1..1000000000 return i", "budget"),
    "a billion tests": ("some i in 1..1000000000 satisfies i < 0", "budget"),
    "loops in loops": ("for i in 1..1000, j in 1..1000 return 1", "budget"),
    "a quiet inner loop": ("for i in 1..1000 return count(for j in 1..1000 return 1)", "budget"),
    "deep brackets": ("(" * 5000 + "1" + ")" * 5000, "budget"),
    "deep lists": ("[" * 5000, "budget"),
    "deep contexts": ("{a:" * 5000, "budget"),
    "deep calls": ("not(" * 5000 + "true" + ")" * 5000, "budget"),
    "deep conditions": ("if " * 5000, "budget"),
    "deep functions": ("function(x) " * 2000 + "x", "budget"),
    "deep types": ("1 instance of " + "list<" * 3000, "syntax"),
    "many minus signs": ("-" * 20_000 + "1", "syntax"),
    "a long path": ("a" + ".a" * 10_000, "syntax"),
    "many filters": ("[1]" + "[1]" * 5000, "syntax"),
    "a million characters": (TEXT, "syntax"),
    "a text of a million characters": (f'"{TEXT}"', "syntax"),
    "a long result": ("t", "budget"),
    "a text that doubles": ("{a: half + half}", "budget"),
    "many long texts": ("count(for i in 1..10000 return half + string(i))", "budget"),
    "joined texts": ('string join(for i in 1..3 return half, "")', "budget"),
    "a wide result": (tens(7, "1"), "budget"),
    "wide values compared": (tens(7, "e6 = e6"), "budget"),
    "a wide value as text": (tens(7, "string(e6)"), "budget"),
    "a wide value flattened": (tens(7, "count(flatten(e6))"), "budget"),
    "a deep result": ("for i in 1..80 return if i = 1 then [] else [partial[-1]]", "budget"),
    "a deep value compared": (
        "{d: (for i in 1..3000 return if i = 1 then [] else [partial[-1]])[-1], r: d = d}",
        "budget",
    ),
    "functions that call themselves": ("{f: function(f) f(f), r: f(f)}", "budget"),
    "functions that branch": ("{f: function(n, f) f(n, f) + f(n, f), r: f(1, f)}", "budget"),
    "a regular expression": (f'matches("{"x" * 5000}", "(x+x+)+y")', "budget"),
    "a choice in a repetition": ('matches(t, "(x|xx)*y")', "budget"),
    "a long text to match": ('matches(t, "x*y")', "budget"),
    "many replacements": ('replace(t, "x", "yyyyyyyyyy")', "budget"),
    "many parts": ('split(t, "x")', "budget"),
    "a huge pattern": ('matches(t, "((((x{9}){9}){9}){9}){9}")', "bad_arguments"),
    "a part of many elements": ("(for i in 1..60000 return {a: 1}).a", "budget"),
    "a loop up to a great number": ("for i in 1..10 ** 40 return i", "budget"),
    "sorting": ("sort(l, function(x, y) x < y)", "budget"),
    "distinct lists": ("count(distinct values(for i in 1..3000 return [i]))", "budget"),
    "a great power": ("2 ** 100000", "overflow"),
    "a great number": ("1e999", "syntax"),
    "an endless exponent": ('number("1e999999999")', "conversion"),
    "digits without end": (f'number("{"9" * 20_000}")', "conversion"),
}


@pytest.mark.parametrize(("source", "code"), BOMBS.values(), ids=BOMBS)
def test_is_refused_in_time_and_in_place(source, code):
    started = thread_time()
    with pytest.raises(FeelError) as caught:
        compile_expression(source).evaluate(CONTEXT, now=NOW)
    assert thread_time() - started < 5 * BAR
    assert caught.value.code == code
    start, end = caught.value.position
    assert 0 <= start <= end <= len(source)


@pytest.mark.parametrize(
    "source",
    [
        "1" + " + 1" * 4000,
        "true" + " and true" * 2000,
        "if false then 1 else " * 500 + "2",
        "(" * 60 + "1" + ")" * 60,
        "count(for i in 1..50000 return 1)",
        "count(l) + sum(l)",
        'matches(t, "y")',
        'matches("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", "(a+)+$")',
    ],
)
def test_what_is_only_long_is_evaluated(source):
    compile_expression(source).evaluate(CONTEXT, now=NOW)


def test_limits_are_the_callers(failure, evaluate):
    assert evaluate("count(for i in 1..90 return 1)", operations=200) == 90
    assert failure("for i in 1..90 return 1", operations=50).code == "budget"
    assert failure('"abcdefghij"', size=10).code == "budget"
    assert failure("[[[1]]]", depth=2).code == "budget"


def test_a_deep_stack_below_is_told_as_too_deep():
    expression = compile_expression(
        "(" * 60 + "1" + ")" * 60 + " + [[[[[[1]]]]]][1][1][1][1][1][1]"
    )

    def sink(depth):
        return sink(depth - 1) if depth else expression.evaluate({}, now=NOW)

    codes = set()
    for depth in range(820, 980, 2):
        try:
            codes.add(str(sink(depth)))
        except FeelError as error:
            codes.add(error.code)
        except RecursionError:
            codes.add("caller")
    assert codes <= {"2", "budget", "caller"}
