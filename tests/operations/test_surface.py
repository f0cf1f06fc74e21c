"""The names and shapes that outside programs rely on: one story, told by keys over the API."""

import json
from typing import Any

import pytest

from apps.accounts.models import Membership, User
from apps.connections.models import AllowedHost
from apps.core import clock
from apps.flows.models import Flow
from apps.inbox.models import UserTask
from apps.operations.demo import make_demo
from apps.runs.drive import drive_all

pytestmark = pytest.mark.django_db
STATUSES = [
    "queued",
    "running",
    "waiting",
    "paused",
    "cancelling",
    "completed",
    "failed",
    "cancelled",
]


def step(kind, **config):
    return {"type": kind, "version": 1, "title": kind.capitalize(), "config": config}


DOCUMENT: dict[str, Any] = {
    "format": "signalbox.flow/1",
    "name": "Orders",
    "trigger": {"type": "webhook", "config": {"path": "orders"}},
    "steps": {
        "read": step("map", fields={"amount": "= trigger.body.amount", "sign": "== is literal"}),
        "size": step("decide", branches=[{"port": "large", "when": "= 10 < trigger.body.amount"}],
                     otherwise="small"),
        "ask": step(
            "approval", title='= "Pay " + string(steps.read.output.amount)',
            assignees={"users": [], "groups": ["approver"]}, rule={"any": 1}, due="P2D",
            fields=[{"label": "Amount", "value": "= steps.read.output.amount"}],
        ),
        "paid": step("stop", outcome="completed"),
        "none": step("stop", outcome="failed", message="Not paid."),
    },
    "links": [
        {"from": "trigger", "to": "read"},
        {"from": "read", "to": "size"},
        {"from": "size", "port": "large", "to": "ask"},
        {"from": "size", "port": "small", "to": "paid"},
        {"from": "ask", "port": "approved", "to": "paid"},
        {"from": "ask", "port": "rejected", "to": "none"},
        {"from": "ask", "port": "timeout", "to": "none"},
    ],
    "settings": {},
    "layout": {},
}  # fmt: skip


class Api:
    """One caller; ``api.post("flows/", {...})`` checks the status and gives the JSON."""

    def __init__(self, client):
        self.client = client

    def get(self, path, status=200):
        return self._read(self.client.get(f"/api/v1/{path}"), status)

    def post(self, path, body=None, status=200, method="POST", **headers):
        answer = self.client.generic(
            method,
            f"/api/v1/{path}",
            data=json.dumps({} if body is None else body),
            content_type="application/json",
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )
        return self._read(answer, status)

    @staticmethod
    def _read(answer, status):
        assert answer.status_code == status, answer.content
        found = answer.json()
        if status >= 400:
            assert answer["Content-Type"] == "application/problem+json"
            assert {"type", "title", "status", "detail", "code"} <= found.keys()
            assert found["status"] == status
        return found


@pytest.fixture
def api(api_as):
    return lambda role: Api(api_as(role))


@pytest.fixture
def flow(api):
    builder = api("builder")
    made = builder.post("flows/", {"name": "Orders"}, 201)
    draft = f"flows/{made['id']}/draft/"
    assert made["name"] == "Orders"
    builder.post(draft, DOCUMENT, 428, method="PUT")
    builder.post(draft, DOCUMENT, 200, method="PUT", If_Match='"1"')
    builder.post(draft, DOCUMENT, 412, method="PUT", If_Match='"1"')
    assert builder.get(draft) == DOCUMENT

    found = builder.post(f"flows/{made['id']}/check/")["findings"]
    assert all(
        {"code", "severity", "step", "path", "message", "fix"} <= one.keys() for one in found
    )
    published = builder.post(f"flows/{made['id']}/publish/", {"note": "first"}, 201)
    assert published["number"] == 1
    assert len(published["hash"]) == 64
    return made["id"]


def started(api, flow, **body):
    made = api("builder").post(f"flows/{flow}/runs/", {"input": body}, 201)
    assert made["status"] == "queued"
    drive_all()
    return made["id"]


