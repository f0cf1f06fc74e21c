"""What a condition read is told from the journal: as of that visit, masked as it was written."""

import pytest

from apps.runs import queries
from apps.runs.drive import drive_all
from apps.runs.models import Run
from tests.runs.support import document

pytestmark = pytest.mark.django_db(transaction=True)


def deciding(*branches, otherwise="no", fields=None):
    """Map, then decide; every way ends there."""
    return document(
        {
            "read": {"type": "map", "config": {"fields": fields or {"n": "= trigger.body.n"}}},
            "size": {
                "type": "decide",
                "config": {
                    "branches": [{"port": port, "when": when} for port, when in branches],
                    "otherwise": otherwise,
                },
            },
        },
        ["trigger -> read", "read -> size"],
    )


def asked(run):
    return queries.steps_of(run, queries.journal(run))["size"]["input"]


def ran(bench, doc, body):
    run_id = bench.start(bench.publish(doc), body)
    drive_all()
    return Run.objects.get(pk=run_id)


def test_each_branch_says_what_it_read_and_gave(bench):
    doc = deciding(
        ("huge", "= steps.read.output.n > 1000"),
        ("large", 'trigger.body.n > 10 and trigger.body.kind = "a"'),
        ("small", "trigger.body.n > 0"),
    )
    shown = asked(ran(bench, doc, {"n": 20, "kind": "a"}))
    assert shown == {
        "branches": [
            {
                "port": "huge",
                "when": "= steps.read.output.n > 1000",
                "reads": {"steps.read.output.n": 20},
                "result": False,
            },
            {
                "port": "large",
                "when": 'trigger.body.n > 10 and trigger.body.kind = "a"',
                "reads": {"trigger.body.kind": "a", "trigger.body.n": 20},
                "result": True,
            },
            {
                "port": "small",
                "when": "trigger.body.n > 0",
                "reads": {"trigger.body.n": 20},
                "result": None,
            },
        ],
        "otherwise": "no",
    }


def test_otherwise_means_that_none_held(bench):
    shown = asked(ran(bench, deciding(("a", "trigger.body.n > 9"), ("b", "false")), {"n": 1}))
    assert [one["result"] for one in shown["branches"]] == [False, False]


def test_where_otherwise_leads_the_same_way_nothing_is_claimed(bench):
    doc = deciding(("a", "trigger.body.n > 9"), ("no", "trigger.body.n > 5"), ("c", "true"))
    shown = asked(ran(bench, doc, {"n": 6}))
    assert [one["result"] for one in shown["branches"]] == [False, None, None]


def test_a_path_that_was_not_there_is_left_out_and_a_failure_claims_nothing(bench):
    run = ran(bench, deciding(("a", "trigger.body.n > trigger.body.limit")), {"n": 1})
    assert run.status == "failed"
    [branch] = asked(run)["branches"]
    assert (branch["reads"], branch["result"]) == ({"trigger.body.n": 1}, None)


def test_the_parts_of_a_list_and_what_is_too_long(bench):
    when = 'sum(trigger.body.lines.amount) > 2 and trigger.body.text != ""'
    body = {"n": 0, "lines": [{"amount": 1}, {"amount": 2}], "text": "x" * 3000}
    [branch] = asked(ran(bench, deciding(("a", when)), body))["branches"]
    assert branch["reads"] == {"trigger.body.lines.amount": [1, 2]}
    assert branch["too_long"] == ["trigger.body.text"]
    assert branch["result"] is True


def test_in_a_loop_it_is_what_the_latest_visit_read(bench):
    doc = document(
        {
            "count": {
                "type": "map",
                "config": {"fields": {"n": "= get or else(steps.count.output.n, 0) + 1"}},
            },
            "size": {
                "type": "decide",
                "config": {
                    "branches": [{"port": "again", "when": "steps.count.output.n < 3"}],
                    "otherwise": "enough",
                },
            },
            "reset": {"type": "map", "config": {"fields": {"n": "= 0"}}},
        },
        ["trigger -> count", "count -> size", "size.again -> count", "size.enough -> reset"],
    )
    [branch] = asked(ran(bench, doc, {}))["branches"]
    assert (branch["reads"], branch["result"]) == ({"steps.count.output.n": 3}, False)


def test_a_value_that_changed_afterwards_is_shown_as_it_was(bench):
    doc = document(
        {
            "count": {
                "type": "map",
                "config": {"fields": {"n": "= get or else(steps.count.output.n, 0) + 1"}},
            },
            "size": {
                "type": "decide",
                "config": {
                    "branches": [{"port": "first", "when": "steps.count.output.n = 1"}],
                    "otherwise": "no",
                },
            },
            "hold": {
                "type": "decide",
                "config": {
                    "branches": [{"port": "again", "when": "steps.count.output.n < 2"}],
                    "otherwise": "end",
                },
            },
        },
        ["trigger -> count", "count -> hold", "hold.again -> size", "size.first -> count"],
    )
    run = ran(bench, doc, {})
    [branch] = asked(run)["branches"]
    assert queries.steps_of(run, queries.journal(run))["count"]["output"] == {"n": 2}
    assert (branch["reads"], branch["result"]) == ({"steps.count.output.n": 1}, True)
