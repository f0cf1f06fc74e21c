"""What is shown of a request is fixed when it is put to people."""

import pytest

from apps.core.models import Outbox
from apps.runs.ports import TaskRequest

pytestmark = pytest.mark.django_db


def request_like(task, visit):
    """The driver's request for the same task once more."""
    return TaskRequest(
        workspace_id=task.workspace_id,
        flow_id=task.flow_id,
        version_id=task.version_id,
        run_id=task.run_id,
        lane=task.lane,
        step=task.step,
        visit=visit,
        step_title="Approve order",
        request={
            "title": task.title,
            "details": "",
            "users": ["ada@acme.test"],
            "groups": ["approver"],
            "rule": {"any": 1},
            "due_at": None,
            "fields": [],
            "requester": "owner@acme.test",
            "allow_requester": False,
            "weights": [],
            "veto": {"users": [], "groups": []},
        },
    )


def test_line_breaks_in_a_title_become_spaces(desk):
    task = desk.ask_named(
        "ada",
        title='= "Buy\\nBcc: eve@evil.test\\t" + trigger.body.what',
        body={"amount": 1, "what": "it"},
    )
    assert task.title == "Buy Bcc: eve@evil.test it"


def test_an_empty_title_is_the_steps(desk):
    assert desk.ask_named("ada", title='= " \\n "').title == "Approve order"


def test_numbers_are_kept_as_they_were_written(desk):
    from apps.engine import values

    body = values.loads(b'{"amount": 1.50, "big": 1E+30}')
    task = desk.ask_named("ada", body=body, fields=[{"label": "all", "value": "= trigger.body"}])
    assert values.dumps(task.facts) == '[{"label":"all","value":{"amount":1.50,"big":1E+30}}]'


@pytest.mark.parametrize(
    ("started_by", "requester", "name", "text"),
    [
        ("", None, None, ""),
        ("owner@acme.test", None, "Owner", ""),
        ("owner@acme.test", '"Somebody  outside"', None, "Somebody outside"),
        ("owner@acme.test", "null", None, ""),
    ],
)
def test_the_requester_is_the_flows_else_who_started_it_else_unknown(
    desk, started_by, requester, name, text
):
    config = {} if requester is None else {"requester": requester}
    users = {"users": [desk.someone("ada").email], "groups": []}
    task = desk.ask(assignees=users, started_by=started_by, **config)
    assert (task.requester.get_full_name() if task.requester else None) == name
    assert task.requester_text == text


def test_each_task_puts_one_mail_job_out_and_too_few_tells(desk):
    desk.ask_named("ada", rule={"n": 2})
    topics = sorted(Outbox.objects.values_list("topic", flat=True))
    assert topics == ["task.opened", "task.too_few"]
    [told] = Outbox.objects.filter(topic="task.too_few")
    assert (told.payload["needed"], told.payload["found"]) == (2, 1)
