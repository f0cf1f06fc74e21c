"""What differs between two documents: the golden cases that the browser is held to as well."""

import json
from copy import deepcopy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.steps.changes import ABSENT, applied, differences, is_same, pointer_of, together

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/changes/cases.json").read_text())
CASES = {case["name"]: case for case in GOLDEN["cases"]}


def put(document, pointer, value):
    *path, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    for name in path:
        document = document[name]
    if value is ABSENT:
        del document[last]
    else:
        document[last] = value


def before(case):
    document = deepcopy(GOLDEN["base"])
    for pointer, value in case.get("base", {}).items():
        put(document, pointer, value)
    return document


def after(case):
    document = before(case)
    for pointer, value in case["set"].items():
        put(document, pointer, ABSENT if value is None and not case.get("keep_null") else value)
    return document


@pytest.mark.parametrize("name", CASES)
class TestDifferences:
    def test_are_those_of_the_golden_cases(self, name):
        found = differences(before(CASES[name]), after(CASES[name]))
        assert [change.id for change in found] == CASES[name]["changes"]
        groups = [[change.id for change in group] for group in together(found)]
        assert groups == CASES[name]["groups"]

    def test_lead_from_one_document_to_the_other_and_back(self, name):
        base, changed = before(CASES[name]), after(CASES[name])
        found = differences(base, changed)
        there = applied(base, found)
        back = applied(changed, [change.inverted() for change in found])
        if CASES[name].get("mixed"):
            there, back, base, changed = map(by_ways, (there, back, base, changed))
        assert is_same(there, changed)
        assert is_same(back, base)


def by_ways(document):
    """The links way by way: how those of different ways mix says nothing."""
    links = sorted(document["links"], key=lambda one: (one["from"], one.get("port") or "done"))
    return {**document, "links": links}


IDS = st.sampled_from(["a", "b", "c", "d"])
CONFIGS = st.dictionaries(
    st.sampled_from(["x", "y", "a/b"]),
    st.integers(0, 2) | st.dictionaries(st.sampled_from(["p", "q"]), st.integers(0, 2)),
)
STEPS = st.dictionaries(
    IDS, st.fixed_dictionaries({"type": st.sampled_from(["s", "t"]), "config": CONFIGS})
)
LINKS = st.lists(
    st.fixed_dictionaries({"from": IDS, "to": IDS, "port": st.sampled_from(["", "ok"])}),
    max_size=5,
    unique_by=lambda link: (link["from"], link["to"], link["port"]),
)
DOCUMENTS = st.fixed_dictionaries({"steps": STEPS, "links": LINKS, "name": st.sampled_from("nm")})


class TestAnyTwoDocuments:
    @given(DOCUMENTS, DOCUMENTS)
    def test_are_led_to_each_other_by_their_differences(self, one, other):
        found = differences(one, other)
        assert is_same(by_ways(applied(one, found)), by_ways(other))
        assert (found == []) is is_same(by_ways(one), by_ways(other))
        back = [change.inverted() for change in found]
        assert is_same(by_ways(applied(other, back)), by_ways(one))

    @given(DOCUMENTS, DOCUMENTS)
    def test_have_each_change_in_one_group(self, one, other):
        found = differences(one, other)
        grouped = sorted(change.id for group in together(found) for change in group)
        assert grouped == sorted(change.id for change in found)

    @given(DOCUMENTS, DOCUMENTS)
    def test_keep_no_link_to_a_step_that_is_left_out(self, one, other):
        whole = [
            link for link in other["links"] if {link["from"], link["to"]} <= set(other["steps"])
        ]
        base = {
            **one,
            "links": [x for x in one["links"] if {x["from"], x["to"]} <= set(one["steps"])],
        }
        for group in together(differences(base, {**other, "links": whole})):
            made = applied(base, group)
            assert all(
                end in made["steps"] for link in made["links"] for end in (link["from"], link["to"])
            )


def test_a_pointer_escapes_its_parts():
    assert pointer_of(("steps", "a/b~c")) == "/steps/a~1b~0c"
