"""Starting by hand: the form is judged here; journals come in pages; formats of later releases wait."""

import pytest

from apps.core import clock
from apps.flows import commands as flow_commands
from apps.runs.drive import drive_all
from apps.runs.models import Run, RunState
from tests.runs.support import document
from tests.support import people

pytestmark = pytest.mark.django_db(transaction=True)

FORM = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
DOC = document(
    {"twice": {"type": "map", "config": {"fields": {"n": "= trigger.body.n * 2"}}}},
    ["trigger -> twice"],
    trigger={"type": "manual", "config": {"form": FORM}},
)


@pytest.fixture
def started(transactional_db):
    """``started(input)``: the answer of the API to a start by hand."""
    workspace = people.make_workspace("hand")
    builder = people.person(workspace, "builder")
    who = people.actor(builder, workspace)
    flow = flow_commands.create_flow(actor=who, name="By hand", now=clock.now())
    flow_commands.save_draft(actor=who, flow_id=flow.pk, document=DOC, if_match=1, now=clock.now())
    flow_commands.publish_flow(actor=who, flow_id=flow.pk, note="", now=clock.now())
    client = people.browser(builder)
    return lambda given: people.send(
        client, "POST", f"/api/v1/flows/{flow.pk}/runs/", {"input": given}
    ), client


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"input": {"n": NaN}}', 422, "bad_json"),
        (b'{"input": {"n": 1, "note": "a\\u0000b"}}', 422, "bad_json"),
        (b'{"input": {"n": 1, "note": "\\ud800"}}', 422, "bad_json"),
        (b'{"input": {"n": 1e9999999}}', 422, "bad_json"),
        (b'{"input": {"n": 1}, "input": {"n": 2}}', 422, "bad_json"),
        (b'{"input": ', 400, "malformed_json"),
        (b'{"input": {"n": 1, "note": "' + b"x" * 100_000_000 + b'"}}', 413, "too_large"),
    ],
    ids=["nan", "nul", "surrogate", "exponent", "twice", "malformed", "large"],
)
def test_what_cannot_be_read_starts_nothing(started, body, status, code):
    start, client = started
    flow_id = start({"n": 1}).json()["flow"]["id"]
    address = f"/api/v1/flows/{flow_id}/runs/"
    csrf = {"X-CSRFToken": client.cookies["csrftoken"].value}
    refused = client.post(address, body, content_type="application/json", headers=csrf)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert Run.objects.count() == 1


@pytest.mark.parametrize(("given", "path"), [({"n": "x"}, "n"), ({}, ""), ({"n": 1.5}, "n")])
def test_what_does_not_fit_the_form_starts_nothing(started, given, path):
    start, _ = started
    refused = start(given)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["path"] == path
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("given", "path", "said"),
    [({"n": "x"}, "n", "must be a number"), ({}, "", "lacks “n”"), ({"n": 1, "m": 2}, "", "“m”")],
)
def test_what_the_flow_does_not_take_starts_nothing(transactional_db, given, path, said):
    workspace = people.make_workspace("taking")
    builder = people.person(workspace, "builder")
    who = people.actor(builder, workspace)
    flow = flow_commands.create_flow(actor=who, name="Takes", now=clock.now())
    taken = {**FORM, "properties": {"n": {"type": "number"}}, "additionalProperties": False}
    contract = {"input": taken}
    doc = {**DOC, "trigger": {"type": "manual", "config": {}}, "settings": {"contract": contract}}
    flow_commands.save_draft(actor=who, flow_id=flow.pk, document=doc, if_match=1, now=clock.now())
    flow_commands.publish_flow(actor=who, flow_id=flow.pk, note="", now=clock.now())
    address = f"/api/v1/flows/{flow.pk}/runs/"
    refused = people.send(people.browser(builder), "POST", address, {"input": given})
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert error["path"] == path
    assert said in error["message"]
    assert said in refused.json()["detail"]
    assert not Run.objects.exists()


def test_what_fits_is_run_and_its_journal_comes_in_pages(started):
    start, client = started
    run = start({"n": 4}).json()["id"]
    drive_all()
    seen, address = [], f"/api/v1/runs/{run}/journal/?limit=1"
    while address:
        page = client.get(address).json()
        seen += [row["seq"] for row in page["results"]]
        assert len(page["results"]) == 1
        address = page["next"]
    assert seen == [1, 2, 3]


def test_rule_19_a_run_of_a_format_that_this_release_cannot_read_is_left_alone(started):
    start, _ = started
    run = start({"n": 4}).json()["id"]
    RunState.objects.filter(run_id=run).update(format=99)
    assert drive_all() == 0
    assert Run.objects.get(pk=run).status == "queued"
    RunState.objects.filter(run_id=run).update(format=1)
    drive_all()
    assert Run.objects.get(pk=run).status == "completed"


def test_every_step_of_a_run_shows_what_it_was_given(started):
    start, client = started
    run = start({"n": 4}).json()["id"]
    drive_all()
    step = client.get(f"/api/v1/runs/{run}/").json()["steps"]["twice"]
    assert step["input"] == {"fields": {"n": 8}}
    assert step["output"] == {"n": 8}
