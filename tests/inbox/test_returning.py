"""Sending back to an earlier step, with a reason, and what the people see when it is there again."""

import pytest

from apps.core.errors import Invalid
from apps.inbox import returning
from apps.inbox.models import UserTask
from apps.inbox.opening import seen_hash
from apps.runs import verify
from apps.runs.drive import drive_all
from apps.steps.check import check_document
from tests.inbox.support import Desk, fresh
from tests.inbox.test_page import page, submit, text_of
from tests.runs.support import document
from tests.support import people

pytestmark = pytest.mark.django_db

OUTCOMES = [
    {"port": "approved", "label": "Approve", "side": "for"},
    {"port": "rejected", "label": "Reject", "side": "against"},
    {"port": "again", "label": "Send back", "side": "back"},
]


def flow(**config):
    """Count, ask, and from there on, to the end, or back to counting."""
    asked = {
        "title": "Approve it",
        "assignees": {"users": ["ada@acme.test", "bob@acme.test"], "groups": []},
        "rule": {"all": True},
        "due": "P2D",
        "outcomes": OUTCOMES,
        "fields": [
            {"label": "Amount", "value": "= trigger.body.amount"},
            {"label": "Round", "value": "= steps.count.output.round"},
        ],
        **config,
    }
    round_ = "= if is defined(steps.count.output.round) then steps.count.output.round + 1 else 1"
    return document(
        {
            "count": {"type": "map", "title": "Count", "config": {"fields": {"round": round_}}},
            "ask": {"type": "approval", "title": "Approve it", "config": asked},
            "end": {"type": "stop", "title": "Done", "config": {"outcome": "completed"}},
        },
        [
            "trigger -> count",
            "count -> ask",
            "ask.approved -> end",
            "ask.rejected -> end",
            "ask.timeout -> end",
            "ask.again -> count",
        ],
    )


@pytest.fixture
def first(desk: Desk) -> UserTask:
    for name in ("ada", "bob", "cleo"):
        desk.someone(name)
    run = desk.start(desk.publish(flow()), {"amount": 7})
    drive_all()
    return UserTask.objects.get(run_id=run)


def again(desk, task, name="ada", comment="The amount is wrong."):
    desk.decide(task, desk.someone(name), "again", comment=comment)
    drive_all()
    return UserTask.objects.get(run_id=task.run_id, step="ask", visit=task.visit + 1)


class TestSendingBack:
    def test_one_is_enough_and_it_goes_the_way_that_is_drawn(self, desk, first):
        desk.decide(first, desk.someone("bob"))
        second = again(desk, first)

        assert fresh(first).outcome == "again"
        assert (second.visit, second.status) == (2, "open")
        assert desk.run_of(first).status == "waiting"
        assert verify.check_runs().problems == []

    def test_ends_when_the_second_time_is_good(self, desk, first):
        second = again(desk, first)
        for name in ("ada", "bob"):
            desk.decide(second, desk.someone(name))

        assert desk.run_of(second).status == "completed"
        assert desk.output_of(second)["outcome"] == "approved"

    def test_needs_a_reason(self, desk, first):
        for comment in ("", " \n"):
            with pytest.raises(Invalid, match="why"):
                desk.decide(first, desk.someone("ada"), "again", comment=comment)
        assert submit(first, desk.someone("ada"), outcome="again").status_code == 422
        assert fresh(first).status == "open"

    def test_is_in_the_trail_with_the_reason(self, desk, first):
        again(desk, first)
        [row] = desk.trail("task.decide")
        assert row.text("reason") == "The amount is wrong."
        assert row.group("details")["result"] == "again"

    def test_sends_a_later_stage_back_to_the_first(self, desk):
        for name in ("ada", "bob", "cleo"):
            desk.someone(name)
        made = flow(rule={"any": 1}, stages=[{"assignees": {"users": ["cleo@acme.test"]}}])
        run = desk.start(desk.publish(made), {"amount": 7})
        drive_all()
        task = UserTask.objects.get(run_id=run)
        desk.decide(task, desk.someone("ada"))
        last = UserTask.objects.get(run_id=run, stage=2)
        second = again(desk, last, "cleo")

        assert (second.visit, second.stage) == (2, 1)
        sent_back = returning.returned(second)
        assert sent_back
        assert sent_back.decision.user == desk.someone("cleo")

    def test_who_answered_may_answer_again_where_nobody_decides_twice(self, desk):
        for name in ("ada", "bob"):
            desk.someone(name)
        made = flow(rule={"any": 1}, duties={"twice": True, "author": "no"})
        run = desk.start(desk.publish(made), {"amount": 7})
        drive_all()
        second = again(desk, UserTask.objects.get(run_id=run))
        desk.decide(second, desk.someone("ada"))

        assert fresh(second).outcome == "approved"


class TestTheReturn:
    def test_says_who_why_and_what_has_changed(self, desk, first):
        second = again(desk, first)
        text = text_of(page(desk, second, desk.someone("bob")))

        assert "Sent back before Ada" in text
        assert "The amount is wrong." in text
        assert "Changed since Round before 1 now 2" in text
        assert "Amount before" not in text
        assert "Sent back before" not in text_of(page(desk, first, desk.someone("bob")))

    def test_by_the_api_too(self, desk, first):
        second = again(desk, first)
        shown = people.browser(desk.someone("bob")).get(f"/api/v1/tasks/{second.pk}/").json()

        assert shown["returned"]["reason"] == "The amount is wrong."
        assert shown["returned"]["changes"] == [{"label": "Round", "before": 1, "after": 2}]
        assert [one["side"] for one in shown["answers"]] == ["for", "against", "back"]

    def test_markup_in_the_reason_is_text(self, desk, first):
        second = again(desk, first, comment="<script>alert(1)</script>")
        assert "<script>alert(1)" not in page(desk, second, desk.someone("bob")).content.decode()

    def test_the_hash_is_again_made_from_what_is_stored(self, desk, first):
        second = again(desk, first)
        assert seen_hash(fresh(second)) == second.seen != first.seen


@pytest.mark.parametrize(
    ("before", "now", "found"),
    [
        ([("A", 1)], [("A", 1)], []),
        ([("A", 1)], [("A", 2)], [("A", 1, 2)]),
        ([("A", 1)], [("A", True)], [("A", 1, True)]),
        ([("A", 1)], [], [("A", 1, None)]),
        ([], [("A", {"b": [1]})], [("A", None, {"b": [1]})]),
        ([("A", 1), ("A", 2)], [("A", 1), ("A", 3)], [("A (2)", 2, 3)]),
        ([("A", 1), ("B", 2)], [("B", 2), ("A", 1)], []),
    ],
)
def test_what_has_changed(before, now, found):
    one, other = (
        UserTask(title="T", facts=[{"label": label, "value": value} for label, value in facts])
        for facts in (before, now)
    )

    def plain(value):
        return None if value is returning.ABSENT else value

    told = [
        (one.label, plain(one.before), plain(one.after)) for one in returning.changes(one, other)
    ]
    assert told == found


def test_a_way_back_that_leads_nowhere_is_an_error():
    made = flow()
    made["links"] = [link for link in made["links"] if link.get("port") != "again"]
    errors = [one.message for one in check_document(made) if one.severity == "error"]
    assert any("“again”" in one for one in errors), errors
