"""A request that is sent back: who asked corrects it, and it is asked again with what has changed."""

import pytest

from apps.inbox.models import UserTask
from apps.requests.models import Request
from apps.runs.drive import drive_all
from tests.inbox.test_page import page, submit, text_of
from tests.requests.support import FORM, Counter, Visitor, asking
from tests.runs.support import assert_replays
from tests.support import people

pytestmark = pytest.mark.django_db
BACK = [
    {"port": "approved", "label": "Approve", "side": "for"},
    {"port": "rejected", "label": "Reject", "side": "against"},
    {"port": "again", "label": "Send back", "side": "back"},
]


def read(name, last=None):
    """What was corrected last, else what was sent first."""
    return f"get or else(steps.correct.output.answers.{name}, {last or f'trigger.body.{name}'})"


def returning():
    """Ask; who asked corrects what is sent back; ask again."""
    made = asking()
    ask = made["steps"]["ask"]["config"]
    ask |= {"outcomes": BACK, "allow_requester": False, "assignees": {"users": ["boss@acme.test"]}}
    ask["fields"] = [
        {"label": "What", "value": f"= {read('what')}"},
        {"label": "Price", "value": f"= {read('price')}"},
    ]
    made["steps"]["correct"] = {
        "type": "fill_in",
        "title": "Correct it",
        "config": {
            "title": "Please correct your request",
            "form": FORM,
            "initial": {
                "what": f"= {read('what')}",
                "price": f"= {read('price')}",
                "why": f"= {read('why', 'get or else(trigger.body.why, null)')}",
            },
            "fields": [{"label": "Sent back because", "value": "= steps.ask.output.comment"}],
            "due": "P2D",
        },
    }
    made["links"] += [
        {"from": "ask", "port": "again", "to": "correct"},
        {"from": "correct", "port": "submitted", "to": "ask"},
        {"from": "correct", "port": "timeout", "to": "no"},
    ]
    return made


def test_what_is_sent_back_is_corrected_and_asked_again_with_what_has_changed(db):
    counter = Counter()
    counter.publish(returning(), counter.flow)
    ada, boss = Visitor(counter, counter.ada), Visitor(counter, counter.boss)
    sent = ada.send({"what": "A chair", "price": 90}).json()
    assert sent["to_fill_in"] == []
    boss.decide("again", "Rather a desk.")

    # My requests: what waits for whom, since when, until when, and where.
    [mine] = ada.mine()
    [task] = UserTask.objects.filter(kind="fill_in")
    assert mine["progress"]["who"] == ["You"]
    assert "Please correct your request" in mine["progress"]["said"]
    [asked] = ada.one(sent["id"]).json()["to_fill_in"]
    assert (asked["task"], asked["title"]) == (str(task.pk), task.title)
    assert asked["until"] == mine["progress"]["until"] > mine["progress"]["since"]
    assert [one["id"] for one in ada.client.get("/api/v1/tasks/").json()["results"]] == [
        str(task.pk)
    ]
    shown = text_of(page(None, task, counter.ada))
    assert "Sent back because Rather a desk." in shown
    assert task.form["initial"] == {"what": "A chair", "price": 90}
    # Nobody else fills it in.
    assert submit(task, counter.boss, outcome="submitted", what="x", price="1").status_code == 403

    answer = submit(task, counter.ada, outcome="submitted", what="A desk", price="90", why="")
    assert answer.status_code == 302
    drive_all()
    [mine] = ada.mine()
    assert mine["to_fill_in"] == []
    assert "Boss" in mine["progress"]["said"] or "boss" in mine["progress"]["said"].lower()

    again = UserTask.objects.get(step="ask", visit=2)
    assert [(one["label"], one["value"]) for one in again.facts] == [
        ("What", "A desk"), ("Price", 90),
    ]  # fmt: skip
    returned = people.browser(counter.boss).get(f"/api/v1/tasks/{again.pk}/").json()["returned"]
    assert returned["reason"] == "Rather a desk."
    assert returned["changes"] == [{"label": "What", "before": "A chair", "after": "A desk"}]
    boss.decide("approved")
    request = Request.objects.get()
    assert ada.mine()[0]["progress"]["state"] == "done"
    assert_replays(request.run_id)