def test_a_run_that_waits_is_decided_and_completed(api, flow):
    run = started(api, flow, amount=12)
    shown = api("viewer").get(f"runs/{run}/")
    assert shown["status"] == "waiting"
    assert (shown["version"], shown["error"], shown["finished_at"]) == (1, None, None)
    assert [(one["step"], one["kind"]) for one in shown["waiting_for"]] == [("ask", "person")]
    assert shown["started_at"].endswith("Z")

    (row,) = api("approver").get("tasks/")["results"]
    assert row["run"] == run
    task = f"tasks/{row['id']}/"
    asked = api("approver").get(task)
    assert asked["title"] == "Pay 12"
    assert asked["facts"] == [{"label": "Amount", "value": 12}]
    assert asked["outcomes"] == ["approved", "rejected"]
    assert {"id", "flow", "status", "seen", "due"} <= asked.keys()

    answer = {"outcome": "approved", "comment": "Fine", "seen": asked["seen"]}
    api("viewer").post(f"{task}decide/", answer, 403)
    api("approver").post(f"{task}decide/", {**answer, "seen": "0" * 64}, 409)
    api("approver").post(f"{task}decide/", answer)
    api("approver").post(f"{task}decide/", answer, 409)
    drive_all()

    shown = api("viewer").get(f"runs/{run}/")
    assert (shown["status"], shown["waiting_for"]) == ("completed", [])
    assert shown["finished_at"].endswith("Z")
    steps = shown["steps"]
    assert all({"status", "visits", "output", "error"} <= one.keys() for one in steps.values())
    assert steps["read"]["output"] == {"amount": 12, "sign": "= is literal"}
    assert steps["size"]["output"] == {"port": "large"}
    assert (steps["ask"]["status"], steps["ask"]["visits"]) == ("completed", 1)
    assert steps["ask"]["output"]["outcome"] == "approved"
    assert steps["ask"]["output"]["by"] == "approver@acme.test"
    assert steps["ask"]["output"]["comment"] == "Fine"
    assert api("approver").get("tasks/")["results"] == []
    assert [one["run"] for one in api("approver").get("tasks/?state=done")["results"]] == [run]


def test_a_failed_run_names_step_class_code_and_a_sentence(api, flow):
    run = started(api, flow, amounts=12)
    error = api("viewer").get(f"runs/{run}/")["error"]
    assert error.keys() == {"step", "class", "code", "message"}
    assert (error["step"], error["class"]) == ("read", "permanent")
    assert "amount" in error["message"]
    shown = api("viewer").get(f"runs/{run}/")
    assert shown["steps"]["read"]["error"]["code"] == error["code"]


def test_a_journal_has_rows_in_order(api, flow):
    run = started(api, flow, amount=1)
    rows = api("viewer").get(f"runs/{run}/journal/")["results"]
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    assert all(row.keys() == {"seq", "type", "step", "at", "data"} for row in rows)
    assert rows[0]["type"] == "run.started"
    assert rows[-1]["type"] == "run.completed"


def test_runs_are_filtered_by_flow_and_status_page_by_page(api, flow):
    waits, done = started(api, flow, amount=12), started(api, flow, amount=1)
    viewer = api("viewer")

    def ids(query):
        return [one["id"] for one in viewer.get(f"runs/?{query}")["results"]]

    assert set(ids(f"flow={flow}")) == {waits, done}
    assert ids(f"flow={flow}&status=completed") == [done]
    assert ids("status=waiting") == [waits]
    assert ids("flow=00000000-0000-7000-8000-000000000000") == []
    for status in STATUSES:
        viewer.get(f"runs/?status={status}")
    viewer._read(viewer.client.get("/api/v1/runs/?status=no-such"), 422)
    first = viewer.get("runs/?limit=1")
    second = viewer._read(viewer.client.get(first["next"]), 200)
    assert [first["results"][0]["id"], second["results"][0]["id"]] == [done, waits]


def test_a_waiting_run_is_cancelled_once_and_its_task_closed(api, flow):
    run = started(api, flow, amount=12)
    api("viewer").post(f"runs/{run}/cancel/", status=403)
    api("operator").post(f"runs/{run}/cancel/", status=202)
    drive_all()
    assert api("viewer").get(f"runs/{run}/")["status"] == "cancelled"
    assert UserTask.objects.get(run_id=run).status != "open"
    api("operator").post(f"runs/{run}/cancel/", status=409)


def test_a_broken_flow_is_refused_with_its_findings(api, flow):
    builder = api("builder")
    broken = {**DOCUMENT, "links": DOCUMENT["links"][:-1]}
    builder.post(f"flows/{flow}/draft/", broken, 200, method="PUT", If_Match='"2"')
    refused = builder.post(f"flows/{flow}/publish/", {"note": "second"}, 422)
    assert [one["step"] for one in refused["findings"] if one["severity"] == "error"] == ["ask"]
    (version,) = builder.get(f"flows/{flow}/versions/")["results"]
    assert version["number"] == 1
    builder.post(f"flows/{flow}/versions/1/activate/")


def test_the_demo_has_its_people_a_published_flow_a_task_and_an_allowed_host():
    assert make_demo(password="seven quiet green lamps", now=clock.now())
    assert not make_demo(password="another one entirely", now=clock.now())
    drive_all()

    names = ["admin", "approver", "auditor", "builder", "viewer"]
    assert list(User.objects.order_by("email").values_list("email", flat=True)) == [
        f"{name}@demo.local" for name in names
    ]
    assert set(Membership.objects.values_list("workspace__slug", flat=True)) == {"demo"}
    assert User.objects.get(email="viewer@demo.local").check_password("seven quiet green lamps")
    (flow,) = Flow.objects.all()
    assert flow.active_version is not None
    (task,) = UserTask.objects.all()
    assert (task.status, task.flow_id) == ("open", flow.pk)
    assert [one.host for one in AllowedHost.objects.all()] == ["127.0.0.1"]
