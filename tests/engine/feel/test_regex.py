"""Our matcher agrees with the standard library's wherever that is safe to ask."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apps.engine.feel import regex
from apps.engine.feel.errors import Fault
from apps.engine.feel.types import Budget, Meter

atoms = st.sampled_from(
    ["a", "b", ".", "[ab]", "[^a]", r"\d", r"\w", "^", "$", r"\b", "é", "[a-c1]"]
)
counts = st.sampled_from(["", "", "", "*", "+", "?", "{2}", "{1,2}", "*?", "+?", "{0,1}"])


def repeated(body, count):
    """A repetition; without end only where each turn takes something.

    What a turn that takes nothing leads to differs between engines.
    """
    endless = count[:1] in {"*", "+"}
    return f"(?:{body})" + ("" if endless and re.fullmatch(body, "") else count)


patterns = st.recursive(
    st.builds(lambda a, c: a + (c if a not in {"^", "$", r"\b"} else ""), atoms, counts),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"({'|'.join(parts)})"),
        st.builds(repeated, inner, counts),
        inner.map(lambda body: f"({body})"),
    ),
    max_leaves=5,
)


def meter():
    return Meter(Budget(operations=10**6), datetime(2026, 1, 1, tzinfo=UTC), "UTC")


@given(patterns, st.text("abc1é \n", max_size=12), st.sampled_from(["", "i", "s", "m", "im"]))
@example("(?:.*?)*", "1", "")
@example("(|a)*", "aa", "")
def test_finds_the_same_match(pattern, text, flags):
    compiled = regex.compiled(pattern, flags)
    found = regex.backtrack(meter(), compiled, text, 0)
    source = pattern if "m" in flags else pattern.replace("$", r"\Z")
    expected = re.compile(source, sum(getattr(re, flag.upper()) for flag in flags)).search(text)
    assert (found and tuple(found[:2])) == (expected and expected.span())
    assert compiled.quick is not None
    quick = compiled.quick.search(text)
    assert (quick and quick.span()) == (expected and expected.span())


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (r"\p{Lu}", "aÉ", True),
        (r"\P{L}", "abc", False),
        ("[a-z-[aeiou]]", "e", False),
        ("[a-z-[aeiou]]", "x", True),
        (r"[\w-]+@[\w.]+", "a-b@c.d", True),
        (r"^\{\d+\}$", "{12}", True),
        ("[]]", "]", True),
        ("[^-a]", "-", False),
        ("", "", True),
        ("a||b", "c", True),
    ],
)
def test_matches(pattern, text, expected):
    assert regex.search(meter(), regex.compiled(pattern, ""), text) is expected


@pytest.mark.parametrize(
    "pattern",
    [
        "(a", "a)", "[a", "a**", "*", r"\1", r"(a)\1", "(?=a)", "(?<!a)", "(?P<n>a)", r"\q", "a{", "a{2,1}",
        "a{9999}", r"\p{X}", "[b-a]", "[a[b]]", "((((((((((((((((((((((a))))))))))))))))))))))", "x" * 2000,
    ],
)  # fmt: skip
def test_refuses_what_it_cannot_run(pattern):
    with pytest.raises(Fault) as error:
        regex.compiled(pattern, "")
    assert error.value.code == "bad_arguments"


@pytest.mark.parametrize(
    "pattern, text, found",
    [
        (r"^\p{IsBasicLatin}+$", "abc", True),
        (r"\P{IsBasicLatin}", "abç", True),
        (r"[\p{IsGreek}x]", "\u03b4", True),
        (r"^\i\c*$", "_a-b.9", True),
        (r"^\i", "9a", False),
        (r"^[\I]$", "-", True),
        (r"\C", "a-b", False),
    ],
)
def test_blocks_and_names(pattern, text, found):
    assert (regex.search(meter(), regex.compiled(pattern, ""), text)) is found


def test_spaces_and_case_follow_the_flags():
    assert regex.search(meter(), regex.compiled("A B", "xi"), "ab")
    with pytest.raises(Fault, match="flags"):
        regex.compiled("a", "q")


@pytest.mark.parametrize("quick", [True, False])
def test_replaces_and_splits_alike_both_ways(quick, monkeypatch):
    if not quick:
        monkeypatch.setattr(regex.Regex, "is_small", lambda *_: False)
    run = meter()
    assert regex.replace(run, regex.compiled("(b+)(x)?", ""), "abbc", r"<$1$2\$>") == "a<bb$>c"
    assert regex.split(run, regex.compiled(r"\s*,\s*", ""), "a , b,c,") == ["a", "b", "c", ""]
    assert regex.split(run, regex.compiled(",", ""), "") == [""]
    for refused in ("b*", "^", ""):
        with pytest.raises(Fault):
            regex.split(run, regex.compiled(refused, ""), "abc")


def test_pays_for_its_steps():
    run = meter()
    regex.backtrack(run, regex.compiled("(a+)+$", ""), "a" * 500 + "!", 0)
    assert 10**6 - 10_000 < run.left < 10**6
