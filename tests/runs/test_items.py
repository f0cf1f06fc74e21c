"""What the page of a run says of a step that contains others: how far it is."""

import pytest

from apps.runs import queries
from apps.runs.drive import drive_all
from apps.runs.models import Run
from tests.runs.support import document

pytestmark = pytest.mark.django_db(transaction=True)


def each(**config):
    """A for each over the trigger's list; an item that is no number fails."""
    return document(
        {
            "each": {"type": "for_each", "config": {"items": "trigger.body.list", **config}},
            "double": {
                "type": "map",
                "in": "each",
                "config": {"fields": {"n": "= if item < 0 then 1 / 0 else item * 2"}},
            },
        },
        ["trigger -> each", "each.body -> double"],
    )


def shown(bench, doc, body):
    run_id = bench.start(bench.publish(doc), body)
    drive_all()
    run = Run.objects.get(pk=run_id)
    return queries.steps_of(run, queries.journal(run))


def test_items_are_counted(bench):
    steps = shown(bench, each(stop_after=0), {"list": [1, -2, 3]})
    assert steps["each"]["items"] == {"total": 3, "begun": 3, "done": 2, "failed": 1}
    assert steps["each"]["status"] == "completed"
    assert steps["double"]["items"] is None
    assert steps["double"]["visits"] == 3


def test_what_is_tried_anew_no_longer_counts_as_failed(bench):
    steps = shown(bench, each(stop_after=0, rounds=2), {"list": [1, -2]})
    assert steps["each"]["items"] == {"total": 2, "begun": 2, "done": 1, "failed": 1}
    assert steps["double"]["visits"] == 3


def test_an_empty_list_is_through_at_once(bench):
    steps = shown(bench, each(), {"list": []})
    assert steps["each"]["items"] == {"total": 0, "begun": 0, "done": 0, "failed": 0}


def test_rounds_are_counted(bench):
    doc = document(
        {
            "again": {"type": "repeat", "config": {"until": "steps.count.output.n = 3"}},
            "count": {"type": "map", "in": "again", "config": {"fields": {"n": "= index + 1"}}},
        },
        ["trigger -> again", "again.body -> count"],
    )
    steps = shown(bench, doc, {})
    assert steps["again"]["items"] == {"total": 3, "begun": 3, "done": 3, "failed": 0}
    assert steps["count"]["output"] == {"n": 3}
