"""Whatever is typed, the answer is a value or a ``FeelError`` with a place in it."""

from timeit import repeat

from hypothesis import given, settings
from hypothesis import strategies as st

from apps.engine.feel import FeelError, compile_expression, compile_unary_tests, to_json, type_name
from apps.engine.values import dumps
from tests.engine.feel.conftest import CONTEXT, NOW

WORDS = [
    "1",
    "0",
    "2.5",
    "-1",
    '"a"',
    '""',
    "true",
    "false",
    "null",
    "trigger",
    "body",
    "items",
    "limit",
    "x",
    "item",
    "partial",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    ".",
    "..",
    "?",
    '@"P1D"',
    '@"2026-01-01"',
    '@"12000-02-29"',
    '@"10:00:00.000000001Z"',
    "before",
    "includes",
    "is",
    "range",
    "sort",
    "a b",
    "+",
    "-",
    "*",
    "/",
    "**",
    "=",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "and",
    "or",
    "not",
    "if",
    "then",
    "else",
    "for",
    "in",
    "return",
    "some",
    "every",
    "satisfies",
    "between",
    "instance",
    "of",
    "function",
    "number",
    "string",
    "list",
    "date",
    "time",
    ";",
    "'",
    '"',
    "//",
    "/*",
    "*/",
    "\\",
    "é",
    "€",
    "sum",
    "count",
    "sort",
    "max",
    "get",
    "or",
    "else",
    "is",
    "defined",
    "get",
    "value",
    "substring",
    "string",
    "join",
    "matches",
    "split",
    "replace",
    "date",
    "and",
    "time",
    "duration",
    "trigger.body.items",
    "trigger.body.amount",
    "[1,2,3]",
    "{a:1}",
    "(1..3)",
    "99999999999999999999999999999999999",
]

sources = st.one_of(
    st.text(max_size=40),
    st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join),
    st.lists(st.sampled_from(WORDS), max_size=14).map("".join),
)


def outcome(source, run):
    """The value, or the error, which must lie in the source and say something."""
    try:
        return run()
    except FeelError as error:
        found = error
    start, end = found.position
    assert 0 <= start <= end <= len(source)
    assert found.message == str(found)
    assert found.code
    return found


@settings(max_examples=400)
@given(sources)
def test_never_fails_in_another_way(source):
    def run():
        value = compile_expression(source).evaluate(CONTEXT, now=NOW)
        type_name(value)
        dumps(to_json(value))

    outcome(source, run)


@given(sources, st.one_of(st.none(), st.integers(), st.text(), st.booleans()))
def test_nor_do_unary_tests(source, value):
    outcome(source, lambda: compile_unary_tests(source).hold(value, CONTEXT, now=NOW))


trees = st.recursive(
    st.sampled_from(["1", "2.5", '"a"', "true", "null", "limit", "10 ** 40", "-0.25", "trigger.body.items", "trigger.body.nope", '@"P1D"', '@"2026-01-01"', "[]", "[1, 2]"]),
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "/", "**", "=", "!=", "<", ">=", "and", "or", "in"]), inner),
        st.builds("(if {} then {} else {})".format, inner, inner, inner),
        st.builds("(for i in {} return {})".format, inner, inner),
        st.builds("(some i in {} satisfies {})".format, inner, inner),
        st.builds("{}[{}]".format, inner, inner),
        st.builds("{{a: {}, b: {}}}".format, inner, inner),
        st.builds("({}).a".format, inner),
        st.builds("{}({})".format, st.sampled_from(["count", "sum", "string", "not", "is defined", "date", "flatten", "min", "sort"]), inner),
        st.builds("{}({}, {})".format, st.sampled_from(["get or else", "append", "substring", "split", "modulo", "remove", "decimal"]), inner, inner),
        st.builds("(function(x) {})({})".format, inner, inner),
        st.builds("({} between {} and {})".format, inner, inner, inner),
    ),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=300)
@given(trees)
def test_sound_syntax_gives_a_value_or_an_error_of_meaning(source):
    value = outcome(source, lambda: compile_expression(source).evaluate(CONTEXT, now=NOW))
    assert not isinstance(value, FeelError) or value.code != "syntax"


def test_a_condition_takes_microseconds():
    condition = compile_expression('trigger.body.amount > 1000 and trigger.body.tier = "gold"')
    best = min(repeat(lambda: condition.evaluate(CONTEXT, now=NOW), number=1000, repeat=5)) / 1000
    assert best < 5 * 3.3e-6


def test_ten_fields_take_microseconds():
    source = "{" + ", ".join(f"f{n}: trigger.body.amount * {n}" for n in range(10)) + "}"
    mapping = compile_expression(source)
    best = min(repeat(lambda: mapping.evaluate(CONTEXT, now=NOW), number=300, repeat=5)) / 300
    assert best < 5 * 25e-6
