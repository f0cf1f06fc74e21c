"""Exports: everything, in order, from any line on; nothing slips behind a cursor (rule 20)."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import AsyncClient

from apps.audit.sealing import seal_pending
from apps.core import clock
from apps.operations import exports
from apps.runs.models import Run
from tests.inbox.support import move_clock
from tests.support import people

pytestmark = pytest.mark.django_db
KINDS = ["flows", "versions", "runs", "tasks", "audit"]


@pytest.fixture
def auditor(desk):
    return people.browser(desk.someone("eye", "auditor"))


def lines(browser, kind, cursor="", **headers):
    answer = browser.get(
        f"/api/v1/export/{kind}.ndjson", {"cursor": cursor} if cursor else {}, headers=headers
    )
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "application/x-ndjson"
    body = b"".join(answer.streaming_content)
    assert body == b"" or body.endswith(b"\n")
    return [json.loads(line) for line in body.splitlines()]


def refused(browser, path):
    answer = browser.get(f"/api/v1/export/{path}")
    assert answer["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


@pytest.fixture
def history(desk):
    """Three decided tasks, older than 15 seconds, and sealed."""
    ada = desk.someone("ada")
    tasks = [desk.ask_named("ada", "bob") for _ in range(3)]
    for task in tasks:
        desk.decide(task, ada, comment="ok")
        desk.run_of(task)
    seal_pending(now=clock.now())
    move_clock(seconds=20)
    return tasks


def test_every_kind_is_whole_and_every_line_has_its_cursor(auditor, history):
    found = {kind: lines(auditor, kind) for kind in KINDS}
    assert len(found["flows"]) == len(found["versions"]) == 3
    assert {one["id"] for one in found["runs"]} == {str(one.run_id) for one in history}
    assert {one["id"] for one in found["tasks"]} == {str(one.pk) for one in history}
    assert sum(one["verb"] == "task.decide" for one in found["audit"]) == 3
    for kind, rows in found.items():
        cursors = [one["cursor"] for one in rows]
        assert len(set(cursors)) == len(rows)
        assert all(one.startswith(f"{kind}.") for one in cursors)


def test_a_line_says_all_there_is_to_say(auditor, history):
    task = next(one for one in lines(auditor, "tasks") if one["id"] == str(history[0].pk))
    assert (task["status"], task["outcome"]) == ("decided", "approved")
    assert task["seen"] == history[0].seen
    assert [one["email"] for one in task["assignees"]] == ["ada@acme.test", "bob@acme.test"]
    [decision] = task["decisions"]
    assert (decision["by"], decision["comment"], decision["seen"]) == (
        "ada@acme.test",
        "ok",
        history[0].seen,
    )
    run = lines(auditor, "runs")[0]
    assert (run["status"], run["version"], run["trigger"]) == ("completed", 1, "manual")
    version = lines(auditor, "versions")[0]
    assert version["document"]["steps"]["ask"]["type"] == "approval"
    flow = lines(auditor, "flows")[0]
    assert (flow["active_version"], flow["owner"], flow["hash"]) == (
        1,
        "owner@acme.test",
        lines(auditor, "versions")[0]["hash"],
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("page", [1, 2, 500])
def test_it_goes_on_after_a_cut_at_every_line(desk, auditor, history, monkeypatch, kind, page):
    monkeypatch.setattr(exports, "PAGE", page)
    whole = lines(auditor, kind)
    assert len(whole) >= 3
    for cut in range(len(whole)):
        rest = lines(auditor, kind, whole[cut]["cursor"])
        # Each export is a row of the trail itself, but not before it is sealed.
        assert [one["cursor"] for one in rest] == [one["cursor"] for one in whole[cut + 1 :]]


def test_rows_of_one_instant_are_not_lost_between_pages(desk, auditor, history, monkeypatch):
    monkeypatch.setattr(exports, "PAGE", 2)
    Run.objects.filter(workspace_id=desk.workspace.pk).update(
        updated_at=clock.now() - timedelta(seconds=19)
    )
    whole = lines(auditor, "runs")
    assert len({one["id"] for one in whole}) == len(whole) == 3
    assert len(lines(auditor, "runs", whole[0]["cursor"])) == 2


@pytest.mark.parametrize("kind", ["flows", "versions", "runs", "tasks"])
def test_it_never_passes_rows_younger_than_15_seconds(desk, auditor, history, kind):
    before = lines(auditor, kind)
    desk.ask_named("ada")
    assert lines(auditor, kind) == before
    assert lines(auditor, kind, before[-1]["cursor"]) == []
    move_clock(seconds=16)
    assert len(lines(auditor, kind, before[-1]["cursor"])) == 1


def test_what_changed_appears_again_after_the_cursor(desk, auditor, history):
    task = desk.ask_named("ada", "bob", rule={"all": True})
    move_clock(seconds=16)
    first = {kind: lines(auditor, kind) for kind in ("runs", "tasks", "flows")}
    last = {kind: rows[-1]["cursor"] for kind, rows in first.items()}
    assert first["runs"][-1]["status"] == "waiting"
    desk.decide(task, desk.someone("ada"))
    move_clock(seconds=16)
    [again] = lines(auditor, "tasks", last["tasks"])
    assert (again["status"], len(again["decisions"])) == ("open", 1)
    desk.decide(task, desk.someone("bob"))
    desk.run_of(task)
    move_clock(seconds=16)
    [again] = lines(auditor, "runs", last["runs"])
    assert (again["id"], again["status"]) == (str(task.run_id), "completed")
    [again] = lines(auditor, "tasks", last["tasks"])
    assert again["outcome"] == "approved"
    assert lines(auditor, "flows", last["flows"]) == []


def test_the_trail_goes_by_seals_and_holds_nothing_unsealed(desk, auditor, history):
    before = lines(auditor, "audit")
    task = desk.ask_named("ada")
    desk.decide(task, desk.someone("ada"))
    assert lines(auditor, "audit", before[-1]["cursor"]) == []
    seal_pending(now=clock.now())
    after = lines(auditor, "audit", before[-1]["cursor"])
    assert "task.decide" in [one["verb"] for one in after]
    assert all(one["seal"] for one in after)


def test_each_export_is_in_the_trail(desk, auditor, history):
    lines(auditor, "runs")
    cursor = lines(auditor, "runs")[0]["cursor"]
    lines(auditor, "runs", cursor)
    rows = desk.trail("export.read")
    assert [row.group("details") for row in rows] == [
        {"what": "runs", "from": ""},
        {"what": "runs", "from": ""},
        {"what": "runs", "from": cursor},
    ]
    assert rows[0].text("actor.label") == "eye@acme.test"


@pytest.mark.parametrize("role", ["viewer", "builder", "operator", "approver"])
def test_only_auditors_and_administrators_may(desk, history, role):
    browser = people.browser(desk.someone(f"a-{role}", role))
    for kind in KINDS:
        assert refused(browser, f"{kind}.ndjson") == (403, "forbidden")
    assert desk.trail("export.read") == []
    admin = people.browser(desk.someone("admin", "admin"))
    assert len(lines(admin, "runs")) == 3


def test_another_workspace_sees_nothing_of_it(desk, history):
    other = people.make_workspace("other")
    browser = people.browser(people.person(other, "auditor", "admin"))
    for kind in ("flows", "versions", "runs", "tasks"):
        assert lines(browser, kind) == []
    ours = lines(people.browser(desk.someone("eye", "auditor")), "runs")
    assert lines(browser, "runs", ours[0]["cursor"]) == []
    seal_pending(now=clock.now())
    assert not any("ada@acme.test" in json.dumps(one) for one in lines(browser, "audit"))


def test_a_key_needs_the_scope_of_what_it_takes(desk, history, client):
    eye = desk.someone("eye", "auditor")
    headers = people.bearer(eye, scopes=["export.read", "run.view"])
    assert len(lines(client, "runs", **headers)) == 3
    for kind in ("flows", "audit"):
        answer = client.get(f"/api/v1/export/{kind}.ndjson", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "out_of_scope")
    headers = people.bearer(eye, scopes=["run.view"])
    answer = client.get("/api/v1/export/runs.ndjson", headers=headers)
    assert answer.json()["code"] == "out_of_scope"


@pytest.mark.parametrize(
    "path",
    [
        "runs.ndjson?cursor=x",
        "runs.ndjson?cursor=tasks.1.019aa0a0-0000-7000-8000-000000000000",
        "runs.ndjson?cursor=runs.1.nothing",
        "runs.ndjson?cursor=runs.99999999999999999999999.019aa0a0-0000-7000-8000-000000000000",
        "runs.ndjson?cursor=runs.-1" + "0" * 300,
        "audit.ndjson?cursor=audit.1.x",
        "audit.ndjson?cursor=runs.1.1",
        "audit.ndjson?cursor=audit.1",
        "audit.ndjson?cursor=audit." + "9" * 60 + ".1",
    ],
)
def test_a_cursor_that_is_none_is_refused_before_anything_is_sent(desk, auditor, path):
    assert refused(auditor, path) == (422, "invalid")
    assert desk.trail("export.read") == []


def test_an_export_that_there_is_not(auditor):
    assert refused(auditor, "people.ndjson") == (404, "not_found")


def test_it_is_given_whatever_the_caller_accepts(auditor, history):
    for accept in ("application/x-ndjson", "*/*", "application/json"):
        assert len(lines(auditor, "runs", Accept=accept)) == 3


@pytest.mark.django_db(transaction=True)
async def test_it_streams_in_pieces_under_asgi(monkeypatch):
    from asgiref.sync import sync_to_async

    from apps.operations import streams
    from tests.inbox.support import Desk

    monkeypatch.setattr(exports, "PAGE", 1)
    monkeypatch.setattr(streams, "CHUNK_BYTES", 100)

    def make():
        desk = Desk()
        for _ in range(4):
            desk.ask_named("ada")
        move_clock(seconds=20)
        return people.bearer(desk.someone("eye", "auditor"))

    headers = await sync_to_async(make)()
    answer: Any = await AsyncClient().get("/api/v1/export/runs.ndjson", headers=headers)
    assert answer.status_code == 200
    pieces = [piece async for piece in answer]
    assert len(pieces) == 4
    assert all(json.loads(piece)["status"] == "waiting" for piece in pieces)
