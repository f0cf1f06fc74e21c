"""What people and attackers write by mistake or on purpose: an error with its place, at once.

Each is refused in under a tenth of a second (guarded at five times that, so that a busy machine
fails nothing), and the process answers as before and has not grown.
"""

import resource
from time import thread_time

import pytest

from apps.engine.feel import FeelError, compile_expression
from tests.engine.feel.conftest import NOW

BAR = 0.1
GROWTH_KB = 64 * 1024
MILLION = "x" * 1_000_000
CONTEXT = {"trigger": {"body": {"amount": 3, "text": MILLION, "buyer": {"name": "Ann"}}}}


def refused(source):
    """The error, after the guards of time, memory and health have held."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = thread_time()
    with pytest.raises(FeelError) as caught:
        compile_expression(source).evaluate(CONTEXT, now=NOW)
    assert thread_time() - started < 5 * BAR
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < GROWTH_KB
    assert compile_expression("trigger.body.amount + 1").evaluate(CONTEXT, now=NOW) == 4
    error = caught.value
    start, end = error.position
    assert 0 <= start <= end <= len(source)
    return error.code, source[start:end]


def test_a_range_of_a_billion_elements():
    code, place = refused("count(for i in 1..1000000000 return i) > 0")
    assert (code, place) == ("budget", "for i in 1..1000000000 return i")


def test_deep_nesting():
    code, place = refused("1 + " + "(" * 10_000 + "1" + ")" * 10_000)
    assert (code, place) == ("budget", "(")


def test_a_regular_expression_bomb():
    bomb = 'matches(trigger.body.text, "^(x+x+)+y$")'
    assert refused(f"1 = 1 and {bomb}") == ("budget", bomb)
    held = compile_expression('matches("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", "^(a+)+$")')
    assert held.evaluate(CONTEXT, now=NOW) is False


def test_a_division_by_zero():
    assert refused("2 + 1/0") == ("division_by_zero", "1/0")


def test_a_number_with_an_exponent():
    code, place = refused("2 + 1e999")
    assert (code, place) == ("syntax", "e999")


def test_a_text_of_a_million_characters_in_the_source():
    code, _ = refused(f'"{MILLION}"')
    assert code == "syntax"


def test_a_text_of_a_million_characters_in_the_data():
    assert refused("trigger.body.text + trigger.body.text") == (
        "budget",
        "trigger.body.text + trigger.body.text",
    )


def test_a_missing_path_three_levels_deep():
    assert refused("1 + trigger.body.buyer.nmae") == ("missing_path", "nmae")
    with pytest.raises(FeelError) as error:
        compile_expression("trigger.body.buyer.nmae").evaluate(CONTEXT, now=NOW)
    assert error.value.suggestion == "name"
    assert refused("trigger.body.byer.address.city") == ("missing_path", "byer")


def test_a_text_compared_with_a_number():
    assert refused("true and trigger.body.buyer.name > 5")[0] == "wrong_type"
    assert refused('trigger.body.amount = "3"') == ("wrong_type", 'trigger.body.amount = "3"')


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("for a " * 5_000, "syntax"),
        ("f(" + "a b, " * 6_000 + "1)", "syntax"),
        ("function(" + "a b, " * 6_000 + "c) 1", "syntax"),
        ("{" + ", ".join(f"a b{n}: {n}" for n in range(2_000)) + "}", "budget"),
        ("(" + "a b, " * 6_000, "syntax"),
        ("x in (" + "> 1, " * 6_000 + ")", "syntax"),
        ("(> " * 5_000, "budget"),
        ('range("[' + "1" * 400 + '..2]")', "conversion"),
        ('range("[' + "(" * 400 + '..2]")', "conversion"),
        ('for d in [@"-999999999-01-01"..@"999999999-12-31"] return d', "budget"),
        ("sort(for i in 1..50000 return 50000 - i, before)", "budget"),
        ('date("' + "9" * 20_000 + '-01-01")', "conversion"),
        ("date(10 ** 30, 1, 1)", "bad_arguments"),
    ],
)
def test_what_else_could_take_long(source, code):
    assert refused(source)[0] == code
